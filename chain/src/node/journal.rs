//! The sequencer's journal: what was confirmed and is not in a block yet.
//!
//! One file for each block in hand, named by its height. A round of transactions is one record and one `fsync`, before
//! anybody is told. Once the block is in the log its file is the mark that the log has it, until the next block is: a log
//! that is gone, with its index, was there once, and the chain must not be begun again under the same key.

use super::durable;
use crate::{
    log::{BlockLog, LogError},
    sequencer::Taken,
};
use primitives::{CodecError, Decode, Encode, Reader, Writer};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Name of the journal in a node's directory.
const JOURNAL_DIR: &str = "journal";
/// Ending of its files.
const ENDING: &str = "log";
/// Ending of the mark of the last block that is in the log.
const DONE: &str = "done";

/// Why the journal cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The directory or one of its files cannot be made, listed or removed.
    #[error("the sequencer's journal in {path}: {error}", path = .path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file fails.
    #[error("the sequencer's journal of block {height}: {error}")]
    Log {
        /// Which block.
        height: u64,
        /// Why.
        error: LogError,
    },
    /// A record is none.
    #[error("record {record} of the sequencer's journal of block {height}: {error}")]
    Record {
        /// Which block.
        height: u64,
        /// Place in the file, from 0.
        record: usize,
        /// What is wrong with its bytes.
        error: CodecError,
    },
    /// The directory holds something else.
    #[error("{path} is no journal of a block: move it away", path = .path.display())]
    Stranger {
        /// What.
        path: PathBuf,
    },
    /// There is a journal of a block that does not follow the log's last: the log has lost a block.
    #[error(
        "the journal knows of block {found}, but the log ends at block {log}: a block that was on disk is lost"
    )]
    LostBlock {
        /// Height of the log's last block.
        log: u64,
        /// Height of the journal.
        found: u64,
    },
}

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: Option<(u64, BlockLog)>,
}

/// One round.
struct Round(Vec<Taken>);

impl Encode for Round {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl Decode for Round {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.seq(crate::block::MAX_BLOCK_TRANSACTIONS)?))
    }
}

impl Journal {
    /// Whether a node's directory has a journal: that of a full node has none.
    pub fn is_there(node: &Path) -> bool {
        node.join(JOURNAL_DIR).exists()
    }

