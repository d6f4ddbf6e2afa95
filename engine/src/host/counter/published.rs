//! What is published of the bundles of the epoch that was settled last: a file, written once from the party's own bundles
//! before those are destroyed, and served in parts.
//!
//! Anybody can verify every accepted bundle again with it (`chain::light::audit`), so that not even all three parties
//! together count a bundle that nobody proved. Sealed seeds are not in it. It is there as long as names of bundles are,
//! until the next epoch is settled: it is as long as the bundles were.

use super::shared::Shared;
use crate::{
    api::{Busy, PART_BYTES},
    host::{machine, outlook::LEAST_FREE_BYTES},
    private,
    store::{Store, StoreError},
};
use chain::light::audit::stream;
use primitives::{ChainId, CodecError, Decode, Digest, EpochId};
use proofs::{bundle::Bundle, inclusion::FinalBatch};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;

/// Most parts in memory: 64 MiB.
const MAX_PARTS: usize = 64;
/// End of a file's name, after the number of its epoch.
const EXTENSION: &str = ".bin";
/// End of the name of a file that is being written.
const UNFINISHED: &str = ".part";

/// Why a party publishes nothing of an epoch's bundles. Others may.
#[derive(Debug, Error)]
pub(super) enum Unpublished {
    /// It was not there when the bundle was accepted.
    #[error("bundle {0} is not here")]
    Missing(Digest),
    /// A bundle is damaged, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was kept is no bundle.
    #[error("bundle {bundle}: {error}")]
    Bundle {
        /// Its name.
        bundle: Digest,
        /// Why.
        error: CodecError,
    },
    /// The disk is kept for what the next epoch needs.
    #[error("{free} bytes are free, and {needed} are needed")]
    NoRoom {
        /// Free.
        free: u64,
        /// Needed.
        needed: u64,
    },
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// Files of what is published.
pub(super) struct Published {
    folder: PathBuf,
    parts: Shared<(EpochId, u32)>,
}

impl Published {
    /// Those in a folder, which is made with the first.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, parts: Shared::new(MAX_PARTS) }
    }

    fn path(&self, epoch: EpochId) -> PathBuf {
        self.folder.join(format!("{epoch}{EXTENSION}"))
    }

    /// How long the stream of an epoch is, if it is here.
    pub(super) fn bytes(&self, epoch: EpochId) -> Option<u64> {
        fs::metadata(self.path(epoch)).ok().map(|file| file.len())
    }

    /// One part of the stream.
    ///
    /// # Errors
    /// If readers have as many as there is room for, or the disk does not give it.
    pub(super) fn part(&self, epoch: EpochId, number: u32) -> Result<Option<Arc<[u8]>>, Busy> {
        self.parts.get((epoch, number), || {
            self.read(epoch, number).map_err(|error| {
                tracing::warn!(%epoch, %error, "what was published cannot be read");
                Busy
            })
        })
    }

