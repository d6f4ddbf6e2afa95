//! The integers against the closed forms.

use super::{super::attacks, *};

/// Listeners who play one work each, equally often, so that every work has the same small share.
fn even(listeners: usize, works: usize, plays: u64) -> Arc<Epoch> {
    let rows: Vec<(String, String)> =
        (0..listeners).map(|i| (format!("user-{i:04}"), format!("work-{:04}", i % works))).collect();
    let rows: Vec<_> = rows.iter().map(|(user, work)| (user.as_str(), work.as_str(), plays)).collect();
    Epoch::draw(&market(&rows), 1, None)
}

#[test]
fn puppets_earn_what_the_closed_form_says() {
    let epoch = epoch(150, 1);
    let n = 150.0;
    for rules in [
        flat(|_| {}),
        flat(|p| p.k = q32(1, 4)),
        flat(|p| p.fee_share = BasisPoints::new(3_333).expect("a share")),
    ] {
        let evaluation = evaluated(&epoch, &rules);
        for s in [1, 2, 10, 100, 1_000] {
            let attack = attacks::puppets(&evaluation, s);
            let rho = rho(&evaluation, &attack);
            let expected = closed_form::puppet_profit(rules.theta(), rho, s as f64, n);
            let found = attack.profit() as f64 / SUBSCRIPTION.0 as f64;
            assert!((found - expected).abs() < 1e-5, "{s} puppets: {found}, not {expected}");
        }
    }
}

#[test]
fn the_best_number_of_puppets_is_the_closed_one() {
    let evaluation = evaluated(&epoch(150, 1), &flat(|_| {}));
    let rho = rho(&evaluation, &attacks::puppets(&evaluation, 1));
    let theta = evaluation.rules().theta();
    let best = closed_form::best_puppets(theta, rho, 150.0).expect("a puppet plays day and night");
    let found = (1..1_000).max_by_key(|s| attacks::puppets(&evaluation, *s).profit()).expect("some");
    assert!((found as f64 - best).abs() <= 1.0, "{found}, not {best}");
    assert_eq!(closed_form::best_puppets(0.85, 1.1, 150.0), None, "theta rho < 1");
    assert!(closed_form::puppet_profit(0.85, 1.1, 1.0, 150.0) < 0.0);
}

#[test]
fn a_catalogue_is_worth_what_the_closed_form_says() {
    let epoch = even(100, 10, 20);
    for (k, parts) in [(q32(1, 4), 1), (q32(1, 4), 100), (q32(1, 1), 1_440), (0, 7)] {
        let evaluation = evaluated(&epoch, &flat(|p| p.k = k));
        let plays = 14_400 / parts * parts;
        let attack = attacks::catalogue(&evaluation, 1, parts, plays as u16);
        let expected = closed_form::catalogue_value(rules::q32_to_f64(k), plays, parts);
        // Each value(j) is rounded down to 2^-16.
        let found = attack.value as f64 / f64::from(1 << EVENT_VALUE_BITS);
        assert!(found <= expected && expected - found <= f64::from(plays) / 65_536.0, "{found}, {expected}");
    }
    let mut rules = flat(|p| p.k = q32(1, 4));
    rules.replay_scope = ReplayScope::Creator;
    let evaluation = evaluated(&epoch, &rules);
    let one = attacks::catalogue(&evaluation, 1, 1, 14_400).value;
    let many = attacks::catalogue(&evaluation, 1, 100, 14_400).value;
    assert!(one - many < 100, "rounding only: {one}, {many}");
}

#[test]
fn a_split_by_usage_gains_what_the_exponent_gives_it() {
    let epoch = even(200, 100, 1_000);
    for alpha in [q32(1, 2), q32(9, 10), ONE_Q32, q32(11, 10), q32(3, 2)] {
        let evaluation = evaluated(&epoch, &flat(|p| p.alpha = alpha));
        let gain = closed_form::split_by_usage(rules::q32_to_f64(alpha), 10);
        assert_close(attacks::split_by_usage(&evaluation, 10), closed_form::on_share(gain, 0.01), 1e-4);
    }
}

#[test]
fn a_split_by_replay_reset_gains_by_work_and_not_by_creator() {
    let epoch = even(200, 100, 40);
    for k in [0, q32(1, 4), q32(2, 1)] {
        let mut rules = flat(|p| p.k = k);
        let gain = closed_form::split_by_reset(rules::q32_to_f64(k), 40, 10);
        let evaluation = evaluated(&epoch, &rules);
        assert_close(attacks::split_by_reset(&evaluation, 10), closed_form::on_share(gain, 0.01), 1e-3);
        rules.replay_scope = ReplayScope::Creator;
        assert_close(attacks::split_by_reset(&evaluated(&epoch, &rules), 10), 1.0, 1e-3);
    }
    let limited = Rules::preset(Preset::Spec);
    assert!(attacks::split_by_reset(&evaluated(&super::epoch(60, 1), &limited), 10) >= 1.0);
}

#[test]
fn short_epochs_blunt_diminishing_returns() {
    for k in [0, q32(1, 4), q32(16, 1)] {
        let values = values::Values::new(&flat(|p| p.k = k), 1_000);
        for (plays, epochs) in [(60, 2), (60, 12), (1_000, 10), (30, 30)] {
            let gain = f64::from(epochs) * values.of(plays / epochs) as f64 / values.of(plays) as f64;
            assert_close(gain, closed_form::epoch_reset(rules::q32_to_f64(k), plays, epochs), 1e-2);
        }
    }
}

