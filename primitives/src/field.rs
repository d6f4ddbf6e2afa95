//! Scalars as limbs: products in Montgomery form, and sums of products that are reduced once.
//!
//! The equations of a bundle are sums of a hundred thousand products. curve25519-dalek reduces each of them twice; here
//! a product costs sixteen multiplications of words (eight for a weight of 128 bits) and a sum is reduced at its end.
//! The group order is `l = 2^252 + c` with c below 2^125: its third word is zero and its fourth is a power of two, so
//! a step of Montgomery's reduction needs two multiplications and a shift.
//!
//! Everything here runs in constant time: no branch and no index depends on a value.

use crate::{CodecError, Decode, Encode, Reader, Writer};
use curve25519_dalek::scalar::Scalar;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};
use zeroize::Zeroize;

/// The group order l, least significant word first.
pub const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];
/// `-l^-1 mod 2^64`.
pub const INVERSE: u64 = 0xd2b5_1da3_1254_7e1b;
/// `2^256 mod l`: one in Montgomery form.
pub const R: [u64; 4] =
    [0xd6ec_3174_8d98_951d, 0xc6ef_5bf4_737d_cf70, 0xffff_ffff_ffff_fffe, 0x0fff_ffff_ffff_ffff];
/// `2^512 mod l`.
pub const R2: [u64; 4] =
    [0xa406_11e3_449c_0f01, 0xd00e_1ba7_6885_9347, 0xceec_73d2_17f5_be65, 0x0399_411b_7c30_9a3d];

/// `a - b`, and whether it borrowed.
fn subtract(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow) = ([0; 4], false);
    for i in 0..4 {
        (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    (difference, borrow)
}

/// Takes l away once if the number is not below it.
fn below_order(a: &[u64; 4]) -> [u64; 4] {
    let (less, borrow) = subtract(a, &ORDER);
    let keep = u64::from(borrow).wrapping_neg();
    std::array::from_fn(|i| (a[i] & keep) | (less[i] & !keep))
}

/// `a b + c + carry`, as low and high word.
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    a.carrying_mul_add(b, c, carry)
}

/// Montgomery's reduction of a number below `2^256 l`: divides by 2^256 modulo l.
fn montgomery(mut t: [u64; 8]) -> [u64; 4] {
    let mut above = 0;
    for i in 0..4 {
        let m = t[i].wrapping_mul(INVERSE);
        let (_, carry) = multiply_add(m, ORDER[0], t[i], 0);
        let (low, carry) = multiply_add(m, ORDER[1], t[i + 1], carry);
        t[i + 1] = low;
        let (low, over) = t[i + 2].overflowing_add(carry);
        t[i + 2] = low;
        let (low, carry) = multiply_add(m, ORDER[3], t[i + 3], u64::from(over));
        t[i + 3] = low;
        // Beyond the four words of m l there is only a carry, kept for the next step.
        let (low, first) = t[i + 4].overflowing_add(carry);
        let (low, second) = low.overflowing_add(above);
        t[i + 4] = low;
        above = u64::from(first) + u64::from(second);
    }
    // The sum of t and m l is below 2^257 l only if t is below 2^256 l; then nothing is above the eighth word.
    debug_assert_eq!(above, 0, "the number was below 2^256 l");
    below_order(&[t[4], t[5], t[6], t[7]])
}

/// A scalar in its canonical form: the number itself, below l.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Plain([u64; 4]);

/// A scalar in Montgomery form: the number times 2^256 modulo l.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Residue([u64; 4]);

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plain(..)")
    }
}

impl std::fmt::Debug for Residue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Residue(..)")
    }
}

impl Plain {
    /// Reads 32 bytes, least significant first; `None` if the number is not below l.
    pub fn from_canonical_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let words = words(bytes);
        subtract(&words, &ORDER).1.then_some(Self(words))
    }

    /// The canonical bytes, least significant first.
    pub fn to_canonical_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The number of 252 bits in 32 bytes whose upper four bits are ignored. It is below l.
    pub fn from_252_bits(bytes: &[u8; 32]) -> Self {
        let mut words = words(bytes);
        words[3] &= (1 << 60) - 1;
        Self(words)
    }
}

fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_le_bytes(chunks[i]))
}

impl From<&Scalar> for Plain {
    fn from(scalar: &Scalar) -> Self {
        Self(words(scalar.as_bytes()))
    }
}

impl From<Plain> for Scalar {
    fn from(plain: Plain) -> Self {
        Scalar::from_bytes_mod_order(plain.to_canonical_bytes())
    }
}

impl From<Plain> for Residue {
    fn from(plain: Plain) -> Self {
        Self(montgomery(product(&plain.0, &R2)))
    }
}

impl From<Residue> for Plain {
    fn from(residue: Residue) -> Self {
        let [a, b, c, d] = residue.0;
        Self(montgomery([a, b, c, d, 0, 0, 0, 0]))
    }
}

impl From<&Scalar> for Residue {
    fn from(scalar: &Scalar) -> Self {
        Plain::from(scalar).into()
    }
}

impl From<Residue> for Scalar {
    fn from(residue: Residue) -> Self {
        Plain::from(residue).into()
    }
}

impl From<u64> for Residue {
    fn from(number: u64) -> Self {
        Plain([number, 0, 0, 0]).into()
    }
}

impl From<u128> for Plain {
    fn from(number: u128) -> Self {
        Self([number as u64, (number >> 64) as u64, 0, 0])
    }
}

impl Encode for Plain {
    fn encode(&self, w: &mut Writer) {
        w.raw(&self.to_canonical_bytes());
    }
}

impl Decode for Plain {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::from_canonical_bytes(&r.array()?).ok_or(CodecError::Invalid { what: "scalar" })
    }
}

