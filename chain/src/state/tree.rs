//! The state: an indexed Merkle tree, in which a key is proved absent as cheaply as present.
//!
//! Leaves `(key, next_key, value)` stand in the order of their insertion and form a linked list in the order of their
//! keys, which starts at the sentinel `(0, 0, 0)` in position 0 and ends where `next_key` is 0. A key is absent if
//! the leaf of the largest smaller key names a next key that is larger, or none (Tzialla et al., "Transparency
//! dictionaries with succinct proofs of correct operation", 2021/1263, section 4.2; Aztec's nullifier tree). An
//! insertion changes two leaves whatever the size of the key space, where a sparse tree over 254-bit keys would hash
//! 254 levels.
//!
//! Everything is shared with clones until it changes, so a clone is a cheap place to try a block on. Nothing is ever
//! removed: the ledger marks what is over in the value.

mod keys;
mod proof;
mod shared;

pub use proof::{Absence, Inclusion, Leaf};

use crate::{
    merkle,
    poseidon::{Felt, hash2},
};
use ark_ff::{AdditiveGroup, Zero};
use keys::KeyIndex;
use rayon::prelude::*;
use shared::SharedVec;
use std::{fmt, sync::OnceLock};
use thiserror::Error;

/// Levels between a leaf and the root: positions are 32-bit numbers, and none is ever freed.
pub const TREE_DEPTH: usize = 32;

/// Why the tree refuses a change, or a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Key 0 is the sentinel's and ends the list.
    #[error("key 0 is reserved for the sentinel")]
    ReservedKey,
    /// Insertion of a key that has a leaf.
    #[error("key {key} has a leaf, at position {position}")]
    Present {
        /// The key.
        key: Felt,
        /// Where its leaf stands.
        position: u32,
    },
    /// Update of a key that has no leaf.
    #[error("key {key} has no leaf")]
    Missing {
        /// The key.
        key: Felt,
    },
    /// All positions are taken.
    #[error("all 2^32 positions are taken")]
    Full,
    /// A proof has not one sibling a level.
    #[error("{found} siblings in a proof, but the tree has {TREE_DEPTH} levels")]
    PathLength {
        /// Siblings of the proof.
        found: usize,
    },
    /// A proof of inclusion is about another key.
    #[error("the proof is about key {found}, not {expected}")]
    OtherKey {
        /// The key that was asked about.
        expected: Felt,
        /// The key of the proof's leaf.
        found: Felt,
    },
    /// A proof of inclusion shows another value.
    #[error("the key has value {found}, not {expected}")]
    OtherValue {
        /// The value that was asked about.
        expected: Felt,
        /// The value of the proof's leaf.
        found: Felt,
    },
    /// The leaf of a proof of absence is not below the key.
    #[error("the proof's leaf has key {low}, which is not below {key}")]
    NotBelow {
        /// The key that was asked about.
        key: Felt,
        /// The key of the proof's leaf.
        low: Felt,
    },
    /// The leaf of a proof of absence names a next key that is not beyond the key.
    #[error("the proof's leaf has next key {next}, which is not beyond {key}")]
    NotBeyond {
        /// The key that was asked about.
        key: Felt,
        /// The next key of the proof's leaf.
        next: Felt,
    },
    /// A proof leads to another root.
    #[error("the proof leads to root {found}, not {expected}")]
    OtherRoot {
        /// The root that was asked about.
        expected: Felt,
        /// The root that the proof leads to.
        found: Felt,
    },
}

/// The node at each height over positions that nothing was ever inserted at.
fn vacant() -> &'static [Felt; TREE_DEPTH + 1] {
    static VACANT: OnceLock<[Felt; TREE_DEPTH + 1]> = OnceLock::new();
    VACANT.get_or_init(|| {
        let mut nodes = [merkle::EMPTY; TREE_DEPTH + 1];
        for height in 1..=TREE_DEPTH {
            nodes[height] = hash2(nodes[height - 1], nodes[height - 1]);
        }
        nodes
    })
}

/// An indexed Merkle tree. Changes are collected, and hashed together when the root or a proof is asked for.
#[derive(Clone)]
pub struct IndexedTree {
    leaves: SharedVec<Leaf>,
    keys: KeyIndex,
    /// `nodes[height][i]` covers positions `i * 2^height` and on. Right of a level's end every node is vacant.
    nodes: [SharedVec<Felt>; TREE_DEPTH + 1],
    /// Positions whose leaf differs from what `nodes` was computed of.
    dirty: Vec<u32>,
}

impl Default for IndexedTree {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for IndexedTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexedTree({} leaves, {} not hashed yet)", self.len(), self.dirty.len())
    }
}

impl IndexedTree {
    /// The tree that holds nothing but the sentinel.
    pub fn new() -> Self {
        let mut leaves = SharedVec::default();
        leaves.put(0, Leaf::default());
        let mut keys = KeyIndex::default();
        keys.insert(Felt::ZERO, 0);
        Self { leaves, keys, nodes: std::array::from_fn(|_| SharedVec::default()), dirty: vec![0] }
    }

