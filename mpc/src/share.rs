//! Replicated shares of totals (protocol notes, section 6, step 1).
//!
//! Each accepted bundle adds a vector to its group. Party p holds shares p and p + 1 of every vector, and adds them up
//! as they come: linear work, without a message. At the end two parties know each sum of shares, which is exactly a
//! replicated sharing of the totals.

use crate::opening::messages::scalar;
use curve25519_dalek::scalar::Scalar;
use primitives::{CodecError, Decode, Encode, PartyId, Reader, Writer, limits};
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroize;

/// A vector that was added has another length than the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a share of {found} entries was added to totals of {expected}")]
pub struct WidthError {
    /// Entries of the share.
    pub found: usize,
    /// Entries of the totals.
    pub expected: usize,
}

/// The sum of one share over all bundles of one group.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct ShareSum {
    /// One entry for each index of the shard.
    pub entries: Vec<Scalar>,
    /// Sum of the blinding factors.
    pub blinding: Scalar,
}

impl std::fmt::Debug for ShareSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShareSum({} entries)", self.entries.len())
    }
}

impl Encode for ShareSum {
    fn encode(&self, w: &mut Writer) {
        w.count(self.entries.len());
        self.entries.iter().chain([&self.blinding]).for_each(|number| w.raw(number.as_bytes()));
    }
}

impl Decode for ShareSum {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let count = r.count(limits::MAX_SHARD_WIDTH)?;
        let entries = (0..count).map(|_| scalar(r)).collect::<Result<_, _>>()?;
        Ok(Self { entries, blinding: scalar(r)? })
    }
}

impl ShareSum {
    fn zero(width: usize) -> Self {
        Self { entries: vec![Scalar::ZERO; width], blinding: Scalar::ZERO }
    }

    fn add(&mut self, entries: &[Scalar], blinding: Scalar) {
        self.entries.iter_mut().zip(entries).for_each(|(into, x)| *into += x);
        self.blinding += blinding;
    }
}

/// One party's two shares of the totals of every group, in the order own, next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicatedTotals<G> {
    party: PartyId,
    width: usize,
    groups: BTreeMap<G, [ShareSum; 2]>,
}

impl<G: Encode> Encode for ReplicatedTotals<G> {
    fn encode(&self, w: &mut Writer) {
        self.party.encode(w);
        w.count(self.width);
        w.map(&self.groups, |shares, w| shares.iter().for_each(|share| share.encode(w)));
    }
}

impl<G: Decode + Ord> Decode for ReplicatedTotals<G> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (party, width) = (PartyId::decode(r)?, r.count(limits::MAX_SHARD_WIDTH)?);
        let shares = |r: &mut Reader<'_>| {
            let shares = [ShareSum::decode(r)?, ShareSum::decode(r)?];
            let fit = shares.iter().all(|share| share.entries.len() == width);
            if fit { Ok(shares) } else { Err(CodecError::Invalid { what: "width of shares" }) }
        };
        Ok(Self { party, width, groups: r.map(limits::MAX_GROUPS, "order of groups", shares)? })
    }
}

impl<G: Ord + Copy> ReplicatedTotals<G> {
    /// No bundle yet.
    pub fn new(party: PartyId, width: usize) -> Self {
        Self { party, width, groups: BTreeMap::new() }
    }

    /// Whose shares these are.
    pub fn party(&self) -> PartyId {
        self.party
    }

    /// Adds a bundle's two shares to its group: entries and blinding of the own share, then of the next. Nothing is
    /// added if a length is wrong.
    pub fn add(&mut self, group: G, shares: [(&[Scalar], Scalar); 2]) -> Result<(), WidthError> {
        for (entries, _) in &shares {
            if entries.len() != self.width {
                return Err(WidthError { found: entries.len(), expected: self.width });
            }
        }
        let sums = self.groups.entry(group).or_insert_with(|| [0, 1].map(|_| ShareSum::zero(self.width)));
        sums.iter_mut().zip(shares).for_each(|(sum, (entries, blinding))| sum.add(entries, blinding));
        Ok(())
    }

