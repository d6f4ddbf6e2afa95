//! The folder of a comparison: written beside its place and moved there in one step, so that it is there as a whole or
//! not at all. Everything in it is the same, byte for byte, for the same command and files.

use super::{Options, Outcome, Source, page};
use crate::{
    demo::folder::{FolderError, quoted},
    economics::PlaysPerSubscriber,
};
use primitives::Digest;
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The page.
pub const REPORT_FILE: &str = "report.html";
/// Every figure of the page.
pub const METRICS_FILE: &str = "metrics.json";
/// How to get the folder again.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Payouts of works on both sides.
pub const PAYOUTS_FILE: &str = "payouts.csv";
/// Every file of the folder.
pub const FILES: [&str; 4] = [REPORT_FILE, METRICS_FILE, MANIFEST_FILE, PAYOUTS_FILE];
/// What a manifest says it is of.
const KIND: &str = "cwe-impact";

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
            kind: KIND,
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
    let mut words: Vec<String> = ["cwe", "gov", "impact"].map(str::to_owned).into();
    words.extend([quoted(&options.before.given), quoted(&options.after.given)]);
    let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), quoted(&value)]);
    match &options.source {
        Source::Synthetic(subscribers) => flag("synthetic", subscribers.to_string()),
        Source::File(file) => {
            flag("usage", file.path.display().to_string());
            let columns = &file.columns;
            for (name, column) in [
                ("user-column", &columns.user),
                ("work-column", &columns.work),
                ("plays-column", &columns.plays),
            ] {
                if let Some(column) = column {
                    flag(name, column.clone());
                }
            }
        }
    }
    if let Some(plays) = options.plays_per_subscriber {
        flag("plays-per-subscriber", plays.to_string());
    }
    flag("seed", options.seed.to_string());
    flag("seeds", options.seeds.to_string());
    flag("samples", options.samples.to_string());
    words.join(" ")
}

/// Where a comparison goes when nobody says: `runs/`, by both sides and the seed.
pub fn default_folder(options: &Options) -> PathBuf {
    let plain = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    };
    let (before, after) = (plain(&options.before.name), plain(&options.after.name));
    Path::new("runs").join(format!("impact-{before}-to-{after}-seed-{}", options.seed))
}

/// Refuses a place where something is that is not ours to replace.
pub fn check_place(out: &Path) -> Result<(), FolderError> {
    if out.file_name().is_none() {
        return Err(FolderError::NoName { path: out.into() });
    }
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(FolderError::Occupied { path: out.into() });
        }
        Err(error) => return Err(FolderError::Io { path: out.into(), error }),
    };
    let names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    let ours = names.iter().all(|name| FILES.iter().any(|file| name == file)) && {
        let manifest = fs::read(out.join(MANIFEST_FILE)).ok();
        let manifest = manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        manifest.is_some_and(|manifest| manifest["kind"] == KIND)
    };
    if names.is_empty() || ours { Ok(()) } else { Err(FolderError::Occupied { path: out.into() }) }
}

/// A folder that is being made. Dropped before it is in its place, it leaves nothing.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed stays behind under its telling name.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Writes the folder: where nothing is, an empty folder, or an earlier comparison, which is replaced.
pub fn write(out: &Path, options: &Options, outcome: &Outcome) -> Result<(), FolderError> {
    check_place(out)?;
    let name = out.file_name().ok_or_else(|| FolderError::NoName { path: out.into() })?;
    let hidden = format!(".{}.partial-{}", name.to_string_lossy(), std::process::id());
    let staging = Staging(out.with_file_name(hidden));
    let made = staging.0.join("impact");
    fs::create_dir_all(&made).map_err(|error| FolderError::Uncreatable { path: out.into(), error })?;
    for (name, bytes) in files(&made, options, outcome)? {
        let path = made.join(name);
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.map_err(|error| FolderError::Io { path, error })?;
    }
    let io = |error| FolderError::Io { path: out.into(), error };
    if out.exists() {
        fs::rename(out, staging.0.join("old")).map_err(io)?;
    }
    fs::rename(&made, out).map_err(io)
}

/// Every file with its bytes; errors name it in `folder`.
fn files(
    folder: &Path,
    options: &Options,
    outcome: &Outcome,
) -> Result<[(&'static str, Vec<u8>); FILES.len()], FolderError> {
    let manifest = Manifest::new(options, outcome);
    let csv_error = |error| FolderError::Csv { path: folder.join(PAYOUTS_FILE), error };
    let mut rows = csv::Writer::from_writer(Vec::new());
    outcome.payouts.iter().try_for_each(|row| rows.serialize(row)).map_err(csv_error)?;
    let rows = rows.into_inner().map_err(|error| csv_error(error.into_error().into()))?;
    Ok([
        (REPORT_FILE, page::render(&outcome.impact, &manifest).into_bytes()),
        (METRICS_FILE, json(folder, METRICS_FILE, &outcome.impact)?),
        (MANIFEST_FILE, json(folder, MANIFEST_FILE, &manifest)?),
        (PAYOUTS_FILE, rows),
    ])
}

fn json(folder: &Path, name: &str, value: &impl Serialize) -> Result<Vec<u8>, FolderError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| FolderError::Json { path: folder.join(name), error })?;
    bytes.push(b'\n');
    Ok(bytes)
}
