//! A sweep: every combination of grid values with every seed, in parallel, in one order.

pub mod file;

use super::{
    EconomicsError, Engine, Epoch, Grid, GridError, METRICS, Market, Metrics, PlaysPerSubscriber, Rules,
    Scenario, Thinning,
};
use primitives::{Digest, Domain, Encode, Preset, hash, params::ParamsError};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
};
use thiserror::Error;

/// Most rows of a sweep: their number fits memory with the parts of all of them.
pub const MAX_ROWS: u64 = 10_000_000;
/// Most rows that a thread takes at once. Neighbours often share usage and weights.
const MAX_CHUNK: u64 = 16;

/// What to sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    preset: Preset,
    base: Scenario,
    grids: Vec<Grid>,
    first_seed: u64,
    seeds: u64,
}

/// A plan that makes no sweep.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A grid is wrong.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// Values of several grids do not go together.
    #[error("grids at {values}: {error}")]
    Combination {
        /// The values.
        values: String,
        /// What is wrong.
        error: ParamsError,
    },
    /// No seed, or seeds beyond the last.
    #[error("{seeds} seeds from {first} on: there must be at least one, and none above 2^64 - 1")]
    Seeds {
        /// The first.
        first: u64,
        /// How many.
        seeds: u64,
    },
    /// More rows than a sweep may have.
    #[error("the grids and seeds make more than {MAX_ROWS} rows")]
    TooManyRows,
}

/// One row: where it stands, and its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number, from 0.
    pub index: u64,
    /// The place of each grid's value.
    pub places: Vec<usize>,
    /// The seed.
    pub seed: u64,
    /// The figures.
    pub metrics: Metrics,
}

impl Plan {
    /// Checks that every row can be evaluated.
    pub fn new(
        preset: Preset,
        plays_per_subscriber: Option<PlaysPerSubscriber>,
        grids: Vec<Grid>,
        first_seed: u64,
        seeds: u64,
    ) -> Result<Self, PlanError> {
        let base = Scenario { rules: Rules::preset(preset), plays_per_subscriber };
        if seeds == 0 || first_seed.checked_add(seeds - 1).is_none() {
            return Err(PlanError::Seeds { first: first_seed, seeds });
        }
        for (i, grid) in grids.iter().enumerate() {
            if grids[..i].iter().any(|other| other.name == grid.name) {
                return Err(GridError::RepeatedGrid(grid.name.clone()).into());
            }
            grid.check(&base)?;
        }
        let product = grids.iter().try_fold(seeds, |n, grid| n.checked_mul(grid.values.len() as u64));
        if product.is_none_or(|rows| rows > MAX_ROWS) {
            return Err(PlanError::TooManyRows);
        }
        let plan = Self { preset, base, grids, first_seed, seeds };
        for combination in 0..plan.combinations() {
            let places = plan.places(combination);
            plan.scenario(&places).rules.check().map_err(|error| PlanError::Combination {
                values: plan
                    .named(&places)
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect::<Vec<_>>()
                    .join(" "),
                error,
            })?;
        }
        Ok(plan)
    }

    /// The grids, in order.
    pub fn grids(&self) -> &[Grid] {
        &self.grids
    }

    /// The preset that everything without a grid is taken from.
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The first seed, and how many there are.
    pub fn seeds(&self) -> (u64, u64) {
        (self.first_seed, self.seeds)
    }

    /// Combinations of grid values: rows of one seed.
    pub fn combinations(&self) -> u64 {
        self.grids.iter().map(|grid| grid.values.len() as u64).product()
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.combinations() * self.seeds
    }

    /// Seed and places of a row. All combinations of the first seed come first, the last grid's values fastest: the
    /// plays of a seed are drawn once.
    pub fn row(&self, index: u64) -> (u64, Vec<usize>) {
        (self.first_seed + index / self.combinations(), self.places(index % self.combinations()))
    }

    fn places(&self, mut combination: u64) -> Vec<usize> {
        let mut places: Vec<usize> = self
            .grids
            .iter()
            .rev()
            .map(|grid| {
                let values = grid.values.len() as u64;
                let place = combination % values;
                combination /= values;
                place as usize
            })
            .collect();
        places.reverse();
        places
    }

    /// What is evaluated with these values.
    pub fn scenario(&self, places: &[usize]) -> Scenario {
        let mut scenario = self.base.clone();
        for (grid, place) in self.grids.iter().zip(places) {
            grid.apply(*place, &mut scenario);
        }
        scenario
    }

    /// Names and values at these places.
    pub fn named<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.grids.iter().zip(places).map(|(grid, place)| (grid.name.as_str(), grid.values[*place].as_str()))
    }

    /// Names of the columns: grids, `seed`, metrics.
    pub fn columns(&self) -> Vec<&str> {
        self.grids.iter().map(|grid| grid.name.as_str()).chain(["seed"]).chain(METRICS).collect()
    }

    /// The first line of a file.
    pub fn header(&self) -> String {
        self.columns().join(",") + "\n"
    }

    /// What a row begins with, up to and with its seed.
    fn label(&self, index: u64) -> String {
        let (seed, places) = self.row(index);
        self.named(&places).map(|(_, value)| format!("{value},")).collect::<String>() + &seed.to_string()
    }

    /// A row as a line of CSV. Figures have nine decimals.
    pub fn line(&self, row: &Row) -> String {
        let figures: String = row.metrics.values().iter().map(|x| format!(",{x:.9}")).collect();
        format!("{}{figures}\n", self.label(row.index))
    }

    /// Digest of everything that the rows follow from, the program's version included.
    pub fn digest(&self, market: &Market) -> Digest {
        let grids: Vec<u8> = self
            .grids
            .iter()
            .flat_map(|grid| format!("{}={};", grid.name, grid.values.join(",")).into_bytes())
            .collect();
        let plays = self.base.plays_per_subscriber.map(|x| x.to_string()).unwrap_or_default();
        let (market, preset) = (market.digest(), self.preset.to_string());
        let parts: [&[u8]; 9] = [
            b"sweep",
            env!("CARGO_PKG_VERSION").as_bytes(),
            market.as_bytes(),
            preset.as_bytes(),
            &self.base.rules.params.to_bytes(),
            &grids,
            plays.as_bytes(),
            &self.first_seed.to_le_bytes(),
            &self.seeds.to_le_bytes(),
        ];
        hash::hash(Domain::Simulation, &parts)
    }
}

