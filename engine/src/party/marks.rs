//! Sets of what is used up: tags of events, receipts. They are the only thing a party remembers of every single event, so
//! where they are kept is the host's to say.

use primitives::Digest;
use std::collections::BTreeSet;

/// A set of marks.
pub trait Marks: Send {
    /// Whether a mark is in it. A set that cannot tell says that it is: nothing is counted then that was counted before.
    fn contains(&self, mark: &Digest) -> bool;
    /// Puts a mark in.
    fn insert(&mut self, mark: &Digest);
    /// Takes a mark out.
    fn remove(&mut self, mark: &Digest);
}

/// A set in memory.
impl Marks for BTreeSet<Digest> {
    fn contains(&self, mark: &Digest) -> bool {
        Self::contains(self, mark)
    }

    fn insert(&mut self, mark: &Digest) {
        Self::insert(self, *mark);
    }

    fn remove(&mut self, mark: &Digest) {
        Self::remove(self, mark);
    }
}

/// Where a party keeps the tags of an epoch, and the receipts that are spent in it.
pub struct MarkSets {
    /// Tags.
    pub tags: Box<dyn Marks>,
    /// Receipts.
    pub receipts: Box<dyn Marks>,
}

impl Default for MarkSets {
    /// In memory.
    fn default() -> Self {
        Self { tags: Box::new(BTreeSet::new()), receipts: Box::new(BTreeSet::new()) }
    }
}
