//! The field of 2^128 elements in which products of bits are checked, and shares in it.
//!
//! It is the field of POLYVAL (RFC 8452, section 3), whose product is `dot(a, b) = a b x^-128`: a field as good as any,
//! with `x^128` for one. A bit b stands for b times that one, so that a bit times an element is the element or zero, and
//! needs no product at all. The crate `polyval` multiplies in constant time.

use polyval::{
    Polyval,
    universal_hash::{KeyInit, UniversalHash},
};
use std::ops::{BitAnd, BitXor, BitXorAssign};
use zeroize::Zeroize;

/// An element. Addition is `^`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub(crate) struct Element(u128);

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Element(..)")
    }
}

impl BitXor for Element {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl BitXorAssign for Element {
    fn bitxor_assign(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

/// A bit, spread over 128: all ones or all zeros.
#[derive(Clone, Copy)]
pub(crate) struct Spread(u128);

impl Spread {
    /// The bit of a lane, out of eight lanes.
    pub(crate) fn of(lanes: u8, lane: usize) -> Self {
        Self(0u128.wrapping_sub(u128::from(lanes >> lane & 1)))
    }
}

/// An element times a bit.
impl BitAnd<Spread> for Element {
    type Output = Self;
    fn bitand(self, bit: Spread) -> Self {
        Self(self.0 & bit.0)
    }
}

impl Element {
    /// Zero.
    pub(crate) const ZERO: Self = Self(0);

    /// The element of 16 bytes, the lowest first.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// Its 16 bytes.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The product.
    pub(crate) fn dot(self, other: Self) -> Self {
        Powers::new(self).combine([other])
    }
}

/// Combines elements with the powers of one.
#[derive(Clone)]
pub(crate) struct Powers(Polyval);

impl Powers {
    /// Powers of `base`.
    pub(crate) fn new(base: Element) -> Self {
        Self(Polyval::new(&base.to_bytes().into()))
    }

    /// `base^n x_1 + base^(n-1) x_2 + ... + base x_n`.
    pub(crate) fn combine(&self, elements: impl IntoIterator<Item = Element>) -> Element {
        let mut sum = self.0.clone();
        let mut elements = elements.into_iter();
        let mut blocks = [polyval::Block::default(); 32];
        loop {
            let mut filled = 0;
            for (block, element) in blocks.iter_mut().zip(elements.by_ref()) {
                *block = element.to_bytes().into();
                filled += 1;
            }
            sum.update(&blocks[..filled]);
            if filled < blocks.len() {
                return Element::from_bytes(sum.finalize().into());
            }
        }
    }

    /// What bits are combined with: `base^n, ..., base^2, base`.
    pub(crate) fn table(&self, base: Element, n: usize) -> Vec<Element> {
        let mut powers: Vec<_> =
            std::iter::successors(Some(base), |power| Some(self.combine([*power]))).take(n).collect();
        powers.reverse();
        powers
    }
}

/// One party's two shares of an element: `x = x_1 ^ x_2 ^ x_3`, of which party p holds x_p and x_(p+1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub(crate) struct ElementShare {
    pub(crate) own: Element,
    pub(crate) next: Element,
}

impl ElementShare {
    /// The party's part of the product: parts of all three sum to it (Araki et al. 2016, section 3.2).
    pub(crate) fn product_part(self, other: Self) -> Element {
        self.own.dot(other.own ^ other.next) ^ self.next.dot(other.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One, of which POLYVAL's product gives the other factor: x^128 reduced.
    const ONE: Element = Element(1 << 127 | 1 << 126 | 1 << 121 | 1);

    proptest! {
        #[test]
        fn it_is_a_field_and_bits_are_multiples_of_one(a: u128, b: u128, c: u128, bit: bool) {
            let [a, b, c] = [a, b, c].map(Element);
            prop_assert_eq!(a.dot(b), b.dot(a));
            prop_assert_eq!(a.dot(b).dot(c), a.dot(b.dot(c)));
            prop_assert_eq!(a.dot(b ^ c), a.dot(b) ^ a.dot(c));
            prop_assert_eq!(ONE.dot(a), a);
            let spread = Spread::of(u8::from(bit) << 3, 3);
            prop_assert_eq!(a & spread, a.dot(ONE & spread));
            prop_assert_eq!(Element::from_bytes(a.to_bytes()), a);
        }

        #[test]
        fn combinations_are_sums_with_powers(base: u128, elements in prop::collection::vec(any::<u128>(), 0..70)) {
            let base = Element(base);
            let elements: Vec<_> = elements.into_iter().map(Element).collect();
            let powers = Powers::new(base);
            let table = powers.table(base, elements.len());
            let sum = table.iter().zip(&elements).fold(Element::ZERO, |sum, (a, b)| sum ^ a.dot(*b));
            prop_assert_eq!(powers.combine(elements), sum);
        }

        #[test]
        fn parts_of_products_sum_to_the_product(a: [u128; 3], b: [u128; 3]) {
            let shares = |x: [u128; 3]| [0, 1, 2].map(|p| ElementShare { own: Element(x[p]), next: Element(x[(p + 1) % 3]) });
            let sum = |x: [u128; 3]| Element(x[0] ^ x[1] ^ x[2]);
            let (x, y) = (shares(a), shares(b));
            let product = (0..3).fold(Element::ZERO, |sum, p| sum ^ x[p].product_part(y[p]));
            prop_assert_eq!(product, sum(a).dot(sum(b)));
        }
    }
}
