//! The chain's record, read from a node in the same process: one that is handed about as a state, or a full node of the
//! client's own, which has checked every block from the genesis on. Nobody is believed in either case.

use super::{LinkError, Record};
use chain::{node::Mirror, state::State};
use primitives::{EpochId, ShardIndex};
use proofs::tally::{SignedHeader, SignedRoot};

/// The record, as the state of a node has it.
pub struct StateRecord<'a>(pub &'a State);

impl Record for StateRecord<'_> {
    fn header(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
        position: u64,
    ) -> Result<Option<SignedHeader>, LinkError> {
        let mut headers = self.0.anchors_of(epoch, shard);
        Ok(headers.find(|header| header.header.position == position).cloned())
    }

    fn root(&self, epoch: EpochId, shard: ShardIndex) -> Result<Option<SignedRoot>, LinkError> {
        let progress = self.0.epochs.get(&epoch);
        let shard = usize::try_from(shard.0).ok().and_then(|at| progress?.shards.get(at));
        Ok(shard.and_then(|progress| progress.root.clone()))
    }
}

/// The record, as a full node of the client's own follows it.
impl Record for Mirror {
    fn header(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
        position: u64,
    ) -> Result<Option<SignedHeader>, LinkError> {
        self.read(|ledger| StateRecord(ledger.state()).header(epoch, shard, position))
    }

    fn root(&self, epoch: EpochId, shard: ShardIndex) -> Result<Option<SignedRoot>, LinkError> {
        self.read(|ledger| StateRecord(ledger.state()).root(epoch, shard))
    }
}
