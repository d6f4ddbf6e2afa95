use super::*;
use crate::economics::Market;
use crate::progress::Silent;
use primitives::Preset;

fn of(f: impl Fn(&[f64]) -> f64, dimensions: usize, samples: usize) -> Vec<Index> {
    let [a, b] = ["sobol-a", "sobol-b"].map(|purpose| sample(3, purpose, dimensions, samples));
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        Row::evaluate(a, b, |point| Ok::<_, std::convert::Infallible>([f(point)])).expect("never fails")
    };
    let rows: Vec<Row<1>> = a.iter().zip(&b).map(row).collect();
    indices(&rows, 0, dimensions, 3)
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.03, "{found}, not {expected}");
}

#[test]
fn an_additive_function_has_indices_by_hand_that_sum_to_one() {
    // Variances of x, 2 x and 3 x are as 1, 4 and 9.
    let indices = of(|x| x[0] + 2.0 * x[1] + 3.0 * x[2], 3, 8_192);
    for (index, share) in indices.iter().zip([1.0, 4.0, 9.0]) {
        assert_near(index.first, share / 14.0);
        assert_near(index.total, share / 14.0);
        assert!(index.total_low < index.total && index.total < index.total_high, "{index:?}");
    }
    assert_near(indices.iter().map(|index| index.first).sum(), 1.0);
}

/// Ishigami's function with a = 7, b = 0.1 has known indices, one of them an interaction alone.
#[test]
fn the_function_of_ishigami_has_its_published_indices() {
    let ishigami = |x: &[f64]| {
        let [x, y, z] = [0, 1, 2].map(|i| std::f64::consts::PI * (2.0 * x[i] - 1.0));
        x.sin() + 7.0 * y.sin().powi(2) + 0.1 * z.powi(4) * x.sin()
    };
    let indices = of(ishigami, 3, 16_384);
    for (index, (first, total)) in indices.iter().zip([(0.314, 0.558), (0.442, 0.442), (0.0, 0.244)]) {
        assert_near(index.first, first);
        assert_near(index.total, total);
    }
}

#[test]
fn what_never_varies_has_no_index() {
    assert!(of(|_| 1.0, 2, 64).iter().all(|index| *index == Index::default()));
}

#[test]
fn a_sample_has_one_point_in_each_part_of_each_axis() {
    let points = sample(1, "sobol-a", 4, 50);
    for axis in 0..4 {
        let mut parts: Vec<usize> = points.iter().map(|point| (point[axis] * 50.0) as usize).collect();
        parts.sort_unstable();
        assert!(parts.into_iter().eq(0..50));
    }
}

#[test]
fn ranges_span_both_sides_and_stay_inside_the_bounds() {
    let (before, after) = (Rules::preset(Preset::Spec), Rules::preset(Preset::Guarded));
    let factors = factors(&before, &after);
    for factor in &factors {
        for rules in [&before, &after] {
            let value = factor.knob.get(rules).expect("a limit");
            assert!((factor.low..=factor.high).contains(&value), "{}", factor.knob.name);
        }
        for place in [0.0, 0.5, 0.999_999] {
            let value = factor.at(place);
            assert!((factor.low..=factor.high).contains(&value));
            assert!(factor.knob.with(&after, value).check().is_ok(), "{}", factor.knob.name);
        }
    }
    assert!(factors.iter().any(|f| f.knob.name == "value_cap"));
    assert!(factors.iter().all(|f| f.knob.name != "fee_share"), "shares of revenue do not differ");
}

#[test]
fn an_epoch_has_the_same_indices_on_any_number_of_threads() {
    let market = Arc::new(Market::synthetic(1, 30));
    let epoch = Epoch::draw(&market, 1, Some("100".parse().expect("a number")));
    let (before, after) = (Rules::preset(Preset::Spec), Rules::preset(Preset::Guarded));
    let factors = factors(&before, &after);
    let run = || sensitivities(&epoch, &factors, &after, 1, 4, &Silent).expect("inside bounds");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    assert_eq!(run(), one.install(run));
}
