//! From a record back to what the ledger had: the parts from which everything is recomputed.

use super::{
    finding::Finding,
    record::{EpochRecord, HeaderRecord, RootRecord, ShardRecord},
};
use crate::modules::{
    dapr::payout::Split,
    usage::{ListedWork, Opening, TierRevenue, TierSales},
};
use primitives::{PartyId, ShardIndex, limits, params::TierTerms};
use proofs::{
    committee::Committee,
    tally::{BatchHeader, Count, EpochRoot, Group, Running, SignedHeader, SignedRoot, Totals},
};
use std::collections::BTreeSet;

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
            previous_reputation: work.previous_reputation,
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
            key: self.beacon.key,
            block: self.beacon.block,
            reveals: self.beacon.reveals.iter().map(|reveal| (reveal.party, reveal.value)).collect(),
            committee,
            params: self.params.clone(),
            tiers: self.tiers.iter().map(terms).collect(),
            sold: self.tiers.iter().map(sales).collect(),
            works: self.works.iter().map(listed).collect(),
            shard_width: self.shard_width,
            carried: self.revenue.carried_in,
        })
    }

    /// What the tiers brought.
    pub(super) fn revenues(&self) -> Vec<TierRevenue> {
        let revenue = |tier: &super::record::TierRecord| TierRevenue {
            epoch: self.epoch,
            tier: tier.tier,
            subscriptions: tier.subscriptions,
            revenue: tier.revenue,
            attestation: tier.attestation,
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

impl ShardRecord {
    /// The opened totals, in the groups of `running`.
    pub(super) fn opened_totals(&self, shard: ShardIndex, running: &Running) -> Result<Totals, Finding> {
        let mut totals = Totals::default();
        for (group, _) in running.iter() {
            totals.touch(group);
        }
        let known: BTreeSet<Group> = running.iter().map(|(group, _)| group).collect();
        let mut last = None;
        for cell in &self.totals {
            let group = Group { tier: cell.tier, region: cell.region };
            let (listeners, backed) = (cell.listeners, cell.backed);
            let count = Count { listeners, backed, views: cell.views, value: cell.value };
            let in_order = last.replace((group, cell.index)).is_none_or(|last| last < (group, cell.index));
            // Sums over groups fit because groups are few: those of the headers, whose tiers the epoch knows.
            if !known.contains(&group) || !in_order || count.is_zero() || !count.fits() {
                let (tier, region, index) = (cell.tier, cell.region, cell.index);
                return Err(Finding::Cell { shard, tier, region, index });
            }
            totals.insert(group, cell.index, count);
        }
        Ok(totals)
    }
}
