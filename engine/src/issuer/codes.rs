//! Who may ask: bearer codes. A list holds their hashes, so that whoever reads the list cannot ask in anybody's place.

use crate::private;
use primitives::{Digest, Domain, Tier, hash, ids::to_hex};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest list, in bytes: a hundred for each of some hundred thousand entries.
pub const MAX_LIST_BYTES: u64 = 32 << 20;

/// A code as its holder has it: 64 hexadecimal digits of 32 random bytes, which nobody guesses. So its hash needs no salt.
pub struct Code(Zeroizing<String>);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl Code {
    /// A fresh code.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(Zeroizing::new(to_hex(&*bytes)))
    }

    /// The code's digits, for its holder.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What a list holds of it.
    pub fn hash(&self) -> CodeHash {
        CodeHash::of(&self.0)
    }
}

/// What a list holds of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeHash(pub Digest);

impl CodeHash {
    /// Of a code that is shown.
    pub fn of(code: &str) -> Self {
        Self(hash::hash(Domain::BearerCode, &[code.as_bytes()]))
    }
}

/// Somebody who has paid for a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    /// Hash of the subscriber's code.
    pub code: CodeHash,
    /// The tier that is paid for.
    pub tier: Tier,
}

/// A serving node, which may give receipts away for what it serves; for a pilot, one client of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Hash of its code.
    pub code: CodeHash,
    /// Views that its receipts of one epoch may stand for.
    pub views: u64,
}

/// Why a list of codes cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CodesError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {error}")]
    Io {
        /// The file.
        file: String,
        /// Why not.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("{file}: cannot be written: {error}; the list is as it was before")]
    Unwritten {
        /// The file.
        file: String,
        /// Why not.
        error: io::Error,
    },
    /// The file is too long.
    #[error("{file}: is longer than {MAX_LIST_BYTES} bytes, more than a list of codes has")]
    TooLong {
        /// The file.
        file: String,
    },
    /// The file is no list.
    #[error("{file}: is not a list of codes as JSON: {error}")]
    Json {
        /// The file.
        file: String,
        /// Why not.
        error: serde_json::Error,
    },
    /// A code is there twice.
    #[error("{file}: entry {entry} has the code of an earlier one; give each its own")]
    Twice {
        /// The file.
        file: String,
        /// The later of the two, from 1.
        entry: usize,
    },
}

fn read<T: DeserializeOwned>(
    path: &Path,
    code: fn(&T) -> CodeHash,
) -> Result<BTreeMap<CodeHash, T>, CodesError> {
    let file = path.display().to_string();
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(MAX_LIST_BYTES + 1).read_to_string(&mut text));
    opened.map_err(|error| CodesError::Io { file: file.clone(), error })?;
    if text.len() as u64 > MAX_LIST_BYTES {
        return Err(CodesError::TooLong { file });
    }
    let list: Vec<T> =
        serde_json::from_str(&text).map_err(|error| CodesError::Json { file: file.clone(), error })?;
    let mut codes = BTreeMap::new();
    for (at, entry) in list.into_iter().enumerate() {
        if codes.insert(code(&entry), entry).is_some() {
            return Err(CodesError::Twice { file, entry: at + 1 });
        }
    }
    Ok(codes)
}

/// Reads a list of subscribers: `[{"code": "HASH", "tier": 1}, …]`.
///
/// # Errors
/// If the file cannot be read, or a code is there twice.
pub fn subscribers(path: impl AsRef<Path>) -> Result<BTreeMap<CodeHash, Subscriber>, CodesError> {
    read(path.as_ref(), |entry: &Subscriber| entry.code)
}

/// Reads a list of serving nodes: `[{"code": "HASH", "views": 1000}, …]`.
///
/// # Errors
/// If the file cannot be read, or a code is there twice.
pub fn serving(path: impl AsRef<Path>) -> Result<BTreeMap<CodeHash, Serving>, CodesError> {
    read(path.as_ref(), |entry: &Serving| entry.code)
}

/// Adds an entry to a list, which is made if it is not there. Whoever adds another at the same time waits.
fn add<T: Serialize + DeserializeOwned + Clone>(
    path: &Path,
    entry: &T,
    code: fn(&T) -> CodeHash,
) -> Result<(), CodesError> {
    let unwritten = |error| CodesError::Unwritten { file: path.display().to_string(), error };
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| unwritten(io::ErrorKind::InvalidFilename.into()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let lock = private::options().create(true).truncate(false).open(folder.join(format!("{name}.lock")));
    let lock = lock.map_err(unwritten)?;
    lock.lock().map_err(unwritten)?;
    let mut codes = match read(path, code) {
        Err(CodesError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        codes => codes?,
    };
    codes.insert(code(entry), entry.clone());
    let list: Vec<&T> = codes.values().collect();
    let mut text = serde_json::to_vec_pretty(&list).expect("a list of codes is JSON");
    text.push(b'\n');
    private::write(folder, name, &text).map_err(unwritten)
}

/// Adds a subscriber to a list. One with this code is there once, with the tier that was given last.
///
/// # Errors
/// If the list cannot be read or written.
pub fn add_subscriber(path: impl AsRef<Path>, entry: Subscriber) -> Result<(), CodesError> {
    add(path.as_ref(), &entry, |entry| entry.code)
}

/// Adds a serving node to a list, or one client of it. One with this code is there once, with the views that were given
/// last.
///
/// # Errors
/// If the list cannot be read or written.
pub fn add_serving(path: impl AsRef<Path>, entry: Serving) -> Result<(), CodesError> {
    add(path.as_ref(), &entry, |entry| entry.code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::fs;

    #[test]
    fn who_is_added_is_on_the_list_beside_the_others() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.json");
        let entries =
            [1, 2].map(|tier| Subscriber { code: Code::generate(&mut rng).hash(), tier: Tier(tier) });
        entries.iter().for_each(|entry| add_subscriber(&path, *entry).unwrap());
        let moved = Subscriber { tier: Tier(3), ..entries[0] };
        add_subscriber(&path, moved).unwrap();
        let list = subscribers(&path).unwrap();
        assert_eq!((list.len(), list[&moved.code], list[&entries[1].code]), (2, moved, entries[1]));
        fs::write(&path, "no list").unwrap();
        assert!(matches!(add_subscriber(&path, moved), Err(CodesError::Json { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "no list", "what cannot be read is not written over");
    }

    #[test]
    fn a_list_names_each_code_once_by_its_hash() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let code = Code::generate(&mut rng);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("subscribers.json");
        let entry = Subscriber { code: code.hash(), tier: Tier(2) };
        let text = serde_json::to_string(&[entry]).unwrap();
        assert!(!text.contains(code.reveal()) && !format!("{code:?}").contains(code.reveal()));
        fs::write(&path, &text).unwrap();
        assert_eq!(subscribers(&path).unwrap()[&CodeHash::of(code.reveal())], entry);
        fs::write(&path, serde_json::to_string(&[entry, entry]).unwrap()).unwrap();
        assert!(matches!(subscribers(&path), Err(CodesError::Twice { entry: 2, .. })));
        fs::write(&path, text.replace("tier", "tiers")).unwrap();
        assert!(matches!(subscribers(&path), Err(CodesError::Json { .. })));
        assert!(matches!(serving(dir.path().join("none")), Err(CodesError::Io { .. })));
    }
}
