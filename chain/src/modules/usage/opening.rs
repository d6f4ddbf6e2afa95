//! What is fixed when an epoch opens.

use super::{Seating, actions::TierSales};
use crate::{
    merkle,
    modules::{
        dapr::payout::Split,
        work_registry::{decode_splits, encode_splits},
    },
    poseidon::{Felt, FeltDomain, hash_many},
    state::{Fields, ToFelts, fields::Bytes, leaf},
};
use primitives::{
    CategoryId, ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, GovernanceParams, PartyId,
    PersonId, Reader, ShardIndex, Tier, Time, WorkId, Writer, hash, limits, params::TierTerms,
};
use proofs::committee::Committee;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A work as it takes part in an epoch: its terms as they stood when it opened.
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
            shard: Decode::decode(r)?,
            resting: Decode::decode(r)?,
        })
    }
}

impl ToFelts for ListedWork {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.work).push(&self.creator).push(&self.category).push(&self.price);
        out.push(&self.splits).push(&self.shard).push(&self.resting);
    }
}

/// What was fixed when an epoch opened. It never changes, and nothing in it waits for the end of the epoch before: what is
/// taken over from there, which is usage, money and reputation, enters with the totals and with the settlement.
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
    /// Time of the block in which it opened: windows begin then.
    pub opened: Time,
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
    /// Most subscribers that each shard may count, by [`CarriedUsage::room`](super::CarriedUsage::room).
    pub rooms: Vec<u64>,
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

    /// Most subscribers that a shard may count, so that no limb of a total outgrows its width.
    ///
    /// # Panics
    ///
    /// If the epoch has no such shard.
    pub fn room(&self, shard: ShardIndex) -> u64 {
        self.rooms[shard.0 as usize]
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
        self.opened.encode(w);
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
        w.seq(&self.rooms);
    }
}

impl Decode for Opening {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            chain: Decode::decode(r)?,
            key: Decode::decode(r)?,
            block: Decode::decode(r)?,
            opened: Decode::decode(r)?,
            reveals: r.map(PartyId::ALL.len(), "reveals", Decode::decode)?,
            committee: Decode::decode(r)?,
            seating: Decode::decode(r)?,
            params: Decode::decode(r)?,
            tiers: r.seq(limits::MAX_TIERS)?,
            sold: r.seq(limits::MAX_TIERS)?,
            works: r.seq(limits::MAX_WORKS)?,
            shard_width: Decode::decode(r)?,
            rooms: r.seq(limits::MAX_SHARDS)?,
        })
    }
}

impl ToFelts for Opening {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.epoch).push(&self.chain).push(&self.key).push(&self.block).push(&self.opened);
        out.push(&self.reveals);
        out.push(&Bytes(&self.committee.to_bytes())).push(&self.seating).push(&self.params.digest());
        out.push(&(self.tiers.len() as u64));
        for TierTerms { tier, price, max_bundles, value_cap } in &self.tiers {
            out.push(tier).push(price).push(max_bundles).push(value_cap);
        }
        out.push(&(self.sold.len() as u64));
        for TierSales { tier, subscriptions } in &self.sold {
            out.push(tier).push(subscriptions);
        }
        out.felt(works_root(&self.works)).push(&self.shard_width).push(&self.rooms);
    }
}

/// Root over the works of an epoch. There may be a quarter of a million, each with its payees: they are hashed side by
/// side.
fn works_root(works: &[ListedWork]) -> Felt {
    let leaf = |work: &ListedWork| hash_many(FeltDomain::ListedWork, &work.to_felts());
    merkle::root(&works.par_iter().map(leaf).collect::<Vec<_>>())
}

leaf!(Opening by epoch: EpochId);
