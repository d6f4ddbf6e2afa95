//! What is fixed when an epoch opens, and the record that binds everything of an epoch in one leaf.

use super::actions::TierSales;
use super::progress::{ShardProgress, joint, joint_so_far};
use super::types::Aggregate;
use super::{CarriedUsage, Seating};
use crate::merkle;
use crate::modules::dapr::payout::Split;
use crate::modules::work_registry::{decode_splits, encode_splits};
use crate::poseidon::{Felt, FeltDomain, hash_many, wire};
use crate::state::{
    Fields, ToFelts,
    fields::{Bytes, number_enum},
    leaf,
};
use primitives::{
    CategoryId, ChainId, CodecError, Credits, Decode, Digest, Domain, Encode, EpochId, GovernanceParams,
    PartyId, PersonId, Reader, ShardIndex, Tier, WorkId, Writer, hash, limits, params::TierTerms,
};
use proofs::committee::Committee;
use rayon::prelude::*;
use ruint::aliases::U256;
use std::collections::BTreeMap;

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

/// A work as it takes part in an epoch: terms and reputation as they stood when it opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedWork {
    /// The work.
    pub work: WorkId,
    /// Its creator.
    pub creator: PersonId,
    /// Its category.
    pub category: CategoryId,
    /// Price multiplier, Q32, inside the epoch's bounds.
    pub price: u64,
    /// Who is paid what share.
    pub splits: Vec<Split>,
    /// Reputation after the epoch before, Q32.
    pub previous_reputation: u64,
    /// The shard where it is at home.
    pub shard: ShardIndex,
    /// Whether it takes no part any more: it is listed for what is carried over of it, which rests.
    pub resting: bool,
}

impl Encode for ListedWork {
    fn encode(&self, w: &mut Writer) {
        self.work.encode(w);
        self.creator.encode(w);
        self.category.encode(w);
        self.price.encode(w);
        encode_splits(&self.splits, w);
        self.previous_reputation.encode(w);
        self.shard.encode(w);
        self.resting.encode(w);
    }
}

impl Decode for ListedWork {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            work: Decode::decode(r)?,
            creator: Decode::decode(r)?,
            category: Decode::decode(r)?,
            price: Decode::decode(r)?,
            splits: decode_splits(r)?,
            previous_reputation: Decode::decode(r)?,
            shard: Decode::decode(r)?,
            resting: Decode::decode(r)?,
        })
    }
}

impl ToFelts for ListedWork {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.work).push(&self.creator).push(&self.category).push(&self.price);
        out.push(&self.splits).push(&self.previous_reputation).push(&self.shard).push(&self.resting);
    }
}

/// What was fixed when an epoch opened. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Epoch.
    pub epoch: EpochId,
    /// The chain that it opened on, which everything signed in it names. Another chain may go on from that one later.
    pub chain: ChainId,
    /// Beacon key `K_epoch`.
    pub key: Digest,
    /// The last sealed block, which the key hashes.
    pub block: Digest,
    /// What parties revealed, which the key hashes. A party that is missing was skipped.
    pub reveals: BTreeMap<PartyId, Digest>,
    /// The three parties.
    pub committee: Committee,
    /// Who runs them, and who stands by.
    pub seating: Seating,
    /// Parameters.
    pub params: GovernanceParams,
    /// Tiers, ascending.
    pub tiers: Vec<TierTerms>,
    /// What was sold of each of them, in the same order.
    pub sold: Vec<TierSales>,
    /// Works by ascending identifier.
    pub works: Vec<ListedWork>,
    /// Most works of one shard.
    pub shard_width: u16,
    /// What each shard carries over from earlier epochs.
    pub residuals: Vec<CarriedUsage>,
    /// Creator pools of earlier epochs that found no work with weight, and revenue of earlier epochs that were given
    /// up. They join this epoch's pool.
    pub carried: Credits,
}

