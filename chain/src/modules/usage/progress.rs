//! How far each shard of an epoch is: its chain of headers, its root, its totals.

use primitives::{Digest, Domain, Encode, Writer, codec_struct, hash};
use proofs::tally::SignedRoot;

/// How far a shard of an epoch is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardProgress {
    /// Anchored headers.
    pub batches: u64,
    /// Bundles in them.
    pub bundles: u64,
    /// Digest of the last header, or of nothing.
    pub last: Digest,
    /// Hash chain over the headers with the signatures under which they were anchored.
    pub anchors: Digest,
    /// The frozen root.
    pub root: Option<SignedRoot>,
    /// Digest of the shard's [`super::Aggregate`].
    pub aggregate: Option<Digest>,
}

codec_struct!(ShardProgress { batches, bundles, last, anchors, root, aggregate });

impl ShardProgress {
    /// Digest of the frozen root.
    pub(super) fn root_digest(&self) -> Option<Digest> {
        self.root.as_ref().map(|root| hash::hash(Domain::EpochRoot, &[&root.to_bytes()]))
    }
}

/// One digest for what an epoch has in each of its shards: of one shard it is that shard's, of several it is their
/// hash. How many there are follows from the opening, so neither can be taken for the other.
pub(super) fn joint(of_each: &[Digest]) -> Digest {
    match of_each {
        [only] => *only,
        several => hash::hash(Domain::Shards, &[&several.iter().flat_map(|d| d.0).collect::<Vec<u8>>()]),
    }
}

/// The same for what shards come to have one after the other; nothing as long as none has it.
pub(super) fn joint_so_far(of_each: &[Option<Digest>]) -> Option<Digest> {
    match of_each {
        [only] => *only,
        several if several.iter().all(Option::is_none) => None,
        several => {
            let mut w = Writer::default();
            several.iter().for_each(|digest| digest.encode(&mut w));
            Some(hash::hash(Domain::Shards, &[&w.finish()]))
        }
    }
}
