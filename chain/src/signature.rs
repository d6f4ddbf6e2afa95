//! Schnorr signatures over Baby Jubjub, which a circuit over BN254 verifies cheaply.
//!
//! With `G` of prime order `l`, secret `a`, public key `A = a G` and a message of field elements `m`: the signer picks
//! `k`, sends `R = k G` and `s = k + c a mod l`, where `c` is the Poseidon hash of `R`, `A` and `m` taken as an
//! integer; the verifier checks `s G = R + c A` (Schnorr 1991, with the key in the challenge as in RFC 8032).
//!
//! - The curve is `x^2 + y^2 = 1 + d x^2 y^2` with `d = 168696 / 168700`, the form of arkworks. A point in the
//!   form of EIP-2494 has the same `y`, and our `x` divided by `sqrt(168700)`. The base point is arkworks' as well.
//! - Everything has one encoding: points are checked to be on the curve, keys to be in the subgroup and not the
//!   identity, `s` is below `l`. `R` needs no subgroup check, because the equation without cofactor puts it there.
//! - The challenge has 254 bits and is not reduced before use, since `A` has order `l`: a circuit needs no reduction.
//!
//! # Timing
//!
//! Verification takes public values only and is not constant time (`vartime` below). Key generation and signing run
//! the same sequence of curve additions whatever the secret. The field arithmetic below them does not promise
//! constant time: a final subtraction depends on the value. A key that signs for others, on a machine shared with
//! others, belongs into hardware; a wallet's own machine is what this is made for. Nonces come from the secret, the
//! message and fresh randomness together, so neither a broken nor a replayed generator repeats one.

mod curve;

use crate::poseidon::{Felt, FeltDomain, felt_to_bytes, hash_many};
use ark_ec::AffineRepr;
use ark_ed_on_bn254::{EdwardsAffine, Fr as Scalar};
use ark_ff::{PrimeField, Zero};
use curve::{Point, base, regular_mul, scalar_from_bytes, scalar_to_bytes, vartime_combination};
use primitives::{CodecError, Decode, Encode, Reader, Writer, hash, ids};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Bytes of a signature: `R`, then `s`.
pub const SIGNATURE_BYTES: usize = 64;

/// Why bytes are no key or signature, or why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A text is not lower-case hexadecimal of the right length.
    #[error("expected {bytes} bytes in lower-case hexadecimal digits")]
    Hex {
        /// Bytes of the type.
        bytes: usize,
    },
    /// Bytes are not the canonical encoding of a point on the curve.
    #[error("not a canonical encoding of a point on Baby Jubjub")]
    Point,
    /// A public key outside the subgroup of prime order, where a part of it would not bind its owner.
    #[error("the public key is not in the subgroup of prime order")]
    Subgroup,
    /// The identity as public key: everybody knows its secret.
    #[error("the public key is the identity")]
    Identity,
    /// A number from the group order up.
    #[error("not a canonical scalar")]
    Scalar,
    /// Zero as secret key.
    #[error("the secret key is zero")]
    ZeroSecret,
    /// `s G` is not `R + c A`.
    #[error("the signature does not hold for this key and message")]
    Equation,
}

/// A secret key. Wiped on drop, not cloneable, never shown.
pub struct SecretKey {
    secret: Scalar,
    public: PublicKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        curve::wipe(&mut self.secret);
    }
}

impl SecretKey {
    /// Draws a key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut wide = [0; 64];
        loop {
            rng.fill_bytes(&mut wide);
            let secret = Scalar::from_le_bytes_mod_order(&wide);
            curve::wipe_bytes(&mut wide);
            if let Ok(key) = Self::from_scalar(secret) {
                return key;
            }
        }
    }

    /// Reads a key back from [`Self::to_secret_bytes`].
    ///
    /// Errors: [`SignatureError::Scalar`], [`SignatureError::ZeroSecret`].
    pub fn from_secret_bytes(bytes: [u8; 32]) -> Result<Self, SignatureError> {
        Self::from_scalar(scalar_from_bytes(bytes).ok_or(SignatureError::Scalar)?)
    }

    /// The secret itself, little-endian, for a key file. Whoever asks for it wipes it.
    pub fn to_secret_bytes(&self) -> [u8; 32] {
        scalar_to_bytes(&self.secret)
    }

    fn from_scalar(secret: Scalar) -> Result<Self, SignatureError> {
        if secret.is_zero() {
            return Err(SignatureError::ZeroSecret);
        }
        let public = PublicKey(Point::new(regular_mul(&base(), &secret)));
        Ok(Self { secret, public })
    }

    /// The key that verifies.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs a list of field elements. The list's length is signed too; what it means is for the caller to separate,
    /// by hashing it in a domain of its own first.
    pub fn sign(&self, message: &[Felt], rng: &mut (impl RngCore + CryptoRng)) -> Signature {
        let mut fresh = [0; 32];
        rng.fill_bytes(&mut fresh);
        let mut nonce = self.nonce(message, &fresh);
        let r = Point::new(regular_mul(&base(), &nonce));
        let s = nonce + challenge(&r, &self.public, message) * self.secret;
        curve::wipe(&mut nonce);
        Signature { r, s }
    }

    /// A nonce that is secret as long as the key is, whatever `fresh` is worth, and new for every message.
    fn nonce(&self, message: &[Felt], fresh: &[u8; 32]) -> Scalar {
        let mut secret = scalar_to_bytes(&self.secret);
        let message: Vec<u8> = message.iter().flat_map(felt_to_bytes).collect();
        let mut wide = hash::hash_wide(hash::Domain::SignatureNonce, &[&secret, fresh, &message]);
        let nonce = Scalar::from_le_bytes_mod_order(&wide);
        curve::wipe_bytes(&mut secret);
        curve::wipe_bytes(&mut wide);
        nonce
    }
}

