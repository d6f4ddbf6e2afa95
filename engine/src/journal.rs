//! A party's votes on disk: what it signed and promised is there before anything leaves that rests on it.
//!
//! The file is that of the block log (`chain/src/log.rs`), with a record of a party where a block has its payload: it is
//! only appended to, every record has a checksum, an append returns after `fsync`, a tail that a crash tore is cut off
//! on opening, and damage anywhere else is an error. A torn record was never acknowledged, so nothing left that rested
//! on it.

use crate::party::voting::Record;
use chain::log::{BlockLog, LogError};
use primitives::{CodecError, Decode, Encode};
use std::path::Path;
use thiserror::Error;

/// Why votes cannot be read or written. A party that cannot keep its votes must not give any.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be read or written, or is damaged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A sound record is none of a party.
    #[error("record {at} is not a record of votes: {source}")]
    Record {
        /// Which.
        at: usize,
        /// Why.
        source: CodecError,
    },
}

/// The file.
#[derive(Debug)]
pub struct Journal {
    log: BlockLog,
    next: u64,
}

impl Journal {
    /// Opens the file, or creates it, and gives what a party has stored, in order.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Vec<Record>), JournalError> {
        let (log, payloads) = BlockLog::open(path)?;
        let read = |(at, bytes): (usize, &Vec<u8>)| {
            Record::from_bytes(bytes).map_err(|source| JournalError::Record { at, source })
        };
        let records = payloads.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let next = log.head().map_or(0, |(last, _)| last + 1);
        Ok((Self { log, next }, records))
    }

    /// Appends a record. It is on disk when this returns.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.log.append(self.next, &record.to_bytes())?;
        self.next += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::party::voting::{Turn, Vote};
    use primitives::{Digest, ShardIndex};
    use std::fs;

    fn record(position: u64) -> Record {
        let turn = Turn { position, view: 1 };
        let vote = Some(Vote { turn, digest: Digest([7; 32]) });
        Record {
            shard: ShardIndex(2),
            position,
            term: 0,
            vote,
            frozen: false,
            pledged: vec![Digest([8; 32])],
        }
    }

    #[test]
    fn votes_are_there_after_a_restart_and_a_torn_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("votes");
        let (mut journal, stored) = Journal::open(&path).unwrap();
        assert_eq!(stored, []);
        journal.append(&record(0)).unwrap();
        journal.append(&record(1)).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let (mut journal, stored) = Journal::open(&path).unwrap();
        assert_eq!(stored, [record(0), record(1)]);
        journal.append(&record(2)).unwrap();
        drop(journal);
        let longer = fs::read(&path).unwrap();
        for end in whole.len()..longer.len() {
            fs::write(&path, &longer[..end]).unwrap();
            assert_eq!(Journal::open(&path).unwrap().1, [record(0), record(1)], "cut at {end}");
        }
        let mut damaged = longer;
        damaged[whole.len() - 1] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::Log(LogError::Corrupt { .. }))));
    }
}
