//! From units to credits: a part of the budget, in proportion, under three caps.

use super::{
    rules::{NodeRules, Schedule},
    types::{Contribution, Payee},
};
use crate::modules::dapr::payout::apportion;
use primitives::{BasisPoints, Credits, PersonId};
use ruint::aliases::U256;
use std::collections::BTreeMap;

/// What one node or person did of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// For what.
    pub payee: Payee,
    /// Who is paid.
    pub to: PersonId,
    /// Units that count.
    pub units: u64,
}

/// Units for which a schedule's rate stands.
const RATED_UNITS: u128 = 1_000_000;

impl Schedule {
    /// Most that so many units earn.
    fn most(&self, units: u64) -> Credits {
        let most = u128::from(units) * u128::from(self.rate.0) / RATED_UNITS;
        Credits(u64::try_from(most).unwrap_or(u64::MAX))
    }
}

impl NodeRules {
    /// Divides a kind's part of a budget, in the order given. What caps cut off is not given to others: it would make it
    /// worth while to keep others out.
    ///
    /// The parts are never more together than the kind's part.
    pub fn allocate(&self, budget: Credits, kind: Contribution, done: &[Done]) -> Vec<Credits> {
        let schedule = self.schedule(kind);
        let part = budget.share(schedule.share);
        let shares: Vec<_> = done.iter().map(|done| (done.payee, U256::from(done.units))).collect();
        let mut amounts = apportion(part, &shares);
        for (amount, done) in amounts.iter_mut().zip(done) {
            *amount = (*amount).min(schedule.most(done.units)).min(self.node_cap(part, kind));
        }
        // Chain spec 6.4: "Applies reward schedules and caps". An operator does not get around them with many nodes.
        let cap = self.operator_cap(part, kind);
        let mut by_operator: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
        for (place, done) in done.iter().enumerate() {
            by_operator.entry(done.to).or_default().push(place);
        }
        for places in by_operator.into_values() {
            let sum: Credits = places.iter().map(|place| amounts[*place]).sum();
            if sum > cap {
                let earned: Vec<_> =
                    places.iter().map(|at| (done[*at].payee, U256::from(amounts[*at].0))).collect();
                for (place, amount) in places.iter().zip(apportion(cap, &earned)) {
                    amounts[*place] = amount;
                }
            }
        }
        amounts
    }

    fn node_cap(&self, part: Credits, kind: Contribution) -> Credits {
        part.share(if is_office(kind) { BasisPoints::WHOLE } else { self.node_cap })
    }

    fn operator_cap(&self, part: Credits, kind: Contribution) -> Credits {
        part.share(if is_office(kind) { BasisPoints::WHOLE } else { self.operator_cap })
    }
}

/// Whether a kind is what few are seated for, so that a cap on one of them would only cut what all of them earn.
fn is_office(kind: Contribution) -> bool {
    matches!(kind, Contribution::Aggregation | Contribution::Sequencing | Contribution::Proving)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::node_rewards::types::NodeId;
    use proptest::prelude::*;

    fn done(node: u8, operator: u8, units: u64) -> Done {
        Done { payee: Payee::Node(NodeId([node; 32])), to: PersonId([operator; 32]), units }
    }

    fn rules(node_cap: u16, operator_cap: u16, share: u16, rate: u64) -> NodeRules {
        let points = |points| BasisPoints::new(points).expect("a part");
        NodeRules {
            node_cap: points(node_cap),
            operator_cap: points(operator_cap),
            storage: Schedule { share: points(share), rate: Credits(rate) },
            ..NodeRules::default()
        }
    }

    /// A rate that cuts nothing.
    const ANY: u64 = 1_000_000_000_000_000_000;

    #[test]
    fn each_cap_cuts_what_is_above_it() {
        let budget = Credits(20_000);
        let storage = |rules: &NodeRules, done: &[Done]| -> Vec<u64> {
            rules.allocate(budget, Contribution::Storage, done).iter().map(|amount| amount.0).collect()
        };
        let three = [done(1, 1, 60), done(2, 1, 30), done(3, 2, 10)];
        // Half of the budget, in proportion.
        assert_eq!(storage(&rules(10_000, 10_000, 5_000, ANY), &three), [6_000, 3_000, 1_000]);
        // No node more than four tenths of it, no operator more than a half.
        assert_eq!(storage(&rules(4_000, 10_000, 5_000, ANY), &three), [4_000, 3_000, 1_000]);
        assert_eq!(storage(&rules(4_000, 5_000, 5_000, ANY), &three), [2_857, 2_143, 1_000]);
        // A unit never more than its rate.
        assert_eq!(storage(&rules(10_000, 10_000, 5_000, 50_000_000), &three), [3_000, 1_500, 500]);
        assert_eq!(storage(&rules(10_000, 10_000, 5_000, 0), &three), [0, 0, 0]);
        assert_eq!(storage(&rules(10_000, 10_000, 5_000, ANY), &[]), [0; 0]);
    }

    #[test]
    fn who_is_seated_is_not_capped() {
        let rules = rules(1, 1, 0, 0);
        let parties = [done(1, 1, 1), done(2, 2, 1), done(3, 3, 1)];
        let paid = rules.allocate(Credits(3_000), Contribution::Aggregation, &parties);
        assert_eq!(paid, [Credits(100); 3]);
    }

    proptest! {
        #[test]
        fn nothing_is_paid_above_a_cap_and_never_more_than_the_budget(
            budget: u64,
            units in prop::collection::vec((0u8..6, prop_oneof![0u64..100, any::<u64>()]), 0..40),
            (node_cap, operator_cap) in (1u16..=10_000).prop_flat_map(|node| (Just(node), node..=10_000)),
            share in 0u16..=3_000,
            rate in 0..=ANY,
        ) {
            let rules = rules(node_cap, operator_cap, share, rate);
            let done: Vec<_> =
                units.iter().enumerate().map(|(n, (operator, units))| done(n as u8, *operator, *units)).collect();
            let paid = rules.allocate(Credits(budget), Contribution::Storage, &done);
            let part = Credits(budget).share(rules.storage.share);
            let sum = |paid: &mut dyn Iterator<Item = &Credits>| paid.map(|p| u128::from(p.0)).sum::<u128>();
            prop_assert!(sum(&mut paid.iter()) <= u128::from(part.0));
            for (paid, done) in paid.iter().zip(&done) {
                prop_assert!(*paid <= part.share(rules.node_cap) && *paid <= rules.storage.most(done.units));
            }
            for operator in 0..6 {
                let theirs = paid.iter().zip(&done).filter(|(_, done)| done.to.0[0] == operator);
                prop_assert!(sum(&mut theirs.map(|(paid, _)| paid)) <= u128::from(part.share(rules.operator_cap).0));
            }
        }
    }
}
