//! The workload of an epoch: who subscribes, what they play, and who made it.
//!
//! One path, whatever the source: a [`table::Table`] of plays, read from a file or synthetic, is sampled and scaled
//! into events, and what a table lacks is drawn from the seed. The same options give the same workload, to the last
//! event, on any number of threads.

pub mod draw;
pub mod sample;
pub mod synthetic;
pub mod table;

pub use draw::DrawnShares;
pub use table::{Columns, Table, TableError, UsageFile};

use primitives::{EpochId, GovernanceParams, RegionTag, Tier, limits::MAX_WORKS, params::ParamsError};
use rand::RngCore;
use serde::Serialize;
use std::collections::BTreeSet;
use thiserror::Error;

/// Most subscribers of a workload: their events live in memory, and a synthetic table has 50 rows for each.
pub const MAX_SUBSCRIBERS: usize = 100_000;
/// Subscribers when nothing else is asked for.
pub const DEFAULT_SUBSCRIBERS: usize = 120;
/// Works when nothing else is asked for.
pub const DEFAULT_WORKS: usize = 256;

const _: () = {
    assert!(
        MAX_SUBSCRIBERS as u64 * synthetic::MAX_WORKS_PER_LISTENER as u64 <= table::MAX_ROWS,
        "a synthetic table is not above the limit of tables"
    );
    assert!(DEFAULT_SUBSCRIBERS >= 100 && DEFAULT_WORKS <= MAX_WORKS);
    assert!(DEFAULT_SUBSCRIBERS as u64 * sample::EVENTS_PER_SUBSCRIBER >= 3_000);
};

/// What workload to build.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadOptions {
    /// Decides every draw.
    pub seed: u64,
    /// Subscribers, sampled by the seed.
    pub subscribers: usize,
    /// Works: the most played among them.
    pub works: usize,
    /// Events for one play of the table. `None` aims at [`sample::EVENTS_PER_SUBSCRIBER`].
    pub plays_scale: Option<f64>,
    /// The table to use; `None` makes a synthetic one.
    pub usage: Option<UsageFile>,
}

impl Default for WorkloadOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            subscribers: DEFAULT_SUBSCRIBERS,
            works: DEFAULT_WORKS,
            plays_scale: None,
            usage: None,
        }
    }
}

/// Why a workload cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// The usage file cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The parameters are outside their bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Nobody is asked to take part.
    #[error("a workload needs at least one subscriber")]
    NoSubscribers,
    /// More subscribers than fit in memory.
    #[error("{asked} subscribers asked for, more than the {max} of a workload")]
    TooManySubscribers {
        /// Subscribers asked for.
        asked: usize,
        /// [`MAX_SUBSCRIBERS`].
        max: usize,
    },
    /// No work is asked for.
    #[error("a workload needs at least one work")]
    NoWorks,
    /// More works than a shard holds.
    #[error("{asked} works asked for, more than the {max} that a shard holds")]
    TooManyWorks {
        /// Works asked for.
        asked: usize,
        /// [`MAX_WORKS`].
        max: usize,
    },
    /// The scale is not a positive, finite number.
    #[error("a scale of {scale} makes no events: it must be above 0 and finite")]
    BadScale {
        /// The scale asked for.
        scale: f64,
    },
    /// Every row rounds to zero events.
    #[error("{source_name}: no row of the sample becomes an event at a scale of {scale}")]
    NoEvents {
        /// The table.
        source_name: String,
        /// The scale used.
        scale: f64,
    },
}

/// Everything that happens outside the system in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// Decided every draw.
    pub seed: u64,
    /// Where the plays come from.
    pub source: String,
    /// Events for one play of the table.
    pub scale: f64,
    /// Creators and collaborators.
    pub creators: Vec<CreatorSpec>,
    /// Works, the most played in the table first.
    pub works: Vec<WorkSpec>,
    /// Subscribers, by name. Some may have no event.
    pub subscribers: Vec<SubscriberSpec>,
    /// Whose events the cap cuts short.
    pub capped: Capped,
    /// What was drawn, as it came out.
    pub drawn: DrawnShares,
    /// What a reader should know of how the options were met.
    pub notes: Vec<String>,
}

/// What the cap on a subscriber's value leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Capped {
    /// Subscribers who reach it.
    pub subscribers: u64,
    /// Their events beyond it, which no device hands in.
    pub events: u64,
}

/// A creator or collaborator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreatorSpec {
    /// Name, unique among creators.
    pub name: String,
}

/// A work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkSpec {
    /// Name, unique among works.
    pub name: String,
    /// Who registers it, as a place in [`Workload::creators`].
    pub creator: usize,
    /// Who gets which share: places in [`Workload::creators`] and basis points, which sum to 10,000.
    pub splits: Vec<(usize, u16)>,
    /// Category, from 0.
    pub category: u16,
    /// Price multiplier in 2^-32, inside the bounds of the parameters.
    pub price: u64,
}

/// A subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriberSpec {
    /// Name, unique among subscribers.
    pub name: String,
    /// The tier subscribed to.
    pub tier: Tier,
    /// Region of the receipts, or [`RegionTag::NONE`].
    pub region: RegionTag,
    /// Events, in the order they happen.
    pub events: Vec<EventSpec>,
}

