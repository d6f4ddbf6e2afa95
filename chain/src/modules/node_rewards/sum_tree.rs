//! Merkle trees of sums: a root over entries that count, each of which can be there only once.
//!
//! An entry has a key of 256 bits, units and a value. It stands where the bits of its key lead from the root, so that
//! a key has one place and an entry that is in the tree twice is impossible, not only improbable. Every inner node
//! hashes digest and units of both children, so that the units of the root are those of all entries.
//!
//! An audit asks for a *unit*: the entry in whose range unit `u` of all units lies, from left to right. The answer is one
//! entry and its siblings, and nobody can choose which: an entry that claims more units is asked for more often. So if a
//! part `f` of the units does not stand for what it should, one question finds that with probability `f`, however the
//! rest is arranged, and `n` questions with `1 - (1 - f)^n`. Order by key and strict neighbours would not do: a sorted
//! list, followed by itself, is out of order at one place only.

use crate::state::fields::record;
use primitives::{CodecError, Decode, Digest, Domain, Encode, Reader, Writer, hash};
use thiserror::Error;

/// Most levels of a tree. Two keys that begin with the same 128 bits take 2^64 hashes to find.
pub const MAX_DEPTH: usize = 128;

/// A node of the tree, or all of it: what it binds, and how many units are below it. Nothing is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Digest.
    pub digest: Digest,
    /// Units.
    pub units: u64,
}

record!(Sum { digest, units });

/// Nodes beside the way from an entry up to the root, the lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumPath(pub Vec<Sum>);

impl Encode for SumPath {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl Decode for SumPath {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(MAX_DEPTH).map(Self)
    }
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The root.
    pub root: Sum,
    /// Units to the left of the entry.
    pub start: u64,
}

/// Key of an entry that is called `name`: uniform, whatever names look like.
pub(super) fn key(name: &[u8; 32]) -> Digest {
    hash::hash(Domain::SumKey, &[name])
}

/// An entry as a node.
pub(super) fn leaf(key: &Digest, units: u64, value: &Digest) -> Sum {
    Sum { digest: hash::hash(Domain::SumLeaf, &[&key.0, &units.to_le_bytes(), &value.0]), units }
}

/// The node over two. `None` if their units outgrow 64 bits.
fn fork(left: &Sum, right: &Sum) -> Option<Sum> {
    let units = left.units.checked_add(right.units)?;
    let (l, r) = (left.units.to_le_bytes(), right.units.to_le_bytes());
    Some(Sum { digest: hash::hash(Domain::SumNode, &[&left.digest.0, &l, &right.digest.0, &r]), units })
}

/// Bit of a key that says whether the way from a node of this depth goes right.
fn goes_right(key: &Digest, depth: usize) -> bool {
    key.0[depth / 8] >> (7 - depth % 8) & 1 == 1
}

impl SumPath {
    /// Where this path leads from an entry under `key`. `None` if it is too long, or units outgrow 64 bits.
    pub fn place(&self, key: &Digest, entry: Sum) -> Option<Place> {
        if self.0.len() > MAX_DEPTH {
            return None;
        }
        let (mut root, mut start) = (entry, 0u64);
        for (sibling, depth) in self.0.iter().zip((0..self.0.len()).rev()) {
            root = if goes_right(key, depth) {
                start = start.checked_add(sibling.units)?;
                fork(sibling, &root)?
            } else {
                fork(&root, sibling)?
            };
        }
        Some(Place { root, start })
    }
}

/// Entries that no tree can hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SumError {
    /// Two entries have one key.
    #[error("two entries have the key {key}")]
    Duplicate {
        /// The key.
        key: Digest,
    },
    /// Two keys begin with the same bits, more of them than a path is long.
    #[error("two keys begin like {key}")]
    Depth {
        /// One of them.
        key: Digest,
    },
    /// Units outgrow 64 bits.
    #[error("units outgrow 64 bits")]
    Overflow,
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Key.
    pub key: Digest,
    /// Units.
    pub units: u64,
    /// What it stands for.
    pub value: Digest,
}

#[derive(Debug)]
enum Shape {
    Empty,
    Entry(usize),
    Fork(Box<[Branch; 2]>),
}

#[derive(Debug)]
struct Branch {
    sum: Sum,
    shape: Shape,
}

/// A whole tree, as its maker holds it.
#[derive(Debug)]
pub struct SumTree {
    entries: Vec<Entry>,
    top: Branch,
}

impl SumTree {
    /// The tree over entries in any order.
    ///
    /// # Errors
    /// If two have one key, keys are too much alike, or units outgrow 64 bits.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, SumError> {
        entries.sort_by_key(|entry| entry.key);
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(SumError::Duplicate { key: pair[0].key });
        }
        let top = branch(&entries, 0, 0)?;
        Ok(Self { entries, top })
    }

    /// Root: what everything is bound by.
    pub fn root(&self) -> Sum {
        self.top.sum
    }

    /// Entries by ascending key.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry in whose range a unit lies, where its range begins, and its path. `None` beyond the last unit.
    pub fn at(&self, unit: u64) -> Option<(&Entry, u64, SumPath)> {
        let (mut branch, mut rest, mut start) = (&self.top, unit, 0);
        let mut siblings = Vec::new();
        loop {
            if rest >= branch.sum.units {
                return None;
            }
            match &branch.shape {
                Shape::Empty => return None,
                Shape::Entry(at) => {
                    siblings.reverse();
                    return Some((&self.entries[*at], start, SumPath(siblings)));
                }
                Shape::Fork(children) => {
                    let [left, right] = children.as_ref();
                    let sibling;
                    (branch, sibling) = if rest < left.sum.units { (left, right) } else { (right, left) };
                    if std::ptr::eq(branch, right) {
                        rest -= left.sum.units;
                        start += left.sum.units;
                    }
                    siblings.push(sibling.sum);
                }
            }
        }
    }
}

/// The branch over entries whose keys share their first `depth` bits. The first is number `at` of all.
fn branch(entries: &[Entry], at: usize, depth: usize) -> Result<Branch, SumError> {
    match entries {
        [] => Ok(Branch { sum: Sum::default(), shape: Shape::Empty }),
        [only] => Ok(Branch { sum: leaf(&only.key, only.units, &only.value), shape: Shape::Entry(at) }),
        [first, ..] if depth == MAX_DEPTH => Err(SumError::Depth { key: first.key }),
        _ => {
            let middle = entries.partition_point(|entry| !goes_right(&entry.key, depth));
            let left = branch(&entries[..middle], at, depth + 1)?;
            let right = branch(&entries[middle..], at + middle, depth + 1)?;
            let sum = fork(&left.sum, &right.sum).ok_or(SumError::Overflow)?;
            Ok(Branch { sum, shape: Shape::Fork(Box::new([left, right])) })
        }
    }
}

#[cfg(test)]
mod tests;
