//! The payout tree: its root, and all paths at once.

use super::types::Settlement;
use crate::merkle::{self, EMPTY, MerklePath};
use crate::poseidon::{Felt, hash2};

/// Root of an epoch's payout tree.
pub fn payout_root(settlement: &Settlement) -> Felt {
    let leaves: Vec<Felt> = settlement.leaves().map(|leaf| leaf.hash()).collect();
    merkle::root(&leaves)
}

/// Path of every leaf of a list, in order: what [`merkle::path`] gives for each, with the tree hashed once.
pub(super) fn paths(leaves: &[Felt]) -> Vec<MerklePath> {
    let count = u32::try_from(leaves.len()).expect("payouts are bounded by works times splits");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_paths_at_once_are_the_paths_one_by_one() {
        for n in 0..10u64 {
            let leaves: Vec<Felt> = (1..=n).map(Felt::from).collect();
            let each: Vec<_> = (0..leaves.len()).filter_map(|i| merkle::path(&leaves, i)).collect();
            assert_eq!(paths(&leaves), each);
        }
    }
}
