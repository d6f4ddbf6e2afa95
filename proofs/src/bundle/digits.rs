//! How an event is written in one-hot digits, and what its digits weigh.
//!
//! An event is `work digits | view digits | fraction | backed`: base-4 one-hot digits, least significant first, and
//! one binary digit. Prover and verifier meet here and nowhere else.

use crate::{
    epoch::EpochContext,
    generators::{DigitBases, VIEW_DIGITS, event_bases},
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::limits::{self, BACKED_SHIFT, LISTENER_SHIFT, VIEWS_SHIFT};

/// Degree of the polynomial `v_e(X)`: one digit more than a view index has.
pub const VALUE_DEGREE: usize = VIEW_DIGITS + 1;

/// Shape of an event's digits in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    work_digits: usize,
}

impl Layout {
    /// The layout of a context's shard.
    pub fn of(context: &EpochContext) -> Self {
        Self { work_digits: context.shard.digits() }
    }

    /// Base-4 digits of a work index.
    pub fn work_digits(self) -> usize {
        self.work_digits
    }

    /// Base-4 digits of a whole event: work, view and fraction.
    pub fn digits(self) -> usize {
        self.work_digits + VIEW_DIGITS + 1
    }

    /// Place of the fraction among the digits.
    pub fn fraction(self) -> usize {
        self.work_digits + VIEW_DIGITS
    }

    /// Responses of one event: three entries a digit, and the backed entry.
    pub fn responses(self) -> usize {
        3 * self.digits() + 1
    }

    /// Degree `M` of the row polynomial `p_w(X) v(X)`; so many coefficients are committed to.
    pub fn degree(self) -> usize {
        self.work_digits + VALUE_DEGREE
    }

    /// Weight of a digit in `m = idx(w) J + j`; the fraction has none.
    pub fn weight(self, digit: usize) -> Scalar {
        if digit < self.work_digits {
            Scalar::from(u64::from(limits::VIEW_INDICES) << (2 * digit))
        } else if digit < self.fraction() {
            Scalar::from(1u64 << (2 * (digit - self.work_digits)))
        } else {
            Scalar::ZERO
        }
    }

    /// Bases of a digit of the event at place `event`.
    pub fn bases(self, event: usize, digit: usize) -> &'static DigitBases {
        let all = event_bases(event);
        if digit < self.work_digits {
            &all.work[digit]
        } else if digit < self.fraction() {
            &all.view[digit - self.work_digits]
        } else {
            &all.fraction
        }
    }

    /// Bases of an event's backed entry and of its product.
    pub fn backed_bases(self, event: usize) -> &'static [RistrettoPoint; 2] {
        &event_bases(event).backed
    }
}

/// `lin(f)`: weighted sum of one-hot entries, which for an event's digits is its number m.
pub fn lin(layout: Layout, digits: &[[Scalar; 4]]) -> Scalar {
    let numbered = |d: &[Scalar; 4]| d[1] + d[2] + d[2] + d[3] + d[3] + d[3];
    digits.iter().enumerate().map(|(at, d)| layout.weight(at) * numbered(d)).sum()
}

/// Factors of `v_e(X)`: what a listener, a backed view and a view add to a count.
pub struct LimbUnits {
    /// `2^130`.
    pub listener: Scalar,
    /// `2^92`.
    pub backed: Scalar,
    /// `2^54`.
    pub view: Scalar,
}

/// The limbs' units.
pub fn limb_units() -> LimbUnits {
    use crate::tally::totals::power_of_two;
    LimbUnits {
        listener: power_of_two(LISTENER_SHIFT),
        backed: power_of_two(BACKED_SHIFT),
        view: power_of_two(VIEWS_SHIFT),
    }
}

/// Products of digit entries for every number that `digits` can spell: entry n is the product, over the digits, of
/// the entry that n's digit selects. Least significant digit first.
pub fn tensor(start: Scalar, digits: &[[Scalar; 4]]) -> Vec<Scalar> {
    let mut products = vec![start];
    for digit in digits.iter().rev() {
        products = products.iter().flat_map(|p| digit.map(|entry| p * entry)).collect();
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tensor_of_one_hot_digits_is_one_hot() {
        let hot = |n: usize| std::array::from_fn(|i| if i == n { Scalar::ONE } else { Scalar::ZERO });
        let products = tensor(Scalar::ONE, &[hot(3), hot(1), hot(2)]);
        let expected = 3 + 4 + 2 * 16;
        assert!(
            products
                .iter()
                .enumerate()
                .all(|(n, p)| *p == if n == expected { Scalar::ONE } else { Scalar::ZERO })
        );
    }

    #[test]
    fn lin_of_one_hot_digits_is_the_number_of_the_event() {
        let layout = Layout { work_digits: 6 };
        let hot = |n: usize| std::array::from_fn(|i| if i == n & 3 { Scalar::ONE } else { Scalar::ZERO });
        let (work, view) = (1234usize, 45usize);
        let digits: Vec<_> = (0..6)
            .map(|d| hot(work >> (2 * d)))
            .chain((0..3).map(|d| hot(view >> (2 * d))))
            .chain([hot(3)])
            .collect();
        assert_eq!(lin(layout, &digits), Scalar::from((work * 64 + view) as u64));
    }
}
