//! Where parties keep what they carry from one epoch to the next: in memory, or on disk as well.
//!
//! A party that loses its shares of what is carried over loses them for good, and everybody else the usage. So they are
//! on disk before the totals that they belong to are signed: written beside the old file, synced, and put in its place
//! in one step. A file holds the latest two, for an epoch may be given up after a party signed its totals and before
//! they were on record; what it carried before is what counts then.
//!
//! The file is a party's secret. It is readable for its owner alone, and must never lie beside another party's: two of
//! them are everything.

use super::{Carried, voting::Record};
use crate::{actor::Memory, message::Sitting};
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, ShardIndex, Writer, hash};
use proofs::bundle::Bundle;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// How many epochs back a party can go.
const KEPT: usize = 2;
/// Beginning of a file's name, before party and shard.
const PREFIX: &str = "carried-";
/// End of the name of a file that is being written.
const UNFINISHED: &str = ".part";

/// Why what is carried over cannot be read or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShelfError {
    /// A file or the folder cannot be read or written.
    #[error("{path}: what is carried over cannot be {what}: {error}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// A file is not what was written.
    #[error("{path}: what is carried over is damaged: restore the file from a copy", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file is sound and holds something else.
    #[error("{path}: is not what a party carries over: {error}", path = .path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// Why.
        error: CodecError,
    },
}

type Kept = BTreeMap<(PartyId, ShardIndex), Vec<Carried>>;

/// What parties carry from one epoch to the next, by party and shard; the latest last.
#[derive(Default)]
pub struct Shelf {
    kept: Mutex<Kept>,
    /// What actors of one process stored that goes to no disk.
    votes: Mutex<BTreeMap<(PartyId, ShardIndex), Record>>,
    folder: Option<PathBuf>,
}

impl Shelf {
    /// A shelf with what is in a folder, which is made if it is not there. Everything that is put on it goes there too.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read, or is not what a party wrote.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, ShelfError> {
        let folder = folder.into();
        let failed = |path: &Path, what, error| ShelfError::Io { path: path.into(), what, error };
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, "kept", error))?;
        let mut kept = Kept::new();
        for entry in fs::read_dir(&folder).map_err(|error| failed(&folder, "listed", error))? {
            let path = entry.map_err(|error| failed(&folder, "listed", error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // A file that was being written when the party died was never counted on, and neither was a copy.
            if name.starts_with(PREFIX) && !name.ends_with(UNFINISHED) {
                let bytes = fs::read(&path).map_err(|error| failed(&path, "read", error))?;
                let (owner, carried) = unpack(&path, &Zeroizing::new(bytes))?;
                if name == name_of(owner) {
                    kept.insert(owner, carried);
                }
            }
        }
        Ok(Self { kept: Mutex::new(kept), folder: Some(folder), ..Self::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding the shelf")
    }

    /// Keeps what a party carries of a shard, beside what it carried before. With a folder it is on disk when this
    /// returns.
    ///
    /// # Errors
    /// If it cannot be written. The party must not sign what rests on it.
    pub(crate) fn put(
        &self,
        party: PartyId,
        shard: ShardIndex,
        carried: Vec<Carried>,
    ) -> Result<(), ShelfError> {
        let mut shelf = self.lock();
        let kept = shelf.entry((party, shard)).or_default();
        *kept = carried;
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(name_of((party, shard)));
        write(folder, &path, &pack((party, shard), kept)).map_err(|error| ShelfError::Io {
            path,
            what: "written",
            error,
        })
    }

    /// The last vote of a party in a shard, if it gave one in this process.
    pub fn vote_of(&self, party: PartyId, shard: ShardIndex) -> Option<Record> {
        self.votes.lock().expect("nobody panics while holding the votes").get(&(party, shard)).cloned()
    }

    /// What a party carries, by shard.
    pub(crate) fn of(&self, party: PartyId) -> BTreeMap<ShardIndex, Vec<Carried>> {
        let shelf = self.lock();
        let own = shelf.range((party, ShardIndex(0))..=(party, ShardIndex(u32::MAX)));
        own.map(|((_, shard), carried)| (*shard, carried.clone())).collect()
    }
}

/// Actors of one process come back with all that they had: what they carry over is all that has to be kept elsewhere.
impl Memory for Shelf {
    fn vote(&self, party: PartyId, record: &Record) -> bool {
        let mut votes = self.votes.lock().expect("nobody panics while holding the votes");
        votes.insert((party, record.shard), record.clone());
        true
    }

    fn keep(&self, party: PartyId, shard: ShardIndex, carried: Vec<Carried>) -> bool {
        self.put(party, shard, carried).is_ok()
    }

    fn sit(&self, _: PartyId, _: Sitting) -> bool {
        true
    }

    fn contribute(&self, _: PartyId, _: Digest) -> bool {
        true
    }

    fn hold(&self, _: PartyId, _: Digest, _: &[Arc<Bundle>]) -> bool {
        true
    }

    fn bundle(&self, _: &Digest) -> Option<Bundle> {
        None
    }
}

fn name_of((party, shard): (PartyId, ShardIndex)) -> String {
    format!("{PREFIX}{party}-{shard}")
}

fn checksum(body: &[u8]) -> Digest {
    hash::hash(Domain::CarriedShares, &[body])
}

fn pack((party, shard): (PartyId, ShardIndex), carried: &[Carried]) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::default();
    party.encode(&mut w);
    shard.encode(&mut w);
    w.seq(carried);
    let mut bytes = Zeroizing::new(w.finish());
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum.0);
    bytes
}

