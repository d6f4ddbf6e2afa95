//! What is secret is forgotten once nothing more is made of an epoch.
//!
//! The key opens every work of the subscriber's bundles by trial, and the plan names them: neither is to be on the device
//! for longer than it is needed, whatever parties answer or do not. What shows that a promise was broken stays.

use super::{Client, ClientError, Disk, Done, Record, file, journal::Journal, review::summary};
use primitives::EpochId;

impl Client {
    /// Forgets what is secret in the folder of an epoch that is settled or given up: key, token, plan, requests and receipts,
    /// openings. Bundles, promises and final receipts stay. Whether there was anything to forget.
    ///
    /// # Errors
    /// If the files cannot be read or removed, or the record gives no answer for now.
    pub fn retire(disk: Box<dyn Disk>, epoch: EpochId, record: &dyn Record) -> Result<bool, ClientError> {
        let journal = Journal::new(disk);
        if !journal.has(file::PLAN)? || !record.is_over(epoch).map_err(ClientError::Record)? {
            return Ok(false);
        }
        if let Some(summary) = summary(&journal)? {
            forget(&journal, Done { summary })?;
        }
        Ok(true)
    }
}

/// Notes that nothing more is made of an epoch, and deletes what is secret. Killed on the way, it is done again by the next
/// call: the plan goes last, and as long as it is there something may be left.
pub(super) fn forget(journal: &Journal, done: Done) -> Result<(), ClientError> {
    journal.put(file::DONE, &done)?;
    for name in [file::KEY, file::TOKEN] {
        journal.remove(name)?;
    }
    for place in 0..usize::try_from(done.summary.bundles).unwrap_or_default() {
        for kind in ["requests", "receipts", "spent"] {
            journal.remove(&file::of(kind, place))?;
        }
    }
    Ok(journal.remove(file::PLAN)?)
}
