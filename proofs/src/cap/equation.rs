//! The verifier of the cap's range proof, as two linear equations of group elements (Bunz et al. 2018, sections 3.1, 4.2
//! and 6.2, for one number of 32 bits).
//!
//! With the challenges y, z, x, w and `u_1, .., u_5`, bases `G_i`, `H_i` for i from 0 to 31, and V the commitment to what
//! is left below the cap, a proof `A, S, T_1, T_2, t, t_B, e_B, L_j, R_j, a, b` holds if
//!
//! - inner product: `A + x S + sum_j (u_j^2 L_j + u_j^-2 R_j) - e_B B~ + w (t - a b) B + sum_i (-z - a s_i) G_i +
//!   sum_i (z + y^-i (z^2 2^i - b / s_i)) H_i = 0`, where `s_i` is the product of all u_j, each inverted unless i has its
//!   bit; `1 / s_i` is `s_(31-i)`;
//! - polynomial: `x T_1 + x^2 T_2 + z^2 V + (delta - t) B - t_B B~ = 0`, where `delta = (z - z^2) sum_i y^i - z^3 (2^32 -
//!   1)`.
//!
//! The first is multiplied by `y^31 U^2`, where U is the product of all u_j. That leaves no inverse in it, and it is as
//! true as before, since a proof for which the factor is zero is not read.
//!
//! Everything here is public and runs in variable time.

use crate::{
    cap::{CAP_BITS, CAP_PROOF_BYTES, CapProof},
    generators::bases,
    transcript::{BundleTranscript, RangeChallenges},
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::IsIdentity};
use primitives::field::{Plain, Residue};
use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use std::{array, sync::OnceLock};

/// Rounds of the inner product: each halves the bits.
pub(crate) const ROUNDS: usize = CAP_BITS.ilog2() as usize;
/// Values of 32 bytes in a range proof.
pub(crate) const FIELDS: usize = CAP_PROOF_BYTES / 32;
/// Place of the first element of the inner product. Before it are four elements and three scalars.
pub(crate) const INNER: usize = 7;

/// Numbers of one entry for each bit.
type Bits = [Residue; CAP_BITS];

/// A range proof that was read, with its challenges.
pub(crate) struct CapEquations {
    value_cap: u64,
    cum: RistrettoPoint,
    /// `A, S, T_1, T_2`.
    commitments: [RistrettoPoint; 4],
    /// `L_j` and `R_j`.
    rounds: [[RistrettoPoint; 2]; ROUNDS],
    /// `t, t_B, e_B`.
    openings: [Residue; 3],
    /// `a, b`.
    last: [Residue; 2],
    challenges: RangeChallenges,
}

/// An element that is not neutral.
fn element(bytes: &[u8; 32]) -> Option<RistrettoPoint> {
    WirePoint(*bytes).decompress().filter(|point| !point.is_identity())
}

fn scalar(bytes: &[u8; 32]) -> Option<Residue> {
    Plain::from_canonical_bytes(bytes).map(Residue::from)
}

/// `number B`: a sum of as many elements as the number has bits that are one.
fn times_key(number: u64) -> RistrettoPoint {
    static POWERS: OnceLock<[RistrettoPoint; u64::BITS as usize]> = OnceLock::new();
    let powers = POWERS.get_or_init(|| {
        let mut next = bases().key;
        array::from_fn(|_| {
            let power = next;
            next += power;
            power
        })
    });
    powers.iter().enumerate().filter(|(bit, _)| number >> bit & 1 == 1).map(|(_, power)| power).sum()
}

impl CapEquations {
    /// Reads a proof that `value_cap B - cum` commits to a number of 32 bits, and draws its challenges from the
    /// transcript of the bundle. `None` if the bytes are no proof.
    pub(crate) fn read(
        value_cap: u64,
        cum: RistrettoPoint,
        proof: &CapProof,
        transcript: &mut BundleTranscript,
    ) -> Option<Self> {
        let fields: &[[u8; 32]; FIELDS] =
            proof.bytes.as_chunks().0.try_into().expect("19 values of 32 bytes");
        let [a, s, t_1, t_2, t, t_blinding, e_blinding, .., last_a, last_b] = fields;
        let mut rounds = [[RistrettoPoint::default(); 2]; ROUNDS];
        for (round, [left, right]) in rounds.iter_mut().zip(fields[INNER..].as_chunks().0) {
            *round = [element(left)?, element(right)?];
        }
        let room = WirePoint::from(times_key(value_cap) - cum);
        let challenges = transcript.range_proof(&room, fields);
        let factors = challenges.rounds.iter().fold(challenges.y, |product, u| product * *u);
        (factors != Residue::ZERO).then_some(())?;
        Some(Self {
            value_cap,
            cum,
            commitments: [element(a)?, element(s)?, element(t_1)?, element(t_2)?],
            rounds,
            openings: [scalar(t)?, scalar(t_blinding)?, scalar(e_blinding)?],
            last: [scalar(last_a)?, scalar(last_b)?],
            challenges,
        })
    }
}

/// A sum of weighted equations of range proofs. It is zero if all of them hold.
pub(crate) struct CapSum {
    /// Factors of `G_i` and of `H_i`.
    vectors: [Bits; 2],
    key: Residue,
    value_blinding: Residue,
    own: Vec<(Residue, RistrettoPoint)>,
}

