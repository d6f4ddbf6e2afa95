//! The censorship rule (protocol notes, section 5): "parties refuse headers that omit, after d positions, a valid bundle
//! known to them".

use super::Pool;
use primitives::{Digest, ShardIndex};
use std::collections::BTreeSet;

/// d: so many batches may become final without a bundle before a party that knows it refuses to sign one more. Every
/// party has led twice by then.
pub(in crate::party) const OMISSION_BOUND: u64 = 6;

impl Pool {
    /// The next position of a shard. Whatever was dropped before is not counted any more.
    pub(in crate::party) fn reached(&mut self, shard: ShardIndex, position: u64) {
        self.positions[shard.0 as usize] = position;
        self.aside[shard.0 as usize].clear();
    }

    /// Bundles that a header of these must not leave out, at the next position of the shard, and does.
    ///
    /// A batch with room for `room` bundles has none left for one that came later than those that fill it. Parties do
    /// not get bundles in one order, so that "later" is as many positions later as a bundle may wait: a leader that
    /// takes the oldest first is never refused, and one that prefers others runs out of them.
    pub(in crate::party) fn omitted(&self, shard: ShardIndex, ids: &[Digest], room: usize) -> Vec<Digest> {
        let position = self.positions[shard.0 as usize];
        let since = |id: &Digest| self.held.get(id).map_or(position, |held| held.since);
        let youngest = ids.iter().map(since).max();
        let excused = |since: u64| ids.len() >= room && youngest.is_some_and(|y| y <= since + OMISSION_BOUND);
        let inside: BTreeSet<_> = ids.iter().collect();
        let overdue = |id: &&Digest| {
            let since = since(id);
            since + OMISSION_BOUND <= position
                && !inside.contains(id)
                && !self.struck.contains_key(*id)
                && !excused(since)
        };
        self.waiting(shard).iter().filter(overdue).take(room).copied().collect()
    }
}
