//! The files of a node: the block log, and the index over it.

use super::{Archive, NodeError, Place, durable};
use crate::{
    block::Block,
    index::{Index, IndexError},
    ledger::{Genesis, Ledger},
    log::{BlockLog, FoundLog, LogReader, TornTail},
    sequencer::SealedBlock,
};
use primitives::{Decode, Digest, Encode};
use std::{
    path::Path,
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
}

impl Store {
    /// Opens the files in `dir`, or creates them, and rebuilds the ledger from the log.
    pub fn open(dir: impl AsRef<Path>, genesis: Genesis) -> Result<(Self, Ledger), NodeError> {
        Self::open_with(dir.as_ref(), Ledger::genesis(genesis)?, |ledger, sealed| {
            Ok(ledger.replay(&sealed.block)?)
        })
    }

    /// The same of a chain whose blocks a sequencer seals: every seal is checked as well. No clock is asked: what is in
    /// the log was taken, and a clock that went back since makes none of it wrong. `start` is the ledger before the first
    /// block: at a genesis, or where another chain ended.
    pub fn open_sealed(dir: &Path, start: Ledger) -> Result<(Self, Ledger), NodeError> {
        Self::open_with(dir, start, |ledger, sealed| Ok(sealed.repeat(ledger)?))
    }

    fn open_with(
        dir: &Path,
        start: Ledger,
        follow: impl Fn(Ledger, &SealedBlock) -> Result<Ledger, NodeError>,
    ) -> Result<(Self, Ledger), NodeError> {
        durable::create_dir(dir).map_err(NodeError::Directory)?;
        let mut ledger = Some(start);
        let mut ends: Ends = None;
        let found = read_through(dir, |sealed| {
            let (height, digest) = (sealed.block.height, sealed.block.digest());
            if ends.is_none() {
                check_chain(ledger.as_ref().expect("it begins"), &sealed.block)?;
            }
            ledger = Some(follow(ledger.take().expect("the last block was good"), &sealed)?);
            ends = Some((ends.map_or(height, |(first, ..)| first), height, digest));
            Ok(())
        })?;
        let ledger = ledger.expect("the last block was good");
        let index = open_index(&dir.join(INDEX_DIR), ends, &found.reader()?)?;
        // Only now: what looks like a torn tail may be all that is left of a block that the index knows.
        let log = found.accept()?;
        let archive = Archive::new(log.reader()?, Arc::new(RwLock::new(index)));
        Ok((Self { log, archive }, ledger))
    }

    /// What a crash had left at the end of the log, if opening cut something off.
    pub fn torn(&self) -> Option<TornTail> {
        self.log.torn()
    }

    /// Appends a block, and returns once it is on disk. Where the index fails the block is safe in the log, and the next
    /// opening brings the index up to it. Going on with less of an index would answer that transactions are unknown.
    pub fn append(&mut self, sealed: &SealedBlock) -> Result<(), NodeError> {
        self.log.append(sealed.block.height, &sealed.to_bytes())?;
        let index = self.archive.index.read().unwrap_or_else(PoisonError::into_inner);
        Ok(apply(&index, &sealed.block)?)
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

/// The blocks of a log, one at a time.
pub(super) fn read_through(
    dir: &Path,
    mut each: impl FnMut(SealedBlock) -> Result<(), NodeError>,
) -> Result<FoundLog, NodeError> {
    let mut records = 0..;
    BlockLog::read_through(dir.join(LOG_FILE), |_, payload| {
        let record = records.next().expect("there are less");
        each(SealedBlock::from_bytes(&payload).map_err(|error| NodeError::Codec { record, error })?)
    })
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

/// Height of a log's first block, height of its last, and the digest of that.
type Ends = Option<(u64, u64, Digest)>;

/// Whether the index holds exactly these blocks, as far as its head and its first block tell.
fn agrees(index: &Index, ends: Ends) -> Result<bool, IndexError> {
    let Some((first, last, digest)) = ends else { return Ok(index.head()?.is_none()) };
    let reaches_back = index.get(&key(KEY_BLOCK, &first.to_be_bytes()))?.is_some();
    Ok(reaches_back && index.head()? == Some((last, digest)))
}

/// Refuses the log of another chain. Its seals would look wrong under this one's keys, before anything else did.
fn check_chain(start: &Ledger, first: &Block) -> Result<(), NodeError> {
    let (genesis, given, found) = (start.origin().digest(), start.head(), first.parent);
    if found == given { Ok(()) } else { Err(NodeError::OtherChain { genesis, given, found }) }
}

/// Refuses a log that ends before the index does, or in another block.
fn check_lost(index: &Index, ends: Ends) -> Result<(), NodeError> {
    let (log, last) = ends.map_or((0, None), |(_, height, digest)| (height, Some(digest)));
    match index.head() {
        Ok(Some((height, digest))) if height > log || (height == log && last != Some(digest)) => {
            Err(NodeError::LostBlock { log, index: height })
        }
        // Behind, empty, or unreadable: it proves nothing.
        _ => Ok(()),
    }
}

/// Opens the index and makes it anew from the log unless it agrees with it. One that cannot be opened for another reason
/// than damage stays as it is: it may be the evidence of a lost block.
fn open_index(dir: &Path, ends: Ends, log: &LogReader) -> Result<Index, NodeError> {
    match Index::open(dir) {
        Ok(index) => {
            check_lost(&index, ends)?;
            match agrees(&index, ends) {
                Ok(true) => return Ok(index),
                Err(error) if !error.is_damage() => return Err(error.into()),
                // Closed again before its directory is removed.
                _ => drop(index),
            }
        }
        Err(error) if !error.is_damage() => return Err(error.into()),
        Err(_) => {}
    }
    let index = Index::recreate(dir)?;
    let Some((first, last, _)) = ends else { return Ok(index) };
    for (record, height) in (first..=last).enumerate() {
        let payload = log.read(height)?.expect("it was read through");
        let sealed = SealedBlock::from_bytes(&payload).map_err(|error| NodeError::Codec { record, error })?;
        apply(&index, &sealed.block)?;
    }
    Ok(index)
}

#[cfg(test)]
pub(super) mod tests;
