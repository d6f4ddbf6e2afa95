//! What an audit may find, one variant for each rule.

use primitives::{CodecError, Digest, PartyId, ShardIndex, Tier};
use proofs::{bundle::BundleError, wire::WirePoint};
use std::fmt;
use thiserror::Error;

/// Where a bundle stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The shard.
    pub shard: ShardIndex,
    /// Position of the batch.
    pub position: u64,
    /// Place in the batch, from 0.
    pub place: u32,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, position, place } = self;
        write!(f, "bundle {place} of batch {position} of shard {shard}")
    }
}

/// Something of the published bundles that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Finding {
    /// Nothing is published of a batch.
    #[error("batch {position} of shard {shard}: nothing is published of it in its place")]
    Missing {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
    },
    /// A batch that the record does not have, or that comes twice or out of order.
    #[error(
        "batch {position} of shard {shard}: is not of this record, is there twice, or comes after a later one"
    )]
    Unexpected {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
    },
    /// More or fewer bundles than the header counts.
    #[error(
        "batch {position} of shard {shard}: {found} bundles are published, and its header counts {expected}"
    )]
    Count {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
        /// By the header.
        expected: u32,
        /// Published.
        found: usize,
    },
    /// The published bundles are not those under the header's root, or not in their order.
    #[error("batch {position} of shard {shard}: the root over the published bundles is not its header's")]
    BatchRoot {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
    },
    /// The running commitments are not those before with the batch added.
    #[error(
        "batch {position} of shard {shard}: its header's running commitments are not those before it with its bundles \
         added"
    )]
    Running {
        /// The shard.
        shard: ShardIndex,
        /// Position of the batch.
        position: u64,
    },
    /// A leaf is of bytes that are no bundle's.
    #[error("{at}, {id}: what is published of it cannot be read: {error}")]
    Unreadable {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// Why.
        error: CodecError,
    },
    /// A bundle was accepted that does not hold.
    #[error("{at}, {id}: {error}")]
    Bundle {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// The rule that it breaks.
        error: BundleError,
    },
    /// An event was counted twice.
    #[error("{at}, {id}: its event {event} was counted in {first} already")]
    Replay {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// Place of the event.
        event: usize,
        /// Where it was before.
        first: At,
    },
    /// A receipt was spent twice.
    #[error("{at}, {id}: its receipt {receipt} was spent in {first} already")]
    SpentReceipt {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// Place of the receipt.
        receipt: usize,
        /// Where it was before.
        first: At,
    },
    /// An ephemeral was used twice.
    #[error("{at}, {id}: its ephemeral of share {share} was used in {first} already")]
    ReusedEphemeral {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// Which share.
        share: PartyId,
        /// Where it was before.
        first: At,
    },
    /// Two bundles of a subscriber go on from the same sum: each could have the whole cap for itself.
    #[error("{at}, {id}: it goes on from the same sum of its subscriber's value as {first}")]
    Branch {
        /// Where.
        at: At,
        /// The leaf.
        id: Digest,
        /// The other one.
        first: At,
    },
    /// A subscriber has more bundles than the tier allows.
    #[error("subscriber {key}: {found} bundles, and tier {tier} allows {limit}")]
    TooManyBundles {
        /// Key of the subscriber.
        key: WirePoint,
        /// The tier, that of the most bundles if there are several.
        tier: Tier,
        /// The limit.
        limit: u16,
        /// Bundles.
        found: usize,
    },
    /// A tier has more subscribers than subscriptions were sold.
    #[error(
        "tier {tier}: {found} subscribers, and {sold} subscriptions were on record when the epoch opened"
    )]
    Unsold {
        /// The tier.
        tier: Tier,
        /// Subscriptions on record.
        sold: u64,
        /// Subscribers.
        found: usize,
    },
}

impl Finding {
    /// Whether it is that a published bundle does not hold by itself.
    pub fn is_of_a_proof(&self) -> bool {
        matches!(self, Self::Bundle { .. })
    }
}
