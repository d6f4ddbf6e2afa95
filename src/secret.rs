//! Secret keys in files of their own.

use crate::output::Failure;
use chain::bridge::PrivateKeySigner;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Longest file of a key: 64 digits, a prefix and a line end, and room for one more.
const MAX_BYTES: u64 = 70;

/// Why a key cannot be used. It never says what the file holds.
#[derive(Debug, Error)]
#[error("{path}: {reason}", path = .path.display())]
pub(crate) struct KeyError {
    path: PathBuf,
    reason: String,
}

/// Reads a key for L1 from its file, which nobody else may read.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeySigner, Failure> {
    let refuse = |reason: String| KeyError { path: path.into(), reason };
    if path.is_dir() {
        return Err(refuse("a folder, and not the file of a key".into()).into());
    }
    let file = File::open(path).map_err(|error| refuse(format!("the key cannot be read: {error}")))?;
    let mut text = String::new();
    check_mode(&file).map_err(&refuse)?;
    let read = file.take(MAX_BYTES).read_to_string(&mut text);
    let expected = "expected a key of 64 hexadecimal digits, with or without 0x, and nothing else";
    read.map_err(|_| refuse(expected.into()))?;
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refuse(expected.into()).into());
    }
    let outside = "no key: the number is zero or beyond the order of the curve";
    Ok(digits.parse().map_err(|_| refuse(outside.into()))?)
}

#[cfg(unix)]
pub(crate) fn check_mode(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|error| error.to_string())?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(format!("others may read this key (mode {mode:03o}): chmod 600 the file"))
    }
}

#[cfg(not(unix))]
pub(crate) fn check_mode(_: &File) -> Result<(), String> {
    Ok(())
}
