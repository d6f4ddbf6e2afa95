use super::{attacks::Attack, *};
use crate::workload::Table;
use primitives::{
    BasisPoints, GovernanceParams, Preset,
    limits::EVENT_VALUE_BITS,
    params::{ONE_Q32, q32},
};

/// Plays of a listener: (user, work, plays).
fn market(rows: &[(&str, &str, u64)]) -> Arc<Market> {
    let mut table = Table::new("test");
    for (user, work, plays) in rows {
        table.add(user, work, *plays).expect("small");
    }
    Arc::new(Market::new(&table, 1))
}

/// A small market of the published shape, thinned.
fn epoch(subscribers: usize, seed: u64) -> Arc<Epoch> {
    let market = Arc::new(Market::synthetic(1, subscribers));
    Epoch::draw(&market, seed, Some("300".parse().expect("a number")))
}

/// The rules of `flat` after a change of parameters.
fn flat(change: impl FnOnce(&mut GovernanceParams)) -> Rules {
    let mut rules = Rules::preset(Preset::Flat);
    change(&mut rules.params);
    rules
}

fn evaluated(epoch: &Arc<Epoch>, rules: &Rules) -> Evaluation {
    evaluate(epoch, rules).expect("rules inside their bounds")
}

#[track_caller]
fn assert_close(found: f64, expected: f64, relative: f64) {
    assert!((found / expected - 1.0).abs() < relative, "{found}, not {expected}");
}

/// Value of a puppet over the mean value of an honest subscriber.
fn rho(evaluation: &Evaluation, attack: &Attack) -> f64 {
    let total: u64 = evaluation.subscribers().iter().map(|x| x.counted).sum();
    attack.value as f64 * evaluation.subscribers().len() as f64 / total as f64
}

fn presets() -> [Rules; 3] {
    [Preset::Spec, Preset::Guarded, Preset::Flat].map(Rules::preset)
}

#[test]
fn payouts_sum_to_the_pool_and_values_to_the_usage_to_the_unit() {
    for seed in [1, 2, 3] {
        let epoch = epoch(60, seed);
        for mut rules in presets() {
            for scope in [ReplayScope::Work, ReplayScope::Creator] {
                for normalised in [false, true] {
                    rules.replay_scope = scope;
                    rules.params.price_normalised = normalised;
                    let evaluation = evaluated(&epoch, &rules);
                    let split = evaluation.split();
                    assert_eq!(split.revenue, Credits(60 * SUBSCRIPTION.0));
                    assert_eq!(evaluation.payouts().iter().sum::<u64>(), split.creators.0);
                    let counted: u64 = evaluation.subscribers().iter().map(|x| x.counted).sum();
                    let works = evaluation.works().filter(|work| work.published);
                    assert_eq!(counted, works.map(|work| work.value).sum::<u64>());
                }
            }
        }
    }
}

#[test]
fn plain_pro_rata_pays_plays() {
    let market = market(&[("a", "x", 300), ("a", "y", 100), ("b", "y", 100)]);
    let evaluation = evaluated(&Epoch::draw(&market, 1, None), &Rules::preset(Preset::Flat));
    let paid: std::collections::BTreeMap<_, _> =
        evaluation.works().map(|work| (work.name, work.payout)).collect();
    // 85 % of two subscriptions, by 300 and 200 plays: J_max = 63 would give 63 and 126.
    assert_eq!(paid["x"], Credits(10_200_000));
    assert_eq!(paid["y"], Credits(6_800_000));
    let metrics = evaluation.metrics();
    assert_close(metrics.gini, 0.1, 1e-9);
    assert_close(metrics.top1_share, 0.6, 1e-9);
    // means of 250: 400 and 100 deviate by 0.6 each
    assert_close(metrics.cross_subsidy, 0.3, 1e-9);
    assert_close(metrics.worst_parity, 1.0, 1e-9);
    assert_close(metrics.value_suppressed, f64::MIN_POSITIVE, 2.0);
}

#[test]
fn works_below_the_threshold_earn_nothing_and_their_value_shows() {
    let market = market(&[("a", "x", 3), ("b", "x", 3), ("a", "y", 2)]);
    let epoch = Epoch::draw(&market, 1, None);
    let evaluation = evaluated(&epoch, &flat(|p| p.k_anonymity = 2));
    let works: Vec<_> = evaluation.works().map(|w| (w.name, w.published, w.payout.0)).collect();
    assert!(works.contains(&("x", true, 17_000_000)) && works.contains(&("y", false, 0)), "{works:?}");
    let metrics = evaluation.metrics();
    assert_close(metrics.value_suppressed, 0.25, 1e-9);
    assert_close(metrics.gini, 0.5, 1e-9);
    let nothing = evaluated(&epoch, &flat(|p| p.k_anonymity = 3));
    assert_eq!(nothing.payouts().iter().sum::<u64>(), 0);
    assert!(nothing.metrics().values().iter().all(|x| x.is_finite()));
}

#[test]
fn a_cap_scales_a_subscriber_down_and_nobody_else() {
    let market = market(&[("a", "x", 30), ("a", "y", 10), ("b", "y", 10)]);
    let mut rules = flat(|p| p.value_cap = 20 << EVENT_VALUE_BITS);
    rules.caps_value = true;
    let evaluation = evaluated(&Epoch::draw(&market, 1, None), &rules);
    let values: Vec<_> = evaluation.subscribers().iter().map(|x| x.counted >> EVENT_VALUE_BITS).collect();
    assert_eq!(values, [20, 10]);
    assert_eq!(evaluation.subscribers()[0].uncapped >> EVENT_VALUE_BITS, 40);
    let value = |name| evaluation.works().find(|w| w.name == name).map(|w| w.value >> EVENT_VALUE_BITS);
    assert_eq!((value("x"), value("y")), (Some(15), Some(15)));
}

