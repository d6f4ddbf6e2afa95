//! What an honest operator keeps, and how it answers. Nothing here is part of the ledger.

use super::{
    Audited, Claimed, Evidence, Shown,
    content::{CHUNK_BYTES, MAX_CHUNKS},
    evidence::{ChunkProof, JobProof, VoucherProof},
    receipts::{JobReceipt, Voucher},
    sum_tree::{self, Entry, Sum, SumError, SumTree},
};
use primitives::{Digest, PersonId, WorkId, merkle};
use std::collections::BTreeMap;

/// Content of a work in chunks, with their hashes.
#[derive(Clone, Debug)]
pub struct StoredContent {
    chunks: Vec<[u8; CHUNK_BYTES]>,
    leaves: Vec<Digest>,
}

impl StoredContent {
    /// Cuts content into chunks, the last filled up with zeros. None of nothing, or of more than may be registered.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let chunks: Vec<[u8; CHUNK_BYTES]> = bytes
            .chunks(CHUNK_BYTES)
            .map(|part| {
                let mut chunk = [0; CHUNK_BYTES];
                chunk[..part.len()].copy_from_slice(part);
                chunk
            })
            .collect();
        let leaves = chunks.iter().map(|chunk| merkle::leaf(chunk)).collect();
        let fits = (1..=MAX_CHUNKS as usize).contains(&chunks.len());
        fits.then_some(Self { chunks, leaves })
    }

    /// Merkle root over the chunks.
    pub fn root(&self) -> Digest {
        merkle::root(&self.leaves)
    }

    /// Number of chunks.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.chunks.len()).expect("not more than may be registered")
    }

    /// A chunk with its path. None beyond the last.
    pub fn prove(&self, chunk: u32) -> Option<ChunkProof> {
        let at = chunk as usize;
        let siblings = || merkle::path(&self.leaves, at);
        self.chunks.get(at).map(|chunk| ChunkProof { chunk: *chunk, siblings: siblings() })
    }
}

/// Vouchers of a node in an epoch.
#[derive(Debug)]
pub struct VoucherBook {
    vouchers: BTreeMap<Digest, Voucher>,
    tree: SumTree,
}

impl VoucherBook {
    /// The book of these vouchers. Which are valid is for the caller to check.
    ///
    /// # Errors
    /// Two have one serial.
    pub fn new(vouchers: impl IntoIterator<Item = Voucher>) -> Result<Self, SumError> {
        let mut entries = Vec::new();
        let mut kept = BTreeMap::new();
        for voucher in vouchers {
            let key = sum_tree::key(&voucher.serial);
            entries.push(Entry { key, units: 1, value: Digest(voucher.serial) });
            kept.insert(key, voucher);
        }
        Ok(Self { vouchers: kept, tree: SumTree::new(entries)? })
    }

    /// What the node commits to.
    pub fn root(&self) -> Sum {
        self.tree.root()
    }

    /// The voucher that is a unit, with its path.
    pub fn prove(&self, unit: u64) -> Option<VoucherProof> {
        let (entry, _, path) = self.tree.at(unit)?;
        Some(VoucherProof { voucher: self.vouchers[&entry.key].clone(), path })
    }
}

/// Receipts of one client.
#[derive(Debug)]
struct ClientBook {
    receipts: BTreeMap<Digest, JobReceipt>,
    tree: SumTree,
}

/// Receipts of a node in an epoch.
#[derive(Debug)]
pub struct JobBook {
    clients: BTreeMap<Digest, ClientBook>,
    tree: SumTree,
}

impl JobBook {
    /// The book of these receipts, of each client as many as are `most` units together. Which are valid is for the caller
    /// to check.
    ///
    /// # Errors
    /// Two receipts of a client are for jobs of one name.
    pub fn new(receipts: impl IntoIterator<Item = JobReceipt>, most: u64) -> Result<Self, SumError> {
        let mut by_client: BTreeMap<PersonId, (u64, Vec<JobReceipt>)> = BTreeMap::new();
        for receipt in receipts {
            let (units, kept) = by_client.entry(receipt.job.client).or_default();
            if let Some(sum) = units.checked_add(receipt.job.units).filter(|sum| *sum <= most) {
                *units = sum;
                kept.push(receipt);
            }
        }
        let (mut clients, mut entries) = (BTreeMap::new(), Vec::new());
        for (client, (_, receipts)) in by_client {
            let entry = |receipt: &JobReceipt| Entry {
                key: receipt.entry().0,
                units: receipt.job.units,
                value: receipt.value(),
            };
            let tree = SumTree::new(receipts.iter().map(entry).collect())?;
            let (key, Sum { digest, units }) = (sum_tree::key(&client.0), tree.root());
            entries.push(Entry { key, units, value: digest });
            let receipts = receipts.into_iter().map(|receipt| (receipt.entry().0, receipt)).collect();
            clients.insert(key, ClientBook { receipts, tree });
        }
        Ok(Self { clients, tree: SumTree::new(entries)? })
    }

    /// What the node commits to.
    pub fn root(&self) -> Sum {
        self.tree.root()
    }

    /// The receipt that a unit is of, with its paths.
    pub fn prove(&self, unit: u64) -> Option<JobProof> {
        let (client, start, path) = self.tree.at(unit)?;
        let book = &self.clients[&client.key];
        let (entry, _, within) = book.tree.at(unit - start)?;
        Some(JobProof { receipt: book.receipts[&entry.key].clone(), within, path })
    }
}

/// Everything that a node of an operator has for an epoch.
#[derive(Debug, Default)]
pub struct Books {
    /// Content, by work.
    pub contents: BTreeMap<WorkId, StoredContent>,
    /// Vouchers.
    pub vouchers: Option<VoucherBook>,
    /// Receipts.
    pub jobs: Option<JobBook>,
}

impl Books {
    /// The answer to an audit. None if something that is asked for is not there: then it is better not to answer.
    pub fn answer(&self, audited: &Audited<'_>) -> Option<Evidence> {
        let places = || audited.places().into_iter();
        Some(match &audited.metrics.claimed {
            Claimed::Storage(_) => {
                let prove = |(work, chunk)| self.contents.get(&work)?.prove(chunk);
                Evidence::Storage(Shown(audited.chunks().into_iter().map(prove).collect::<Option<_>>()?))
            }
            Claimed::Bandwidth(_) => {
                let book = self.vouchers.as_ref()?;
                Evidence::Bandwidth(Shown(places().map(|unit| book.prove(unit)).collect::<Option<_>>()?))
            }
            Claimed::Compute(_) => {
                let book = self.jobs.as_ref()?;
                Evidence::Compute(Shown(places().map(|unit| book.prove(unit)).collect::<Option<_>>()?))
            }
        })
    }
}
