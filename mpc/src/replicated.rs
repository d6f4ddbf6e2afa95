//! Replicated shares in F_l: `x = x_1 + x_2 + x_3`, of which party p holds x_p and x_(p+1).

use primitives::{PartyId, field::Residue};
use std::ops::{Add, Mul, Neg, Sub};
use zeroize::Zeroize;

/// One party's two shares of a number. What is linear needs no message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Share {
    /// The share of the party's own number.
    pub own: Residue,
    /// The share of the next party's number.
    pub next: Residue,
}

impl Share {
    /// Zero.
    pub const ZERO: Self = Self { own: Residue::ZERO, next: Residue::ZERO };

    /// Shares of a number that all know: it is the first share, the others are zero.
    pub fn public(party: PartyId, number: Residue) -> Self {
        Self::known(party, PartyId::ALL[0], number)
    }

    /// Shares of a number that the two holders of share `of` know: it is that share, the others are zero. The party
    /// that lacks it gives any number.
    pub fn known(party: PartyId, of: PartyId, number: Residue) -> Self {
        let at = |holder: PartyId| if holder == of { number } else { Residue::ZERO };
        Self { own: at(party), next: at(party.next()) }
    }

    /// The party's part of the product: parts of all three sum to it (Araki et al. 2016, section 3.2).
    pub fn product_part(self, other: Self) -> Residue {
        Residue::sum_of_products(self.own, other.own + other.next, self.next, other.own)
    }
}

impl Add for Share {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { own: self.own + other.own, next: self.next + other.next }
    }
}

impl Sub for Share {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { own: self.own - other.own, next: self.next - other.next }
    }
}

impl Neg for Share {
    type Output = Self;
    fn neg(self) -> Self {
        Self { own: -self.own, next: -self.next }
    }
}

/// Times a number that all know.
impl Mul<Residue> for Share {
    type Output = Self;
    fn mul(self, factor: Residue) -> Self {
        Self { own: self.own * factor, next: self.next * factor }
    }
}

impl std::iter::Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{number, open, shared};

    #[test]
    fn sums_multiples_and_parts_of_products_are_those_of_the_numbers() {
        let (a, b, factor) = (number(7), number(8), number(9));
        let (x, y) = (shared(a, 1), shared(b, 2));
        let each = |f: fn(Share, Share) -> Share| [0, 1, 2].map(|p| f(x[p], y[p]));
        assert_eq!(open(each(Add::add)), a + b);
        assert_eq!(open(each(Sub::sub)), a - b);
        assert_eq!(open(x.map(|share| -share)), -a);
        assert_eq!(open(x.map(|share| share * factor)), a * factor);
        let parts = [0, 1, 2].map(|p| x[p].product_part(y[p]));
        assert_eq!(parts.into_iter().sum::<Residue>(), a * b);
        assert_eq!(open(PartyId::ALL.map(|party| Share::public(party, a))), a);
        for of in PartyId::ALL {
            let shares = PartyId::ALL.map(|party| {
                let lacks = ![party, party.next()].contains(&of);
                Share::known(party, of, if lacks { b } else { a })
            });
            assert_eq!(open(shares), a);
        }
    }
}
