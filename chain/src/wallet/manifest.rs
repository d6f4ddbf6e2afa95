//! A work's manifest: what its creator says of it, off the chain and under their signature (chain spec 3.1, "Off-chain
//! metadata (IPFS references) to keep the chain minimal").
//!
//! The ledger holds its hash as the work's metadata. A manifest is JSON of one form: these fields in this order, without
//! spaces, and a line end. So a manifest has one hash, and whoever gets a file that says the same in other bytes knows
//! that it was touched.
//!
//! The fingerprint is exact: the hash of all bytes of the file ([`Domain::Fingerprint`]). A copy in another format has
//! another one, and so has the same recording with another title in its header. Two files with the same fingerprint are
//! the same file; nothing is said about files that sound alike.

use crate::{
    modules::work_registry::{MediaType, work_id},
    poseidon::{Felt, FeltDomain, hash_bytes},
    signature::{PublicKey, SecretKey, Signature},
};
use primitives::{
    CategoryId, ChainId, Digest, Domain, PersonId, WorkId,
    hash::{Pieces, hash},
};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use thiserror::Error;

/// Bytes of a title at most: a line or two.
pub const MAX_TITLE_BYTES: usize = 512;
/// Longest file of a manifest: its fields take less than 1 KiB, and a title six times its length if all is escaped.
pub const MAX_MANIFEST_BYTES: u64 = 8 << 10;
/// Bytes of a file that are held at once.
const PIECE_BYTES: usize = 1 << 16;

const _: () = assert!(6 * MAX_TITLE_BYTES + 1024 < MAX_MANIFEST_BYTES as usize);

/// Why a text is no manifest, or one that does not hold.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is no JSON of this form.
    #[error("no manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// It says the same in another spelling.
    #[error("not in the one form of a manifest: fields in their order, no spaces, one line end")]
    Form,
    /// The title is too long, or has characters that no title has.
    #[error("a title has 1 to {MAX_TITLE_BYTES} bytes and no control characters")]
    Title,
    /// The name of the work does not follow from fingerprint and creator.
    #[error("fingerprint and creator give work {expected}, and not {found}")]
    Work {
        /// What follows.
        expected: WorkId,
        /// What it says.
        found: WorkId,
    },
    /// The signature is not one of this key over this manifest.
    #[error("the signature is not one of key {key} over this manifest")]
    Signature {
        /// The key.
        key: PublicKey,
    },
}

/// What a creator says of a work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The chain that it is registered on.
    pub chain: ChainId,
    /// Its identifier.
    pub work: WorkId,
    /// Who made it.
    pub creator: PersonId,
    /// Fingerprint of the file.
    pub fingerprint: Digest,
    /// Length of the file.
    pub bytes: u64,
    /// What kind of thing it is.
    pub media: MediaType,
    /// Its category.
    pub category: CategoryId,
    /// Its title, if it has one.
    pub title: Option<String>,
}

impl Manifest {
    /// Its hash: the metadata of the work on the ledger.
    pub fn digest(&self) -> Digest {
        hash(Domain::Manifest, &[&serde_json::to_vec(self).expect("plain fields are JSON")])
    }

    fn message(&self) -> [Felt; 1] {
        [hash_bytes(FeltDomain::Bytes, &self.digest().0)]
    }

    /// Signs it.
    pub fn sign(self, key: &SecretKey, rng: &mut (impl RngCore + CryptoRng)) -> SignedManifest {
        let signature = key.sign(&self.message(), rng);
        SignedManifest { manifest: self, key: key.public_key(), signature }
    }
}

/// A manifest under its creator's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    /// What is signed.
    pub manifest: Manifest,
    /// The key of the creator's account at that time.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

impl SignedManifest {
    /// Writes the one form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain fields are JSON") + "\n"
    }

    /// Reads a manifest and checks all that it says of itself. Whether the file is the right one, and whether the key is
    /// the creator's, is for the caller.
    ///
    /// Errors: [`ManifestError`].
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        let signed = Self::parse(text)?;
        signed.check_work()?;
        signed.check_signature()?;
        Ok(signed)
    }

    /// Reads the one form, and does not check whether what it says holds together: [`Self::check_work`],
    /// [`Self::check_signature`].
    ///
    /// Errors: [`ManifestError::Form`], [`ManifestError::Title`], and what is no JSON of this kind.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let signed: Self = serde_json::from_str(text)?;
        if signed.to_json() != text {
            return Err(ManifestError::Form);
        }
        if let Some(title) = &signed.manifest.title {
            check_title(title)?;
        }
        Ok(signed)
    }

    /// Checks that the work's name is that of its fingerprint and its creator.
    ///
    /// Errors: [`ManifestError::Work`].
    pub fn check_work(&self) -> Result<(), ManifestError> {
        let manifest = &self.manifest;
        let (expected, found) = (work_id(&manifest.fingerprint, &manifest.creator), manifest.work);
        if expected == found { Ok(()) } else { Err(ManifestError::Work { expected, found }) }
    }

    /// Checks the signature.
    ///
    /// Errors: [`ManifestError::Signature`].
    pub fn check_signature(&self) -> Result<(), ManifestError> {
        let key = self.key;
        let verified = key.verify(&self.manifest.message(), &self.signature);
        verified.map_err(|_| ManifestError::Signature { key })
    }
}

