//! From a committee's keys to an epoch's totals (chain spec 3.2; protocol notes, sections 1, 5 and 6).
//!
//! Before an epoch opens, its committee, its issuer and region keys and its beacon go on record. While it is open,
//! batch headers of each shard are anchored; its root freezes them; then its totals come with a proof that every node
//! verifies. Cells with few listeners stay closed: what is carried over of them enters the shard's next totals.
//! An epoch that cannot be settled is abandoned, so that the next one may open.
//! On the chain stand sums over all subscribers: no person, no pseudonym, no count of one subscriber (spec 9).

mod abandon;
mod actions;
mod anchor;
mod dealing;
mod epoch;
mod error;
mod keys;
mod open;
mod opening;
mod prepare;
mod progress;
mod seats;
mod types;

pub(crate) use abandon::abandon_epoch;
pub use actions::{
    AbandonEpoch, CommitBeacon, OpenEpoch, PublishKeys, RegionSigner, ReportRevenue, RevealBeacon,
    SetCommittee, SubmitAggregate, TierKey, TierSales,
};
pub use anchor::{aggregate_digest, anchor_chain, check_tally};
pub(crate) use anchor::{anchor_header, anchor_root, follow, freeze, submit_aggregate};
pub(crate) use dealing::deal;
pub use dealing::{check_shards, shard_count};
pub use epoch::{Epoch, Phase, Summary};
pub use error::UsageError;
pub use keys::KeyState;
pub(crate) use open::{open_epoch, report_revenue};
pub use opening::{ListedWork, Opening, beacon_key};
pub use prepare::{beacon_commitment, beacon_signing_digest};
pub(crate) use prepare::{commit_beacon, publish_keys, reveal_beacon, set_committee, undrawn};
pub use progress::ShardProgress;
pub(crate) use seats::seat_standby;
pub use seats::{Seat, SeatStandby, Seating, Standby, seat_digest};
pub use types::{
    Aggregate, Anchors, Beacon, CarriedUsage, CommitteeSeat, Home, IssuerKey, RegionKey, TierRevenue,
    UsageAggregate,
};

use crate::{ledger::Genesis, state::State};
use primitives::{EpochId, ShardIndex, Tier};
use proofs::tally::{Running, SignedHeader};
use std::sync::Arc;

impl State {
    /// The epoch that opens next.
    pub fn next_epoch(&self, genesis: &Genesis) -> EpochId {
        self.epochs.iter().next_back().map_or(genesis.first_epoch, |last| EpochId(last.epoch.0 + 1))
    }

    /// The committee that serves in an epoch which has not opened.
    pub fn committee_for(&self, epoch: EpochId) -> Option<&CommitteeSeat> {
        self.committees.range(..=epoch).next_back()
    }

    /// Anchored headers of a shard of an epoch, by position.
    pub fn anchors_of(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
    ) -> impl DoubleEndedIterator<Item = &SignedHeader> {
        let headers = self.anchors.get(&(epoch, shard)).map(|anchors| anchors.headers.as_slice());
        headers.unwrap_or_default().iter().map(Arc::as_ref)
    }

    /// What a shard carries over from the epochs so far.
    pub fn residual_of(&self, shard: ShardIndex) -> CarriedUsage {
        self.residuals.get(&shard).cloned().unwrap_or_else(|| CarriedUsage::none(shard))
    }

    /// Tallies of an epoch that are on record, by shard.
    pub fn aggregates_of(&self, epoch: EpochId) -> impl DoubleEndedIterator<Item = &Aggregate> {
        self.aggregates.range((epoch, ShardIndex(0))..=(epoch, ShardIndex(u32::MAX)))
    }

    /// Revenue records of an epoch, by tier.
    pub fn revenues_of(&self, epoch: EpochId) -> impl DoubleEndedIterator<Item = &TierRevenue> {
        self.revenues.range((epoch, Tier(0))..=(epoch, Tier(u8::MAX)))
    }

    /// Running commitments after the last anchored header of a shard.
    pub fn running_of(&self, epoch: EpochId, shard: ShardIndex) -> Running {
        self.anchors_of(epoch, shard)
            .next_back()
            .map(|signed| signed.header.running.clone())
            .unwrap_or_default()
    }
}
