//! Files that an operator gives a command: settings in TOML, and secrets that nobody else may read.

use serde::de::DeserializeOwned;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest file of settings.
const MAX_SETTINGS_BYTES: u64 = 64 << 10;
/// Longest file of a secret: 64 digits and a line end, and room for one more.
const MAX_SECRET_BYTES: u64 = 67;

/// Why a file cannot be used. It never says what a secret file holds.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    /// It cannot be read.
    #[error("{path}: cannot be read: {error}", path = .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// It does not say what it has to.
    #[error("{path}: {reason}", path = .path.display())]
    Wrong { path: PathBuf, reason: String },
    /// It cannot be written.
    #[error("{path}: cannot be written: {error}", path = .path.display())]
    Unwritten { path: PathBuf, error: io::Error },
}

impl FileError {
    /// A file that does not say what it has to.
    pub(crate) fn wrong(path: &Path, reason: impl ToString) -> Self {
        Self::Wrong { path: path.into(), reason: reason.to_string() }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::Wrong { .. } => 2,
            // What is there already is not written over.
            Self::Unwritten { error, .. } if error.kind() == io::ErrorKind::AlreadyExists => 2,
            Self::Unwritten { .. } => 3,
        }
    }
}

/// Reads a text of bounded length.
pub(crate) fn text(path: &Path, max: u64) -> Result<String, FileError> {
    let unreadable = |error| FileError::Unreadable { path: path.into(), error };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(max + 1).read_to_string(&mut text));
    read.map_err(unreadable)?;
    if text.len() as u64 > max {
        return Err(FileError::wrong(path, format!("is longer than {max} bytes")));
    }
    Ok(text)
}

/// Reads settings. What the file names is relative to the folder that it is in.
pub(crate) fn settings<T: DeserializeOwned>(path: &Path) -> Result<(T, &Path), FileError> {
    let text = text(path, MAX_SETTINGS_BYTES)?;
    let settings =
        toml::from_str(&text).map_err(|error| FileError::wrong(path, no_settings(&text, &error)))?;
    Ok((settings, path.parent().unwrap_or(Path::new("."))))
}

/// What is wrong with a text of settings: where, what, and the line itself, if there is one place.
pub(crate) fn no_settings(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim_end();
    // What the whole file lacks is in no line of it.
    let is_somewhere = |span: &Range<usize>| span.start > 0 || !message.starts_with("missing field");
    let Some(span) = error.span().filter(is_somewhere) else { return message.into() };
    let before = text.get(..span.start).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let (number, column) = (before.matches('\n').count() + 1, before[begin..].chars().count() + 1);
    let line = text[begin..].lines().next().unwrap_or_default().trim();
    format!("line {number}, column {column}: {message}: the line is `{line}`")
}

/// Reads the 64 hexadecimal digits of a secret.
pub(crate) fn secret(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let unreadable = |error| FileError::Unreadable { path: path.into(), error };
    let expected =
        || FileError::wrong(path, "expected a secret of 64 lower-case hexadecimal digits, and nothing else");
    let file = File::open(path).map_err(unreadable)?;
    crate::secret::check_mode(&file).map_err(|reason| FileError::wrong(path, reason))?;
    // Room for all of it, so that the buffer never moves and leaves a copy.
    let mut text = Zeroizing::new(String::with_capacity(MAX_SECRET_BYTES as usize));
    file.take(MAX_SECRET_BYTES).read_to_string(&mut text).map_err(|_| expected())?;
    let digits = text.trim();
    if digits.len() != 64 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(expected());
    }
    Ok(Zeroizing::new(digits.to_owned()))
}

/// Writes a new file that nobody else may read, with a line end.
pub(crate) fn write_secret(path: &Path, digits: &str) -> Result<(), FileError> {
    let text = Zeroizing::new(format!("{digits}\n"));
    sim::hosts::write_private(path, &text).map_err(|error| FileError::Unwritten { path: path.into(), error })
}

/// Writes a new file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let written = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| FileError::Unwritten { path: path.into(), error })
}

/// Checks that a setting is inside its bounds.
pub(crate) fn bounded<T: PartialOrd + std::fmt::Display>(
    path: &Path,
    name: &str,
    value: T,
    bounds: RangeInclusive<T>,
) -> Result<(), FileError> {
    match bounds.contains(&value) {
        true => Ok(()),
        false => {
            let reason = format!("{name} is {value}, outside {} to {}", bounds.start(), bounds.end());
            Err(FileError::wrong(path, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_setting_is_named_with_its_line() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Two {
            #[serde(rename = "seconds")]
            _seconds: u32,
            #[serde(rename = "node")]
            _node: String,
        }
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("own.toml");
        for (text, said) in [
            ("# é\nnode = \"a\"\n  seconds = \"ten\"\n", "line 3, column 13: invalid type: string \"ten\""),
            ("node = \"a\"\nsecond = 1\n", "line 2, column 1: unknown field `second`"),
            ("node = \"a\nseconds = 1\n", "line 1, column"),
            ("seconds = 1\n", "own.toml: missing field `node`"),
        ] {
            std::fs::write(&path, text).expect("written");
            let refused = settings::<Two>(&path).expect_err("no settings").to_string();
            assert!(refused.contains(said) && !refused.contains('\n'), "{refused}");
            let line = said.starts_with("line").then(|| refused.rsplit_once("the line is `"));
            let known = |(_, line): (_, &str)| text.contains(line.trim_end_matches('`'));
            assert!(line.is_none_or(|line| line.is_some_and(known)), "{refused}");
        }
    }

    #[test]
    fn a_secret_comes_back_and_is_never_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("host.secret");
        let digits = "5e".repeat(32);
        write_secret(&path, &digits).expect("written");
        assert_eq!(*secret(&path).expect("a secret"), digits);
        assert!(write_secret(&path, &digits).is_err_and(|error| error.code() == 2), "never over another");
        let other = dir.path().join("other.secret");
        for wrong in ["5e".repeat(31), "5e".repeat(33), "xy".repeat(32), String::new()] {
            write_secret(&other, &wrong).expect("written");
            let refused = secret(&other).expect_err("no secret").to_string();
            assert!(refused.contains("64 lower-case") && !refused.contains("5e5e"), "{refused}");
            std::fs::remove_file(&other).expect("removed");
        }
        assert!(matches!(secret(&other), Err(FileError::Unreadable { .. })));
    }
}
