//! The sequencer's journal: what was confirmed and is not in a block yet.
//!
//! One file for each block in hand, named by its height. A round of transactions is one record and one `fsync`, before
//! anybody is told. Once the block is in the log its file is removed; one that a crash left behind is removed on opening.

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
        "the journal is of block {found}, but the log ends at block {log}: a block that was on disk is lost"
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
    /// Opens the journal beside a log that ends at block `head`, and gives what was confirmed after it.
    ///
    /// Errors: every variant of [`JournalError`].
    pub fn open(node: &Path, head: u64) -> Result<(Self, Vec<Taken>), JournalError> {
        let dir = node.join(JOURNAL_DIR);
        let failed = |error| JournalError::Io { path: dir.clone(), error };
        fs::create_dir_all(&dir).map_err(failed)?;
        let mut journal = Self { dir: dir.clone(), file: None };
        let mut taken = Vec::new();
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match height_of(&path).ok_or_else(|| JournalError::Stranger { path: path.clone() })? {
                height if height <= head => remove(&path)?,
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

    /// The block of this height is in the log: forgets what was written for it.
    ///
    /// Errors: [`JournalError::Io`].
    pub fn done(&mut self, height: u64) -> Result<(), JournalError> {
        match self.file.take_if(|(of, _)| *of <= height) {
            Some((of, file)) => {
                drop(file);
                remove(&self.dir.join(format!("{of}.{ENDING}")))
            }
            None => Ok(()),
        }
    }
}

fn height_of(path: &Path) -> Option<u64> {
    path.extension().filter(|ending| *ending == ENDING)?;
    path.file_stem()?.to_str()?.parse().ok()
}

fn remove(path: &Path) -> Result<(), JournalError> {
    fs::remove_file(path).map_err(|error| JournalError::Io { path: path.into(), error })
}
