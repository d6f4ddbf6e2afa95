//! The block log, which is the source of truth: append-only, checksummed, on disk before it is acknowledged.
//!
//! ```text
//! file    magic 8 | version u32 | record*
//! record  length u32 | height u64 | digest 32 | check 4 | payload
//! ```
//!
//! Numbers are little-endian. `digest` is the hash of height and payload, `check` of the three fields before it.
//! Heights follow each other without a gap. Without `check` a damaged length in the middle of the file would look
//! like a crash at its end, and everything behind it would be cut.
//!
//! # What a crash leaves, and what it cannot
//!
//! [`BlockLog::append`] returns after `fsync`, so a crash damages the record that was being written and none before.
//! [`BlockLog::open`] cuts such a tail and reports it ([`BlockLog::torn`]). Damage anywhere else is
//! [`LogError::Corrupt`], and the file stays as it is. A damaged *last* record cannot be told from a crash by the log
//! alone, and so an owner may look before anything is cut: [`BlockLog::find`] only reads. An owner whose
//! [`crate::index::Index`] is ahead of what was found has lost a block that it had acknowledged, and stops instead of
//! going on without.

mod reader;
mod record;

use primitives::Digest;
pub use reader::LogReader;
use reader::Places;
use record::{HEAD_BYTES, Head, Scan};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use thiserror::Error;

/// Longest payload of one record: far above what a block holds, far below what would exhaust memory.
pub const MAX_RECORD_BYTES: usize = 16 << 20;
/// First bytes of a log file. The last one is not text, so that no text file is taken for a log.
const MAGIC: [u8; 8] = *b"CWELOG\r\0";
/// Version of the format.
const VERSION: u32 = 1;
/// Bytes before the first record.
const FILE_HEADER_BYTES: usize = MAGIC.len() + 4;

/// Why a log cannot be opened or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The operating system refused something.
    #[error("the block log could not be {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("another process has the block log open")]
    InUse,
    /// The file is not a block log.
    #[error("the file is not a block log")]
    NotALog,
    /// The log has another version.
    #[error("the block log has version {found}, this program reads {VERSION}")]
    Version {
        /// Version of the file.
        found: u32,
    },
    /// A record before the tail is damaged.
    #[error("the block log is damaged at offset {offset}, in the record of block {height}")]
    Corrupt {
        /// Where the record starts.
        offset: u64,
        /// The block that should stand there.
        height: u64,
    },
    /// A sound record has another height than the one that follows the record before.
    #[error("the block log has block {found} at offset {offset}, where block {expected} should stand")]
    OutOfOrder {
        /// Where the record starts.
        offset: u64,
        /// Height that follows the record before.
        expected: u64,
        /// Height of the record.
        found: u64,
    },
    /// An appended block does not follow the last one.
    #[error("block {found} cannot be appended: block {expected} is next")]
    NotNext {
        /// Height that follows the last record.
        expected: u64,
        /// Height of the block.
        found: u64,
    },
    /// A payload is longer than [`MAX_RECORD_BYTES`].
    #[error("block {height} has {bytes} bytes; the log takes {MAX_RECORD_BYTES}")]
    TooLong {
        /// The block.
        height: u64,
        /// Length of its payload.
        bytes: usize,
    },
    /// An earlier append failed, so nobody knows what is on disk. Opening the log again finds out.
    #[error("an append failed before; the block log has to be opened again")]
    Poisoned,
}

fn failed(action: &'static str) -> impl Fn(io::Error) -> LogError {
    move |source| LogError::Io { action, source }
}

/// What a crash left of the record that it interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Where the cut was made, and the next record goes.
    pub offset: u64,
    /// Bytes that were cut off.
    pub bytes: u64,
}

/// An open block log. The file is locked against other processes until this is dropped.
#[derive(Debug)]
pub struct BlockLog {
    file: File,
    path: PathBuf,
    places: Arc<RwLock<Places>>,
    head: Option<(u64, Digest)>,
    torn: Option<TornTail>,
    poisoned: bool,
}

/// A log that was read and not changed: [`FoundLog::accept`] makes it ready for the next block.
#[derive(Debug)]
pub struct FoundLog {
    file: File,
    path: PathBuf,
    head: Option<(u64, Digest)>,
    /// End of the last whole record; `None` for a file that has no header yet.
    end: Option<u64>,
    places: Places,
    torn: Option<TornTail>,
}

impl FoundLog {
    /// Cuts a torn tail, and writes the header of a file that has none.
    ///
    /// Errors: [`LogError::Io`].
    pub fn accept(self) -> Result<BlockLog, LogError> {
        let Self { mut file, path, head, end, places, torn } = self;
        let places = Arc::new(RwLock::new(places));
        let Some(end) = end else {
            start(&mut file, &path).map_err(failed("created"))?;
            return Ok(BlockLog { file, path, places, head: None, torn: None, poisoned: false });
        };
        if let Some(tail) = torn {
            file.set_len(tail.offset).and_then(|()| file.sync_all()).map_err(failed("cut"))?;
        }
        file.seek(SeekFrom::Start(end)).map_err(failed("read"))?;
        Ok(BlockLog { file, path, places, head, torn, poisoned: false })
    }
}

