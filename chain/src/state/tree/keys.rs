//! From keys, in their order as integers, to positions.

use crate::poseidon::Felt;
use ark_ff::PrimeField;
use std::{collections::BTreeMap, sync::Arc};

type Map = BTreeMap<<Felt as PrimeField>::BigInt, u32>;

/// New keys that may wait beside a map that clones still share, before the map is copied after all.
const MOST_FRESH: usize = 4096;

/// A growing ordered map that clones share. While a clone lives, new keys go to a small map of one's own, and move
/// to the big one when it is shared no more.
#[derive(Clone, Default)]
pub(super) struct KeyIndex {
    shared: Arc<Map>,
    fresh: Map,
}

impl KeyIndex {
    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, key: Felt, position: u32) {
        self.fresh.insert(key.into_bigint(), position);
        // Copying a map of n keys at most every n/4 insertions keeps the cost of one at a constant number of copies.
        let outgrown = self.fresh.len() > MOST_FRESH.max(self.shared.len() / 4);
        if outgrown {
            Arc::make_mut(&mut self.shared).append(&mut self.fresh);
        } else if let Some(map) = Arc::get_mut(&mut self.shared) {
            while let Some((key, position)) = self.fresh.pop_first() {
                map.insert(key, position);
            }
        }
    }

    /// Position of the largest key that is not above `key`. The sentinel's is below all.
    pub(super) fn at_or_below(&self, key: Felt) -> u32 {
        let key = key.into_bigint();
        let last = |map: &Map| map.range(..=key).next_back().map(|(key, position)| (*key, *position));
        let (_, position) =
            last(&self.shared).max(last(&self.fresh)).expect("the sentinel's key is not above any");
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_are_found_while_the_map_is_shared_and_after() {
        let mut a = KeyIndex::default();
        for i in 0..10u32 {
            a.insert(Felt::from(10 * i), i);
        }
        let mut b = a.clone();
        b.insert(Felt::from(15), 100);
        assert_eq!((a.at_or_below(Felt::from(17)), b.at_or_below(Felt::from(17))), (1, 100));
        assert_eq!(b.fresh.len(), 1);
        drop(a);
        b.insert(Felt::from(25), 101);
        assert!(b.fresh.is_empty());
        let found = [15, 19, 20, 25, 29, 30].map(|key| b.at_or_below(Felt::from(key)));
        assert_eq!(found, [100, 100, 2, 101, 101, 3]);
    }

    #[test]
    fn a_clone_that_stays_does_not_let_the_small_map_grow_without_bound() {
        let mut a = KeyIndex::default();
        a.insert(Felt::from(0), 0);
        let stays = a.clone();
        for i in 1..10_000u32 {
            a.insert(Felt::from(i), i);
        }
        assert!(a.fresh.len() <= MOST_FRESH);
        assert_eq!((a.at_or_below(Felt::from(9_000)), stays.at_or_below(Felt::from(9_000))), (9_000, 0));
    }
}