/// `c`, as a scalar: the hash of `R`, `A` and the message, read as an integer.
fn challenge(r: &Point, key: &PublicKey, message: &[Felt]) -> Scalar {
    let [r, a] = [r.affine(), key.0.affine()];
    let input = [&[r.x, r.y, a.x, a.y], message].concat();
    let c = hash_many(FeltDomain::SignatureChallenge, &input);
    Scalar::from_le_bytes_mod_order(&felt_to_bytes(&c))
}

/// A public key: a point of prime order, which is checked when it is read. Ordered by its encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey(Point);

impl PublicKey {
    /// The compressed point: `y` little-endian, and the sign of `x` in the highest bit.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Reads a compressed point and checks it in full.
    ///
    /// Errors: [`SignatureError::Point`], [`SignatureError::Identity`], [`SignatureError::Subgroup`].
    pub fn from_compressed(bytes: [u8; 32]) -> Result<Self, SignatureError> {
        let point = Point::decompress(bytes).ok_or(SignatureError::Point)?;
        if point.affine().is_zero() {
            return Err(SignatureError::Identity);
        }
        if !point.affine().is_in_correct_subgroup_assuming_on_curve() {
            return Err(SignatureError::Subgroup);
        }
        Ok(Self(point))
    }

    /// `x` and `y`, as state leaves and circuits hold a key.
    pub fn coordinates(&self) -> [Felt; 2] {
        [self.0.affine().x, self.0.affine().y]
    }

    /// The point.
    pub fn point(&self) -> &EdwardsAffine {
        self.0.affine()
    }

    /// Checks that the owner of this key signed `message`.
    ///
    /// Errors: [`SignatureError::Equation`].
    pub fn verify(&self, message: &[Felt], signature: &Signature) -> Result<(), SignatureError> {
        let c = challenge(&signature.r, self, message);
        let r = vartime_combination(&signature.s, &base(), &-c, self.0.affine());
        if r == *signature.r.affine() { Ok(()) } else { Err(SignatureError::Equation) }
    }
}

/// A signature `(R, s)`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Signature {
    r: Point,
    s: Scalar,
}

impl Signature {
    /// `x` and `y` of `R`, for a circuit's witness.
    pub fn r_coordinates(&self) -> [Felt; 2] {
        [self.r.affine().x, self.r.affine().y]
    }

    /// `s`, for a circuit's witness.
    pub fn s(&self) -> Scalar {
        self.s
    }

    /// `R` compressed, then `s` little-endian.
    pub fn to_array(&self) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..32].copy_from_slice(self.r.as_bytes());
        bytes[32..].copy_from_slice(&scalar_to_bytes(&self.s));
        bytes
    }

    /// Reads a signature. Whether it holds is for [`PublicKey::verify`].
    ///
    /// Errors: [`SignatureError::Point`], [`SignatureError::Scalar`].
    pub fn from_array(bytes: [u8; SIGNATURE_BYTES]) -> Result<Self, SignatureError> {
        let (halves, _) = bytes.as_chunks::<32>();
        let r = Point::decompress(halves[0]).ok_or(SignatureError::Point)?;
        let s = scalar_from_bytes(halves[1]).ok_or(SignatureError::Scalar)?;
        Ok(Self { r, s })
    }
}

macro_rules! as_bytes {
    ($name:ident, $bytes:expr, $to:expr, $from:path, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let to: fn(&$name) -> [u8; $bytes] = $to;
                f.write_str(&ids::to_hex(&to(self)))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl FromStr for $name {
            type Err = SignatureError;
            fn from_str(text: &str) -> Result<Self, SignatureError> {
                let bytes = ids::from_hex(text).ok().and_then(|bytes| bytes.try_into().ok());
                $from(bytes.ok_or(SignatureError::Hex { bytes: $bytes })?)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
        impl TryFrom<String> for $name {
            type Error = SignatureError;
            fn try_from(text: String) -> Result<Self, SignatureError> {
                text.parse()
            }
        }
        impl Encode for $name {
            fn encode(&self, w: &mut Writer) {
                let to: fn(&$name) -> [u8; $bytes] = $to;
                w.raw(&to(self));
            }
        }
        impl Decode for $name {
            fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                $from(r.array()?).map_err(|_| CodecError::Invalid { what: $what })
            }
        }
    };
}
as_bytes!(PublicKey, 32, |key| *key.as_bytes(), PublicKey::from_compressed, "public key");
as_bytes!(Signature, SIGNATURE_BYTES, Signature::to_array, Signature::from_array, "signature");

#[cfg(test)]
mod tests;
