//! The payout engine: from an epoch's totals to weights, payouts, reputation and claims (spec 7.4, 8, 9; chain spec
//! 3.3; economics notes).

mod actions;
mod check;
pub mod discovery;
pub mod payout;
mod settle;
mod tree;
mod types;
pub mod weight;

pub use actions::{Claim, FinaliseEpoch};
pub use check::DaprError;
pub(crate) use check::{claim, finalise, revenues_commitment};
pub use settle::{Inputs, SettleError, TakenOver, settle};
pub use tree::payout_root;
use tree::payout_tree;
pub use types::{ClaimNullifier, Payout, PayoutLeaf, Reputation, Settlement, SplitAmount, WorkFigures};

use crate::state::State;
use primitives::{EpochId, PersonId};

impl State {
    /// Every payout of a person that is on record and not claimed, each as the claim that pays it. None for an account
    /// on L1, which the vault there pays.
    pub fn claimable(&self, payee: &PersonId) -> Vec<Claim> {
        let unpaid = |leaf: &PayoutLeaf| {
            leaf.payee == *payee
                && payee.layer1_address().is_none()
                && self.claims.get(&(leaf.epoch, leaf.work, leaf.payee)).is_none()
        };
        self.settlements.iter().flat_map(|settlement| claims(settlement, unpaid)).collect()
    }

    /// Every claim of an epoch, in the order of its payout tree.
    pub fn claims_of_epoch(&self, epoch: EpochId) -> Vec<Claim> {
        self.settlements.get(&epoch).map_or_else(Vec::new, |settlement| claims(settlement, |_| true))
    }
}

/// Claims of the payouts of a settlement that are wanted, with their paths.
fn claims(settlement: &Settlement, wanted: impl Fn(&PayoutLeaf) -> bool) -> Vec<Claim> {
    if !settlement.leaves().any(|leaf| wanted(&leaf)) {
        return Vec::new();
    }
    let tree = payout_tree(settlement);
    let claim = |(position, leaf): (usize, PayoutLeaf)| Claim {
        epoch: leaf.epoch,
        work: leaf.work,
        payee: leaf.payee,
        amount: leaf.amount,
        path: tree.path(position).expect("a place of the list"),
    };
    settlement.leaves().enumerate().filter(|(_, leaf)| wanted(leaf)).map(claim).collect()
}
