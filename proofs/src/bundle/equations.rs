//! The equations of the proof, weighted and summed into one.

use crate::{
    bundle::{
        digits::{Layout, limb_units, lin, tensor},
        verifier::Prepared,
    },
    epoch::EpochContext,
    generators::{VIEW_DIGITS, bases},
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};

/// What each equation is multiplied by in a random linear combination.
pub(crate) struct Weights {
    pub digits: Scalar,
    pub vector: Scalar,
    pub tags: Scalar,
    pub key: Scalar,
    pub ephemerals: [Scalar; 3],
}

impl Weights {
    /// No equation at all, to be filled in by name.
    pub(crate) fn none() -> Self {
        let zero = Scalar::ZERO;
        Self { digits: zero, vector: zero, tags: zero, key: zero, ephemerals: [zero; 3] }
    }
}

/// A sum of weighted equations, `sum scalar * base`, which is zero if all of them hold.
pub(crate) struct Combination {
    works: Vec<Scalar>,
    /// For each event place, the factors of its bases in the order of [`Combination::digit_points`].
    digits: Vec<Vec<Scalar>>,
    blinding: Scalar,
    key: Scalar,
    kem: Scalar,
    tag_base: Scalar,
    own: Vec<(Scalar, RistrettoPoint)>,
}

impl Combination {
    pub(crate) fn new(context: &EpochContext) -> Self {
        let zero = Scalar::ZERO;
        let works = vec![zero; context.shard.width()];
        Self {
            works,
            digits: Vec::new(),
            blinding: zero,
            key: zero,
            kem: zero,
            tag_base: zero,
            own: Vec::new(),
        }
    }

