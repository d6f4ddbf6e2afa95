//! What signatures need of Baby Jubjub beyond the curve library: encodings and two multiplications.

use crate::poseidon::{felt_from_bytes, felt_to_bytes};
use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use ark_ff::{BigInt, BigInteger, Field, PrimeField, Zero};
use std::{cmp::Ordering, hash};

/// Bits of the group order.
const SCALAR_BITS: usize = Scalar::MODULUS_BIT_SIZE as usize;

/// The highest bit of an encoding. `y` is below 2^254 and leaves two bits.
const SIGN: u8 = 0x80;

/// A point with its encoding, by which it is compared, ordered and hashed.
#[derive(Clone, Copy)]
pub(super) struct Point {
    affine: EdwardsAffine,
    bytes: [u8; 32],
}

impl Point {
    pub(super) fn new(affine: EdwardsAffine) -> Self {
        let mut bytes = felt_to_bytes(&affine.y);
        if affine.x > -affine.x {
            bytes[31] |= SIGN;
        }
        Self { affine, bytes }
    }

    /// The point on the curve that the bytes encode, if they are the canonical encoding of one.
    pub(super) fn decompress(bytes: [u8; 32]) -> Option<Self> {
        let mut y = bytes;
        y[31] &= !SIGN;
        let y = felt_from_bytes(y)?;
        let (low, high) = EdwardsAffine::get_xs_from_y_unchecked(y)?;
        let x = if bytes[31] & SIGN == 0 { low } else { high };
        let point = Self::new(EdwardsAffine::new_unchecked(x, y));
        // Where x is zero it has no sign, and the sign bit would be a second spelling.
        (point.bytes == bytes && point.affine.is_on_curve()).then_some(point)
    }

    pub(super) fn affine(&self) -> &EdwardsAffine {
        &self.affine
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Point {}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Point {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl hash::Hash for Point {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// The generator of the subgroup of prime order.
pub(super) fn base() -> EdwardsAffine {
    EdwardsAffine::generator()
}

/// `scalar * point`, with one doubling and one addition for every bit, set or not. The addition law of the curve is
/// complete, so that adding the identity is an addition like any other (Hisil et al., 2008/522, section 3.1).
pub(super) fn regular_mul(point: &EdwardsAffine, scalar: &Scalar) -> EdwardsAffine {
    let table = [EdwardsAffine::zero(), *point];
    let mut bits = scalar.into_bigint();
    let mut sum = EdwardsProjective::zero();
    for i in (0..SCALAR_BITS).rev() {
        sum.double_in_place();
        sum += table[usize::from(bits.get_bit(i))];
    }
    bits.0.fill(0);
    std::hint::black_box(&bits);
    sum.into_affine()
}

/// `a P + b Q`, with one chain of doublings for both (Straus 1964). Only for public values.
pub(super) fn vartime_combination(
    a: &Scalar,
    p: &EdwardsAffine,
    b: &Scalar,
    q: &EdwardsAffine,
) -> EdwardsAffine {
    let both = (*p + *q).into_affine();
    let (a, b) = (a.into_bigint(), b.into_bigint());
    let mut sum = EdwardsProjective::zero();
    for i in (0..SCALAR_BITS).rev() {
        sum.double_in_place();
        match (a.get_bit(i), b.get_bit(i)) {
            (true, true) => sum += both,
            (true, false) => sum += p,
            (false, true) => sum += q,
            (false, false) => {}
        }
    }
    sum.into_affine()
}

/// Canonical little-endian bytes.
pub(super) fn scalar_to_bytes(x: &Scalar) -> [u8; 32] {
    x.into_bigint().to_bytes_le().try_into().expect("four limbs are 32 bytes")
}

/// Reads canonical little-endian bytes; numbers from the group order up are refused.
pub(super) fn scalar_from_bytes(bytes: [u8; 32]) -> Option<Scalar> {
    let (limbs, _) = bytes.as_chunks::<8>();
    Scalar::from_bigint(BigInt(std::array::from_fn(|i| u64::from_le_bytes(limbs[i]))))
}

/// Overwrites a secret in a way that the compiler keeps.
pub(super) fn wipe<F: Field>(secret: &mut F) {
    secret.zeroize();
}

/// Overwrites the bytes of a secret.
pub(super) fn wipe_bytes(secret: &mut [u8]) {
    secret.fill(0);
    // Whoever might look at the bytes here wants to see zeros, so that the writes cannot be dropped.
    std::hint::black_box(secret);
}
