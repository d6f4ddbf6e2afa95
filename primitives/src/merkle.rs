//! Binary Merkle trees over SHA-512/256, for lists that are bound off the chain: batches of bundles, registry shards.
//!
//! The shape is that of RFC 6962 section 2.1: a tree of n > 1 leaves splits at the largest power of two below n.
//! Leaves and nodes have domains of their own, so neither passes for the other.

use crate::{Digest, Domain, hash};

/// Hash of a leaf's bytes.
pub fn leaf(bytes: &[u8]) -> Digest {
    hash::hash(Domain::MerkleLeaf, &[bytes])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash::hash(Domain::MerkleNode, &[&left.0, &right.0])
}

/// Largest power of two below `n`, for `n > 1`.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// Root over leaf hashes.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => hash::hash(Domain::MerkleEmpty, &[]),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// Sibling hashes from the leaf at `index` up to the root. Panics if there is no such leaf.
pub fn path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    assert!(index < leaves.len(), "leaf {index} of {}", leaves.len());
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut siblings, sibling) = if index < left.len() {
        (path(left, index), root(right))
    } else {
        (path(right, index - left.len()), root(left))
    };
    siblings.push(sibling);
    siblings
}

/// Root that `leaf` at `index` of `count` leaves leads to by `siblings`, or `None` if their number is wrong.
pub fn root_from_path(leaf: Digest, index: usize, count: usize, siblings: &[Digest]) -> Option<Digest> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return siblings.is_empty().then_some(leaf);
    }
    let (last, rest) = siblings.split_last()?;
    let at = split(count);
    if index < at {
        Some(node(&root_from_path(leaf, index, at, rest)?, last))
    } else {
        Some(node(last, &root_from_path(leaf, index - at, count - at, rest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: usize) -> Vec<Digest> {
        (0..n).map(|i| leaf(&i.to_le_bytes())).collect()
    }

    proptest! {
        #[test]
        fn every_leaf_has_a_path_and_no_other_leaf_does(n in 1usize..70, at: usize, other: usize) {
            let (at, other) = (at % n, other % n);
            let leaves = leaves(n);
            let siblings = path(&leaves, at);
            let found = root_from_path(leaves[at], at, n, &siblings);
            prop_assert_eq!(found, Some(root(&leaves)));
            if other != at {
                prop_assert_ne!(root_from_path(leaves[other], at, n, &siblings), Some(root(&leaves)));
            }
            let mut longer = siblings.clone();
            longer.push(leaves[at]);
            prop_assert_ne!(root_from_path(leaves[at], at, n, &longer), Some(root(&leaves)));
        }
    }

    #[test]
    fn a_node_is_not_a_leaf() {
        let two = leaves(2);
        let bytes = [two[0].0, two[1].0].concat();
        assert_ne!(leaf(&bytes), root(&two));
    }
}