    /// Opens the journal beside a log that ends at block `head`, and gives what was confirmed after it.
    ///
    /// Errors: every variant of [`JournalError`].
    pub fn open(node: &Path, head: u64) -> Result<(Self, Vec<Taken>), JournalError> {
        let dir = node.join(JOURNAL_DIR);
        let failed = |error| JournalError::Io { path: dir.clone(), error };
        durable::create_dir(&dir).map_err(failed)?;
        let mut journal = Self { dir: dir.clone(), file: None };
        let mut taken = Vec::new();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let (height, done) =
                height_of(&path).ok_or_else(|| JournalError::Stranger { path: path.clone() })?;
            match height {
                height if height < head => remove(&path)?,
                height if height == head => journal.mark(height)?,
                found if done => return Err(JournalError::LostBlock { log: head, found }),
                height if height == head + 1 => {
                    let log = |error| JournalError::Log { height, error };
                    let (file, rounds) = BlockLog::open(&path).map_err(log)?;
                    for (record, bytes) in rounds.iter().enumerate() {
                        let round = Round::from_bytes(bytes);
                        let Round(round) =
                            round.map_err(|error| JournalError::Record { height, record, error })?;
                        taken.extend(round);
                    }
                    journal.file = Some((height, file));
                }
                found => return Err(JournalError::LostBlock { log: head, found }),
            }
        }
        Ok((journal, taken))
    }

    /// Writes a round for the block of this height, and returns once it is on disk.
    ///
    /// Errors: [`JournalError::Log`].
    pub fn write(&mut self, height: u64, round: Vec<Taken>) -> Result<(), JournalError> {
        let failed = |error| JournalError::Log { height, error };
        let file = match &mut self.file {
            Some((of, file)) if *of == height => file,
            file => {
                let (created, _) =
                    BlockLog::open(self.dir.join(format!("{height}.{ENDING}"))).map_err(failed)?;
                &mut file.insert((height, created)).1
            }
        };
        let next = file.head().map_or(0, |(last, _)| last + 1);
        file.append(next, &Round(round).to_bytes()).map_err(failed)?;
        Ok(())
    }

    /// The block of this height is in the log: forgets what was written for it, and marks that it is there.
    ///
    /// Errors: [`JournalError::Io`].
    pub fn done(&mut self, height: u64) -> Result<(), JournalError> {
        drop(self.file.take_if(|(of, _)| *of <= height));
        self.mark(height)?;
        match height.checked_sub(1).map(|before| self.path(before, DONE)) {
            Some(before) if before.exists() => remove(&before),
            _ => Ok(()),
        }
    }

    /// Marks that a block is in the log. A crash may lose the mark, as nothing waits for the disk: it is evidence where it
    /// is there, and says nothing where it is not.
    fn mark(&self, height: u64) -> Result<(), JournalError> {
        let (written, mark) = (self.path(height, ENDING), self.path(height, DONE));
        let marked = match fs::rename(&written, &mark) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::OpenOptions::new().append(true).create(true).open(&mark).map(drop)
            }
            renamed => renamed,
        };
        marked.map_err(|error| JournalError::Io { path: mark, error })
    }

    fn path(&self, height: u64, ending: &str) -> PathBuf {
        self.dir.join(format!("{height}.{ending}"))
    }
}

/// Of which block a file is, and whether it marks that the block is in the log.
fn height_of(path: &Path) -> Option<(u64, bool)> {
    let done = path.extension()? == DONE;
    path.extension().filter(|ending| done || *ending == ENDING)?;
    Some((path.file_stem()?.to_str()?.parse().ok()?, done))
}

fn remove(path: &Path) -> Result<(), JournalError> {
    fs::remove_file(path).map_err(|error| JournalError::Io { path: path.into(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(opened: Result<(Journal, Vec<Taken>), JournalError>) -> (u64, u64) {
        match opened.map(|_| ()) {
            Err(JournalError::LostBlock { log, found }) => (log, found),
            other => panic!("{other:?}"),
        }
    }

    /// A sequencer without its log would sign another block of each height that it signed.
    #[test]
    fn a_log_that_is_gone_was_there_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(dir.path(), 0).expect("opens");
        // With transactions and without.
        journal.write(1, Vec::new()).expect("on disk");
        for height in 1..=3 {
            journal.done(height).expect("marked");
        }
        let files: Vec<_> = fs::read_dir(dir.path().join(JOURNAL_DIR)).expect("a folder").collect();
        assert_eq!(files.len(), 1, "one mark: {files:?}");
        drop(journal);
        assert_eq!(lost(Journal::open(dir.path(), 0)), (0, 3));
        assert_eq!(lost(Journal::open(dir.path(), 2)), (2, 3));
        for head in [3, 4] {
            assert!(Journal::open(dir.path(), head).expect("opens").1.is_empty());
        }
        assert!(Journal::open(dir.path(), 0).is_ok(), "a mark of the past says nothing");
    }

    /// What a crash leaves between the log and the mark is the mark.
    #[test]
    fn what_is_in_the_log_is_marked_on_opening() {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(dir.path(), 0).expect("opens");
        journal.write(1, Vec::new()).expect("on disk");
        drop(journal);
        assert!(Journal::open(dir.path(), 0).is_ok(), "it is not in the log yet");
        drop(Journal::open(dir.path(), 1).expect("opens"));
        assert_eq!(lost(Journal::open(dir.path(), 0)), (0, 1));
    }
}
