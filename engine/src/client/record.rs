//! The chain's record, read from a full node of the client's own, which has checked every block from the genesis on. Nobody
//! is believed.

use super::{LinkError, Record};
use chain::node::Mirror;
use primitives::{EpochId, ShardIndex};
use proofs::tally::{SignedHeader, SignedRoot};

impl Record for Mirror {
    fn header(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
        position: u64,
    ) -> Result<Option<SignedHeader>, LinkError> {
        Ok(self.read(|ledger| {
            let mut headers = ledger.state().anchors_of(epoch, shard);
            headers.find(|header| header.header.position == position).cloned()
        }))
    }

    fn root(&self, epoch: EpochId, shard: ShardIndex) -> Result<Option<SignedRoot>, LinkError> {
        Ok(self.read(|ledger| {
            let progress = ledger.state().epochs.get(&epoch);
            let shard = usize::try_from(shard.0).ok().and_then(|at| progress?.shards.get(at));
            shard.and_then(|progress| progress.root.clone())
        }))
    }
}
