//! What one aggregator party has on disk: all that it needs to go on after it was killed at any moment.
//!
//! ```text
//! lock             held by the process that has the store open
//! records-<n>/     the tree of small records: sled, one whole generation
//! large/<n>        values of the tree that are long or secret, one file each
//! bundles/<epoch>/ accepted bundles of an epoch, in files that are only appended to
//! signed/<epoch>/  the bundles of each batch that the party signed, by name, in files of the same form; also of the epoch
//!                  that ended last, for whoever asks late what became of a bundle
//! ```
//!
//! # What is promised
//!
//! - **A transition is one batch.** What [`Store::write`] is given is there after a crash or is not, as a whole, the phase of
//!   the epoch included. It is on disk when the call returns, and so are the bundles of [`Store::keep_bundles`]. Nothing
//!   may leave the party before: no signature, no receipt.
//! - **Nothing is taken back.** The store refuses a vote that says less than the one before, a number of an attempt that was
//!   used, and another contribution to a beacon ([`StoreError::Backwards`]).
//! - **Damage is found.** Every value has a checksum over its name and its bytes, and the tree lists the checksums of all
//!   values, so that a changed, swapped, lost or old one is noticed. What others can give back becomes a
//!   [`Finding`] and is removed: phase and window are on the chain, bundles are with the other parties. What nobody can
//!   give back stops the party with [`StoreError::Lost`].
//! - **It stays small.** Of epochs that are over nothing is kept ([`Change::Forget`]), and no more than [`MAX_EPOCHS`] are
//!   kept at all. sled's file is written again when it has grown.
//! - **Nobody else reads it.** Folders have mode 0700 and files 0600, and a store that others may read is not opened.
//!
//! # What is not
//!
//! Destroying bundles removes their files. They are ciphertexts sealed to the party's key, and what a disk still has of a
//! removed file can be read by whoever has that key: it is to be destroyed when it is replaced. Shares that are carried
//! over lie open in their files; the disk is to be an encrypted one. A process that is killed and a machine that loses
//! power leave a store that opens; a disk that lies about `fsync` may lose what it said it had, which is found unless
//! it lost the whole end of the tree or of the last file of bundles.
//!
//! A party runs one store, and a store is one party's: it names chain and genesis, and opens for no other. How it
//! is copied and what may be done with a copy is in `store/backup.rs`.

mod backup;
mod bundles;
mod change;
mod error;
mod folder;
mod head;
mod key;
mod large;
mod marks;
mod migrate;
mod records;
mod recovered;
mod tree;

pub use backup::restore;
pub use bundles::Bundles;
pub use change::Change;
pub use error::StoreError;
pub use head::{MAX_EPOCHS, Owner, SCHEMA};
pub use key::{Damage, RecordKey};
pub use recovered::{EpochState, Finding, Recovered};

use crate::party::marks::MarkSets;
use bundles::Shelves;
use error::failed;
use primitives::{Digest, Domain, Encode, EpochId, hash};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tree::Tree;

/// When files are cut and written again. The defaults are for parties, smaller ones for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length in bytes that a file of bundles does not exceed, unless one bundle does.
    pub bundle_file_bytes: u64,
    /// Length in bytes of sled's files above which they are written again, when an epoch is forgotten or the store opened.
    pub compact_above: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // Live records are some hundred kilobytes at most, and sled's file begins with half a megabyte.
        Self { bundle_file_bytes: bundles::FILE_BYTES, compact_above: 16 << 20 }
    }
}

/// Bytes on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Of the tree of small records.
    pub records: u64,
    /// Of what is carried over, and of votes that are long.
    pub large: u64,
    /// Of bundles, and their names.
    pub bundles: u64,
}

impl Size {
    /// All of it.
    pub fn total(self) -> u64 {
        self.records + self.large + self.bundles
    }
}

/// An open store. Calls wait for the disk: they belong on a thread that may. Records and bundles do not wait for each
/// other.
#[derive(Debug)]
pub struct Store {
    owner: Owner,
    // Whoever has both takes the tree first.
    tree: Mutex<Tree>,
    bundles: Mutex<Shelves>,
    signed: Mutex<Shelves>,
    dir: PathBuf,
    marks_are_broken: Arc<AtomicBool>,
    // Last, so that the files are closed when another process gets the lock.
    _lock: File,
}

