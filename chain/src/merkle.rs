//! A Poseidon tree over a list of known length, such as an epoch's payouts.
//!
//! The list is padded with [`EMPTY`] to the next power of two, inner nodes are [`hash2`], and the root is the hash of
//! the list's length and the node at the top. The length in the root says which positions exist, so padding never
//! passes for an entry, and a path is exactly as long as the length demands. Leaves are hashes of their own domain,
//! which never are inner nodes (see [`crate::poseidon`]).

use crate::poseidon::{Felt, FeltDomain, hash_many, hash2, wire};
use ark_ff::AdditiveGroup;
use primitives::{CodecError, Decode, Encode, Reader, Writer};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The leaf that pads a list, and that unused positions of the state tree hold. Nobody knows an input that hashes to it.
pub const EMPTY: Felt = Felt::ZERO;

/// Nodes of a level from which on it is worth spreading over threads.
pub(crate) const PARALLEL_NODES: usize = 64;

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// The list has no such position.
    #[error("position {position} of a list of {count}")]
    Position {
        /// The path's position.
        position: u32,
        /// The path's number of leaves.
        count: u32,
    },
    /// The path is not as long as a list of this length demands.
    #[error("{found} siblings, but a path through a list of {count} has {expected}")]
    PathLength {
        /// The path's number of leaves.
        count: u32,
        /// Siblings that such a list demands.
        expected: usize,
        /// Siblings that the path has.
        found: usize,
    },
}

/// Node that `node` at `position` leads to by `siblings`, the lowest first. Bit `i` of the position says whether the
/// node at height `i` is the right one of its pair.
pub fn climb(node: Felt, position: u32, siblings: &[Felt]) -> Felt {
    let bits = std::iter::successors(Some(position), |rest| Some(rest >> 1)).map(|rest| rest & 1 == 1);
    siblings.iter().zip(bits).fold(
        node,
        |node, (sibling, right)| if right { hash2(*sibling, node) } else { hash2(node, *sibling) },
    )
}

/// Levels between a leaf and the top of a list of `count` leaves.
pub const fn depth(count: u32) -> usize {
    if count <= 1 { 0 } else { (u32::BITS - (count - 1).leading_zeros()) as usize }
}

/// Every level of the padded tree from `leaves` up to the single node at the top.
fn levels(leaves: &[Felt]) -> Vec<Vec<Felt>> {
    let mut bottom = leaves.to_vec();
    bottom.resize(leaves.len().next_power_of_two(), EMPTY);
    let mut levels = vec![bottom];
    while let Some(below) = levels.last().filter(|level| level.len() > 1) {
        let (pairs, _) = below.as_chunks::<2>();
        let above =
            pairs.par_iter().with_min_len(PARALLEL_NODES).map(|[left, right]| hash2(*left, *right)).collect();
        levels.push(above);
    }
    levels
}

/// Number of leaves as a path holds it. Lists are bounded far below 2^32.
fn count(leaves: &[Felt]) -> u32 {
    u32::try_from(leaves.len()).expect("lists are bounded far below 2^32")
}

fn bind(count: u32, top: Felt) -> Felt {
    hash_many(FeltDomain::ListRoot, &[Felt::from(count), top])
}

/// Root of a list of leaves. The empty list has one too. Panics from 2^32 leaves on.
pub fn root(leaves: &[Felt]) -> Felt {
    bind(count(leaves), levels(leaves).last().map_or(EMPTY, |top| top[0]))
}

/// Path of the leaf at `position`, if the list is that long.
pub fn path(leaves: &[Felt], position: usize) -> Option<MerklePath> {
    Tree::of(leaves).path(position)
}

/// A list that is hashed once, for many paths.
#[derive(Clone, Debug)]
pub struct Tree {
    count: u32,
    levels: Vec<Vec<Felt>>,
}

impl Tree {
    /// Hashes a list. Panics from 2^32 leaves on.
    pub fn of(leaves: &[Felt]) -> Self {
        Self { count: count(leaves), levels: levels(leaves) }
    }

    /// Path of the leaf at `position`, if the list is that long.
    pub fn path(&self, position: usize) -> Option<MerklePath> {
        let count = self.count;
        let position = u32::try_from(position).ok().filter(|position| *position < count)?;
        let below_top = self.levels[..self.levels.len() - 1].iter().enumerate();
        let siblings = below_top.map(|(height, level)| level[(position >> height ^ 1) as usize]).collect();
        Some(MerklePath { position, count, siblings })
    }
}

/// Where a leaf stands in a list, and how it leads to the list's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerklePath {
    /// The leaf's position.
    pub position: u32,
    /// Leaves in the list.
    pub count: u32,
    /// Sibling nodes, the lowest first: [`depth`] of the count.
    #[serde(with = "wire::hex_seq")]
    pub siblings: Vec<Felt>,
}

impl MerklePath {
    fn check(&self) -> Result<(), MerkleError> {
        let Self { position, count, .. } = *self;
        if position >= count {
            return Err(MerkleError::Position { position, count });
        }
        let (expected, found) = (depth(count), self.siblings.len());
        if found == expected { Ok(()) } else { Err(MerkleError::PathLength { count, expected, found }) }
    }

    /// The root that `leaf` leads to. Errors if no list has such a path.
    pub fn root(&self, leaf: Felt) -> Result<Felt, MerkleError> {
        self.check()?;
        Ok(bind(self.count, climb(leaf, self.position, &self.siblings)))
    }
}

