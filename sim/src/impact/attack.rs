//! The best that puppets can do under rules: over numbers of subscriptions, and over ways to spread their plays.

use super::knobs::Knob;
use crate::economics::{
    EconomicsError, Engine, Epoch, Evaluation, Rules,
    attacks::{self, Attack, PLAYS},
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// Works over which each puppet spreads its plays: one work again and again; a catalogue of a hundred; and a work for
/// every play, against which diminishing returns are powerless and only a cap helps.
pub const WIDTHS: [u32; 3] = [1, attacks::CATALOGUE, PLAYS as u32];
/// Attacks of at most this return are told as they are; a loss of everything is exactly -1.
pub const NOTHING_LEFT: f64 = -1.0;

/// The attack that earns most for each credit it costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BestAttack {
    /// Profit over cost: above 0 the attack pays.
    pub roi: f64,
    /// Subscriptions bought.
    pub subscriptions: u64,
    /// Works over which each spreads its plays.
    pub works: u32,
    /// What the subscriptions cost, in micro-credits.
    pub cost: u64,
    /// What the attacker's works are paid, in micro-credits.
    pub payout: u64,
}

/// The best way to spread the plays of so many puppets.
pub fn at_size(evaluation: &Evaluation, subscriptions: u64) -> BestAttack {
    let attacks = WIDTHS.map(|works| attacks::catalogue(evaluation, subscriptions, works, PLAYS));
    let best = attacks.into_iter().max_by(|a, b| a.roi().total_cmp(&b.roi()));
    of(&best.expect("there are widths"))
}

fn of(attack: &Attack) -> BestAttack {
    BestAttack {
        roi: attack.roi(),
        subscriptions: attack.subscriptions,
        works: attack.works,
        cost: attack.cost.0,
        payout: attack.payout.0,
    }
}

/// The best attack over [`attacks::sizes`], the smallest of equals.
pub fn best(evaluation: &Evaluation) -> BestAttack {
    let sizes = attacks::sizes(evaluation).into_iter().map(|s| at_size(evaluation, s));
    let better = |a: BestAttack, b: BestAttack| if b.roi > a.roi { b } else { a };
    sizes.reduce(better).expect("there is a smallest size")
}

/// Sizes that are tried on either side, ascending.
pub fn sizes(before: &Evaluation, after: &Evaluation) -> Vec<u64> {
    let both: BTreeSet<u64> = attacks::sizes(before).into_iter().chain(attacks::sizes(after)).collect();
    both.into_iter().collect()
}

/// Returns over one parameter and the size of the attack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoiMap {
    /// The parameter that the rows vary.
    pub parameter: &'static str,
    /// A row for each of its values, ascending.
    pub rows: Vec<RoiRow>,
    /// Subscriptions bought, a column each, ascending.
    pub sizes: Vec<u64>,
}

/// Returns at one value of the parameter, everything else as proposed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoiRow {
    /// The value, as people read it.
    pub value: String,
    /// Whether this is the value of today's rules.
    pub before: bool,
    /// Whether this is the value that is proposed.
    pub proposed: bool,
    /// Profit over cost at each size.
    pub roi: Vec<f64>,
}

/// Steps of a parameter: where between today's value (0) and the proposed one (1) they lie.
const STEPS: [f64; 9] = [-0.25, 0.0, 1.0 / 6.0, 2.0 / 6.0, 0.5, 4.0 / 6.0, 5.0 / 6.0, 1.0, 1.25];
/// Steps where nothing is proposed: multiples of the value.
const MULTIPLES: [f64; 9] = [0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 4.0, 6.0];
/// Rows that are added at most while the attack still pays in all of them, and the ratio between two such.
const MORE_ROWS: usize = 3;
const FURTHER: f64 = 2.0;
/// From this ratio on, steps are ratios and not differences.
const WIDE: f64 = 3.0;

/// Values where a limit is switched off on a side, in plays or views.
const LADDER: [u64; 8] = [10, 25, 50, 100, 200, 400, 800, 2_000];

/// Values of a parameter around both sides, ascending, each once; `None`, last, where a side has the limit switched off.
/// Those that neither side has are round.
pub fn steps(knob: &Knob, before: &Rules, after: &Rules) -> Vec<Option<u64>> {
    let both = [knob.get(before), knob.get(after)];
    let bounded = |x: f64| knob.get(&knob.with_bounded(after, rounded(knob, x)));
    let middle: Vec<f64> = match both {
        [Some(from), Some(to)] if from == to => MULTIPLES.iter().map(|m| m * to as f64).collect(),
        [Some(from), Some(to)] => STEPS.iter().map(|t| between(from as f64, to as f64, *t)).collect(),
        _ => LADDER.iter().map(|x| *x as f64 * knob.unit()).collect(),
    };
    let values: BTreeSet<u64> =
        middle.into_iter().filter_map(bounded).chain(both.into_iter().flatten()).collect();
    let off = both.contains(&None).then_some(None);
    values.into_iter().map(Some).chain(off).collect()
}