/// One view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EventSpec {
    /// The work, as a place in [`Workload::works`].
    pub work: usize,
    /// Index of the view among this subscriber's views of this work: from 0, without gaps, below `j_max`.
    pub view: u16,
    /// Quarters played, 1 to 4.
    pub quarters: u8,
    /// Whether a bandwidth receipt backs it.
    pub backed: bool,
}

/// Of so many works that a subscriber plays, one is left alone in each later epoch.
const LEFT_ALONE: u32 = 4;

impl Workload {
    /// The same people in an epoch of a run, from 1. In the first they play everything; in each later one everybody leaves
    /// some works alone.
    pub fn in_epoch(&self, epoch: EpochId) -> Self {
        let mut workload = self.clone();
        if epoch.0 == 1 {
            return workload;
        }
        for subscriber in &mut workload.subscribers {
            let mut rng = draw::rng("epoch", self.seed, &format!("{epoch} {}", subscriber.name));
            let played: BTreeSet<usize> = subscriber.events.iter().map(|event| event.work).collect();
            let left: BTreeSet<usize> =
                played.into_iter().filter(|_| rng.next_u32().is_multiple_of(LEFT_ALONE)).collect();
            subscriber.events.retain(|event| !left.contains(&event.work));
        }
        workload.drawn.events = workload.subscribers.iter().map(|s| s.events.len()).sum();
        workload
    }
}

/// Refuses more works than a shard holds, before any work is done.
pub fn check_works(asked: usize) -> Result<(), WorkloadError> {
    match asked {
        0 => Err(WorkloadError::NoWorks),
        1..=MAX_WORKS => Ok(()),
        _ => Err(WorkloadError::TooManyWorks { asked, max: MAX_WORKS }),
    }
}

fn check(options: &WorkloadOptions) -> Result<(), WorkloadError> {
    check_works(options.works)?;
    if options.subscribers == 0 {
        return Err(WorkloadError::NoSubscribers);
    }
    if options.subscribers > MAX_SUBSCRIBERS {
        return Err(WorkloadError::TooManySubscribers { asked: options.subscribers, max: MAX_SUBSCRIBERS });
    }
    match options.plays_scale {
        Some(scale) if !(scale.is_finite() && scale > 0.0) => Err(WorkloadError::BadScale { scale }),
        _ => Ok(()),
    }
}

/// Builds the workload.
pub fn build(options: &WorkloadOptions, params: &GovernanceParams) -> Result<Workload, WorkloadError> {
    check(options)?;
    params.check()?;
    let table = match &options.usage {
        Some(file) => table::read(file)?,
        None => synthetic::generate(options.seed, options.subscribers),
    };
    from_table(&table, options, params)
}

/// Builds the workload from a table, whatever its source.
pub fn from_table(
    table: &Table,
    options: &WorkloadOptions,
    params: &GovernanceParams,
) -> Result<Workload, WorkloadError> {
    check(options)?;
    let (seed, j_max) = (options.seed, params.j_max);
    let mut notes = Vec::new();
    let sample = sample::sample(table, seed, options.subscribers, options.works, &mut notes);
    let scale = options.plays_scale.unwrap_or_else(|| sample::default_scale(&sample, j_max));

    let mut subscribers: Vec<SubscriberSpec> = sample
        .users
        .iter()
        .map(|(name, rows)| {
            let counts: Vec<_> =
                rows.iter().map(|(work, plays)| (*work, sample::events(*plays, scale, j_max))).collect();
            draw::subscriber(seed, name, &counts)
        })
        .collect();
    let capped = cut_at_cap(&mut subscribers, params);
    let (creators, works) = draw::catalogue(seed, &sample.works, params);
    let drawn = DrawnShares::measure(&creators, &works, &subscribers, params);
    if drawn.events == 0 {
        return Err(WorkloadError::NoEvents { source_name: table.source.clone(), scale });
    }
    describe(options, scale, &subscribers, &mut notes);
    let source = table.source.clone();
    Ok(Workload { seed, source, scale, creators, works, subscribers, capped, drawn, notes })
}

/// Ends each subscriber's events where the next would exceed the cap: what a device does that keeps a log.
fn cut_at_cap(subscribers: &mut [SubscriberSpec], params: &GovernanceParams) -> Capped {
    let mut capped = Capped::default();
    for subscriber in subscribers {
        let mut value = 0;
        let exceeds = |event: &EventSpec| {
            value += params.event_value(event.view, event.quarters);
            value > params.value_cap
        };
        if let Some(end) = subscriber.events.iter().position(exceeds) {
            capped.subscribers += 1;
            capped.events += (subscriber.events.len() - end) as u64;
            subscriber.events.truncate(end);
        }
    }
    capped
}

fn describe(options: &WorkloadOptions, scale: f64, subscribers: &[SubscriberSpec], notes: &mut Vec<String>) {
    let events: usize = subscribers.iter().map(|s| s.events.len()).sum();
    let tenths = events as u64 * 10 / subscribers.len() as u64;
    notes.push(format!(
        "a scale of {scale} events a play, {}: {}.{} events a subscriber",
        if options.plays_scale.is_some() { "as given" } else { "chosen" },
        tenths / 10,
        tenths % 10
    ));
    let silent = subscribers.iter().filter(|s| s.events.is_empty()).count();
    if silent > 0 {
        let all = subscribers.len();
        notes.push(format!(
            "without an event, as their rows round to zero or name other works: {silent} of {all} subscribers"
        ));
    }
}

#[cfg(test)]
mod tests;
