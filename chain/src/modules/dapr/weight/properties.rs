//! What must hold of payouts (economics notes, section 3), one property a test.

use super::{arbitrary, *};
use crate::modules::dapr::payout::largest_remainder;
use primitives::{Credits, params::q32};
use proptest::{collection::vec, prelude::*};

fn payouts(params: &GovernanceParams, pool: u64, usage: &[WorkUsage]) -> Vec<u64> {
    let weights = weights(params, usage).expect("valid usage");
    let shares: Vec<_> = weights.iter().map(|w| (w.work, w.weight)).collect();
    largest_remainder(Credits(pool), &shares).into_iter().map(|payout| payout.0).collect()
}

/// `U`, `B` and `P` of a work.
type Work = (u64, u64, u64);

/// Payouts of weights that were computed from `U`, `B` and `P` alone.
fn payouts_of(params: &GovernanceParams, pool: u64, works: &[Work]) -> Vec<u64> {
    let weight = |(u, b, p): &Work| priced(params, *u, *b, *p);
    let shares: Vec<_> =
        works.iter().map(weight).enumerate().map(|(n, w)| (arbitrary::work_id(n as u64), w)).collect();
    largest_remainder(Credits(pool), &shares).into_iter().map(|payout| payout.0).collect()
}

/// Asserts that payouts differ by one rounding each, and `2^-28` of the pool: weights are exact to a relative
/// `2^-30` in both runs.
fn assert_same(pool: u64, left: &[u64], right: &[u64]) {
    assert_eq!(left.len(), right.len());
    for (l, r) in left.iter().zip(right) {
        assert!(l.abs_diff(*r) <= 2 + (pool >> 28), "{l} and {r} of {pool}");
    }
}

/// A pool of up to 2^44 micro-credits.
fn pool() -> impl Strategy<Value = u64> {
    (0u64..1 << 44, 0u32..44).prop_map(|(pool, cut)| pool >> cut)
}

/// Usage, credibility and price of some works, small enough to be scaled by eight.
fn triples() -> impl Strategy<Value = Vec<Work>> {
    let usage = (0u64..1 << 50, 0u32..30).prop_map(|(u, cut)| u >> cut);
    vec((usage, q32(1, 10)..=q32(2, 10), q32(1, 10)..=q32(10, 1)), 1..12)
}

