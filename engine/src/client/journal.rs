//! What a client has on disk for one epoch: each step is there before anything leaves that rests on it.
//!
//! | File | Holds | Until |
//! |---|---|---|
//! | `epoch` | which epoch, tier, region and window the folder is for | |
//! | `first`, `last` | when the first and the last play of the log began: what began before or after was not in it | |
//! | `plan` | the events of each bundle, padding included | the end |
//! | `unbacked` | from which bundle on there are no receipts, for how many plays, and why | |
//! | `key` | the key `sk`, the blinded request for a token, its blinding factor | the end |
//! | `token` | the issuer's signature | the end |
//! | `requests-N`, `receipts-N` | what is asked of the region for bundle N, and its answers | the end |
//! | `spent-N` | the opening of `Cum` after bundle N | the end |
//! | `bundle-N` | the exact bytes of bundle N | |
//! | `sent-N` | that bundle N is sent: from then on a party may have it, whatever is heard | |
//! | `outcome-N-P` | what party P said of bundle N | |
//! | `final-N` | inclusion of bundle N with the header that it is in | |
//! | `missing-N` | promises of bundle N and the epoch's root without it | |
//! | `absent-N` | the epoch's root, of whose batches two parties say that none has bundle N | |
//! | `done` | that all is decided or the epoch is over: what is secret is gone | |
//!
//! The end is when every bundle is decided or the epoch is settled or given up, whichever comes first.
//!
//! A file is written beside its name, synced and renamed, so it is whole or not there. Each has a checksum that covers
//! its name. The folder is a secret until `done`: it is for its owner alone, and one process at a time.

pub(super) use crate::private::UNFINISHED;

use crate::private;
use primitives::{CodecError, Decode, Digest, Domain, Encode, hash};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    path::PathBuf,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Name of the file that one process holds at a time.
const LOCK: &str = "lock";

/// Where a client's files are. A folder outside of tests.
pub trait Disk: Send {
    /// Puts a file in place of another in one step. It is on disk when this returns.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// What is in a file, if it is there.
    fn read(&self, name: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// Removes a file, and what was in it as far as the system lets. It need not be there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Names of all files, also of those that were begun and never put in place.
    fn names(&self) -> io::Result<Vec<String>>;
}

/// A folder that one process has to itself.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held as long as this lives.
    _lock: File,
}

/// Why a client's files cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refused something.
    #[error(
        "{name}: cannot be {what}: {error}. What is on disk is as it was before; start again when that is repaired"
    )]
    Io {
        /// The file or folder.
        name: String,
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// Another process has the folder.
    #[error("{path}: another client is at work in this folder; wait for it to end", path = .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not what was written.
    #[error("{name}: is damaged; restore the folder from a copy, for the issuer signs once in an epoch")]
    Damaged {
        /// The file.
        name: String,
    },
    /// A file is sound and holds something else.
    #[error("{name}: is of another version of this program: {error}")]
    Codec {
        /// The file.
        name: String,
        /// Why.
        error: CodecError,
    },
}

impl Folder {
    /// Opens a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or another process has it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let failed = |what, error| JournalError::Io { name: path.display().to_string(), what, error };
        private::make_folder(&path).map_err(|error| failed("made", error))?;
        let lock = private::options().create(true).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(|error| failed("locked", error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path }),
            Err(TryLockError::Error(error)) => Err(failed("locked", error)),
        }
    }
}

impl Disk for Folder {
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        private::write(&self.path, name, bytes)
    }

    fn read(&self, name: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Overwrites the file first. A file system that keeps old blocks, or a disk that spreads its wear, may keep the bytes
    /// all the same: who fears for them encrypts the disk.
    fn remove(&self, name: &str) -> io::Result<()> {
        for name in [name.to_owned(), format!("{name}{UNFINISHED}")] {
            let path = self.path.join(name);
            let mut file = match OpenOptions::new().write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            file.write_all(&vec![0; length])?;
            file.sync_all()?;
            fs::remove_file(&path)?;
        }
        File::open(&self.path)?.sync_all()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // Whatever has another name is none of the client's.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }
}

/// Reads and writes values of a client.
pub(super) struct Journal {
    disk: Box<dyn Disk>,
}

fn checksum(name: &str, body: &[u8]) -> Digest {
    hash::hash(Domain::ClientFile, &[name.as_bytes(), body])
}

impl Journal {
    pub(super) fn new(disk: Box<dyn Disk>) -> Self {
        Self { disk }
    }

    /// What is in a file, if it is there.
    pub(super) fn get<T: Decode>(&self, name: &str) -> Result<Option<T>, JournalError> {
        let failed = |error| JournalError::Io { name: name.into(), what: "read", error };
        let Some(bytes) = self.disk.read(name).map_err(failed)? else { return Ok(None) };
        let damaged = || JournalError::Damaged { name: name.into() };
        let (body, found) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
        if checksum(name, body).0 != *found {
            return Err(damaged());
        }
        T::from_bytes(body).map(Some).map_err(|error| JournalError::Codec { name: name.into(), error })
    }

    /// Whether a file is there.
    pub(super) fn has(&self, name: &str) -> Result<bool, JournalError> {
        let failed = |error| JournalError::Io { name: name.into(), what: "read", error };
        Ok(self.disk.read(name).map_err(failed)?.is_some())
    }

    /// Has a value on disk when it returns.
    pub(super) fn put(&self, name: &str, value: &impl Encode) -> Result<(), JournalError> {
        let mut bytes = Zeroizing::new(value.to_bytes());
        let checksum = checksum(name, &bytes);
        bytes.extend_from_slice(&checksum.0);
        let failed = |error| JournalError::Io { name: name.into(), what: "written", error };
        self.disk.write(name, &bytes).map_err(failed)
    }

    /// Names of all files, also of those that are not whole.
    pub(super) fn names(&self) -> Result<Vec<String>, JournalError> {
        let failed = |error| JournalError::Io { name: "folder".into(), what: "read", error };
        self.disk.names().map_err(failed)
    }

    /// Removes a file. It need not be there.
    pub(super) fn remove(&self, name: &str) -> Result<(), JournalError> {
        let failed = |error| JournalError::Io { name: name.into(), what: "removed", error };
        self.disk.remove(name).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_and_a_changed_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("epoch-1");
        let journal = Journal::new(Box::new(Folder::open(&folder).unwrap()));
        assert_eq!(journal.get::<u64>("plan").unwrap(), None);
        journal.put("plan", &7u64).unwrap();
        journal.put("plan", &8u64).unwrap();
        assert_eq!(journal.get::<u64>("plan").unwrap(), Some(8));
        assert!(matches!(journal.get::<u32>("plan"), Err(JournalError::Codec { .. })));
        fs::copy(folder.join("plan"), folder.join("token")).unwrap();
        assert!(matches!(journal.get::<u64>("token"), Err(JournalError::Damaged { .. })), "another name");
        let whole = fs::read(folder.join("plan")).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(folder.join("plan"), bytes).unwrap();
            assert!(matches!(journal.get::<u64>("plan"), Err(JournalError::Damaged { .. })), "byte {at}");
        }
        journal.remove("plan").unwrap();
        journal.remove("plan").unwrap();
        assert_eq!(journal.get::<u64>("plan").unwrap(), None);
    }

    #[test]
    fn one_process_has_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path()).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(JournalError::InUse { .. })));
        drop(first);
        Folder::open(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_for_their_owner_alone() {
        use std::{os::unix::fs::PermissionsExt, path::Path};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/epoch");
        let folder = Folder::open(&path).unwrap();
        folder.write("key", b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("key"))), (0o700, 0o600));
    }
}
