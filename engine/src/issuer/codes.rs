//! Who may ask: bearer codes. A list holds their hashes, so that whoever reads the list cannot ask in anybody's place.

use super::keys::Purpose;
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

/// Fewest digits of a hash by which a code is taken off a list: of fewer a slip may be somebody else's.
pub const MIN_DIGITS: usize = 8;

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
    /// The first code of the subscription, if this one has taken its place: what was signed for that counts for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<CodeHash>,
}

/// A serving node, which may give receipts away for what it serves; for a pilot, one client of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Hash of its code.
    pub code: CodeHash,
    /// Views that its receipts of one epoch may stand for.
    pub views: u64,
    /// Its first code, if this one has taken its place: what was signed for that counts for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<CodeHash>,
}

impl Subscriber {
    /// Whoever has this code.
    pub fn new(code: CodeHash, tier: Tier) -> Self {
        Self { code, tier, first: None }
    }
}

impl Serving {
    /// Whoever has this code.
    pub fn new(code: CodeHash, views: u64) -> Self {
        Self { code, views, first: None }
    }
}

/// Somebody on a list.
pub trait Entry: Copy + Serialize + DeserializeOwned {
    /// Begin of the names of the files in which it is kept what was signed for such.
    const FILES: &'static str;

    /// Whether such may ask for what is signed with keys for this.
    fn may_ask(purpose: &Purpose) -> bool;

    /// Hash of the code.
    fn code(&self) -> CodeHash;

    /// The first code, if another has taken its place.
    fn first(&self) -> Option<CodeHash>;

    /// The same with another code, in the place of the first.
    #[must_use]
    fn in_place_of(self, first: CodeHash, code: CodeHash) -> Self;

    /// Whom what was signed is counted for: it stays the same when a code takes the place of another.
    fn account(&self) -> CodeHash {
        self.first().unwrap_or(self.code())
    }

    /// The same with another code.
    #[must_use]
    fn with_code(self, code: CodeHash) -> Self {
        self.in_place_of(self.account(), code)
    }
}

impl Entry for Subscriber {
    const FILES: &'static str = "tokens";

    fn may_ask(purpose: &Purpose) -> bool {
        matches!(purpose, Purpose::Token(..))
    }

    fn code(&self) -> CodeHash {
        self.code
    }

    fn first(&self) -> Option<CodeHash> {
        self.first
    }

    fn in_place_of(self, first: CodeHash, code: CodeHash) -> Self {
        Self { code, first: Some(first), ..self }
    }
}

impl Entry for Serving {
    const FILES: &'static str = "receipts";

    fn may_ask(purpose: &Purpose) -> bool {
        matches!(purpose, Purpose::Receipt(..))
    }

    fn code(&self) -> CodeHash {
        self.code
    }

    fn first(&self) -> Option<CodeHash> {
        self.first
    }

