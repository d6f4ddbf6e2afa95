//! Ecosystem health of an epoch: how much was used, and how widely its money went (spec 1; economics notes, 2b).

use primitives::{
    CategoryId, Credits, codec_struct,
    fixed_point::{Q32_BITS, exp2_q32, log2_q32},
    params::ONE_Q32,
};
use ruint::aliases::U256;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, num::NonZero};

/// What an epoch knows of itself besides its payouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochFacts {
    /// Works that take part in the epoch.
    pub active_works: u64,
    /// Persons who were paid.
    pub creators_paid: u64,
    /// Subscriptions sold.
    pub subscribers: u64,
    /// Views of published cells.
    pub events: u64,
}

/// A published work, with what it was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkPayout {
    /// Its category.
    pub category: CategoryId,
    /// Its usage, in 2^-18 views.
    pub value: u64,
    /// Its views.
    pub views: u64,
    /// Those that receipts back.
    pub backed: u64,
    /// What it was paid.
    pub payout: Credits,
}

/// A category's part of the creator pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryShare {
    /// The category.
    pub category: CategoryId,
    /// Its part, Q32.
    pub share: u64,
}

codec_struct!(CategoryShare { category, share });

/// Indicators of an epoch (economics notes, section 2b). Ratios are Q32 and rounded down; a ratio over nothing is 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Works that take part in the epoch. How many of them have usage that is not published, nobody knows.
    pub active_works: u64,
    /// Works with published usage.
    pub published_works: u64,
    /// Persons who were paid.
    pub creators_paid: u64,
    /// Subscriptions sold.
    pub subscribers: u64,
    /// Views of published cells.
    pub events: u64,
    /// Gini coefficient of payouts over published works, Q32: 0 if all earn alike, near 1 if one earns all.
    pub gini: u64,
    /// Part of the pool that goes to the best-paid hundredth of published works, at least one, Q32.
    pub top_percent_share: u64,
    /// Effective number of works, `exp` of the entropy of payouts (a Hill number of order 1), Q32: as many works,
    /// paid alike, would be as diverse. Its relative error is below `2^-30`.
    pub effective_works: u64,
    /// Part of published views that receipts back, Q32.
    pub backed_share: u64,
    /// Part of the pool by category, by ascending category, for those with published works.
    pub categories: Vec<CategoryShare>,
}

/// Computes the indicators. No overflow for fewer than 2^32 works whose views and payouts fit 64 bits each: sums of
/// values and payouts are below 2^96, and ranks and logarithms weigh them by less than 2^32 or take 256 bits.
pub fn health(facts: &EpochFacts, works: &[WorkPayout]) -> Health {
    let sum = |part: fn(&WorkPayout) -> u64| works.iter().map(|w| u128::from(part(w))).sum::<u128>();
    let mut payouts: Vec<u64> = works.iter().map(|w| w.payout.0).collect();
    payouts.sort_unstable();
    let pool = sum(|w| w.payout.0);
    let mut categories = BTreeMap::<CategoryId, u128>::new();
    for work in works {
        *categories.entry(work.category).or_default() += u128::from(work.payout.0);
    }
    let best = &payouts[payouts.len() - payouts.len().div_ceil(100)..];
    Health {
        active_works: facts.active_works,
        published_works: works.len() as u64,
        creators_paid: facts.creators_paid,
        subscribers: facts.subscribers,
        events: facts.events,
        gini: gini(&payouts, pool),
        top_percent_share: part_q32(best.iter().map(|x| u128::from(*x)).sum(), pool),
        effective_works: effective_number(&payouts, pool),
        backed_share: part_q32(sum(|w| w.backed), sum(|w| w.views)),
        categories: categories
            .into_iter()
            .map(|(category, paid)| CategoryShare { category, share: part_q32(paid, pool) })
            .collect(),
    }
}

/// `part / whole` in Q32, rounded down, for a part of at most the whole; zero if the whole is.
fn part_q32(part: u128, whole: u128) -> u64 {
    if whole == 0 {
        return 0;
    }
    ((U256::from(part) << Q32_BITS as usize) / U256::from(whole)).to::<u64>()
}

/// `sum over ranks i = 1..n of (2 i - n - 1) x_i / (n sum x)`, for ascending `x`.
fn gini(ascending: &[u64], total: u128) -> u64 {
    let n = ascending.len() as u128;
    // The sums of ranks from below and from above; the first is at least the second, by the order.
    let (below, above) = ascending.iter().zip(0u128..).fold((0, 0), |(below, above), (x, i)| {
        (below + i * u128::from(*x), above + (n - 1 - i) * u128::from(*x))
    });
    part_q32(below - above, n * total)
}

/// `2^H` in Q32, with the entropy `H = log2 T - (1/T) sum x log2 x` in bits, at least one and at most as many works as
/// were paid.
///
/// The logarithms' errors make `H` wrong by at most three units of 2^-32, so the result by a relative `2^-30`.
fn effective_number(amounts: &[u64], total: u128) -> u64 {
    let Some(whole) = NonZero::new(total) else {
        return 0;
    };
    let paid = amounts.iter().filter_map(|x| NonZero::new(u128::from(*x)));
    let weighted = paid.clone().fold(U256::ZERO, |sum, x| {
        // amounts are at least one, and so no logarithm is below zero
        sum + U256::from(x.get()) * U256::from(log2_q32(x) as u64)
    });
    let mean = (weighted / U256::from(total)).to::<i64>();
    let entropy = (log2_q32(whole) - mean).max(0);
    let most = U256::from(paid.count()) << Q32_BITS as usize;
    let number = exp2_q32(entropy).times(U256::from(ONE_Q32)).expect("entropy is below 96 bits").min(most);
    number.saturating_to::<u64>()
}
