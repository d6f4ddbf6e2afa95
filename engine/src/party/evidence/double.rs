//! Two final bundles that use the same, and one party that signed for both.
//!
//! Two anchored headers have two signatures each of three parties, so that one party at least is under both. No honest one
//! is. Its pool holds no two bundles that use the same, and what it signed binds it in every other shard until the chain
//! has decided the position ([`super::super::voting`]), a restart included; in the same shard it takes in what is final
//! before it signs again. That a header is *anchored* has to be checked: a party may sign a header, see the chain anchor
//! another one in its place, and then sign for what the first one would have used.

use super::{EvidenceError, Signed};
use primitives::{Digest, PartyId, ShardIndex, codec_struct};
use proofs::{bundle::Published, committee::Committee, inclusion::Inclusion};
use std::collections::BTreeSet;

/// A bundle of an anchored batch, and the signature on its header of the party that the evidence is against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The header.
    pub signed: Signed,
    /// Where in its batch the bundle is.
    pub place: Inclusion,
    /// What is published of it.
    pub bundle: Published,
}

codec_struct!(Counted { signed, place, bundle });

/// Two bundles of anchored batches that use the same, both signed for by one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleUse {
    /// Whom it is against.
    pub party: PartyId,
    /// One of them.
    pub first: Counted,
    /// The other.
    pub second: Counted,
}

codec_struct!(DoubleUse { party, first, second });

/// All that a bundle shows and no other may: its marks, and its tags, which are of its shard.
pub(in crate::party) fn shown(bundle: &Published) -> BTreeSet<Digest> {
    bundle.marks().into_iter().chain(bundle.tags.iter().map(|tag| Digest(tag.0))).collect()
}

impl DoubleUse {
    /// Checks it with the committee's keys, and with the digests of what the chain has anchored.
    pub fn verify(
        &self,
        committee: &Committee,
        anchored: impl Fn(ShardIndex, u64) -> Option<Digest>,
    ) -> Result<(), EvidenceError> {
        let [first, second] = [&self.first, &self.second];
        if (first.place.chain, first.place.epoch) != (second.place.chain, second.place.epoch) {
            return Err(EvidenceError::OtherPlace);
        }
        let at = |counted: &Counted| (counted.place.shard, counted.place.position, counted.place.index);
        if at(first) == at(second) {
            return Err(EvidenceError::SamePlace);
        }
        for Counted { signed: Signed { header, signature }, place, bundle } in [first, second] {
            committee.verify(self.party, &header.signing_digest(), signature)?;
            place.verify(header)?;
            if place.bundle != bundle.id() {
                return Err(EvidenceError::OtherBundle);
            }
            let position = place.position;
            if anchored(place.shard, position) != Some(header.digest()) {
                return Err(EvidenceError::NotAnchored { position });
            }
        }
        if shown(&first.bundle).is_disjoint(&shown(&second.bundle)) {
            return Err(EvidenceError::NothingShared);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
