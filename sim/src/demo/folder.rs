//! The run folder: written beside its place and moved there in one step, so that it is there as a whole or not at all.

use super::{Options, Outcome, page};
use crate::{
    report,
    workload::{UsageFile, Workload},
};
use chain::light::EpochRecord;
use primitives::Digest;
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The public record of the epoch.
pub const EPOCH_FILE: &str = "epoch.json";
/// How to get the run again.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Figures of the run.
pub const METRICS_FILE: &str = "metrics.json";
/// Accepted events, one a row.
pub const WORKLOAD_FILE: &str = "workload.csv";
/// Payouts, one a row.
pub const PAYOUTS_FILE: &str = "payouts.csv";
/// The run as a page.
pub const REPORT_FILE: &str = "report.html";
/// How long each stage took.
pub const TIMINGS_FILE: &str = "timings.json";
/// Every file of a run folder.
pub const FILES: [&str; 7] =
    [EPOCH_FILE, MANIFEST_FILE, METRICS_FILE, WORKLOAD_FILE, PAYOUTS_FILE, REPORT_FILE, TIMINGS_FILE];
/// Files that the manifest's command gives again, byte for byte, on any machine and with any number of threads. The
/// others hold what depends on timing: the number of messages that actors needed, and durations.
pub const REPRODUCIBLE: [&str; 4] = [EPOCH_FILE, MANIFEST_FILE, PAYOUTS_FILE, WORKLOAD_FILE];
/// What a manifest says it is of.
const KIND: &str = "cwe-run";

/// Why a run folder cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder cannot be made there.
    #[error("{path}: cannot be created: {error}; choose another folder with --out", path = path.display())]
    Uncreatable {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Something else is at the folder's place.
    #[error("{path} exists and is no run folder: choose another folder, or empty this one")]
    Occupied {
        /// Where.
        path: PathBuf,
    },
    /// The folder's place has no name, such as `..` or `/`.
    #[error("{path} is no name for a run folder")]
    NoName {
        /// What was given.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A row cannot be written.
    #[error("{path}: {error}")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why.
        error: csv::Error,
    },
    /// A document cannot be written.
    #[error("{path}: {error}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
}

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
    pub(super) fn new(options: &Options, workload: &Workload, config_hash: Digest) -> Self {
        Self {
            kind: KIND,
            program: "cwe",
            version: env!("CARGO_PKG_VERSION"),
            command: command(options),
            seed: workload.seed,
            source: workload.source.clone(),
            config_hash,
            reproducible: REPRODUCIBLE,
        }
    }
}

/// The command of a run, in full; the folder is left out, since nothing depends on it.
fn command(options: &Options) -> String {
    let workload = &options.workload;
    let mut words: Vec<String> = vec!["cwe".into(), "demo".into()];
    let mut flag = |name: &str, value: String| words.extend([format!("--{name}"), quoted(&value)]);
    if let Some(UsageFile { path, columns }) = &workload.usage {
        flag("usage", path.display().to_string());
        for (name, column) in
            [("user-column", &columns.user), ("work-column", &columns.work), ("plays-column", &columns.plays)]
        {
            if let Some(column) = column {
                flag(name, column.clone());
            }
        }
    }
    flag("subscribers", workload.subscribers.to_string());
    flag("works", workload.works.to_string());
    if let Some(scale) = workload.plays_scale {
        flag("plays-scale", scale.to_string());
    }
    flag("seed", workload.seed.to_string());
    flag("preset", options.preset.to_string());
    words.join(" ")
}

/// A word as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Where a run goes when nobody says: `runs/`, by source and seed.
pub fn default_folder(options: &Options) -> PathBuf {
    let file = options.workload.usage.as_ref().and_then(|usage| usage.path.file_stem());
    let source = file.map_or("synthetic".into(), |stem| stem.to_string_lossy());
    let name: String = source.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Path::new("runs").join(format!("{name}-seed-{}", options.workload.seed))
}

/// A run folder that is being made, beside its place. Dropped before [`Staging::commit`], it leaves nothing.
pub struct Staging {
    out: PathBuf,
    dir: PathBuf,
}