#[test]
fn thinning_keeps_the_mean_and_a_seed_gives_one_epoch() {
    let market = Arc::new(Market::synthetic(1, 200));
    let thinned = |seed| Epoch::draw(&market, seed, Some("599".parse().expect("a number")));
    let epoch = thinned(5);
    assert_close(epoch.total_plays() as f64, 599.0 * 200.0, 0.02);
    assert_eq!((&epoch.plays, &epoch.works_of), (&thinned(5).plays, &thinned(5).works_of));
    assert_ne!(epoch.plays, thinned(6).plays);
    let whole = Epoch::draw(&market, 5, None);
    assert!(whole.plays.iter().zip(&market.plays).all(|(a, b)| u64::from(*a) == (*b).min(65_535)));
}

#[test]
fn an_engine_that_remembers_gives_what_a_fresh_one_gives() {
    let mut engine = Engine::default();
    let changes: [fn(&mut GovernanceParams); 8] = [
        |_| {},
        |p| p.fee_share = BasisPoints::new(900).expect("a share"),
        |p| p.alpha = q32(5, 4),
        |p| p.k = q32(1, 2),
        |p| p.k_anonymity = 2,
        |p| p.price_normalised = true,
        |p| p.price_max = q32(3, 1),
        |p| p.beta = q32(1, 1),
    ];
    for seed in [1, 2] {
        let epoch = epoch(40, seed);
        for first in changes {
            for second in changes {
                let mut rules = Rules::preset(Preset::Spec);
                first(&mut rules.params);
                second(&mut rules.params);
                let remembered = engine.evaluate(&epoch, &rules).expect("inside bounds");
                let fresh = evaluated(&epoch, &rules);
                assert_eq!(remembered.payouts(), fresh.payouts());
                assert_eq!(remembered.subscribers(), fresh.subscribers());
                assert_eq!(remembered.metrics(), fresh.metrics());
            }
        }
    }
}

#[test]
fn what_is_measured_does_not_depend_on_names_fees_or_scale() {
    let rows = [("a", "x", 7), ("a", "y", 2), ("b", "y", 5), ("c", "z", 9), ("c", "x", 1)];
    let renamed = rows.map(|(user, work, n)| (if user == "a" { "q" } else { user }, work, n));
    let rules = flat(|_| {});
    let metrics = |rows: &[_]| evaluated(&Epoch::draw(&market(rows), 1, None), &rules).metrics();
    assert_eq!(metrics(&rows), metrics(&renamed));
    let doubled = rows.map(|(user, work, n)| (user, work, 2 * n));
    let (once, twice) = (metrics(&rows), metrics(&doubled));
    assert_close(twice.gini, once.gini, 1e-6);
    assert_close(twice.cross_subsidy, once.cross_subsidy, 1e-9);
    // Shares of revenue change what creators get, and not how it is divided.
    let epoch = epoch(40, 1);
    let dear = evaluated(&epoch, &flat(|p| p.fee_share = BasisPoints::new(5_000).expect("a share")));
    let cheap = evaluated(&epoch, &flat(|_| {}));
    assert_close(dear.metrics().gini, cheap.metrics().gini, 1e-4);
    assert!(dear.metrics().roi_puppet < cheap.metrics().roi_puppet);
}

#[test]
fn settled_by_the_ledger_with_the_puppets_inside_the_payout_is_the_same() {
    // The attack's sums against a whole settlement in which the puppets are subscribers like any other.
    let honest = [("a", "x", 7), ("a", "y", 2), ("b", "y", 5), ("c", "z", 9)];
    let attacked = [&honest[..], &[("p1", "mine", 14_400), ("p2", "mine", 14_400)]].concat();
    let rules = flat(|_| {});
    let whole = evaluated(&Epoch::draw(&market(&attacked), 1, None), &rules);
    let mine = whole.works().find(|work| work.name == "mine").expect("played");
    let attack = attacks::puppets(&evaluated(&Epoch::draw(&market(&honest), 1, None), &rules), 2);
    assert!(attack.payout.0.abs_diff(mine.payout.0) <= 1, "{attack:?}, {mine:?}");
    assert_eq!(attack.value, whole.subscribers()[3].counted);
}

#[test]
fn normalised_prices_leave_an_attack_what_a_whole_settlement_gives() {
    let epoch = epoch(40, 3);
    let mut rules = Rules::preset(Preset::Spec);
    rules.params.price_normalised = true;
    rules.params.k_anonymity = 0;
    let evaluation = evaluated(&epoch, &rules);
    // Replacing the widest work by itself changes nothing.
    let widest = epoch.widest_work().expect("played");
    let price = epoch.market.works[widest].price(&rules.params);
    let again = attacks::payout_at_price(&evaluation, price).expect("published");
    assert!(again.0.abs_diff(evaluation.payouts()[widest]) <= 2);
    let attack = attacks::puppets(&evaluation, 10);
    assert!(attack.payout > Credits::ZERO && attack.payout < evaluation.split().creators);
}

mod theory;
