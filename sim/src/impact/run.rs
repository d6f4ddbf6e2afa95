//! Both sets of rules on every draw, and the first draw in full.

use super::{
    ImpactError, MAX_SAMPLES, MAX_SEEDS, Options, Source, attack,
    compare::{self, Band, Flow},
    knobs,
    model::{BetterOff, Change, Figures, Impact, Outcome, Size, SizeRoi, Tile, Tiles},
    sobol::{self, Sensitivity},
    verdict,
};
use crate::{
    economics::{Epoch, Evaluation, MAX_SYNTHETIC, Market, evaluate, views},
    progress::{Progress, Stage},
    workload::{Table, table},
};
use rayon::prelude::*;
use std::sync::Arc;

/// The parameter that bounds what a bought subscription can direct.
const CAP: &str = "value_cap";

/// What makes a market for every seed.
enum Plays {
    Table(Table),
    Synthetic(usize),
}

impl Plays {
    fn market(&self, seed: u64) -> Arc<Market> {
        Arc::new(match self {
            Self::Table(table) => Market::new(table, seed),
            Self::Synthetic(subscribers) => Market::synthetic(seed, *subscribers),
        })
    }
}

/// One draw, on both sides.
struct Draw {
    before: Evaluation,
    after: Evaluation,
}

/// Figures of a draw: both sides, and the share of creators who gain.
type DrawFigures = (Figures, Figures, f64);

/// Checks that something can be compared, without reading any plays.
pub fn check(options: &Options) -> Result<(), ImpactError> {
    let Options { seed, seeds, samples, .. } = *options;
    if !(1..=MAX_SEEDS).contains(&seeds) || seed.checked_add(seeds - 1).is_none() {
        return Err(ImpactError::Seeds { first: seed, seeds });
    }
    if samples > MAX_SAMPLES {
        return Err(ImpactError::Samples { asked: samples });
    }
    match options.source {
        Source::Synthetic(asked) if !(1..=MAX_SYNTHETIC).contains(&asked) => {
            Err(ImpactError::Subscribers { asked })
        }
        _ => Ok(()),
    }
}

/// Compares both sides.
pub fn run(options: &Options, progress: &dyn Progress) -> Result<Outcome, ImpactError> {
    check(options)?;
    let plays = match &options.source {
        Source::File(file) => Plays::Table(table::read(file)?),
        Source::Synthetic(subscribers) => Plays::Synthetic(*subscribers),
    };
    progress.begin(Stage::Draws, options.seeds);
    let draw = draw(options, &plays, options.seed)?;
    progress.advance(Stage::Draws, 1);
    let others: Vec<DrawFigures> = (1..options.seeds)
        .into_par_iter()
        .map(|i| {
            let drawn = self::draw(options, &plays, options.seed + i)?;
            progress.advance(Stage::Draws, 1);
            Ok(figures_of(&drawn))
        })
        .collect::<Result<_, ImpactError>>()?;
    progress.end(Stage::Draws);
    assemble(options, &draw, &others, progress)
}

fn draw(options: &Options, plays: &Plays, seed: u64) -> Result<Draw, ImpactError> {
    let market = plays.market(seed);
    let epoch = Epoch::draw(&market, seed, options.plays_per_subscriber);
    if epoch.total_plays() == 0 {
        return Err(ImpactError::NothingPlayed { source_name: market.source().to_owned(), seed });
    }
    let before = evaluate(&epoch, &options.before.rules)?;
    let after = evaluate(&epoch, &options.after.rules)?;
    Ok(Draw { before, after })
}

fn figures(evaluation: &Evaluation) -> Figures {
    let metrics = evaluation.metrics();
    Figures {
        gini: metrics.gini,
        top1: metrics.top1_share,
        cross_subsidy: metrics.cross_subsidy,
        parity: metrics.worst_parity,
        attack_roi: attack::best(evaluation).roi,
        suppressed: metrics.value_suppressed,
    }
}

fn better_off(bands: &[Band]) -> [f64; 3] {
    let sum = |part: fn(&Band) -> usize| bands.iter().map(part).sum::<usize>() as f64;
    let all = sum(|band| band.creators).max(1.0);
    [sum(|band| band.better) / all, sum(|band| band.same) / all, sum(|band| band.worse) / all]
}

fn figures_of(draw: &Draw) -> DrawFigures {
    let [better, ..] = better_off(&compare::bands(&draw.before, &draw.after));
    (figures(&draw.before), figures(&draw.after), better)
}

