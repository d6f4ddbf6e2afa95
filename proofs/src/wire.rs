//! Group elements and scalars as they travel: 32 bytes each, canonical.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use primitives::{CodecError, Decode, Encode, Reader, Writer, ids};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A compressed element of ristretto255. Decoding copies the bytes; whether they name an element is found out by
/// [`WirePoint::decompress`], which a verifier calls for all elements of a message at once.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WirePoint(pub [u8; 32]);

impl WirePoint {
    /// The element that the bytes name, if they are a canonical encoding of one.
    pub fn decompress(&self) -> Option<RistrettoPoint> {
        CompressedRistretto(self.0).decompress()
    }
}

impl From<RistrettoPoint> for WirePoint {
    fn from(point: RistrettoPoint) -> Self {
        Self(point.compress().0)
    }
}

/// Appends elements in their canonical encodings.
pub fn put_points<const N: usize>(points: &[RistrettoPoint; N], w: &mut Writer) {
    points.iter().for_each(|point| WirePoint::from(*point).encode(w));
}

/// Takes elements whose bytes must name some.
pub fn points<const N: usize>(r: &mut Reader<'_>) -> Result<[RistrettoPoint; N], CodecError> {
    let mut points = [RistrettoPoint::default(); N];
    for point in &mut points {
        let read = WirePoint::decode(r)?.decompress();
        *point = read.ok_or(CodecError::Invalid { what: "group element" })?;
    }
    Ok(points)
}

/// A scalar of ristretto255 in its canonical encoding.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WireScalar(pub Scalar);

impl From<Scalar> for WireScalar {
    fn from(scalar: Scalar) -> Self {
        Self(scalar)
    }
}

impl Encode for WirePoint {
    fn encode(&self, w: &mut Writer) {
        w.raw(&self.0);
    }
}

impl Decode for WirePoint {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.array().map(Self)
    }
}

impl Encode for WireScalar {
    fn encode(&self, w: &mut Writer) {
        w.raw(self.0.as_bytes());
    }
}

impl Decode for WireScalar {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        canonical(r.array()?).map(Self).ok_or(CodecError::Invalid { what: "scalar" })
    }
}

fn canonical(bytes: [u8; 32]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(bytes).into()
}

macro_rules! as_hex {
    ($name:ident, $to_bytes:expr, $from_bytes:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let to_bytes: fn(&$name) -> [u8; 32] = $to_bytes;
                f.write_str(&ids::to_hex(&to_bytes(self)))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let bytes = ids::from_hex(&text).map_err(|_| "expected lower-case hexadecimal digits")?;
                let bytes: [u8; 32] = bytes.try_into().map_err(|_| "expected 32 bytes")?;
                let from_bytes: fn([u8; 32]) -> Option<$name> = $from_bytes;
                from_bytes(bytes).ok_or("expected a canonical encoding")
            }
        }
    };
}
as_hex!(WirePoint, |p| p.0, |b| Some(WirePoint(b)));
as_hex!(WireScalar, |s| s.0.to_bytes(), |b| canonical(b).map(WireScalar));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_has_one_encoding() {
        let mut bytes = (-Scalar::ONE).to_bytes();
        assert_eq!(WireScalar::from_bytes(&bytes), Ok(WireScalar(-Scalar::ONE)));
        bytes[0] += 1; // the group order itself, a second spelling of zero
        assert_eq!(WireScalar::from_bytes(&bytes), Err(CodecError::Invalid { what: "scalar" }));
    }

    #[test]
    fn bytes_that_name_no_element_do_not_decompress() {
        assert_eq!(WirePoint([0xff; 32]).decompress(), None);
    }
}
