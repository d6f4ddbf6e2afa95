//! Batches: the chain's blocks as L1 gets them.
//!
//! The data of all batches, in their order, is the stream of the chain's blocks from the first on, each after its
//! length in four little-endian bytes. A batch ends where a block ends, or where it is full; its new root is the state
//! root after the last block that is complete by then. So every block's root is on L1, whatever the block's size, and
//! whoever reads the data of all batches can repeat the whole chain.

use crate::{
    block::{Block, MAX_BLOCK_BYTES},
    poseidon::{Felt, felt_to_bytes},
};
use alloy::primitives::{B256, Bytes};
use primitives::Encode;

/// Most data of a batch: a transaction with it stays below what the pools of L1 nodes take.
pub const MAX_DATA_BYTES: usize = 96 << 10;

const _: () = {
    assert!((MAX_BLOCK_BYTES + (1 << 10)) as u64 <= u32::MAX as u64, "a length fits into four bytes");
    assert!(MAX_DATA_BYTES + (2 << 10) < super::journal::MAX_TRANSACTION_BYTES);
};

/// A batch, as the committee attests it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Place in the sequence; the first is 1.
    pub number: u64,
    /// State root after the batch before, or of the genesis.
    pub old_root: B256,
    /// State root after this one.
    pub new_root: B256,
    /// Part of the stream of blocks.
    pub data: Bytes,
}

/// A root as L1 knows it: the field element as a big-endian number.
pub fn root_on_layer1(root: &Felt) -> B256 {
    let mut bytes = felt_to_bytes(root);
    bytes.reverse();
    B256::from(bytes)
}

/// The batches of one block after the batch `number - 1`, which left `old_root`. At least one.
pub fn batches(number: u64, old_root: B256, block: &Block) -> Vec<Batch> {
    let encoded = block.to_bytes();
    let length = u32::try_from(encoded.len()).expect("blocks are bounded far below 4 GiB");
    let stream = [&length.to_le_bytes()[..], &encoded].concat();
    let new_root = root_on_layer1(&block.state_root);
    let parts = stream.chunks(MAX_DATA_BYTES);
    let last = parts.len() - 1;
    let part = |(place, data): (usize, &[u8])| Batch {
        number: number + place as u64,
        old_root,
        new_root: if place == last { new_root } else { old_root },
        data: Bytes::copy_from_slice(data),
    };
    parts.enumerate().map(part).collect()
}
