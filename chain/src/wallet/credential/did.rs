//! Issuers and subjects: `did:key` with Ed25519 (the did:key method, version 0.9).

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Before the key of every `did:key` in base58btc.
const PREFIX: &str = "did:key:z";
/// Multicodec of an Ed25519 public key, 0xed, as a varint.
const ED25519: [u8; 2] = [0xed, 0x01];
/// Longest text that is read. Two bytes and a key of 32 have 48 digits at most, and base58 takes the square of the
/// length in time.
const MAX_DID_BYTES: usize = 64;

/// Why a text is no issuer or subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DidError {
    /// Another method, another base, or too long.
    #[error("no did:key in base58btc")]
    Method,
    /// The digits are not base58btc.
    #[error("the key of a did:key is not base58btc")]
    Base58,
    /// Another kind of key, or not 32 bytes of it.
    #[error("the key of a did:key is not one of Ed25519")]
    Kind,
    /// The bytes are no point of the curve, or a second spelling of one, or a point under which signatures bind nobody.
    #[error("the key of a did:key is no sound point of the curve")]
    Point,
}

/// A `did:key` with an Ed25519 key, which is checked when it is read. Ordered by the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DidKey([u8; 32]);

impl DidKey {
    /// The name of whoever holds a key.
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key().to_bytes())
    }

    /// The key itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a key and checks it.
    ///
    /// Errors: [`DidError::Point`].
    pub fn from_key_bytes(bytes: &[u8; 32]) -> Result<Self, DidError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| DidError::Point)?;
        let canonical = key.to_edwards().compress().as_bytes() == bytes;
        if canonical && !key.is_weak() { Ok(Self(*bytes)) } else { Err(DidError::Point) }
    }

    /// Whether the holder of the key signed `message`. Strict, so that a signature has no second form.
    pub fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&self.0);
        key.and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature))).is_ok()
    }

    /// The name of the one key: the identifier, and its key part as a fragment.
    pub(super) fn key_name(&self) -> String {
        let did = self.to_string();
        let key = did.trim_start_matches("did:key:").to_owned();
        format!("{did}#{key}")
    }
}

impl fmt::Display for DidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&ED25519[..], self.as_bytes()].concat();
        write!(f, "{PREFIX}{}", bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for DidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DidKey({self})")
    }
}

impl FromStr for DidKey {
    type Err = DidError;
    fn from_str(text: &str) -> Result<Self, DidError> {
        let digits = text.strip_prefix(PREFIX).filter(|_| text.len() <= MAX_DID_BYTES);
        let bytes = bs58::decode(digits.ok_or(DidError::Method)?).into_vec();
        let bytes = bytes.map_err(|_| DidError::Base58)?;
        let key = bytes.strip_prefix(&ED25519).and_then(|key| key.try_into().ok());
        Self::from_key_bytes(key.ok_or(DidError::Kind)?)
    }
}
