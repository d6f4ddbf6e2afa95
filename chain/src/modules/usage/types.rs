//! Records of the usage module that stand for themselves.

use super::Seating;
use crate::poseidon::Felt;
use crate::state::{
    Fields, Leaf, TableId, ToFelts,
    fields::{Bytes, record},
    leaf,
};
use primitives::{
    CodecError, Credits, Decode, Digest, Domain, Encode, EpochId, PartyId, Reader, Region, ShardIndex, Tier,
    WorkId, Writer, codec_struct, hash, limits,
};
use proofs::committee::{Committee, Signatures};
use proofs::tally::{Residual, SignedHeader, Tally, TallyProof};
use std::{collections::BTreeSet, sync::Arc};

/// Most commitments that replaced committees of one epoch can leave behind in a snapshot.
const MAX_SPENT: usize = 1 << 16;
/// Most headers of a shard in a snapshot.
const MAX_HEADERS: usize = 1 << 20;

/// A committee, and the epoch from which it serves.
///
/// One that is seated for an epoch in place of another starts that epoch's beacon anew. What had been committed to by
/// then is in `spent`: it counts no longer, and it can never be put on record again, though its signatures still hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeSeat {
    /// First epoch.
    pub from: EpochId,
    /// The three parties.
    pub committee: Committee,
    /// Who runs them, and who stands by.
    pub seating: Seating,
    /// Commitments to the beacon of epoch `from` that were made before this committee was seated.
    pub spent: BTreeSet<Digest>,
}

impl Encode for CommitteeSeat {
    fn encode(&self, w: &mut Writer) {
        self.from.encode(w);
        self.committee.encode(w);
        self.seating.encode(w);
        w.count(self.spent.len());
        self.spent.iter().for_each(|commitment| commitment.encode(w));
    }
}

impl Decode for CommitteeSeat {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (from, committee, seating) = (Decode::decode(r)?, Decode::decode(r)?, Decode::decode(r)?);
        let spent: Vec<Digest> = r.seq(MAX_SPENT)?;
        if !spent.is_sorted_by(|a, b| a < b) {
            return Err(CodecError::Invalid { what: "commitments that are spent" });
        }
        Ok(Self { from, committee, seating, spent: spent.into_iter().collect() })
    }
}

impl Leaf for CommitteeSeat {
    type Key = EpochId;
    const TABLE: TableId = TableId::CommitteeSeat;
    fn key(&self) -> EpochId {
        self.from
    }
    fn value(&self) -> Vec<Felt> {
        let spent: Vec<Digest> = self.spent.iter().copied().collect();
        let mut out = Fields::default();
        out.push(&Bytes(&self.committee.to_bytes())).push(&self.seating).push(&spent);
        out.into_vec()
    }
}

/// Key of the issuer of a tier's subscription tokens in an epoch (protocol notes, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKey {
    /// Epoch.
    pub epoch: EpochId,
    /// Tier.
    pub tier: Tier,
    /// DER encoding.
    pub key: Vec<u8>,
}

impl Encode for IssuerKey {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.tier.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for IssuerKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { epoch: Decode::decode(r)?, tier: Decode::decode(r)?, key: decode_key(r)? })
    }
}

impl Leaf for IssuerKey {
    type Key = (EpochId, Tier);
    const TABLE: TableId = TableId::IssuerKey;
    fn key(&self) -> Self::Key {
        (self.epoch, self.tier)
    }
    fn value(&self) -> Vec<Felt> {
        Bytes(&self.key).to_felts()
    }
}

/// Key under which a region signs receipts of one denomination in an epoch.
///
/// A blind signer does not see what it signs. What a receipt is worth must therefore be what its key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionKey {
    /// Epoch.
    pub epoch: EpochId,
    /// Region.
    pub region: Region,
    /// Views that a receipt stands for.
    pub denomination: u8,
    /// DER encoding.
    pub key: Vec<u8>,
}

impl Encode for RegionKey {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        u8::from(self.region).encode(w);
        self.denomination.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for RegionKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let epoch = Decode::decode(r)?;
        let region = Region::try_from(u8::decode(r)?);
        let region = region.map_err(|_| CodecError::Invalid { what: "region" })?;
        Ok(Self { epoch, region, denomination: Decode::decode(r)?, key: decode_key(r)? })
    }
}

impl Leaf for RegionKey {
    type Key = (EpochId, Region, u8);
    const TABLE: TableId = TableId::RegionKey;
    fn key(&self) -> Self::Key {
        (self.epoch, self.region, self.denomination)
    }
    fn value(&self) -> Vec<Felt> {
        Bytes(&self.key).to_felts()
    }
}

/// A party's contribution to the beacon of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// Epoch.
    pub epoch: EpochId,
    /// Party.
    pub party: PartyId,
    /// What it committed to.
    pub commitment: Digest,
    /// What it revealed.
    pub value: Option<Digest>,
}

record!(Beacon { epoch, party, commitment, value });

