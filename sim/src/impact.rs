//! What a change of parameters would do: both sets of rules on the same epochs, who gains and who loses, whether it is
//! safe, and one page that says so to a member of governance.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`config`] | a side of a proposal: a preset, or a TOML file |
//! | [`knobs`] | parameters by name, and what each does in plain words |
//! | [`run()`] | both sides on every draw |
//! | [`model`] | what comes out |
//! | [`compare`] | creators, works, categories and money, before and after |
//! | [`attack`] | the best that puppets can do, and its return over a parameter and its size |
//! | [`sobol`] | which parameters matter |
//! | [`verdict`] | seven checks and one line |
//! | [`page`] | the page |
//! | [`folder`] | the folder that holds it |
//!
//! Everything is drawn from one seed; nothing depends on the number of threads, a clock or a file's place.

pub mod attack;
pub mod compare;
pub mod config;
pub mod folder;
pub mod knobs;
pub mod model;
pub mod page;
mod run;
pub mod sobol;
pub mod verdict;

pub use config::{ConfigError, Side};
pub use model::{Figures, Impact, Outcome, SizeRoi, Tile};
pub use run::{check, run};
pub use verdict::{Level, Verdict};

use crate::{
    economics::{EconomicsError, MAX_SYNTHETIC, PlaysPerSubscriber},
    workload::{TableError, UsageFile},
};
use thiserror::Error;

/// Draws behind an interval when nobody says how many.
pub const DEFAULT_SEEDS: u64 = 8;
/// Most draws: each holds a market while it is evaluated.
pub const MAX_SEEDS: u64 = 10_000;
/// Points of each of the two samples when nobody says how many.
pub const DEFAULT_SAMPLES: usize = 256;
/// Most points of a sample.
pub const MAX_SAMPLES: usize = 1 << 16;
/// Mean plays of a synthetic subscriber in an epoch when nobody says: twenty a day for a month. The synthetic table, like
/// the set it is shaped after, holds what people played in years.
pub const SYNTHETIC_PLAYS: &str = "600";

/// Where plays come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A usage table.
    File(UsageFile),
    /// So many synthetic subscribers.
    Synthetic(usize),
}

/// What to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Today's rules.
    pub before: Side,
    /// The proposed rules.
    pub after: Side,
    /// Where plays come from.
    pub source: Source,
    /// The first seed: draws what a table lacks, and the plays if they are thinned.
    pub seed: u64,
    /// How many seeds from the first on; those after the first make intervals.
    pub seeds: u64,
    /// Mean plays of a subscriber to thin to; `None` takes a table's plays as they are.
    pub plays_per_subscriber: Option<PlaysPerSubscriber>,
    /// Points of each of the two samples behind the sensitivities; 0 leaves them out.
    pub samples: usize,
}

/// Why nothing can be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImpactError {
    /// The usage file cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No market of that size.
    #[error("--synthetic {asked}: give a number of subscribers from 1 to {MAX_SYNTHETIC}")]
    Subscribers {
        /// Subscribers asked for.
        asked: usize,
    },
    /// No draw, too many, or seeds beyond the last.
    #[error("--seeds {seeds} from {first} on: there must be 1 to {MAX_SEEDS}, and none above 2^64 - 1")]
    Seeds {
        /// The first.
        first: u64,
        /// How many.
        seeds: u64,
    },
    /// More samples than are drawn.
    #[error("--samples {asked}: give a number from 0 to {MAX_SAMPLES}")]
    Samples {
        /// Samples asked for.
        asked: usize,
    },
    /// Nobody plays anything.
    #[error("{source_name}: nothing was played in the epoch of seed {seed}: raise --plays-per-subscriber")]
    NothingPlayed {
        /// Where plays come from.
        source_name: String,
        /// The seed.
        seed: u64,
    },
    /// An epoch cannot be evaluated.
    #[error(transparent)]
    Economics(#[from] EconomicsError),
}
