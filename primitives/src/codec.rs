//! The one wire and disk encoding of this project: canonical, bounded, little-endian.
//!
//! A value has exactly one encoding. Integers have fixed width, sequences carry a 32-bit count, and every decoder
//! states the largest count that it accepts before it allocates. Trailing bytes are an error.

use std::collections::BTreeMap;
use thiserror::Error;

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The input ends inside a value.
    #[error("input ends early: {wanted} more bytes wanted, {left} left")]
    Truncated {
        /// Bytes that the next value needs.
        wanted: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the value.
    #[error("{extra} bytes follow the value")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// A sequence is longer than its named limit.
    #[error("a sequence of {count} items is over the limit of {limit}")]
    TooLong {
        /// Count found in the input.
        count: usize,
        /// Largest count that is accepted here.
        limit: usize,
    },
    /// The bytes have the right length and mean nothing, or are a second spelling of a value.
    #[error("not a canonical {what}")]
    Invalid {
        /// The type that was expected.
        what: &'static str,
    },
}

/// Collects the encoding of a value.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Appends raw bytes, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends a count of items. Panics above `u32::MAX`, which no limit of this project comes near.
    pub fn count(&mut self, n: usize) {
        self.raw(&u32::try_from(n).expect("sequences are bounded far below 2^32").to_le_bytes());
    }

    /// Appends a byte string with its length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// Appends a sequence with its count.
    pub fn seq<T: Encode>(&mut self, items: &[T]) {
        self.count(items.len());
        for item in items {
            item.encode(self);
        }
    }

    /// Appends a map with its count, in order of its keys.
    pub fn map<K: Encode, V>(&mut self, map: &BTreeMap<K, V>, mut value: impl FnMut(&V, &mut Self)) {
        self.count(map.len());
        for (key, entry) in map {
            key.encode(self);
            value(entry, self);
        }
    }

    /// The finished encoding.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads values from the front of a byte slice.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes `n` raw bytes.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        if self.0.len() < n {
            return Err(CodecError::Truncated { wanted: n, left: self.0.len() });
        }
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        Ok(head)
    }

    /// Takes an array of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        Ok(self.raw(N)?.try_into().expect("raw returns as many bytes as were asked for"))
    }

    /// Takes a count of items and holds it against its limit.
    pub fn count(&mut self, limit: usize) -> Result<usize, CodecError> {
        let count = u32::from_le_bytes(self.array()?) as usize;
        if count > limit { Err(CodecError::TooLong { count, limit }) } else { Ok(count) }
    }

    /// Takes a byte string of at most `limit` bytes.
    pub fn bytes(&mut self, limit: usize) -> Result<&'a [u8], CodecError> {
        let n = self.count(limit)?;
        self.raw(n)
    }

    /// Takes a sequence of at most `limit` items.
    pub fn seq<T: Decode>(&mut self, limit: usize) -> Result<Vec<T>, CodecError> {
        let n = self.count(limit)?;
        (0..n).map(|_| T::decode(self)).collect()
    }

    /// Takes a map of at most `limit` entries. One whose keys do not ascend has a second spelling: it is no canonical
    /// `what`.
    pub fn map<K: Decode + Ord, V>(
        &mut self,
        limit: usize,
        what: &'static str,
        mut value: impl FnMut(&mut Self) -> Result<V, CodecError>,
    ) -> Result<BTreeMap<K, V>, CodecError> {
        let mut map = BTreeMap::new();
        for _ in 0..self.count(limit)? {
            let key = K::decode(self)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(CodecError::Invalid { what });
            }
            map.insert(key, value(self)?);
        }
        Ok(map)
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Trailing { extra: self.0.len() }) }
    }
}

/// A value with a canonical encoding.
pub trait Encode {
    /// Appends the encoding to `w`.
    fn encode(&self, w: &mut Writer);

    /// The encoding as a fresh byte vector.
    fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.encode(&mut w);
        w.finish()
    }
}

/// A value that is read back from its canonical encoding.
pub trait Decode: Sized {
    /// Reads one value from the front of `r`.
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError>;

    /// Reads one value that fills `bytes` to the last byte.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(bytes);
        let value = Self::decode(&mut r)?;
        r.finish()?;
        Ok(value)
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Encode for $t {
            fn encode(&self, w: &mut Writer) {
                w.raw(&self.to_le_bytes());
            }
        }
        impl Decode for $t {
            fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(<$t>::from_le_bytes(r.array()?))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128);

impl Encode for bool {
    fn encode(&self, w: &mut Writer) {
        w.raw(&[u8::from(*self)]);
    }
}

impl Decode for bool {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match r.array::<1>()?[0] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Invalid { what: "boolean" }),
        }
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, w: &mut Writer) {
        w.raw(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.array()
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, w: &mut Writer) {
        self.is_some().encode(w);
        if let Some(value) = self {
            value.encode(w);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        if bool::decode(r)? { Ok(Some(T::decode(r)?)) } else { Ok(None) }
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
        self.1.encode(w);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok((A::decode(r)?, B::decode(r)?))
    }
}

/// Writes [`Encode`] and [`Decode`] for a struct, field by field in the order given.
#[macro_export]
macro_rules! codec_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, w: &mut $crate::Writer) {
                $($crate::Encode::encode(&self.$field, w);)*
            }
        }
        impl $crate::Decode for $name {
            fn decode(r: &mut $crate::Reader<'_>) -> Result<Self, $crate::CodecError> {
                Ok(Self { $($field: $crate::Decode::decode(r)?),* })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_and_options_survive_a_round_trip(a: u8, b: u64, c: u128, d: Option<u32>) {
            let mut w = Writer::default();
            a.encode(&mut w);
            b.encode(&mut w);
            c.encode(&mut w);
            d.encode(&mut w);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(u8::decode(&mut r), Ok(a));
            prop_assert_eq!(u64::decode(&mut r), Ok(b));
            prop_assert_eq!(u128::decode(&mut r), Ok(c));
            prop_assert_eq!(Option::<u32>::decode(&mut r), Ok(d));
            prop_assert_eq!(r.finish(), Ok(()));
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(u16::from_bytes(&[1, 2, 3]), Err(CodecError::Trailing { extra: 1 }));
    }

    #[test]
    fn truncated_input_is_refused() {
        assert_eq!(u32::from_bytes(&[1, 2, 3]), Err(CodecError::Truncated { wanted: 4, left: 3 }));
    }

    #[test]
    fn a_count_over_its_limit_is_refused_before_anything_is_allocated() {
        let bytes = u32::MAX.to_bytes();
        assert_eq!(
            Reader::new(&bytes).seq::<u64>(10),
            Err(CodecError::TooLong { count: u32::MAX as usize, limit: 10 })
        );
    }

    #[test]
    fn a_boolean_has_two_spellings_only() {
        assert_eq!(bool::from_bytes(&[2]), Err(CodecError::Invalid { what: "boolean" }));
    }
}
