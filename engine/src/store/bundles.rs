//! Accepted bundles, in files beside the tree of records.
//!
//! An epoch has a gigabyte of them, and each is written once, read once, and destroyed with all the others. A tree would
//! write each twice, and again whenever its neighbours move, and would not give the room back. So they are appended to
//! files of bounded length (`segment.rs`), a folder for each epoch, and removing the folder destroys them.
//!
//! Whoever keeps many bundles at once waits for one `fsync` alone.

mod log;
mod segment;

use super::{
    Finding,
    error::{StoreError, failed},
    folder,
};
pub use log::Bundles;
use log::EpochLog;
use primitives::{Digest, EpochId};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The folder of bundles in that of the store.
pub(super) const FOLDER: &str = "bundles";
/// The folder of the names of batches that the party signed: records of the same form, one for each header.
pub(super) const SIGNED: &str = "signed";
/// Length that a file of bundles does not exceed: about a thousand bundles. It is read as a whole when it is checked.
pub(super) const FILE_BYTES: u64 = 32 << 20;
/// Most bundles that are kept of an epoch: what stays in memory of so many is 60 MB. A committee of three processes
/// takes in an eighth of them.
pub(super) const MAX_BUNDLES: usize = 1 << 18;

/// Of these, places that are left for bundles which other parties took in.
pub(super) const RESERVE: usize = MAX_BUNDLES / 8;

/// The bundles of a store.
#[derive(Debug)]
pub(super) struct Shelves {
    folder: PathBuf,
    owner: Digest,
    epochs: BTreeMap<EpochId, EpochLog>,
    file_bytes: u64,
    /// The last epoch whose bundles are destroyed.
    destroyed: Option<EpochId>,
    /// The last epoch that the party sits out.
    silent: Option<EpochId>,
    poisoned: bool,
}

impl Shelves {
    /// The bundles of a store. Those of epochs that are destroyed are removed: a crash may have come between.
    pub(super) fn open(
        folder: PathBuf,
        owner: Digest,
        file_bytes: u64,
        (destroyed, silent): (Option<EpochId>, Option<EpochId>),
        findings: &mut Vec<Finding>,
    ) -> Result<Self, StoreError> {
        folder::make(&folder)?;
        let mut epochs = BTreeMap::new();
        for (name, path) in folder::list(&folder)? {
            let Ok(epoch) = name.parse().map(EpochId) else { continue };
            if destroyed.is_some_and(|through| epoch <= through) {
                folder::remove_all(&path)?;
            } else {
                epochs.insert(epoch, EpochLog::open(path, epoch, owner, findings)?);
            }
        }
        Ok(Self { folder, owner, epochs, file_bytes, destroyed, silent, poisoned: false })
    }

    /// Keeps bundles. They are on disk when this returns.
    pub(super) fn keep<B: AsRef<[u8]>>(
        &mut self,
        epoch: EpochId,
        bundles: &[(Digest, B)],
    ) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned { path: self.folder.clone() });
        }
        if let Some(through) = self.destroyed.filter(|through| epoch <= *through) {
            return Err(StoreError::Over { epoch, through });
        }
        if let Some(through) = self.silent.filter(|through| epoch <= *through) {
            return Err(StoreError::Silent { epoch, through });
        }
        let limit = segment::MAX_BUNDLE_BYTES;
        if let Some((id, long)) = bundles.iter().find(|(_, bundle)| bundle.as_ref().len() > limit) {
            return Err(StoreError::BundleTooLong { id: *id, bytes: long.as_ref().len(), limit });
        }
        let log = match self.epochs.entry(epoch) {
            std::collections::btree_map::Entry::Occupied(log) => log.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let path = self.folder.join(epoch.to_string());
                place.insert(EpochLog::open(path, epoch, self.owner, &mut Vec::new())?)
            }
        };
        if log.len() + bundles.len() > MAX_BUNDLES {
            return Err(StoreError::TooManyBundles { epoch, limit: MAX_BUNDLES });
        }
        // After a failed fsync a second one may succeed without having written (Rebello et al., "Can applications recover
        // from fsync failures?", ATC 2020): what is on disk is known when the store is opened again.
        self.poisoned = true;
        log.append(bundles, self.file_bytes)?;
        self.poisoned = false;
        Ok(())
    }

    /// Removes the bundles of an epoch and of all before it. The files are gone from the disk when this returns.
    pub(super) fn destroy(&mut self, through: EpochId) -> Result<(), StoreError> {
        self.destroyed = self.destroyed.max(Some(through));
        self.epochs.retain(|epoch, _| *epoch > through);
        for (name, path) in folder::list(&self.folder)? {
            if name.parse::<u64>().is_ok_and(|epoch| epoch <= through.0) {
                fs::remove_dir_all(&path).map_err(failed(&path, "removed"))?;
            }
        }
        folder::sync(&self.folder)
    }

    /// Reads the bundles of an epoch.
    pub(super) fn of(&self, epoch: EpochId) -> Bundles {
        self.epochs.get(&epoch).map_or_else(|| Bundles::none(epoch), EpochLog::reader)
    }

    /// Reads one bundle.
    pub(super) fn one(&self, epoch: EpochId, id: &Digest) -> Option<Bundles> {
        self.epochs.get(&epoch)?.reader_of_one(id)
    }

    /// Identifiers of the bundles of an epoch.
    pub(super) fn ids(&self, epoch: EpochId) -> Vec<Digest> {
        self.epochs.get(&epoch).map(EpochLog::ids).unwrap_or_default()
    }

    /// How many bundles of an epoch there are.
    pub(super) fn count(&self, epoch: EpochId) -> usize {
        self.epochs.get(&epoch).map_or(0, EpochLog::len)
    }

    /// Whether a bundle is there.
    pub(super) fn has(&self, epoch: EpochId, id: &Digest) -> bool {
        self.epochs.get(&epoch).is_some_and(|log| log.has(id))
    }

    /// How many bundles there are of each epoch that has any.
    pub(super) fn counts(&self) -> BTreeMap<EpochId, usize> {
        self.epochs.iter().map(|(epoch, log)| (*epoch, log.len())).filter(|(_, count)| *count > 0).collect()
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        self.epochs.values().map(EpochLog::bytes).sum()
    }
}
