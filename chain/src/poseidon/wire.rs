//! Field elements on the wire and in JSON: 32 little-endian bytes below the modulus, so that each has one spelling.
//!
//! The field is a foreign type, hence functions and `serde(with = ...)` modules instead of trait implementations.

use super::Felt;
use ark_ff::{BigInt, BigInteger, PrimeField};
use primitives::{CodecError, Reader, Writer, ids};

/// Canonical little-endian bytes.
pub fn felt_to_bytes(x: &Felt) -> [u8; 32] {
    x.into_bigint().to_bytes_le().try_into().expect("four limbs are 32 bytes")
}

/// Reads canonical little-endian bytes; numbers from the modulus up are refused.
pub fn felt_from_bytes(bytes: [u8; 32]) -> Option<Felt> {
    let (limbs, _) = bytes.as_chunks::<8>();
    Felt::from_bigint(BigInt(std::array::from_fn(|i| u64::from_le_bytes(limbs[i]))))
}

/// Appends an element.
pub fn put(w: &mut Writer, x: &Felt) {
    w.raw(&felt_to_bytes(x));
}

/// Takes an element.
pub fn take(r: &mut Reader<'_>) -> Result<Felt, CodecError> {
    felt_from_bytes(r.array()?).ok_or(CodecError::Invalid { what: "field element" })
}

/// Appends a sequence with its count.
pub fn put_seq(w: &mut Writer, xs: &[Felt]) {
    w.count(xs.len());
    for x in xs {
        put(w, x);
    }
}

/// Takes a sequence of at most `limit` elements.
pub fn take_seq(r: &mut Reader<'_>, limit: usize) -> Result<Vec<Felt>, CodecError> {
    let n = r.count(limit)?;
    (0..n).map(|_| take(r)).collect()
}

/// The 64 lower-case hexadecimal digits of an element's bytes.
pub fn to_hex(x: &Felt) -> String {
    ids::to_hex(&felt_to_bytes(x))
}

/// Reads 64 lower-case hexadecimal digits.
pub fn from_hex(text: &str) -> Option<Felt> {
    felt_from_bytes(ids::from_hex(text).ok()?.try_into().ok()?)
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Felt, E> {
    from_hex(text).ok_or_else(|| E::custom("expected the 64 lower-case digits of a field element"))
}

/// `#[serde(with = "crate::poseidon::wire::hex")]` for a [`Felt`].
pub mod hex {
    use super::Felt;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes an element.
    pub fn serialize<S: Serializer>(x: &Felt, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&super::to_hex(x))
    }

    /// Reads an element.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Felt, D::Error> {
        super::parse(&String::deserialize(d)?)
    }
}

/// `#[serde(with = "crate::poseidon::wire::hex_seq")]` for a `Vec<Felt>`.
pub mod hex_seq {
    use super::Felt;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a sequence.
    pub fn serialize<S: Serializer>(xs: &[Felt], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(xs.iter().map(super::to_hex))
    }

    /// Reads a sequence.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Felt>, D::Error> {
        Vec::<String>::deserialize(d)?.iter().map(|text| super::parse(text)).collect()
    }
}