#[test]
fn faked_receipts_gain_lambda_to_the_beta() {
    let epoch = even(200, 100, 800);
    for (beta, b_min, delta) in [(35, 55, 10), (35, 90, 0), (100, 50, 100), (0, 50, 100)] {
        let evaluation = evaluated(
            &epoch,
            &flat(|p| (p.beta, p.b_min, p.delta) = (q32(beta, 100), q32(b_min, 100), q32(delta, 100))),
        );
        let [beta, b_min, delta] = [beta, b_min, delta].map(|x| x as f64 / 100.0);
        let lambda = (b_min + (1.0 - b_min) * (1.0 + delta)) / b_min;
        let weight = |x: usize| evaluation.weighted.weights[x];
        // Its share with no receipts, the others having theirs.
        let index = 0;
        let others: f64 = (1..100).map(|i| f64::from(weight(i))).sum();
        let bare = lambda.powf(-beta) * bare_weight(&evaluation, index, lambda, beta);
        let share = bare / (bare + others);
        let gain = closed_form::fake_bandwidth(lambda, beta);
        assert_close(attacks::fake_bandwidth(&evaluation), closed_form::on_share(gain, share), 1e-5);
    }
}

/// Weight of a work if all of its views were backed from everywhere.
fn bare_weight(evaluation: &Evaluation, index: usize, lambda: f64, beta: f64) -> f64 {
    let work = &chain::modules::dapr::weight::weights(evaluation.params(), evaluation.published_usage())
        .expect("inside bounds")[index];
    let b_min = rules::q32_to_f64(evaluation.params().b_min);
    f64::from(work.weight) * (lambda * b_min / rules::q32_to_f64(work.bandwidth)).powf(beta)
}

#[test]
fn a_dearer_work_is_never_paid_less_up_to_the_bound() {
    let epoch = epoch(60, 1);
    for normalised in [false, true] {
        let mut rules = Rules::preset(Preset::Spec);
        rules.params.price_normalised = normalised;
        let evaluation = evaluated(&epoch, &rules);
        let (low, high) = (rules.params.price_min, rules.params.price_max);
        let prices = (0..=20).map(|step| low + (high - low) / 20 * step);
        let paid: Vec<_> =
            prices.map(|p| attacks::payout_at_price(&evaluation, p).expect("published")).collect();
        assert!(paid.is_sorted() && paid[0] < paid[20], "{paid:?}");
    }
}

#[test]
fn under_the_guards_cap_no_puppets_pay_and_well_above_it_they_do() {
    for seed in [1, 2] {
        let epoch = epoch(150, seed);
        let mut rules = Rules::preset(Preset::Guarded);
        rules.params.k_anonymity = 0;
        assert!(guard::inside_budget(&rules));
        let uncapped = Rules { caps_value: false, ..rules.clone() };
        let cap = guard::cap(&evaluated(&epoch, &uncapped)).expect("inside the budget");
        let best = |cap: u64| {
            rules.params.value_cap = cap;
            let evaluation = evaluated(&epoch, &rules);
            let works = [1, 10, 100, 1_000];
            let roi = |works| {
                attacks::best_roi(&evaluation, |s| attacks::catalogue(&evaluation, s, works, attacks::PLAYS))
            };
            works.map(roi).into_iter().max_by(f64::total_cmp).expect("some")
        };
        let mut best = best;
        assert!(best(cap) < 0.0, "cap {cap}: {}", best(cap));
        assert!(best(cap / 2) < 0.0);
        assert!(best(2 * cap) > 0.0, "the cap is not needlessly small: {}", best(2 * cap));
    }
    // Withheld honest value is a multiplier for whoever passes the threshold: here no cap is left.
    let withheld = evaluated(&epoch(150, 1), &Rules::preset(Preset::Guarded));
    assert!(withheld.metrics().value_suppressed > 0.1);
    assert_eq!(guard::cap(&withheld), None);
    // E[min(x, V)] = theta mu V where nothing is withheld.
    let evaluation = evaluated(&epoch(150, 1), &flat(|_| {}));
    let cap = guard::cap(&evaluation).expect("no multiplier at all");
    let mean = evaluation.subscribers().iter().map(|x| x.uncapped.min(cap) as f64).sum::<f64>() / 150.0;
    assert_close(mean, 0.85 * cap as f64, 1e-6);
}

#[test]
fn the_budget_is_what_the_presets_were_made_for() {
    let [spec, guarded, flat] = presets();
    // 0.55^-0.35 * (1.25 / 0.8) * (0.55 + 0.45 * 1.1)^0.35
    assert_close(guard::mu(&spec), 1.956_07, 1e-5);
    assert!(!guard::inside_budget(&spec));
    assert_close(guard::mu(&guarded), 1.079_91, 1e-5);
    assert!(guard::inside_budget(&guarded));
    assert_close(guard::mu(&flat), 1.0, 1e-9);
    assert!(guard::inside_budget(&flat));
    let mut curved = flat;
    curved.params.alpha = q32(11, 10);
    assert!(!guard::inside_budget(&curved), "another exponent has no bound");
}
