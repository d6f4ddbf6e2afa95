//! From a record back to what the ledger had: the parts from which everything is recomputed.

use super::{
    finding::Finding,
    record::{
        CarriedRecord, EpochRecord, HeaderRecord, ReplacementRecord, RootRecord, ShardRecord, SquaresRecord,
    },
};
use crate::modules::{
    dapr::{TakenOver, payout::Split},
    usage::{CarriedUsage, ListedWork, Opening, SeatStandby, TierRevenue, TierSales},
};
use primitives::{PartyId, ShardIndex, limits, params::TierTerms};
use proofs::{
    committee::Committee,
    tally::{
        BatchHeader, Count, EpochRoot, Group, Residual, Running, SignedHeader, SignedRoot, Squares, Tally,
        Totals,
    },
};

impl EpochRecord {
    /// What was fixed when the epoch opened.
    pub(super) fn opening(&self) -> Result<Opening, Finding> {
        let reveals: Vec<PartyId> = self.beacon.reveals.iter().map(|reveal| reveal.party).collect();
        if reveals.len() < 2 || !reveals.is_sorted_by(|a, b| a < b) {
            return Err(Finding::Reveals);
        }
        if self.tiers.len() > limits::MAX_TIERS {
            return Err(Finding::Tiers);
        }
        let committee = Committee::new(self.committee.clone()).map_err(Finding::Committee)?;
        let split = |split: &super::figures::SplitRecord| Split { payee: split.payee, share: split.share };
        let listed = |work: &super::figures::WorkRecord| ListedWork {
            work: work.work_id,
            creator: work.creator,
            category: work.category,
            price: work.price,
            splits: work.splits.iter().map(split).collect(),
            shard: work.shard,
            resting: work.resting,
        };
        let terms = |tier: &super::record::TierRecord| TierTerms {
            tier: tier.tier,
            price: tier.price,
            max_bundles: tier.max_bundles,
            value_cap: tier.value_cap,
        };
        let sales =
            |tier: &super::record::TierRecord| TierSales { tier: tier.tier, subscriptions: tier.sold };
        Ok(Opening {
            epoch: self.epoch,
            chain: self.chain,
            key: self.beacon.key,
            block: self.beacon.block,
            opened: self.opened,
            reveals: self.beacon.reveals.iter().map(|reveal| (reveal.party, reveal.value)).collect(),
            committee,
            seating: self.seating.clone(),
            params: self.params.clone(),
            tiers: self.tiers.iter().map(terms).collect(),
            sold: self.tiers.iter().map(sales).collect(),
            works: self.works.iter().map(listed).collect(),
            shard_width: self.shard_width,
            rooms: self.shards.iter().map(|shard| shard.room).collect(),
        })
    }

    /// What the record says that the epoch took over. The settled epoch binds it: carried usage with the totals, money and
    /// reputation with the figures.
    pub(super) fn taken_over(&self) -> TakenOver {
        TakenOver {
            pairs: self.shards.iter().map(|shard| shard.pairs).collect(),
            reputations: self.works.iter().map(|work| work.previous_reputation).collect(),
            carried: self.revenue.carried_in,
        }
    }

    /// The committee that answers for the totals.
    pub(super) fn committee_of_totals(&self, opening: &Opening) -> Result<Committee, Finding> {
        let Some(ReplacementRecord { party, signatures }) = &self.replacement else {
            return Ok(opening.committee.clone());
        };
        let seated = SeatStandby { epoch: self.epoch, party: *party, signatures: signatures.clone() };
        let before = (self.chain, &opening.committee);
        opening.seating.committee_after(before, &seated).map_err(Finding::Replacement)
    }

    /// What the tiers brought.
    pub(super) fn revenues(&self) -> Vec<TierRevenue> {
        let revenue = |tier: &super::record::TierRecord| TierRevenue {
            epoch: self.epoch,
            tier: tier.tier,
            subscriptions: tier.subscriptions,
            revenue: tier.revenue,
        };
        self.tiers.iter().map(revenue).collect()
    }

