//! Fixed-point powers beside those of the platform.

use crate::{
    measure::{Plan, Side, by_turns},
    report::{Topic, digits, duration, ratio},
};
use primitives::{
    fixed_point::{MANTISSA_BITS, Power, pow_q32},
    params::{ONE_Q32, q32},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{hint::black_box, num::NonZero};

/// The exponent of bandwidth credibility in the specification, 0.35.
const EXPONENT: (u64, u64) = (35, 100);

/// Bases from 1/100 to below 2, which is where credibility lies, in both forms.
pub(crate) struct Bases {
    fixed: Vec<NonZero<u64>>,
    float: Vec<f64>,
    exponent: u64,
}

fn to_float(q32: u64) -> f64 {
    q32 as f64 / ONE_Q32 as f64
}

fn value(power: Power) -> f64 {
    power.mantissa as f64 * 2f64.powi(power.exponent - MANTISSA_BITS as i32)
}

impl Bases {
    pub(crate) fn new(count: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (low, high) = (ONE_Q32 / 100, 2 * ONE_Q32);
        let mut draw = || NonZero::new(low + rng.next_u64() % (high - low)).expect("positive");
        let fixed: Vec<_> = (0..count).map(|_| draw()).collect();
        let float = fixed.iter().map(|base| to_float(base.get())).collect();
        Self { fixed, float, exponent: q32(EXPONENT.0, EXPONENT.1) }
    }

    pub(crate) fn fixed(&self) -> u64 {
        let power = |base: &NonZero<u64>| pow_q32(*base, black_box(self.exponent)).expect("small exponents");
        self.fixed.iter().map(power).fold(0, |sum, power| sum.wrapping_add(power.mantissa))
    }

    pub(crate) fn float(&self) -> f64 {
        let exponent = black_box(to_float(self.exponent));
        self.float.iter().map(|base| base.powf(exponent)).sum()
    }

    /// Largest relative distance to the powers of the platform, and whether any is above them by more than their own error.
    fn error(&self) -> (f64, bool) {
        let mut largest = 0f64;
        let mut above = false;
        for (fixed, float) in self.fixed.iter().zip(&self.float) {
            let truth = float.powf(to_float(self.exponent));
            let short = (truth - value(pow_q32(*fixed, self.exponent).expect("small exponents"))) / truth;
            largest = largest.max(short);
            above |= short < -4.0 * f64::EPSILON;
        }
        (largest, above)
    }
}

/// The bound that the module documents: `0.6932 (a + 1) 2^-32 + 2^-57`.
fn bound(exponent: u64) -> f64 {
    0.6932 * (to_float(exponent) + 1.0) * 2f64.powi(-32) + 2f64.powi(-57)
}

/// Measures both on the same bases.
pub(crate) fn run(plan: &Plan) -> Topic {
    let bases = Bases::new(plan.size(4_096, 64));
    eprintln!("fixed-point power");
    let count = bases.fixed.len();
    let [fixed, float] = by_turns(
        plan,
        [Side::new("pow_q32", count, || bases.fixed()), Side::new("f64::powf", count, || bases.float())],
    );
    let mut topic = Topic::default();
    topic.paragraph(&format!(
        "`pow_q32` at the exponent 0.35 of bandwidth credibility, beside `f64::powf` on the same {} bases from 0.01 to 2.",
        crate::report::grouped(count as u64)
    ));
    let [middle, spread] = ratio(fixed.over(&float));
    topic.table(
        ["for one power", "`pow_q32`", "`f64::powf`", "ratio", "spread"],
        &[[
            "time".into(),
            duration(fixed.seconds().median),
            duration(float.seconds().median),
            middle,
            spread,
        ]],
    );
    let (largest, above) = bases.error();
    let units = |x: f64| digits(x * 2f64.powi(32));
    topic.paragraph(&format!(
        "Error: the documented bound on the relative error is {} units of 2^-32, downwards only; the \
         largest here was {}, and {} result was above that of `f64::powf` by more than the latter's own \
         error. {WHY}",
        units(bound(bases.exponent)),
        units(largest),
        if above { "a" } else { "no" },
    ));
    topic
}

const WHY: &str = "`f64::powf` is the platform's library: a table, a short polynomial, fused \
    multiplications in the hardware. Ours takes one squaring of 64 bits for each of the 32 bits of the \
    logarithm, each waiting for the one before, and seven products for the power; the chain of squarings is \
    nearly all of it. A table would shorten it, at the price of a larger circuit. What matters here is that \
    every machine comes to the same bits, and an epoch needs a few such powers for each work.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_raise_the_same_numbers_and_the_bound_holds() {
        let bases = Bases::new(1_000);
        let (largest, above) = bases.error();
        assert!(!above && largest > 0.0 && largest < bound(bases.exponent));
        assert!(bases.fixed() > 0 && bases.float() > 1.0);
    }

    #[test]
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).text.contains("powf"));
    }
}
