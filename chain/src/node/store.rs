//! The files of a node: the block log, and the index over it.

use super::{Archive, NodeError, Place};
use crate::{
    block::Block,
    index::{Index, IndexError},
    ledger::{Genesis, Ledger},
    log::{BlockLog, FoundLog, TornTail},
    sequencer::SealedBlock,
};
use primitives::{Decode, Digest, Encode, Time};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// Name of the block log in a node's directory.
const LOG_FILE: &str = "blocks.log";
/// Name of the index in a node's directory.
const INDEX_DIR: &str = "index";
/// First byte of the index keys that lead from a transaction to its place.
pub(super) const KEY_TRANSACTION: u8 = b't';
/// First byte of the index keys that lead from a height to a block's digest.
pub(super) const KEY_BLOCK: u8 = b'b';

/// The files of a node.
pub struct Store {
    log: BlockLog,
    archive: Archive,
    index_dir: PathBuf,
}

impl Store {
    /// Opens the files in `dir`, or creates them, and rebuilds the ledger from the log.
    pub fn open(dir: impl AsRef<Path>, genesis: Genesis) -> Result<(Self, Ledger), NodeError> {
        Self::open_with(dir.as_ref(), genesis, |ledger, sealed| Ok(ledger.replay(&sealed.block)?))
    }

    /// The same of a chain whose blocks a sequencer seals: every seal is checked as well, at time `now`.
    pub fn open_sealed(dir: &Path, genesis: Genesis, now: Time) -> Result<(Self, Ledger), NodeError> {
        Self::open_with(dir, genesis, |ledger, sealed| Ok(sealed.check(ledger, now)?))
    }

    fn open_with(
        dir: &Path,
        genesis: Genesis,
        follow: impl Fn(Ledger, &SealedBlock) -> Result<Ledger, NodeError>,
    ) -> Result<(Self, Ledger), NodeError> {
        std::fs::create_dir_all(dir).map_err(NodeError::Directory)?;
        let mut ledger = Ledger::genesis(genesis)?;
        let (found, blocks) = find_blocks(dir)?;
        for sealed in &blocks {
            ledger = follow(ledger, sealed)?;
        }
        let index_dir = dir.join(INDEX_DIR);
        let index = open_index(&index_dir, &blocks)?;
        // Only now: what looks like a torn tail may be all that is left of a block that the index knows.
        let log = found.accept()?;
        let archive = Archive::new(log.reader()?, Arc::new(RwLock::new(index)));
        Ok((Self { log, archive, index_dir }, ledger))
    }

    /// What a crash had left at the end of the log, if opening cut something off.
    pub fn torn(&self) -> Option<TornTail> {
        self.log.torn()
    }

    /// Appends a block, and returns once it is on disk.
    pub fn append(&mut self, sealed: &SealedBlock) -> Result<(), NodeError> {
        self.log.append(sealed.block.height, &sealed.to_bytes())?;
        let mut index = self.archive.index.write().unwrap_or_else(PoisonError::into_inner);
        if apply(&index, &sealed.block).is_err() {
            // The block is safe in the log. An index that cannot take it starts over, empty from here on; the next
            // opening sees that it does not reach back and rebuilds it.
            *index = Index::recreate(&self.index_dir)?;
        }
        Ok(())
    }

    /// What others read of the blocks while this is open.
    pub fn archive(&self) -> Archive {
        self.archive.clone()
    }

    /// Where a transaction stands, if it is in a block.
    pub fn find(&self, transaction: &Digest) -> Result<Option<Place>, IndexError> {
        self.archive.find(transaction)
    }

    /// Digest of a block.
    pub fn block_digest(&self, height: u64) -> Result<Option<Digest>, IndexError> {
        self.archive.block_digest(height)
    }
}

pub(super) fn find_blocks(dir: &Path) -> Result<(FoundLog, Vec<SealedBlock>), NodeError> {
    let (found, payloads) = BlockLog::find(dir.join(LOG_FILE))?;
    let decode = |(record, payload): (usize, &Vec<u8>)| {
        SealedBlock::from_bytes(payload).map_err(|error| NodeError::Codec { record, error })
    };
    let blocks = payloads.iter().enumerate().map(decode).collect::<Result<_, _>>()?;
    Ok((found, blocks))
}

pub(super) fn key(kind: u8, name: &[u8]) -> Vec<u8> {
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
fn agrees(index: &Index, blocks: &[SealedBlock]) -> Result<bool, IndexError> {
    let (Some(SealedBlock { block: first, .. }), Some(SealedBlock { block: last, .. })) =
        (blocks.first(), blocks.last())
    else {
        return Ok(index.head()?.is_none());
    };
    let reaches_back = index.get(&key(KEY_BLOCK, &first.height.to_be_bytes()))?.is_some();
    Ok(reaches_back && index.head()? == Some((last.height, last.digest())))
}

/// Refuses a log that ends before the index does, or in another block.
fn check_lost(index: &Index, blocks: &[SealedBlock]) -> Result<(), NodeError> {
    let last = blocks.last().map(|sealed| &sealed.block);
    let log = last.map_or(0, |block| block.height);
    match index.head() {
        Ok(Some((height, digest)))
            if height > log || (height == log && last.map(Block::digest) != Some(digest)) =>
        {
            Err(NodeError::LostBlock { log, index: height })
        }
        // Behind, empty, or unreadable: it proves nothing.
        _ => Ok(()),
    }
}

/// Opens the index and makes it anew from the log unless it agrees with it.
fn open_index(dir: &Path, blocks: &[SealedBlock]) -> Result<Index, NodeError> {
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
    for sealed in blocks {
        apply(&index, &sealed.block)?;
    }
    Ok(index)
}
