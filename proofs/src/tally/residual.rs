//! What is carried from epoch to epoch (protocol notes, section 6.5): commitments to the usage of cells that were not
//! published.
//!
//! A residual opens in the bases of its shard's works and the blinding base. It is what an epoch's proof leaves over:
//! commitments of the epoch and of the residual before, less what was opened.

use crate::wire;
use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity};
use primitives::{CodecError, Decode, Encode, Reader, Tier, Writer, limits};
use std::collections::BTreeMap;

/// Commitments to the three shares of what is carried, by tier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residual(BTreeMap<Tier, [RistrettoPoint; 3]>);

impl Residual {
    /// Commitments of a tier; of nothing if nothing of it was ever carried.
    pub fn of(&self, tier: Tier) -> [RistrettoPoint; 3] {
        self.0.get(&tier).copied().unwrap_or([RistrettoPoint::identity(); 3])
    }

    /// Replaces the commitments of a tier.
    pub fn set(&mut self, tier: Tier, shares: [RistrettoPoint; 3]) {
        self.0.insert(tier, shares);
    }

    /// Tiers with their commitments, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Tier, &[RistrettoPoint; 3])> {
        self.0.iter().map(|(tier, shares)| (*tier, shares))
    }

    /// Number of tiers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was ever carried.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Encode for Residual {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, wire::put_points);
    }
}

impl Decode for Residual {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.map(limits::MAX_TIERS, "order of tiers", wire::points)?))
    }
}
