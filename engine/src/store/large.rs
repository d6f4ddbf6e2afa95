//! Long values and secret ones: each in a file of its own, which is written once and never changed.
//!
//! The tree has number and checksum of the file that counts. A new value gets a new file, which is on disk before the
//! tree names it; the old one is removed after. What a crash leaves between is a file that nobody names, and opening
//! removes it.

use super::{
    error::{StoreError, failed},
    folder,
    key::{Damage, checksum},
};
use primitives::Digest;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The folder of these files in that of the store.
pub(super) const FOLDER: &str = "large";
/// Longest value: a whole shard of shares in all groups, kept twice, is 40 MB.
const MAX_LARGE_BYTES: u64 = 128 << 20;

/// The files.
#[derive(Debug)]
pub(super) struct Large {
    folder: PathBuf,
    next: u64,
}

impl Large {
    /// The files of a store.
    pub(super) fn open(store: &Path) -> Result<Self, StoreError> {
        let folder = store.join(FOLDER);
        folder::make(&folder)?;
        let numbers = folder::list(&folder)?.into_iter().filter_map(|(name, _)| name.parse::<u64>().ok());
        let next = numbers.max().map_or(0, |last| last + 1);
        Ok(Self { folder, next })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// Writes a value, and gives its number and checksum. Its bytes are on disk when this returns, and its name once
    /// [`Self::sync`] has.
    pub(super) fn write(&mut self, key: &[u8], bytes: &[u8]) -> Result<(u64, Digest), StoreError> {
        let number = self.next;
        let path = self.path(number);
        let mut file = folder::create_file(&path)?;
        self.next += 1;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&path, "written"))?;
        Ok((number, checksum(key, bytes)))
    }

    /// Makes the names of all files durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        folder::sync(&self.folder)
    }

    /// Reads a value, which may be secret. The inner error says what is wrong with it.
    pub(super) fn read(
        &self,
        key: &[u8],
        number: u64,
        digest: Digest,
    ) -> Result<Result<Zeroizing<Vec<u8>>, Damage>, StoreError> {
        let path = self.path(number);
        let file = match folder::open_file(&path) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(Damage::Missing));
            }
            file => file?,
        };
        // Room for all of it at once: a vector that grows leaves copies behind.
        let length = file.metadata().map_err(failed(&path, "opened"))?.len().min(MAX_LARGE_BYTES);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
        file.take(MAX_LARGE_BYTES).read_to_end(&mut bytes).map_err(failed(&path, "read"))?;
        Ok(if checksum(key, &bytes) == digest { Ok(bytes) } else { Err(Damage::Changed) })
    }

    /// Removes a value that nothing names any more.
    pub(super) fn remove(&self, number: u64) -> Result<(), StoreError> {
        let path = self.path(number);
        fs::remove_file(&path).map_err(failed(&path, "removed"))
    }

    /// Removes all files but these.
    pub(super) fn remove_all_but(&self, named: &BTreeSet<u64>) -> Result<(), StoreError> {
        for (name, path) in folder::list(&self.folder)? {
            if !name.parse().is_ok_and(|number| named.contains(&number)) {
                fs::remove_file(&path).map_err(failed(&path, "removed"))?;
            }
        }
        self.sync()
    }

    /// Bytes of all files.
    pub(super) fn size(&self) -> Result<u64, StoreError> {
        folder::size(&self.folder)
    }
}
