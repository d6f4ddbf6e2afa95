//! The small records as a whole: one transition at a time, all of it or nothing.

use super::{
    Change, StoreError,
    change::Book,
    head::{HEAD, Head, Owner, SCHEMA, empty, head_of, schema_of},
    key::{MAX_INLINE_BYTES, Place, RecordKey, pack},
    large::{self, Large},
    migrate::migrate,
    records::Records,
    recovered::{self, Found},
};
use primitives::{Digest, Encode, EpochId};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The records, with what later ones are held against.
#[derive(Debug)]
pub(super) struct Tree {
    store: PathBuf,
    records: Records,
    large: Large,
    head: Head,
    book: Book,
    /// The file of each record that has one.
    apart: BTreeMap<RecordKey, u64>,
    /// sled's file is written again once it is longer.
    compact_above: u64,
    poisoned: bool,
}

impl Tree {
    /// Reads the records of a store, or begins with none. A copy is opened only `as_copy`.
    pub(super) fn open(
        store: &Path,
        owner: &Owner,
        (compact_above, as_copy): (u64, bool),
    ) -> Result<(Self, Found), StoreError> {
        let mut records = match Records::latest(store)? {
            Some(records) => records,
            None if as_copy => return Err(StoreError::NotACopy { path: store.into() }),
            None => begin(store, owner)?,
        };
        let mut entries = records.read_all()?;
        let schema = schema_of(store, &entries, owner)?;
        if schema < SCHEMA {
            entries = migrate(store, schema, owner, entries)?;
            records = records.replaced_by(&entries)?;
        }
        let head = head_of(store, &entries)?;
        match (head.is_copy, as_copy) {
            (true, false) => {
                let epoch = head.latest.unwrap_or_default();
                return Err(StoreError::Copy { path: store.into(), epoch });
            }
            (false, true) => return Err(StoreError::NotACopy { path: store.into() }),
            _ => {}
        }
        let large = Large::open(store)?;
        let found = recovered::read(store, &entries, &head, &large)?;
        let (book, apart) = (Book::default(), found.apart.clone());
        let store = store.to_path_buf();
        let mut tree = Self { store, records, large, head, book, apart, compact_above, poisoned: false };
        for (epoch, state) in &found.epochs {
            tree.book.restore(*epoch, state);
        }
        tree.tidy(&found)?;
        Ok((tree, found))
    }

