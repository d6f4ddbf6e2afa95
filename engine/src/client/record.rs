//! The chain's record, read from a full node of the client's own, which has checked every block from the genesis on. Nobody
//! is believed.

use super::{LinkError, Record};
use chain::{modules::usage::Epoch, node::Mirror};
use primitives::{EpochId, ShardIndex};
use proofs::tally::{SignedHeader, SignedRoot};
use std::time::Duration;

/// How long the node may take to have the last blocks, some seconds' worth of them.
const CATCH_UP: Duration = Duration::from_secs(60);

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

    fn is_over(&self, epoch: EpochId) -> Result<bool, LinkError> {
        // Parties may have heard of it before this node did, and nobody is accused for that.
        match self.catch_up(CATCH_UP) {
            Ok(true) => Ok(self.read(|ledger| ledger.state().epochs.get(&epoch).is_some_and(Epoch::is_over))),
            Ok(false) => Err(LinkError::Busy { kind: "behind".into(), retry_after: None }),
            Err(error) => Err(LinkError::Unreachable { reason: error.to_string() }),
        }
    }
}
