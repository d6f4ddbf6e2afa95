//! Identifiers. Each kind of thing has its own type, so that none is taken for another.

use crate::calendar::utc;
use crate::{CodecError, Decode, Encode, Reader, Writer};
use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, str::FromStr};
use thiserror::Error;

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected 64 lower-case hexadecimal digits")]
pub struct HexError;

/// Lower-case hexadecimal digits of `bytes`.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

/// Reads bytes from lower-case hexadecimal digits; upper case is refused, so that a value has one spelling.
pub fn from_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(HexError),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(HexError);
    }
    pairs.iter().map(|[hi, lo]| Ok(digit(*hi)? << 4 | digit(*lo)?)).collect()
}

/// Defines a 256-bit identifier that is shown, parsed and serialised as lower-case hexadecimal.
#[macro_export]
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The raw 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::ids::to_hex(&self.0))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), $crate::ids::to_hex(&self.0[..6]))
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::ids::HexError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bytes = $crate::ids::from_hex(text)?;
                Ok(Self(bytes.try_into().map_err(|_| $crate::ids::HexError)?))
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::ids::HexError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl $crate::Encode for $name {
            fn encode(&self, w: &mut $crate::Writer) {
                w.raw(&self.0);
            }
        }
        impl $crate::Decode for $name {
            fn decode(r: &mut $crate::Reader<'_>) -> Result<Self, $crate::CodecError> {
                Ok(Self(r.array()?))
            }
        }
    };
}

hex_id!(
    /// A work: 256 bits, derived from its fingerprint and its creator's identity (chain spec 3.1; spec 7.5 `MID256`).
    WorkId
);
hex_id!(
    /// A person or organisation on record with the identity module: creator, collaborator, committee member.
    PersonId
);

/// An account on L1: the address of an Ethereum account or contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer1Address(pub [u8; 20]);

impl Encode for Layer1Address {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Layer1Address {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.array().map(Self)
    }
}

impl fmt::Display for Layer1Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", to_hex(&self.0))
    }
}

impl PersonId {
    /// Bytes before the address in the name of an account on L1.
    const LAYER1_PREFIX: [u8; 12] = [0; 12];

    /// The payee that is an account on L1: twelve zero bytes, then its address, as L1 itself pads addresses. It is paid
    /// by the vault there and by nobody here. A person's identifier is a hash and never looks like one.
    pub fn layer1(address: Layer1Address) -> Self {
        let mut id = [0; 32];
        id[Self::LAYER1_PREFIX.len()..].copy_from_slice(&address.0);
        Self(id)
    }

    /// The account on L1 that this names, if it has the form of one. The address may be zero, which nobody holds.
    pub fn layer1_address(&self) -> Option<Layer1Address> {
        let address = self.0.strip_prefix(&Self::LAYER1_PREFIX)?;
        Some(Layer1Address(address.try_into().expect("20 of 32 bytes are left")))
    }
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl FromStr for $name {
            type Err = ParseIntError;
            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
        impl Encode for $name {
            fn encode(&self, w: &mut Writer) {
                self.0.encode(w);
            }
        }
        impl Decode for $name {
            fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                <$inner>::decode(r).map(Self)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        number_type!($(#[$doc])* $name($inner));

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// One deployment of the chain. Every proof and signature is bound to it.
    ChainId(u64)
);
number_id!(
    /// A discrete reporting period (spec 4.1). Numbers grow by one.
    EpochId(u64)
);
number_type!(
    /// A moment: seconds since 1 January 1970, UTC. The ledger knows no other clock than the times of its blocks.
    Time(u64)
);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:02} UTC", utc(self.0), self.0 % 60)
    }
}

impl Time {
    /// The moment so many seconds later. Times beyond what 64 bits hold are the last that they hold.
    pub fn after(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds.into()))
    }
}

number_id!(
    /// One shard of an epoch's registry snapshot.
    ShardIndex(u32)
);
number_id!(
    /// A work's place in its shard, `0..W`.
    WorkIndex(u16)
);
number_id!(
    /// A subscription tier. Which tiers exist, and what they cost, is on the chain.
    Tier(u8)
);
number_id!(
    /// A category of works, for price normalisation and parity reports.
    CategoryId(u16)
);

/// One of the three aggregator parties, numbered 1 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct PartyId(u8);

impl PartyId {
    /// The committee, in order.
    pub const ALL: [Self; 3] = [Self(1), Self(2), Self(3)];

