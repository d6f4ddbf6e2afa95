//! What queries read of a node's blocks while the node goes on.

use super::{
    NodeError, Place,
    store::{KEY_BLOCK, KEY_TRANSACTION, key},
};
use crate::{
    index::{Index, IndexError},
    log::LogReader,
    sequencer::SealedBlock,
};
use primitives::{Decode, Digest};
use std::sync::{Arc, PoisonError, RwLock};

/// The blocks of a node, and where its transactions stand. Clones read the same files.
#[derive(Clone)]
pub struct Archive {
    log: LogReader,
    pub(super) index: Arc<RwLock<Index>>,
}

impl Archive {
    pub(super) fn new(log: LogReader, index: Arc<RwLock<Index>>) -> Self {
        Self { log, index }
    }

    /// A block, if it is there.
    pub fn block(&self, height: u64) -> Result<Option<SealedBlock>, NodeError> {
        let Some(payload) = self.log.read(height)? else { return Ok(None) };
        let record = usize::try_from(height).unwrap_or(usize::MAX).saturating_sub(1);
        SealedBlock::from_bytes(&payload).map(Some).map_err(|error| NodeError::Codec { record, error })
    }

    /// Where a transaction stands, if it is in a block.
    pub fn find(&self, transaction: &Digest) -> Result<Option<Place>, IndexError> {
        let found = self.get(&key(KEY_TRANSACTION, &transaction.0))?;
        Ok(found.and_then(|bytes| Place::from_bytes(&bytes).ok()))
    }

    /// Digest of a block.
    pub fn block_digest(&self, height: u64) -> Result<Option<Digest>, IndexError> {
        let found = self.get(&key(KEY_BLOCK, &height.to_be_bytes()))?;
        Ok(found.and_then(|bytes| Digest::from_bytes(&bytes).ok()))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).get(key)
    }
}
