//! Final batches, by what is on this party's disk: where bundles are in them, and what is published of them.

use super::{
    Counter, Of,
    standings::{Place, Standings},
};
use crate::settlement::read;
use chain::modules::usage::{Opening, Phase};
use primitives::{Digest, EpochId, ShardIndex};
use proofs::{
    inclusion::{FinalBatch, batch_root},
    tally::SignedHeader,
};
use std::{collections::BTreeMap, sync::Arc};

impl Counter {
    /// Final batches of an epoch, by shard and position, and how many more there are: this party knows the names in those that it
    /// signed and the chain anchored. Of others their signers know them.
    fn finals_on_disk(&self, epoch: EpochId) -> (Vec<Arc<FinalBatch>>, usize) {
        let mut names = self.store.signed(epoch);
        read(&*self.port, |ledger| {
            let shards = ledger.state().openings.get(&epoch).map_or(0, Opening::shard_count);
            let shards = (0..).map(ShardIndex).take(shards);
            let anchored: Vec<_> = shards.flat_map(|shard| ledger.state().anchors_of(epoch, shard)).collect();
            let of_batch = |SignedHeader { header, .. }: &&SignedHeader| {
                let names = names.remove(&header.digest())?;
                (batch_root(&names) == header.batch_root).then(|| Arc::new(FinalBatch::new(header, names)))
            };
            let finals: Vec<_> = anchored.iter().filter_map(of_batch).collect();
            let others = anchored.len() - finals.len();
            (finals, others)
        })
    }

    /// Where the final bundles of an epoch are, as far as this party knows.
    pub(super) fn places_on_disk(&self, epoch: EpochId) -> BTreeMap<Digest, Place> {
        self.finals_on_disk(epoch).0.into_iter().flat_map(Place::all_of).collect()
    }

    /// Publishes what an audit needs of an epoch's bundles, once it is settled and as long as they are there. It takes as long as
    /// reading them all does. Without it the epoch is over all the same, and others publish it.
    pub(in crate::host) fn publish(&self, epoch: EpochId) {
        let is_settled = read(&*self.port, |ledger| {
            let on_record = ledger.state().epochs.get(&epoch);
            on_record.is_some_and(|on_record| on_record.phase == Phase::Finalised)
        });
        if !is_settled || self.published.bytes(epoch).is_some() || self.store.bundle_ids(epoch).is_empty() {
            return;
        }
        let (batches, others) = self.finals_on_disk(epoch);
        if others > 0 {
            tracing::warn!(%epoch, others, "was not there for all batches, and leaves their publication to others");
            return;
        }
        match self.published.write((self.chain, epoch), &batches, &self.store) {
            Ok(()) => tracing::info!(%epoch, batches = batches.len(), "bundles are published for audit"),
            Err(error) => tracing::warn!(%epoch, %error, "bundles are not published here"),
        }
    }

    /// Begins with what is on disk of the epoch before this one.
    pub(in crate::host) fn remember(&self, epoch: EpochId) {
        let Some(before) = epoch.0.checked_sub(1).map(EpochId) else { return };
        let finals = Standings::finals(self.places_on_disk(before));
        self.inner().put(Of::over(before, finals));
    }
}
