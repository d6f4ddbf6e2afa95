//! Keys of blind signers on disk: one file each, named after what it signs.

use super::record::{Record, Standing};
use crate::private;
use primitives::{EpochId, Region, Tier};
use proofs::{
    blind::{BlindError, BlindIssuer},
    possession,
    receipt::Denomination,
};
use rand_core::{CryptoRng, RngCore};
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// End of a key file's name.
const EXTENSION: &str = ".der";

/// Why keys cannot be read or made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file or the folder cannot be read or written.
    #[error("{path}: cannot be {what}: {error}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// A key is missing whose public half is on record.
    #[error("{path}: is missing, and its public half is on the chain: restore it from a copy", path = .path.display())]
    OnRecord {
        /// The file.
        path: PathBuf,
    },
    /// A file is not a key, or none can be made.
    #[error("{path}: {error}; restore it from a copy, for its public half is on the chain", path = .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        error: BlindError,
    },
}

/// What a key signs. A blind signer sees nothing of that: the key alone says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Tokens of a tier.
    Token(EpochId, Tier),
    /// Receipts of a region, each of so many views.
    Receipt(EpochId, Region, Denomination),
}

impl Purpose {
    /// The epoch in which the key signs.
    pub fn epoch(self) -> EpochId {
        match self {
            Self::Token(epoch, _) | Self::Receipt(epoch, _, _) => epoch,
        }
    }

    /// What it signs there.
    pub(super) fn signs(self) -> possession::Purpose {
        match self {
            Self::Token(_, tier) => possession::Purpose::Token(tier),
            Self::Receipt(_, region, denomination) => possession::Purpose::Receipt(region, denomination),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(epoch, tier) => write!(f, "token-{epoch}-{tier}"),
            Self::Receipt(epoch, region, denomination) => {
                write!(f, "receipt-{epoch}-{region}-{}", denomination.views())
            }
        }
    }
}

/// Not the name of a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPurpose;

impl FromStr for Purpose {
    type Err = NoPurpose;

    fn from_str(text: &str) -> Result<Self, NoPurpose> {
        fn number<T: FromStr>(text: &str) -> Result<T, NoPurpose> {
            text.parse().map_err(|_| NoPurpose)
        }
        let parts: Vec<_> = text.split('-').collect();
        let purpose = match parts[..] {
            ["token", epoch, tier] => Self::Token(number(epoch)?, number(tier)?),
            ["receipt", epoch, region, views] => {
                let region = number::<u8>(region)?.try_into().map_err(|_| NoPurpose)?;
                let denomination = Denomination::new(number(views)?).ok_or(NoPurpose)?;
                Self::Receipt(number(epoch)?, region, denomination)
            }
            _ => return Err(NoPurpose),
        };
        // A second spelling, such as one with leading zeros, names nothing.
        if purpose.to_string() == text { Ok(purpose) } else { Err(NoPurpose) }
    }
}

/// Keys by what they sign.
pub type Keys = BTreeMap<Purpose, BlindIssuer>;