    /// The header at a position of a shard.
    pub(super) fn header(
        &self,
        (shard, position): (ShardIndex, u64),
        header: &HeaderRecord,
    ) -> Result<SignedHeader, Finding> {
        let mut running = Running::default();
        let mut last = None;
        for row in &header.running {
            let group = Group { tier: row.tier, region: row.region };
            if last.replace(group).is_some_and(|last| last >= group) {
                return Err(Finding::RunningOrder { shard, position });
            }
            let points = row.shares.map(|share| share.decompress());
            let [Some(first), Some(second), Some(third)] = points else {
                return Err(Finding::RunningPoint { shard, position });
            };
            running.add(group, &[first, second, third]);
        }
        let header_fields = BatchHeader {
            chain: self.chain,
            epoch: self.epoch,
            shard,
            view: header.view,
            position,
            previous: header.previous,
            batch_root: header.batch_root,
            count: header.count,
            running,
        };
        Ok(SignedHeader { header: header_fields, signatures: header.signatures.clone() })
    }

    /// The frozen root of a shard.
    pub(super) fn signed_root(&self, shard: ShardIndex, root: &RootRecord) -> SignedRoot {
        let (chain, epoch) = (self.chain, self.epoch);
        let signatures = root.signatures.clone();
        SignedRoot {
            root: EpochRoot { chain, epoch, shard, batches: root.batches, last: root.last },
            signatures,
        }
    }
}

/// Commitments of a residual, by tier.
fn residual(shard: ShardIndex, rows: &[CarriedRecord]) -> Result<Residual, Finding> {
    let (mut residual, mut last) = (Residual::default(), None);
    for row in rows {
        let points = row.shares.map(|share| share.decompress());
        let [Some(first), Some(second), Some(third)] = points else {
            return Err(Finding::Carried { shard, tier: row.tier });
        };
        if last.replace(row.tier).is_some_and(|last| last >= row.tier) {
            return Err(Finding::Carried { shard, tier: row.tier });
        }
        residual.set(row.tier, [first, second, third]);
    }
    Ok(residual)
}

impl ShardRecord {
    /// What the shard carried over from earlier epochs.
    pub(super) fn before(&self, shard: ShardIndex) -> Result<CarriedUsage, Finding> {
        Ok(CarriedUsage { shard, commitments: residual(shard, &self.before)?, pairs: self.pairs })
    }

    /// What was published of the shard and what it carries on, in the tiers of `running`.
    pub(super) fn tally(&self, shard: ShardIndex, running: &Running) -> Result<Tally, Finding> {
        let mut totals = Totals::default();
        let known = running.by_tier();
        known.keys().for_each(|tier| totals.touch(*tier));
        let mut last = None;
        for cell in &self.totals {
            let (tier, index) = (cell.tier, cell.index);
            let (listeners, backed) = (cell.listeners, cell.backed);
            let count = Count { listeners, backed, views: cell.views, value: cell.value };
            let in_order = last.replace((tier, index)).is_none_or(|last| last < (tier, index));
            // Sums over tiers fit because tiers are few: those of the headers, which the epoch knows.
            if !known.contains_key(&tier) || !in_order || count.is_zero() || !count.fits() {
                return Err(Finding::Cell { shard, tier, index });
            }
            totals.insert(tier, index, count);
        }
        let place = |row: &SquaresRecord| (row.tier, row.index);
        let zero = self.squares.iter().any(|row| row.sum.0 == 0);
        if zero || !self.squares.is_sorted_by(|a, b| place(a) < place(b)) {
            return Err(Finding::Squares { shard });
        }
        let squares = Squares::new(self.squares.iter().map(|row| (place(row), row.sum.0)));
        Ok(Tally { totals, squares, after: residual(shard, &self.after)? })
    }
}
