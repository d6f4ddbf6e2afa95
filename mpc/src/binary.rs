//! Shared bits in rows: a row has a bit for each lane, and each lane computes the same on inputs of its own.
//!
//! A bit is shared over Z_2 as numbers are in F_l: `x = x_1 ^ x_2 ^ x_3`, of which party p holds x_p and x_(p+1). Eight
//! lanes stand in a byte. [`Checker`] multiplies rows, with a check on each product.

use primitives::PartyId;
use std::{ops::BitXor, sync::Arc};
use zeroize::Zeroize;

mod checker;

pub(crate) use checker::{And, Checker, Wire};

/// Lanes of a byte.
pub(crate) const BYTE: usize = 8;

/// One party's two shares of a row of bits.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub(crate) struct Bits {
    pub(crate) own: Vec<u8>,
    pub(crate) next: Vec<u8>,
}

impl std::fmt::Debug for Bits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bits({} lanes)", self.own.len() * BYTE)
    }
}

impl Bits {
    /// Shares of a row that the two holders of share `of` know: it is that share, the others are zero. The party that
    /// lacks it gives any row of the same length.
    pub(crate) fn known(party: PartyId, of: PartyId, row: Vec<u8>) -> Self {
        let zero = || vec![0; row.len()];
        if of == party {
            Self { next: zero(), own: row }
        } else if of == party.next() {
            Self { own: zero(), next: row }
        } else {
            Self { own: zero(), next: zero() }
        }
    }

    /// The party's part of the product (Araki et al. 2016, section 3.2): it is added to `row`, which holds the party's part of
    /// a sharing of zero.
    fn add_product_part(&self, other: &Self, row: &mut [u8]) {
        let pairs = self.own.iter().zip(&self.next).zip(other.own.iter().zip(&other.next));
        for (into, ((own, next), (other_own, other_next))) in row.iter_mut().zip(pairs) {
            *into ^= own & (other_own ^ other_next) ^ next & other_own;
        }
    }
}

impl BitXor for &Bits {
    type Output = Bits;
    fn bitxor(self, other: Self) -> Bits {
        Bits { own: xor(&self.own, &other.own), next: xor(&self.next, &other.next) }
    }
}

fn xor<T: Copy + BitXor<Output = T>>(a: &[T], b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(a, b)| *a ^ *b).collect()
}

/// Wires of a number, the least significant bit first.
pub(crate) type Number = Vec<Arc<Wire>>;