fn assemble(
    options: &Options,
    draw: &Draw,
    others: &[DrawFigures],
    progress: &dyn Progress,
) -> Result<Outcome, ImpactError> {
    let Draw { before, after } = draw;
    let (rules, proposed) = (&options.before.rules, &options.after.rules);
    let epoch = before.epoch();
    let bands = compare::bands(before, after);
    let [better, same, worse] = better_off(&bands);
    let mut draws = vec![(figures(before), figures(after), better)];
    draws.extend_from_slice(others);
    let tile = |part: fn(&Figures) -> f64| tile(&draws, part);
    let (low, high) = range(draws.iter().map(|draw| draw.2));
    let tiles = Tiles {
        gini: tile(|f| f.gini),
        top1: tile(|f| f.top1),
        cross_subsidy: tile(|f| f.cross_subsidy),
        better_off: BetterOff { better, same, worse, low, high },
        parity: tile(|f| f.parity),
        attack_roi: tile(|f| f.attack_roi),
    };
    let flow_before = Flow::new(before.split(), bands.iter().map(|band| band.before));
    let flow_after = Flow::new(after.split(), bands.iter().map(|band| band.after));
    let (attack_before, attack_after) = (attack::best(before), attack::best(after));
    let subject = |evaluation, flow, attack, place: fn(&DrawFigures) -> &Figures| verdict::Subject {
        evaluation,
        flow,
        attack,
        figures: place(&draws[0]),
        roi: range(draws.iter().map(|draw| place(draw).attack_roi)),
    };
    let verdict = verdict::verdict(
        &subject(before, &flow_before, &attack_before, |draw| &draw.0),
        &subject(after, &flow_after, &attack_after, |draw| &draw.1),
        options.seeds,
    );
    let factors = sobol::factors(rules, proposed);
    let sensitivities = match options.samples {
        0 => Vec::new(),
        n => sobol::sensitivities(epoch, &factors, proposed, options.seed, n, progress)?,
    };
    let sizes = attack::sizes(before, after);
    let size_roi = |s: &u64| SizeRoi {
        subscriptions: *s,
        before: attack::at_size(before, *s).roi,
        after: attack::at_size(after, *s).roi,
    };
    let attack_sizes = sizes.iter().map(size_roi).collect();
    let knob = mapped(options, &sensitivities);
    let values = attack::steps(knob, rules, proposed);
    let attack_map = attack::map(epoch, knob, &values, rules, proposed, sizes)?;
    let reach = compare::threshold_reach(before, after);
    let impact = Impact {
        before: options.before.name.clone(),
        after: options.after.name.clone(),
        source: epoch.market().source().to_owned(),
        size: Size {
            subscribers: epoch.market().subscribers(),
            works: before.works().count(),
            creators: bands.iter().map(|band| band.creators).sum(),
            plays: epoch.total_plays(),
        },
        seed: options.seed,
        seeds: options.seeds,
        samples: options.samples,
        verdict,
        tiles,
        parameters: changes(options),
        deciles: views::deciles(before, after).to_vec(),
        categories: compare::categories(before, after),
        lorenz_before: compare::lorenz(before),
        lorenz_after: compare::lorenz(after),
        attack_before,
        attack_after,
        attack_sizes,
        attack_map,
        sensitivities,
        suppressed_before: compare::suppressed(before, reach),
        suppressed_after: compare::suppressed(after, reach),
        thresholds: (before.params().k_anonymity, after.params().k_anonymity),
        flow_before,
        flow_after,
        losers: compare::losers(before, after),
        bands,
    };
    let payouts = compare::payouts(before, after);
    Ok(Outcome { impact, payouts, data: epoch.market().digest() })
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

fn tile(draws: &[DrawFigures], part: fn(&Figures) -> f64) -> Tile {
    let (before, after) = (part(&draws[0].0), part(&draws[0].1));
    let (after_low, after_high) = range(draws.iter().map(|draw| part(&draw.1)));
    let (change_low, change_high) = range(draws.iter().map(|draw| part(&draw.1) - part(&draw.0)));
    Tile { before, after, change: after - before, after_low, after_high, change_low, change_high }
}

/// The parameter of the attack map: of those that change, the one behind most of the attack's variance. The cap where none
/// is known, and where one side has none: that is more than any range could show.
fn mapped(options: &Options, sensitivities: &[Sensitivity]) -> &'static knobs::Knob {
    let (before, after) = (&options.before.rules, &options.after.rules);
    let changed = sensitivities
        .iter()
        .filter(|row| knobs::knob(row.parameter).is_some_and(|knob| knob.get(before) != knob.get(after)));
    let most = changed.max_by(|a, b| a.attack.total.total_cmp(&b.attack.total));
    let known = most.filter(|row| row.attack.total > 0.0 && before.caps_value && after.caps_value);
    knobs::knob(known.map_or(CAP, |row| row.parameter)).expect("rows are named after knobs")
}

fn changes(options: &Options) -> Vec<Change> {
    let (before, after) = (&options.before.rules, &options.after.rules);
    let change = |knob: &knobs::Knob| Change {
        parameter: knob.name,
        before: knob.shown(knob.get(before)),
        after: knob.shown(knob.get(after)),
        changed: knob.get(before) != knob.get(after),
        meaning: knob.meaning,
    };
    knobs::KNOBS.iter().map(change).collect()
}

#[cfg(test)]
mod tests;
