//! The fixed-point functions against logarithms and exponentials of 256 bits, and against the golden vectors.

#[path = "../examples/fixed_point_vectors.rs"]
mod fixed_point_vectors;

use dashu::float::{FBig, round::mode::HalfEven};
use primitives::{
    fixed_point::{MANTISSA_BITS, Power, exp2_q32, exp2_table, log2_of_q32, log2_q32, mul_q32, pow_q32},
    params::ONE_Q32,
};
use proptest::prelude::*;
use std::{num::NonZero, sync::LazyLock};

type Real = FBig<HalfEven, 2>;

/// Bits of the reference. Its own error, some units in the last place, vanishes beside 2^-200.
const PRECISION: usize = 256;

fn real(n: impl Into<Real>) -> Real {
    n.into().with_precision(PRECISION).value()
}

/// `2^k`.
fn two(k: isize) -> Real {
    real(Real::ONE) << k
}

static LN_2: LazyLock<Real> = LazyLock::new(|| real(2u8).ln());

fn log2(x: Real) -> Real {
    if x == Real::ONE { real(0u8) } else { x.ln() / &*LN_2 }
}

fn exp2(x: Real) -> Real {
    (x * &*LN_2).exp()
}

fn value(power: Power) -> Real {
    real(power.mantissa) * two(power.exponent as isize - MANTISSA_BITS as isize)
}

/// Asserts `0 <= truth - found < bound`, up to the error of the reference itself.
fn assert_just_below(found: &Real, truth: &Real, bound: &Real, what: &str) {
    let short = truth - found;
    let slack = truth.clone() * two(-200);
    assert!(-slack.clone() <= short, "{what}: {found} is above {truth}");
    assert!(short < bound + slack, "{what}: {found} is too far below {truth}");
}

fn check_log2(x: u128) {
    let found = log2_q32(NonZero::new(x).expect("positive"));
    let bound = two(-32) + two(-61);
    assert_just_below(&(real(found) * two(-32)), &log2(real(x)), &bound, &format!("log2 {x}"));
}

fn check_exp2(x: i64) {
    let truth = exp2(real(x) * two(-32));
    let found = exp2_q32(x);
    assert!((1 << MANTISSA_BITS..1 << (MANTISSA_BITS + 1)).contains(&found.mantissa));
    assert_just_below(&value(found), &truth, &(truth.clone() * two(-58)), &format!("exp2 {x}"));
}

/// Checks the bound `0.6932 (a + 1) 2^-32 + 2^-57` on the relative error.
fn check_pow(base: u64, power: u64) {
    let truth = exp2(log2(real(base) * two(-32)) * real(power) * two(-32));
    let a = real(power) * two(-32);
    let bound = (a + real(1u8)) * real(6932u16) / real(10_000u16) * two(-32) + two(-57);
    let found = value(pow_q32(NonZero::new(base).expect("positive"), power).expect("small exponents"));
    assert_just_below(&found, &truth, &(truth.clone() * bound), &format!("{base}^{power}"));
}

#[test]
fn every_table_entry_is_the_floor_of_its_root_of_two() {
    for (i, row) in exp2_table().iter().enumerate() {
        for (digit, entry) in row.iter().enumerate() {
            let truth = exp2(real(digit as u64) * two(-4 * (i as isize + 1))) * two(MANTISSA_BITS as isize);
            assert_just_below(&real(*entry), &truth, &real(1u8), &format!("table entry {i}, {digit}"));
        }
    }
}

#[test]
fn bounds_hold_at_the_edges() {
    for k in 0..128 {
        for x in [(1u128 << k) - 1, 1 << k, (1 << k) + 1] {
            if x > 0 {
                check_log2(x);
            }
        }
    }
    check_log2(u128::MAX);
    for n in [-100, -1, 0, 1, 2, 100] {
        for offset in [-1, 0, 1, 1 << 31, 0x0fff_ffff, 0x1111_1111] {
            check_exp2(n * ONE_Q32 as i64 + offset);
        }
    }
    for base in [1, 2, ONE_Q32 / 100, ONE_Q32 - 1, ONE_Q32, ONE_Q32 + 1, 2 * ONE_Q32, u64::MAX] {
        for power in [0, 1, ONE_Q32 - 1, ONE_Q32, 2 * ONE_Q32] {
            check_pow(base, power);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn logarithms_keep_their_bound(x in 1u128.., cut in 0u32..128) {
        check_log2((x >> cut).max(1));
    }

    #[test]
    fn exponentials_keep_their_bound(x in -(1i64 << 39)..1 << 39) {
        check_exp2(x);
    }

    #[test]
    fn powers_keep_their_bound(base in 1u64.., cut in 0u32..64, power in 0..=2 * ONE_Q32) {
        check_pow((base >> cut).max(1), power);
    }

    #[test]
    fn credibility_at_the_specified_exponent_is_within_2_to_the_minus_32(base in ONE_Q32 / 100..2 * ONE_Q32) {
        let power = primitives::params::q32(35, 100);
        let truth = exp2(log2(real(base) * two(-32)) * real(power) * two(-32));
        let found = value(pow_q32(NonZero::new(base).expect("positive"), power).expect("small exponents"));
        assert_just_below(&found, &truth, &(truth.clone() * two(-32)), "credibility");
    }

    #[test]
    fn all_functions_are_monotone(
        x in 1u128..u128::MAX, cut in 0u32..128, step in 1u128..1 << 40, e in i32::MIN..i32::MAX,
    ) {
        let low = (x >> cut).max(1);
        let high = low.saturating_add(step);
        let (low, high) = (NonZero::new(low).expect("positive"), NonZero::new(high).expect("positive"));
        prop_assert!(log2_q32(low) <= log2_q32(high));
        // one unit of the exponent is seen in the result
        let here = i64::from(e) * 257;
        let rank = |p: Power| (p.exponent, p.mantissa);
        prop_assert!(rank(exp2_q32(here)) < rank(exp2_q32(here + 1)));
    }

    #[test]
    fn powers_are_monotone_in_the_base(base in 1u64..u64::MAX, cut in 0u32..64, power in 0..=2 * ONE_Q32) {
        let low = NonZero::new((base >> cut).max(1)).expect("positive");
        let rank = |p: Option<Power>| p.map(|p| (p.exponent, p.mantissa));
        prop_assert!(rank(pow_q32(low, power)) <= rank(pow_q32(low.saturating_add(1), power)));
    }

    #[test]
    fn a_power_is_the_exponential_of_the_scaled_logarithm(base in 1u64.., power in 0..=4 * ONE_Q32) {
        let base = NonZero::new(base).expect("positive");
        prop_assert_eq!(pow_q32(base, power), mul_q32(log2_of_q32(base), power).map(exp2_q32));
    }
}

#[test]
fn the_committed_vectors_are_what_the_example_prints() {
    let committed = include_str!("../../vectors/fixed_point.json");
    let fresh = fixed_point_vectors::vectors();
    assert!(committed == fresh, "vectors/fixed_point.json differs from what its example prints");
}
