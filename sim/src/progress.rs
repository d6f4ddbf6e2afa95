//! How far a run is, told to whoever wants to show it. The library itself prints nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// A part of a run that takes time. Some run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Keys of token issuers and receipt signers are made.
    Keys,
    /// Persons and works go on record.
    Registry,
    /// The parties make the beacon, and the epoch opens.
    Opening,
    /// Devices make bundles.
    Bundles,
    /// A client hands bundles in, and two parties take each in.
    HandedIn,
    /// The parties check bundles and put them into batches.
    Checks,
    /// The totals are opened, proven and settled.
    Settling,
    /// Payouts are claimed.
    Claims,
    /// Blocks and the final epoch are anchored on L1, and two creators are paid there.
    Layer1,
    /// The log is replayed, and a light client checks the record.
    Verification,
    /// Published bundles are verified again.
    Audit,
    /// The rows of a sweep are evaluated.
    Rows,
    /// A change of parameters is compared on each draw.
    Draws,
    /// Parameters are varied together.
    Sensitivity,
}

impl Stage {
    /// What happens, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "issuer and receipt keys",
            Self::Registry => "persons and works on record",
            Self::Opening => "beacon and opening",
            Self::Bundles => "bundles proved by devices",
            Self::HandedIn => "bundles taken in by two parties",
            Self::Checks => "bundles checked by three parties",
            Self::Settling => "totals opened and settled",
            Self::Claims => "payouts claimed",
            Self::Layer1 => "anchored and paid on L1",
            Self::Verification => "replay and light client",
            Self::Audit => "published bundles verified again",
            Self::Rows => "rows of the sweep",
            Self::Draws => "draws compared",
            Self::Sensitivity => "parameters varied together",
        }
    }

    /// The stage's name in files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Registry => "registry",
            Self::Opening => "opening",
            Self::Bundles => "bundles",
            Self::HandedIn => "handed_in",
            Self::Checks => "checks",
            Self::Settling => "settling",
            Self::Claims => "claims",
            Self::Layer1 => "layer1",
            Self::Verification => "verification",
            Self::Audit => "audit",
            Self::Rows => "rows",
            Self::Draws => "draws",
            Self::Sensitivity => "sensitivity",
        }
    }
}

/// Is told how far a run is, from several threads.
pub trait Progress: Sync {
    /// A stage begins; it has `total` steps.
    fn begin(&self, stage: Stage, total: u64);
    /// So many more steps of a stage are done.
    fn advance(&self, stage: Stage, by: u64);
    /// A stage is over.
    fn end(&self, stage: Stage);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Stage, _: u64) {}
    fn advance(&self, _: Stage, _: u64) {}
    fn end(&self, _: Stage) {}
}

/// Passes everything on, and notes how long each stage took.
pub struct Timed<'a> {
    inner: &'a dyn Progress,
    times: Mutex<BTreeMap<Stage, (Instant, Option<Duration>)>>,
}

impl<'a> Timed<'a> {
    /// Times what `inner` is told.
    pub fn new(inner: &'a dyn Progress) -> Self {
        Self { inner, times: Mutex::default() }
    }

    fn times(&self) -> MutexGuard<'_, BTreeMap<Stage, (Instant, Option<Duration>)>> {
        self.times.lock().expect("nobody panics while holding the times")
    }

    /// How long each finished stage took.
    pub fn durations(&self) -> Vec<(Stage, Duration)> {
        self.times().iter().filter_map(|(stage, (_, took))| Some((*stage, (*took)?))).collect()
    }
}

impl Progress for Timed<'_> {
    fn begin(&self, stage: Stage, total: u64) {
        self.times().insert(stage, (Instant::now(), None));
        self.inner.begin(stage, total);
    }

    fn advance(&self, stage: Stage, by: u64) {
        self.inner.advance(stage, by);
    }

    fn end(&self, stage: Stage) {
        if let Some((begun, took)) = self.times().get_mut(&stage) {
            *took = Some(begun.elapsed());
        }
        self.inner.end(stage);
    }
}