/// Checks a title.
///
/// Errors: [`ManifestError::Title`].
pub fn check_title(title: &str) -> Result<(), ManifestError> {
    let fits = (1..=MAX_TITLE_BYTES).contains(&title.len()) && !title.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(ManifestError::Title) }
}

/// Fingerprint of what a reader gives, which has `length` bytes. A file that changes its length meanwhile is an error.
pub fn fingerprint(mut reader: impl Read, length: u64) -> io::Result<Digest> {
    let changed = || io::Error::new(io::ErrorKind::InvalidData, "it changes while it is read");
    let mut pieces = Pieces::new(Domain::Fingerprint, length);
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 {
            return pieces.finish().ok_or_else(changed);
        }
        pieces.update(&buffer[..read]).ok_or_else(changed)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn key(seed: u64) -> SecretKey {
        SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn manifest() -> Manifest {
        let creator = PersonId([3; 32]);
        let fingerprint = fingerprint(&b"a song"[..], 6).expect("read");
        Manifest {
            chain: ChainId(7),
            work: work_id(&fingerprint, &creator),
            creator,
            fingerprint,
            bytes: 6,
            media: MediaType::Audio,
            category: CategoryId(2),
            title: Some("A \"song\"".into()),
        }
    }

    fn signed(manifest: Manifest) -> SignedManifest {
        manifest.sign(&key(1), &mut ChaCha20Rng::seed_from_u64(2))
    }

    #[test]
    fn a_manifest_comes_back() {
        let text = signed(manifest()).to_json();
        let read = SignedManifest::from_json(&text).expect("as it was written");
        assert_eq!((read.manifest.digest(), read), (manifest().digest(), signed(manifest())));
        assert!((text.len() as u64) < MAX_MANIFEST_BYTES);
    }

    #[test]
    fn another_spelling_is_refused() {
        let text = signed(manifest()).to_json();
        let spaced = text.replacen(':', ": ", 1);
        let (no_end, two_ends) = (text.trim_end().to_owned(), format!("{text}\n"));
        let repeated = text.replacen("\"bytes\":6", "\"bytes\":6,\"bytes\":6", 1);
        let escaped = text.replace("song", "\\u0073ong");
        for other in [spaced, no_end, two_ends, escaped] {
            assert!(matches!(SignedManifest::from_json(&other), Err(ManifestError::Form)), "{other}");
        }
        let more = text.replacen("{\"chain\"", "{\"more\":1,\"chain\"", 1);
        for other in [repeated, more, String::new(), text.replace("audio", "smell")] {
            assert!(matches!(SignedManifest::from_json(&other), Err(ManifestError::Json(_))), "{other}");
        }
    }

    /// Each field that somebody changes on the way breaks the signature, or what follows from the others.
    #[test]
    fn a_field_that_is_changed_is_noticed() {
        let honest = signed(manifest());
        let broken = |change: &dyn Fn(&mut Manifest)| {
            let mut other = honest.clone();
            change(&mut other.manifest);
            SignedManifest::from_json(&other.to_json())
        };
        let changes: [&dyn Fn(&mut Manifest); 5] = [
            &|m| m.chain = ChainId(8),
            &|m| m.bytes = 7,
            &|m| m.media = MediaType::Video,
            &|m| m.category = CategoryId(3),
            &|m| m.title = None,
        ];
        for change in changes {
            assert!(matches!(broken(change), Err(ManifestError::Signature { .. })));
        }
        let names: [&dyn Fn(&mut Manifest); 3] =
            [&|m| m.creator = PersonId([4; 32]), &|m| m.fingerprint = Digest([5; 32]), &|m| {
                m.work = WorkId([6; 32])
            }];
        for change in names {
            assert!(matches!(broken(change), Err(ManifestError::Work { .. })));
        }
        // Whoever changes work and creator together lacks the key.
        let stolen = broken(&|m| {
            m.creator = PersonId([4; 32]);
            m.work = work_id(&m.fingerprint, &m.creator);
        });
        assert!(matches!(stolen, Err(ManifestError::Signature { .. })));
        let other = SignedManifest { key: key(9).public_key(), ..honest.clone() };
        assert!(
            matches!(SignedManifest::from_json(&other.to_json()), Err(ManifestError::Signature { key: found }) if found == other.key)
        );
    }

    #[test]
    fn a_title_is_short_and_plain() {
        for wrong in ["", "two\nlines", "\u{7f}", &"x".repeat(MAX_TITLE_BYTES + 1)] {
            assert!(matches!(check_title(wrong), Err(ManifestError::Title)), "{wrong:?}");
            let text = signed(Manifest { title: Some(wrong.into()), ..manifest() }).to_json();
            assert!(matches!(SignedManifest::from_json(&text), Err(ManifestError::Title)));
        }
        assert!(check_title(&"x".repeat(MAX_TITLE_BYTES)).is_ok());
    }

    #[test]
    fn a_fingerprint_is_of_all_bytes_and_of_no_others() {
        let long: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        let whole = fingerprint(&long[..], 200_000).expect("read");
        assert_eq!(whole, hash(Domain::Fingerprint, &[&long]));
        let mut other = long.clone();
        other[199_999] ^= 1;
        assert_ne!(whole, fingerprint(&other[..], 200_000).expect("read"));
        for length in [199_999, 200_001] {
            assert!(fingerprint(&long[..], length).is_err());
        }
    }
}