/// The epoch before an epoch.
fn before(epoch: EpochId) -> Option<EpochId> {
    epoch.0.checked_sub(1).map(EpochId)
}

impl Store {
    /// Opens the store of a party in a folder, or begins one, and gives what the party had stored.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open; [`StoreError::OthersMayRead`]; [`StoreError::OtherChain`],
    /// [`StoreError::OtherGenesis`]; [`StoreError::NewerSchema`]; [`StoreError::Copy`];
    /// [`StoreError::NoRecords`], [`StoreError::Head`], [`StoreError::Lost`] and [`StoreError::Records`] for damage that
    /// stops a party, which leave the files as they are; [`StoreError::Io`].
    pub fn open(dir: impl AsRef<Path>, owner: Owner) -> Result<(Self, Recovered), StoreError> {
        Self::open_with(dir, owner, Limits::default())
    }

    /// [`Self::open`] with other limits.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_with(
        dir: impl AsRef<Path>,
        owner: Owner,
        limits: Limits,
    ) -> Result<(Self, Recovered), StoreError> {
        let dir = dir.as_ref();
        folder::make(dir)?;
        let lock = folder::lock(dir)?;
        let (tree, found) = Tree::open(dir, &owner, (limits.compact_above, false))?;
        let head = tree.head();
        let mut findings = found.findings;
        let name = hash::hash(Domain::StoredBundle, &[&owner.to_bytes()]);
        let open = |folder, destroyed, findings: &mut Vec<Finding>| {
            let over = (destroyed, head.silent);
            Shelves::open(dir.join(folder), name, limits.bundle_file_bytes, over, findings)
        };
        let bundles = open(bundles::FOLDER, head.destroyed, &mut findings)?;
        let signed = open(bundles::SIGNED, head.destroyed.and_then(before), &mut findings)?;
        let recovered = Recovered {
            epochs: found.epochs,
            carried: found.carried,
            bundles: bundles.counts(),
            forgotten: head.forgotten,
            silent: head.silent,
            sequence: head.sequence,
            findings,
        };
        let (tree, bundles, signed) = (Mutex::new(tree), Mutex::new(bundles), Mutex::new(signed));
        let (dir, marks_are_broken) = (dir.to_path_buf(), Arc::default());
        Ok((Self { owner, tree, bundles, signed, dir, marks_are_broken, _lock: lock }, recovered))
    }

    // What a panic left behind is as after an error: the next write is refused if it came in the middle of one.
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.bundles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed_shelves(&self) -> MutexGuard<'_, Shelves> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one transition: all of it or nothing, and on disk when this returns. Changes are made in their order.
    ///
    /// # Errors
    /// [`StoreError::Backwards`], [`StoreError::Over`], [`StoreError::Silent`], [`StoreError::TooManyEpochs`] and
    /// [`StoreError::TooMuch`], which write nothing; [`StoreError::Io`] and [`StoreError::Records`], after which every write
    /// is [`StoreError::Poisoned`].
    pub fn write(&self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut tree = self.tree();
        let earlier = tree.head().destroyed;
        tree.write(changes)?;
        match tree.head().destroyed {
            // The tree says so first: if the process dies here, opening removes them.
            Some(through) if Some(through) != earlier => {
                self.shelves().destroy(through)?;
                before(through).map_or(Ok(()), |through| self.signed_shelves().destroy(through))
            }
            _ => Ok(()),
        }
    }

    /// Keeps accepted bundles of an epoch, by identifier, in this order. They are on disk when this returns, with one
    /// `fsync` for all of them. One that is kept already, by its identifier, is passed over.
    ///
    /// # Errors
    /// [`StoreError::Over`], [`StoreError::Silent`], [`StoreError::BundleTooLong`] and [`StoreError::TooManyBundles`], which
    /// write nothing; [`StoreError::Io`], after which every call is [`StoreError::Poisoned`].
    pub fn keep_bundles<B: AsRef<[u8]>>(
        &self,
        epoch: EpochId,
        bundles: &[(Digest, B)],
    ) -> Result<(), StoreError> {
        self.shelves().keep(epoch, bundles)
    }

    /// Reads the bundles of an epoch in the order in which they were kept.
    pub fn bundles(&self, epoch: EpochId) -> Bundles {
        self.shelves().of(epoch)
    }

    /// The identifiers of the bundles of an epoch that are kept.
    pub fn bundle_ids(&self, epoch: EpochId) -> Vec<Digest> {
        self.shelves().ids(epoch)
    }

    /// Reads one bundle, if it is kept.
    ///
    /// # Errors
    /// [`StoreError::Bundle`] if it is damaged; [`StoreError::Io`].
    pub fn bundle(&self, epoch: EpochId, id: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let reader = self.shelves().one(epoch, id);
        let bundle = reader.and_then(|mut reader| reader.next()).transpose()?;
        Ok(bundle.map(|(_, bytes)| bytes))
    }

    /// Whether there is room for few more bundles of an epoch: no more are to be taken in, so that those that others took in
    /// find room.
    pub fn is_nearly_full(&self, epoch: EpochId) -> bool {
        self.shelves().count(epoch) >= bundles::MAX_BUNDLES - bundles::RESERVE
    }

    /// The party's contribution to the beacon of an epoch, if it is written and not spent.
    pub fn contribution(&self, epoch: EpochId) -> Option<Digest> {
        self.tree().contribution(epoch)
    }

    /// Whether a bundle is kept.
    pub fn has_bundle(&self, epoch: EpochId, id: &Digest) -> bool {
        self.shelves().has(epoch, id)
    }

    /// Keeps the names of the bundles of a header that the party is about to sign, in their order. They are on disk when
    /// this returns.
    ///
    /// # Errors
    /// Those of [`Self::keep_bundles`].
    pub fn keep_signed(&self, epoch: EpochId, header: Digest, bundles: &[Digest]) -> Result<(), StoreError> {
        if let Some(through) = self.tree().head().destroyed.filter(|through| epoch <= *through) {
            return Err(StoreError::Over { epoch, through });
        }
        let names = bundles.iter().flat_map(|id| id.0).collect::<Vec<_>>();
        self.signed_shelves().keep(epoch, &[(header, names)])
    }

    /// The bundles of each header of an epoch that the party has signed, by the header's digest. What is damaged is left
    /// out: the others have it.
    pub fn signed(&self, epoch: EpochId) -> BTreeMap<Digest, Vec<Digest>> {
        let name = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok().map(Digest);
        let names = |bytes: &[u8]| bytes.chunks(32).map(name).collect::<Option<Vec<_>>>();
        self.signed_shelves()
            .of(epoch)
            .flatten()
            .filter_map(|(id, bytes)| Some((id, names(&bytes)?)))
            .collect()
    }

    /// Empty sets of marks, in files that have no name and are gone with the process.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn mark_sets(&self) -> Result<MarkSets, StoreError> {
        marks::sets(&self.dir, &self.marks_are_broken).map_err(failed(&self.dir, "written"))
    }

    /// Whether a set of marks could not be read or written. It says of every mark that it is there, since then, and the
    /// party is to stop.
    pub fn lost_marks(&self) -> bool {
        self.marks_are_broken.load(Ordering::Relaxed)
    }

    /// Destroys the bundles of an epoch and of all before it: its totals are final. A transition does the same by
    /// [`Change::Destroy`].
    ///
    /// # Errors
    /// Those of [`Self::write`].
    pub fn destroy(&self, epoch: EpochId) -> Result<(), StoreError> {
        self.write(&[Change::Destroy(epoch)])
    }

    /// Bytes on disk, by kind.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn size(&self) -> Result<Size, StoreError> {
        let (records, large) = self.tree().size()?;
        let bundles = self.shelves().size() + self.signed_shelves().size();
        Ok(Size { records, large, bundles })
    }
}
