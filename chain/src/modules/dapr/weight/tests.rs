use super::{arbitrary::usage, *};
use primitives::{
    Preset,
    params::{ParamsError, q32},
};
use proptest::prelude::*;

fn weight_of(params: &GovernanceParams, usage: &WorkUsage) -> WorkWeight {
    weights(params, std::slice::from_ref(usage)).expect("valid usage").remove(0)
}

fn units(views: u64) -> U256 {
    U256::from(views) << WEIGHT_SCALE_BITS as usize
}

#[test]
fn under_the_flat_preset_a_weight_is_its_views() {
    let flat = Preset::Flat.params();
    assert_eq!(weight_of(&flat, &usage(1, &[3, 4], 10)).weight, units(17));
    let half = WorkUsage { value: 1 << (EVENT_VALUE_BITS - 1), ..usage(1, &[], 1) };
    assert_eq!(weight_of(&flat, &half).weight, units(1) >> 1usize);
}

#[test]
fn credibility_by_hand() {
    let params = GovernanceParams { b_min: q32(1, 2), delta: ONE_Q32, ..Preset::Spec.params() };
    // no receipts: b_min
    let none = weight_of(&params, &usage(1, &[], 40));
    assert_eq!((none.backed_share, none.diversity, none.bandwidth), (0, 0, q32(1, 2)));
    // all backed from one region: q = 1, D = 1, d = 0, B = 1
    let narrow = weight_of(&params, &usage(1, &[40], 0));
    assert_eq!((narrow.backed_share, narrow.diversity, narrow.bandwidth), (ONE_Q32, 0, ONE_Q32));
    // all backed from eight regions alike: D = 8, d = 1, B = 1/2 + 1/2 * 1 * 2
    let wide = weight_of(&params, &usage(1, &[5; 8], 0));
    assert_eq!((wide.backed_share, wide.diversity, wide.bandwidth), (ONE_Q32, ONE_Q32, q32(3, 2)));
    // half backed, from two regions alike: q = 1/2, D = 2, d = 1/7, B = 1/2 + 1/2 * 1/2 * 8/7 = 11/14
    let mixed = weight_of(&params, &usage(1, &[10, 10], 20));
    assert_eq!((mixed.backed_share, mixed.diversity), (q32(1, 2), q32(1, 7)));
    assert_eq!(mixed.bandwidth, q32(11, 14));
}

#[test]
fn exponents_by_hand() {
    // B = 1/4 and beta = 3/2: a factor of 1/8
    let params = GovernanceParams { b_min: q32(1, 4), beta: q32(3, 2), ..Preset::Spec.params() };
    assert_eq!(weight_of(&params, &usage(1, &[], 8)).weight, units(1));
    // 64 views to the power 3/2 are 512
    let params = GovernanceParams { alpha: q32(3, 2), beta: 0, ..params };
    assert_eq!(weight_of(&params, &usage(1, &[], 64)).weight, units(512));
    // one unit of 2^-18 views to the power 1/2 is 2^-9
    let params = GovernanceParams { alpha: q32(1, 2), ..params };
    let least = WorkUsage { value: 1, ..usage(1, &[], 1) };
    assert_eq!(weight_of(&params, &least).weight, units(1) >> 9usize);
    // and the price multiplies it
    let dear = WorkUsage { price: q32(5, 4), ..usage(1, &[], 64) };
    assert_eq!(weight_of(&params, &dear).weight, units(10));
}

#[test]
fn normalised_prices_move_weight_inside_a_category_only() {
    let normal = GovernanceParams { price_normalised: true, ..Preset::Flat.params() };
    let params = GovernanceParams { price_min: q32(1, 2), price_max: q32(2, 1), ..normal };
    let priced = |n, price, category, views| WorkUsage {
        price,
        category: CategoryId(category),
        ..usage(n, &[], views)
    };
    let works = [priced(1, 2 * ONE_Q32, 7, 30), priced(2, ONE_Q32, 7, 30), priced(3, q32(1, 2), 8, 11)];
    let found: Vec<_> = weights(&params, &works).expect("valid").into_iter().map(|w| w.weight).collect();
    // S = 60 and T = 90: weights of 60 * 60 / 90 and 30 * 60 / 90. Alone in its category, a price does nothing.
    assert_eq!(found, [units(40), units(20), units(11)]);
}

