//! Deterministic fixed-point logarithm, exponential and power, in integers only (economics notes, section 2).
//!
//! The settlement core, a full node, the checks on L1 and the simulator must agree to the last unit, and hardware
//! floating point promises no such thing for `pow`. So powers are `x^a = 2^(a log2 x)`, made of two functions that
//! are a fixed sequence of shifts and multiplications each, small enough to be repeated inside a circuit. `Q32`
//! means units of 2^-32.
//!
//! # Error bounds
//!
//! Every rounding below is downwards, so no result is ever above the true value.
//!
//! **[`log2_q32`]**: `0 <= log2 x - r 2^-32 < 2^-32 + 2^-61`. The mantissa is kept as 64 bits in `[1, 2)`. Cutting
//! it to 64 bits at the start, and again after each of the 32 squarings, lowers it by a factor above `1 - 2^-63`,
//! which is less than `1.443 * 2^-63` on the logarithm. What is lost after squaring number `i` weighs `2^-i` in the
//! result. Together less than `1.443 * 2^-63 * (1 + 1/2 + 1/4 + ...) < 2^-61`. The bits that are not extracted are
//! worth less than `2^-32`. Powers of two are exact.
//!
//! **[`exp2_q32`]**: the relative error is at least 0 and below `2^-58`. Eight table entries and seven products are
//! each rounded down to units of 2^-62 at a value of at least one: at most `15 * 2^-62`. Integers are exact.
//!
//! **[`pow_q32`]**: the exponent `a log2 x` is short by less than `(a + 1)(2^-32 + 2^-61)`, the second summand
//! being its own rounding to Q32. With `ln 2 < 0.6932`, the relative error is below `0.6932 (a + 1) 2^-32 + 2^-57`:
//! below `2^-32` for `a <= 0.44`, and so at the specified exponent of 0.35. Bases that are powers of two with
//! whole exponents are exact.
//!
//! # Monotonicity
//!
//! Each step of [`log2_q32`] keeps order: a larger mantissa squares to a larger one, and the first bit in which two
//! results differ is set in the larger. In [`exp2_q32`] one unit of the exponent raises the true value by a factor
//! of `1 + 2^-32.6`, which the error of `2^-58` cannot undo; and the last fraction stays below 2, where the next
//! integer starts exactly. Composition and rounding down keep order as well.

mod table;

use crate::params::ONE_Q32;
use ruint::{Uint, aliases::U256};
use std::num::NonZero;
pub use table::{MANTISSA_BITS, WINDOW_BITS, WINDOWS, exp2_table};

/// Bits below the binary point of Q32 numbers.
pub const Q32_BITS: u32 = 32;

/// Wide enough for a 256-bit factor times a mantissa, shifted by less than 256.
type U576 = Uint<576, 9>;

/// Logarithm to base 2, in Q32, rounded down: `0 <= log2 x - r 2^-32 < 2^-32 + 2^-61`, exact for powers of two, and
/// monotone (see the [module](self) for why).
///
/// Turner's bit-by-bit method ("A fast binary logarithm algorithm", IEEE Signal Processing Magazine, 2010):
/// squaring a mantissa in `[1, 2)` doubles its logarithm, whose next bit is whether the square has reached 2.
pub fn log2_q32(x: NonZero<u128>) -> i64 {
    let whole = x.ilog2();
    let mut mantissa = ((x.get() << x.leading_zeros()) >> 64) as u64;
    let mut result = u64::from(whole);
    for _ in 0..Q32_BITS {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let bit = square >> 127;
        mantissa = (square >> (63 + bit)) as u64;
        result = (result << 1) | bit as u64;
    }
    result as i64
}

/// Logarithm to base 2 of a Q32 number, in Q32; negative below one. Bounds as for [`log2_q32`].
pub fn log2_of_q32(x: NonZero<u64>) -> i64 {
    log2_q32(x.into()) - (i64::from(Q32_BITS) << Q32_BITS)
}

/// A positive number `mantissa * 2^(exponent - 62)`, with the mantissa in `2^62..2^63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// Between 1 and 2, in units of 2^-62.
    pub mantissa: u64,
    /// Power of two that the mantissa is multiplied with.
    pub exponent: i32,
}

impl Power {
    /// `floor(factor * self)`, or `None` if that takes more than 256 bits.
    ///
    /// Multiplying before rounding keeps all 62 bits of a power that is far below one.
    pub fn times(self, factor: U256) -> Option<U256> {
        let product = U576::from(factor) * U576::from(self.mantissa);
        let shift = self.exponent - MANTISSA_BITS as i32;
        let scaled = if shift <= 0 {
            // ruint gives zero for a shift by the whole width or more
            product >> shift.unsigned_abs() as usize
        } else if product.is_zero() {
            product
        } else if shift < 256 {
            product << shift as usize
        } else {
            return None;
        };
        U256::checked_from_limbs_slice(scaled.as_limbs())
    }
}

