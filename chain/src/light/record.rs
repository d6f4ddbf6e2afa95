//! The public record of an epoch, `epoch.json`, and how the ledger gives it.

use super::{
    decimal::{Decimal128, Decimal256},
    figures::{MoneyRecord, Scales, WorkRecord},
};
use crate::{
    ledger::{EpochProof, Ledger},
    merkle::MerklePath,
    modules::{
        dapr::discovery::Health,
        usage::{Opening, SeatStandby, Seating, ShardProgress},
    },
    poseidon::Felt,
    state::{State, tree::Inclusion},
};
use primitives::{
    ChainId, Credits, Digest, EpochId, GovernanceParams, PartyId, RegionTag, ShardIndex, Tier, Time,
    WorkIndex, params::TierTerms,
};
use proofs::{
    committee::{Member, Signatures},
    tally::{Residual, SignedHeader, SignedRoot, Tally, TallyProof, Totals},
    wire::WirePoint,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Version of the format that this program writes and reads.
pub const FORMAT: u32 = 6;

/// Everything that is public of a settled epoch.
///
/// Field order, map order and number formats are fixed: the same epoch gives the same bytes on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Version of the format, [`FORMAT`].
    pub format: u32,
    /// Units of the integers below.
    pub scales: Scales,
    /// Chain.
    pub chain: ChainId,
    /// Epoch.
    pub epoch: EpochId,
    /// Time of the block in which it opened, in seconds since 1970.
    pub opened: Time,
    /// The beacon.
    pub beacon: BeaconRecord,
    /// The three parties.
    pub committee: [Member; 3],
    /// Who runs them, and who stood by.
    pub seating: Seating,
    /// The standby that took the seat of a party, if one did. It is written in either case.
    #[serde(deserialize_with = "Option::deserialize")]
    pub replacement: Option<ReplacementRecord>,
    /// Parameters.
    pub params: GovernanceParams,
    /// Tiers and what they brought, ascending.
    pub tiers: Vec<TierRecord>,
    /// Where the money went.
    pub revenue: MoneyRecord,
    /// Most works of one shard. The works are dealt to shards by the beacon key.
    pub shard_width: u16,
    /// Figures of the works, by ascending identifier.
    pub works: Vec<WorkRecord>,
    /// Sum of the works' weights.
    pub sum_of_weights: Decimal256,
    /// Root over the payouts, which claims are checked against.
    #[serde(with = "crate::poseidon::wire::hex")]
    pub payout_root: Felt,
    /// Health of the epoch.
    pub health: Health,
    /// What was anchored and opened of each shard, in order.
    pub shards: Vec<ShardRecord>,
    /// Where the epoch stands in the state.
    pub state: StateRecord,
}

/// What was anchored and opened of one shard. Its works are those of the record that name it, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRecord {
    /// Anchored batch headers, in order.
    pub headers: Vec<HeaderRecord>,
    /// The root that froze them.
    pub root: RootRecord,
    /// Most subscribers that it could count.
    pub room: u64,
    /// Commitments to what earlier epochs carried over, by tier.
    pub before: Vec<CarriedRecord>,
    /// Most pairs of a subscriber and an epoch of which a cell carried usage over.
    pub pairs: u64,
    /// Totals of published cells, by tier and index.
    pub totals: Vec<CellRecord>,
    /// Sums over regions of squares of their backed views: over all tiers, then by tier where each has a pool.
    pub squares: Vec<SquaresRecord>,
    /// Commitments to what is carried on, by tier.
    pub after: Vec<CarriedRecord>,
    /// Proof that commitments of the last header and what was carried before open to the totals.
    pub proof: TallyProof,
    /// The committee's signatures on all of this.
    pub aggregate_signatures: Signatures,
}

/// A standby that took the seat of a party once the epoch was frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacementRecord {
    /// The seat.
    pub party: PartyId,
    /// Signatures of the two parties that stayed and of the standby.
    pub signatures: Signatures,
}

/// `K_epoch` and what it hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeaconRecord {
    /// `K_epoch` (spec 4.1).
    pub key: Digest,
    /// The sealed block that it hashes.
    pub block: Digest,
    /// What parties revealed, by party.
    pub reveals: Vec<RevealRecord>,
    /// Parties that revealed nothing in time.
    pub skipped: Vec<PartyId>,
}

/// A party's contribution to the beacon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealRecord {
    /// Party.
    pub party: PartyId,
    /// Contribution.
    pub value: Digest,
}

