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
pub use settle::{Inputs, SettleError, settle};
pub use tree::payout_root;
pub use types::{ClaimNullifier, Payout, PayoutLeaf, Reputation, Settlement, SplitAmount, WorkFigures};

use crate::{merkle::MerklePath, state::State};
use primitives::{EpochId, PersonId};

impl State {
    /// Every payout of a person that is on record and not claimed, each as the claim that pays it. None for an account
    /// on L1, which the vault there pays.
    pub fn claimable(&self, payee: &PersonId) -> Vec<Claim> {
        self.settlements.iter().flat_map(|settlement| self.claims_of(settlement, payee)).collect()
    }

    /// The claims that pay a person what an epoch owes them, claimed or not.
    pub fn claims_in(&self, epoch: EpochId, payee: &PersonId) -> Vec<Claim> {
        self.settlements.get(&epoch).map_or_else(Vec::new, |settlement| all_claims(settlement, Some(payee)))
    }

    /// Every claim of an epoch, in the order of its payout tree.
    pub fn claims_of_epoch(&self, epoch: EpochId) -> Vec<Claim> {
        self.settlements.get(&epoch).map_or_else(Vec::new, |settlement| all_claims(settlement, None))
    }

    fn claims_of(&self, settlement: &Settlement, payee: &PersonId) -> Vec<Claim> {
        let mut claims = all_claims(settlement, Some(payee));
        claims.retain(|claim| claim.payee.layer1_address().is_none());
        claims.retain(|claim| self.claims.get(&(claim.epoch, claim.work, claim.payee)).is_none());
        claims
    }
}

/// Claims of a settlement with their paths, for one payee or all.
fn all_claims(settlement: &Settlement, payee: Option<&PersonId>) -> Vec<Claim> {
    let wanted = |leaf: &PayoutLeaf| payee.is_none_or(|payee| leaf.payee == *payee);
    if !settlement.leaves().any(|leaf| wanted(&leaf)) {
        return Vec::new();
    }
    let hashed: Vec<_> = settlement.leaves().map(|leaf| leaf.hash()).collect();
    let claim = |(leaf, path): (PayoutLeaf, MerklePath)| Claim {
        epoch: leaf.epoch,
        work: leaf.work,
        payee: leaf.payee,
        amount: leaf.amount,
        path,
    };
    settlement.leaves().zip(tree::paths(&hashed)).filter(|(leaf, _)| wanted(leaf)).map(claim).collect()
}
