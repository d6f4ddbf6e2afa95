//! What is secret is forgotten once nothing more is made of an epoch.
//!
//! The key opens every work of the subscriber's bundles by trial, and the plan names them: neither is to be on the device
//! for longer than it is needed, whatever parties answer or do not. What shows that a promise was broken stays.
//!
//! What is secret is found by the names of files, and not by the plan: a client that is killed while it writes a file leaves
//! a part of it, and a plan that was never put in place names no other.

use super::{
    Client, ClientError, Disk, Done, Record, file,
    journal::{Journal, JournalError, UNFINISHED},
    review::summary,
};
use primitives::EpochId;

/// Kinds of files of a bundle that are secret.
const SECRETS: [&str; 3] = ["requests", "receipts", "spent"];

impl Client {
    /// Forgets what is secret in the folder of an epoch that is settled or given up: key, token, plan, requests and receipts,
    /// openings, and whatever was not written to its end. Bundles, promises and final receipts stay. Whether there was
    /// anything to forget.
    ///
    /// # Errors
    /// If the files cannot be read or removed, or the record gives no answer for now.
    pub fn retire(disk: Box<dyn Disk>, epoch: EpochId, record: &dyn Record) -> Result<bool, ClientError> {
        let journal = Journal::new(disk);
        if secrets(&journal)?.is_empty() || !record.is_over(epoch).map_err(ClientError::Record)? {
            return Ok(false);
        }
        match summary(&journal)? {
            Some(summary) => forget(&journal, Done { summary })?,
            None => clear(&journal)?,
        }
        Ok(true)
    }
}

/// Notes that nothing more is made of an epoch, and deletes what is secret. Killed on the way, it is done again by the next
/// call.
pub(super) fn forget(journal: &Journal, done: Done) -> Result<(), ClientError> {
    journal.put(file::DONE, &done)?;
    clear(journal)
}

/// Deletes what is secret: the plan last, for what else is there goes with it.
fn clear(journal: &Journal) -> Result<(), ClientError> {
    for name in secrets(journal)?.iter().filter(|name| *name != file::PLAN) {
        journal.remove(name)?;
    }
    Ok(journal.remove(file::PLAN)?)
}

/// Names of the files that are secret, or begun and never put in place.
fn secrets(journal: &Journal) -> Result<Vec<String>, JournalError> {
    let is_secret = |name: &String| {
        let kind = name.split('-').next().unwrap_or_default();
        [file::PLAN, file::KEY, file::TOKEN].contains(&&**name)
            || SECRETS.contains(&kind)
            || name.ends_with(UNFINISHED)
    };
    Ok(journal.names()?.into_iter().filter(is_secret).collect())
}
