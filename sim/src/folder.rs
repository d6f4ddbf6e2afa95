//! Folders that a command makes: written beside their place and moved there in one step, so that each is there as a
//! whole or not at all. A folder of the same kind is replaced, anything else is left alone.

use crate::workload::UsageFile;
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// How to get a folder again. What it says of its `kind` tells whose the folder is.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Why a run folder cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder cannot be made there.
    #[error("{path}: cannot be created: {error}; choose another folder", path = path.display())]
    Uncreatable {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Something else is at the folder's place.
    #[error("{path} is there already, with something else in it: choose another folder, or empty this one")]
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

/// A kind of folder.
#[derive(Debug)]
pub struct Kind {
    /// What the manifest says it is of.
    pub name: &'static str,
    /// Every file that may be in it.
    pub files: &'static [&'static str],
}

impl Kind {
    /// Refuses a place where something is that is not ours to replace.
    pub fn check_place(&self, out: &Path) -> Result<(), FolderError> {
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
        let ours = |name: &std::ffi::OsString| self.files.iter().any(|file| name == file);
        let says_so = || {
            let manifest = fs::read(out.join(MANIFEST_FILE)).ok();
            let manifest =
                manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            manifest.is_some_and(|manifest| manifest["kind"] == self.name)
        };
        if names.is_empty() || (names.iter().all(ours) && says_so()) {
            Ok(())
        } else {
            Err(FolderError::Occupied { path: out.into() })
        }
    }
}

/// A folder that is being made, beside its place. Dropped before [`Staging::commit`], it leaves nothing.
pub struct Staging {
    kind: &'static Kind,
    out: PathBuf,
    dir: PathBuf,
}

impl Staging {
    /// Begins a folder for `out`: nothing, an empty folder, or an earlier one of this kind, which will be replaced.
    pub fn new(kind: &'static Kind, out: &Path) -> Result<Self, FolderError> {
        kind.check_place(out)?;
        let name = out.file_name().ok_or_else(|| FolderError::NoName { path: out.into() })?;
        let hidden = format!(".{}.partial-{}", name.to_string_lossy(), std::process::id());
        let staging = Self { kind, out: out.into(), dir: out.with_file_name(hidden) };
        let scratch = staging.scratch();
        fs::create_dir_all(&scratch).map_err(|error| FolderError::Uncreatable { path: out.into(), error })?;
        Ok(staging)
    }

    /// The folder that holds everything until all is done.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// An empty folder for whatever is needed on disk meanwhile and by nobody afterwards.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("scratch")
    }

    /// Has the files written into a folder, and moves it to its place.
    pub fn commit(self, write: impl FnOnce(&Path) -> Result<(), FolderError>) -> Result<(), FolderError> {
        let made = self.dir.join("made");
        let io = |path: &Path, error| FolderError::Io { path: path.into(), error };
        fs::create_dir_all(&made).map_err(|error| io(&made, error))?;
        write(&made)?;
        self.kind.check_place(&self.out)?;
        if self.out.exists() {
            let old = self.dir.join("old");
            fs::rename(&self.out, &old).map_err(|error| io(&self.out, error))?;
        }
        fs::rename(&made, &self.out).map_err(|error| io(&self.out, error))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed stays behind under its telling name.
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// Writes a file that is not there yet; it is on disk when this returns.
pub fn write_file(path: PathBuf, bytes: &[u8]) -> Result<(), FolderError> {
    write_with(path, |out| out.write_all(bytes))
}

/// Has a file written that is not there yet; it is on disk when this returns.
pub fn write_with(path: PathBuf, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FolderError> {
    let written = File::create_new(&path).and_then(|mut file| {
        write(&mut file)?;
        file.sync_all()
    });
    written.map_err(|error| FolderError::Io { path, error })
}

/// A document as it is written: for people to read, with a line end.
pub fn pretty(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes a document.
pub fn write_json(path: PathBuf, value: &impl Serialize) -> Result<(), FolderError> {
    match pretty(value) {
        Ok(bytes) => write_file(path, &bytes),
        Err(error) => Err(FolderError::Json { path, error }),
    }
}

/// Writes rows under a header.
pub fn write_rows<T: Serialize>(path: PathBuf, rows: &[T]) -> Result<(), FolderError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error| FolderError::Csv { path: path.clone(), error };
    rows.iter().try_for_each(|row| writer.serialize(row)).map_err(failed)?;
    let bytes =
        writer.into_inner().map_err(|e| FolderError::Io { path: path.clone(), error: e.into_error() })?;
    write_file(path, &bytes)
}

/// A command as a shell takes it, word by word.
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    /// Begins with words that need no quotes.
    pub(crate) fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Adds an argument.
    pub(crate) fn word(&mut self, word: &str) {
        self.0.push(quoted(word));
    }

    /// Adds an option with its value.
    pub(crate) fn flag(&mut self, name: &str, value: impl ToString) {
        self.0.push(format!("--{name}"));
        self.word(&value.to_string());
    }

    /// Adds what names a usage table.
    pub(crate) fn usage(&mut self, UsageFile { path, columns }: &UsageFile) {
        self.flag("usage", path.display());
        for (name, column) in
            [("user-column", &columns.user), ("work-column", &columns.work), ("plays-column", &columns.plays)]
        {
            if let Some(column) = column {
                self.flag(name, column);
            }
        }
    }

    /// The whole line.
    pub(crate) fn finish(self) -> String {
        self.0.join(" ")
    }
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

/// A name with a dash for whatever is no letter or digit, as a part of a folder's name.
pub(crate) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
