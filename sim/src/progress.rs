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
    /// Clients obtain tokens.
    Tokens,
    /// Clients obtain receipts.
    Receipts,
    /// Devices make bundles.
    Bundles,
    /// A client hands bundles in, and two parties take each in.
    HandedIn,
    /// The parties check bundles and put them into batches.
    Checks,
    /// The totals are opened, proven and settled.
    Settling,
    /// Clients check that their bundles are in what the committee signed.
    Inclusion,
    /// Payouts are claimed.
    Claims,
    /// Blocks and the final epoch are anchored on L1, and two creators are paid there.
    Layer1,
    /// The log is replayed, and a light client checks the record.
    Verification,
    /// What was published of bundles is fetched, part by part.
    Fetch,
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
            Self::Tokens => "tokens from their issuer",
            Self::Receipts => "receipts from their issuer",
            Self::Bundles => "bundles proved by devices",
            Self::HandedIn => "bundles taken in by two parties",
            Self::Checks => "bundles checked by three parties",
            Self::Settling => "totals opened and settled",
            Self::Inclusion => "inclusion checked by clients",
            Self::Claims => "payouts claimed",
            Self::Layer1 => "anchored and paid on L1",
            Self::Verification => "replay and light client",
            Self::Fetch => "parts of published bundles",
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
            Self::Tokens => "tokens",
            Self::Receipts => "receipts",
            Self::Bundles => "bundles",
            Self::HandedIn => "handed_in",
            Self::Checks => "checks",
            Self::Settling => "settling",
            Self::Inclusion => "inclusion",
            Self::Claims => "claims",
            Self::Layer1 => "layer1",
            Self::Verification => "verification",
            Self::Fetch => "fetch",
            Self::Audit => "audit",
            Self::Rows => "rows",
            Self::Draws => "draws",
            Self::Sensitivity => "sensitivity",
        }
    }

    /// The line that says that it is over, where there is no terminal.
    pub fn over(self, steps: u64, took: Duration) -> String {
        format!("{}: {steps}{OVER}{:.1} s", self.name(), took.as_secs_f64())
    }

    /// Steps of it, if a line of a program that runs a part says that the part is over.
    pub fn steps_over(self, line: &str) -> Option<u64> {
        let (steps, _) = line.strip_prefix(self.name())?.strip_prefix(": ")?.split_once(OVER)?;
        steps.parse().ok()
    }
}

/// Between the number of steps and the time that they took.
const OVER: &str = ", done in ";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_stage_is_read_from_its_line() {
        let line = Stage::Tokens.over(12, Duration::from_millis(1_250));
        assert_eq!(line, "tokens from their issuer: 12, done in 1.2 s");
        assert_eq!((Stage::Tokens.steps_over(&line), Stage::Bundles.steps_over(&line)), (Some(12), None));
        assert_eq!(Stage::Tokens.steps_over("tokens from their issuer: 3 of 12, 2.0 a second"), None);
    }
}
