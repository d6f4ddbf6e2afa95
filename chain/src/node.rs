//! A node: the ledger with its block log and its index.
//!
//! The log is the truth. A block counts once it is in the log, on disk; the ledger in memory and the index are
//! rebuilt from it at any time. An index that is lost, damaged or behind is thrown away and made anew.
//!
//! An index that is *ahead* is evidence: a block enters it only after the log had it on disk, so a log that ends before
//! it has lost a block that others may have seen. A damaged last record looks like a crash to the log alone. The node
//! then refuses to open and leaves every file as it is, since another block at the same height would be a fork. Who has
//! the block elsewhere restores the log from there; who gives it up removes the index.

pub mod archive;
pub mod client;
mod durable;
mod follower;
pub mod journal;
mod mirror;
pub mod origin;
mod producer;
pub mod rpc;
mod run;
mod shared;
mod store;

pub use archive::Archive;
pub use client::{ClientError, NodeClient};
pub use journal::{Journal, JournalError};
pub use mirror::{Following, Mirror, wait_until};
pub use producer::now;
pub use rpc::ServeError;
pub use run::{Config, Fork, Notice, Role, RunError, read_evidence, run};
pub use shared::Head;
pub use store::Store;

use crate::{
    block::Block,
    index::IndexError,
    ledger::{Genesis, GenesisError, Ledger, ReplayError, TxError},
    light::{EpochRecord, RecordError, record},
    log::{LogError, TornTail},
    sequencer::{BlockError, RestoreError, SealedBlock},
    transaction::Transaction,
};
use primitives::{CodecError, Digest, EpochId, Time};
use std::{io, path::Path};
use thiserror::Error;

/// Why a node stops. After any of these it has to be opened again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The directory cannot be made.
    #[error("the directory cannot be made: {0}")]
    Directory(io::Error),
    /// The genesis is none.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The block log fails.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index fails, and making it anew failed too.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index has seen a block that the log has lost, or another one at the height of the log's last.
    #[error("the block log ends at height {log}, the index at {index}: a block that was on disk is lost")]
    LostBlock {
        /// Height of the log's last block, 0 if it has none.
        log: u64,
        /// Height of the index's last block.
        index: u64,
    },
    /// A block of the log does not decode.
    #[error("record {record} of the block log is no block: {error}")]
    Codec {
        /// Place in the log, from 0.
        record: usize,
        /// What is wrong with its bytes.
        error: CodecError,
    },
    /// The log's first block begins another chain.
    #[error(
        "its blocks are of another genesis, or of another version: the first follows {found}, and of genesis {genesis} it follows {given}"
    )]
    OtherChain {
        /// Digest of the genesis that the node was given.
        genesis: Digest,
        /// What a first block names as its parent there: digest and state root of the genesis, hashed.
        given: Digest,
        /// What the log's first block names. Of which genesis that is no block says.
        found: Digest,
    },
    /// A block of the log does not follow from the blocks before it: it was changed, or made under other rules.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A block of the log breaks a rule for blocks of a sequencer.
    #[error("the block log: {0}")]
    Block(Box<BlockError>),
    /// The sequencer's journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What was confirmed cannot be taken again.
    #[error("the sequencer's journal: {0}")]
    Restore(Box<RestoreError>),
}

impl From<BlockError> for NodeError {
    fn from(error: BlockError) -> Self {
        Self::Block(Box::new(error))
    }
}

impl From<RestoreError> for NodeError {
    fn from(error: RestoreError) -> Self {
        Self::Restore(Box::new(error))
    }
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Height of its block.
    pub height: u64,
    /// Place in the block, from 0.
    pub position: u32,
}

primitives::codec_struct!(Place { height, position });

/// A node that makes its own blocks, for one owner.
pub struct Node {
    ledger: Ledger,
    store: Store,
}

impl Node {
    /// Opens the node in `dir`, or creates it, and rebuilds the ledger from its log.
    pub fn open(dir: impl AsRef<Path>, genesis: Genesis) -> Result<Self, NodeError> {
        let (store, ledger) = Store::open(dir, genesis)?;
        Ok(Self { ledger, store })
    }

    /// The ledger, with what was submitted since the last block.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What a crash had left at the end of the log, if opening cut something off.
    pub fn torn(&self) -> Option<TornTail> {
        self.store.torn()
    }

    /// Gives the block that is being made its time ([`Ledger::begin`]).
    pub fn begin(&mut self, time: Time) {
        self.ledger.begin(time);
    }

    /// Takes a transaction into the block that is being made, or says which rule it breaks. It survives a restart
    /// once the block is produced. A full block says [`crate::transaction::EnvelopeError::BlockFull`]: produce it,
    /// and submit again.
    pub fn submit(&mut self, tx: &Transaction) -> Result<(), TxError> {
        self.ledger.apply(tx)
    }

    /// Ends the block and returns it once it is on disk.
    pub fn produce_block(&mut self) -> Result<Block, NodeError> {
        let sealed = SealedBlock { block: self.ledger.seal(), seal: None };
        self.store.append(&sealed)?;
        Ok(sealed.block)
    }

    /// Where a transaction stands, if it is in a block.
    pub fn find(&self, transaction: &Digest) -> Result<Option<Place>, IndexError> {
        self.store.find(transaction)
    }

    /// Digest of a block.
    pub fn block_digest(&self, height: u64) -> Result<Option<Digest>, IndexError> {
        self.store.block_digest(height)
    }

    /// The public record of a settled epoch.
    pub fn record(&self, epoch: EpochId) -> Result<EpochRecord, RecordError> {
        record(&self.ledger, epoch)
    }
}

/// The blocks in a node's directory, in their order. The node must not be open; its files are not changed.
pub fn read_blocks(dir: impl AsRef<Path>) -> Result<Vec<Block>, NodeError> {
    let mut blocks = Vec::new();
    store::read_through(dir.as_ref(), |sealed| {
        blocks.push(sealed.block);
        Ok(())
    })?;
    Ok(blocks)
}
