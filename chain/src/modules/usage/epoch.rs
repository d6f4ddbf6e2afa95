//! The record that binds everything of an epoch in one leaf.

use super::{
    opening::Opening,
    progress::{ShardProgress, joint, joint_so_far},
    types::Aggregate,
};
use crate::{
    poseidon::{Felt, wire},
    state::{Fields, ToFelts, fields::number_enum, leaf},
};
use primitives::{CodecError, Credits, Decode, Digest, Encode, EpochId, Reader, ShardIndex, Writer, limits};
use ruint::aliases::U256;

number_enum! {
    /// How far an epoch is.
    Phase("phase") {
        /// Headers are anchored, and roots as shards are done.
        Open = 0,
        /// The root of every shard is anchored: nothing is added.
        Frozen = 1,
        /// Totals of every shard are on record.
        Aggregated = 2,
        /// Payouts are on record.
        Finalised = 3,
        /// Given up: nothing more is recorded of it or paid for it, and its revenue goes to the next epoch's creators.
        Abandoned = 4,
    }
}

/// The money and the roots of a settled epoch (chain spec 3.3: "total revenue, total fees, total creator payout,
/// share allocated to Eco-Reserve treasury and infra funds").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Revenue of all tiers.
    pub revenue: Credits,
    /// Protocol fee.
    pub fee: Credits,
    /// Eco-Reserve share.
    pub eco: Credits,
    /// Share for node rewards.
    pub infra: Credits,
    /// Creators' share of the revenue.
    pub creators: Credits,
    /// What earlier epochs carried over to creators.
    pub carried_in: Credits,
    /// Sum of payouts.
    pub paid: Credits,
    /// Part of them that is owed to accounts on L1, where the vault pays it.
    pub on_layer1: Credits,
    /// What is carried to the next epoch: pools without a work that has weight.
    pub carried_out: Credits,
    /// Sum of the works' weights.
    pub sum_of_weights: U256,
    /// Root over the payout leaves.
    pub payout_root: Felt,
    /// What binds the figures of every work and of the epoch's health.
    pub figures: Felt,
}

impl Encode for Summary {
    fn encode(&self, w: &mut Writer) {
        for amount in [
            self.revenue,
            self.fee,
            self.eco,
            self.infra,
            self.creators,
            self.carried_in,
            self.paid,
            self.on_layer1,
            self.carried_out,
        ] {
            amount.encode(w);
        }
        w.raw(&self.sum_of_weights.to_le_bytes::<32>());
        wire::put(w, &self.payout_root);
        wire::put(w, &self.figures);
    }
}

impl Decode for Summary {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            revenue: Decode::decode(r)?,
            fee: Decode::decode(r)?,
            eco: Decode::decode(r)?,
            infra: Decode::decode(r)?,
            creators: Decode::decode(r)?,
            carried_in: Decode::decode(r)?,
            paid: Decode::decode(r)?,
            on_layer1: Decode::decode(r)?,
            carried_out: Decode::decode(r)?,
            sum_of_weights: U256::from_le_bytes(r.array::<32>()?),
            payout_root: wire::take(r)?,
            figures: wire::take(r)?,
        })
    }
}

impl ToFelts for Summary {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.revenue).push(&self.fee).push(&self.eco).push(&self.infra).push(&self.creators);
        out.push(&self.carried_in).push(&self.paid).push(&self.on_layer1).push(&self.carried_out);
        out.push(&self.sum_of_weights).push(&self.payout_root).push(&self.figures);
    }
}

/// An epoch: how far it is, and what binds everything that is on record of it. Its leaf is all that a light client
/// needs of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Epoch.
    pub epoch: EpochId,
    /// How far it is.
    pub phase: Phase,
    /// Commitment to the [`Opening`].
    pub opening: Felt,
    /// Digest of the parameters, which the opening holds too: here a contract on L1 can read it.
    pub params: Digest,
    /// How far each shard is, in order.
    pub shards: Vec<ShardProgress>,
    /// Digest over the revenue records, once settled.
    pub revenues: Option<Felt>,
    /// Money and roots, once settled.
    pub summary: Option<Summary>,
    /// Hash of the document that says why it was given up, if it was.
    pub abandoned: Option<Digest>,
}

