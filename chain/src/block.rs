//! Blocks: transactions in order, and the state root that they lead to.

use crate::poseidon::{Felt, felt_to_bytes, wire};
use crate::transaction::Transaction;
use primitives::{CodecError, Decode, Digest, Domain, Encode, Reader, Time, Writer, hash, merkle};

/// Most transactions of a block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 1 << 16;
/// Longest encoding of a block's transactions. The widest aggregate of an epoch (4,096 works in every group of eight
/// tiers and nine region tags) takes 10 MiB; the log holds records of 16 MiB.
pub const MAX_BLOCK_BYTES: usize = 12 << 20;

const _: () = assert!(MAX_BLOCK_BYTES + (1 << 10) < crate::log::MAX_RECORD_BYTES);

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Place in the chain; genesis is 0, the first block 1.
    pub height: u64,
    /// Digest of the block before, or of the genesis.
    pub parent: Digest,
    /// When it was made, as its sequencer says: not before its parent.
    pub time: Time,
    /// State root after its transactions.
    pub state_root: Felt,
    /// What was applied, in order.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// Digest, which binds every transaction through a Merkle root.
    pub fn digest(&self) -> Digest {
        let leaves: Vec<Digest> = self.transactions.iter().map(|tx| merkle::leaf(&tx.id().0)).collect();
        let count = (leaves.len() as u64).to_le_bytes();
        let root = merkle::root(&leaves);
        let (height, time) = (self.height.to_le_bytes(), self.time.0.to_le_bytes());
        let state_root = felt_to_bytes(&self.state_root);
        let parts: [&[u8]; 6] = [&height, &self.parent.0, &time, &state_root, &count, &root.0];
        hash::hash(Domain::Block, &parts)
    }
}

impl Encode for Block {
    fn encode(&self, w: &mut Writer) {
        self.height.encode(w);
        self.parent.encode(w);
        self.time.encode(w);
        wire::put(w, &self.state_root);
        w.seq(&self.transactions);
    }
}

impl Decode for Block {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            height: Decode::decode(r)?,
            parent: Decode::decode(r)?,
            time: Decode::decode(r)?,
            state_root: wire::take(r)?,
            transactions: r.seq(MAX_BLOCK_TRANSACTIONS)?,
        })
    }
}