#[test]
fn no_usage_gives_no_weight_at_any_alpha() {
    for alpha in [q32(1, 2), ONE_Q32, q32(3, 2)] {
        let params = GovernanceParams { alpha, price_normalised: true, ..Preset::Spec.params() };
        let unseen = usage(1, &[], 0);
        let worthless = WorkUsage { value: 0, ..usage(2, &[1, 2], 3) };
        for weight in weights(&params, &[unseen, worthless]).expect("valid") {
            assert_eq!(weight.weight, U256::ZERO);
        }
    }
    assert_eq!(weights(&Preset::Spec.params(), &[]), Ok(vec![]));
}

#[test]
fn nothing_overflows_at_the_corners_of_the_bounds() {
    let (views, value) = ((1 << VIEWS_BITS) - 1, (1 << VALUE_BITS) - 1);
    let share = views / 8;
    let most = WorkUsage { value, ..usage(1, &[share; 8], views - 8 * share) };
    let least = WorkUsage { value: 1, ..usage(2, &[], 1) };
    for (alpha, beta, b_min, price) in [
        (q32(3, 2), q32(2, 1), q32(1, 100), q32(100, 1)),
        (q32(3, 2), q32(2, 1), q32(1, 100), q32(1, 100)),
        (ONE_Q32, q32(2, 1), q32(1, 100), q32(100, 1)),
        (q32(1, 2), 0, ONE_Q32, q32(1, 100)),
    ] {
        for price_normalised in [false, true] {
            let (price_min, price_max) = (q32(1, 100), q32(100, 1));
            let spec = Preset::Spec.params();
            let delta = ONE_Q32;
            let params = GovernanceParams {
                alpha,
                beta,
                b_min,
                delta,
                price_min,
                price_max,
                price_normalised,
                ..spec
            };
            let works = [WorkUsage { price, ..most.clone() }, WorkUsage { price, ..least.clone() }];
            let weights = weights(&params, &works).expect("valid");
            assert!(weights[0].weight.bit_len() <= 145);
            assert!(weights[1].weight.bit_len() > if price_normalised { 0 } else { 34 });
        }
    }
}

#[test]
fn each_rule_names_the_work_that_breaks_it() {
    let params = Preset::Spec.params();
    let good = usage(9, &[3, 4], 5);
    let work = good.work;
    let refused = |bad: WorkUsage| weights(&params, &[usage(1, &[], 1), bad]).expect_err("broken usage");
    assert_eq!(weights(&params, &[good.clone(), good.clone()]), Err(WeightError::DuplicateWork { work }));
    for price in [params.price_min - 1, params.price_max + 1] {
        let (min, max) = (params.price_min, params.price_max);
        let expected = WeightError::PriceOutOfBounds { work, price, min, max };
        assert_eq!(refused(WorkUsage { price, ..good.clone() }), expected);
    }
    let views = 1 << VIEWS_BITS;
    assert_eq!(refused(WorkUsage { views, ..good.clone() }), WeightError::TooManyViews { work, views });
    let value = 1 << VALUE_BITS;
    let many = WorkUsage { value, views: views - 1, ..good.clone() };
    assert_eq!(refused(many), WeightError::TooMuchValue { work, value });
    let value = good.value + 1;
    let expected = WeightError::ValueAboveViews { work, value, views: 12 };
    assert_eq!(refused(WorkUsage { value, ..good.clone() }), expected);
    let expected = WeightError::ListenersAboveViews { work, listeners: 13, views: 12 };
    assert_eq!(refused(WorkUsage { listeners: 13, ..good.clone() }), expected);
    let expected = WeightError::BackedAboveViews { work, backed: 13, views: 12 };
    assert_eq!(refused(WorkUsage { backed: 13, ..good.clone() }), expected);
    // seven views over eight regions: squares from 49 / 8, rounded up, to 49
    for backed_squares in [6, 50, u128::MAX] {
        let expected = WeightError::Squares { work, backed: 7, squares: backed_squares };
        assert_eq!(refused(WorkUsage { backed_squares, ..good.clone() }), expected);
    }
    let expected = WeightError::Squares { work, backed: 0, squares: 1 };
    assert_eq!(refused(WorkUsage { backed_squares: 1, backed: 0, ..good.clone() }), expected);
    let params = GovernanceParams { b_min: 0, ..params };
    let broken = weights(&params, &[]).expect_err("broken parameters");
    assert!(matches!(broken, WeightError::Params(ParamsError::OutOfBounds { name: "b_min", .. })));
}

