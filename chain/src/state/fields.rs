//! Values as lists of field elements, the form in which leaves, signatures and payouts are hashed.
//!
//! An integer is one element; 256-bit values are two of 128 bits, the low half first, so that nothing wraps around
//! the modulus; lists carry their length, so that no two records spell the same list of elements.

use crate::poseidon::{Felt, felts_from_bytes};
use crate::signature::PublicKey;
use ark_ff::PrimeField;
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, EpochId, Layer1Address, PartyId, PersonId, Region,
    RegionTag, ShardIndex, Tier, Time, WorkId, WorkIndex,
};
use ruint::aliases::U256;
use std::collections::BTreeMap;

/// Collects field elements.
#[derive(Default)]
pub struct Fields(Vec<Felt>);

impl Fields {
    /// Appends a value.
    pub fn push<T: ToFelts + ?Sized>(&mut self, value: &T) -> &mut Self {
        value.felts(self);
        self
    }

    /// Appends one element.
    pub fn felt(&mut self, felt: Felt) -> &mut Self {
        self.0.push(felt);
        self
    }

    /// The elements.
    pub fn into_vec(self) -> Vec<Felt> {
        self.0
    }
}

/// A value with a fixed spelling in field elements.
pub trait ToFelts {
    /// Appends the spelling.
    fn felts(&self, out: &mut Fields);

    /// The spelling as a list.
    fn to_felts(&self) -> Vec<Felt> {
        let mut out = Fields::default();
        self.felts(&mut out);
        out.into_vec()
    }
}

macro_rules! one_element {
    ($($t:ty => $as_int:expr),* $(,)?) => {$(
        impl ToFelts for $t {
            fn felts(&self, out: &mut Fields) {
                let as_int: fn(&$t) -> u64 = $as_int;
                out.felt(Felt::from(as_int(self)));
            }
        }
    )*};
}
one_element! {
    u8 => |x| u64::from(*x),
    u16 => |x| u64::from(*x),
    u32 => |x| u64::from(*x),
    u64 => |x| *x,
    bool => |x| u64::from(*x),
    Credits => |x| x.0,
    BasisPoints => |x| u64::from(x.get()),
    EpochId => |x| x.0,
    Time => |x| x.0,
    ChainId => |x| x.0,
    Tier => |x| u64::from(x.0),
    ShardIndex => |x| u64::from(x.0),
    WorkIndex => |x| u64::from(x.0),
    CategoryId => |x| u64::from(x.0),
    PartyId => |x| u64::from(u8::from(*x)),
    Region => |x| u64::from(u8::from(*x)),
    RegionTag => |x| u64::from(u8::from(*x)),
}

impl ToFelts for u128 {
    fn felts(&self, out: &mut Fields) {
        out.felt(Felt::from(*self));
    }
}

impl ToFelts for [u8; 32] {
    fn felts(&self, out: &mut Fields) {
        let (low, high) = self.split_at(16);
        for half in [low, high] {
            out.felt(Felt::from(u128::from_le_bytes(half.try_into().expect("half of 32 bytes"))));
        }
    }
}

impl ToFelts for Digest {
    fn felts(&self, out: &mut Fields) {
        self.0.felts(out);
    }
}

impl ToFelts for WorkId {
    fn felts(&self, out: &mut Fields) {
        self.0.felts(out);
    }
}

impl ToFelts for PersonId {
    fn felts(&self, out: &mut Fields) {
        self.0.felts(out);
    }
}

/// The number that L1 reads an address as.
impl ToFelts for Layer1Address {
    fn felts(&self, out: &mut Fields) {
        out.felt(Felt::from_be_bytes_mod_order(&self.0));
    }
}

impl ToFelts for U256 {
    fn felts(&self, out: &mut Fields) {
        self.to_le_bytes::<32>().felts(out);
    }
}

impl ToFelts for Felt {
    fn felts(&self, out: &mut Fields) {
        out.felt(*self);
    }
}

