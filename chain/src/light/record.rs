//! The public record of an epoch: `epoch.json`.
use crate::ledger::Ledger;
use primitives::EpochId;
/// The record.
pub struct EpochRecord;
/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The epoch is not settled in a sealed block.
    #[error("epoch {epoch} is not settled in a sealed block")]
    NotSettled {
        /// The epoch.
        epoch: EpochId,
    },
}
/// The record.
pub fn record(ledger: &Ledger, epoch: EpochId) -> Result<EpochRecord, RecordError> {
    ledger.epoch_proof(epoch).map(|_| EpochRecord).ok_or(RecordError::NotSettled { epoch })
}
