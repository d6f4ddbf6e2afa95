//! What must hold of every state, computed from its records alone: no guard of the ledger takes part.

use chain::modules::{
    dapr::Settlement,
    eco_reserve::recount,
    treasury::Fund,
    usage::{Epoch, Phase},
};
use chain::state::State;
use primitives::Credits;

fn sum(amounts: impl IntoIterator<Item = Credits>) -> i128 {
    amounts.into_iter().map(|amount| i128::from(amount.0)).sum()
}

fn fund(state: &State, fund: Fund) -> i128 {
    state.funds.get(&fund).map_or(0, |found| found.balance.0.into())
}

/// Panics with the identity that does not hold.
pub(crate) fn check(state: &State) {
    let supply = state.total_supply();
    let held = sum(state.accounts.iter().map(|a| a.balance)) + sum(state.funds.iter().map(|f| f.balance));
    assert_eq!(i128::from(supply.minted.0), held + i128::from(supply.burnt.0), "minted = held + burnt");
    let paid_in = sum(state.deposits.iter().map(|deposit| deposit.amount));
    let reported = sum(state.revenues.iter().map(|tier| tier.revenue));
    assert_eq!(i128::from(supply.minted.0), paid_in + reported, "minted = paid in + revenue");
    let redeemed = sum(state.redemptions.iter().map(|redemption| redemption.amount));
    assert_eq!(i128::from(supply.burnt.0), redeemed, "burnt = redeemed");
    epochs(state);
    payouts(state);
    reserve(state);
    nodes(state);
}

fn revenue(state: &State, epoch: &Epoch) -> i128 {
    sum(state.revenues.iter().filter(|tier| tier.epoch == epoch.epoch).map(|tier| tier.revenue))
}

/// Chain spec 3.3: total revenue, total fees, total creator payout, shares of Eco-Reserve and infrastructure.
fn epochs(state: &State) {
    let (mut unsettled, mut carried) = (0, 0);
    for epoch in state.epochs.iter() {
        let brought = revenue(state, epoch);
        match (&epoch.summary, epoch.phase) {
            (Some(s), _) => {
                let n = |amount: Credits| i128::from(amount.0);
                assert_eq!(n(s.revenue), brought, "revenue of epoch {}", epoch.epoch);
                assert_eq!(
                    brought,
                    n(s.fee) + n(s.eco) + n(s.infra) + n(s.creators),
                    "shares of {}",
                    epoch.epoch
                );
                assert_eq!(
                    n(s.paid) + n(s.carried_out),
                    n(s.creators) + n(s.carried_in),
                    "pool of {}",
                    epoch.epoch
                );
                carried += n(s.carried_out) - n(s.carried_in);
            }
            (None, Phase::Abandoned) => carried += brought,
            (None, _) => unsettled += brought,
        }
    }
    assert_eq!(fund(state, Fund::Revenue), unsettled, "revenue that is not settled");
    assert_eq!(fund(state, Fund::Carried), carried, "what is carried on");
}

fn payouts(state: &State) {
    let (mut here, mut on_layer1) = (0, 0);
    for settlement in state.settlements.iter() {
        let summary = state.epochs.get(&settlement.epoch).and_then(|epoch| epoch.summary.as_ref());
        let paid = summary.expect("settled").paid;
        assert_eq!(
            sum(settlement.leaves().map(|leaf| leaf.amount)),
            paid.0.into(),
            "leaves of a payout tree"
        );
        assert_eq!(sum(settlement.works.iter().map(|work| work.payout)), paid.0.into(), "payouts of works");
        let (elsewhere, owed) = owed(state, settlement);
        here += owed;
        on_layer1 += elsewhere;
    }
    assert_eq!(fund(state, Fund::Unclaimed), here, "what is owed and not claimed");
    assert_eq!(fund(state, Fund::Layer1), on_layer1, "what is owed on L1");
}

/// What a settlement owes on L1, and here to those who have not claimed it.
fn owed(state: &State, settlement: &Settlement) -> (i128, i128) {
    let (mut there, mut here) = (0, 0);
    for leaf in settlement.leaves() {
        let claimed = state.claims.get(&(leaf.epoch, leaf.work, leaf.payee)).is_some();
        match (leaf.payee.layer1_address(), claimed) {
            (Some(_), claimed) => {
                assert!(!claimed, "the vault pays this");
                there += i128::from(leaf.amount.0);
            }
            (None, false) => here += i128::from(leaf.amount.0),
            (None, true) => {}
        }
    }
    (there, here)
}

fn reserve(state: &State) {
    let again = recount(state.eco_events.iter(), state.eco_received()).expect("a whole journal");
    assert_eq!(
        again.fund,
        fund(state, Fund::Eco).try_into().expect("not negative"),
        "the Eco-Reserve's fund"
    );
    assert!(again.assets.values().eq(state.eco_assets.iter()), "ecological assets");
}

fn nodes(state: &State) {
    let bonds = state.nodes.iter().filter(|node| !node.returned).map(|node| node.bond);
    assert_eq!(fund(state, Fund::Bonds), sum(bonds), "bonds of nodes");
    let mut owed = 0;
    for scores in state.scores.iter() {
        let total = sum(scores.rewards.iter().map(|reward| reward.amount()));
        assert_eq!(total, scores.owed.0.into(), "rewards of epoch {}", scores.epoch);
        assert!(scores.owed <= scores.budget, "budget of epoch {}", scores.epoch);
        let unclaimed = |payee| state.reward_claims.get(&(scores.epoch, payee)).is_none();
        let open = scores.rewards.iter().filter(|reward| unclaimed(reward.payee));
        owed += sum(open.map(|reward| reward.amount()));
    }
    assert_eq!(fund(state, Fund::NodeRewards), owed, "rewards that are not claimed");
}
