//! What a comparison gives: every figure of the page, as `metrics.json` holds it.

use super::{
    Verdict,
    attack::{BestAttack, RoiMap},
    compare::{Band, Category, Flow, Loser, PayoutRow},
    sobol::Sensitivity,
};
use crate::economics::views;
use serde::Serialize;

/// The figures of one side in one draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Gini coefficient of payouts over works.
    pub gini: f64,
    /// Share of payouts of the best-paid hundredth of works.
    pub top1: f64,
    /// Share of fees that follows somebody else's plays.
    pub cross_subsidy: f64,
    /// Share of payouts over share of plays, of the category that is worst off.
    pub parity: f64,
    /// Return of the best attack.
    pub attack_roi: f64,
    /// Share of value below the threshold.
    pub suppressed: f64,
}

/// A figure on both sides, and its range over all draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tile {
    /// Under today's rules, in the first draw.
    pub before: f64,
    /// Under the proposed rules.
    pub after: f64,
    /// The difference.
    pub change: f64,
    /// Least value under the proposed rules over all draws.
    pub after_low: f64,
    /// Greatest.
    pub after_high: f64,
    /// Least difference over all draws.
    pub change_low: f64,
    /// Greatest.
    pub change_high: f64,
}

/// How many creators gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BetterOff {
    /// Share of creators who are paid more, in the first draw.
    pub better: f64,
    /// Share of those who are paid the same.
    pub same: f64,
    /// Share of those who are paid less.
    pub worse: f64,
    /// Least share that is better off over all draws.
    pub low: f64,
    /// Greatest.
    pub high: f64,
}

/// The six figures at the top.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tiles {
    /// Gini coefficient of payouts.
    pub gini: Tile,
    /// Share of the best-paid hundredth.
    pub top1: Tile,
    /// Cross-subsidy.
    pub cross_subsidy: Tile,
    /// Creators who gain.
    pub better_off: BetterOff,
    /// Parity of the category that is worst off.
    pub parity: Tile,
    /// Return of the best attack.
    pub attack_roi: Tile,
}

/// A parameter on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub parameter: &'static str,
    /// Today's value, as people read it.
    pub before: String,
    /// The proposed one.
    pub after: String,
    /// Whether they differ.
    pub changed: bool,
    /// What the parameter does.
    pub meaning: &'static str,
}

/// What an attack of one size returns on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SizeRoi {
    /// Subscriptions bought.
    pub subscriptions: u64,
    /// Return under today's rules.
    pub before: f64,
    /// Return under the proposed ones.
    pub after: f64,
}

/// How large the compared epoch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Subscribers.
    pub subscribers: usize,
    /// Works that were played.
    pub works: usize,
    /// Creators of those works.
    pub creators: usize,
    /// All plays.
    pub plays: u64,
}

/// Everything that the page shows: `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// Name of today's side.
    pub before: String,
    /// Name of the proposed side.
    pub after: String,
    /// What the plays are, in a few words.
    pub source: String,
    /// How large the epoch is.
    pub size: Size,
    /// The first seed.
    pub seed: u64,
    /// How many draws.
    pub seeds: u64,
    /// Points of each sample behind the sensitivities.
    pub samples: usize,
    /// The verdict and its checks.
    pub verdict: Verdict,
    /// The six figures.
    pub tiles: Tiles,
    /// The parameters.
    pub parameters: Vec<Change>,
    /// Creators by size.
    pub bands: Vec<Band>,
    /// Works by tenth, by listeners.
    pub deciles: Vec<views::Decile>,
    /// The categories.
    pub categories: Vec<Category>,
    /// Lorenz curve before.
    pub lorenz_before: Vec<(f64, f64)>,
    /// Lorenz curve after.
    pub lorenz_after: Vec<(f64, f64)>,
    /// The best attack before.
    pub attack_before: BestAttack,
    /// The best attack after.
    pub attack_after: BestAttack,
    /// Returns by size.
    pub attack_sizes: Vec<SizeRoi>,
    /// Returns over a parameter and size.
    pub attack_map: RoiMap,
    /// Which parameters matter.
    pub sensitivities: Vec<Sensitivity>,
    /// Share of value below each threshold from 0 on, before.
    pub suppressed_before: Vec<f64>,
    /// The same after.
    pub suppressed_after: Vec<f64>,
    /// Today's threshold and the proposed one.
    pub thresholds: (u32, u32),
    /// Where the money goes before.
    pub flow_before: Flow,
    /// Where it goes after.
    pub flow_after: Flow,
    /// Works that lose most.
    pub losers: Vec<Loser>,
}

/// What [`run`](super::run()) gives: the figures, the rows of `payouts.csv`, and what the data were.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub impact: Impact,
    /// Payouts of works.
    pub payouts: Vec<PayoutRow>,
    /// Digest of the plays and what was drawn for them.
    pub data: primitives::Digest,
}
