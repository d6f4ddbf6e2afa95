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

    /// Epochs that are neither settled nor given up, and the next if it may open by now: two at most.
    pub fn in_hand(&self, genesis: &Genesis) -> Vec<EpochId> {
        let next = Some(self.next_epoch(genesis)).filter(|next| self.check_before(*next).is_ok());
        let mut epochs: Vec<_> = self.epochs.iter().rev().take(2).filter(|epoch| !epoch.is_over()).collect();
        epochs.reverse();
        epochs.into_iter().map(|epoch| epoch.epoch).chain(next).collect()
    }

    /// An epoch may open while totals of the one before are opened and its books are closed: two are in hand at most, and of
    /// one alone bundles are taken in.
    fn check_before(&self, epoch: EpochId) -> Result<(), UsageError> {
        let mut before = self.epochs.range(..epoch).rev();
        match before.next() {
            Some(last) if last.phase == Phase::Open => Err(UsageError::PreviousOpen { epoch: last.epoch }),
            // By then all that is older is over: an epoch ends after the one before it.
            _ => match before.next().filter(|older| !older.is_over()) {
                Some(older) => Err(UsageError::PreviousNotOver { epoch: older.epoch }),
                None => Ok(()),
            },
        }
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

    /// What each shard of an epoch takes over from the epochs before, in order. None as long as nobody knows: totals of the
    /// epoch before are neither on record nor given up.
    pub fn carried_into(&self, epoch: EpochId) -> Option<Vec<CarriedUsage>> {
        self.check_aggregated(epoch).ok()?;
        let shards = (0..self.epochs.get(&epoch)?.shards.len()).map(|shard| ShardIndex(shard as u32));
        // Once a shard has its totals, what it carries is what comes after them.
        let before = |shard| match self.aggregates.get(&(epoch, shard)) {
            Some(aggregate) => aggregate.before.clone(),
            None => self.residual_of(shard),
        };
        Some(shards.map(before).collect())
    }

    /// Most subscribers that a shard of an epoch may count: what is left beside those whose usage may be carried over to
    /// it. The epoch before is frozen by then: if its totals are not on record yet, all that it counted may be carried.
    pub(crate) fn room_of(&self, epoch: EpochId, shard: ShardIndex) -> u64 {
        let carried = self.residual_of(shard);
        let before = self.epochs.range(..epoch).next_back().filter(|before| !before.is_over());
        let counted = before.and_then(|before| before.shard(shard)).filter(|shard| shard.aggregate.is_none());
        carried.room().saturating_sub(counted.map_or(0, |shard| shard.bundles))
    }

    /// Refuses to freeze an epoch before there are totals of the one before it: what that one carries over is opened with it.
    fn check_aggregated(&self, epoch: EpochId) -> Result<(), UsageError> {
        let before = self.epochs.range(..epoch).next_back();
        match before.filter(|before| matches!(before.phase, Phase::Open | Phase::Frozen)) {
            Some(Epoch { epoch, .. }) => Err(UsageError::PreviousNotAggregated { epoch: *epoch }),
            None => Ok(()),
        }
    }

    /// The epoch before, if it is neither settled nor given up: epochs end in their order, because each takes over what the
    /// one before leaves.
    pub(crate) fn unended_before(&self, epoch: EpochId) -> Option<EpochId> {
        let before = self.epochs.range(..epoch).next_back();
        before.filter(|before| !before.is_over()).map(|before| before.epoch)
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
