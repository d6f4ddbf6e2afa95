//! The equations of the proof, weighted and summed into one.

use crate::{
    bundle::{
        digits::{Layout, lin},
        verifier::Prepared,
    },
    cap::equation::CapSum,
    epoch::EpochContext,
    generators::bases,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::field::{Plain, Residue, Wide};

/// What each equation is multiplied by in a random linear combination.
#[derive(Default)]
pub(crate) struct Weights {
    pub digits: u128,
    pub vector: u128,
    pub tags: u128,
    pub key: u128,
    pub amount: u128,
    pub ephemerals: [u128; 3],
    /// The two equations of the range proof.
    pub cap: [u128; 2],
}

/// A sum of weighted equations, `sum scalar * base`, which is zero if all of them hold.
///
/// Sums over the works and over the entries are kept as they stand on the right-hand side, and subtracted at the end.
pub(crate) struct Combination {
    works: Vec<Wide>,
    /// For each event place, the factors of its bases in the order of the responses.
    digits: Vec<Vec<Wide>>,
    blinding: Residue,
    key: Residue,
    value_blinding: Residue,
    kem: Residue,
    tag_base: Residue,
    cap: CapSum,
    own: Vec<(Residue, RistrettoPoint)>,
}

impl Combination {
    pub(crate) fn new(context: &EpochContext) -> Self {
        let zero = Residue::ZERO;
        Self {
            works: vec![Wide::default(); context.shard.width()],
            digits: Vec::new(),
            blinding: zero,
            key: zero,
            value_blinding: zero,
            kem: zero,
            tag_base: zero,
            cap: CapSum::new(),
            own: Vec::new(),
        }
    }

    /// Adds another combination.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        let add = |into: &mut [Wide], from: &[Wide]| into.iter_mut().zip(from).for_each(|(a, b)| a.merge(b));
        add(&mut self.works, &other.works);
        for (at, row) in other.digits.into_iter().enumerate() {
            match self.digits.get_mut(at) {
                Some(own) => add(own, &row),
                None => self.digits.push(row),
            }
        }
        self.blinding += other.blinding;
        self.key += other.key;
        self.value_blinding += other.value_blinding;
        self.kem += other.kem;
        self.tag_base += other.tag_base;
        self.cap.merge(other.cap);
        self.own.extend(other.own);
        self
    }

    /// Adds a bundle's equations (a) to (d) and (f) to (h), each times its weight. Bytes that are no range proof have no
    /// equation (h).
    pub(crate) fn add(&mut self, p: &Prepared<'_>, weights: &Weights) {
        let residue = |weight: u128| Residue::from(Plain::from(weight));
        self.add_digits(p, weights.digits, residue(weights.digits));
        self.add_vector(p, weights.vector, residue(weights.vector));
        self.add_tags(p, residue(weights.tags));
        self.add_amount(p, residue(weights.amount));
        let (x, proof) = (p.x, &p.bundle.proof);
        // (d) x Y + A_sk = z_s B
        let weight = residue(weights.key);
        self.own.extend([(weight * x, p.key), (weight, p.key_mask)]);
        self.key += weight * proof.key_response.into();
        // (g) x E_i + A_{E,i} = z_{E,i} B_kem
        for (i, weight) in weights.ephemerals.into_iter().map(residue).enumerate() {
            self.own.extend([(weight * x, p.ephemerals[i]), (weight, p.ephemeral_masks[i])]);
            self.kem += weight * proof.ephemeral_responses[i].into();
        }
        // (h) The range proof for value_cap B - Cum
        if let Some(cap) = &p.cap {
            self.cap.add(cap, weights.cap.map(residue));
        }
    }

    /// (a) `x B' + A' = <f, g> + z_B H`: the responses are what was committed to.
    fn add_digits(&mut self, p: &Prepared<'_>, short: u128, weight: Residue) {
        self.own.extend([(weight * p.x, p.digits), (weight, p.digit_masks)]);
        self.blinding += weight * p.bundle.proof.digits_response.into();
        if self.digits.len() < p.events.len() {
            self.digits.resize(p.events.len(), vec![Wide::default(); p.layout.responses()]);
        }
        let responses = p.bundle.proof.responses.chunks_exact(p.layout.responses());
        for (event, row) in responses.zip(&mut self.digits) {
            row.iter_mut().zip(event).for_each(|(sum, f)| sum.add_weighted(*f, short));
        }
    }

    /// (b) `S + x (A_1 + A_2 + A_3) = <z, G> + z_S H`: z is the vector that S commits to, under the masks.
    fn add_vector(&mut self, p: &Prepared<'_>, short: u128, weight: Residue) {
        let masks: RistrettoPoint = p.masks.iter().sum();
        self.own.extend([(weight, p.vector), (weight * p.x, masks)]);
        self.blinding += weight * p.bundle.proof.blinding_response.into();
        let entries = self.works.iter_mut().zip(&p.bundle.proof.vector_response);
        entries.for_each(|(sum, z)| sum.add_weighted(*z, short));
    }

    /// (c) `sum_e rho^e (z_s + lin(f_e)) T_e - x (sum_e rho^e) Q = N`: every tag is `(sk + m_e)^-1 Q`.
    fn add_tags(&mut self, p: &Prepared<'_>, weight: Residue) {
        let key = Residue::from(p.bundle.proof.key_response);
        for ((entries, tag), power) in p.events.iter().zip(&p.tags).zip(p.rho.powers()) {
            let scaled = weight * power;
            self.own.push((scaled * (key + lin(p.layout, &entries.digits)), *tag));
            self.tag_base += scaled * p.x;
        }
        self.own.push((-weight, p.tag_mask));
    }

    /// (f) `sum_{k<M} x^k D_k + x^M tau^W C_val + x^(M+1) D_(M+1) = (amount - x^M <z, tau>) B + z_D B~`: the vector and
    /// the value are what the events amount to, and every entry is zero or one.
    fn add_amount(&mut self, p: &Prepared<'_>, weight: Residue) {
        let mut power = weight;
        for coefficient in &p.coefficients[..p.layout.degree()] {
            self.own.push((power, *coefficient));
            power = power * p.x;
        }
        self.own.push((power * p.value_weight, p.value));
        self.own.push((power * p.x, p.coefficients[p.layout.degree()]));
        self.key += weight * p.amount;
        self.value_blinding += weight * p.bundle.proof.coefficient_response.into();
    }

    /// Whether the sum is zero: one multi-scalar multiplication.
    pub(crate) fn holds(&self, context: &EpochContext) -> bool {
        let layout = Layout::of(context);
        let fixed = [
            (-self.blinding, bases().blinding),
            (-self.key, bases().key),
            (-self.value_blinding, bases().value_blinding),
            (-self.kem, bases().kem),
            (-self.tag_base, context.tag_base),
        ];
        let pairs = fixed.into_iter().chain(self.own.iter().copied()).chain(self.cap.terms());
        let sums = self.works.iter().chain(self.digits.iter().flatten());
        let digit_points = (0..self.digits.len()).flat_map(|at| layout.bases(at).copied());
        let sums = sums.zip(context.works.points().iter().copied().chain(digit_points));
        // An equation by itself leaves most factors zero: few of them are over all works.
        let pairs = pairs.filter(|(factor, _)| !factor.is_zero()).map(|(s, point)| (Scalar::from(s), point));
        let sums = sums.filter(|(sum, _)| !sum.is_zero()).map(|(sum, point)| (-sum.to_scalar(), point));
        let (scalars, points): (Vec<_>, Vec<_>) = sums.chain(pairs).unzip();
        RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity()
    }
}
