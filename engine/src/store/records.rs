//! The tree of small records: sled, and what sled 0.34 does not do by itself.
//!
//! - Its flush waits until the system has written the bytes (`sync_file_range`) and leaves the disk's own cache and the
//!   file's length alone. So its file is synced here after every flush.
//! - Values above some length go to files that it never syncs. There are none: `large.rs` has them.
//! - It may panic on files that are damaged. That is caught and is an error like any other.
//! - Its file never shrinks. A tree that grew is written again, into the next *generation*: a folder `records-<n>` that
//!   is complete under another name before it gets its own, whereupon the one before is removed. Migrations and restored
//!   copies are written in the same way, so that there is one whole tree at any moment.

use super::{
    error::{StoreError, failed},
    folder,
};
use sled::{Batch, Db};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Beginning of the name of a generation's folder, before its number.
const PREFIX: &str = "records-";
/// End of the name of a generation that is being written.
const UNFINISHED: &str = ".part";
/// Memory that sled may use for its cache: all records together are small, and are read once.
const CACHE_BYTES: u64 = 8 << 20;
/// sled's file of pages.
const PAGES: &str = "db";
/// How long opening waits for a lock that sled's background threads may hold for a moment after a tree was closed.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two attempts to take the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// Keys and values, as they are on disk.
pub(super) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// One generation of the tree.
#[derive(Debug)]
pub(super) struct Records {
    db: Db,
    pages: File,
    folder: PathBuf,
    number: u64,
}

impl Records {
    /// Opens the latest generation of a store, if it has any, and removes what is left of others.
    pub(super) fn latest(store: &Path) -> Result<Option<Self>, StoreError> {
        let mut numbers = Vec::new();
        for (name, path) in folder::list(store)? {
            let Some(name) = name.strip_prefix(PREFIX) else { continue };
            match name.parse::<u64>() {
                Ok(number) => numbers.push(number),
                Err(_) if name.ends_with(UNFINISHED) => folder::remove_all(&path)?,
                Err(_) => {}
            }
        }
        numbers.sort_unstable();
        let Some(latest) = numbers.pop() else { return Ok(None) };
        for number in numbers {
            folder::remove_all(&path_of(store, number))?;
        }
        Self::open(&path_of(store, latest), latest).map(Some)
    }

    /// Writes a generation, and opens it once it is whole.
    pub(super) fn create(store: &Path, number: u64, entries: &Entries) -> Result<Self, StoreError> {
        let path = path_of(store, number);
        let unfinished = store.join(format!("{PREFIX}{number}{UNFINISHED}"));
        folder::remove_all(&unfinished)?;
        folder::make(&unfinished)?;
        let written = Self::open(&unfinished, number)?;
        written.apply(entries.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect())?;
        drop(written);
        folder::close_to_others(&unfinished)?;
        for (_, file) in folder::list(&unfinished)? {
            File::open(&file).and_then(|file| file.sync_all()).map_err(failed(&file, "synced"))?;
        }
        folder::sync(&unfinished)?;
        fs::rename(&unfinished, &path).map_err(failed(&path, "put in its place"))?;
        folder::sync(store)?;
        Self::open(&path, number)
    }

    /// Writes the records again, into the next generation, which takes the place of this one.
    pub(super) fn replaced_by(&self, entries: &Entries) -> Result<Self, StoreError> {
        let store = self.folder.parent().expect("a generation is a folder in that of its store");
        let next = Self::create(store, self.number + 1, entries)?;
        folder::remove_all(&self.folder)?;
        Ok(next)
    }

    fn open(path: &Path, number: u64) -> Result<Self, StoreError> {
        // Nothing is flushed in the background: what is durable is decided by `apply` alone.
        let config = sled::Config::default()
            .path(path)
            .mode(sled::Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let deadline = Instant::now() + LOCK_PATIENCE;
        let db = loop {
            match guarded(path, || config.open())? {
                Err(error) if is_lock_held(&error) && Instant::now() < deadline => thread::sleep(LOCK_PAUSE),
                Err(error) if is_lock_held(&error) => return Err(StoreError::InUse { path: path.into() }),
                opened => break opened.map_err(|error| said(path, &error))?,
            }
        };
        folder::close_to_others(path)?;
        let pages = path.join(PAGES);
        // What a process wrote before it was killed may be in memory only, and must not be built upon.
        let pages = File::open(&pages)
            .and_then(|file| file.sync_all().map(|()| file))
            .map_err(failed(&pages, "opened"))?;
        Ok(Self { db, pages, folder: path.into(), number })
    }

    /// Everything that is in the tree.
    pub(super) fn read_all(&self) -> Result<Entries, StoreError> {
        let read = || {
            let entries =
                self.db.iter().map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec())));
            entries.collect::<Result<Entries, _>>()
        };
        guarded(&self.folder, read)?.map_err(|error| said(&self.folder, &error))
    }

    /// Puts what has a value and removes what has none: all of it or nothing, and on disk when this returns.
    pub(super) fn apply(&self, changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let write = || {
            self.db.apply_batch(batch)?;
            self.db.flush()
        };
        guarded(&self.folder, write)?.map_err(|error| said(&self.folder, &error))?;
        self.pages.sync_all().map_err(failed(&self.folder, "synced"))
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> Result<u64, StoreError> {
        folder::size(&self.folder)
    }
}

fn path_of(store: &Path, number: u64) -> PathBuf {
    store.join(format!("{PREFIX}{number}"))
}

/// Calls sled, whose panics are errors.
fn guarded<T>(
    path: &Path,
    call: impl FnOnce() -> sled::Result<T>,
) -> Result<Result<T, sled::Error>, StoreError> {
    let broken = |_| StoreError::Records { path: path.into(), reason: "sled broke down on its files".into() };
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(broken)
}

/// Whether sled could not open its files because they are locked: it gives that error, and that one alone, the kind
/// `Other`.
fn is_lock_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.kind() == io::ErrorKind::Other)
}

fn said(path: &Path, error: &sled::Error) -> StoreError {
    StoreError::Records { path: path.into(), reason: error.to_string() }
}