    /// Removes what is of no use. The party is told of it, and a second opening finds nothing.
    fn tidy(&mut self, found: &Found) -> Result<(), StoreError> {
        self.large.remove_all_but(&self.apart.values().copied().collect())?;
        if !found.useless.is_empty() {
            self.head.manifest.retain(|key, _| !found.useless.contains(&key.to_bytes()));
            let mut changes: BTreeMap<_, _> = found.useless.iter().map(|name| (name.clone(), None)).collect();
            changes.insert(HEAD.to_vec(), Some(self.head.entry()));
            self.records.apply(changes)?;
        }
        self.compact()
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// What was contributed to the beacon of an epoch.
    pub(super) fn contribution(&self, epoch: EpochId) -> Option<Digest> {
        self.book.contribution(epoch)
    }

    /// Writes one transition. It is on disk when this returns.
    pub(super) fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned { path: self.store.clone() });
        }
        let (mut head, mut book) = (self.head.clone(), self.book.clone());
        let mut values = BTreeMap::new();
        for change in changes {
            if let Some((key, bytes)) = book.admit(&mut head, change)? {
                values.insert(key, bytes);
            }
        }
        // A transition may write of an epoch that it forgets.
        let is_over = |key: &RecordKey| key.epoch().is_some_and(|epoch| Some(epoch) <= head.forgotten);
        values.retain(|key, _| !is_over(key));
        let over: Vec<_> = head.manifest.keys().copied().filter(is_over).collect();
        head.sequence += 1;
        // Until all of it is done, nobody knows what is on disk.
        self.poisoned = true;
        let replaced = self.apply(head, &values, &over)?;
        self.book = book;
        self.poisoned = false;
        // From here on the transition holds; what fails is put right when the store is opened again.
        replaced.into_iter().try_for_each(|number| self.large.remove(number))?;
        if over.is_empty() { Ok(()) } else { self.compact() }
    }

    /// Gives the files that nothing names any more.
    fn apply(
        &mut self,
        mut head: Head,
        values: &BTreeMap<RecordKey, Zeroizing<Vec<u8>>>,
        over: &[RecordKey],
    ) -> Result<Vec<u64>, StoreError> {
        let mut changes = BTreeMap::new();
        let mut apart = self.apart.clone();
        for key in over {
            head.manifest.remove(key);
            apart.remove(key);
            changes.insert(key.to_bytes(), None);
        }
        for (key, bytes) in values {
            let name = key.to_bytes();
            let (sum, entry) = if key.is_apart() || bytes.len() > MAX_INLINE_BYTES {
                let (number, digest) = self.large.write(&name, bytes)?;
                apart.insert(*key, number);
                pack(&name, Place::Apart(number, digest))
            } else {
                apart.remove(key);
                pack(&name, Place::Here(bytes))
            };
            head.manifest.insert(*key, sum);
            changes.insert(name, Some(entry));
        }
        if apart.values().any(|number| !self.apart.values().any(|old| old == number)) {
            self.large.sync()?;
        }
        changes.insert(HEAD.to_vec(), Some(head.entry()));
        self.records.apply(changes)?;
        let replaced = self
            .apart
            .iter()
            .filter(|(key, number)| apart.get(key) != Some(number))
            .map(|(_, n)| *n)
            .collect();
        (self.head, self.apart) = (head, apart);
        Ok(replaced)
    }

    /// Writes the tree again if sled's file has grown.
    fn compact(&mut self) -> Result<(), StoreError> {
        if self.records.size()? > self.compact_above {
            let entries = self.records.read_all()?;
            // If this fails in the middle, the new generation may be the one that counts, and what was written to the old
            // one would be lost.
            self.poisoned = true;
            self.records = self.records.replaced_by(&entries)?;
            self.poisoned = false;
        }
        Ok(())
    }

    /// Bytes on disk: of the tree, and of the files beside it.
    pub(super) fn size(&self) -> Result<(u64, u64), StoreError> {
        Ok((self.records.size()?, self.large.size()?))
    }

    /// Writes a store of the same owner into an empty folder, with those records of this one that `keep` names, and a head
    /// that `mark` has changed. It is whole or no store at all.
    pub(super) fn write_copy(
        &self,
        to: &Path,
        owner: &Owner,
        keep: impl Fn(&RecordKey) -> bool,
        mark: impl FnOnce(&mut Head),
    ) -> Result<(), StoreError> {
        let entries = self.records.read_all()?;
        let mut files = Large::open(to)?;
        let mut head = self.head.clone();
        head.manifest.clear();
        mark(&mut head);
        let mut copy = BTreeMap::new();
        for (key, listed) in self.head.manifest.iter().filter(|(key, _)| keep(key)) {
            let name = key.to_bytes();
            let lost = |damage| StoreError::Lost { path: self.store.clone(), record: *key, damage };
            let value = recovered::read_one(&name, entries.get(&name), *listed, &self.large)?;
            let (bytes, apart) = value.map_err(lost)?;
            let (sum, entry) = if apart.is_some() {
                let (number, digest) = files.write(&name, &bytes)?;
                pack(&name, Place::Apart(number, digest))
            } else {
                pack(&name, Place::Here(&bytes))
            };
            head.manifest.insert(*key, sum);
            copy.insert(name, entry);
        }
        files.sync()?;
        copy.extend(empty(owner, &head));
        Records::create(to, 0, &copy).map(drop)
    }
}

/// The first generation of a store. There must not be anything else of a store where there are no records.
fn begin(store: &Path, owner: &Owner) -> Result<Records, StoreError> {
    for name in [large::FOLDER, super::bundles::FOLDER, super::bundles::SIGNED] {
        if !super::folder::list(&store.join(name))?.is_empty() {
            return Err(StoreError::NoRecords { path: store.into() });
        }
    }
    Records::create(store, 0, &empty(owner, &Head::default()))
}