    /// Place in an array of three, `0..3`.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }

    /// The party at a place `0..3`; larger places wrap around, so that leadership can rotate by position.
    pub fn from_index(index: usize) -> Self {
        Self::ALL[index % 3]
    }

    /// The party after this one, in the ring 1, 2, 3, 1.
    pub fn next(self) -> Self {
        Self::from_index(self.index() + 1)
    }

    /// The party before this one in the ring.
    pub fn previous(self) -> Self {
        Self::from_index(self.index() + 2)
    }
}

/// A number that is not 1, 2 or 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is not a party: parties are 1, 2 and 3")]
pub struct NotAParty(pub u8);

impl TryFrom<u8> for PartyId {
    type Error = NotAParty;
    fn try_from(number: u8) -> Result<Self, NotAParty> {
        if (1..=3).contains(&number) { Ok(Self(number)) } else { Err(NotAParty(number)) }
    }
}

impl From<PartyId> for u8 {
    fn from(party: PartyId) -> u8 {
        party.0
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for PartyId {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for PartyId {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u8::decode(r)?.try_into().map_err(|_| CodecError::Invalid { what: "party" })
    }
}

/// A region of serving nodes, numbered 1 to [`crate::limits::REGIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Region(u8);

impl Region {
    /// Every region, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=crate::limits::REGIONS).map(Self)
    }

    /// Place in an array of regions, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }
}

/// A number that is not a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is not a region: regions are 1 to {max}", max = crate::limits::REGIONS)]
pub struct NotARegion(pub u8);

impl TryFrom<u8> for Region {
    type Error = NotARegion;
    fn try_from(number: u8) -> Result<Self, NotARegion> {
        if (1..=crate::limits::REGIONS).contains(&number) {
            Ok(Self(number))
        } else {
            Err(NotARegion(number))
        }
    }
}

impl From<Region> for u8 {
    fn from(region: Region) -> u8 {
        region.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for Region {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Region {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u8::decode(r)?.try_into().map_err(|_| CodecError::Invalid { what: "region" })
    }
}

/// What a bundle says of where its receipts come from: nothing, or one region. On the wire 0 means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct RegionTag(pub Option<Region>);

impl RegionTag {
    /// The tag of a bundle without receipts.
    pub const NONE: Self = Self(None);

    /// Every tag, the empty one first.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::NONE).chain(Region::all().map(|r| Self(Some(r))))
    }
}

impl From<RegionTag> for u8 {
    fn from(tag: RegionTag) -> u8 {
        tag.0.map_or(0, u8::from)
    }
}

impl TryFrom<u8> for RegionTag {
    type Error = NotARegion;
    fn try_from(number: u8) -> Result<Self, NotARegion> {
        if number == 0 { Ok(Self(None)) } else { Region::try_from(number).map(|r| Self(Some(r))) }
    }
}

impl fmt::Display for RegionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some(region) => region.fmt(f),
        }
    }
}

impl Encode for RegionTag {
    fn encode(&self, w: &mut Writer) {
        u8::from(*self).encode(w);
    }
}

impl Decode for RegionTag {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u8::decode(r)?.try_into().map_err(|_| CodecError::Invalid { what: "region tag" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_form_a_ring() {
        for party in PartyId::ALL {
            assert_eq!(party.next().next().next(), party);
            assert_eq!(party.next().previous(), party);
        }
    }

    #[test]
    fn a_moment_is_told_in_words_and_written_as_a_number() {
        let moment = Time(951_782_465);
        assert_eq!(moment.to_string(), "2000-02-29 00:01:05 UTC");
        assert_eq!(serde_json::to_value(moment).expect("a number"), 951_782_465);
        assert!(!Time(u64::MAX).to_string().is_empty());
    }

    #[test]
    fn hexadecimal_has_one_spelling() {
        let id = WorkId([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse::<WorkId>(), Err(HexError));
        assert_eq!("ab".parse::<WorkId>(), Err(HexError));
        assert_eq!(from_hex("abc"), Err(HexError));
    }

    #[test]
    fn only_known_parties_and_regions_decode() {
        assert!(PartyId::from_bytes(&[0]).is_err());
        assert!(PartyId::from_bytes(&[4]).is_err());
        assert!(RegionTag::from_bytes(&[crate::limits::REGIONS + 1]).is_err());
        for tag in RegionTag::all() {
            assert_eq!(RegionTag::from_bytes(&tag.to_bytes()), Ok(tag));
        }
    }
}