impl ToFelts for PublicKey {
    fn felts(&self, out: &mut Fields) {
        for coordinate in self.coordinates() {
            out.felt(coordinate);
        }
    }
}

/// Bytes of any length: the length, then chunks of 31.
pub struct Bytes<'a>(pub &'a [u8]);

impl ToFelts for Bytes<'_> {
    fn felts(&self, out: &mut Fields) {
        out.push(&(self.0.len() as u64));
        for felt in felts_from_bytes(self.0) {
            out.felt(felt);
        }
    }
}

impl<T: ToFelts> ToFelts for Option<T> {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.is_some());
        if let Some(value) = self {
            out.push(value);
        }
    }
}

impl<T: ToFelts> ToFelts for [T] {
    fn felts(&self, out: &mut Fields) {
        out.push(&(self.len() as u64));
        for item in self {
            out.push(item);
        }
    }
}

impl<T: ToFelts> ToFelts for Vec<T> {
    fn felts(&self, out: &mut Fields) {
        self.as_slice().felts(out);
    }
}

impl<K: ToFelts, V: ToFelts> ToFelts for BTreeMap<K, V> {
    fn felts(&self, out: &mut Fields) {
        out.push(&(self.len() as u64));
        for (key, value) in self {
            out.push(key).push(value);
        }
    }
}

impl ToFelts for () {
    fn felts(&self, _: &mut Fields) {}
}

impl<A: ToFelts, B: ToFelts> ToFelts for (A, B) {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0).push(&self.1);
    }
}

impl<A: ToFelts, B: ToFelts, C: ToFelts> ToFelts for (A, B, C) {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0).push(&self.1).push(&self.2);
    }
}

/// Writes the codec and the spelling in field elements for a struct, field by field in the order given.
macro_rules! record {
    ($name:ident { $($field:ident),* $(,)? }) => {
        primitives::codec_struct!($name { $($field),* });
        impl $crate::state::ToFelts for $name {
            fn felts(&self, out: &mut $crate::state::Fields) {
                $(out.push(&self.$field);)*
            }
        }
    };
}
pub(crate) use record;

/// Writes the codec of an enum whose variants hold one value each, under stable tags.
macro_rules! codec_enum {
    ($name:ident($what:literal) { $($tag:literal => $variant:ident),* $(,)? }) => {
        impl primitives::Encode for $name {
            fn encode(&self, w: &mut primitives::Writer) {
                match self {
                    $(Self::$variant(value) => {
                        w.raw(&[$tag]);
                        value.encode(w);
                    })*
                }
            }
        }
        impl primitives::Decode for $name {
            fn decode(r: &mut primitives::Reader<'_>) -> Result<Self, primitives::CodecError> {
                match r.array::<1>()?[0] {
                    $($tag => primitives::Decode::decode(r).map(Self::$variant),)*
                    _ => Err(primitives::CodecError::Invalid { what: $what }),
                }
            }
        }
    };
}
pub(crate) use codec_enum;

/// Writes codec, spelling in field elements and JSON number for an enum of plain numbers.
macro_rules! number_enum {
    ($(#[$doc:meta])* $name:ident($what:literal) { $($(#[$vdoc:meta])* $variant:ident = $tag:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$vdoc])* $variant = $tag,)*
        }
        impl primitives::Encode for $name {
            fn encode(&self, w: &mut primitives::Writer) {
                w.raw(&[*self as u8]);
            }
        }
        impl primitives::Decode for $name {
            fn decode(r: &mut primitives::Reader<'_>) -> Result<Self, primitives::CodecError> {
                match r.array::<1>()?[0] {
                    $($tag => Ok(Self::$variant),)*
                    _ => Err(primitives::CodecError::Invalid { what: $what }),
                }
            }
        }
        impl $crate::state::ToFelts for $name {
            fn felts(&self, out: &mut $crate::state::Fields) {
                out.push(&(*self as u8));
            }
        }
        $crate::state::key_part!(Number: $name);
    };
}
pub(crate) use number_enum;
