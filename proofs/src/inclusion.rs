//! Final receipts: a bundle is in a batch that the chain has anchored (protocol notes, section 5). A device checks one
//! against the header on record, and needs nobody's word for it.

use crate::tally::BatchHeader;
use primitives::{
    ChainId, CodecError, Decode, Digest, Encode, EpochId, Reader, ShardIndex, Writer, limits, merkle,
};
use thiserror::Error;

/// Most hashes of a path: a batch has at most this many levels.
const MAX_PATH: usize = limits::MAX_BATCH.ilog2() as usize;

const _: () = assert!(1 << MAX_PATH == limits::MAX_BATCH, "a path leads through every level of a full batch");

/// A Merkle path from a bundle to the root of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Chain that anchored the batch.
    pub chain: ChainId,
    /// Epoch of the bundle.
    pub epoch: EpochId,
    /// Shard of the bundle.
    pub shard: ShardIndex,
    /// Position of the batch in the shard's chain of batches.
    pub position: u64,
    /// The bundle's identifier.
    pub bundle: Digest,
    /// Its place in the batch.
    pub index: u32,
    /// Hashes beside the way from the bundle up to the root.
    pub path: Vec<Digest>,
}

/// Why a receipt does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InclusionError {
    /// The header is of another chain, epoch, shard or position.
    #[error("the header is of another place than the receipt")]
    OtherPlace,
    /// The path does not lead from the bundle to the root of the batch.
    #[error("the path does not lead from the bundle to the root of its batch")]
    Path,
}

/// Merkle root over the bundles of a batch, in order.
pub fn batch_root(bundles: &[Digest]) -> Digest {
    merkle::root(&leaves(bundles))
}

fn leaves(bundles: &[Digest]) -> Vec<Digest> {
    bundles.iter().map(|id| merkle::leaf(&id.0)).collect()
}

/// A batch that the chain has anchored: where it is, and its bundles by name. Every final receipt of them follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalBatch {
    chain: ChainId,
    epoch: EpochId,
    shard: ShardIndex,
    position: u64,
    bundles: Vec<Digest>,
}

impl FinalBatch {
    /// The batch of a header, with the bundles whose root the header has, in order.
    pub fn new(header: &BatchHeader, bundles: Vec<Digest>) -> Self {
        let BatchHeader { chain, epoch, shard, position, .. } = *header;
        Self { chain, epoch, shard, position, bundles }
    }

    /// Its shard.
    pub fn shard(&self) -> ShardIndex {
        self.shard
    }

    /// Its position in the shard's chain of batches.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Names of its bundles, in order.
    pub fn bundles(&self) -> &[Digest] {
        &self.bundles
    }

    /// The receipt of the bundle at a place, if there is one. It takes a hash or two for each bundle of the batch.
    pub fn receipt(&self, index: usize) -> Option<Inclusion> {
        let Self { chain, epoch, shard, position, ref bundles } = *self;
        let bundle = *bundles.get(index)?;
        let (path, index) = (merkle::path(&leaves(bundles), index), u32::try_from(index).ok()?);
        Some(Inclusion { chain, epoch, shard, position, bundle, index, path })
    }
}

impl Inclusion {
    /// Checks the receipt against a header, which is to come from the record: that the header is anchored is the
    /// record's to show.
    pub fn verify(&self, header: &BatchHeader) -> Result<(), InclusionError> {
        let place = (self.chain, self.epoch, self.shard, self.position);
        if place != (header.chain, header.epoch, header.shard, header.position) {
            return Err(InclusionError::OtherPlace);
        }
        let leaf = merkle::leaf(&self.bundle.0);
        let root = merkle::root_from_path(leaf, self.index as usize, header.count as usize, &self.path);
        if root == Some(header.batch_root) { Ok(()) } else { Err(InclusionError::Path) }
    }
}

impl Encode for Inclusion {
    fn encode(&self, w: &mut Writer) {
        self.chain.encode(w);
        self.epoch.encode(w);
        self.shard.encode(w);
        self.position.encode(w);
        self.bundle.encode(w);
        self.index.encode(w);
        w.seq(&self.path);
    }
}

impl Decode for Inclusion {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            chain: Decode::decode(r)?,
            epoch: Decode::decode(r)?,
            shard: Decode::decode(r)?,
            position: Decode::decode(r)?,
            bundle: Decode::decode(r)?,
            index: Decode::decode(r)?,
            path: r.seq(MAX_PATH)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bundles: &[Digest]) -> BatchHeader {
        BatchHeader {
            chain: ChainId(5),
            epoch: EpochId(1),
            shard: ShardIndex(2),
            view: 0,
            position: 3,
            previous: Digest::default(),
            batch_root: batch_root(bundles),
            count: bundles.len() as u32,
            running: Default::default(),
        }
    }

    #[test]
    fn a_receipt_holds_for_its_bundle_and_its_header_alone() {
        for count in [1, 2, 3, 7, limits::MAX_BATCH] {
            let bundles: Vec<_> = (0..count).map(|n| Digest([n as u8; 32])).collect();
            let header = header(&bundles);
            let batch = FinalBatch::new(&header, bundles);
            assert_eq!(batch.receipt(count), None);
            for receipt in (0..count).map(|index| batch.receipt(index).expect("one for each bundle")) {
                assert_eq!(Inclusion::from_bytes(&receipt.to_bytes()), Ok(receipt.clone()));
                assert_eq!(receipt.verify(&header), Ok(()));
                let another = Inclusion { bundle: Digest([0xee; 32]), ..receipt.clone() };
                assert!(another.verify(&header).is_err() || another.bundle == receipt.bundle);
                let moved = Inclusion { index: receipt.index + 1, ..receipt.clone() };
                assert_eq!(moved.verify(&header), Err(InclusionError::Path));
                let elsewhere = BatchHeader { position: 4, ..header.clone() };
                assert_eq!(receipt.verify(&elsewhere), Err(InclusionError::OtherPlace));
            }
        }
    }
}
