//! Which parameters matter: variance-based indices by Saltelli's sampling.
//!
//! With two independent samples A and B of n points each, and AB_i being A with the column i of B:
//!
//! - first order `S_i = mean(f(B) (f(AB_i) - f(A))) / Var f`: the share of variance that i explains alone (Saltelli et
//!   al. 2010, table 2 (b); f is centred first, which changes nothing but the noise);
//! - total `T_i = mean((f(A) - f(AB_i))^2) / (2 Var f)`: the share that i takes part in (Jansen 1999).
//!
//! Both are estimates; [`Index`] has the middle nine tenths of resampled ones.

use super::{
    attack,
    knobs::{KNOBS, Kind, Knob},
};
use crate::{
    economics::{EconomicsError, Engine, Epoch, Rules},
    progress::{Progress, Stage},
    report::gini,
    workload::draw,
};
use rand::{Rng, seq::SliceRandom};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;

/// How far beyond both sides a parameter is varied, as a share of its value.
const MARGIN: f64 = 0.1;
/// Resamplings behind an interval.
const RESAMPLINGS: usize = 200;
/// What is measured of each sample.
pub const OUTPUTS: usize = 2;

/// A parameter and the range that it is varied over.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// The parameter.
    pub knob: &'static Knob,
    /// Smallest value, at its own scale.
    pub low: u64,
    /// Largest value.
    pub high: u64,
}

/// How much of an output's variance a parameter is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Index {
    /// First order: alone.
    pub first: f64,
    /// Total: together with others as well.
    pub total: f64,
    /// The total's 5 % quantile over resamplings.
    pub total_low: f64,
    /// The total's 95 % quantile.
    pub total_high: f64,
}

/// A parameter's indices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The parameter.
    pub parameter: &'static str,
    /// Smallest value that was tried, as people read it.
    pub low: String,
    /// Largest value.
    pub high: String,
    /// On the Gini coefficient of payouts.
    pub gini: Index,
    /// On the return of the best attack.
    pub attack: Index,
}

/// Parameters that can matter here, with ranges that span both sides and a tenth beyond, inside their bounds. Switches
/// and limits that one side lacks stay as proposed; so do shares of revenue that both sides share, and what pays nobody.
pub fn factors(before: &Rules, after: &Rules) -> Vec<Factor> {
    let factor = |knob: &'static Knob| {
        let (a, b) = (knob.get(before)?, knob.get(after)?);
        let idle = matches!(knob.name, "listeners_half" | "reputation_decay" | "pool_by_tier");
        if idle || knob.kind == Kind::Switch || (knob.kind == Kind::Share && a == b) {
            return None;
        }
        let bounded = |x: f64| knob.get(&knob.with_bounded(after, x as u64));
        let low = bounded((a.min(b) as f64 * (1.0 - MARGIN)).floor())?;
        let high = bounded((a.max(b) as f64 * (1.0 + MARGIN)).ceil())?;
        (low < high).then_some(Factor { knob, low, high })
    };
    KNOBS.iter().filter_map(factor).collect()
}

impl Factor {
    /// The value at a place from 0 to 1.
    fn at(&self, place: f64) -> u64 {
        let steps = (self.high - self.low) as f64 + 1.0;
        (self.low + (place * steps) as u64).min(self.high)
    }
}

/// The indices of every factor, in their order, on the Gini coefficient and on the best attack's return. `seed` draws the
/// samples; nothing depends on the number of threads.
pub fn sensitivities(
    epoch: &Arc<Epoch>,
    factors: &[Factor],
    after: &Rules,
    seed: u64,
    samples: usize,
    progress: &dyn Progress,
) -> Result<Vec<Sensitivity>, EconomicsError> {
    let points =
        [sample(seed, "sobol-a", factors.len(), samples), sample(seed, "sobol-b", factors.len(), samples)];
    progress.begin(Stage::Sensitivity, samples as u64);
    let rows: Vec<Row<OUTPUTS>> = (0..samples)
        .into_par_iter()
        .map(|i| {
            let mut engine = Engine::default();
            let row = Row::evaluate(&points[0][i], &points[1][i], |point| {
                let rules = factors.iter().zip(point).fold(after.clone(), |rules, (factor, place)| {
                    factor.knob.with(&rules, factor.at(*place))
                });
                let evaluation = engine.evaluate(epoch, &rules)?;
                let payouts: Vec<u64> = evaluation.works().map(|work| work.payout.0).collect();
                Ok([gini(&payouts), attack::best(&evaluation).roi])
            });
            progress.advance(Stage::Sensitivity, 1);
            row
        })
        .collect::<Result<_, EconomicsError>>()?;
    progress.end(Stage::Sensitivity);
    let [gini, attack] = [0, 1].map(|output| indices(&rows, output, factors.len(), seed));
    let named = factors.iter().zip(gini.into_iter().zip(attack));
    let named = named.map(|(factor, (gini, attack))| Sensitivity {
        parameter: factor.knob.name,
        low: factor.knob.shown(Some(factor.low)),
        high: factor.knob.shown(Some(factor.high)),
        gini,
        attack,
    });
    Ok(named.map(rounded).collect())
}

