//! A node: the ledger with its block log and its index.
//!
//! The log is the truth. A block counts once it is in the log, on disk; the ledger in memory and the index are
//! rebuilt from it at any time. An index that is lost, damaged or behind is thrown away and made anew.
//!
//! An index that is *ahead* is evidence: a block enters it only after the log had it on disk, so a log that ends before
//! it has lost a block that others may have seen. A damaged last record looks like a crash to the log alone. The node
//! then refuses to open and leaves every file as it is, since another block at the same height would be a fork. Who has
//! the block elsewhere restores the log from there; who gives it up removes the index.

use crate::{
    block::Block,
    index::{Index, IndexError},
    ledger::{Genesis, GenesisError, Ledger, ReplayError, TxError},
    light::{EpochRecord, RecordError, record},
    log::{BlockLog, FoundLog, LogError, TornTail},
    transaction::Transaction,
};
use primitives::{CodecError, Decode, Digest, Encode, EpochId};
use std::{
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Name of the block log in a node's directory.
const LOG_FILE: &str = "blocks.log";
/// Name of the index in a node's directory.
const INDEX_DIR: &str = "index";
/// First byte of the index keys that lead from a transaction to its place.
const KEY_TRANSACTION: u8 = b't';
/// First byte of the index keys that lead from a height to a block's digest.
const KEY_BLOCK: u8 = b'b';

/// Why a node stops. After any of these it has to be opened again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The directory cannot be made.
    #[error("the node's directory: {0}")]
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
    /// A block of the log does not follow from the blocks before it: the log is of another chain, or of other rules.
    #[error(transparent)]
    Replay(#[from] ReplayError),
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

/// A node.
pub struct Node {
    ledger: Ledger,
    log: BlockLog,
    index: Index,
    index_dir: PathBuf,
}

impl Node {
    /// Opens the node in `dir`, or creates it, and rebuilds the ledger from its log.
    pub fn open(dir: impl AsRef<Path>, genesis: Genesis) -> Result<Self, NodeError> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(NodeError::Directory)?;
        let mut ledger = Ledger::genesis(genesis)?;
        let (found, blocks) = find_blocks(dir)?;
        for block in &blocks {
            ledger = ledger.replay(block)?;
        }
        let index_dir = dir.join(INDEX_DIR);
        let index = open_index(&index_dir, &blocks)?;
        // Only now: what looks like a torn tail may be all that is left of a block that the index knows.
        let log = found.accept()?;
        Ok(Self { ledger, log, index, index_dir })
    }

    /// The ledger, with what was submitted since the last block.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What a crash had left at the end of the log, if opening cut something off.
    pub fn torn(&self) -> Option<TornTail> {
        self.log.torn()
    }

    /// Takes a transaction into the block that is being made, or says which rule it breaks. It survives a restart
    /// once the block is produced. A full block says [`crate::transaction::EnvelopeError::BlockFull`]: produce it,
    /// and submit again.
    pub fn submit(&mut self, tx: &Transaction) -> Result<(), TxError> {
        self.ledger.apply(tx)
    }

    /// Ends the block and returns it once it is on disk.
    pub fn produce_block(&mut self) -> Result<Block, NodeError> {
        let block = self.ledger.seal();
        self.log.append(block.height, &block.to_bytes())?;
        if apply(&self.index, &block).is_err() {
            // The block is safe in the log. An index that cannot take it starts over, empty from here on; the next
            // opening sees that it does not reach back and rebuilds it.
            self.index = Index::recreate(&self.index_dir)?;
        }
        Ok(block)
    }

    /// Where a transaction stands, if it is in a block.
    pub fn find(&self, transaction: &Digest) -> Result<Option<Place>, IndexError> {
        let found = self.index.get(&key(KEY_TRANSACTION, &transaction.0))?;
        Ok(found.and_then(|bytes| Place::from_bytes(&bytes).ok()))
    }

    /// Digest of a block.
    pub fn block_digest(&self, height: u64) -> Result<Option<Digest>, IndexError> {
        let found = self.index.get(&key(KEY_BLOCK, &height.to_be_bytes()))?;
        Ok(found.and_then(|bytes| Digest::from_bytes(&bytes).ok()))
    }

    /// The public record of a settled epoch.
    pub fn record(&self, epoch: EpochId) -> Result<EpochRecord, RecordError> {
        record(&self.ledger, epoch)
    }
}

/// The blocks in a node's directory, in their order. The node must not be open; its files are not changed.
pub fn read_blocks(dir: impl AsRef<Path>) -> Result<Vec<Block>, NodeError> {
    Ok(find_blocks(dir.as_ref())?.1)
}

fn find_blocks(dir: &Path) -> Result<(FoundLog, Vec<Block>), NodeError> {
    let (found, payloads) = BlockLog::find(dir.join(LOG_FILE))?;
    let decode = |(record, payload): (usize, &Vec<u8>)| {
        Block::from_bytes(payload).map_err(|error| NodeError::Codec { record, error })
    };
    let blocks = payloads.iter().enumerate().map(decode).collect::<Result<_, _>>()?;
    Ok((found, blocks))
}

fn key(kind: u8, name: &[u8]) -> Vec<u8> {
    [&[kind], name].concat()
}

/// Applies a block to the index.
fn apply(index: &Index, block: &Block) -> Result<(), IndexError> {
    let digest = block.digest();
    let mut puts = vec![(key(KEY_BLOCK, &block.height.to_be_bytes()), digest.to_bytes())];
    for (position, tx) in (0u32..).zip(&block.transactions) {
        let place = Place { height: block.height, position };
        puts.push((key(KEY_TRANSACTION, &tx.id().0), place.to_bytes()));
    }
    index.apply(block.height, digest, puts, Vec::new())
}

/// Whether the index holds exactly these blocks, as far as its head and its first block tell.
fn agrees(index: &Index, blocks: &[Block]) -> Result<bool, IndexError> {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return Ok(index.head()?.is_none());
    };
    let reaches_back = index.get(&key(KEY_BLOCK, &first.height.to_be_bytes()))?.is_some();
    Ok(reaches_back && index.head()? == Some((last.height, last.digest())))
}

/// Refuses a log that ends before the index does, or in another block.
fn check_lost(index: &Index, blocks: &[Block]) -> Result<(), NodeError> {
    let log = blocks.last().map_or(0, |block| block.height);
    match index.head() {
        Ok(Some((height, digest)))
            if height > log || (height == log && blocks.last().map(Block::digest) != Some(digest)) =>
        {
            Err(NodeError::LostBlock { log, index: height })
        }
        // Behind, empty, or unreadable: it proves nothing.
        _ => Ok(()),
    }
}

/// Opens the index and makes it anew from the log unless it agrees with it.
fn open_index(dir: &Path, blocks: &[Block]) -> Result<Index, NodeError> {
    let opened = Index::open(dir);
    if let Ok(index) = &opened {
        check_lost(index, blocks)?;
    }
    match opened {
        Ok(index) if matches!(agrees(&index, blocks), Ok(true)) => return Ok(index),
        // Closed again before its directory is removed.
        opened => drop(opened),
    }
    let index = Index::recreate(dir)?;
    for block in blocks {
        apply(&index, block)?;
    }
    Ok(index)
}
