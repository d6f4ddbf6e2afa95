//! The folder of a comparison: what is in it, and how to get it again. Everything in it is the same, byte for byte, for
//! the same command and files.

use super::{Options, Outcome, Source, page};
pub use crate::folder::MANIFEST_FILE;
use crate::{
    economics::PlaysPerSubscriber,
    folder::{CommandLine, FolderError, Kind, Staging, plain, write_file, write_json, write_rows},
};
use primitives::Digest;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The page.
pub const REPORT_FILE: &str = "report.html";
/// Every figure of the page.
pub const METRICS_FILE: &str = "metrics.json";
/// Payouts of works on both sides.
pub const PAYOUTS_FILE: &str = "payouts.csv";
/// Every file of the folder.
pub const FILES: [&str; 4] = [REPORT_FILE, METRICS_FILE, MANIFEST_FILE, PAYOUTS_FILE];
/// Folders of comparisons.
pub static COMPARISON: Kind = Kind { name: "cwe-impact", files: &FILES };

/// How to get a comparison again: `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// `cwe-impact`.
    pub kind: &'static str,
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The command that gives the comparison again.
    pub command: String,
    /// The first seed.
    pub seed: u64,
    /// How many seeds.
    pub seeds: u64,
    /// Points of each sample behind the sensitivities.
    pub samples: usize,
    /// What plays were thinned to.
    pub plays_per_subscriber: Option<PlaysPerSubscriber>,
    /// What the plays are.
    pub source: String,
    /// Digest of the plays of the first seed, and of what was drawn for them.
    pub data_hash: Digest,
    /// Digest of today's rules.
    pub before_hash: Digest,
    /// Digest of the proposed rules.
    pub after_hash: Digest,
    /// Files that the command gives again byte for byte: all.
    pub reproducible: [&'static str; FILES.len()],
}

impl Manifest {
    /// The manifest of a comparison.
    pub fn new(options: &Options, outcome: &Outcome) -> Self {
        Self {
            kind: COMPARISON.name,
            program: "cwe",
            version: env!("CARGO_PKG_VERSION"),
            command: command(options),
            seed: options.seed,
            seeds: options.seeds,
            samples: options.samples,
            plays_per_subscriber: options.plays_per_subscriber,
            source: outcome.impact.source.clone(),
            data_hash: outcome.data,
            before_hash: options.before.digest(),
            after_hash: options.after.digest(),
            reproducible: FILES,
        }
    }
}

/// The command in full; the folder is left out, since nothing depends on it.
fn command(options: &Options) -> String {
    let mut line = CommandLine::new(&["cwe", "gov", "impact"]);
    line.word(&options.before.given);
    line.word(&options.after.given);
    match &options.source {
        Source::Synthetic(subscribers) => line.flag("synthetic", subscribers),
        Source::File(file) => line.usage(file),
    }
    if let Some(plays) = options.plays_per_subscriber {
        line.flag("plays-per-subscriber", plays);
    }
    line.flag("seed", options.seed);
    line.flag("seeds", options.seeds);
    line.flag("samples", options.samples);
    line.finish()
}

/// Where a comparison goes when nobody says: `runs/`, by both sides and the seed.
pub fn default_folder(options: &Options) -> PathBuf {
    let (before, after) = (plain(&options.before.name), plain(&options.after.name));
    Path::new("runs").join(format!("impact-{before}-to-{after}-seed-{}", options.seed))
}

/// Writes the folder: where nothing is, an empty folder, or an earlier comparison, which is replaced.
pub fn write(out: &Path, options: &Options, outcome: &Outcome) -> Result<(), FolderError> {
    let manifest = Manifest::new(options, outcome);
    Staging::new(&COMPARISON, out)?.commit(|dir| {
        write_file(dir.join(REPORT_FILE), page::render(&outcome.impact, &manifest).as_bytes())?;
        write_json(dir.join(METRICS_FILE), &outcome.impact)?;
        write_json(dir.join(MANIFEST_FILE), &manifest)?;
        write_rows(dir.join(PAYOUTS_FILE), &outcome.payouts)
    })
}