impl BlockLog {
    /// Opens the log, or creates an empty one, and returns the payloads of all blocks in their order.
    ///
    /// Errors: those of [`Self::find`] and [`FoundLog::accept`]. The file is changed only where a tail is torn.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Vec<Vec<u8>>), LogError> {
        let (found, payloads) = Self::find(path)?;
        Ok((found.accept()?, payloads))
    }

    /// Reads the log, and returns the payloads of all blocks in their order. A file that is missing is created empty;
    /// one that is there is locked, and not changed.
    ///
    /// Errors: [`LogError::Io`], [`LogError::InUse`], [`LogError::NotALog`], [`LogError::Version`],
    /// [`LogError::Corrupt`], [`LogError::OutOfOrder`].
    pub fn find(path: impl AsRef<Path>) -> Result<(FoundLog, Vec<Vec<u8>>), LogError> {
        let path = path.as_ref().to_path_buf();
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("opened"))?;
        file.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => LogError::InUse,
            TryLockError::Error(source) => LogError::Io { action: "locked", source },
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        if !has_header(&bytes)? {
            let (head, end, places, torn) = (None, None, Places::default(), None);
            return Ok((FoundLog { file, path, head, end, places, torn }, Vec::new()));
        }
        let Scan { payloads, head, end } = record::scan(&bytes, FILE_HEADER_BYTES)?;
        let torn =
            (end < bytes.len()).then(|| TornTail { offset: end as u64, bytes: (bytes.len() - end) as u64 });
        let first = head.map_or(0, |(last, _)| last + 1 - payloads.len() as u64);
        let places = Places::of(first, payloads.iter().map(Vec::len));
        Ok((FoundLog { file, path, head, end: Some(end as u64), places, torn }, payloads))
    }

    /// What opening cut off, if a crash had interrupted an append.
    pub fn torn(&self) -> Option<TornTail> {
        self.torn
    }

    /// Height and record digest of the last block.
    pub fn head(&self) -> Option<(u64, Digest)> {
        self.head
    }

    /// Reads records while this log is open.
    ///
    /// Errors: [`LogError::Io`].
    pub fn reader(&self) -> Result<LogReader, LogError> {
        LogReader::open(&self.path, self.places.clone())
    }

    /// Appends a block and returns its record's digest once it is on disk. The first block may have any height.
    ///
    /// Errors: [`LogError::NotNext`] and [`LogError::TooLong`], which change nothing; [`LogError::Io`], after which
    /// every append is [`LogError::Poisoned`]: after a failed `fsync` a second one may succeed without having written
    /// (Rebello et al., "Can applications recover from fsync failures?", ATC 2020).
    pub fn append(&mut self, height: u64, payload: &[u8]) -> Result<Digest, LogError> {
        if self.poisoned {
            return Err(LogError::Poisoned);
        }
        match self.head {
            Some((last, _)) if last.checked_add(1) != Some(height) => {
                return Err(LogError::NotNext { expected: last.saturating_add(1), found: height });
            }
            _ => {}
        }
        if payload.len() > MAX_RECORD_BYTES {
            return Err(LogError::TooLong { height, bytes: payload.len() });
        }
        let head = Head::of(height, payload);
        let mut record = Vec::with_capacity(HEAD_BYTES + payload.len());
        record.extend_from_slice(&head.to_bytes());
        record.extend_from_slice(payload);
        self.poisoned = true;
        self.file.write_all(&record).and_then(|()| self.file.sync_all()).map_err(failed("appended to"))?;
        self.poisoned = false;
        self.places.write().unwrap_or_else(PoisonError::into_inner).push(height, payload.len());
        self.head = Some((height, head.digest));
        Ok(head.digest)
    }
}

/// Whether the bytes start with a whole file header. A beginning of one is what a crash at creation leaves.
fn has_header(bytes: &[u8]) -> Result<bool, LogError> {
    let header = header();
    if bytes.len() < header.len() && header.starts_with(bytes) {
        return Ok(false);
    }
    let version = bytes.strip_prefix(&MAGIC).and_then(|rest| rest.first_chunk()).ok_or(LogError::NotALog)?;
    match u32::from_le_bytes(*version) {
        VERSION => Ok(true),
        found => Err(LogError::Version { found }),
    }
}

fn header() -> [u8; FILE_HEADER_BYTES] {
    let mut header = [0; FILE_HEADER_BYTES];
    header[..MAGIC.len()].copy_from_slice(&MAGIC);
    header[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    header
}

/// Writes the file header, and makes the file and its name in the directory durable.
fn start(file: &mut File, path: &Path) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header())?;
    file.sync_all()?;
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
