//! What a node shows in an audit, and how each piece is checked.

mod error;

use super::{
    Audited, Contribution, MAX_SAMPLES,
    content::{CHUNK_BYTES, MAX_CHUNKS},
    receipts::{JobReceipt, Served, Voucher},
    sum_tree::{self, MAX_DEPTH, Sum, SumPath},
};
use crate::{block::MAX_BLOCK_BYTES, modules::treasury::Account, state::fields::codec_enum};
pub use error::EvidenceError;
use primitives::{
    CodecError, Decode, Digest, Encode, PersonId, Reader, Writer, codec_struct, limits, merkle,
};
use proofs::blind::BlindKey;

/// Depth of the tree over the chunks of the longest content.
const MAX_SIBLINGS: usize = MAX_CHUNKS.ilog2() as usize;

const _: () = {
    assert!(MAX_CHUNKS.is_power_of_two());
    // The longest answer, with two paths a place, is a fraction of a block.
    let path = 4 + MAX_DEPTH * 40;
    let longest = 2 * path + 512 + limits::RSA_BYTES + CHUNK_BYTES;
    // The sequencer takes them up to that length.
    assert!(MAX_SAMPLES as usize * longest < MAX_BLOCK_BYTES / 4);
};

/// A list with one piece for each place that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<T>(pub Vec<T>);

impl<T: Encode> Encode for Shown<T> {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl<T: Decode> Decode for Shown<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(MAX_SAMPLES.into()).map(Self)
    }
}

/// A chunk of content, itself, with its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkProof {
    /// The chunk. The last of a content ends in zeros.
    pub chunk: [u8; CHUNK_BYTES],
    /// Hashes beside the way to the content's root, the lowest first.
    pub siblings: Vec<Digest>,
}

impl Encode for ChunkProof {
    fn encode(&self, w: &mut Writer) {
        self.chunk.encode(w);
        w.seq(&self.siblings);
    }
}

impl Decode for ChunkProof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { chunk: Decode::decode(r)?, siblings: r.seq(MAX_SIBLINGS)? })
    }
}

/// A voucher with its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherProof {
    /// The voucher.
    pub voucher: Voucher,
    /// Path in the tree of vouchers.
    pub path: SumPath,
}

codec_struct!(VoucherProof { voucher, path });

/// A receipt with its paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobProof {
    /// The receipt.
    pub receipt: JobReceipt,
    /// Path in the tree of its client's jobs.
    pub within: SumPath,
    /// Path of the client in the tree of clients.
    pub path: SumPath,
}

codec_struct!(JobProof { receipt, within, path });

/// What a node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Chunks.
    Storage(Shown<ChunkProof>),
    /// Vouchers.
    Bandwidth(Shown<VoucherProof>),
    /// Receipts.
    Compute(Shown<JobProof>),
}

codec_enum!(Evidence("evidence of a node") {
    0 => Storage,
    1 => Bandwidth,
    2 => Compute,
});

impl Evidence {
    /// What it is evidence of.
    pub fn kind(&self) -> Contribution {
        match self {
            Self::Storage(_) => Contribution::Storage,
            Self::Bandwidth(_) => Contribution::Bandwidth,
            Self::Compute(_) => Contribution::Compute,
        }
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        match self {
            Self::Storage(shown) => shown.0.len(),
            Self::Bandwidth(shown) => shown.0.len(),
            Self::Compute(shown) => shown.0.len(),
        }
    }

    /// Whether there is no piece.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Audited<'_> {
    fn count(&self, found: usize) -> Result<(), EvidenceError> {
        let expected = usize::from(self.rules.samples);
        if found == expected { Ok(()) } else { Err(EvidenceError::Count { expected, found }) }
    }

    pub(super) fn check_chunks(&self, shown: &[ChunkProof]) -> Result<usize, EvidenceError> {
        self.count(shown.len())?;
        for (place, ((work, chunk), proof)) in self.chunks().into_iter().zip(shown).enumerate() {
            let content = &self.state.contents.get(&work).expect("what was committed to is on record");
            let (leaf, at, count) = (merkle::leaf(&proof.chunk), chunk as usize, content.chunks as usize);
            // Chain spec 6.4: "Storage nodes generate proofs that they store specific content."
            if merkle::root_from_path(leaf, at, count, &proof.siblings) != Some(content.root) {
                return Err(EvidenceError::Chunk { place, work, chunk });
            }
        }
        Ok(shown.len())
    }