/// The value at a place from one side (0) to the other (1): by ratios where they are far apart.
fn between(a: f64, b: f64, t: f64) -> f64 {
    if a > 0.0 && b > 0.0 && (a / b).max(b / a) > WIDE { a * (b / a).powf(t) } else { a + (b - a) * t }
}

/// A value of a parameter, as a number with three digits.
fn rounded(knob: &Knob, x: f64) -> u64 {
    // By a decimal, so that it is written with few digits.
    let billionths = (three_digits(x.max(0.0) / knob.unit()) * 1e9).round() as u128;
    (billionths * knob.unit() as u128 / 1_000_000_000) as u64
}

/// A positive number with three digits that are not zeros at its beginning.
fn three_digits(x: f64) -> f64 {
    if x < 1e-9 {
        return 0.0;
    }
    let unit = 10_f64.powi(x.log10().floor() as i32 - 2);
    (x / unit).round() * unit
}

/// Returns of the best attack of each size, with one parameter at each of `values` and everything else as `after`.
pub fn map(
    epoch: &Arc<Epoch>,
    knob: &Knob,
    values: &[Option<u64>],
    before: &Rules,
    after: &Rules,
    sizes: Vec<u64>,
) -> Result<RoiMap, EconomicsError> {
    let mut engine = Engine::default();
    let mut row = |value: Option<u64>| -> Result<RoiRow, EconomicsError> {
        let evaluation = engine.evaluate(epoch, &knob.with_or_off(after, value))?;
        Ok(RoiRow {
            value: knob.shown(value),
            before: knob.get(before) == value,
            proposed: knob.get(after) == value,
            roi: sizes.iter().map(|s| at_size(&evaluation, *s).roi).collect(),
        })
    };
    let mut rows = values.iter().map(|value| row(*value)).collect::<Result<Vec<_>, EconomicsError>>()?;
    // Towards the end where attacks return less, so that the page shows where they stop paying.
    let (Some(mut low), Some(mut high)) =
        (values.iter().flatten().min().copied(), values.iter().flatten().max().copied())
    else {
        return Ok(RoiMap { parameter: knob.name, rows, sizes });
    };
    let off = values.contains(&None);
    let downwards = off || rows.first().map(RoiRow::best) <= rows.last().map(RoiRow::best);
    for _ in 0..MORE_ROWS {
        let end = if downwards { rows.first() } else { rows.last() };
        if end.is_none_or(|row| row.best() <= 0.0) {
            break;
        }
        let next = if downwards { low as f64 / FURTHER } else { high as f64 * FURTHER };
        let next = knob.get(&knob.with_bounded(after, rounded(knob, next))).unwrap_or(low);
        if (low..=high).contains(&next) {
            break;
        }
        if downwards {
            low = next;
            rows.insert(0, row(Some(next))?);
        } else {
            high = next;
            rows.push(row(Some(next))?);
        }
    }
    Ok(RoiMap { parameter: knob.name, rows, sizes })
}

impl RoiRow {
    /// The best return at any size.
    pub fn best(&self) -> f64 {
        self.roi.iter().copied().fold(NOTHING_LEFT, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        economics::{Market, evaluate},
        impact::knobs::knob,
    };
    use primitives::Preset;

    fn epoch() -> Arc<Epoch> {
        let market = Arc::new(Market::synthetic(1, 60));
        Epoch::draw(&market, 1, Some("300".parse().expect("a number")))
    }

    #[test]
    fn the_best_attack_is_no_worse_than_those_of_a_sweep() {
        let epoch = epoch();
        for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
            let evaluation = evaluate(&epoch, &Rules::preset(preset)).expect("a preset");
            let metrics = evaluation.metrics();
            let best = best(&evaluation);
            assert!(best.roi >= metrics.roi_puppet.max(metrics.roi_catalogue), "{preset}");
            assert!((best.payout as f64 / best.cost as f64 - 1.0 - best.roi).abs() < 1e-9);
        }
    }

    #[test]
    fn steps_hold_both_sides_and_stay_inside_the_bounds() {
        let (before, after) = (Rules::preset(Preset::Spec), Rules::preset(Preset::Guarded));
        for name in ["value_cap", "b_min", "price_max", "delta"] {
            let knob = knob(name).expect("there");
            let steps = steps(knob, &before, &after);
            let both = [knob.get(&before), knob.get(&after)];
            assert!(steps.is_sorted() && both.iter().all(|x| steps.contains(x)), "{name}");
            assert!(steps.iter().all(|x| knob.with_or_off(&after, *x).check().is_ok()), "{name}");
            assert!(steps.iter().all(|x| knob.shown(*x).len() < 8), "{name}: {steps:?}");
        }
        let cap = knob("value_cap").expect("there");
        let steps = steps(cap, &before, &Rules::preset(Preset::Flat));
        assert_eq!(steps.last(), Some(&None), "without a cap comes after all caps");
        assert!(steps.contains(&cap.get(&before)) && cap.with_or_off(&before, None).value_cap().is_none());
    }

    #[test]
    fn numbers_are_rounded_to_three_digits() {
        let digits = |x| format!("{:.6}", three_digits(x));
        assert_eq!([0.0, 0.001_234_5, 1_999.9].map(digits), ["0.000000", "0.001230", "2000.000000"]);
    }
}
