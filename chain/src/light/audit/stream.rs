//! What is published of an epoch's bundles as one stream of bytes, `statements.bin`: read and written a batch at a time.
//!
//! The stream names its format, chain and epoch. Then come all batches, by shard and position: shard, position, number of
//! bundles, and each bundle's canonical bytes after their length. Numbers are those of the project's codec.

use super::Batch;
use primitives::{ChainId, Decode, Encode, EpochId, Reader, ShardIndex, Writer, limits};
use proofs::bundle::Published;
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};
use thiserror::Error;

/// What a stream begins with.
const FORMAT: &[u8; 17] = b"cwe/v1/statements";
/// Shard, position and number of bundles.
const HEAD_BYTES: u64 = 4 + 8 + 4;

/// Why a stream cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// It cannot be read at all.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// It is something else.
    #[error("does not begin as published statements do")]
    Format,
    /// It is of another epoch.
    #[error(
        "is of epoch {found_epoch} of chain {found_chain}, and the record of epoch {epoch} of chain {chain}"
    )]
    OtherEpoch {
        /// Chain of the record.
        chain: ChainId,
        /// Epoch of the record.
        epoch: EpochId,
        /// Chain of the stream.
        found_chain: ChainId,
        /// Epoch of the stream.
        found_epoch: EpochId,
    },
    /// It ends in the middle of something.
    #[error("ends too early, in batch {position} of shard {shard} or right after it")]
    CutOff {
        /// The shard.
        shard: ShardIndex,
        /// Position of the last batch that was begun.
        position: u64,
    },
    /// A number is beyond its limit.
    #[error("batch {position} of shard {shard}: {found} {what} are more than the {limit} that there may be")]
    TooMany {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
        /// Of what.
        what: &'static str,
        /// How many.
        found: u32,
        /// The limit.
        limit: usize,
    },
}

/// Begins a stream.
pub fn begin(out: &mut impl Write, (chain, epoch): (ChainId, EpochId)) -> io::Result<()> {
    out.write_all(FORMAT)?;
    out.write_all(&chain.to_bytes())?;
    out.write_all(&epoch.to_bytes())
}

/// Writes a batch. Batches come by shard and position.
pub fn write_batch(
    out: &mut impl Write,
    (shard, position): (ShardIndex, u64),
    published: &[Arc<Published>],
) -> io::Result<()> {
    let mut w = Writer::default();
    shard.encode(&mut w);
    position.encode(&mut w);
    w.count(published.len());
    out.write_all(&w.finish())?;
    for bundle in published {
        let mut w = Writer::default();
        w.bytes(&bundle.to_bytes());
        out.write_all(&w.finish())?;
    }
    Ok(())
}

/// The batches of a stream. Nothing more comes after an error.
pub struct Batches<R> {
    from: R,
    /// The batch that was begun last.
    last: (ShardIndex, u64),
    over: bool,
}

impl<R: Read> Batches<R> {
    /// Reads the beginning, which is to name this chain and epoch.
    pub fn open(mut from: R, (chain, epoch): (ChainId, EpochId)) -> Result<Self, StreamError> {
        let begin = |error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => StreamError::Format,
            _ => StreamError::Io(error),
        };
        let mut format = [0; FORMAT.len()];
        from.read_exact(&mut format).map_err(begin)?;
        if format != *FORMAT {
            return Err(StreamError::Format);
        }
        let mut named = [0; 16];
        from.read_exact(&mut named).map_err(begin)?;
        let mut r = Reader::new(&named);
        let read = (ChainId::decode(&mut r), EpochId::decode(&mut r));
        let (Ok(found_chain), Ok(found_epoch)) = read else { return Err(StreamError::Format) };
        if (found_chain, found_epoch) != (chain, epoch) {
            return Err(StreamError::OtherEpoch { chain, epoch, found_chain, found_epoch });
        }
        Ok(Self { from, last: (ShardIndex(0), 0), over: false })
    }

    /// The next batch; `None` at the end of the stream.
    fn read(&mut self) -> Result<Option<Batch>, StreamError> {
        let mut head = Vec::new();
        self.from.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(StreamError::Io)?;
        // The stream ends here or nowhere.
        if head.is_empty() {
            return Ok(None);
        }
        let mut r = Reader::new(&head);
        let read = (ShardIndex::decode(&mut r), u64::decode(&mut r), u32::decode(&mut r));
        let (Ok(shard), Ok(position), Ok(count)) = read else { return Err(self.cut_off()) };
        self.last = (shard, position);
        let count = self.within("bundles", count, limits::MAX_BATCH)?;
        let statements = (0..count).map(|_| self.statement()).collect::<Result<_, _>>()?;
        Ok(Some(Batch { shard, position, statements }))
    }

    fn statement(&mut self) -> Result<Vec<u8>, StreamError> {
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length =
            self.within("bytes of a bundle", u32::from_le_bytes(length), limits::MAX_BUNDLE_BYTES)?;
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), StreamError> {
        self.from.read_exact(into).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.cut_off(),
            _ => StreamError::Io(error),
        })
    }

    fn cut_off(&self) -> StreamError {
        let (shard, position) = self.last;
        StreamError::CutOff { shard, position }
    }

    fn within(&self, what: &'static str, found: u32, limit: usize) -> Result<usize, StreamError> {
        let (shard, position) = self.last;
        if found as usize > limit {
            return Err(StreamError::TooMany { shard, position, what, found, limit });
        }
        Ok(found as usize)
    }
}

impl<R: Read> Iterator for Batches<R> {
    type Item = Result<Batch, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read().transpose();
        self.over = !matches!(read, Some(Ok(_)));
        read
    }
}
