//! Totals of an epoch: what is counted, as limbs of one integer and as numbers.

use curve25519_dalek::scalar::Scalar;
use primitives::{
    CodecError, Decode, Digest, Domain, Encode, Reader, Tier, WorkIndex, Writer, codec_struct, hash,
    limits::{
        self, BACKED_BITS, BACKED_SHIFT, COUNT_BITS, LISTENER_BITS, LISTENER_SHIFT, VALUE_BITS, VIEWS_BITS,
        VIEWS_SHIFT,
    },
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::AddAssign};

/// What is counted of a work (protocol notes, section 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// First views: distinct subscribers of the epoch.
    pub listeners: u64,
    /// Views that a bandwidth receipt backs.
    pub backed: u64,
    /// Views.
    pub views: u64,
    /// Value in 2^-18 views.
    pub value: u64,
}

codec_struct!(Count { listeners, backed, views, value });

impl Count {
    /// Whether nothing was counted.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every limb fits its width.
    pub fn fits(&self) -> bool {
        self.listeners >> LISTENER_BITS == 0
            && self.backed >> BACKED_BITS == 0
            && self.views >> VIEWS_BITS == 0
            && self.value >> VALUE_BITS == 0
    }

    /// The integer `listeners 2^130 + backed 2^92 + views 2^54 + value` as a scalar.
    ///
    /// Distinct counts that fit have distinct scalars, since 162 bits are far below the group order.
    pub fn to_scalar(self) -> Scalar {
        let low = u128::from(self.value) + (u128::from(self.views) << VIEWS_SHIFT);
        // The backed limb straddles bit 128, so it is added as a scalar.
        let limb = |n: u64, shift: u32| Scalar::from(n) * power_of_two(shift);
        Scalar::from(low) + limb(self.backed, BACKED_SHIFT) + limb(self.listeners, LISTENER_SHIFT)
    }

    /// The count that a scalar stands for, or `None` if it is not below 2^162.
    pub fn from_scalar(scalar: &Scalar) -> Option<Self> {
        let bytes = scalar.as_bytes();
        let bit = |i: u32| u64::from(bytes[(i / 8) as usize] >> (i % 8) & 1);
        let limb = |from: u32, width: u32| (0..width).fold(0, |n, i| n | bit(from + i) << i);
        (COUNT_BITS..256).all(|i| bit(i) == 0).then(|| Self {
            value: limb(0, VALUE_BITS),
            views: limb(VIEWS_SHIFT, VIEWS_BITS),
            backed: limb(BACKED_SHIFT, BACKED_BITS),
            listeners: limb(LISTENER_SHIFT, LISTENER_BITS),
        })
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.listeners += other.listeners;
        self.backed += other.backed;
        self.views += other.views;
        self.value += other.value;
    }
}

/// `2^shift` as a scalar.
pub fn power_of_two(shift: u32) -> Scalar {
    let mut bytes = [0; 32];
    bytes[(shift / 8) as usize] = 1 << (shift % 8);
    Scalar::from_bytes_mod_order(bytes)
}

/// Opened totals: for each tier in which a bundle was counted, the published cells. A cell is a work in a tier; one that
/// is not listed stays closed, and its usage is carried over. Padding has no cells: what is counted there is opened,
/// listed if it is not zero, and weighs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Tier, BTreeMap<WorkIndex, Count>>);

impl Totals {
    /// Records the count of a work in a tier; zero counts leave no trace.
    pub fn insert(&mut self, tier: Tier, work: WorkIndex, count: Count) {
        let works = self.0.entry(tier).or_default();
        if count.is_zero() {
            works.remove(&work);
        } else {
            works.insert(work, count);
        }
    }

    /// Notes that bundles of a tier were counted, even if none of its cells is published.
    pub fn touch(&mut self, tier: Tier) {
        self.0.entry(tier).or_default();
    }

    /// The published count of a work in a tier.
    pub fn get(&self, tier: Tier, work: WorkIndex) -> Option<&Count> {
        self.0.get(&tier)?.get(&work)
    }

    /// Tiers with their counts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Tier, &BTreeMap<WorkIndex, Count>)> {
        self.0.iter().map(|(tier, works)| (*tier, works))
    }

    /// Number of tiers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no tier.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Digest that the tally proof is bound to.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Totals, &[&self.to_bytes()])
    }
}

impl Encode for Totals {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, |works, w| w.map(works, Count::encode));
    }
}

impl Decode for Totals {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        const COUNTS: &str = "list of counts";
        let count = |r: &mut Reader<'_>| {
            let count = Count::decode(r)?;
            let counts = !count.is_zero() && count.fits();
            if counts { Ok(count) } else { Err(CodecError::Invalid { what: COUNTS }) }
        };
        let works = |r: &mut Reader<'_>| r.map(limits::MAX_SHARD_WIDTH, COUNTS, count);
        Ok(Self(r.map(limits::MAX_TIERS, "order of tiers", works)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_count_survives_its_scalar(l in 0u64..1 << 32, b in 0u64..1 << 38, v in 0u64..1 << 38, x in 0u64..1 << 54) {
            let count = Count { listeners: l, backed: b, views: v, value: x };
            prop_assert!(count.fits());
            prop_assert_eq!(Count::from_scalar(&count.to_scalar()), Some(count));
        }
    }

    #[test]
    fn a_scalar_of_more_than_162_bits_is_no_count() {
        assert_eq!(Count::from_scalar(&power_of_two(162)), None);
        assert_eq!(Count::from_scalar(&-Scalar::ONE), None);
        let top = power_of_two(162) - Scalar::ONE;
        assert_eq!(Count::from_scalar(&top).map(Count::to_scalar), Some(top));
    }
}
