//! Dealing: which works of an epoch share a shard (protocol notes, section 1).
//!
//! Whoever knows the opening knows the dealing, so parties, devices, the ledger and a light client come to the same
//! shards without being told. It follows from the beacon, so whoever registers a work before the parties reveal cannot
//! choose whom it shares a shard with.
//!
//! Works are dealt anew in every epoch. Once cells below the threshold are carried over, a work has to keep its shard
//! while a residual of it exists: a residual is a commitment over that shard's bases, and a bundle of another shard
//! cannot add to it. Until then every cell is opened, and nothing has to stick.

use super::Opening;
use primitives::{Digest, Domain, ShardIndex, WorkId, hash, limits};
use proofs::shard::{Shard, ShardError};

/// Number of shards that so many works make, of at most `width` works each.
pub fn shard_count(works: usize, width: u16) -> usize {
    works.div_ceil(usize::from(width.max(1)))
}

/// Number of shards that an epoch over so many works has, if `width` and that number are within their bounds, and there
/// is a work.
pub fn check_shards(works: usize, width: u16) -> Result<usize, ShardError> {
    if !(limits::MIN_SHARD_WIDTH..=limits::MAX_SHARD_WIDTH).contains(&usize::from(width)) {
        return Err(ShardError::Width { width });
    }
    match shard_count(works, width) {
        0 => Err(ShardError::Empty),
        count if count > limits::MAX_SHARDS => Err(ShardError::TooManyShards { works, width, count }),
        count => Ok(count),
    }
}

/// Deals works, given by ascending identifier, to shards of at most `width` works: for each shard the places of its
/// works in the list, ascending.
///
/// The works are put in the order of a hash under the beacon key, and cut into runs that differ by one work at most. A
/// last shard with the few works that are left would say of each of its bundles that it is of one of them.
fn deal(key: &Digest, works: &[WorkId], width: u16) -> Vec<Vec<usize>> {
    let mut order: Vec<(Digest, usize)> = (0..)
        .zip(works)
        .map(|(place, work)| (hash::hash(Domain::Dealing, &[&key.0, &work.0]), place))
        .collect();
    order.sort_unstable();
    let shards = shard_count(works.len(), width);
    let mut rest = order.as_slice();
    (0..shards)
        .map(|shard| {
            let (run, after) = rest.split_at(rest.len().div_ceil(shards - shard));
            rest = after;
            let mut places: Vec<usize> = run.iter().map(|(_, place)| *place).collect();
            places.sort_unstable();
            places
        })
        .collect()
}

impl Opening {
    /// Number of shards of the epoch.
    pub fn shard_count(&self) -> usize {
        shard_count(self.works.len(), self.shard_width)
    }

    /// Whether the epoch has this shard.
    pub fn has_shard(&self, shard: ShardIndex) -> bool {
        usize::try_from(shard.0).is_ok_and(|shard| shard < self.shard_count())
    }

    /// For each shard, the places of its works in [`Opening::works`], in the order of their indices.
    pub fn deal(&self) -> Vec<Vec<usize>> {
        let works: Vec<WorkId> = self.works.iter().map(|listed| listed.work).collect();
        deal(&self.key, &works, self.shard_width)
    }

    /// The shard of each work, in the order of [`Opening::works`].
    pub fn shard_of_each(&self) -> Vec<ShardIndex> {
        let mut shards = vec![ShardIndex(0); self.works.len()];
        for (shard, places) in (0..).map(ShardIndex).zip(self.deal()) {
            places.into_iter().for_each(|place| shards[place] = shard);
        }
        shards
    }

    /// The epoch's shards, 1 to [`limits::MAX_SHARDS`], which hold every work once.
    ///
    /// Fails if there is no work, if works are not in order, or if width or number of the shards is out of bounds.
    pub fn shards(&self) -> Result<Vec<Shard>, ShardError> {
        check_shards(self.works.len(), self.shard_width)?;
        if let Some(pair) = self.works.windows(2).find(|pair| pair[0].work >= pair[1].work) {
            return Err(ShardError::NotSorted { work: pair[1].work });
        }
        let shard = |(index, places): (u32, Vec<usize>)| {
            Shard::new(ShardIndex(index), places.iter().map(|place| self.works[*place].work).collect())
        };
        (0..).zip(self.deal()).map(shard).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn works(count: u16) -> Vec<WorkId> {
        let id = |n: u16| {
            let mut id = [0; 32];
            id[..2].copy_from_slice(&n.to_be_bytes());
            WorkId(id)
        };
        (0..count).map(id).collect()
    }

    #[test]
    fn every_work_is_dealt_once_and_no_shard_is_small() {
        for (count, width) in [(1, 4), (16, 16), (17, 16), (33, 16), (100, 16), (4096, 4096), (4097, 4096)] {
            let dealt = deal(&Digest([1; 32]), &works(count), width);
            assert_eq!(dealt.len(), usize::from(count).div_ceil(usize::from(width)));
            let all: BTreeSet<usize> = dealt.iter().flatten().copied().collect();
            assert_eq!((all.len(), dealt.concat().len()), (usize::from(count), usize::from(count)));
            let sizes: BTreeSet<usize> = dealt.iter().map(Vec::len).collect();
            let (least, most) = (sizes.first().expect("a shard"), sizes.last().expect("a shard"));
            assert!(most - least <= 1 && *most <= usize::from(width), "{count} works: {sizes:?}");
            assert!(dealt.iter().all(|places| places.is_sorted()));
        }
    }

    #[test]
    fn the_beacon_decides_who_shares_a_shard() {
        let works = works(48);
        let (one, other) = (deal(&Digest([1; 32]), &works, 16), deal(&Digest([2; 32]), &works, 16));
        assert_eq!(one, deal(&Digest([1; 32]), &works, 16));
        assert_ne!(one, other);
        let whole = deal(&Digest([1; 32]), &works, 48);
        assert_eq!(whole, deal(&Digest([2; 32]), &works, 48), "one shard holds all works in their order");
    }

    #[test]
    fn widths_and_numbers_of_shards_have_bounds() {
        for width in [0, 3, 4_097] {
            assert_eq!(check_shards(1, width), Err(ShardError::Width { width }));
        }
        assert_eq!(check_shards(0, 4), Err(ShardError::Empty));
        assert_eq!(check_shards(256, 4), Ok(limits::MAX_SHARDS));
        let too_many = ShardError::TooManyShards { works: 257, width: 4, count: 65 };
        assert_eq!(check_shards(257, 4), Err(too_many));
        assert_eq!(check_shards(limits::MAX_WORKS, 4_096), Ok(limits::MAX_SHARDS));
    }
}
