//! The run folder: what is in it, and how to get it again.

pub use super::stopped::EVIDENCE_FILE;
use super::{DEFAULT_SHARD_WIDTH, Options, Outcome, page};
pub use crate::folder::MANIFEST_FILE;
use crate::{
    folder::{
        CommandLine, FolderError, Kind, Staging, plain, pretty, write_file, write_json, write_rows,
        write_with,
    },
    report,
    workload::Workload,
};
use chain::light::EpochRecord;
use primitives::{Digest, Domain, Encode, Preset, hash};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The public record of the epoch.
pub const EPOCH_FILE: &str = "epoch.json";
/// Public records of the epochs before it, as a list.
pub const EARLIER_FILE: &str = "earlier.json";
/// Figures of the run.
pub const METRICS_FILE: &str = "metrics.json";
/// Accepted events, one a row.
pub const WORKLOAD_FILE: &str = "workload.csv";
/// Payouts, one a row.
pub const PAYOUTS_FILE: &str = "payouts.csv";
/// The run as a page.
pub const REPORT_FILE: &str = "report.html";
/// An honest bundle of the run, as a device handed it in.
pub const SAMPLE_FILE: &str = "sample.bundle";
/// Public keys of the blind signers, under which bundles of the run verify.
pub const SIGNERS_FILE: &str = "signers.json";
/// What the parties published of accepted bundles: the statements and proofs that an audit verifies again.
pub const STATEMENTS_FILE: &str = "statements.bin";
/// How long each stage took.
pub const TIMINGS_FILE: &str = "timings.json";
/// Every file of a run folder.
pub const FILES: [&str; 12] = [
    EPOCH_FILE,
    EVIDENCE_FILE,
    EARLIER_FILE,
    MANIFEST_FILE,
    METRICS_FILE,
    WORKLOAD_FILE,
    PAYOUTS_FILE,
    SAMPLE_FILE,
    SIGNERS_FILE,
    STATEMENTS_FILE,
    REPORT_FILE,
    TIMINGS_FILE,
];
/// Files that the manifest's command gives again, byte for byte, on any machine and with any number of threads. The
/// others hold what depends on timing: the number of messages that actors needed, and durations.
pub const REPRODUCIBLE: [&str; 8] = [
    EPOCH_FILE,
    EARLIER_FILE,
    MANIFEST_FILE,
    PAYOUTS_FILE,
    SAMPLE_FILE,
    SIGNERS_FILE,
    STATEMENTS_FILE,
    WORKLOAD_FILE,
];
/// Run folders.
pub static RUN: Kind = Kind { name: "cwe-run", files: &FILES };

/// How to get a run again: `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// `cwe-run`.
    pub kind: &'static str,
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The command that gives the run again.
    pub command: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Where the plays come from.
    pub source: String,
    /// Hash of options, parameters and workload.
    pub config_hash: Digest,
    /// Files that the command gives again byte for byte.
    pub reproducible: [&'static str; REPRODUCIBLE.len()],
}

impl Manifest {
    /// The manifest of a run of this workload.
    pub(super) fn new(options: &Options, workload: &Workload) -> serde_json::Result<Self> {
        Ok(Self {
            kind: RUN.name,
            program: "cwe",
            version: env!("CARGO_PKG_VERSION"),
            command: command(options),
            seed: workload.seed,
            source: workload.source.clone(),
            config_hash: config_hash(options, workload)?,
            reproducible: REPRODUCIBLE,
        })
    }
}

/// Digest of everything that decides a run: the options, the parameters, and the workload with all its draws.
fn config_hash(options: &Options, workload: &Workload) -> serde_json::Result<Digest> {
    #[derive(Serialize)]
    struct Config<'a> {
        batch: usize,
        epochs: u64,
        preset: Preset,
        shard_width: u16,
        workload: &'a Workload,
    }
    let Options { batch, epochs, preset, shard_width, .. } = *options;
    let config = serde_json::to_vec(&Config { batch, epochs, preset, shard_width, workload })?;
    Ok(hash::hash(Domain::Simulation, &[b"config", &options.params().to_bytes(), &config]))
}

/// The command of a run, in full; the folder is left out, since nothing depends on it.
fn command(options: &Options) -> String {
    let workload = &options.workload;
    let mut line = CommandLine::new(&["cwe", "demo"]);
    if let Some(file) = &workload.usage {
        line.usage(file);
    }
    line.flag("subscribers", workload.subscribers);
    line.flag("works", workload.works);
    if let Some(scale) = workload.plays_scale {
        line.flag("plays-scale", scale);
    }
    line.flag("seed", workload.seed);
    line.flag("preset", options.preset);
    if let Some(k) = options.k_anonymity {
        line.flag("k-anonymity", k);
    }
    if let Some(adversary) = options.adversary {
        line.flag("adversary", adversary);
    }
    if options.epochs != 1 {
        line.flag("epochs", options.epochs);
    }
    if options.shard_width != DEFAULT_SHARD_WIDTH {
        line.flag("shard-width", options.shard_width);
    }
    line.finish()
}

/// Where a run goes when nobody says: `runs/`, by source and seed.
pub fn default_folder(options: &Options) -> PathBuf {
    let file = options.workload.usage.as_ref().and_then(|usage| usage.path.file_stem());
    let source = file.map_or("synthetic".into(), |stem| stem.to_string_lossy());
    Path::new("runs").join(format!("{}-seed-{}", plain(&source), options.workload.seed))
}

/// Writes the run folder and moves it to its place.
pub fn commit(staging: Staging, outcome: &Outcome) -> Result<(), FolderError> {
    staging.commit(|dir| {
        write_json(dir.join(EPOCH_FILE), &outcome.record)?;
        let earlier: Vec<_> = outcome.earlier.iter().map(|epoch| &epoch.record).collect();
        write_json(dir.join(EARLIER_FILE), &earlier)?;
        write_json(dir.join(EVIDENCE_FILE), &outcome.evidence)?;
        write_json(dir.join(MANIFEST_FILE), &outcome.manifest)?;
        write_file(dir.join(SAMPLE_FILE), &outcome.sample)?;
        write_json(dir.join(SIGNERS_FILE), &outcome.signers)?;
        write_with(dir.join(STATEMENTS_FILE), |out| outcome.statements.write(out))?;
        write_json(dir.join(METRICS_FILE), &outcome.metrics)?;
        let timings: BTreeMap<&str, f64> =
            outcome.timings.iter().map(|(stage, took)| (stage.key(), took.as_secs_f64())).collect();
        write_json(dir.join(TIMINGS_FILE), &timings)?;
        write_rows(dir.join(WORKLOAD_FILE), &outcome.rows)?;
        write_rows(dir.join(PAYOUTS_FILE), &outcome.payouts)?;
        write_file(dir.join(REPORT_FILE), report::render(&page::data(outcome)).as_bytes())
    })
}

/// The public record as it is written.
pub fn record_json(record: &EpochRecord) -> Result<Vec<u8>, serde_json::Error> {
    pretty(record)
}

#[cfg(test)]
mod tests;
