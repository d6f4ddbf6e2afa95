//! A sweep in a file that can be interrupted anywhere, and goes on where it stopped.
//!
//! The file is plain CSV. Beside it, with `.sweep.json` after its name, lies what sweep it is of: a digest of the
//! configuration. Rows are appended in order, and are on disk before they count as done. A line that was cut short, by
//! a crash or a full disk, is cut off before going on.

use super::Plan;
use crate::economics::Market;
use primitives::Digest;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// What is added to the name of a file for the one beside it.
pub const SIDECAR: &str = ".sweep.json";
/// The format of the file beside.
const FORMAT: u32 = 1;

/// Why a file cannot take the rows of a sweep.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file cannot be read, written or locked.
    #[error("{path}: {what}: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// A file cannot be made or opened.
    #[error("{path}: cannot be opened: {error}", path = .path.display())]
    Uncreatable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is there, and nothing beside it says of what sweep it is.
    #[error("{path}: exists, and is no sweep that could be resumed", path = .0.display())]
    Foreign(PathBuf),
    /// The file beside it cannot be understood.
    #[error("{path}: does not describe a sweep: {error}", path = .path.display())]
    Sidecar {
        /// The file.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// The file is of a sweep with another configuration.
    #[error("{path}: is of another sweep: its configuration is {found}, this one {expected}", path = .path.display())]
    OtherConfiguration {
        /// The file.
        path: PathBuf,
        /// Its configuration.
        found: Digest,
        /// That of the sweep asked for.
        expected: Digest,
    },
    /// A line is not what the sweep has there.
    #[error("{path}: line {line} is not of this sweep", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// Somebody else writes the file.
    #[error("{path}: another sweep is writing it", path = .0.display())]
    Busy(PathBuf),
}

/// What lies beside the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sidecar {
    format: u32,
    config: Digest,
    /// For people: what was swept.
    source: String,
    preset: String,
    grids: Vec<String>,
    first_seed: u64,
    seeds: u64,
    rows: u64,
    version: String,
}

/// The file of a sweep, open for more rows.
#[derive(Debug)]
pub struct SweepFile {
    path: PathBuf,
    file: File,
    done: u64,
}

fn io_error<'a>(path: &'a Path, what: &'static str) -> impl Fn(io::Error) -> FileError + 'a {
    move |error| FileError::Io { path: path.to_owned(), what, error }
}

impl SweepFile {
    /// Opens the file of a sweep, new or begun, and cuts off a line that was cut short.
    pub fn open(path: &Path, plan: &Plan, market: &Market) -> Result<Self, FileError> {
        let sidecar = sidecar(path);
        let expected = plan.digest(market);
        match fs::read(&sidecar) {
            Ok(bytes) => {
                let found: Sidecar = serde_json::from_slice(&bytes)
                    .map_err(|error| FileError::Sidecar { path: sidecar.clone(), error })?;
                if (found.format, found.config) != (FORMAT, expected) {
                    let (path, found) = (path.to_owned(), found.config);
                    return Err(FileError::OtherConfiguration { path, found, expected });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path.exists() {
                    return Err(FileError::Foreign(path.to_owned()));
                }
                write_sidecar(&sidecar, plan, market, expected)?;
            }
            Err(error) => return Err(io_error(&sidecar, "cannot be read")(error)),
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(|error| FileError::Uncreatable { path: path.to_owned(), error })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FileError::Busy(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io_error(path, "cannot be locked")(error)),
        }
        let mut open = Self { path: path.to_owned(), file, done: 0 };
        open.recover(plan)?;
        Ok(open)
    }

    /// Checks the lines that are there, and cuts off what is no whole line.
    fn recover(&mut self, plan: &Plan) -> Result<(), FileError> {
        let path = self.path.clone();
        let read_error = io_error(&path, "cannot be read");
        self.file.seek(SeekFrom::Start(0)).map_err(&read_error)?;
        let mut reader = BufReader::new(&self.file);
        let (mut line, mut whole, mut lines) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(&read_error)?;
            if !line.ends_with(b"\n") {
                break;
            }
            let text = std::str::from_utf8(&line).unwrap_or_default();
            if !is_line(plan, lines, text) {
                return Err(FileError::Line { path: path.clone(), line: lines + 1 });
            }
            whole += length as u64;
            lines += 1;
        }
        let write_error = io_error(&path, "cannot be written");
        self.file.set_len(whole).map_err(&write_error)?;
        if lines == 0 {
            self.append(&plan.header())?;
        }
        self.done = lines.saturating_sub(1);
        Ok(())
    }

    /// Rows that are on disk.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Appends rows, and returns once they are on disk.
    pub fn write(&mut self, plan: &Plan, rows: &[super::Row]) -> Result<(), FileError> {
        let lines: String = rows.iter().map(|row| plan.line(row)).collect();
        self.append(&lines)?;
        self.done += rows.len() as u64;
        Ok(())
    }

    fn append(&mut self, lines: &str) -> Result<(), FileError> {
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(io_error(&self.path, "cannot be written"))
    }

    /// All lines, the header included.
    pub fn text(&self) -> Result<String, FileError> {
        fs::read_to_string(&self.path).map_err(io_error(&self.path, "cannot be read"))
    }
}

/// Whether a whole line is the one that the plan has at a place; the header is line 0.
fn is_line(plan: &Plan, place: u64, line: &str) -> bool {
    let Some(index) = place.checked_sub(1) else { return line == plan.header() };
    let figures = |rest: &str| {
        let mut figures = rest.trim_end_matches('\n').split(',');
        figures.next() == Some("")
            && figures.clone().count() == super::METRICS.len()
            && figures.all(|x| x.parse::<f64>().is_ok_and(f64::is_finite))
    };
    index < plan.rows() && line.strip_prefix(&plan.label(index)).is_some_and(figures)
}

fn sidecar(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(SIDECAR);
    name.into()
}

/// Written whole or not at all.
fn write_sidecar(path: &Path, plan: &Plan, market: &Market, config: Digest) -> Result<(), FileError> {
    let (first_seed, seeds) = plan.seeds();
    let sidecar = Sidecar {
        format: FORMAT,
        config,
        source: market.source().to_owned(),
        preset: plan.preset().to_string(),
        grids: plan.grids().iter().map(|grid| format!("{}={}", grid.name, grid.values.join(","))).collect(),
        first_seed,
        seeds,
        rows: plan.rows(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let text = serde_json::to_string_pretty(&sidecar).expect("plain data") + "\n";
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let staged = PathBuf::from(staged);
    let mut file =
        File::create(&staged).map_err(|error| FileError::Uncreatable { path: path.to_owned(), error })?;
    let mut write = || {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&staged, path)
    };
    write().map_err(io_error(path, "cannot be written"))
}
