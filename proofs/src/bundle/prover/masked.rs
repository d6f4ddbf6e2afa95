//! Events as masked entries of digits: the usage vector that they amount to, and the commitments to both.

use crate::{
    bundle::digits::{Entries, Layout, Polynomial, Weighing},
    epoch::EpochContext,
    generators::bases,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{Identity, MultiscalarMul},
};
use primitives::field::Residue;
use rand_core::{CryptoRng, RngCore};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// An entry of a digit: `sigma` and its mask a.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Line {
    pub(super) sigma: Residue,
    pub(super) mask: Residue,
}

impl Line {
    /// `sigma X + a`.
    pub(super) fn polynomial(self) -> Polynomial {
        Polynomial(vec![self.mask, self.sigma])
    }
}

/// The masked entries of one event.
#[derive(Zeroize)]
#[zeroize(drop)]
pub(super) struct MaskedEvent {
    digits: Vec<[Line; 4]>,
    pub(super) backed: Line,
}

impl MaskedEvent {
    /// Draws a mask for each entry; those of a digit sum to zero.
    pub(super) fn new(
        (digits, backed): &(Vec<[Scalar; 4]>, Scalar),
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let mut draw = || Residue::from(&Scalar::random(rng));
        let mut masked = |sigma: &[Scalar; 4]| {
            let [a, b, c] = [draw(), draw(), draw()];
            let masks = [-(a + b + c), a, b, c];
            std::array::from_fn(|i| Line { sigma: Residue::from(&sigma[i]), mask: masks[i] })
        };
        let digits = digits.iter().map(&mut masked).collect();
        Self { digits, backed: Line { sigma: Residue::from(backed), mask: draw() } }
    }

    pub(super) fn entries<A>(&self, read: impl Fn(Line) -> A) -> Entries<A> {
        Entries { digits: self.digits.iter().map(|d| d.map(&read)).collect(), backed: read(self.backed) }
    }

    /// The entries themselves.
    fn sigmas(&self) -> Zeroizing<Entries<Residue>> {
        Zeroizing::new(self.entries(|line| line.sigma))
    }

    /// The entries that are committed to: three of each digit, and the backed one.
    pub(super) fn committed(&self) -> impl Iterator<Item = Line> {
        self.digits.iter().flat_map(|d| [d[1], d[2], d[3]]).chain([self.backed])
    }
}

/// What each event counts for, which does not depend on tau.
pub(super) fn counts(
    context: &EpochContext,
    layout: Layout,
    events: &[MaskedEvent],
) -> Zeroizing<Vec<Residue>> {
    let weighing = Weighing::new(context, layout, Residue::ONE);
    let count = |event: &MaskedEvent| weighing.count(&event.sigmas(), &Residue::ONE).1;
    Zeroizing::new(events.iter().map(count).collect())
}

/// The usage vector that the digits amount to: each event's count times the outer product of its work's digits.
pub(super) fn usage_vector(
    layout: Layout,
    events: &[MaskedEvent],
    counts: &[Residue],
) -> Zeroizing<Vec<Residue>> {
    let mut vector = Zeroizing::new(vec![Residue::ZERO; layout.width()]);
    let half = layout.work_digits() / 2;
    for (event, count) in events.iter().zip(counts) {
        let digits = &event.sigmas().digits;
        let low = tensor(Residue::ONE, &digits[..half]);
        let high = tensor(*count, &digits[half..layout.work_digits()]);
        for (row, h) in vector.chunks_exact_mut(low.len()).zip(high.iter()) {
            row.iter_mut().zip(low.iter()).for_each(|(into, l)| *into += *h * *l);
        }
    }
    vector
}

/// Products of digit entries for every number that `digits` can spell, least significant digit first.
fn tensor(start: Residue, digits: &[[Residue; 4]]) -> Zeroizing<Vec<Residue>> {
    let mut products = Zeroizing::new(vec![start]);
    for digit in digits.iter().rev() {
        let mut longer = Zeroizing::new(Vec::with_capacity(4 * products.len()));
        longer.extend(products.iter().flat_map(|p| digit.map(|entry| *p * entry)));
        products = longer;
    }
    products
}

/// `S = sum_e count_e G_{w_e} + R H`. Every base is read for every event, so that nothing tells which was taken.
pub(super) fn commit_events(
    context: &EpochContext,
    (works, counts): (&[u16], &[Scalar]),
    blinding: &Scalar,
) -> RistrettoPoint {
    let taken = works.iter().map(|work| {
        let mut taken = RistrettoPoint::identity();
        for (at, base) in (0u16..).zip(context.works.points()) {
            taken.conditional_assign(base, at.ct_eq(work));
        }
        taken
    });
    let points: Zeroizing<Vec<_>> = Zeroizing::new(taken.chain([bases().blinding]).collect());
    RistrettoPoint::multiscalar_mul(counts.iter().chain([blinding]), points.iter())
}

/// `B' = <sigma, g> + r_B H` and `A' = <a, g> + r_A H`. Entries are bits, so that `B'` needs one addition for each;
/// the bits of a lie may be other numbers.
pub(super) fn commit_digits(
    layout: Layout,
    events: &[MaskedEvent],
    (honest, blindings): (bool, [&Scalar; 2]),
) -> [RistrettoPoint; 2] {
    let points: Vec<_> =
        (0..events.len()).flat_map(|at| layout.bases(at)).chain([&bases().blinding]).collect();
    let scalars = |read: fn(Line) -> Residue, blinding: &Scalar| {
        let entries = events.iter().flat_map(MaskedEvent::committed).map(|line| Scalar::from(read(line)));
        Zeroizing::new(entries.chain([*blinding]).collect::<Vec<_>>())
    };
    let digits = scalars(|line| line.sigma, blindings[0]);
    let masks = scalars(|line| line.mask, blindings[1]);
    let committed = if honest {
        let mut sum = blindings[0] * bases().blinding;
        for (bit, base) in digits.iter().zip(&points[..points.len() - 1]) {
            let set: Choice = bit.ct_eq(&Scalar::ONE);
            sum += RistrettoPoint::conditional_select(&RistrettoPoint::identity(), base, set);
        }
        sum
    } else {
        RistrettoPoint::multiscalar_mul(digits.iter(), points.iter().copied())
    };
    [committed, RistrettoPoint::multiscalar_mul(masks.iter(), points)]
}
