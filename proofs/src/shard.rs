//! A shard of an epoch's registry snapshot: the works that one bundle can speak of.

use primitives::{
    CodecError, Decode, Digest, Domain, Encode, Reader, ShardIndex, WorkId, WorkIndex, Writer, hash, limits,
};
use thiserror::Error;

/// Why a list of works is not a shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShardError {
    /// A shard needs a work.
    #[error("a shard needs at least one work")]
    Empty,
    /// More works than six base-4 digits can name.
    #[error("{count} works are more than a shard holds ({limit})", limit = limits::MAX_SHARD_WIDTH)]
    TooManyWorks {
        /// Works given.
        count: usize,
    },
    /// An epoch whose shards would hold fewer or more works than a shard may.
    #[error("a shard holds {min} to {max} works, not {width}", min = limits::MIN_SHARD_WIDTH, max = limits::MAX_SHARD_WIDTH)]
    Width {
        /// Width asked for.
        width: u16,
    },
    /// More shards than an epoch may have. Wider ones hold as many works as the registry takes.
    #[error("{works} works are {count} shards of {width}, more than an epoch has ({limit})", limit = limits::MAX_SHARDS)]
    TooManyShards {
        /// Works given.
        works: usize,
        /// Width asked for.
        width: u16,
        /// Shards that this would take.
        count: usize,
    },
    /// Works are listed by ascending identifier, each once.
    #[error("work {work} is listed twice or out of order")]
    NotSorted {
        /// The later of the two.
        work: WorkId,
    },
}

/// Up to 4,096 works in ascending order of their identifiers, padded to a power of four.
///
/// The width `W = 4^d` is the smallest that holds the works. Indices from the number of works on are padding: they
/// have bases of their own, and whatever is counted there weighs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    index: ShardIndex,
    works: Vec<WorkId>,
    digits: usize,
}

impl Shard {
    /// A shard of `works`, which must be sorted and distinct.
    pub fn new(index: ShardIndex, works: Vec<WorkId>) -> Result<Self, ShardError> {
        if works.is_empty() {
            return Err(ShardError::Empty);
        }
        if works.len() > limits::MAX_SHARD_WIDTH {
            return Err(ShardError::TooManyWorks { count: works.len() });
        }
        if let Some(pair) = works.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(ShardError::NotSorted { work: pair[1] });
        }
        let digits = (1..).find(|d| 1 << (2 * d) >= works.len()).expect("some power of four is large enough");
        Ok(Self { index, works, digits })
    }

    /// Number of this shard in the epoch.
    pub fn index(&self) -> ShardIndex {
        self.index
    }

    /// The works, in order of their index.
    pub fn works(&self) -> &[WorkId] {
        &self.works
    }

    /// Base-4 digits of a work index, 1 to 6.
    pub fn digits(&self) -> usize {
        self.digits
    }

    /// Width `W = 4^digits`, padding included.
    pub fn width(&self) -> usize {
        1 << (2 * self.digits)
    }

    /// Index of a work, if it is in this shard.
    pub fn position(&self, work: &WorkId) -> Option<WorkIndex> {
        self.works.binary_search(work).ok().map(|i| WorkIndex(i as u16))
    }

    /// Digest that proofs and records are bound to.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Shard, &[&self.to_bytes()])
    }
}

impl Encode for Shard {
    fn encode(&self, w: &mut Writer) {
        self.index.encode(w);
        w.seq(&self.works);
    }
}

impl Decode for Shard {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::new(ShardIndex::decode(r)?, r.seq(limits::MAX_SHARD_WIDTH)?)
            .map_err(|_| CodecError::Invalid { what: "shard" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn works(n: u16) -> Vec<WorkId> {
        (0..n)
            .map(|i| {
                let mut id = [0; 32];
                id[..2].copy_from_slice(&i.to_be_bytes());
                WorkId(id)
            })
            .collect()
    }

    #[test]
    fn the_width_is_the_smallest_power_of_four() {
        for (n, width) in [(1, 4), (4, 4), (5, 16), (256, 256), (257, 1024), (4096, 4096)] {
            let shard = Shard::new(ShardIndex(0), works(n)).unwrap();
            assert_eq!(shard.width(), width);
            assert_eq!(Shard::from_bytes(&shard.to_bytes()), Ok(shard));
        }
    }

    #[test]
    fn lists_that_are_no_shard_are_refused() {
        assert_eq!(Shard::new(ShardIndex(0), vec![]), Err(ShardError::Empty));
        assert_eq!(Shard::new(ShardIndex(0), works(4097)), Err(ShardError::TooManyWorks { count: 4097 }));
        let mut twice = works(3);
        twice[2] = twice[1];
        assert_eq!(Shard::new(ShardIndex(0), twice.clone()), Err(ShardError::NotSorted { work: twice[1] }));
    }
}