fn unpack(path: &Path, bytes: &[u8]) -> Result<((PartyId, ShardIndex), Vec<Carried>), ShelfError> {
    let damaged = || ShelfError::Damaged { path: path.into() };
    let (body, found) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
    if checksum(body).0 != *found {
        return Err(damaged());
    }
    let read = || {
        let mut r = Reader::new(body);
        let owner = (PartyId::decode(&mut r)?, ShardIndex::decode(&mut r)?);
        let carried = r.seq(KEPT)?;
        r.finish()?;
        Ok((owner, carried))
    };
    read().map_err(|error| ShelfError::Codec { path: path.into(), error })
}

/// Puts a file in place of another, or the old one stays.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::scalar::Scalar;
    use primitives::{RegionTag, Tier, WorkId};
    use proofs::tally::Group;

    /// What the first party carries: one work, one group.
    fn carried(n: u8) -> Carried {
        let mut totals = mpc::share::ReplicatedTotals::new(PartyId::ALL[0], 2);
        let group = Group { tier: Tier(1), region: RegionTag::NONE };
        let entries = [Scalar::from(n), -Scalar::ONE];
        totals.add(group, [(&entries, Scalar::ONE), (&entries, Scalar::from(n))]).unwrap();
        let mut commitments = proofs::tally::Running::default();
        commitments.add(group, &[proofs::generators::bases().blinding; 3]);
        Carried { works: vec![WorkId([n; 32])], totals, commitments }
    }

    #[test]
    fn what_is_carried_over_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (party, shard) = (PartyId::ALL[0], ShardIndex(3));
        let shelf = Shelf::open(dir.path().join("party")).unwrap();
        assert!(shelf.of(party).is_empty());
        for n in 1..=3 {
            shelf.put(party, shard, vec![carried(n - 1), carried(n)]).unwrap();
            let again = Shelf::open(dir.path().join("party")).unwrap();
            assert_eq!(again.of(party), shelf.of(party));
        }
        assert_eq!(shelf.of(party)[&shard], [carried(2), carried(3)]);
        assert!(shelf.of(PartyId::ALL[1]).is_empty());
    }

    #[test]
    fn a_file_that_was_being_written_counts_for_nothing_and_a_damaged_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (party, shard) = (PartyId::ALL[0], ShardIndex(0));
        Shelf::open(dir.path()).unwrap().put(party, shard, vec![carried(1)]).unwrap();
        let path = dir.path().join("carried-1-0");
        let whole = fs::read(&path).unwrap();
        fs::write(dir.path().join("carried-1-0.part"), &whole[..9]).unwrap();
        let other = tempfile::tempdir().unwrap();
        Shelf::open(other.path()).unwrap().put(party, shard, vec![carried(2)]).unwrap();
        fs::copy(other.path().join("carried-1-0"), dir.path().join("carried-1-0.old")).unwrap();
        assert_eq!(Shelf::open(dir.path()).unwrap().of(party)[&shard], [carried(1)]);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(matches!(Shelf::open(dir.path()), Err(ShelfError::Damaged { .. })), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(Shelf::open(dir.path()), Err(ShelfError::Damaged { .. })), "cut at {at}");
        }
        let mut body = whole[..whole.len() - 32].to_vec();
        body.push(0);
        let checksum = checksum(&body).0;
        fs::write(&path, [body, checksum.into()].concat()).unwrap();
        assert!(matches!(Shelf::open(dir.path()), Err(ShelfError::Codec { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Shelf::open(dir.path()).unwrap().put(PartyId::ALL[0], ShardIndex(0), vec![carried(1)]).unwrap();
        let mode = fs::metadata(dir.path().join("carried-1-0")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path().join("gone")).unwrap();
        fs::remove_dir(dir.path().join("gone")).unwrap();
        let error = shelf.put(PartyId::ALL[0], ShardIndex(0), vec![carried(1)]).unwrap_err();
        assert!(matches!(error, ShelfError::Io { what: "written", .. }));
    }
}
