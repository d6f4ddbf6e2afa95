//! What a page about a change of parameters shows: categories, listener bands, the Lorenz curve, attack returns over a
//! grid.

use super::{EconomicsError, Engine, Epoch, Evaluation, Rules, attacks};
use crate::report;
use primitives::CategoryId;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// A category's part of usage and of payouts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CategoryShares {
    /// The category.
    pub category: CategoryId,
    /// Its share of the value of all works played, published or not. 0 to 1.
    pub usage: f64,
    /// Its share of payouts. 0 to 1.
    pub payout: f64,
}

impl CategoryShares {
    /// Share of payouts over share of value; 1 is parity.
    pub fn parity(&self) -> f64 {
        self.payout / self.usage
    }
}

/// The shares of every category with value, by category.
pub fn categories(evaluation: &Evaluation) -> Vec<CategoryShares> {
    let mut sums = BTreeMap::<CategoryId, (u64, u64)>::new();
    for (place, total) in evaluation.usage.totals.iter().enumerate() {
        let sum = sums.entry(evaluation.epoch.market.works[place].category).or_default();
        sum.0 += total.value;
        sum.1 += evaluation.payouts[place];
    }
    let value: u64 = sums.values().map(|sum| sum.0).sum();
    let paid: u64 = sums.values().map(|sum| sum.1).sum();
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let with_value = sums.into_iter().filter(|(_, sum)| sum.0 > 0);
    with_value
        .map(|(category, sum)| CategoryShares {
            category,
            usage: share(sum.0, value),
            payout: share(sum.1, paid),
        })
        .collect()
}

/// The least parity of any category: 1 if there is none.
pub fn worst_parity(categories: &[CategoryShares]) -> f64 {
    categories.iter().map(CategoryShares::parity).min_by(f64::total_cmp).unwrap_or(1.0)
}

/// The Lorenz curve of payouts over all works that were played: points from (0, 0) to (1, 1).
pub fn lorenz(evaluation: &Evaluation) -> Vec<(f64, f64)> {
    report::lorenz(&evaluation.works().map(|work| work.payout.0).collect::<Vec<_>>())
}

/// A tenth of the works, by listeners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decile {
    /// Works in it.
    pub works: usize,
    /// Fewest listeners of a work in it.
    pub fewest: u32,
    /// Most listeners of a work in it.
    pub most: u32,
    /// What its works were paid together before, in micro-credits.
    pub before: u64,
    /// What they are paid after.
    pub after: u64,
    /// Works that are paid more than before.
    pub better: usize,
    /// Works that are paid less than before.
    pub worse: usize,
}

/// Payouts of two evaluations of one epoch by tenth of the works that were played, from the least heard to the most.
/// Works with as many listeners are in the order of places. Tenths differ by at most one work.
pub fn deciles(before: &Evaluation, after: &Evaluation) -> [Decile; 10] {
    let listeners = &before.epoch.listeners;
    let mut played: Vec<usize> = (0..listeners.len()).filter(|work| listeners[*work] > 0).collect();
    played.sort_by_key(|work| listeners[*work]);
    std::array::from_fn(|i| {
        let part = &played[i * played.len() / 10..(i + 1) * played.len() / 10];
        let mut decile = Decile {
            works: part.len(),
            fewest: part.first().map_or(0, |work| listeners[*work]),
            most: part.last().map_or(0, |work| listeners[*work]),
            ..Decile::default()
        };
        for work in part {
            let (old, new) = (before.payouts[*work], after.payouts[*work]);
            decile.before += old;
            decile.after += new;
            decile.better += usize::from(new > old);
            decile.worse += usize::from(new < old);
        }
        decile
    })
}

/// What each creator is paid, by number, in micro-credits; creators own works as the market has drawn it.
pub fn creator_payouts(evaluation: &Evaluation) -> BTreeMap<u32, u64> {
    let mut sums = BTreeMap::new();
    for work in evaluation.works() {
        *sums.entry(work.creator).or_default() += work.payout.0;
    }
    sums
}

/// Profit over cost of the better of the two puppet attacks, a row for each set of rules and a column for each number
/// of subscriptions.
pub fn roi_grid(epoch: &Arc<Epoch>, rules: &[Rules], sizes: &[u64]) -> Result<Vec<Vec<f64>>, EconomicsError> {
    let mut engine = Engine::default();
    let row = |rules: &Rules| {
        let evaluation = engine.evaluate(epoch, rules)?;
        let roi = |s: &u64| {
            let many = attacks::catalogue(&evaluation, *s, attacks::CATALOGUE, attacks::PLAYS);
            attacks::puppets(&evaluation, *s).roi().max(many.roi())
        };
        Ok(sizes.iter().map(roi).collect())
    };
    rules.iter().map(row).collect()
}
