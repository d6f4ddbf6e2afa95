//! What the threshold is to come to, from cells in the open.

use primitives::{
    field::{Plain, Residue},
    limits::LISTENER_SHIFT,
};

/// Whether each cell has `k` listeners or more.
pub fn threshold(cells: &[Residue], k: u32) -> Vec<bool> {
    let listeners = |cell: &Residue| {
        let bytes = Plain::from(*cell).to_canonical_bytes();
        let upper = u128::from_le_bytes(*bytes.last_chunk().expect("32 bytes"));
        upper >> (LISTENER_SHIFT - u128::BITS)
    };
    cells.iter().map(|cell| listeners(cell) >= u128::from(k)).collect()
}