/// `K_epoch`: hash of a sealed block and of what the parties revealed (spec 4.1; protocol notes, section 1).
pub fn beacon_key(
    chain: ChainId,
    epoch: EpochId,
    block: &Digest,
    reveals: &BTreeMap<PartyId, Digest>,
) -> Digest {
    let reveals: Vec<u8> =
        reveals.iter().flat_map(|(party, value)| [party.to_bytes(), value.to_bytes()].concat()).collect();
    hash::hash(Domain::Beacon, &[&chain.to_bytes(), &epoch.to_bytes(), &block.0, &reveals])
}

impl Opening {
    /// Parties that revealed nothing in time, for the record of their fault.
    pub fn skipped(&self) -> impl Iterator<Item = PartyId> {
        PartyId::ALL.into_iter().filter(|party| !self.reveals.contains_key(party))
    }

    /// Terms of a tier.
    pub fn tier(&self, tier: Tier) -> Option<&TierTerms> {
        self.tiers.iter().find(|terms| terms.tier == tier)
    }

    /// Subscriptions of a tier that were sold by the time the epoch opened. None of a tier that it does not have.
    pub fn sold(&self, tier: Tier) -> u64 {
        self.sold.iter().find(|sales| sales.tier == tier).map_or(0, |sales| sales.subscriptions)
    }

    /// What a shard carries over from earlier epochs.
    ///
    /// # Panics
    ///
    /// If the epoch has no such shard.
    pub fn residual(&self, shard: ShardIndex) -> &CarriedUsage {
        &self.residuals[shard.0 as usize]
    }

    /// What binds the whole.
    pub fn commitment(&self) -> Felt {
        hash_many(FeltDomain::StateValue, &self.to_felts())
    }
}

impl Encode for Opening {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.chain.encode(w);
        self.key.encode(w);
        self.block.encode(w);
        w.count(self.reveals.len());
        for (party, value) in &self.reveals {
            party.encode(w);
            value.encode(w);
        }
        self.committee.encode(w);
        self.seating.encode(w);
        self.params.encode(w);
        w.seq(&self.tiers);
        w.seq(&self.sold);
        w.seq(&self.works);
        self.shard_width.encode(w);
        w.seq(&self.residuals);
        self.carried.encode(w);
    }
}

impl Decode for Opening {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            chain: Decode::decode(r)?,
            key: Decode::decode(r)?,
            block: Decode::decode(r)?,
            reveals: r.map(PartyId::ALL.len(), "reveals", Decode::decode)?,
            committee: Decode::decode(r)?,
            seating: Decode::decode(r)?,
            params: Decode::decode(r)?,
            tiers: r.seq(limits::MAX_TIERS)?,
            sold: r.seq(limits::MAX_TIERS)?,
            works: r.seq(limits::MAX_WORKS)?,
            shard_width: Decode::decode(r)?,
            residuals: r.seq(limits::MAX_SHARDS)?,
            carried: Decode::decode(r)?,
        })
    }
}

impl ToFelts for Opening {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.epoch).push(&self.chain).push(&self.key).push(&self.block).push(&self.reveals);
        out.push(&Bytes(&self.committee.to_bytes())).push(&self.seating).push(&self.params.digest());
        out.push(&(self.tiers.len() as u64));
        for TierTerms { tier, price, max_bundles, value_cap } in &self.tiers {
            out.push(tier).push(price).push(max_bundles).push(value_cap);
        }
        out.push(&(self.sold.len() as u64));
        for TierSales { tier, subscriptions } in &self.sold {
            out.push(tier).push(subscriptions);
        }
        out.felt(works_root(&self.works)).push(&self.shard_width).push(&self.residuals).push(&self.carried);
    }
}

/// Root over the works of an epoch. There may be a quarter of a million, each with its payees: they are hashed side by
/// side.
fn works_root(works: &[ListedWork]) -> Felt {
    let leaf = |work: &ListedWork| hash_many(FeltDomain::ListedWork, &work.to_felts());
    merkle::root(&works.par_iter().map(leaf).collect::<Vec<_>>())
}

leaf!(Opening by epoch: EpochId);

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