/// Why a sweep ends early.
#[derive(Debug, Error)]
pub enum SweepError<E> {
    /// A row cannot be evaluated.
    #[error(transparent)]
    Economics(EconomicsError),
    /// Rows cannot be handed on.
    #[error(transparent)]
    Sink(E),
}

/// Evaluates the rows from `from` on, on all threads, and hands them on in order, as many at a time as are finished.
/// Ends early, without error, once `stop` is set: all that was handed on is then a beginning of the whole.
pub fn run<E>(
    market: &Arc<Market>,
    plan: &Plan,
    from: u64,
    stop: &AtomicBool,
    mut sink: impl FnMut(&[Row]) -> Result<(), E>,
) -> Result<(), SweepError<E>> {
    let threads = rayon::current_num_threads() as u64;
    let chunk = (plan.rows().saturating_sub(from) / (4 * threads)).clamp(1, MAX_CHUNK);
    let epochs = Epochs::new(market, plan, threads);
    let next = AtomicU64::new(from);
    let over = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    // Threads of their own, as many as rayon has: this one waits for rows, and would starve a pool that it is part of.
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, epochs, next, over) = (sender.clone(), &epochs, &next, &over);
            scope.spawn(move || {
                let mut engine = Engine::default();
                loop {
                    let begin = next.fetch_add(chunk, Ordering::Relaxed);
                    for index in begin..(begin + chunk).min(plan.rows()) {
                        if stop.load(Ordering::Relaxed) || over.load(Ordering::Relaxed) {
                            return;
                        }
                        // Nobody listens any more once the sink has failed.
                        if sender.send((index, epochs.row(index, &mut engine))).is_err() {
                            return;
                        }
                    }
                    if begin + chunk >= plan.rows() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let result = hand_on(receiver, from, &mut sink);
        over.store(true, Ordering::Relaxed);
        result
    })
}

/// Puts rows in order, and hands on what has no gap before it.
fn hand_on<E>(
    receiver: mpsc::Receiver<(u64, Result<Row, EconomicsError>)>,
    from: u64,
    sink: &mut impl FnMut(&[Row]) -> Result<(), E>,
) -> Result<(), SweepError<E>> {
    let mut waiting = BTreeMap::new();
    let mut next = from;
    while let Ok(first) = receiver.recv() {
        for (index, row) in std::iter::once(first).chain(receiver.try_iter()) {
            waiting.insert(index, row.map_err(SweepError::Economics)?);
        }
        let mut ready = Vec::new();
        while let Some(row) = waiting.remove(&next) {
            ready.push(row);
            next += 1;
        }
        if !ready.is_empty() {
            sink(&ready).map_err(SweepError::Sink)?;
        }
    }
    Ok(())
}

/// Things that one thread makes and others wait for.
type Slots<K, T> = Mutex<BTreeMap<K, Arc<OnceLock<T>>>>;

/// The epochs of the rows that are being evaluated: each is drawn once, by the thread that needs it first.
struct Epochs<'a> {
    market: &'a Arc<Market>,
    plan: &'a Plan,
    thinnings: Slots<Option<PlaysPerSubscriber>, Thinning>,
    slots: Slots<(u64, Option<PlaysPerSubscriber>), Arc<Epoch>>,
    room: usize,
}

impl<'a> Epochs<'a> {
    fn new(market: &'a Arc<Market>, plan: &'a Plan, threads: u64) -> Self {
        // The epochs of one seed, and one for each thread that is ahead.
        let thinned = plan.grids.iter().find(|grid| grid.name == "plays_per_subscriber");
        let room = thinned.map_or(1, |grid| grid.values.len()) + threads as usize;
        Self { market, plan, thinnings: Mutex::default(), slots: Mutex::default(), room }
    }

    fn epoch(&self, seed: u64, plays: Option<PlaysPerSubscriber>) -> Arc<Epoch> {
        let slot = {
            let mut slots = self.slots.lock().expect("nobody panics while holding the epochs");
            let slot = slots.entry((seed, plays)).or_default().clone();
            if slots.len() > self.room {
                // The smallest seed is the one that is done with first. Who still needs it has it.
                slots.pop_first();
            }
            slot
        };
        slot.get_or_init(|| {
            let thinning = {
                let mut thinnings = self.thinnings.lock().expect("nobody panics while holding the thinnings");
                thinnings.entry(plays).or_default().clone()
            };
            thinning.get_or_init(|| Thinning::new(self.market, plays)).draw(seed)
        })
        .clone()
    }

    fn row(&self, index: u64, engine: &mut Engine) -> Result<Row, EconomicsError> {
        let (seed, places) = self.plan.row(index);
        let Scenario { rules, plays_per_subscriber } = self.plan.scenario(&places);
        let epoch = self.epoch(seed, plays_per_subscriber);
        let metrics = engine.evaluate(&epoch, &rules)?.metrics();
        Ok(Row { index, places, seed, metrics })
    }
}

#[cfg(test)]
mod tests;
