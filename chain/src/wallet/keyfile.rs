//! Keys of accounts in files of their own, which nobody else may read.
//!
//! A file holds 64 lower-case hexadecimal digits and a line end: the secret, little-endian. It is not encrypted: whoever
//! reads the disk has the key, and what protects it is the file's mode and the disk.

use crate::signature::{SecretKey, SignatureError};
use primitives::ids::{from_hex, to_hex};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a file: 64 digits and a line end.
const FILE_BYTES: usize = 65;

/// Why a file is no key, or cannot become one. It never says what the file holds.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written; one that is there already is never written over.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read or change the file.
    #[error("{path}: others may read this key (mode {mode:03o}): chmod 600 the file", path = .path.display())]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not 64 lower-case hexadecimal digits and a line end.
    #[error("{path}: not 64 lower-case hexadecimal digits and a line end", path = .path.display())]
    Form {
        /// Which.
        path: PathBuf,
    },
    /// The number is no key.
    #[error("{path}: {error}", path = .path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why it is none.
        error: SignatureError,
    },
}

/// Writes a key to a new file, for its owner alone, and waits until it is on the disk.
///
/// Errors: [`KeyFileError::File`], also if there is a file already.
pub fn write(path: &Path, key: &SecretKey) -> Result<(), KeyFileError> {
    let failed = |error| KeyFileError::File { path: path.into(), error };
    let secret = Zeroizing::new(key.to_secret_bytes());
    let text = Zeroizing::new(to_hex(&secret[..]));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Reads a key from its file.
///
/// Errors: [`KeyFileError`].
pub fn read(path: &Path) -> Result<SecretKey, KeyFileError> {
    let failed = |error| KeyFileError::File { path: path.into(), error };
    let file = File::open(path).map_err(failed)?;
    if let Some(mode) = open_to_others(&file).map_err(failed)? {
        return Err(KeyFileError::Mode { path: path.into(), mode });
    }
    // Room for one byte more, so that a longer file is seen to be one, and the buffer never moves and leaves a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let digits = bytes.strip_suffix(b"\n").filter(|_| bytes.len() == FILE_BYTES);
    let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
    let secret = digits.and_then(|digits| from_hex(digits).ok()).map(Zeroizing::new);
    let secret = secret.and_then(|secret| secret[..].try_into().ok());
    let secret = Zeroizing::new(secret.ok_or_else(|| KeyFileError::Form { path: path.into() })?);
    SecretKey::from_secret_bytes(*secret).map_err(|error| KeyFileError::Key { path: path.into(), error })
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// The mode of a file that others may read or change.
#[cfg(unix)]
fn open_to_others(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    let meta = file.metadata()?;
    // A folder opens as well, and its mode says nothing of keys.
    if meta.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mode = meta.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

#[cfg(not(unix))]
fn open_to_others(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn key() -> SecretKey {
        SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(9))
    }

    #[test]
    fn a_key_comes_back_and_is_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.key");
        write(&path, &key()).expect("written");
        assert_eq!(read(&path).expect("a key").public_key(), key().public_key());
        let before = std::fs::read(&path).expect("read");
        let again = write(&path, &SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(10)));
        assert!(
            matches!(&again, Err(KeyFileError::File { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists)
        );
        assert_eq!(std::fs::read(&path).expect("read"), before);
        let none = read(&folder.path().join("none"));
        assert!(
            matches!(&none, Err(KeyFileError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound)
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt};
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.key");
        write(&path, &key()).expect("written");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("changed");
            assert!(matches!(read(&path), Err(KeyFileError::Mode { mode: found, .. }) if found == mode));
        }
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("changed");
        assert!(read(&path).is_ok());
    }

    #[test]
    fn a_file_has_one_form() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.key");
        write(&path, &key()).expect("written");
        let good = std::fs::read_to_string(&path).expect("read");
        let mut wrong = vec![
            good.trim_end().to_owned(),
            format!("{good}\n"),
            format!("0x{good}"),
            good.replacen(&good[..1], "g", 1),
            good.replacen(&good[..2], "A0", 1),
            String::new(),
        ];
        wrong.push(good[1..].to_owned());
        for text in &wrong {
            std::fs::write(&path, text).expect("written");
            let found = read(&path);
            assert!(matches!(&found, Err(KeyFileError::Form { .. })), "{found:?}");
            let shown = found.expect_err("no key").to_string();
            assert!(!shown.contains(&good[8..16]), "{shown}");
        }
        for (text, expected) in
            [("0".repeat(64), SignatureError::ZeroSecret), ("f".repeat(64), SignatureError::Scalar)]
        {
            std::fs::write(&path, text + "\n").expect("written");
            assert!(matches!(read(&path), Err(KeyFileError::Key { error, .. }) if error == expected));
        }
    }
}
