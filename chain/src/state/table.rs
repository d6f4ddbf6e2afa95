//! One table: its records in order, and the indexed tree over them.

use super::{
    Key, ToFelts,
    tables::TableId,
    tree::{Absence, Inclusion, IndexedTree},
};
use crate::{
    merkle,
    poseidon::{Felt, FeltDomain, hash_many},
};
use primitives::{CodecError, Decode, Encode, Reader, Writer};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// Most records of a table in a snapshot: as many as a tree has positions for, without the sentinel's.
const MAX_ROWS: usize = u32::MAX as usize;

/// A record that stands in a table under a key of its own.
///
/// Its leaf in the tree is `(key felt, value felt)`: the key felt hashes the table's number and the key, the value
/// felt hashes the record. A record that is too long to hash at every change says what binds it in `value`.
pub trait Leaf: Encode + Decode + Clone + Eq + Send + Sync {
    /// What identifies the record in its table.
    type Key: Key;
    /// Its table.
    const TABLE: TableId;

    /// This record's key.
    fn key(&self) -> Self::Key;

    /// What the leaf's value hashes.
    fn value(&self) -> Vec<Felt>;
}

/// Says under which of its fields a record stands in the table of its name, and that its leaf binds all of it.
macro_rules! leaf {
    ($name:ident by $field:ident: $type:ty) => {
        leaf!(impl $name, $type, |record| record.$field);
    };
    ($name:ident by $($field:ident: $type:ty),+) => {
        leaf!(impl $name, ($($type),+), |record| ($(record.$field),+));
    };
    (impl $name:ident, $key:ty, $of:expr) => {
        impl $crate::state::Leaf for $name {
            type Key = $key;
            const TABLE: $crate::state::TableId = $crate::state::TableId::$name;
            fn key(&self) -> Self::Key {
                let of: fn(&Self) -> Self::Key = $of;
                of(self)
            }
            fn value(&self) -> Vec<$crate::poseidon::Felt> {
                $crate::state::ToFelts::to_felts(self)
            }
        }
    };
}
pub(crate) use leaf;

/// Key felt of a record: table number and key.
pub fn key_felt<L: Leaf>(key: &L::Key) -> Felt {
    key_felt_of(L::TABLE, &key.to_felts())
}

/// Key felt of a record whose key is spelled out: table number and key.
pub fn key_felt_of(table: TableId, key: &[Felt]) -> Felt {
    hash_many(FeltDomain::StateKey, &[&[Felt::from(table as u64)], key].concat())
}

/// Value felt of a record.
pub fn value_felt<L: Leaf>(record: &L) -> Felt {
    value_felt_of(&record.value())
}

fn value_felt_of(value: &[Felt]) -> Felt {
    hash_many(FeltDomain::StateValue, value)
}

/// Where the value of a record goes.
enum Place<K> {
    /// To the leaf that the record has.
    Held(u32),
    /// To a new leaf of this key.
    New(K),
}

/// Brings a tree up to date with records that are spelled out. A key is hashed once, when its leaf is new. Of no type,
/// so that it is compiled once for all tables.
fn write_leaves(tree: &mut IndexedTree, table: TableId, spelled: &[(Place<Vec<Felt>>, Vec<Felt>)]) {
    let hash = |(place, value): &(Place<Vec<Felt>>, Vec<Felt>)| {
        let place = match place {
            Place::Held(position) => Place::Held(*position),
            Place::New(key) => Place::New(key_felt_of(table, key)),
        };
        (place, value_felt_of(value))
    };
    let hashed: Vec<(Place<Felt>, Felt)> = if spelled.len() < merkle::PARALLEL_NODES {
        spelled.iter().map(hash).collect()
    } else {
        spelled.par_iter().map(hash).collect()
    };
    for (place, value) in hashed {
        match place {
            Place::Held(position) => tree.update_at(position, value),
            Place::New(key) => {
                tree.insert(key, value).expect("a hash is not the sentinel's key, nor another's")
            }
        }
    }
}

/// A record in memory.
#[derive(Clone)]
struct Row<L> {
    record: Arc<L>,
    /// Position of its leaf, once the tree has heard of it.
    position: u32,
    /// Whether the tree has yet to hear of it.
    changed: bool,
}

/// Records in the order of their keys, with their tree.
///
/// Changes reach the tree when its root is asked for, so that a block of many changes to one record hashes it once.
/// New records enter the tree in the order in which they were written, whenever the root is asked for: where a leaf
/// stands must not depend on who looked.
///
/// A clone shares the records and the tree, and copies one pointer a record.
#[derive(Clone)]
pub struct Table<L: Leaf> {
    rows: BTreeMap<L::Key, Row<L>>,
    /// All keys, in the order in which their records were first written, which is that of the leaves.
    placed: Vec<L::Key>,
    /// Keys of changed rows, in the order of their first change.
    order: Vec<L::Key>,
    tree: IndexedTree,
}