    fn in_place_of(self, first: CodeHash, code: CodeHash) -> Self {
        Self { code, first: Some(first), ..self }
    }
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
    /// Too few digits to take somebody's code away by.
    #[error(
        "{digits:?} is too little of a hash: give {MIN_DIGITS} digits of it or more, as `cwe issuer codes` lists them"
    )]
    TooFew {
        /// What was given.
        digits: String,
    },
    /// No code, or more than one, has a hash that begins so.
    #[error("{file}: {} a hash that begins with {digits}; {}",
        if *.found == 0 { "no code has".into() } else { format!("{found} codes have") },
        if *.found == 0 { "`cwe issuer codes` lists them" } else { "give more of its digits" })]
    NotOne {
        /// The file.
        file: String,
        /// What was given.
        digits: String,
        /// How many there are.
        found: usize,
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

fn read<T: Entry>(path: &Path) -> Result<BTreeMap<CodeHash, T>, CodesError> {
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
        if codes.insert(entry.code(), entry).is_some() {
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
    read(path.as_ref())
}

/// Reads a list of serving nodes: `[{"code": "HASH", "views": 1000}, …]`.
///
/// # Errors
/// If the file cannot be read, or a code is there twice.
pub fn serving(path: impl AsRef<Path>) -> Result<BTreeMap<CodeHash, Serving>, CodesError> {
    read(path.as_ref())
}

/// Changes a list, which is made if it is not there. Whoever changes it at the same time waits.
fn change<T: Entry, R>(
    path: &Path,
    change: impl FnOnce(&mut BTreeMap<CodeHash, T>) -> Result<R, CodesError>,
) -> Result<R, CodesError> {
    let unwritten = |error| CodesError::Unwritten { file: path.display().to_string(), error };
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| unwritten(io::ErrorKind::InvalidFilename.into()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let lock = private::options().create(true).truncate(false).open(folder.join(format!("{name}.lock")));
    let lock = lock.map_err(unwritten)?;
    lock.lock().map_err(unwritten)?;
    let mut codes = match read(path) {
        Err(CodesError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        codes => codes?,
    };
    let changed = change(&mut codes)?;
    let list: Vec<&T> = codes.values().collect();
    let mut text = serde_json::to_vec_pretty(&list).expect("a list of codes is JSON");
    text.push(b'\n');
    private::write(folder, name, &text).map_err(unwritten)?;
    Ok(changed)
}

/// Adds somebody to a list. Whoever is there with this code is there once, as given last.
///
/// # Errors
/// If the list cannot be read or written.
pub fn add<T: Entry>(path: impl AsRef<Path>, entry: T) -> Result<(), CodesError> {
    change(path.as_ref(), |codes| {
        codes.insert(entry.code(), entry);
        Ok(())
    })
}

/// Takes the one off a list whose code has a hash that begins with these digits, and gives it.
///
/// # Errors
/// If the list cannot be read or written, or there is not exactly one.
pub fn revoke<T: Entry>(path: impl AsRef<Path>, digits: &str) -> Result<T, CodesError> {
    let path = path.as_ref();
    change(path, |codes| taken(codes, (path, digits)))
}

/// Puts another code in the place of the one whose hash begins with these digits: what was signed for the old one counts for
/// the new one, so that a lost code is not a second subscription. Gives the entry as it is now.
///
/// # Errors
/// If the list cannot be read or written, or there is not exactly one.
pub fn replace<T: Entry>(path: impl AsRef<Path>, digits: &str, code: CodeHash) -> Result<T, CodesError> {
    let path = path.as_ref();
    change(path, |codes| {
        let entry: T = taken(codes, (path, digits))?;
        let entry = entry.with_code(code);
        codes.insert(code, entry);
        Ok(entry)
    })
}

fn taken<T: Entry>(
    codes: &mut BTreeMap<CodeHash, T>,
    (path, digits): (&Path, &str),
) -> Result<T, CodesError> {
    if digits.len() < MIN_DIGITS {
        return Err(CodesError::TooFew { digits: digits.into() });
    }
    let begins = |code: &&CodeHash| code.0.to_string().starts_with(digits);
    let found: Vec<CodeHash> = codes.keys().filter(begins).copied().collect();
    let entry = if let [one] = found[..] { codes.remove(&one) } else { None };
    entry.ok_or_else(|| CodesError::NotOne {
        file: path.display().to_string(),
        digits: digits.into(),
        found: found.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::{collections::BTreeSet, fs};

    #[test]
    fn who_is_added_is_on_the_list_beside_the_others() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.json");
        let entries = [1, 2].map(|tier| Subscriber::new(Code::generate(&mut rng).hash(), Tier(tier)));
        entries.iter().for_each(|entry| add(&path, *entry).unwrap());
        let moved = Subscriber { tier: Tier(3), ..entries[0] };
        add(&path, moved).unwrap();
        let list = subscribers(&path).unwrap();
        assert_eq!((list.len(), list[&moved.code], list[&entries[1].code]), (2, moved, entries[1]));
        fs::write(&path, "no list").unwrap();
        assert!(matches!(add(&path, moved), Err(CodesError::Json { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "no list", "what cannot be read is not written over");
    }

    #[test]
    fn a_code_is_taken_off_the_list_or_gives_its_place_to_another() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.json");
        let [one, other, second, third] = [(); 4].map(|()| Code::generate(&mut rng).hash());
        [one, other].into_iter().for_each(|code| add(&path, Serving::new(code, 9)).unwrap());
        let digits = |code: CodeHash| code.0.to_string()[..12].to_owned();
        let replaced: Serving = replace(&path, &digits(one), second).unwrap();
        let again: Serving = replace(&path, &digits(second), third).unwrap();
        assert_eq!((replaced.account(), again.account(), again.views), (one, one, 9));
        let list = serving(&path).unwrap();
        assert_eq!(list.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([other, third]));
        let gone: Serving = revoke(&path, &digits(other)).unwrap();
        assert_eq!((gone.code, serving(&path).unwrap().len()), (other, 1));
        let refused = revoke::<Serving>(&path, &digits(other));
        assert!(matches!(refused, Err(CodesError::NotOne { found: 0, .. })), "{refused:?}");
        for short in ["", &digits(third)[..MIN_DIGITS - 1]] {
            let refused = revoke::<Serving>(&path, short);
            assert!(matches!(refused, Err(CodesError::TooFew { .. })), "{short}: {refused:?}");
        }
        assert_eq!(serving(&path).unwrap().len(), 1, "nothing is changed by what is refused");
    }

    #[test]
    fn a_list_names_each_code_once_by_its_hash() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let code = Code::generate(&mut rng);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("subscribers.json");
        let entry = Subscriber::new(code.hash(), Tier(2));
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