impl Epoch {
    /// An epoch that has just opened.
    pub fn open(opening: &Opening) -> Self {
        Self {
            epoch: opening.epoch,
            phase: Phase::Open,
            opening: opening.commitment(),
            params: opening.params.digest(),
            shards: vec![ShardProgress::default(); opening.shard_count()],
            revenues: None,
            summary: None,
            abandoned: None,
        }
    }

    /// How far a shard is, if the epoch has it.
    pub fn shard(&self, shard: ShardIndex) -> Option<&ShardProgress> {
        self.shards.get(usize::try_from(shard.0).ok()?)
    }

    /// The same epoch with a shard that is further, and with the phase to which that brings it.
    ///
    /// # Panics
    ///
    /// If the epoch has no such shard.
    pub(super) fn with_shard(mut self, shard: ShardIndex, progress: ShardProgress) -> Self {
        self.shards[shard.0 as usize] = progress;
        if self.phase == Phase::Open && self.shards.iter().all(|shard| shard.root.is_some()) {
            self.phase = Phase::Frozen;
        }
        if self.phase == Phase::Frozen && self.shards.iter().all(|shard| shard.aggregate.is_some()) {
            self.phase = Phase::Aggregated;
        }
        self
    }

    /// The same epoch with the totals of a shard on record; of all of them, it is aggregated.
    ///
    /// # Panics
    ///
    /// If the epoch does not have the shard of the totals.
    pub fn aggregated(self, aggregate: &Aggregate) -> Self {
        let shard = self.shard(aggregate.shard).expect("totals are of a shard of the epoch");
        let progress = ShardProgress { aggregate: Some(aggregate.digest()), ..shard.clone() };
        self.with_shard(aggregate.shard, progress)
    }

    /// Anchored headers of all shards.
    pub fn batches(&self) -> u64 {
        self.shards.iter().map(|shard| shard.batches).sum()
    }

    /// Bundles in them.
    pub fn bundles(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bundles).sum()
    }

    /// The last header of the shard, or a hash of the last headers of several.
    pub fn last(&self) -> Digest {
        joint(&self.shards.iter().map(|shard| shard.last).collect::<Vec<_>>())
    }

    /// The shard's hash chain over headers with their signatures, or a hash of several shards' chains.
    pub fn anchors(&self) -> Digest {
        joint(&self.shards.iter().map(|shard| shard.anchors).collect::<Vec<_>>())
    }

    /// Digest of the shard's frozen root, or a hash of several; none before the first is anchored.
    pub fn root(&self) -> Option<Digest> {
        joint_so_far(&self.shards.iter().map(ShardProgress::root_digest).collect::<Vec<_>>())
    }

    /// Digest of the shard's totals with their proof, or a hash of several; none before the first are on record.
    pub fn aggregate(&self) -> Option<Digest> {
        joint_so_far(&self.shards.iter().map(|shard| shard.aggregate).collect::<Vec<_>>())
    }

    /// Whether nothing more comes of it, so that the next epoch may open.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Finalised | Phase::Abandoned)
    }
}

impl Encode for Epoch {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.phase.encode(w);
        wire::put(w, &self.opening);
        self.params.encode(w);
        w.seq(&self.shards);
        self.revenues.is_some().encode(w);
        if let Some(revenues) = &self.revenues {
            wire::put(w, revenues);
        }
        self.summary.encode(w);
        self.abandoned.encode(w);
    }
}

impl Decode for Epoch {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            phase: Decode::decode(r)?,
            opening: wire::take(r)?,
            params: Decode::decode(r)?,
            shards: r.seq(limits::MAX_SHARDS)?,
            revenues: if bool::decode(r)? { Some(wire::take(r)?) } else { None },
            summary: Decode::decode(r)?,
            abandoned: Decode::decode(r)?,
        })
    }
}

impl ToFelts for Epoch {
    fn felts(&self, out: &mut Fields) {
        // Contracts on L1 read this list: it keeps its length whatever the number of shards.
        out.push(&self.epoch).push(&self.phase).push(&self.opening).push(&self.params);
        out.push(&self.batches()).push(&self.bundles());
        out.push(&self.last()).push(&self.anchors()).push(&self.root()).push(&self.aggregate());
        out.push(&self.revenues).push(&self.summary).push(&self.abandoned);
    }
}

leaf!(Epoch by epoch: EpochId);