/// Makes the keys that a folder does not have yet. Their public halves go on the chain before their epoch opens. A key
/// takes some seconds to find. For an epoch that is over none is made.
///
/// # Errors
/// If the folder or a file cannot be written, or a key is missing that is on record: nothing holds under another.
pub fn prepare(
    folder: &Path,
    purposes: impl IntoIterator<Item = Purpose>,
    record: &dyn Record,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(), KeysError> {
    private::make_folder(folder).map_err(|error| failed(folder, "made", error))?;
    for purpose in purposes {
        let name = format!("{purpose}{EXTENSION}");
        let path = folder.join(&name);
        if path.try_exists().map_err(|error| failed(&path, "read", error))? {
            continue;
        }
        if record.standing(purpose.epoch()) == Standing::Over {
            continue;
        }
        if record.key(purpose).is_some() {
            return Err(KeysError::OnRecord { path });
        }
        let made = BlindIssuer::generate(rng).and_then(|key| key.secret_der());
        let der = made.map_err(|error| KeysError::Key { path: path.clone(), error })?;
        private::write(folder, &name, &der).map_err(|error| failed(&path, "written", error))?;
    }
    Ok(())
}

/// Whether a folder has a file for a key.
pub fn is_kept(folder: &Path, purpose: Purpose) -> bool {
    folder.join(format!("{purpose}{EXTENSION}")).is_file()
}

/// Reads the keys of a folder. Files of other names are left alone.
///
/// # Errors
/// If a file cannot be read or is not a key.
pub fn load(folder: &Path) -> Result<Keys, KeysError> {
    let mut keys = Keys::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, "listed", error))? {
        let path = entry.map_err(|error| failed(folder, "listed", error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(Ok(purpose)) = name.strip_suffix(EXTENSION).map(str::parse) else { continue };
        let der = fs::read(&path).map(Zeroizing::new).map_err(|error| failed(&path, "read", error))?;
        let key = BlindIssuer::from_secret_der(&der);
        keys.insert(purpose, key.map_err(|error| KeysError::Key { path: path.clone(), error })?);
    }
    Ok(keys)
}

/// Keeps a key that was made elsewhere.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn keep(folder: &Path, purpose: Purpose, key: &BlindIssuer) -> Result<(), KeysError> {
    private::make_folder(folder).map_err(|error| failed(folder, "made", error))?;
    let name = format!("{purpose}{EXTENSION}");
    let path = folder.join(&name);
    let der = key.secret_der().map_err(|error| KeysError::Key { path: path.clone(), error })?;
    private::write(folder, &name, &der).map_err(|error| failed(&path, "written", error))
}

fn failed(path: &Path, what: &'static str, error: io::Error) -> KeysError {
    KeysError::Io { path: path.into(), what, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::record::testing::Fixed;
    use proofs::testing::{issuer, other_issuer};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_purpose_has_one_name() {
        let region = Region::all().nth(2).unwrap();
        for (purpose, name) in [
            (Purpose::Token(EpochId(7), Tier(1)), "token-7-1"),
            (Purpose::Receipt(EpochId(7), region, Denomination::new(4).unwrap()), "receipt-7-3-4"),
        ] {
            assert_eq!(purpose.to_string(), name);
            assert_eq!(name.parse(), Ok(purpose));
        }
        for name in
            ["", "token-7", "token-07-1", "token-7-256", "receipt-7-9-4", "receipt-7-3-2", "token-7-1-1"]
        {
            assert_eq!(name.parse::<Purpose>(), Err(NoPurpose), "{name}");
        }
    }

    #[test]
    fn a_key_that_is_there_is_kept_and_a_damaged_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let purpose = Purpose::Token(EpochId(1), Tier(1));
        keep(&folder, purpose, issuer()).unwrap();
        prepare(&folder, [purpose], &Fixed(Standing::Ahead, None), &mut ChaCha20Rng::seed_from_u64(1))
            .unwrap();
        fs::write(folder.join("notes.txt"), "not a key").unwrap();
        let keys = load(&folder).unwrap();
        assert_eq!((keys.len(), keys[&purpose].public()), (1, issuer().public()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join("token-1-1.der")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.join("token-2-1.der"), "not a key").unwrap();
        assert!(matches!(load(&folder), Err(KeysError::Key { error: BlindError::Key, .. })));
    }
    #[test]
    fn a_key_that_is_missing_is_not_replaced_once_it_is_on_record() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let purpose = Purpose::Token(EpochId(1), Tier(1));
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let der = Some(issuer().public().der().to_vec());
        let refused = prepare(&folder, [purpose], &Fixed(Standing::Ahead, der.clone()), &mut rng);
        assert!(matches!(refused, Err(KeysError::OnRecord { .. })), "{refused:?}");
        prepare(&folder, [purpose], &Fixed(Standing::Over, der.clone()), &mut rng).unwrap();
        assert!(load(&folder).unwrap().is_empty(), "nobody needs a key of an epoch that is over");

        keep(&folder, purpose, other_issuer()).unwrap();
        let open = |der| {
            let record = Fixed(Standing::Ahead, der);
            crate::issuer::TokenIssuer::open(&folder, BTreeMap::new(), std::sync::Arc::new(record))
        };
        assert!(
            matches!(open(der), Err(crate::issuer::OpenError::OtherKey { purpose: of }) if of == purpose)
        );
        assert!(open(None).is_ok(), "nothing is on record of it yet");
    }
}