impl<L: Leaf> Default for Table<L> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), placed: Vec::new(), order: Vec::new(), tree: IndexedTree::new() }
    }
}

impl<L: Leaf> Table<L> {
    /// A record.
    pub fn get(&self, key: &L::Key) -> Option<&L> {
        self.rows.get(key).map(|row| row.record.as_ref())
    }

    /// Records in order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &L> {
        self.rows.values().map(|row| row.record.as_ref())
    }

    /// Records whose keys lie in a range.
    pub fn range(&self, range: impl std::ops::RangeBounds<L::Key>) -> impl DoubleEndedIterator<Item = &L> {
        self.rows.range(range).map(|(_, row)| row.record.as_ref())
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes a record.
    pub(super) fn put(&mut self, record: L) {
        let key = record.key();
        let Some(row) = self.rows.get_mut(&key) else {
            self.placed.push(key.clone());
            self.order.push(key.clone());
            // The sentinel stands in position 0.
            let position = u32::try_from(self.placed.len()).expect("a table is bounded by what memory holds");
            self.rows.insert(key, Row { record: Arc::new(record), position, changed: true });
            return;
        };
        if *row.record != record {
            if !row.changed {
                self.order.push(key);
            }
            *row = Row { record: Arc::new(record), position: row.position, changed: true };
        }
    }

    /// Appends all records, in the order of their leaves.
    pub(super) fn export(&self, w: &mut Writer) {
        w.count(self.placed.len());
        self.placed.iter().for_each(|key| self.rows[key].record.encode(w));
    }

    /// Reads what [`Self::export`] wrote.
    pub(super) fn import(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut table = Self::default();
        for _ in 0..r.count(MAX_ROWS)? {
            let record = L::decode(r)?;
            if table.rows.contains_key(&record.key()) {
                return Err(CodecError::Invalid { what: "table, which has a key twice" });
            }
            table.put(record);
        }
        Ok(table)
    }

    /// Proof that no record stands under a key, under the table's root.
    pub fn prove_absence(&mut self, key: &L::Key) -> Option<Absence> {
        self.root();
        self.tree.prove_absence(key_felt::<L>(key))
    }

    /// Root of the table's tree, with every change in it.
    pub fn root(&mut self) -> Felt {
        let leaves = self.tree.len();
        let mut spelled = Vec::with_capacity(self.order.len());
        for key in std::mem::take(&mut self.order) {
            let row = self.rows.get_mut(&key).expect("rows never leave");
            row.changed = false;
            let held = row.position as usize <= leaves;
            let place = if held { Place::Held(row.position) } else { Place::New(key.to_felts()) };
            spelled.push((place, row.record.value()));
        }
        write_leaves(&mut self.tree, L::TABLE, &spelled);
        self.tree.root()
    }

    /// Proof that a record stands in the table, under the table's root.
    pub fn prove(&mut self, key: &L::Key) -> Option<Inclusion> {
        self.prove_at(key_felt::<L>(key))
    }

    /// The same by key felt.
    pub(super) fn prove_at(&mut self, key: Felt) -> Option<Inclusion> {
        self.root();
        self.tree.prove(key)
    }

    /// Proof that no record has this key felt, under the table's root.
    pub(super) fn prove_absence_at(&mut self, key: Felt) -> Option<Absence> {
        self.root();
        self.tree.prove_absence(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::dapr::Reputation;
    use primitives::WorkId;
    use proptest::prelude::*;

    fn leaf_of(record: &Reputation) -> (Felt, Felt) {
        (key_felt::<Reputation>(&record.work), value_felt(record))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Each record has one leaf, at the place of its first writing, whenever the root is asked for in between.
        #[test]
        fn every_record_keeps_the_leaf_that_it_got(
            steps in proptest::collection::vec((0..6u8, 0..3u64, any::<bool>()), 0..24),
        ) {
            let (mut table, mut tree) = (Table::<Reputation>::default(), IndexedTree::new());
            for (work, reputation, look) in steps {
                let record = Reputation { work: WorkId([work; 32]), reputation };
                let (key, value) = leaf_of(&record);
                table.put(record);
                if tree.get(key).is_some() { tree.update(key, value) } else { tree.insert(key, value) }.unwrap();
                if look {
                    prop_assert_eq!(table.root(), tree.root());
                }
            }
            prop_assert_eq!(table.root(), tree.root());
            let records: Vec<_> = table.iter().cloned().collect();
            for record in records {
                let proof = table.prove(&record.work).expect("a record");
                prop_assert_eq!((proof.leaf.key, proof.leaf.value), leaf_of(&record));
            }
        }
    }
}