/// Ranges are shown with three digits; a tenth beyond a value has more than anybody reads.
fn rounded(mut row: Sensitivity) -> Sensitivity {
    let short = |text: &str| match text.split_once('.') {
        Some((whole, rest)) if rest.len() > 3 => {
            format!("{whole}.{}", &rest[..3]).trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text.to_owned(),
    };
    (row.low, row.high) = (short(&row.low), short(&row.high));
    row
}

/// Points of a Latin hypercube: each of `samples` equal parts of each axis has one point.
fn sample(seed: u64, purpose: &str, dimensions: usize, samples: usize) -> Vec<Vec<f64>> {
    let mut points = vec![vec![0.0; dimensions]; samples];
    for axis in 0..dimensions {
        let mut rng = draw::rng(purpose, seed, &axis.to_string());
        let mut parts: Vec<usize> = (0..samples).collect();
        parts.shuffle(&mut rng);
        for (point, part) in points.iter_mut().zip(parts) {
            point[axis] = (part as f64 + rng.r#gen::<f64>()) / samples as f64;
        }
    }
    points
}

/// What a function gives at a point of A, at one of B, and at the former with each coordinate of the latter.
#[derive(Clone, Debug)]
struct Row<const N: usize> {
    a: [f64; N],
    b: [f64; N],
    mixed: Vec<[f64; N]>,
}

impl<const N: usize> Row<N> {
    fn evaluate<E>(
        a: &[f64],
        b: &[f64],
        mut f: impl FnMut(&[f64]) -> Result<[f64; N], E>,
    ) -> Result<Self, E> {
        let at_a = f(a)?;
        let mixed = (0..a.len()).map(|i| {
            let mut point = a.to_vec();
            point[i] = b[i];
            f(&point)
        });
        let mixed = mixed.collect::<Result<_, E>>()?;
        Ok(Self { a: at_a, b: f(b)?, mixed })
    }
}

/// The indices of every factor on one output.
fn indices<const N: usize>(rows: &[Row<N>], output: usize, factors: usize, seed: u64) -> Vec<Index> {
    let everything: Vec<&Row<N>> = rows.iter().collect();
    let whole = estimate(&everything, output, factors);
    let mut rng = draw::rng("sobol-resampling", seed, &output.to_string());
    let resampled: Vec<Vec<(f64, f64)>> = (0..RESAMPLINGS)
        .map(|_| {
            let rows: Vec<&Row<N>> = rows.iter().map(|_| &rows[rng.gen_range(0..rows.len())]).collect();
            estimate(&rows, output, factors)
        })
        .collect();
    let index = |(i, (first, total)): (usize, (f64, f64))| {
        let mut totals: Vec<f64> = resampled.iter().map(|estimates| estimates[i].1).collect();
        totals.sort_by(f64::total_cmp);
        let [low, high] = [RESAMPLINGS / 20, RESAMPLINGS - 1 - RESAMPLINGS / 20].map(|place| totals[place]);
        Index { first, total, total_low: low, total_high: high }
    };
    whole.into_iter().enumerate().map(index).collect()
}

/// First order and total of every factor; zeros where nothing varies.
fn estimate<const N: usize>(rows: &[&Row<N>], output: usize, factors: usize) -> Vec<(f64, f64)> {
    let n = rows.len() as f64;
    let all = || rows.iter().flat_map(|row| [row.a[output], row.b[output]]);
    let mean = all().sum::<f64>() / (2.0 * n);
    let variance = all().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (2.0 * n);
    // What rounding of payouts alone could make is no variance.
    if variance < 1e-18 {
        return vec![(0.0, 0.0); factors];
    }
    let of = |i: usize| {
        let first = rows.iter().map(|row| (row.b[output] - mean) * (row.mixed[i][output] - row.a[output]));
        let total = rows.iter().map(|row| (row.a[output] - row.mixed[i][output]).powi(2));
        (first.sum::<f64>() / n / variance, total.sum::<f64>() / (2.0 * n) / variance)
    };
    (0..factors).map(of).collect()
}

#[cfg(test)]
mod tests;
