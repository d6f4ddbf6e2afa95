//! What a bundle shows that is there once in an epoch, over all shards.

use crate::bundle::Published;
use primitives::{Digest, Domain, hash};

impl Published {
    /// How parties remember the receipts that it spends, in order.
    pub fn spent_receipts(&self) -> Vec<Digest> {
        let spent = |region| self.receipts.iter().map(|r| r.spent(region, &self.envelope.key)).collect();
        self.envelope.region.0.map(spent).unwrap_or_default()
    }

    /// The place that it takes in its subscriber's chain of `Cum`: two that go on from the same are two branches.
    pub fn branch(&self) -> Digest {
        hash::hash(Domain::Branch, &[&self.envelope.key.0, &self.previous.0])
    }

    /// All that no other bundle of the epoch may show, of whatever shard: receipts, ephemerals, and the place in the chain
    /// of `Cum`. Tags are of one shard, and not among them.
    pub fn marks(&self) -> Vec<Digest> {
        let ephemerals = self.ephemerals.iter().map(|ephemeral| Digest(ephemeral.0));
        self.spent_receipts().into_iter().chain(ephemerals).chain([self.branch()]).collect()
    }
}
