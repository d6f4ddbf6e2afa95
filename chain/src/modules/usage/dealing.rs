//! Dealing: which works of an epoch share a shard (protocol notes, section 1).
//!
//! A work is dealt to a shard by the beacon of the first epoch that it takes part in, so whoever registers it before the
//! parties reveal cannot choose whom it shares a shard with. There it stays: what is carried over of it is a commitment
//! over that shard's bases, and a bundle of another shard cannot add to it. Nobody knows of which works nothing is
//! carried, so none ever moves. A work that takes no part any more rests in its shard with what is carried of it.

use super::Opening;
use primitives::{Digest, Domain, ShardIndex, WorkId, WorkIndex, hash, limits};
use proofs::shard::{Shard, ShardError};
use std::collections::BTreeSet;

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

/// Deals works, given by ascending identifier, each with the shard where it is at home if it was dealt before. The
/// others go, in the order of a hash under the beacon key, each to a shard with the fewest works, so that shards without
/// a past differ by one work at most: one with the few works that are left would say of each of its bundles that it is
/// of one of them.
pub(crate) fn deal(key: &Digest, works: &[(WorkId, Option<ShardIndex>)], width: u16) -> Vec<ShardIndex> {
    let at_home = works.iter().filter_map(|(_, home)| *home);
    let known = at_home.clone().map(|home| home.0 as usize + 1).max().unwrap_or(0);
    let mut sizes = vec![0usize; known.max(shard_count(works.len(), width))];
    at_home.for_each(|home| sizes[home.0 as usize] += 1);
    let mut shards: Vec<_> = works.iter().map(|(_, home)| home.unwrap_or_default()).collect();
    let new = (0..works.len()).filter(|place| works[*place].1.is_none());
    let mut order: Vec<(Digest, usize)> =
        new.map(|place| (hash::hash(Domain::Dealing, &[&key.0, &works[place].0.0]), place)).collect();
    order.sort_unstable();
    for (_, place) in order {
        let shard = (0..sizes.len()).min_by_key(|shard| sizes[*shard]).expect("there is a work, so a shard");
        sizes[shard] += 1;
        shards[place] = ShardIndex(shard as u32);
    }
    shards
}

impl Opening {
    /// Number of shards of the epoch.
    pub fn shard_count(&self) -> usize {
        self.works.iter().map(|listed| listed.shard.0 as usize + 1).max().unwrap_or(0)
    }

    /// Whether the epoch has this shard.
    pub fn has_shard(&self, shard: ShardIndex) -> bool {
        usize::try_from(shard.0).is_ok_and(|shard| shard < self.shard_count())
    }

    /// For each shard, the places of its works in [`Opening::works`], in the order of their indices.
    pub fn deal(&self) -> Vec<Vec<usize>> {
        let mut shards = vec![Vec::new(); self.shard_count()];
        for (place, listed) in self.works.iter().enumerate() {
            shards[listed.shard.0 as usize].push(place);
        }
        shards
    }

    /// Indices of a shard's works that rest: nothing of them is published or paid.
    pub fn resting(&self, shard: ShardIndex) -> BTreeSet<WorkIndex> {
        let works = self.works.iter().filter(|listed| listed.shard == shard);
        (0..).map(WorkIndex).zip(works).filter(|(_, listed)| listed.resting).map(|(index, _)| index).collect()
    }

    /// The epoch's shards, 1 to [`limits::MAX_SHARDS`], which hold every work once.
    ///
    /// Fails if there is no work, if works are not in order, if a shard has none, or if width or number of the shards is
    /// out of bounds.
    pub fn shards(&self) -> Result<Vec<Shard>, ShardError> {
        let (works, width, count) = (self.works.len(), self.shard_width, self.shard_count());
        check_shards(works, width)?;
        if count > limits::MAX_SHARDS {
            return Err(ShardError::TooManyShards { works, width, count });
        }
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

    fn works(count: u16) -> Vec<(WorkId, Option<ShardIndex>)> {
        let id = |n: u16| {
            let mut id = [0; 32];
            id[..2].copy_from_slice(&n.to_be_bytes());
            WorkId(id)
        };
        (0..count).map(|n| (id(n), None)).collect()
    }

    fn sizes(dealt: &[ShardIndex]) -> Vec<usize> {
        let shards: BTreeSet<_> = dealt.iter().collect();
        shards.iter().map(|shard| dealt.iter().filter(|s| *s == *shard).count()).collect()
    }

    #[test]
    fn every_work_is_dealt_and_no_shard_is_small() {
        for (count, width) in [(1, 4), (16, 16), (17, 16), (33, 16), (100, 16), (4096, 4096), (4097, 4096)] {
            let sizes = sizes(&deal(&Digest([1; 32]), &works(count), width));
            assert_eq!(sizes.len(), usize::from(count).div_ceil(usize::from(width)));
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1 && *most <= usize::from(width), "{count} works: {sizes:?}");
        }
    }

    #[test]
    fn the_beacon_decides_who_shares_a_shard() {
        let works = works(48);
        let (one, other) = (deal(&Digest([1; 32]), &works, 16), deal(&Digest([2; 32]), &works, 16));
        assert_eq!(one, deal(&Digest([1; 32]), &works, 16));
        assert_ne!(one, other);
    }

    #[test]
    fn a_work_stays_in_its_shard_and_new_ones_fill_up() {
        let mut works = works(48);
        let first = deal(&Digest([1; 32]), &works[..20], 16);
        works.iter_mut().zip(&first).for_each(|((_, home), shard)| *home = Some(*shard));
        let second = deal(&Digest([2; 32]), &works, 16);
        assert_eq!(second[..20], first);
        assert_eq!(sizes(&second), [16, 16, 16]);
        let narrower = deal(&Digest([2; 32]), &works[..20], 64);
        assert_eq!(narrower, first, "a wider width moves nothing");
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
