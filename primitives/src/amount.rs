//! Money and shares of money. Integers only; arithmetic that would overflow says so.

use crate::{CodecError, Decode, Encode, Reader, Writer};
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum};

/// An amount of CWE credits, in micro-credits (10^-6 credit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credits(pub u64);

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One credit.
    pub const ONE: Self = Self(1_000_000);

    /// The sum, or `None` if it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` if it would be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// This amount `n` times, or `None` if it does not fit.
    pub fn checked_mul(self, n: u64) -> Option<Self> {
        self.0.checked_mul(n).map(Self)
    }

    /// `floor(self * share)`.
    pub fn share(self, share: BasisPoints) -> Self {
        let product = u128::from(self.0) * u128::from(share.0) / u128::from(BasisPoints::WHOLE.0);
        Self(u64::try_from(product).expect("a share of at most the whole is not above the amount"))
    }
}

impl Sum for Credits {
    /// Panics on overflow: callers bound their sums by a supply that fits.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| a.checked_add(b).expect("sums of credits are bounded by the supply"))
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl Encode for Credits {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Credits {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u64::decode(r).map(Self)
    }
}

/// A share in hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Everything.
    pub const WHOLE: Self = Self(10_000);

    /// A share of `points` hundredths of a percent, or `None` above the whole.
    pub const fn new(points: u16) -> Option<Self> {
        if points <= Self::WHOLE.0 { Some(Self(points)) } else { None }
    }

    /// The number of basis points.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl From<BasisPoints> for u16 {
    fn from(share: BasisPoints) -> u16 {
        share.0
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = &'static str;
    fn try_from(points: u16) -> Result<Self, Self::Error> {
        Self::new(points).ok_or("a share is at most 10000 basis points")
    }
}

impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

impl Encode for BasisPoints {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for BasisPoints {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::new(u16::decode(r)?).ok_or(CodecError::Invalid { what: "share in basis points" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_rounds_down_and_never_exceeds_the_amount() {
        assert_eq!(Credits(9_999).share(BasisPoints(1)), Credits(0));
        assert_eq!(Credits(10_000).share(BasisPoints(1)), Credits(1));
        assert_eq!(Credits(u64::MAX).share(BasisPoints::WHOLE), Credits(u64::MAX));
    }

    #[test]
    fn more_than_the_whole_is_no_share() {
        assert_eq!(BasisPoints::new(10_001), None);
        assert!(BasisPoints::from_bytes(&10_001u16.to_bytes()).is_err());
    }

    #[test]
    fn credits_show_six_decimals() {
        assert_eq!(Credits(12_345_678).to_string(), "12.345678");
    }
}
