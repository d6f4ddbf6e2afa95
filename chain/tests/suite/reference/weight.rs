//! How much a proposal weighs, and how many councillors it takes.

use super::{
    eco::Asset,
    model::{DAY, Model, later, threshold},
};
use chain::modules::{
    governance::{Action, Outcome, Parameter, Path},
    treasury::Fund,
    work_registry::Removal,
};
use primitives::{PersonId, Time};

/// Sums that ordinary decisions take from a fund in half a year count together.
const HALF_A_YEAR: i128 = 182 * DAY;

/// What an action takes from which fund.
fn takes(action: &Action) -> Option<(Fund, i128)> {
    match action {
        Action::Spend(spend) => Some((spend.fund, spend.amount.0.into())),
        Action::AcquireAsset(bought) => Some((Fund::Eco, bought.cost.0.into())),
        _ => None,
    }
}

impl Model {
    /// What weighs much takes a larger majority and the council; what is about the council takes the former alone.
    pub(super) fn path(&self, action: &Action) -> Path {
        let large = |amount: u64| i128::from(amount) >= self.rule("governance.large");
        let weighs = match action {
            Action::Recall(_) => return Path::People,
            Action::Spend(_) | Action::AcquireAsset(_) => {
                let (fund, amount) = takes(action).expect("both do");
                amount + self.taken_lately(fund) >= self.rule("governance.large")
            }
            // At whatever price: what is given away weighs as much as what is sold.
            Action::OfferAsset(offered) => {
                let worth = |asset: &Asset| asset.cost.0.max(asset.valued.0.value.0);
                large(self.assets.get(&offered.asset).map_or(0, worth).max(offered.offer.price.0))
            }
            Action::WithdrawOffer(_) | Action::ApproveValuation(_) | Action::RejectValuation(_) => false,
            Action::ApproveService(_) | Action::WithdrawService(_) => false,
            Action::SetParameters(set) => set.changes.iter().any(|change| !is_ordinary(change.parameter)),
            Action::RemoveWork(remove) => remove.removal == Removal::Removed,
            Action::SetOffices(_) | Action::Upgrade(_) | Action::Resolve(_) => true,
        };
        if weighs { Path::High } else { Path::Ordinary }
    }

    /// What ordinary decisions that were proposed lately took from a fund.
    fn taken_lately(&self, fund: Fund) -> i128 {
        let mut taken = 0;
        for proposal in self.proposals.values() {
            let lately = self.now < later(proposal.created, HALF_A_YEAR);
            if lately && proposal.outcome == Outcome::Enacted && proposal.path == Path::Ordinary {
                taken += takes(&proposal.action).map_or(0, |(from, sum)| if from == fund { sum } else { 0 });
            }
        }
        taken
    }

    /// A part of the seats, or of those who sit if they are more, rounded up; and more than half of them.
    pub(super) fn councillors_needed(&self, rule: &str) -> i128 {
        let sitting = self.council.keys().filter(|person| self.sits(**person)).count() as i128;
        let council = self.rule("governance.council_seats").max(sitting);
        threshold(council, self.rule(&format!("governance.{rule}"))).max(council / 2 + 1)
    }

    /// Whether somebody sits by an election that was not over at a moment.
    pub(super) fn elected_after(&self, person: PersonId, moment: Time) -> bool {
        let election = self.council.get(&person).and_then(|seat| self.elections.get(&seat.election));
        election.is_some_and(|election| election.vote_until > moment)
    }
}

/// What any vote may change: not what divides money, bounds what one may earn, takes bonds, or says what counts.
fn is_ordinary(parameter: Parameter) -> bool {
    let economic = ["k", "price_max", "fees.transaction", "eco.report_age"];
    let of_nodes = ["bond", "notice", "samples", "replicas", "witnesses", "uptime_floor"];
    let name = parameter.name();
    economic.contains(&name) || name.strip_prefix("nodes.").is_some_and(|name| of_nodes.contains(&name))
}
