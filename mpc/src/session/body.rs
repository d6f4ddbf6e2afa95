//! How numbers, bits and elements stand in the body of a message.

use crate::element::Element;
use primitives::field::{Plain, Residue};

/// Something of a fixed length that messages carry. It has one spelling.
pub(crate) trait Carried: Copy + PartialEq {
    /// Its length in bytes.
    const BYTES: usize;

    /// Appends its bytes.
    fn write(self, body: &mut Vec<u8>);

    /// Reads as many bytes as it has; `None` if they are another spelling.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// A number: 32 bytes, least significant first, below l.
impl Carried for Residue {
    const BYTES: usize = 32;

    fn write(self, body: &mut Vec<u8>) {
        body.extend(Plain::from(self).to_canonical_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Plain::from_canonical_bytes(bytes.try_into().ok()?).map(Self::from)
    }
}

/// An element of the field of 2^128: 16 bytes, as RFC 8452 writes it.
impl Carried for Element {
    const BYTES: usize = 16;

    fn write(self, body: &mut Vec<u8>) {
        body.extend(self.to_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

/// Eight lanes of a row of bits, the first lane in the lowest bit.
impl Carried for u8 {
    const BYTES: usize = 1;

    fn write(self, body: &mut Vec<u8>) {
        body.push(self);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first().copied()
    }
}

/// The body that carries some values.
pub(crate) fn write<T: Carried>(values: &[T]) -> Vec<u8> {
    let mut body = Vec::with_capacity(values.len() * T::BYTES);
    values.iter().for_each(|value| value.write(&mut body));
    body
}

/// The values that a body carries; `None` if one is spelt in another way.
pub(crate) fn read<T: Carried>(body: &[u8]) -> Option<Vec<T>> {
    body.chunks_exact(T::BYTES).map(T::read).collect()
}