    fn read(&self, epoch: EpochId, number: u32) -> io::Result<Option<Vec<u8>>> {
        let mut file = match File::open(self.path(epoch)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let begins = u64::from(number) * PART_BYTES as u64;
        if begins >= file.metadata()?.len() {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(begins))?;
        let mut part = Vec::new();
        file.take(PART_BYTES as u64).read_to_end(&mut part)?;
        Ok(Some(part))
    }

    /// Writes what is published of an epoch's batches, which come by shard and position, in place of that of the epoch before.
    /// Nothing of it is there before all of it is on disk.
    pub(super) fn write(
        &self,
        (chain, epoch): (ChainId, EpochId),
        batches: &[Arc<FinalBatch>],
        store: &Store,
    ) -> Result<(), Unpublished> {
        self.remove_others(epoch)?;
        let needed = store.size()?.bundles + LEAST_FREE_BYTES as u64;
        if let Some(free) = machine::disk(&self.folder).map(|disk| disk.free).filter(|free| *free < needed) {
            return Err(Unpublished::NoRoom { free, needed });
        }
        private::make_folder(&self.folder)?;
        let unfinished = self.folder.join(format!("{epoch}{UNFINISHED}"));
        let written = write_all(&unfinished, (chain, epoch), batches, store);
        // What is left of a failure takes room that the party needs.
        written.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
        fs::rename(&unfinished, self.path(epoch))?;
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }

    /// Removes what was published of other epochs, and what was not finished.
    fn remove_others(&self, epoch: EpochId) -> io::Result<()> {
        let own = self.path(epoch);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if path != own {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn write_all(
    path: &Path,
    (chain, epoch): (ChainId, EpochId),
    batches: &[Arc<FinalBatch>],
    store: &Store,
) -> Result<(), Unpublished> {
    let mut out = BufWriter::new(File::create(path)?);
    stream::begin(&mut out, (chain, epoch))?;
    for batch in batches {
        let published = batch.bundles().iter().map(|id| {
            let bytes = store.bundle(epoch, id)?.ok_or(Unpublished::Missing(*id))?;
            let bundle = Bundle::from_bytes(&bytes);
            let bundle = bundle.map_err(|error| Unpublished::Bundle { bundle: *id, error })?;
            Ok(bundle.published().clone())
        });
        let published = published.collect::<Result<Vec<_>, Unpublished>>()?;
        stream::write_batch(&mut out, (batch.shard(), batch.position()), &published)?;
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Owner;
    use primitives::{Encode, ShardIndex};
    use proofs::{
        inclusion::batch_root,
        tally::BatchHeader,
        testing::{TestSubscriber, event, small},
    };

    const CHAIN: ChainId = ChainId(5);

    fn batch(epoch: EpochId, bundles: &[Digest]) -> Arc<FinalBatch> {
        let header = BatchHeader {
            chain: CHAIN,
            epoch,
            shard: ShardIndex(0),
            view: 0,
            position: 0,
            previous: Digest::default(),
            batch_root: batch_root(bundles),
            count: bundles.len() as u32,
            running: Default::default(),
        };
        Arc::new(FinalBatch::new(&header, bundles.into()))
    }

    #[test]
    fn what_is_published_is_what_an_audit_reads_and_no_sealed_seed_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = Owner { chain: CHAIN, genesis: Digest([1; 32]) };
        let (store, _) = Store::open(folder.path().join("store"), owner).expect("a store");
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]);
        let (epoch, id, bytes) = (EpochId(3), bundle.id(), bundle.to_bytes());
        store.keep_bundles(epoch, &[(id, &bytes)]).expect("kept");
        let dir = folder.path().join("published");
        let published = Published::new(dir.clone());
        let left = || -> Vec<_> {
            let entries = fs::read_dir(&dir).expect("a folder");
            entries.map(|entry| entry.expect("an entry").file_name()).collect()
        };

        // A batch with a bundle that is not here is not published at all.
        let missing = published.write((CHAIN, epoch), &[batch(epoch, &[id, Digest([7; 32])])], &store);
        assert!(matches!(missing, Err(Unpublished::Missing(_))), "{missing:?}");
        assert_eq!((left().len(), published.bytes(epoch)), (0, None));

        // What was begun, and what was published of the epoch before, makes room.
        fs::write(dir.join("2.bin"), b"before").expect("written");
        fs::write(dir.join("3.part"), b"half").expect("written");
        published.write((CHAIN, epoch), &[batch(epoch, &[id])], &store).expect("written");
        assert_eq!(left(), ["3.bin"]);
        let stream = fs::read(dir.join("3.bin")).expect("there");
        assert_eq!(published.bytes(epoch), Some(stream.len() as u64));
        assert_eq!(published.part(epoch, 0).expect("room").as_deref(), Some(stream.as_slice()));
        assert_eq!(published.part(epoch, 1), Ok(None));
        assert_eq!(published.part(EpochId(2), 0), Ok(None));
        let batches = stream::Batches::open(stream.as_slice(), (CHAIN, epoch)).expect("a stream");
        let batches: Vec<_> = batches.collect::<Result<_, _>>().expect("all of it");
        assert_eq!((batches.len(), &batches[0].statements), (1, &vec![bundle.published().to_bytes()]));
        let sealed = bundle.sealed().to_bytes();
        let has = |haystack: &[u8]| haystack.windows(sealed.len()).any(|window| window == sealed);
        assert!(has(&bytes) && !has(&stream));
    }

    #[test]
    fn parts_are_the_stream_cut_in_pieces() {
        let folder = tempfile::tempdir().expect("a folder");
        let stream: Vec<_> = (0..2 * PART_BYTES + 5).map(|at| (at / 7) as u8).collect();
        fs::write(folder.path().join("1.bin"), &stream).expect("written");
        let published = Published::new(folder.path().into());
        let part = |number| published.part(EpochId(1), number).expect("room");
        let parts: Vec<_> = (0..).map_while(part).collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [PART_BYTES, PART_BYTES, 5]);
        assert_eq!(parts.concat(), stream);
        assert_eq!(part(u32::MAX), None);
    }
}
