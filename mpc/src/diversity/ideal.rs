//! What the sums of squares are to come to, from totals in the open.

use primitives::{
    field::{Plain, Residue},
    limits::{BACKED_BITS, BACKED_SHIFT},
};

/// For each work the sum of squares of its regions' limbs of backed views.
pub fn diversity(works: &[Vec<Residue>]) -> Vec<u128> {
    let limb = |total: &Residue| {
        let bytes = Plain::from(*total).to_canonical_bytes();
        let from_byte_11 = u128::from_le_bytes(*bytes[11..].first_chunk().expect("32 bytes"));
        from_byte_11 >> (BACKED_SHIFT - 88) & ((1 << BACKED_BITS) - 1)
    };
    works.iter().map(|work| work.iter().map(|total| limb(total).pow(2)).sum()).collect()
}
