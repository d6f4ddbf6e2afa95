//! The stored roots of two behind `exp2_q32`, computed by integer square roots when they are first needed.

use ruint::aliases::U256;
use std::sync::LazyLock;

/// Bits below the binary point of a table entry and of a mantissa: the product of two fits 128 bits.
pub const MANTISSA_BITS: u32 = 62;
/// Bits of the exponent that one table lookup consumes.
pub const WINDOW_BITS: u32 = 4;
/// Lookups for a fraction of 32 bits.
pub const WINDOWS: usize = 8;

/// Values that one window may have.
const DIGITS: usize = 1 << WINDOW_BITS;
/// Bits below the binary point while the table is computed. A product of two numbers below 2 fits 242 bits.
const WORK_BITS: usize = 120;

const _: () = assert!(WINDOWS as u32 * WINDOW_BITS == super::Q32_BITS, "windows cover the fraction");

/// `exp2_table()[i][v] = floor(2^62 * 2^(v * 16^-(i+1)))`: what digit `v` of window `i`, the highest first, adds to
/// the exponent.
///
/// The work is done in units of 2^-120, where the errors of 32 nested square roots and three products stay below
/// 2^-115, and rounded down once. That no entry lies so close to an integer that this could show is checked for all
/// 128 entries against high-precision logarithms in the tests.
pub fn exp2_table() -> &'static [[u64; DIGITS]; WINDOWS] {
    static TABLE: LazyLock<[[u64; DIGITS]; WINDOWS]> = LazyLock::new(build);
    &TABLE
}

fn build() -> [[u64; DIGITS]; WINDOWS] {
    // roots[k] = 2^(2^-(k+1))
    let mut last = U256::ONE << (WORK_BITS + 1);
    let roots: [U256; WINDOWS * WINDOW_BITS as usize] = std::array::from_fn(|_| {
        last = square_root(last << WORK_BITS);
        last
    });
    let (windows, rest) = roots.as_chunks::<{ WINDOW_BITS as usize }>();
    debug_assert!(rest.is_empty());
    std::array::from_fn(|i| {
        std::array::from_fn(|digit| {
            let one = U256::ONE << WORK_BITS;
            let set =
                (0..WINDOW_BITS as usize).filter(|bit| digit >> (WINDOW_BITS as usize - 1 - bit) & 1 == 1);
            let product = set.fold(one, |product, bit| (product * windows[i][bit]) >> WORK_BITS);
            (product >> (WORK_BITS - MANTISSA_BITS as usize)).to::<u64>()
        })
    })
}

/// `floor(sqrt(n))` for positive `n`, by Newton's method from above, which falls strictly until it has arrived.
fn square_root(n: U256) -> U256 {
    let mut root = U256::ONE << n.bit_len().div_ceil(2);
    loop {
        let next = (root + n / root) >> 1usize;
        if next >= root {
            return root;
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_square_roots_are_the_floor() {
        for n in (1u64..2_000).chain([u64::MAX - 1, u64::MAX]).map(U256::from).chain([U256::MAX >> 15]) {
            let root = square_root(n);
            assert!(root * root <= n && n < (root + U256::ONE) * (root + U256::ONE), "{n}");
        }
    }

    #[test]
    fn windows_start_at_one_and_rise_towards_the_next_window_above() {
        for (i, window) in exp2_table().iter().enumerate() {
            assert_eq!(window[0], 1 << MANTISSA_BITS);
            assert!(window.is_sorted_by(|a, b| a < b));
            if i > 0 {
                assert!(window[DIGITS - 1] < exp2_table()[i - 1][1]);
            }
        }
    }
}