impl Encode for MerklePath {
    fn encode(&self, w: &mut Writer) {
        self.position.encode(w);
        self.count.encode(w);
        wire::put_seq(w, &self.siblings);
    }
}

impl Decode for MerklePath {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (position, count) = (u32::decode(r)?, u32::decode(r)?);
        let path = Self { position, count, siblings: wire::take_seq(r, depth(count))? };
        path.check().map_err(|_| CodecError::Invalid { what: "path through a list" })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poseidon::tests::felt;
    use ark_ff::Field;
    use proptest::prelude::*;

    /// The definition: halves, recursively.
    fn naive(leaves: &[Felt]) -> Felt {
        match leaves {
            [only] => *only,
            _ => {
                let (left, right) = leaves.split_at(leaves.len() / 2);
                hash2(naive(left), naive(right))
            }
        }
    }

    fn list(n: u64) -> Vec<Felt> {
        (1..=n).map(Felt::from).collect()
    }

    /// All paths at once, level by level.
    fn paths(leaves: &[Felt]) -> Vec<MerklePath> {
        let count = count(leaves);
        let mut level = leaves.to_vec();
        level.resize(leaves.len().next_power_of_two(), EMPTY);
        let mut paths: Vec<MerklePath> =
            (0..count).map(|position| MerklePath { position, count, siblings: Vec::new() }).collect();
        let mut height = 0;
        while level.len() > 1 {
            for path in &mut paths {
                path.siblings.push(level[(path.position >> height ^ 1) as usize]);
            }
            level = level.as_chunks::<2>().0.iter().map(|[left, right]| hash2(*left, *right)).collect();
            height += 1;
        }
        paths
    }

    #[test]
    fn all_paths_at_once_are_the_paths_one_by_one() {
        for n in 0..10 {
            let leaves = list(n);
            let each: Vec<_> = (0..leaves.len()).filter_map(|i| path(&leaves, i)).collect();
            assert_eq!(paths(&leaves), each);
            let tree = Tree::of(&leaves);
            assert_eq!((0..leaves.len()).filter_map(|i| tree.path(i)).collect::<Vec<_>>(), each);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_position_has_a_path_to_the_root(leaves in prop::collection::vec(felt(), 1..20)) {
            let mut padded = leaves.clone();
            padded.resize(leaves.len().next_power_of_two(), EMPTY);
            let root = root(&leaves);
            prop_assert_eq!(root, bind(count(&leaves), naive(&padded)));
            for (i, leaf) in leaves.iter().enumerate() {
                let path = path(&leaves, i).expect("in the list");
                prop_assert_eq!(path.root(*leaf), Ok(root));
                prop_assert_eq!(MerklePath::from_bytes(&path.to_bytes()), Ok(path.clone()));
                let text = serde_json::to_string(&path).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<MerklePath>(&text).expect("JSON"), path);
            }
            prop_assert_eq!(path(&leaves, leaves.len()), None);
        }
    }

    #[test]
    fn every_field_of_a_path_counts() {
        let leaves = list(11);
        let (path, top) = (path(&leaves, 6).expect("in the list"), root(&leaves));
        assert_eq!(path.root(leaves[6]), Ok(top));
        assert_ne!(path.root(leaves[7]), Ok(top));
        for position in (0..11).filter(|p| *p != 6) {
            assert_ne!(
                MerklePath { position, ..path.clone() }.root(leaves[6]),
                Ok(top),
                "position {position}"
            );
        }
        for count in (9..=16).filter(|c| *c != 11) {
            assert_ne!(MerklePath { count, ..path.clone() }.root(leaves[6]), Ok(top), "count {count}");
        }
        for i in 0..path.siblings.len() {
            let mut other = path.clone();
            other.siblings[i] += Felt::ONE;
            assert_ne!(other.root(leaves[6]), Ok(top), "sibling {i}");
        }
    }

    #[test]
    fn a_path_that_no_list_has_is_refused() {
        let path = path(&list(11), 6).expect("in the list");
        let beyond = MerklePath { position: 11, ..path.clone() };
        assert_eq!(beyond.root(EMPTY), Err(MerkleError::Position { position: 11, count: 11 }));
        let mut short = path.clone();
        short.siblings.pop();
        let refused = MerkleError::PathLength { count: 11, expected: 4, found: 3 };
        assert_eq!(short.root(EMPTY), Err(refused));
        let mut long = path.clone();
        long.siblings.push(EMPTY);
        assert_eq!(long.root(EMPTY), Err(MerkleError::PathLength { count: 11, expected: 4, found: 5 }));
        for wrong in [beyond, short] {
            let invalid = CodecError::Invalid { what: "path through a list" };
            assert_eq!(MerklePath::from_bytes(&wrong.to_bytes()), Err(invalid));
        }
        assert_eq!(MerklePath::from_bytes(&long.to_bytes()), Err(CodecError::TooLong { count: 5, limit: 4 }));
    }

    #[test]
    fn padding_is_not_an_entry_and_lengths_do_not_collide() {
        let mut longer = list(3);
        longer.push(EMPTY);
        assert_ne!(root(&list(3)), root(&longer));
        assert_ne!(root(&[]), root(&[EMPTY]));
        assert_eq!(path(&[], 0), None);
        assert_eq!([0, 1, 2, 3, 4, 5, u32::MAX].map(depth), [0, 0, 1, 2, 2, 3, 32]);
    }
}