impl Staging {
    /// Begins a run folder for `out`: nothing, an empty folder, or an earlier run folder, which will be replaced.
    pub fn new(out: &Path) -> Result<Self, FolderError> {
        let name = out.file_name().ok_or_else(|| FolderError::NoName { path: out.into() })?;
        check_place(out)?;
        let hidden = format!(".{}.partial-{}", name.to_string_lossy(), std::process::id());
        let dir = out.with_file_name(hidden);
        let staging = Self { out: out.into(), dir };
        let scratch = staging.scratch();
        fs::create_dir_all(&scratch).map_err(|error| FolderError::Uncreatable { path: out.into(), error })?;
        Ok(staging)
    }

    /// The folder that holds everything until the run is done.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// An empty folder for whatever a run needs on disk and nobody needs afterwards.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("scratch")
    }

    /// Writes the run folder and moves it to its place.
    pub fn commit(self, outcome: &Outcome) -> Result<(), FolderError> {
        let run = self.dir.join("run");
        let io = |path: &Path, error| FolderError::Io { path: path.into(), error };
        fs::create_dir_all(&run).map_err(|error| io(&run, error))?;
        write_files(&run, outcome)?;
        check_place(&self.out)?;
        if self.out.exists() {
            let old = self.dir.join("old");
            fs::rename(&self.out, &old).map_err(|error| io(&self.out, error))?;
        }
        fs::rename(&run, &self.out).map_err(|error| io(&self.out, error))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed stays behind under its telling name.
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// Refuses a place where something is that is not ours to replace.
fn check_place(out: &Path) -> Result<(), FolderError> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(FolderError::Occupied { path: out.into() });
        }
        Err(error) => return Err(FolderError::Io { path: out.into(), error }),
    };
    let names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    let ours = |name: &std::ffi::OsString| FILES.iter().any(|file| name == file);
    let manifest = || fs::read(out.join(MANIFEST_FILE)).ok();
    let says_so = || {
        let manifest = manifest().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        manifest.is_some_and(|manifest| manifest["kind"] == KIND)
    };
    if names.is_empty() || (names.iter().all(ours) && says_so()) {
        Ok(())
    } else {
        Err(FolderError::Occupied { path: out.into() })
    }
}

fn write_files(dir: &Path, outcome: &Outcome) -> Result<(), FolderError> {
    let json = |name: &str, bytes: Result<Vec<u8>, serde_json::Error>| {
        let path = dir.join(name);
        let bytes = bytes.map_err(|error| FolderError::Json { path: path.clone(), error })?;
        write_file(path, &bytes)
    };
    json(EPOCH_FILE, record_json(&outcome.record))?;
    json(MANIFEST_FILE, pretty(&outcome.manifest))?;
    json(METRICS_FILE, pretty(&outcome.metrics))?;
    let timings: std::collections::BTreeMap<&str, f64> =
        outcome.timings.iter().map(|(stage, took)| (stage.key(), took.as_secs_f64())).collect();
    json(TIMINGS_FILE, pretty(&timings))?;
    write_rows(dir.join(WORKLOAD_FILE), &outcome.rows)?;
    write_rows(dir.join(PAYOUTS_FILE), &outcome.payouts)?;
    write_file(dir.join(REPORT_FILE), report::render(&page::data(outcome)).as_bytes())
}

/// The public record as it is written.
pub fn record_json(record: &EpochRecord) -> Result<Vec<u8>, serde_json::Error> {
    pretty(record)
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn write_rows<T: Serialize>(path: PathBuf, rows: &[T]) -> Result<(), FolderError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error| FolderError::Csv { path: path.clone(), error };
    rows.iter().try_for_each(|row| writer.serialize(row)).map_err(failed)?;
    let bytes =
        writer.into_inner().map_err(|e| FolderError::Io { path: path.clone(), error: e.into_error() })?;
    write_file(path, &bytes)
}

fn write_file(path: PathBuf, bytes: &[u8]) -> Result<(), FolderError> {
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| FolderError::Io { path, error })
}

#[cfg(test)]
mod tests;
