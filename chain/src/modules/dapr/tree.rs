//! The payout tree, and its root.

use super::types::Settlement;
use crate::{
    merkle::{self, Tree},
    poseidon::Felt,
};

fn leaves(settlement: &Settlement) -> Vec<Felt> {
    settlement.leaves().map(|leaf| leaf.hash()).collect()
}

/// Root of an epoch's payout tree.
pub fn payout_root(settlement: &Settlement) -> Felt {
    merkle::root(&leaves(settlement))
}

/// An epoch's payout tree.
pub(super) fn payout_tree(settlement: &Settlement) -> Tree {
    Tree::of(&leaves(settlement))
}
