//! Why a store cannot be opened, read or written.

use super::key::{Damage, RecordKey};
use primitives::{ChainId, Digest, EpochId};
use std::{
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a store fails. Whoever gets one when writing must not do what would have rested on it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused something.
    #[error("{path}: could not be {what}: {source}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else has the store open.
    #[error("{path}: another process has this store open: stop it first; a party runs once", path = .path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// Others than its owner may read or change a file or folder.
    #[error("{path}: others may read it (mode {mode:03o}): chmod {wanted:03o} it", path = .path.display())]
    OthersMayRead {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        wanted: u32,
    },
    /// The store is of another chain.
    #[error(
        "{path}: this store is of chain {found}, and the party runs on chain {expected}: name the right folder",
        path = .path.display()
    )]
    OtherChain {
        /// The store.
        path: PathBuf,
        /// Its chain.
        found: ChainId,
        /// The party's chain.
        expected: ChainId,
    },
    /// The store is of a chain with the same number that began otherwise.
    #[error(
        "{path}: this store is of a chain with genesis {found}, and the party's chain has genesis {expected}: name the \
         right folder, or begin in an empty one",
        path = .path.display()
    )]
    OtherGenesis {
        /// The store.
        path: PathBuf,
        /// Digest of its chain's genesis.
        found: Digest,
        /// Digest of the genesis of the party's chain.
        expected: Digest,
    },
    /// A later version of the program wrote the store.
    #[error(
        "{path}: this store has schema {found}, and this program knows schemas up to {known}: run the program that \
         wrote it, or a later one",
        path = .path.display()
    )]
    NewerSchema {
        /// The store.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The latest that is known.
        known: u32,
    },
    /// The folder is a copy that [`super::Store::backup_to`] made. A party that went on from it would not know what it
    /// signed since.
    #[error(
        "{path}: this is a copy of a store, taken in epoch {epoch}: restore it into an empty folder, and open that",
        path = .path.display()
    )]
    Copy {
        /// The copy.
        path: PathBuf,
        /// The latest epoch that it knows of; 0 if none.
        epoch: EpochId,
    },
    /// The folder that is to be restored is no copy.
    #[error("{path}: this is no copy of a store: restore from a folder that a backup made", path = .path.display())]
    NotACopy {
        /// The folder.
        path: PathBuf,
    },
    /// Something is where a store or a copy is to be made.
    #[error("{path}: this folder is not empty: name an empty one, or one that does not exist", path = .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There are bundles or shares and no records beside them.
    #[error(
        "{path}: the records of this store are gone, and with them what the party signed: restore the last copy into an \
         empty folder, or leave the seat to the standby",
        path = .path.display()
    )]
    NoRecords {
        /// The store.
        path: PathBuf,
    },
    /// sled cannot read or write its files.
    #[error(
        "{path}: the records cannot be read or written: {reason}. If the disk is sound, restore the last copy into an \
         empty folder, or leave the seat to the standby",
        path = .path.display()
    )]
    Records {
        /// sled's folder.
        path: PathBuf,
        /// What it says.
        reason: String,
    },
    /// The list of what the store holds is damaged, so nobody knows what is missing.
    #[error(
        "{path}: the list of the store's records is damaged: restore the last copy into an empty folder, or leave the \
         seat to the standby",
        path = .path.display()
    )]
    Head {
        /// The store.
        path: PathBuf,
    },
    /// A record is damaged or lost that nobody else has and that the party may not go on without.
    #[error(
        "{path}: {record}: {damage}. The party must not go on without it, and nobody else has it: restore the last copy \
         into an empty folder, or leave the seat to the standby",
        path = .path.display()
    )]
    Lost {
        /// The store.
        path: PathBuf,
        /// The record.
        record: RecordKey,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A change takes back what was written before. It was refused, and nothing of its transition was written.
    #[error("{record}: {rule}; the party must not act on this change")]
    Backwards {
        /// The record.
        record: RecordKey,
        /// The rule that the change breaks.
        rule: &'static str,
    },
    /// The epoch is over: what was stored of it is gone.
    #[error("epoch {epoch} is over: what was stored of epochs up to {through} was destroyed")]
    Over {
        /// The epoch.
        epoch: EpochId,
        /// The last epoch that is over.
        through: EpochId,
    },
    /// The store was restored from a copy in this epoch or after it: the party does not know what it has signed in it.
    #[error(
        "epoch {epoch}: this store was restored from a copy, and the party may have signed in epochs up to {through} \
         what it does not know of: it sits them out and goes on with the next"
    )]
    Silent {
        /// The epoch.
        epoch: EpochId,
        /// The last epoch that the party sits out.
        through: EpochId,
    },
    /// Too many epochs are open at once.
    #[error(
        "epoch {epoch} would be one more than the {limit} epochs that a store holds: forget those that are final"
    )]
    TooManyEpochs {
        /// The epoch that has no room.
        epoch: EpochId,
        /// How many have.
        limit: usize,
    },
    /// A shard index is beyond those that an epoch may have, or more is carried over than a party keeps.
    #[error("{record}: {found} is more than the limit of {limit}")]
    TooMuch {
        /// The record.
        record: RecordKey,
        /// What was to be written.
        found: usize,
        /// Most that may be.
        limit: usize,
    },
    /// A bundle is longer than any is.
    #[error("bundle {id} has {bytes} bytes; the longest has {limit}")]
    BundleTooLong {
        /// The bundle.
        id: Digest,
        /// Its length.
        bytes: usize,
        /// Longest that is kept.
        limit: usize,
    },
    /// An epoch has as many bundles as are kept.
    #[error("epoch {epoch} has {limit} bundles, and no more are kept: take in no more")]
    TooManyBundles {
        /// The epoch.
        epoch: EpochId,
        /// How many are kept.
        limit: usize,
    },
    /// A bundle was damaged after the store was opened.
    #[error("bundle {id} of epoch {epoch} is damaged on disk: fetch it from another party")]
    Bundle {
        /// The epoch.
        epoch: EpochId,
        /// The bundle.
        id: Digest,
    },
    /// An earlier write failed, so nobody knows what is on disk. Opening the store again finds out.
    #[error("{path}: a write failed before: stop the party, see to the disk, and start it again", path = .path.display())]
    Poisoned {
        /// The store.
        path: PathBuf,
    },
}

/// Turns what the system says of a file into an error.
pub(super) fn failed<'a>(path: &'a Path, what: &'static str) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { path: path.into(), what, source }
}