    pub(super) fn check_vouchers(&self, root: &Sum, shown: &[VoucherProof]) -> Result<usize, EvidenceError> {
        self.count(shown.len())?;
        let (epoch, region) = (self.metrics.epoch, self.node.region);
        let served = Served { chain: self.chain, epoch, region, node: self.node.id };
        let key =
            self.state.voucher_keys.get(&(epoch, region)).and_then(|on| BlindKey::from_der(&on.key).ok());
        let region_key = key.ok_or(EvidenceError::NoVoucherKey { region, epoch })?;
        for (place, (unit, VoucherProof { voucher, path })) in
            self.places().into_iter().zip(shown).enumerate()
        {
            let (key, leaf) = voucher.entry();
            let found = path.place(&key, leaf).filter(|found| found.root == *root);
            let start = found.ok_or(EvidenceError::Path { place })?.start;
            if unit != start {
                return Err(EvidenceError::Unit { place, unit });
            }
            voucher.verify(&served, &region_key).map_err(|_| EvidenceError::Voucher { place })?;
        }
        Ok(shown.len())
    }

    pub(super) fn check_jobs(&self, root: &Sum, shown: &[JobProof]) -> Result<usize, EvidenceError> {
        self.count(shown.len())?;
        let mut valid = 0;
        for (place, (unit, proof)) in self.places().into_iter().zip(shown).enumerate() {
            let JobProof { receipt, within, path } = proof;
            let (client, units) = (receipt.job.client, receipt.job.units);
            let (key, leaf) = receipt.entry();
            let inner = within.place(&key, leaf).ok_or(EvidenceError::Path { place })?;
            // A client has one place in the tree of clients, so that this sum is all that there is of it.
            let (units_of_client, most) = (inner.root.units, self.rules.client_units);
            if units_of_client > most {
                return Err(EvidenceError::ClientCap { place, client, units: units_of_client, most });
            }
            let key = sum_tree::key(&client.0);
            let outer = path.place(&key, sum_tree::leaf(&key, units_of_client, &inner.root.digest));
            let outer = outer.filter(|found| found.root == *root).ok_or(EvidenceError::Path { place })?;
            // Both starts are below the units of the root, which fit.
            let start = outer.start + inner.start;
            if unit < start || unit - start >= units {
                return Err(EvidenceError::Unit { place, unit });
            }
            valid += usize::from(self.check_receipt(place, receipt)?);
        }
        Ok(valid)
    }

    /// Checks a receipt, and says whether it counts: not if its client has got another key since. That is no fault of
    /// the node's, and nothing that it could make use of: what does not count is taken off what it claimed.
    fn check_receipt(&self, place: usize, receipt: &JobReceipt) -> Result<bool, EvidenceError> {
        let (job, epoch) = (&receipt.job, self.metrics.epoch);
        if job.node != self.node.id {
            return Err(EvidenceError::Node { place });
        }
        if job.epoch != epoch {
            return Err(EvidenceError::Epoch { place, found: job.epoch });
        }
        let (manifest, units, client) = (job.manifest, job.units, job.client);
        // Chain spec 3.8: "Coordinate with DMF (Distributed Microservices Fabric) for service manifests".
        let service = self.state.services.get(&manifest).filter(|service| service.counts(epoch));
        let service = service.filter(|_| self.node.manifests.binary_search(&manifest).is_ok());
        let most = service.ok_or(EvidenceError::Service { place, manifest })?.most;
        if units == 0 || units > most {
            return Err(EvidenceError::Units { place, units, most });
        }
        // Chain spec 3.8, "limits and checks on self-dealing". Operators who sign for each other would be a ring that
        // nothing on the ledger tells from honest ones: no operator's receipt counts for any node.
        let runs = |client: &PersonId| {
            let nodes = self.state.operators.get(client).map(|operator| operator.nodes.as_slice());
            let nodes = nodes.unwrap_or_default().iter().filter_map(|node| self.state.nodes.get(node));
            nodes.into_iter().any(|node| node.takes_part(epoch))
        };
        if client == self.node.operator || runs(&client) {
            return Err(EvidenceError::SelfDealing { place, client });
        }
        let account: Option<&Account> = self.state.accounts.get(&client);
        let key = account.ok_or(EvidenceError::UnknownClient { place, client })?.key;
        receipt.verify(self.chain).map_err(|_| EvidenceError::Signature { place, client })?;
        Ok(key == receipt.key)
    }
}
