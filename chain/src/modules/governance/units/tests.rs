use super::*;
use crate::modules::governance::{Rules, Settings};
use primitives::{Preset, params::q32};

#[test]
fn values_are_read_as_people_write_them() {
    for (unit, text, value) in [
        (Unit::Ratio, "1.0", 1 << 32),
        (Unit::Ratio, "1", 1 << 32),
        (Unit::Ratio, "0.35", q32(35, 100)),
        (Unit::Share, "0.05", 500),
        (Unit::Share, "5%", 500),
        (Unit::Share, "12.34%", 1234),
        (Unit::Share, "0", 0),
        (Unit::Share, "1.0", 10_000),
        (Unit::Duration, "7d", 604_800),
        (Unit::Duration, "12h", 43_200),
        (Unit::Duration, "5m", 300),
        (Unit::Duration, "90s", 90),
        (Unit::Duration, "90", 90),
        (Unit::Amount, "1000", 1_000_000_000),
        (Unit::Amount, "0.001", 1_000),
        (Unit::Views, "300", 300 << 18),
        (Unit::Views, "0.5", 1 << 17),
        (Unit::Switch, "true", 1),
        (Unit::Switch, "false", 0),
        (Unit::Count, "5", 5),
    ] {
        assert_eq!(unit.read(text), Ok(value), "{unit} {text}");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for (unit, texts) in [
        (Unit::Ratio, &["", ".", ".5", "1.", "-1", "+1", "1e3", "1,5", "4294967296"][..]),
        (Unit::Share, &["1.1", "101%", "0.00001", "%", "0.001%", "-5%", "5 %", "five"]),
        (Unit::Duration, &["d", "1.5d", "7w", "-1d", "213503982334602d"]),
        (Unit::Amount, &["0.0000001", "1u", "18446744073710"]),
        // No cap at all is for the simulator alone.
        (Unit::Views, &["none", "None", "all"]),
        (Unit::Switch, &["1", "yes", "True"]),
        (Unit::Count, &["1.0", "+1", "0x1", "18446744073709551616"]),
    ] {
        for text in texts {
            let refused = UnitError { text: (*text).into(), expected: unit.expected().into() };
            assert_eq!(unit.read(text), Err(refused), "{unit} {text:?}");
        }
    }
}

/// Per cent to one and basis points to another: neither is guessed, and the two ways to write it are told.
#[test]
fn a_share_without_a_sign_or_a_point_is_refused() {
    for (text, such) in
        [("6", "6% or 0.06"), ("60", "60% or 0.60"), ("600", "5% or 0.05"), ("1", "1% or 0.01")]
    {
        let told = Unit::Share.read(text).expect_err("two readings").to_string();
        assert!(told.contains(such), "{text}: {told}");
    }
}

#[test]
fn digits_that_would_be_lost_are_refused_with_what_can_be_held() {
    for (unit, text, held) in [
        (Unit::Ratio, "0.30000000000001", "0.3"),
        (Unit::Ratio, "1.00000000001", "1"),
        (Unit::Views, "300.0000001", "300"),
    ] {
        let told = unit.read(text).expect_err("too precise").to_string();
        assert!(told.ends_with(&format!("the nearest below is {held}")), "{told}");
        assert_eq!(unit.read(held).map(|value| unit.show(value)).as_deref(), Ok(held));
    }
    for (text, same) in [("0.30", "0.3"), ("00.3", "0.3"), ("1.000", "1"), ("0.0", "0"), ("10", "10")] {
        assert_eq!(Unit::Ratio.read(text), Unit::Ratio.read(same), "{text}");
    }
    let told = Unit::Ratio.read("0.1234567890123456789").expect_err("too long").to_string();
    assert!(told.ends_with("with at most 18 decimals"), "{told}");
}

/// The largest cap is a number like any other: there is no chain without one.
#[test]
fn the_largest_cap_is_told_as_a_number() {
    let most = (1 << 32) - 1;
    assert_eq!(Unit::Views.show(most), "16383.999997");
    assert_eq!(Unit::Views.read("16383.999997"), Ok(most));
    let rule =
        told_params(&ParamsError::OutOfBounds { name: "value_cap", value: 1 << 17, min: 1 << 18, max: most });
    assert_eq!(rule, "value_cap is 0.5, outside 1 to 16383.999997");
}

#[test]
fn what_is_shown_is_read_back() {
    for unit in
        [Unit::Ratio, Unit::Share, Unit::Duration, Unit::Amount, Unit::Views, Unit::Count, Unit::Switch]
    {
        let most = match unit {
            Unit::Share => 10_000,
            Unit::Switch => 1,
            _ => u64::MAX,
        };
        let mut value = 0;
        for step in 0..2_000u64 {
            assert_eq!(unit.read(&unit.show(value)), Ok(value), "{unit} {value}");
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step) % most.max(2);
            value >>= step % 50;
        }
    }
    assert_eq!(Unit::Ratio.show(q32(35, 100)), "0.35");
    assert_eq!(Unit::Share.show(1250), "12.5%");
    assert_eq!(Unit::Duration.show(604_800), "7d");
    assert_eq!(Unit::Amount.show(1_500_000), "1.5");
}

/// A unit that is too narrow for what is in force would show a parameter that cannot be proposed.
#[test]
fn every_parameter_in_force_can_be_written() {
    for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
        let settings = Settings { params: preset.params(), rules: Rules::default() };
        for parameter in Parameter::ALL {
            let (value, unit) = (parameter.get(&settings), parameter.unit());
            assert_eq!(unit.read(&unit.show(value)), Ok(value), "{parameter}");
        }
    }
    let named = |end: &str| Parameter::ALL.iter().filter(|p| p.name().ends_with(end)).count();
    let of = |unit: Unit| Parameter::ALL.iter().filter(|p| p.unit() == unit).count();
    assert!(named("_share") + named(".share") <= of(Unit::Share));
    assert!(named(".rate") <= of(Unit::Amount));
}
