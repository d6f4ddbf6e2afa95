//! Batch headers with running commitments, and the frozen root of a shard in an epoch (protocol notes, section 5).

use crate::{
    committee::{Committee, CommitteeError, Signatures},
    wire,
};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity};
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, PartyId, Reader, RegionTag, ShardIndex,
    Tier, Writer, codec_struct, hash, limits,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What totals are kept apart by: a bundle's tier and the region of its receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Subscription tier.
    pub tier: Tier,
    /// Region of the receipts, if there are any.
    pub region: RegionTag,
}

codec_struct!(Group { tier, region });

/// Sums of the share commitments `C_{i,g}` of all bundles accepted so far: three points for each group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running(BTreeMap<Group, [RistrettoPoint; 3]>);

impl Running {
    /// Adds a bundle's three share commitments to its group.
    pub fn add(&mut self, group: Group, shares: &[RistrettoPoint; 3]) {
        let sums = self.0.entry(group).or_insert([RistrettoPoint::identity(); 3]);
        for (sum, share) in sums.iter_mut().zip(shares) {
            *sum += share;
        }
    }

    /// Groups with their sums, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Group, &[RistrettoPoint; 3])> {
        self.0.iter().map(|(group, sums)| (*group, sums))
    }

    /// The sums of each tier, over its regions.
    pub fn by_tier(&self) -> BTreeMap<Tier, [RistrettoPoint; 3]> {
        let mut tiers = BTreeMap::new();
        for (group, sums) in self.iter() {
            let tier = tiers.entry(group.tier).or_insert([RistrettoPoint::identity(); 3]);
            tier.iter_mut().zip(sums).for_each(|(into, sum)| *into += sum);
        }
        tiers
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no bundle was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Encode for Running {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, wire::put_points);
    }
}

impl Decode for Running {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.map(limits::MAX_GROUPS, "order of groups", wire::points)?))
    }
}

/// One batch of accepted bundles, in the order that its leader proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Chain that anchors it.
    pub chain: ChainId,
    /// Epoch of the bundles.
    pub epoch: EpochId,
    /// Shard of the bundles.
    pub shard: ShardIndex,
    /// Grows with each proposal at this position: [`TERM`] views are one leader's, then the lead is the next party's.
    pub view: u32,
    /// Place in the shard's chain of batches, from 0. Party `position mod 3 + 1` leads a position first.
    pub position: u64,
    /// Digest of the header before, or of nothing at position 0.
    pub previous: Digest,
    /// Merkle root over the identifiers of the bundles.
    pub batch_root: Digest,
    /// Number of bundles in this batch.
    pub count: u32,
    /// Commitments after this batch.
    pub running: Running,
}

codec_struct!(BatchHeader { chain, epoch, shard, view, position, previous, batch_root, count, running });

impl BatchHeader {
    /// Digest that the next header names as its predecessor, and that parties sign.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Header, &[&self.to_bytes()])
    }

    /// What a party signs to say that it verified every bundle of the batch and holds both its shares of each.
    pub fn signing_digest(&self) -> Digest {
        hash::hash(Domain::HeaderSignature, &[&self.digest().0])
    }

    /// The party that leads this position in this view.
    pub fn leader(&self) -> PartyId {
        leads(self.position, self.view)
    }
}

/// Views in which one party leads a position before the next one takes it over: a leader proposes anew without what
/// others object to, and rarely more than once.
pub const TERM: u32 = 4;

/// The party that leads a position first.
pub fn leader(position: u64) -> PartyId {
    leads(position, 0)
}

/// The party that leads a position in a view: parties take turns by positions, and by terms at each of them.
pub fn leads(position: u64, view: u32) -> PartyId {
    let parties = PartyId::ALL.len() as u64;
    PartyId::from_index(((position % parties + u64::from(view / TERM)) % parties) as usize)
}

/// A header with the signatures that make it final once the chain has anchored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    /// The header.
    pub header: BatchHeader,
    /// Two signatures or three, the leader's among them.
    pub signatures: Signatures,
}

codec_struct!(SignedHeader { header, signatures });

impl SignedHeader {
    /// Checks the signatures.
    pub fn verify(&self, committee: &Committee) -> Result<(), CommitteeError> {
        self.signatures.verify(committee, &self.header.signing_digest(), Some(self.header.leader()))
    }
}

/// The frozen set of a shard in an epoch: nothing is opened over any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochRoot {
    /// Chain that anchors it.
    pub chain: ChainId,
    /// The epoch.
    pub epoch: EpochId,
    /// The shard.
    pub shard: ShardIndex,
    /// Number of batches.
    pub batches: u64,
    /// Digest of the last header, or of nothing if there is none.
    pub last: Digest,
}

codec_struct!(EpochRoot { chain, epoch, shard, batches, last });

impl EpochRoot {
    /// Digest that opening is bound to, and that parties sign.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::EpochRoot, &[&self.to_bytes()])
    }
}

/// A root with its quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRoot {
    /// The root.
    pub root: EpochRoot,
    /// Two signatures or three.
    pub signatures: Signatures,
}

codec_struct!(SignedRoot { root, signatures });

impl SignedRoot {
    /// Checks the signatures.
    pub fn verify(&self, committee: &Committee) -> Result<(), CommitteeError> {
        self.signatures.verify(committee, &self.root.digest(), None)
    }
}