/// `2^(x 2^-32)`, with a relative error of at least 0 and below `2^-58`, downwards; exact for integers, and strictly
/// monotone (see the [module](self) for why).
///
/// The fraction's 32 bits are read four at a time, and each window selects one of 16 stored roots of two
/// ([`exp2_table`]), so that the whole takes seven multiplications.
pub fn exp2_q32(x: i64) -> Power {
    let fraction = (x & (ONE_Q32 as i64 - 1)) as u32;
    let mantissa = exp2_table().iter().enumerate().fold(1u64 << MANTISSA_BITS, |product, (window, roots)| {
        let shift = Q32_BITS - WINDOW_BITS * (window as u32 + 1);
        let digit = (fraction >> shift) as usize % roots.len();
        ((u128::from(product) * u128::from(roots[digit])) >> MANTISSA_BITS) as u64
    });
    Power { mantissa, exponent: (x >> Q32_BITS) as i32 }
}

/// `floor(x * y)` for Q32 numbers; `None` if the product does not fit.
///
/// The product is rounded towards minus infinity, so that it is monotone in `x` on both sides of zero.
pub fn mul_q32(x: i64, y: u64) -> Option<i64> {
    i64::try_from((i128::from(x) * i128::from(y)) >> Q32_BITS).ok()
}

/// `base^exponent` for Q32 numbers, with a relative error of at least 0 and below
/// `0.6932 (exponent + 1) 2^-32 + 2^-57`, downwards, and monotone in the base (see the [module](self) for why).
/// `None` if `exponent * log2(base)` is 2^31 or more in size, where nothing useful could be said of the result.
pub fn pow_q32(base: NonZero<u64>, exponent: u64) -> Option<Power> {
    Some(exp2_q32(mul_q32(log2_of_q32(base), exponent)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Power = Power { mantissa: 1 << MANTISSA_BITS, exponent: 0 };

    #[test]
    fn powers_of_two_are_exact_both_ways() {
        for k in 0..128 {
            let x = NonZero::new(1u128 << k).expect("positive");
            assert_eq!(log2_q32(x), i64::from(k) << 32);
        }
        for k in -200..200 {
            assert_eq!(exp2_q32(i64::from(k) << 32), Power { exponent: k, ..ONE });
        }
    }

    #[test]
    fn known_values() {
        // floor(2^32 log2 3) and floor(2^62 sqrt 2)
        assert_eq!(log2_q32(NonZero::new(3).expect("positive")), 6_807_362_105);
        let root = exp2_q32(1 << 31);
        assert_eq!(root, Power { mantissa: 6_521_908_912_666_391_106, exponent: 0 });
        assert_eq!(exp2_q32(-(1 << 31)), Power { exponent: -1, ..root });
        // 0.25^1.5 = 1/8
        let quarter = NonZero::new(ONE_Q32 / 4).expect("positive");
        assert_eq!(pow_q32(quarter, 3 << 31), Some(Power { exponent: -3, ..ONE }));
        assert_eq!(pow_q32(quarter, 0), Some(ONE));
    }

    #[test]
    fn a_product_that_does_not_fit_says_so() {
        assert_eq!(ONE.times(U256::MAX), Some(U256::MAX));
        assert_eq!(Power { exponent: 1, ..ONE }.times(U256::MAX), None);
        assert_eq!(Power { exponent: 255, ..ONE }.times(U256::ONE), Some(U256::ONE << 255));
        assert_eq!(Power { exponent: 256, ..ONE }.times(U256::ONE), None);
        assert_eq!(Power { exponent: i32::MAX, ..ONE }.times(U256::ONE), None);
        assert_eq!(Power { exponent: i32::MAX, ..ONE }.times(U256::ZERO), Some(U256::ZERO));
        assert_eq!(Power { exponent: -1, ..ONE }.times(U256::ONE), Some(U256::ZERO));
        assert_eq!(Power { exponent: -i32::MAX / 2, ..ONE }.times(U256::MAX), Some(U256::ZERO));
        assert_eq!(pow_q32(NonZero::<u64>::MIN, u64::MAX), None);
    }

    #[test]
    fn a_product_with_a_negative_number_rounds_towards_minus_infinity() {
        assert_eq!(mul_q32(-1, 1), Some(-1));
        assert_eq!(mul_q32(1, 1), Some(0));
        assert_eq!(mul_q32(i64::MAX, u64::MAX), None);
    }
}