/// A tier and what it brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRecord {
    /// Tier.
    pub tier: Tier,
    /// Price of a subscription.
    pub price: Credits,
    /// Most bundles of a subscriber.
    pub max_bundles: u16,
    /// Most value of a subscriber, in 2^-18 views.
    pub value_cap: u64,
    /// Subscriptions on record when the epoch opened: no party took in more subscribers.
    pub sold: u64,
    /// Subscriptions sold in all.
    pub subscriptions: u64,
    /// Price times subscriptions.
    pub revenue: Credits,
}

/// Running commitments of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningRecord {
    /// Tier of the group.
    pub tier: Tier,
    /// Region of the group, 0 for none.
    pub region: RegionTag,
    /// Sums of the commitments to shares 1, 2 and 3.
    pub shares: [WirePoint; 3],
}

/// An anchored batch header. Chain and epoch are the record's, the shard is that of the list; its position is its place
/// in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRecord {
    /// How often its leader proposed anew.
    pub view: u32,
    /// Digest of the header before, or of nothing.
    pub previous: Digest,
    /// Merkle root over the batch.
    pub batch_root: Digest,
    /// Bundles of the batch.
    pub count: u32,
    /// Commitments after the batch, by group.
    pub running: Vec<RunningRecord>,
    /// The parties' signatures.
    pub signatures: Signatures,
}

impl From<&SignedHeader> for HeaderRecord {
    fn from(signed: &SignedHeader) -> Self {
        let header = &signed.header;
        let row = |(group, shares): (proofs::tally::Group, &[_; 3])| RunningRecord {
            tier: group.tier,
            region: group.region,
            shares: shares.map(WirePoint::from),
        };
        Self {
            view: header.view,
            previous: header.previous,
            batch_root: header.batch_root,
            count: header.count,
            running: header.running.iter().map(row).collect(),
            signatures: signed.signatures.clone(),
        }
    }
}

/// The frozen root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootRecord {
    /// Number of batches.
    pub batches: u64,
    /// Digest of the last header, or of nothing.
    pub last: Digest,
    /// The parties' signatures.
    pub signatures: Signatures,
}

/// Commitments to what a tier carries over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedRecord {
    /// Tier.
    pub tier: Tier,
    /// Commitments to shares 1, 2 and 3.
    pub shares: [WirePoint; 3],
}

impl CarriedRecord {
    fn of(residual: &Residual) -> Vec<Self> {
        let row = |(tier, shares): (Tier, &[_; 3])| Self { tier, shares: shares.map(WirePoint::from) };
        residual.iter().map(row).collect()
    }
}

/// How the published backed views of a work are spread over regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SquaresRecord {
    /// Tier, or none for all tiers together. It is written in either case: a record has one spelling.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tier: Option<Tier>,
    /// Index of the work.
    pub index: WorkIndex,
    /// Sum over regions of the squares of the views.
    pub sum: Decimal128,
}

/// The total of a published cell, with what was carried to it. Cells of works that are not listed stay closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// Tier.
    pub tier: Tier,
    /// Index of the work: its place among the works of the shard, or padding beyond them, which weighs nothing.
    pub index: WorkIndex,
    /// First views.
    pub listeners: u64,
    /// Views that a receipt backs.
    pub backed: u64,
    /// Views.
    pub views: u64,
    /// Value.
    pub value: u64,
}

/// Where the epoch's leaf stands: under the state root of the block that settled it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRecord {
    /// State root of that block.
    #[serde(with = "crate::poseidon::wire::hex")]
    pub root: Felt,
    /// The leaf in the table of epochs.
    pub leaf: Inclusion,
    /// That table among the tables.
    pub table: MerklePath,
}

impl From<&EpochProof> for StateRecord {
    fn from(proof: &EpochProof) -> Self {
        Self { root: proof.state_root, leaf: proof.inclusion.clone(), table: proof.table.clone() }
    }
}

/// Why there is no record of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The epoch is not settled in a sealed block.
    #[error("epoch {epoch} is not settled in a sealed block")]
    NotSettled {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch was given up: there are no figures to check.
    #[error("epoch {epoch} was abandoned for the reason in document {reason}")]
    Abandoned {
        /// The epoch.
        epoch: EpochId,
        /// Hash of the document that says why.
        reason: Digest,
    },
}

