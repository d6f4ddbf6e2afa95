//! How an event is written in one-hot digits, and what its digits amount to.
//!
//! An event is `work digits | view digits | fraction | backed`: base-4 one-hot digits, least significant first, and
//! one binary digit. Prover and verifier meet here and nowhere else: what they compute of digits is written once, over
//! an [`Algebra`]. The prover computes with polynomials in X, whose entries are the lines `sigma X + a`; the verifier
//! with their values at the challenge x, which are the responses `f = sigma x + a`.

use crate::{
    epoch::EpochContext,
    generators::{DigitBases, VIEW_DIGITS, event_bases},
    tally::totals::power_of_two,
};
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::field::{Plain, Residue};
use primitives::limits::{BACKED_SHIFT, LISTENER_SHIFT, VIEWS_SHIFT};
use zeroize::Zeroize;

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

    /// Width `W` of the shard.
    pub fn width(self) -> usize {
        1 << (2 * self.work_digits)
    }

    /// Degree `M` of what the events add up to, `sum_e P_e(X) v_e(X)`.
    pub fn degree(self) -> usize {
        self.work_digits + VALUE_DEGREE
    }

    /// Committed coefficients of Phi: those below `X^M`, and that of `X^(M+1)`.
    pub fn coefficients(self) -> usize {
        self.degree() + 1
    }

    /// Splits the flat responses of a bundle into events and fills in entry 0, `x - f_1 - f_2 - f_3`.
    pub fn read(self, responses: &[Plain], x: Residue) -> Vec<Entries<Residue>> {
        let event = |flat: &[Plain]| {
            let (digits, backed) = flat.split_at(3 * self.digits());
            let digit = |f: &[Plain]| {
                let [a, b, c] = [f[0], f[1], f[2]].map(Residue::from);
                [x - a - b - c, a, b, c]
            };
            Entries { digits: digits.chunks_exact(3).map(digit).collect(), backed: backed[0].into() }
        };
        responses.chunks_exact(self.responses()).map(event).collect()
    }

    /// Bases of the committed entries of the event at place `event`, in the order of its responses.
    pub fn bases(self, event: usize) -> impl Iterator<Item = &'static RistrettoPoint> {
        let all = event_bases(event);
        let digits: [&[DigitBases]; 3] =
            [&all.work[..self.work_digits], &all.view, std::slice::from_ref(&all.fraction)];
        digits.into_iter().flatten().flatten().chain([&all.backed])
    }
}

/// What digits are computed with: values at x, or polynomials in X.
pub trait Algebra: Clone {
    /// Zero.
    fn zero() -> Self;
    /// `self += other`.
    fn add(&mut self, other: &Self);
    /// `self other`.
    fn times(&self, other: &Self) -> Self;
    /// `factor self`.
    fn scaled(&self, factor: Residue) -> Self;
}

impl Algebra for Residue {
    fn zero() -> Self {
        Self::ZERO
    }
    fn add(&mut self, other: &Self) {
        *self += *other;
    }
    fn times(&self, other: &Self) -> Self {
        *self * *other
    }
    fn scaled(&self, factor: Residue) -> Self {
        *self * factor
    }
}

/// A polynomial in X, lowest coefficient first. Its length says nothing of its coefficients.
#[derive(Clone, Debug, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct Polynomial(pub Vec<Residue>);

impl Algebra for Polynomial {
    fn zero() -> Self {
        Self(Vec::new())
    }
    fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), Residue::ZERO);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a += *b);
    }
    fn times(&self, other: &Self) -> Self {
        let mut product = vec![Residue::ZERO; (self.0.len() + other.0.len()).saturating_sub(1)];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                product[i + j] += *a * *b;
            }
        }
        Self(product)
    }
    fn scaled(&self, factor: Residue) -> Self {
        Self(self.0.iter().map(|c| *c * factor).collect())
    }
}

/// Entries of one event: those of its digits, entry 0 included, and the backed entry.
#[derive(Clone, Zeroize)]
pub struct Entries<A> {
    /// Four entries a digit.
    pub digits: Vec<[A; 4]>,
    /// The backed entry.
    pub backed: A,
}

/// What the digits of all events are weighed by, once a bundle's `tau` is drawn.
pub struct Weighing<'a> {
    context: &'a EpochContext,
    layout: Layout,
    /// For each digit of a work, `tau^(i 4^digit)` for i from 0 to 3.
    works: Vec<[Residue; 4]>,
    /// `tau^W`: what the value that the cap counts is weighed by.
    pub value: Residue,
    tau: Residue,
    units: LimbUnits,
}

impl<'a> Weighing<'a> {
    /// Powers of `tau` for a shard.
    pub fn new(context: &'a EpochContext, layout: Layout, tau: Residue) -> Self {
        let mut base = tau;
        let mut works = Vec::with_capacity(layout.work_digits());
        for _ in 0..layout.work_digits() {
            let square = base * base;
            works.push([Residue::ONE, base, square, square * base]);
            base = square * square;
        }
        Self { context, layout, works, value: base, tau, units: LimbUnits::new() }
    }