impl CapSum {
    pub(crate) fn new() -> Self {
        let zero = Residue::ZERO;
        Self { vectors: [[zero; CAP_BITS]; 2], key: zero, value_blinding: zero, own: Vec::new() }
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: Self) {
        let own = self.vectors.as_flattened_mut().iter_mut();
        own.zip(other.vectors.as_flattened()).for_each(|(a, b)| *a += *b);
        self.key += other.key;
        self.value_blinding += other.value_blinding;
        self.own.extend(other.own);
    }

    /// Adds the two equations of a proof, each times its own weight.
    pub(crate) fn add(&mut self, proof: &CapEquations, [inner_product, polynomial]: [Residue; 2]) {
        let powers = powers(proof.challenges.y);
        self.add_inner_product(proof, &powers, inner_product);
        self.add_polynomial(proof, powers.into_iter().sum(), polynomial);
    }

    fn add_inner_product(&mut self, proof: &CapEquations, powers: &Bits, weight: Residue) {
        let RangeChallenges { z, x, w, rounds, .. } = proof.challenges;
        let ([t, _, e_blinding], [a, b]) = (proof.openings, proof.last);
        let squares = rounds.map(|u| u * u);
        let product = rounds.into_iter().fold(Residue::ONE, |product, u| product * u);
        // The weight times U, times U^2, and times all of the factor.
        let once = weight * product;
        let twice = once * product;
        let whole = twice * powers[CAP_BITS - 1];

        let [commitment, masks, ..] = proof.commitments;
        self.own.extend([(whole, commitment), (whole * x, masks)]);
        let raised = weight * powers[CAP_BITS - 1];
        for (([left, right], square), others) in proof.rounds.iter().zip(squares).zip(others(&squares)) {
            self.own.extend([(whole * square, *left), (raised * others, *right)]);
        }
        self.value_blinding += -(whole * e_blinding);
        self.key += whole * w * (t - a * b);

        let selections = selections(&squares);
        let shift = whole * z;
        let for_a = once * powers[CAP_BITS - 1] * a;
        let for_b = once * b;
        let mut bit = twice * z * z;
        let [left, right] = &mut self.vectors;
        for i in 0..CAP_BITS {
            let mirrored = CAP_BITS - 1 - i;
            left[i] += -(shift + for_a * selections[i]);
            right[i] += shift + powers[mirrored] * (bit - for_b * selections[mirrored]);
            bit += bit;
        }
    }

    fn add_polynomial(&mut self, proof: &CapEquations, sum_of_powers: Residue, weight: Residue) {
        let RangeChallenges { z, x, .. } = proof.challenges;
        let ([t, t_blinding, _], [_, _, first, second]) = (proof.openings, proof.commitments);
        let square = z * z;
        let all_bits = Residue::from((1 << CAP_BITS) - 1);
        let delta = (z - square) * sum_of_powers - square * z * all_bits;
        // V is value_cap B less Cum.
        self.key += weight * (delta - t + square * Residue::from(proof.value_cap));
        self.value_blinding += -(weight * t_blinding);
        let once = weight * x;
        self.own.extend([(once, first), (once * x, second), (-(weight * square), proof.cum)]);
    }

    /// The scalars and elements that the sum is made of.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (Residue, RistrettoPoint)> + Clone {
        let fixed = [(self.key, bases().key), (self.value_blinding, bases().value_blinding)];
        let vectors = self.vectors.as_flattened().iter().zip(range_bases().as_flattened());
        vectors.map(|(factor, base)| (*factor, *base)).chain(fixed).chain(self.own.iter().copied())
    }
}

/// `1, y, .., y^31`.
fn powers(y: Residue) -> Bits {
    let mut powers = y.powers();
    array::from_fn(|_| powers.next().expect("there is always another power"))
}

/// `U s_i` for each i: the product of the squares that the bits of i select. The first round belongs to the highest bit.
fn selections(squares: &[Residue; ROUNDS]) -> Bits {
    let mut products = [Residue::ONE; CAP_BITS];
    for (bit, square) in squares.iter().rev().enumerate() {
        for i in 0..1 << bit {
            products[i + (1 << bit)] = products[i] * *square;
        }
    }
    products
}

/// For each square the product of all others.
fn others(squares: &[Residue; ROUNDS]) -> [Residue; ROUNDS] {
    let mut products = [Residue::ONE; ROUNDS];
    let (mut before, mut after) = (Residue::ONE, Residue::ONE);
    for i in 0..ROUNDS {
        let mirrored = ROUNDS - 1 - i;
        products[i] = products[i] * before;
        products[mirrored] = products[mirrored] * after;
        before = before * squares[i];
        after = after * squares[mirrored];
    }
    products
}

/// `G_i` and `H_i`, as the crate `bulletproofs` derives them for its first party.
fn range_bases() -> &'static [[RistrettoPoint; CAP_BITS]; 2] {
    static BASES: OnceLock<[[RistrettoPoint; CAP_BITS]; 2]> = OnceLock::new();
    BASES.get_or_init(|| [chain(b'G'), chain(b'H')])
}

fn chain(name: u8) -> [RistrettoPoint; CAP_BITS] {
    let mut hash = Shake256::default();
    hash.update(b"GeneratorsChain");
    hash.update(&[name, 0, 0, 0, 0]);
    let mut stream = hash.finalize_xof();
    array::from_fn(|_| {
        let mut bytes = [0; 64];
        stream.read(&mut bytes);
        RistrettoPoint::from_uniform_bytes(&bytes)
    })
}

#[cfg(test)]
mod tests;