/// Cells of opened totals.
fn cells(totals: &Totals) -> Vec<CellRecord> {
    let row = |(tier, works): (Tier, &std::collections::BTreeMap<WorkIndex, _>)| {
        let cell = |(index, count): (&WorkIndex, &proofs::tally::Count)| CellRecord {
            tier,
            index: *index,
            listeners: count.listeners,
            backed: count.backed,
            views: count.views,
            value: count.value,
        };
        works.iter().map(cell).collect::<Vec<_>>()
    };
    totals.iter().flat_map(row).collect()
}

/// The record of a shard whose tally is on record.
fn shard(
    state: &State,
    (opening, shard): (&Opening, ShardIndex),
    progress: &ShardProgress,
) -> Option<ShardRecord> {
    let epoch = opening.epoch;
    let aggregate = state.aggregates.get(&(epoch, shard))?;
    let (before, Tally { totals, squares, after }) = (&aggregate.before, &aggregate.tally);
    let sum = |(tier, index, sum)| SquaresRecord { tier, index, sum: Decimal128(sum) };
    let SignedRoot { root, signatures } = progress.root.clone()?;
    Some(ShardRecord {
        headers: state.anchors_of(epoch, shard).map(HeaderRecord::from).collect(),
        root: RootRecord { batches: root.batches, last: root.last, signatures },
        room: opening.room(shard),
        before: CarriedRecord::of(&before.commitments),
        pairs: before.pairs,
        totals: cells(totals),
        squares: squares.iter().map(sum).collect(),
        after: CarriedRecord::of(after),
        proof: aggregate.proof.clone(),
        aggregate_signatures: aggregate.signatures.clone(),
    })
}

/// The record of an epoch that was settled in a sealed block. It stays the same whatever comes later.
pub fn record(ledger: &Ledger, epoch: EpochId) -> Result<EpochRecord, RecordError> {
    let missing = || RecordError::NotSettled { epoch };
    let state = ledger.state();
    if let Some(reason) = state.epochs.get(&epoch).and_then(|entry| entry.abandoned) {
        return Err(RecordError::Abandoned { epoch, reason });
    }
    let proof = ledger.epoch_proof(epoch).ok_or_else(missing)?;
    let opening = state.openings.get(&epoch).ok_or_else(missing)?;
    let entry = state.epochs.get(&epoch).ok_or_else(missing)?;
    let settlement = state.settlements.get(&epoch).ok_or_else(missing)?;
    let summary = entry.summary.as_ref().ok_or_else(missing)?;
    let indices = (0..).map(ShardIndex).zip(&entry.shards);
    let shards = indices.map(|(index, progress)| shard(state, (opening, index), progress));
    let shards = shards.collect::<Option<Vec<_>>>().ok_or_else(missing)?;

    let tier = |(terms, revenue): (&TierTerms, &crate::modules::usage::TierRevenue)| TierRecord {
        tier: terms.tier,
        price: terms.price,
        max_bundles: terms.max_bundles,
        value_cap: terms.value_cap,
        sold: opening.sold(terms.tier),
        subscriptions: revenue.subscriptions,
        revenue: revenue.revenue,
    };
    let replacement = |seated: &SeatStandby| ReplacementRecord {
        party: seated.party,
        signatures: seated.signatures.clone(),
    };
    let reveal = |(party, value): (&PartyId, &Digest)| RevealRecord { party: *party, value: *value };
    let works = opening.works.iter().zip(&settlement.works);
    Ok(EpochRecord {
        format: FORMAT,
        scales: Scales::default(),
        chain: ledger.origin().chain,
        epoch,
        opened: opening.opened,
        beacon: BeaconRecord {
            key: opening.key,
            block: opening.block,
            reveals: opening.reveals.iter().map(reveal).collect(),
            skipped: opening.skipped().collect(),
        },
        committee: PartyId::ALL.map(|party| opening.committee.member(party).clone()),
        seating: opening.seating.clone(),
        replacement: state.replacements.get(&epoch).map(replacement),
        params: opening.params.clone(),
        tiers: opening.tiers.iter().zip(state.revenues_of(epoch)).map(tier).collect(),
        revenue: summary.into(),
        shard_width: opening.shard_width,
        works: works.map(|(listed, figures)| WorkRecord::new(epoch, listed, figures)).collect(),
        sum_of_weights: Decimal256(summary.sum_of_weights),
        payout_root: summary.payout_root,
        health: settlement.health.clone(),
        shards,
        state: proof.into(),
    })
}