/// The formula as a reader would write it, in floating point.
fn weight_in_floats(params: &GovernanceParams, usage: &WorkUsage) -> f64 {
    let q32 = |x: u64| x as f64 / ONE_Q32 as f64;
    let backed = usage.backed as f64;
    let share = if usage.views == 0 { 0.0 } else { backed / usage.views as f64 };
    let regions = if usage.backed == 0 { 1.0 } else { backed * backed / usage.backed_squares as f64 };
    let diversity = (regions - 1.0) / f64::from(REGIONS - 1);
    let b_min = q32(params.b_min);
    let bandwidth = b_min + (1.0 - b_min) * share * (1.0 + q32(params.delta) * diversity);
    let views = usage.value as f64 / f64::from(1u32 << EVENT_VALUE_BITS);
    views.powf(q32(params.alpha)) * bandwidth.powf(q32(params.beta)) * q32(usage.price)
}

#[test]
fn below_alpha_one_a_product_with_usage_would_not_be_monotone() {
    // Why `usage_power` takes the power of the whole: U * U^(alpha - 1) falls from one U to the next for some U.
    let alpha_less_one = -i128::from(q32(1, 2));
    let product = |u: u64| {
        let exponent =
            (alpha_less_one * i128::from(log2_q32(NonZero::new(u.into()).expect("positive")))) >> 32;
        exp2_q32(exponent as i64).times(U256::from(u) << 64usize).expect("small")
    };
    let falls = (1u64 << 40..(1 << 40) + 5_000).filter(|u| product(u + 1) < product(*u)).count();
    assert!(falls > 0);
    let params = GovernanceParams { alpha: q32(1, 2), beta: 0, ..Preset::Spec.params() };
    for u in 1u64 << 40..(1 << 40) + 5_000 {
        assert!(priced(&params, u + 1, ONE_Q32, ONE_Q32) >= priced(&params, u, ONE_Q32, ONE_Q32));
    }
}

proptest! {
    #[test]
    fn weights_agree_with_floating_point(params in arbitrary::params(), usage in arbitrary::any_usage(1)) {
        let found = f64::from(weight_of(&params, &usage).weight) / 2f64.powi(WEIGHT_SCALE_BITS as i32);
        let expected = weight_in_floats(&params, &usage);
        // 2^-30 of the weight itself, and three roundings to 2^-32 of a B of at least 1 % with exponents up to 2
        let tolerance = expected * (2f64.powi(-30) + 600.0 * 2f64.powi(-32));
        prop_assert!((found - expected).abs() <= tolerance, "{found} against {expected}");
    }

    #[test]
    fn usage_survives_a_round_trip(usage in arbitrary::any_usage(1)) {
        use primitives::{Decode, Encode};
        prop_assert_eq!(WorkUsage::from_bytes(&usage.to_bytes()), Ok(usage));
    }
}
