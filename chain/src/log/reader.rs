//! Reading records of a log that is open, by height.

use super::{
    FILE_HEADER_BYTES, LogError, failed,
    record::{self, HEAD_BYTES},
};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// Where the records of a log stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Height of the first record.
    first: u64,
    /// Where each record ends. Each starts where the one before it ends.
    ends: Vec<u64>,
}

impl Places {
    /// Places of records with payloads of these lengths.
    pub(super) fn of(first: u64, lengths: impl Iterator<Item = usize>) -> Self {
        let mut places = Self::default();
        lengths.zip(first..).for_each(|(bytes, height)| places.push(height, bytes));
        places
    }

    /// Adds the next record.
    pub(super) fn push(&mut self, height: u64, payload_bytes: usize) {
        if self.ends.is_empty() {
            self.first = height;
        }
        let start = self.ends.last().copied().unwrap_or(FILE_HEADER_BYTES as u64);
        self.ends.push(start + (HEAD_BYTES + payload_bytes) as u64);
    }

    fn of_height(&self, height: u64) -> Option<(u64, u64)> {
        let i = usize::try_from(height.checked_sub(self.first)?).ok()?;
        let start = match i {
            0 => FILE_HEADER_BYTES as u64,
            i => *self.ends.get(i - 1)?,
        };
        Some((start, *self.ends.get(i)?))
    }
}

/// Reads records of a log that somebody else appends to. Clones read through one file handle.
#[derive(Clone, Debug)]
pub struct LogReader {
    file: Arc<Mutex<File>>,
    places: Arc<RwLock<Places>>,
}

impl LogReader {
    pub(super) fn open(path: &Path, places: Arc<RwLock<Places>>) -> Result<Self, LogError> {
        let file = File::open(path).map_err(failed("opened"))?;
        Ok(Self { file: Arc::new(Mutex::new(file)), places })
    }

    /// The payload of a block, checked against its record's digest; `None` for one that is not there.
    ///
    /// Errors: [`LogError::Io`], [`LogError::Corrupt`].
    pub fn read(&self, height: u64) -> Result<Option<Vec<u8>>, LogError> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        let Some((start, end)) = places.of_height(height) else { return Ok(None) };
        drop(places);
        let mut bytes = Vec::new();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file
            .seek(SeekFrom::Start(start))
            .and_then(|_| (&mut *file).take(end - start).read_to_end(&mut bytes));
        drop(file);
        read.map_err(failed("read"))?;
        let payload =
            record::payload_of(&bytes, height).ok_or(LogError::Corrupt { offset: start, height })?;
        Ok(Some(payload.to_vec()))
    }
}
