//! The bundles of one epoch, in files that are only appended to.

use super::{
    super::{
        Finding,
        error::{StoreError, failed},
        folder,
    },
    segment::{self, HEAD_BYTES, HEADER_BYTES, Head, Header},
};
use primitives::{Digest, EpochId};
use rand_core::{OsRng, RngCore};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// End of a file's name, after its number.
const EXTENSION: &str = ".log";

/// Where a bundle is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The file.
    pub(super) file: u32,
    /// Where its record begins in it.
    pub(super) offset: u64,
    pub(super) head: Head,
}

/// The file that is written to.
#[derive(Debug)]
struct Active {
    header: Header,
    file: File,
    length: u64,
}

/// The bundles of an epoch.
#[derive(Debug)]
pub(super) struct EpochLog {
    folder: PathBuf,
    epoch: EpochId,
    owner: Digest,
    /// By file and offset, so that order is that of acceptance.
    places: BTreeMap<(u32, u64), Place>,
    ids: BTreeMap<Digest, (u32, u64)>,
    salts: BTreeMap<u32, [u8; 32]>,
    next_place: u64,
    next_file: u32,
    active: Option<Active>,
    bytes: u64,
}

impl EpochLog {
    /// The bundles of an epoch, which are in a folder of their own: an empty one is made if it is not there.
    pub(super) fn open(
        folder: PathBuf,
        epoch: EpochId,
        owner: Digest,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, StoreError> {
        folder::make(&folder)?;
        let (places, ids, salts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut log = Self {
            folder,
            epoch,
            owner,
            places,
            ids,
            salts,
            next_place: 0,
            next_file: 0,
            active: None,
            bytes: 0,
        };
        let numbers = folder::list(&log.folder)?;
        let mut numbers: Vec<u32> =
            numbers.iter().filter_map(|(name, _)| name.strip_suffix(EXTENSION)?.parse().ok()).collect();
        numbers.sort_unstable();
        for (at, number) in numbers.iter().enumerate() {
            log.read(*number, at + 1 == numbers.len(), findings)?;
        }
        Ok(log)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:05}{EXTENSION}"))
    }

    /// Takes in what a file holds. Only the last one may have a tail that a crash tore, and is written on.
    fn read(&mut self, number: u32, is_last: bool, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
        let (path, epoch) = (self.path(number), self.epoch);
        let mut file = folder::open_file(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed(&path, "read"))?;
        let length = bytes.len() as u64;
        if is_last && bytes.len() < HEADER_BYTES {
            // The file was being made, and nothing was in it yet.
            fs::remove_file(&path).map_err(failed(&path, "removed"))?;
            findings.push(Finding::TornTail { epoch, file: number, offset: 0, bytes: length });
            return folder::sync(&self.folder);
        }
        self.next_file = number + 1;
        self.bytes += length;
        let header = Header::read(&bytes, &self.owner).filter(|h| h.epoch == epoch && h.number == number);
        let Some(header) = header else {
            findings.push(Finding::Bundles { epoch, file: number, offset: 0, bytes: length });
            return Ok(());
        };
        let contents = segment::scan(&bytes, &header);
        let damaged = |(offset, bytes)| Finding::Bundles { epoch, file: number, offset, bytes };
        findings.extend(contents.damaged.into_iter().map(damaged));
        self.salts.insert(number, header.salt);
        self.skip_to(header.first, findings);
        for (offset, head) in contents.bundles {
            self.skip_to(head.place, findings);
            self.insert(Place { file: number, offset, head });
        }
        let (end, rest) = (contents.end, length - contents.end);
        if !is_last {
            if rest > 0 {
                findings.push(damaged((end, rest)));
            }
            return Ok(());
        }
        if rest > 0 {
            file.set_len(end).and_then(|()| file.sync_all()).map_err(failed(&path, "cut"))?;
            findings.push(Finding::TornTail { epoch, file: number, offset: end, bytes: rest });
            self.bytes -= rest;
        }
        // What a process wrote before it was killed may be in memory only, and must not be built upon.
        file.sync_all().map_err(failed(&path, "synced"))?;
        file.seek(SeekFrom::Start(end)).map_err(failed(&path, "read"))?;
        self.active = Some(Active { header, file, length: end });
        folder::sync(&self.folder)
    }

    /// Notes which bundles are missing before a place.
    fn skip_to(&mut self, place: u64, findings: &mut Vec<Finding>) {
        if place > self.next_place {
            let (epoch, first, count) = (self.epoch, self.next_place, place - self.next_place);
            findings.push(Finding::Missing { epoch, first, count });
            self.next_place = place;
        }
    }

    fn insert(&mut self, place: Place) {
        self.next_place = self.next_place.max(place.head.place + 1);
        // One that was damaged, written again, and is sound after all counts once.
        if self.ids.contains_key(&place.head.id) {
            return;
        }
        let at = (place.file, place.offset);
        self.ids.insert(place.head.id, at);
        self.places.insert(at, place);
    }

    /// Appends bundles, and returns when they are on disk. Those that are there already, by id, are passed over.
    pub(super) fn append<B: AsRef<[u8]>>(
        &mut self,
        bundles: &[(Digest, B)],
        file_bytes: u64,
    ) -> Result<(), StoreError> {
        let mut staged = BTreeMap::new();
        let mut buffer = Vec::new();
        for (id, bundle) in bundles {
            let bundle = bundle.as_ref();
            if self.ids.contains_key(id) || staged.contains_key(id) {
                continue;
            }
            let record = (HEAD_BYTES + bundle.len()) as u64;
            let written = self.active.as_ref().map(|active| active.length + buffer.len() as u64);
            // A file takes one bundle at least.
            if written.is_none_or(|written| written > HEADER_BYTES as u64 && written + record > file_bytes) {
                self.write(&mut buffer)?;
                self.begin(self.next_place + staged.len() as u64)?;
            }
            let active = self.active.as_ref().expect("a file was begun if there was none");
            let place = self.next_place + staged.len() as u64;
            let head = Head::of(&active.header.salt, place, *id, bundle);
            let offset = active.length + buffer.len() as u64;
            staged.insert(*id, Place { file: active.header.number, offset, head });
            buffer.extend(head.to_bytes(&active.header.salt));
            buffer.extend_from_slice(bundle);
        }
        self.write(&mut buffer)?;
        staged.into_values().for_each(|place| self.insert(place));
        Ok(())
    }

    /// Writes what was gathered, and waits until it is on disk.
    fn write(&mut self, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        let Some(active) = self.active.as_mut().filter(|_| !buffer.is_empty()) else { return Ok(()) };
        let written = active.file.write_all(buffer).and_then(|()| active.file.sync_data());
        written.map_err(failed(&self.folder, "written"))?;
        active.length += buffer.len() as u64;
        self.bytes += buffer.len() as u64;
        buffer.clear();
        Ok(())
    }

    /// Begins the next file.
    fn begin(&mut self, first: u64) -> Result<(), StoreError> {
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        let header = Header { epoch: self.epoch, number: self.next_file, first, salt };
        let path = self.path(header.number);
        let mut file = folder::create_file(&path)?;
        let bytes = header.to_bytes(&self.owner);
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed(&path, "written"))?;
        folder::sync(&self.folder)?;
        self.next_file += 1;
        self.bytes += bytes.len() as u64;
        self.salts.insert(header.number, salt);
        self.active = Some(Active { header, file, length: bytes.len() as u64 });
        Ok(())
    }

