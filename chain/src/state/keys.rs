//! What the keys of tables are made of, for whoever spells one out.

use super::ToFelts;
use primitives::{Digest, EpochId, Layer1Address, PartyId, PersonId, Region, ShardIndex, Tier, WorkId};

/// A part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A whole number: one field element.
    Number,
    /// 256 bits: two field elements, the lower half first.
    Identifier,
    /// An address on L1: one field element.
    Address,
}

/// Something that records stand under, alone or with others.
pub trait Key: Ord + Clone + ToFelts + Send + Sync {
    /// Appends its parts.
    fn parts(out: &mut Vec<Part>);
}

/// Says that a key is one part.
macro_rules! key_part {
    ($part:ident: $($t:ty),* $(,)?) => {$(
        impl $crate::state::Key for $t {
            fn parts(out: &mut Vec<$crate::state::Part>) {
                out.push($crate::state::Part::$part);
            }
        }
    )*};
}
pub(crate) use key_part;

key_part!(Number: u8, u64, EpochId, PartyId, Region, ShardIndex, Tier);
key_part!(Identifier: Digest, PersonId, WorkId);
key_part!(Address: Layer1Address);

impl Key for () {
    fn parts(_: &mut Vec<Part>) {}
}

impl<A: Key, B: Key> Key for (A, B) {
    fn parts(out: &mut Vec<Part>) {
        A::parts(out);
        B::parts(out);
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn parts(out: &mut Vec<Part>) {
        A::parts(out);
        B::parts(out);
        C::parts(out);
    }
}