    /// Adds what another party's worth of totals holds: of the same party, and as wide.
    ///
    /// # Errors
    /// If they are not as wide. Nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), WidthError> {
        if other.width != self.width {
            return Err(WidthError { found: other.width, expected: self.width });
        }
        for (group, [own, next]) in &other.groups {
            self.add(*group, [(&own.entries, own.blinding), (&next.entries, next.blinding)])?;
        }
        Ok(())
    }

    /// Shares of the sums over some groups: own, then next.
    pub fn sum(&self, of: impl Fn(&G) -> bool) -> [ShareSum; 2] {
        let mut sums = [0, 1].map(|_| ShareSum::zero(self.width));
        for (_, shares) in self.groups.iter().filter(|(group, _)| of(group)) {
            sums.iter_mut().zip(shares).for_each(|(sum, share)| sum.add(&share.entries, share.blinding));
        }
        sums
    }

    /// Forgets the entries of some groups at some places.
    pub fn clear(&mut self, of: impl Fn(&G) -> bool, at: &[usize]) {
        for share in self.groups.iter_mut().filter(|(group, _)| of(group)).flat_map(|(_, shares)| shares) {
            at.iter().for_each(|at| share.entries[*at] = Scalar::ZERO);
        }
    }

    /// The same totals with their entries elsewhere: `from` says where the entry at each place comes from.
    pub fn laid_out(&self, from: &[Option<usize>]) -> Self {
        let lay = |share: &ShareSum| ShareSum {
            entries: from.iter().map(|at| at.map_or(Scalar::ZERO, |at| share.entries[at])).collect(),
            blinding: share.blinding,
        };
        let groups = self.groups.iter().map(|(group, shares)| (*group, shares.each_ref().map(lay)));
        Self { party: self.party, width: from.len(), groups: groups.collect() }
    }

    /// Groups in order.
    pub fn groups(&self) -> impl Iterator<Item = G> {
        self.groups.keys().copied()
    }

    /// Groups in order, each with the party's own share of its totals.
    pub fn own(&self) -> impl Iterator<Item = (G, &ShareSum)> {
        self.groups.iter().map(|(group, sums)| (*group, &sums[0]))
    }

    /// Groups in order, each with the next party's share, of which this party holds the second copy.
    pub fn next(&self) -> impl Iterator<Item = (G, &ShareSum)> {
        self.groups.iter().map(|(group, sums)| (*group, &sums[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    proptest! {
        #[test]
        fn own_shares_add_up_to_the_totals_and_each_has_two_copies(seed: u64, bundles in prop::collection::vec((0u8..3, 0u64..100), 1..20)) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut parties = PartyId::ALL.map(|party| ReplicatedTotals::new(party, 2));
            let mut plain = BTreeMap::<u8, [Scalar; 2]>::new();
            for (group, value) in bundles {
                let vector = [Scalar::from(value), Scalar::from(1u8)];
                let mut shares = [[Scalar::ZERO; 2]; 3];
                for (at, entry) in vector.iter().enumerate() {
                    shares[0][at] = Scalar::random(&mut rng);
                    shares[1][at] = Scalar::random(&mut rng);
                    shares[2][at] = entry - shares[0][at] - shares[1][at];
                    plain.entry(group).or_default()[at] += entry;
                }
                for party in &mut parties {
                    let (own, next) = (party.party().index(), party.party().next().index());
                    party.add(group, [(&shares[own], Scalar::ONE), (&shares[next], Scalar::ONE)]).unwrap();
                }
            }
            for (group, totals) in plain {
                let sums: Vec<_> = parties.iter().map(|p| p.own().find(|(g, _)| *g == group).unwrap().1).collect();
                for (at, total) in totals.iter().enumerate() {
                    prop_assert_eq!(sums.iter().map(|s| s.entries[at]).sum::<Scalar>(), *total);
                }
            }
            for party in &parties {
                let next = &parties[party.party().next().index()];
                prop_assert!(party.next().eq(next.own()));
            }
        }
    }

    #[test]
    fn a_share_of_another_width_changes_nothing() {
        let mut totals = ReplicatedTotals::new(PartyId::ALL[0], 2);
        let (right, wrong) = ([Scalar::ONE; 2], [Scalar::ONE; 3]);
        let refused = totals.add(0u8, [(&right, Scalar::ONE), (&wrong, Scalar::ONE)]);
        assert_eq!(refused, Err(WidthError { found: 3, expected: 2 }));
        assert_eq!(totals, ReplicatedTotals::new(PartyId::ALL[0], 2));
    }
}