    /// Identifiers of all that are there.
    pub(super) fn ids(&self) -> Vec<Digest> {
        self.ids.keys().copied().collect()
    }

    /// How many bundles there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a bundle is there.
    pub(super) fn has(&self, id: &Digest) -> bool {
        self.ids.contains_key(id)
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads all bundles that are there now, in order.
    pub(super) fn reader(&self) -> Bundles {
        self.reader_of(self.places.values().copied().collect())
    }

    /// Reads one bundle, if it is there.
    pub(super) fn reader_of_one(&self, id: &Digest) -> Option<Bundles> {
        let place = self.places.get(self.ids.get(id)?)?;
        Some(self.reader_of(vec![*place]))
    }

    fn reader_of(&self, places: Vec<Place>) -> Bundles {
        let salts = self.salts.clone();
        Bundles {
            folder: self.folder.clone(),
            epoch: self.epoch,
            salts,
            left: places.into_iter(),
            open: None,
        }
    }
}

/// Bundles of an epoch as they were when this was asked for, in the order in which they were kept. Each is read and
/// checked when it is its turn.
///
/// Errors: [`StoreError::Bundle`] for one that is damaged, after which the others follow; [`StoreError::Io`], also if the
/// epoch is destroyed meanwhile.
#[derive(Debug)]
pub struct Bundles {
    folder: PathBuf,
    epoch: EpochId,
    salts: BTreeMap<u32, [u8; 32]>,
    left: std::vec::IntoIter<Place>,
    open: Option<(u32, File)>,
}

impl Bundles {
    /// A reader of nothing.
    pub(super) fn none(epoch: EpochId) -> Self {
        let (folder, salts) = (PathBuf::new(), BTreeMap::new());
        Self { folder, epoch, salts, left: Vec::new().into_iter(), open: None }
    }

    fn read(&mut self, place: Place) -> Result<(Digest, Vec<u8>), StoreError> {
        let path = self.folder.join(format!("{:05}{EXTENSION}", place.file));
        let file = match self.open.take() {
            Some((number, file)) if number == place.file => file,
            _ => File::open(&path).map_err(failed(&path, "opened"))?,
        };
        let (_, file) = self.open.insert((place.file, file));
        let bytes = read_at(file, &path, place)?;
        let id = place.head.id;
        let damaged = || StoreError::Bundle { epoch: self.epoch, id };
        let salt = self.salts.get(&place.file).ok_or_else(damaged)?;
        match place.head.holds(salt, &bytes) {
            true => Ok((id, bytes)),
            false => Err(damaged()),
        }
    }
}

/// Reads a bundle. What a file that became shorter does not have is not there, and so is no bundle.
fn read_at(file: &mut File, path: &Path, place: Place) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(place.head.length as usize);
    file.seek(SeekFrom::Start(place.offset + HEAD_BYTES as u64)).map_err(failed(path, "read"))?;
    file.take(place.head.length.into()).read_to_end(&mut bytes).map_err(failed(path, "read"))?;
    Ok(bytes)
}

impl Iterator for Bundles {
    type Item = Result<(Digest, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.left.next()?;
        Some(self.read(place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl ExactSizeIterator for Bundles {}