fn product(a: &[u64; 4], b: &[u64; 4]) -> [u64; 8] {
    let mut t = [0; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = multiply_add(a[i], b[j], t[i + j], carry);
        }
        t[i + 4] = carry;
    }
    t
}

fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (mut sum, mut carry) = ([0; 4], false);
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    below_order(&sum)
}

fn negate(a: &[u64; 4]) -> [u64; 4] {
    // l - 0 is l, which is taken away again.
    below_order(&subtract(&ORDER, a).0)
}

macro_rules! additive {
    ($name:ident) => {
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(add(&self.0, &other.0))
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(negate(&self.0))
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                self + -other
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::default(), |sum, item| sum + item)
            }
        }
    };
}
additive!(Plain);
additive!(Residue);

impl Residue {
    /// The residue whose form is the number of 252 bits in 32 bytes: uniform bytes give a uniform residue, at distance
    /// 2^-127, for less than reading the number.
    pub fn from_random_bits(bytes: &[u8; 32]) -> Self {
        Self(Plain::from_252_bits(bytes).0)
    }

    /// Zero.
    pub const ZERO: Self = Self([0; 4]);
    /// One.
    pub const ONE: Self = Self(R);

    /// `1, s, s^2, ...`
    pub fn powers(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::ONE), move |power| Some(*power * self))
    }
}

impl Residue {
    /// `a b + c d`, reduced once.
    pub fn sum_of_products(a: Self, b: Self, c: Self, d: Self) -> Self {
        let (mut first, second, mut carry) = (product(&a.0, &b.0), product(&c.0, &d.0), false);
        // Two products of numbers below l are below 2^506, and so below 2^256 l.
        for i in 0..8 {
            (first[i], carry) = first[i].carrying_add(second[i], carry);
        }
        Self(montgomery(first))
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl Mul for Residue {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(montgomery(product(&self.0, &other.0)))
    }
}

/// A residue times a plain number is a plain number: the factor 2^256 of the residue is what the reduction divides by.
impl Mul<Residue> for Plain {
    type Output = Plain;
    fn mul(self, other: Residue) -> Plain {
        Plain(montgomery(product(&self.0, &other.0)))
    }
}

/// `a` times a weight of 128 bits: six words.
fn weighted(a: &[u64; 4], weight: u128) -> [u64; 6] {
    let (low, high) = (weight as u64, (weight >> 64) as u64);
    let (mut t, mut carry) = ([0; 6], 0);
    for j in 0..4 {
        (t[j], carry) = multiply_add(a[j], low, 0, carry);
    }
    t[4] = carry;
    carry = 0;
    for j in 0..4 {
        (t[j + 1], carry) = multiply_add(a[j], high, t[j + 1], carry);
    }
    t[5] = carry;
    t
}

/// Adds a number to one that has more words.
fn accumulate<const N: usize, const M: usize>(sum: &mut [u64; N], number: &[u64; M]) {
    let mut carry = false;
    for i in 0..N {
        (sum[i], carry) = sum[i].carrying_add(if i < M { number[i] } else { 0 }, carry);
    }
}

/// A sum of numbers times weights of 128 bits, not yet reduced: seven words, which hold 2^67 of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Wide([u64; 7]);

impl Wide {
    /// Adds `a` times a weight.
    pub fn add_weighted(&mut self, a: Plain, weight: u128) {
        accumulate(&mut self.0, &weighted(&a.0, weight));
    }

    /// Whether nothing was added, or nothing but zeros.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        accumulate(&mut self.0, &other.0);
    }

    /// The sum modulo l.
    pub fn to_scalar(&self) -> Scalar {
        // The words from the fifth on are reduced by themselves, as their number times 2^256.
        let [a, b, c, d, e, f, g] = self.0;
        let low = montgomery(product(&R, &[a, b, c, d]));
        let high = montgomery(product(&R2, &[e, f, g, 0]));
        Plain(add(&low, &high)).into()
    }
}

/// A sum of products, not yet reduced: nine words, which hold 2^70 products of two numbers below l.
#[derive(Clone, Copy, Default)]
struct Products([u64; 9]);

impl Products {
    fn add(&mut self, a: Plain, b: Residue) {
        accumulate(&mut self.0, &product(&a.0, &b.0));
    }

    /// The sum of products of a plain number and a residue, modulo l.
    fn reduce(&self) -> Plain {
        // Montgomery's reduction wants a number below 2^256 l: the words from the fifth on are reduced by themselves,
        // as their number times 2^256, which is that number as a residue of itself.
        let [a, b, c, d, e, f, g, h, top] = self.0;
        let low = montgomery([a, b, c, d, 0, 0, 0, 0]);
        let high = montgomery(product(&R, &[e, f, g, h]));
        let top = montgomery(product(&R2, &[top, 0, 0, 0]));
        Plain(add(&add(&low, &high), &top))
    }
}

/// `sum a_i b_i`, reduced once.
pub fn dot(a: &[Plain], b: &[Residue]) -> Plain {
    let mut sum = Products::default();
    a.iter().zip(b).for_each(|(a, b)| sum.add(*a, *b));
    sum.reduce()
}

/// `sum_k c_k s^k` for coefficients from the lowest on: blocks of a length that needs few powers.
pub fn evaluate(coefficients: &[Plain], s: Residue) -> Plain {
    const BLOCK: usize = 64;
    let powers: Vec<_> = s.powers().take(BLOCK + 1).collect();
    let blocks: Vec<_> = coefficients.chunks(BLOCK).map(|block| dot(block, &powers)).collect();
    let steps: Vec<_> = powers[BLOCK].powers().take(blocks.len()).collect();
    dot(&blocks, &steps)
}

#[cfg(test)]
mod tests;