    /// `P_e`: the product over the digits of the work of `sum_i tau^(i 4^digit) f_i`. On one-hot digits its leading
    /// coefficient is `tau^w`.
    fn place<A: Algebra>(&self, entries: &Entries<A>) -> A {
        let weighed = |(digit, powers): (&[A; 4], &[Residue; 4])| {
            let mut sum = digit[0].clone();
            digit[1..].iter().zip(&powers[1..]).for_each(|(f, power)| sum.add(&f.scaled(*power)));
            sum
        };
        let factors = entries.digits[..self.layout.work_digits()].iter().zip(&self.works).map(weighed);
        factors.reduce(|a, b| a.times(&b)).expect("a work has a digit")
    }

    /// `value_e` and `v_e`: what the event is worth, and all that it adds to its work's count.
    ///
    /// Every term has degree 4 in the entries and X together, so that the leading coefficients are what comes out at
    /// the digits themselves with one for X.
    pub fn count<A: Algebra>(&self, entries: &Entries<A>, x: &A) -> (A, A) {
        let views = &entries.digits[self.layout.work_digits()..self.layout.fraction()];
        let counted = |j: usize| j < usize::from(self.context.params.j_max);
        let any = over_views(views, &|j, f| counted(j).then(|| f.clone()));
        let valued = over_views(views, &|j, f| counted(j).then(|| f.scaled(self.context.view_values[j])));
        let mut fraction = A::zero();
        for (i, f) in (1u64..).zip(&entries.digits[self.layout.fraction()]) {
            fraction.add(&f.scaled(Residue::from(i)));
        }
        let value = fraction.times(&valued);
        let first =
            views.iter().map(|d| d[0].clone()).reduce(|a, b| a.times(&b)).expect("a view has a digit");
        let units = &self.units;
        let mut plain = first.scaled(units.listener);
        plain.add(&any.scaled(units.view));
        let mut count = x.times(&plain);
        count.add(&entries.backed.times(&any).scaled(units.backed));
        count.add(&value);
        (value, count)
    }

    /// `sum_e P_e v_e + tau^W X^(M-4) sum_e value_e + X^(M-2) sum_n tau^(W+1+n) f_n (f_n - X)`, n over all entries: what
    /// the events amount to, what they are worth, and that every entry is zero or one.
    pub fn amount<A: Algebra>(&self, events: &[Entries<A>], x: &A) -> A {
        let (mut sum, mut worth, mut bits) = (A::zero(), A::zero(), A::zero());
        let minus_x = x.scaled(-Residue::ONE);
        for entries in events {
            let (value, count) = self.count(entries, x);
            sum.add(&self.place(entries).times(&count));
            worth.add(&value);
        }
        // Horner's scheme in tau, from the last entry to the first.
        for entries in events.iter().rev() {
            for f in [&entries.backed].into_iter().chain(entries.digits.iter().flatten().rev()) {
                let mut other = f.clone();
                other.add(&minus_x);
                bits = bits.scaled(self.tau);
                bits.add(&f.times(&other));
            }
        }
        let bits = bits.scaled(self.value * self.tau);
        let raise = |a: A, by: usize| (0..by).fold(a, |a, _| a.times(x));
        sum.add(&raise(worth.scaled(self.value), self.layout.degree() - VALUE_DEGREE));
        sum.add(&raise(bits, self.layout.degree() - 2));
        sum
    }
}

/// `sum_j weight(j) p_j`, where `p_j` is the product of the entries that j's digits select, and `weighed` gives an entry
/// of the lowest digit times the weight of j, or nothing: Horner's scheme over the digits. Which weights are zero is
/// public, so what only they would reach is left out.
fn over_views<A: Algebra>(digits: &[[A; 4]], weighed: &impl Fn(usize, &A) -> Option<A>) -> A {
    let mut level: Vec<Option<A>> = (0..1usize << (2 * (digits.len() - 1)))
        .map(|j| select(&digits[0], |i, f| weighed(4 * j + i, f)))
        .collect();
    for digit in &digits[1..] {
        level =
            level.chunks(4).map(|inner| select(digit, |i, f| Some(f.times(inner[i].as_ref()?)))).collect();
    }
    level.swap_remove(0).unwrap_or_else(A::zero)
}

fn select<A: Algebra>(digit: &[A; 4], term: impl Fn(usize, &A) -> Option<A>) -> Option<A> {
    digit.iter().enumerate().filter_map(|(i, f)| term(i, f)).reduce(|mut sum, term| {
        sum.add(&term);
        sum
    })
}

/// `lin(f)`: weighted sum of one-hot entries, which for an event's digits is its number `m = 64 w + j`. The digits of j
/// and then of w are those of m, so this is Horner's scheme in base 4. The fraction has no part in it.
pub fn lin(layout: Layout, digits: &[[Residue; 4]]) -> Residue {
    let numbered = |d: &[Residue; 4]| d[1] + d[2] + d[2] + d[3] + d[3] + d[3];
    let (works, views) = digits[..layout.fraction()].split_at(layout.work_digits());
    views.iter().chain(works).rev().fold(Residue::ZERO, |sum, digit| {
        let twice = sum + sum;
        twice + twice + numbered(digit)
    })
}

/// Factors of `v_e(X)`: what a listener, a backed view and a view add to a count.
struct LimbUnits {
    listener: Residue,
    backed: Residue,
    view: Residue,
}

impl LimbUnits {
    fn new() -> Self {
        let unit = |shift| Residue::from(&power_of_two(shift));
        Self { listener: unit(LISTENER_SHIFT), backed: unit(BACKED_SHIFT), view: unit(VIEWS_SHIFT) }
    }
}

#[cfg(test)]
mod tests;
