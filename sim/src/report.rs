//! The report of a run: one HTML page that opens offline, with no script and nothing to fetch.
//!
//! The data are plain strings and integers. The same data give the same page, byte for byte.

mod numbers;
mod page;
mod svg;

pub use numbers::{credits, several, thousands};
pub(crate) use page::document;

use primitives::Credits;
use serde::Serialize;

/// Everything that the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportData {
    /// Heading, such as `Epoch 1`.
    pub title: String,
    /// One sentence below it: what was run, on which input.
    pub subtitle: String,
    /// The verdict line. The page is green only if all of them hold.
    pub verdicts: Vec<Verdict>,
    /// Key figures, shown as tiles in this order; the page adds the Gini coefficient of payouts.
    pub facts: Vec<Fact>,
    /// Where the revenue of the epoch went.
    pub money: MoneyFlow,
    /// Every work of the epoch with its payout, in any order; also those that earned nothing.
    pub payouts: Vec<WorkPayout>,
    /// Subscribers of each tier.
    pub tiers: Vec<TierCount>,
    /// Receipts of each region.
    pub regions: Vec<RegionCount>,
    /// What the two tables leave unsaid: sentences.
    pub counting: Vec<String>,
    /// What each fund of the chain holds.
    pub funds: Vec<(String, Credits)>,
    /// What those who run the chain earned, by what for.
    pub rewards: Vec<(String, Credits)>,
    /// What became of these rewards: a sentence.
    pub rewarded: String,
    /// Attacks that were tried, and how each was refused.
    pub attacks: Vec<RefusedAttack>,
    /// Messages that each actor handled.
    pub actors: Vec<ActorCount>,
    /// What was drawn for the workload, and other things that a reader should know.
    pub remarks: Vec<Fact>,
    /// How to get the same run again.
    pub provenance: Provenance,
}

/// A statement that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The statement, such as `Totals match a plaintext count`.
    pub claim: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, in a few words.
    pub detail: String,
}

/// A label and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// Its value, as people read it.
    pub value: String,
}

/// The revenue of an epoch and its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MoneyFlow {
    /// What subscribers paid.
    pub revenue: Credits,
    /// The pool of creators.
    pub creators: Credits,
    /// The Eco-Reserve's share.
    pub eco_reserve: Credits,
    /// The share for infrastructure.
    pub infrastructure: Credits,
    /// The protocol fee.
    pub fee: Credits,
}

/// What one work earned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkPayout {
    /// Name of the work.
    pub name: String,
    /// Its payout.
    pub payout: Credits,
}

/// Subscribers of a tier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TierCount {
    /// Name of the tier.
    pub tier: String,
    /// Subscriptions sold.
    pub sold: u64,
    /// Subscribers of whom something was counted.
    pub counted: u64,
}

/// Receipts of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RegionCount {
    /// Name of the region.
    pub region: String,
    /// Receipts that were spent.
    pub receipts: u64,
    /// Views that they stand for.
    pub views: u64,
}

/// An attack that was part of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RefusedAttack {
    /// What was tried.
    pub attack: String,
    /// Who refused it, and why.
    pub refusal: String,
    /// How many times.
    pub count: u64,
    /// Whether it really was refused.
    pub refused: bool,
}

/// How busy an actor was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActorCount {
    /// Name of the actor.
    pub name: String,
    /// Messages it handled.
    pub messages: u64,
}

/// Where a run comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Seed of every draw.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
    /// Hash of the configuration.
    pub config_hash: String,
    /// Command that gives the same run again.
    pub command: String,
}

/// The report as one HTML page.
pub fn render(data: &ReportData) -> String {
    page::page(data).into_string()
}

/// Gini coefficient of `values`: 0 if all are equal, near 1 if one has everything. 0 for nothing at all.
///
/// `sum_i (2 i - n - 1) x_i / (n sum x)` over ascending values, i from 1; exact up to the last division.
pub fn gini(values: &[u64]) -> f64 {
    gini_of_ascending(&ascending(values))
}

/// [`gini`] of values that are sorted already.
pub fn gini_of_ascending(sorted: &[u64]) -> f64 {
    let n = sorted.len() as i128;
    let total: i128 = sorted.iter().map(|x| i128::from(*x)).sum();
    if total == 0 {
        return 0.0;
    }
    let spread: i128 = (1..).zip(sorted).map(|(i, x)| (2 * i - n - 1) * i128::from(*x)).sum();
    spread as f64 / (n as f64 * total as f64)
}

/// The Lorenz curve of `values`: after the i poorest, the share of the whole that they have. n + 1 points from (0, 0) to
/// (1, 1); the diagonal's ends alone if there is nothing to share.
pub fn lorenz(values: &[u64]) -> Vec<(f64, f64)> {
    let sorted = ascending(values);
    let total: u128 = sorted.iter().map(|x| u128::from(*x)).sum();
    if total == 0 {
        return vec![(0.0, 0.0), (1.0, 1.0)];
    }
    let mut sum = 0_u128;
    let points = (1..).zip(&sorted).map(|(i, x): (u64, _)| {
        sum += u128::from(*x);
        (i as f64 / sorted.len() as f64, sum as f64 / total as f64)
    });
    std::iter::once((0.0, 0.0)).chain(points).collect()
}

fn ascending(values: &[u64]) -> Vec<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests;