    /// Number of keys. The sentinel is not counted.
    pub fn len(&self) -> usize {
        self.leaves.len() - 1
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a new key a leaf, at the next free position, which is [`Self::len`] plus one.
    ///
    /// Errors: [`TreeError::ReservedKey`], [`TreeError::Present`], [`TreeError::Full`]; the tree is unchanged then.
    pub fn insert(&mut self, key: Felt, value: Felt) -> Result<(), TreeError> {
        if key.is_zero() {
            return Err(TreeError::ReservedKey);
        }
        let low = self.keys.at_or_below(key);
        let low_leaf = *self.leaf(low);
        if low_leaf.key == key {
            return Err(TreeError::Present { key, position: low });
        }
        let position = u32::try_from(self.leaves.len()).map_err(|_| TreeError::Full)?;
        self.set(position, Leaf { key, next_key: low_leaf.next_key, value });
        self.set(low, Leaf { next_key: key, ..low_leaf });
        self.keys.insert(key, position);
        Ok(())
    }

    /// Gives a key that has a leaf another value.
    ///
    /// Errors: [`TreeError::ReservedKey`], [`TreeError::Missing`]; the tree is unchanged then.
    pub fn update(&mut self, key: Felt, value: Felt) -> Result<(), TreeError> {
        if key.is_zero() {
            return Err(TreeError::ReservedKey);
        }
        let position = self.position(key).ok_or(TreeError::Missing { key })?;
        self.update_at(position, value);
        Ok(())
    }

    /// Gives the leaf at a position that is taken another value.
    pub(super) fn update_at(&mut self, position: u32, value: Felt) {
        self.set(position, Leaf { value, ..*self.leaf(position) });
    }

    /// The value of a key, if it has a leaf.
    pub fn get(&self, key: Felt) -> Option<Felt> {
        self.position(key).map(|position| self.leaf(position).value)
    }

    /// The root. Paths above changed leaves are hashed first, each node once.
    pub fn root(&mut self) -> Felt {
        self.refresh();
        self.node(TREE_DEPTH, 0)
    }

    /// Proof that a key has its value, or `None` if it has no leaf.
    pub fn prove(&mut self, key: Felt) -> Option<Inclusion> {
        let position = self.position(key)?;
        Some(Inclusion { leaf: *self.leaf(position), position, siblings: self.siblings(position) })
    }

    /// Proof that a key has no leaf, or `None` if it has one or is reserved.
    pub fn prove_absence(&mut self, key: Felt) -> Option<Absence> {
        let position = self.keys.at_or_below(key);
        let low = *self.leaf(position);
        (low.key != key).then(|| Absence { low, position, siblings: self.siblings(position) })
    }

    /// Siblings on the way from a position, taken or not, to the root, the lowest first. The circuit for an insertion
    /// takes those of the free position that the new leaf goes to.
    pub fn siblings(&mut self, position: u32) -> Vec<Felt> {
        self.refresh();
        (0..TREE_DEPTH).map(|height| self.node(height, (position >> height ^ 1) as usize)).collect()
    }

    fn position(&self, key: Felt) -> Option<u32> {
        let position = self.keys.at_or_below(key);
        (!key.is_zero() && self.leaf(position).key == key).then_some(position)
    }

    fn leaf(&self, position: u32) -> &Leaf {
        self.leaves.get(position as usize).expect("the key index names taken positions only")
    }

    fn set(&mut self, position: u32, leaf: Leaf) {
        self.leaves.put(position as usize, leaf);
        self.dirty.push(position);
    }

    fn node(&self, height: usize, i: usize) -> Felt {
        self.nodes[height].get(i).copied().unwrap_or(vacant()[height])
    }

    /// Hashes what changed: the leaves, then level by level the nodes above them.
    fn refresh(&mut self) {
        let mut changed = std::mem::take(&mut self.dirty);
        if changed.is_empty() {
            return;
        }
        changed.sort_unstable();
        changed.dedup();
        let hashes = over(&changed, |position| self.leaf(position).hash());
        self.write(0, &changed, hashes);
        for height in 1..=TREE_DEPTH {
            for i in &mut changed {
                *i >>= 1;
            }
            changed.dedup();
            let hashes = over(&changed, |i| {
                let left = 2 * i as usize;
                hash2(self.node(height - 1, left), self.node(height - 1, left + 1))
            });
            self.write(height, &changed, hashes);
        }
    }

    /// Ascending, so that new nodes extend the level without a gap: positions are taken one after the other.
    fn write(&mut self, height: usize, places: &[u32], hashes: Vec<Felt>) {
        for (i, hash) in places.iter().zip(hashes) {
            self.nodes[height].put(*i as usize, hash);
        }
    }
}

/// `hash` of all places in order, over threads if there are enough of them.
fn over(places: &[u32], hash: impl Fn(u32) -> Felt + Sync) -> Vec<Felt> {
    if places.len() < merkle::PARALLEL_NODES {
        places.iter().map(|i| hash(*i)).collect()
    } else {
        places.par_iter().with_min_len(merkle::PARALLEL_NODES / 4).map(|i| hash(*i)).collect()
    }
}

#[cfg(test)]
mod tests;