    /// Adds another combination.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        let add = |into: &mut [Scalar], from: &[Scalar]| into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        add(&mut self.works, &other.works);
        for (at, row) in other.digits.into_iter().enumerate() {
            match self.digits.get_mut(at) {
                Some(own) => add(own, &row),
                None => self.digits.push(row),
            }
        }
        self.blinding += other.blinding;
        self.key += other.key;
        self.kem += other.kem;
        self.tag_base += other.tag_base;
        self.own.extend(other.own);
        self
    }

    /// Adds a bundle's equations (a) to (d) and (g), each times its weight.
    pub(crate) fn add(&mut self, context: &EpochContext, p: &Prepared<'_>, weights: &Weights) {
        self.add_digits(p, &weights.digits);
        self.add_vector(context, p, &weights.vector);
        self.add_tags(p, &weights.tags);
        let (x, proof) = (p.x.0, &p.bundle.proof);
        // (d) x Y + A_sk = z_s B
        self.own.extend([(weights.key * x, p.key), (weights.key, p.key_mask)]);
        self.key -= weights.key * proof.key_response.0;
        // (g) x E_i + A_{E,i} = z_{E,i} B_kem
        for (i, weight) in weights.ephemerals.iter().enumerate() {
            self.own.extend([(weight * x, p.ephemerals[i]), (*weight, p.ephemeral_masks[i])]);
            self.kem -= weight * proof.ephemeral_responses[i].0;
        }
    }

    /// (a) `x B' + A' = <f, g> + <f (x - f), h> + z_B H`: digits are 0/1 and one-hot.
    fn add_digits(&mut self, p: &Prepared<'_>, weight: &Scalar) {
        let x = p.x.0;
        self.own.extend([(weight * x, p.digits), (*weight, p.masks)]);
        self.blinding -= weight * p.bundle.proof.digits_response.0;
        let per_event = 7 * p.layout.digits() + 2;
        if self.digits.len() < p.events.len() {
            self.digits.resize(p.events.len(), vec![Scalar::ZERO; per_event]);
        }
        for ((digits, backed), row) in p.events.iter().zip(&mut self.digits) {
            let products = |f: &Scalar| f * (x - f);
            let factors =
                digits.iter().flat_map(|d| [d[1], d[2], d[3]].into_iter().chain(d.each_ref().map(products)));
            for (into, factor) in row.iter_mut().zip(factors.chain([*backed, products(backed)])) {
                *into -= weight * factor;
            }
        }
    }

    /// (b) `x^M S + sum_k x^k Q_k = sum_w [sum_e p_{e,w}(x) v_e(x)] G_w + z_S H`: S holds exactly the events.
    fn add_vector(&mut self, context: &EpochContext, p: &Prepared<'_>, weight: &Scalar) {
        let x = p.x.0;
        self.blinding -= weight * p.bundle.proof.vector_response.0;
        let mut power = *weight;
        for coefficient in &p.coefficients {
            self.own.push((power, *coefficient));
            power *= x;
        }
        self.own.push((power, p.commitments));
        // The row of products over all works is an outer product of its two halves.
        let half = p.layout.work_digits() / 2;
        for (digits, backed) in &p.events {
            let low = tensor(Scalar::ONE, &digits[..half]);
            let count = evaluate_count(context, p.layout, digits, backed, &x);
            let high = tensor(-(weight * count), &digits[half..p.layout.work_digits()]);
            for (row, h) in self.works.chunks_exact_mut(low.len()).zip(&high) {
                row.iter_mut().zip(&low).for_each(|(into, l)| *into += h * l);
            }
        }
    }

    /// (c) `sum_e rho^e (z_s + lin(f_e)) T_e - x (sum_e rho^e) Q = N`: every tag is `(sk + m_e)^-1 Q`.
    fn add_tags(&mut self, p: &Prepared<'_>, weight: &Scalar) {
        for (((digits, _), tag), power) in p.events.iter().zip(&p.tags).zip(p.rho.powers()) {
            let scaled = weight * power;
            self.own.push((scaled * (p.bundle.proof.key_response.0 + lin(p.layout, digits)), *tag));
            self.tag_base -= scaled * p.x.0;
        }
        self.own.push((-weight, p.tag_mask));
    }

    /// Bases of the event at place `at`, in the order in which its factors are kept.
    fn digit_points(layout: Layout, at: usize) -> impl Iterator<Item = RistrettoPoint> {
        let digits = (0..layout.digits())
            .flat_map(move |d| layout.bases(at, d).g.into_iter().chain(layout.bases(at, d).h));
        digits.chain(*layout.backed_bases(at))
    }

    /// Whether the sum is zero: one multi-scalar multiplication.
    pub(crate) fn holds(&self, context: &EpochContext) -> bool {
        let layout = Layout::of(context);
        let fixed = [
            (self.blinding, bases().blinding),
            (self.key, bases().key),
            (self.kem, bases().kem),
            (self.tag_base, context.tag_base),
        ];
        let digit_points = (0..self.digits.len()).flat_map(|at| Self::digit_points(layout, at));
        let scalars = self.works.iter().chain(self.digits.iter().flatten()).copied();
        let points = context.works.points().iter().copied().chain(digit_points);
        let pairs = fixed.iter().chain(&self.own);
        let scalars = scalars.chain(pairs.clone().map(|(s, _)| *s));
        let points = points.chain(pairs.map(|(_, p)| *p));
        let (scalars, points): (Vec<_>, Vec<_>) = (scalars.collect(), points.collect());
        RistrettoPoint::vartime_multiscalar_mul(&scalars, &points).is_identity()
    }
}

/// `v_e(x)` from the responses.
fn evaluate_count(
    context: &EpochContext,
    layout: Layout,
    digits: &[[Scalar; 4]],
    backed: &Scalar,
    x: &Scalar,
) -> Scalar {
    let views = tensor(Scalar::ONE, &digits[layout.work_digits()..layout.work_digits() + VIEW_DIGITS]);
    let counted = &views[..usize::from(context.params.j_max)];
    let any: Scalar = counted.iter().sum();
    let valued: Scalar = counted.iter().zip(&context.view_values).map(|(p, value)| p * value).sum();
    let fraction: Scalar =
        digits[layout.fraction()].iter().zip(1u64..).map(|(f, i)| f * Scalar::from(i)).sum();
    let units = limb_units();
    units.listener * x * views[0] + units.backed * backed * any + units.view * x * any + fraction * valued
}