proptest! {
    #[test]
    fn budgets_balance_to_the_unit(
        params in arbitrary::params(), normal: bool, works in arbitrary::works(20), pool: u64,
    ) {
        let params = GovernanceParams { price_normalised: normal, ..params };
        let paid: u128 = payouts(&params, pool, &works).into_iter().map(u128::from).sum();
        let used = works.iter().any(|w| w.value > 0);
        prop_assert_eq!(paid, if used { u128::from(pool) } else { 0 });
    }

    #[test]
    fn renaming_works_renames_payouts(
        params in arbitrary::params(), normal: bool, works in arbitrary::works(12), pool in pool(), turn in 0usize..12,
    ) {
        // Weights do not see names at all; payouts do where remainders are equal.
        let params = GovernanceParams { price_normalised: normal, ..params };
        let mut renamed = works.clone();
        renamed.rotate_left(turn % works.len());
        for (n, work) in renamed.iter_mut().enumerate() {
            work.work = arbitrary::work_id(1_000 - n as u64);
        }
        let weigh = |works: &[WorkUsage]| -> Vec<_> {
            weights(&params, works).expect("valid").into_iter().map(|w| w.weight).collect()
        };
        let (mut before, after) = (weigh(&works), weigh(&renamed));
        before.rotate_left(turn % works.len());
        prop_assert_eq!(before, after);
        let (mut before, after) = (payouts(&params, pool, &works), payouts(&params, pool, &renamed));
        before.rotate_left(turn % works.len());
        for (b, a) in before.iter().zip(after) {
            prop_assert!(b.abs_diff(a) <= 1);
        }
    }

    #[test]
    fn a_null_work_earns_nothing_and_changes_nothing(
        params in arbitrary::params(), normal: bool, mut works in arbitrary::works(12), pool: u64,
    ) {
        let params = GovernanceParams { price_normalised: normal, ..params };
        let before = payouts(&params, pool, &works);
        works.push(WorkUsage { value: 0, ..arbitrary::usage(u64::MAX, &[1, 2], 3) });
        let mut after = payouts(&params, pool, &works);
        prop_assert_eq!(after.pop(), Some(0));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn scaling_usage_credibility_or_price_of_all_changes_nothing(
        params in arbitrary::params(), works in triples(), pool in pool(), factor in 2u64..=8,
    ) {
        let before = payouts_of(&params, pool, &works);
        let scaled = |scale: fn(u64, Work) -> Work| {
            let works: Vec<_> = works.iter().map(|w| scale(factor, *w)).collect();
            payouts_of(&params, pool, &works)
        };
        assert_same(pool, &before, &scaled(|f, (u, b, p)| (f * u, b, p)));
        assert_same(pool, &before, &scaled(|f, (u, b, p)| (u, f * b, p)));
        assert_same(pool, &before, &scaled(|f, (u, b, p)| (u, b, f * p)));
    }

    #[test]
    fn more_usage_credibility_or_price_never_earns_less(
        params in arbitrary::params(), mut works in triples(), pool: u64, step in 1u64..1 << 32, cut in 0u32..32,
    ) {
        let before = payouts_of(&params, pool, &works)[0];
        let step = (step >> cut).max(1);
        let (u, b, p) = works[0];
        for raised in [(u + step, b, p), (u, b + step, p), (u, b, p + step)] {
            works[0] = raised;
            prop_assert!(payouts_of(&params, pool, &works)[0] >= before);
        }
    }

    #[test]
    fn more_receipts_or_wider_ones_never_lower_credibility(
        params in arbitrary::params(), n in 0u64..1 << 20, more in 0u64..1 << 20, unbacked in 0u64..1 << 20,
    ) {
        let credit = |work: WorkUsage| weights(&params, &[work]).expect("valid")[0].bandwidth;
        let views = 8 * (n + more) + unbacked;
        let narrow = credit(arbitrary::usage(1, &[8 * n], views - 8 * n));
        let two = credit(arbitrary::usage(1, &[4 * n; 2], views - 8 * n));
        let wide = credit(arbitrary::usage(1, &[n; 8], views - 8 * n));
        let often = credit(arbitrary::usage(1, &[n + more; 8], unbacked));
        prop_assert!(params.b_min <= narrow && narrow <= two && two <= wide && wide <= often && often < 2 * ONE_Q32);
    }

    #[test]
    fn ratios_of_payouts_are_ratios_of_weights(
        params in arbitrary::params(), normal: bool, works in arbitrary::works(12), pool: u64,
    ) {
        let params = GovernanceParams { price_normalised: normal, ..params };
        let weights = weights(&params, &works).expect("valid");
        let payouts = payouts(&params, pool, &works);
        let total: U256 = weights.iter().fold(U256::ZERO, |sum, w| sum + w.weight);
        for (weight, payout) in weights.iter().zip(payouts) {
            // |payout * total - pool * weight| < total: each payout is within a unit of its exact part
            let (left, right) = (U256::from(payout) * total, U256::from(pool) * weight.weight);
            prop_assert!(total.is_zero() || left.abs_diff(right) < total);
        }
    }

    #[test]
    fn splitting_the_events_of_a_work_pays_nothing(
        params in arbitrary::params(), mut works in triples(), pool: u64, cut in 0u64..=1 << 16,
    ) {
        let params = GovernanceParams { alpha: ONE_Q32, ..params };
        let whole = payouts_of(&params, pool, &works)[0];
        let (u, b, p) = works[0];
        let first = ((u128::from(u) * u128::from(cut)) >> 16) as u64;
        works[0].0 = first;
        works.push((u - first, b, p));
        let split = payouts_of(&params, pool, &works);
        let sum = split[0] + split[works.len() - 1];
        // two floors in place of one, and 2^-44 for the two weights' own roundings
        prop_assert!(sum.abs_diff(whole) <= 3 + (pool >> 43), "{sum} in place of {whole}");
    }

    #[test]
    fn normalised_category_totals_do_not_depend_on_prices(
        params in arbitrary::params(), works in arbitrary::works(12), prices in vec(arbitrary::price(), 12),
    ) {
        let params = GovernanceParams { price_normalised: true, ..params };
        let totals = |works: &[WorkUsage]| {
            let mut totals = BTreeMap::<CategoryId, U256>::new();
            for (usage, weight) in works.iter().zip(weights(&params, works).expect("valid")) {
                *totals.entry(usage.category).or_default() += weight.weight;
            }
            totals
        };
        let before = totals(&works);
        let repriced: Vec<_> =
            works.iter().zip(prices).map(|(work, price)| WorkUsage { price, ..work.clone() }).collect();
        for (category, total) in totals(&repriced) {
            // one unit of 2^-82 for each work
            prop_assert!(total.abs_diff(before[&category]) <= U256::from(works.len()));
        }
    }
}