leaf!(Beacon by epoch: EpochId, party: PartyId);

/// What a tier brought in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRevenue {
    /// Epoch.
    pub epoch: EpochId,
    /// Tier.
    pub tier: Tier,
    /// Subscriptions sold.
    pub subscriptions: u64,
    /// Price times subscriptions.
    pub revenue: Credits,
}

record!(TierRevenue { epoch, tier, subscriptions, revenue });

leaf!(TierRevenue by epoch: EpochId, tier: Tier);

/// The anchored batch headers of a shard. Final: nothing else will ever stand at their positions.
///
/// A shard has one leaf, which is there from the opening on. Shards anchor as they come, and places in a tree are given
/// in the order of first writing: with a leaf for each header the state root would say whose came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    /// Epoch.
    pub epoch: EpochId,
    /// Shard.
    pub shard: ShardIndex,
    /// The headers, by position.
    pub headers: Vec<Arc<SignedHeader>>,
    /// Hash chain over them, [`super::ShardProgress::anchors`].
    pub chain: Digest,
}

impl Encode for Anchors {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.shard.encode(w);
        w.count(self.headers.len());
        self.headers.iter().for_each(|header| header.encode(w));
        self.chain.encode(w);
    }
}

impl Decode for Anchors {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, shard) = (Decode::decode(r)?, Decode::decode(r)?);
        let headers = r.seq::<SignedHeader>(MAX_HEADERS)?.into_iter().map(Arc::new).collect();
        Ok(Self { epoch, shard, headers, chain: Decode::decode(r)? })
    }
}

impl Leaf for Anchors {
    type Key = (EpochId, ShardIndex);
    const TABLE: TableId = TableId::Anchors;
    fn key(&self) -> Self::Key {
        (self.epoch, self.shard)
    }
    fn value(&self) -> Vec<Felt> {
        let mut out = Fields::default();
        out.push(&(self.headers.len() as u64)).push(&self.chain);
        out.into_vec()
    }
}

/// What a shard carries over from epoch to epoch: usage of cells that were not published, which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedUsage {
    /// Shard.
    pub shard: ShardIndex,
    /// Commitments to it, by tier.
    pub commitments: Residual,
    /// Most pairs of a subscriber and an epoch of which one cell can hold usage.
    pub pairs: u64,
}

codec_struct!(CarriedUsage { shard, commitments, pairs });

impl CarriedUsage {
    /// Nothing is carried.
    pub fn none(shard: ShardIndex) -> Self {
        Self { shard, commitments: Residual::default(), pairs: 0 }
    }

    /// Most subscribers that an epoch may count, so that no limb of a total outgrows its width.
    pub fn room(&self) -> u64 {
        limits::MAX_SUBSCRIBER_EPOCHS.saturating_sub(self.pairs)
    }
}

impl ToFelts for CarriedUsage {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.shard).push(&Bytes(&self.commitments.to_bytes())).push(&self.pairs);
    }
}

leaf!(CarriedUsage by shard: ShardIndex);

/// The shard where a work is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Work.
    pub work: WorkId,
    /// Shard.
    pub shard: ShardIndex,
}

record!(Home { work, shard });

leaf!(Home by work: WorkId);

/// The tally of a shard with its proof and the committee's quorum. An epoch's totals are those of all its shards: no
/// work is in two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Epoch.
    pub epoch: EpochId,
    /// Shard.
    pub shard: ShardIndex,
    /// What earlier epochs had carried over.
    pub before: CarriedUsage,
    /// What was published, and what is carried over.
    pub tally: Tally,
    /// Proof that the anchored commitments, and what was carried before, open to it.
    pub proof: TallyProof,
    /// The committee's signatures.
    pub signatures: Signatures,
}

codec_struct!(Aggregate { epoch, shard, before, tally, proof, signatures });

impl Aggregate {
    /// Digest of the whole.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Aggregate, &[&self.to_bytes()])
    }
}

impl Leaf for Aggregate {
    type Key = (EpochId, ShardIndex);
    const TABLE: TableId = TableId::Aggregate;
    fn key(&self) -> Self::Key {
        (self.epoch, self.shard)
    }
    fn value(&self) -> Vec<Felt> {
        self.digest().to_felts()
    }
}

/// Usage of a work in a tier: chain spec 3.2, "data is at the level of (epoch, work, tier, usage_units)".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageAggregate {
    /// Epoch.
    pub epoch: EpochId,
    /// Work.
    pub work: WorkId,
    /// Tier.
    pub tier: Tier,
    /// Summed value of views, in 2^-18 views.
    pub usage_units: u64,
}

record!(UsageAggregate { epoch, work, tier, usage_units });

leaf!(UsageAggregate by epoch: EpochId, work: WorkId, tier: Tier);

/// Reads a DER key of bounded length.
pub(super) fn decode_key(r: &mut Reader<'_>) -> Result<Vec<u8>, CodecError> {
    r.bytes(limits::RSA_KEY_BYTES).map(<[u8]>::to_vec)
}
