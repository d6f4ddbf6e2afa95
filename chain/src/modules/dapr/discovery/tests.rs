use super::*;
use crate::modules::dapr::weight::{
    arbitrary::{self, usage},
    weights,
};
use primitives::{CategoryId, Credits, Preset, params::q32};
use proptest::{collection::vec, prelude::*};

fn discover(params: &GovernanceParams, usage: &WorkUsage, previous: u64) -> Discovery {
    let weight = weights(params, std::slice::from_ref(usage)).expect("valid usage").remove(0);
    discovery(params, usage, &weight, previous)
}

fn forgetful() -> GovernanceParams {
    GovernanceParams { reputation_decay: 0, listeners_half: 16, ..Preset::Spec.params() }
}

#[test]
fn reputation_by_hand() {
    // 16 listeners are half of the way, all views backed from eight regions: 1/2 * 2 * 2
    let wide = usage(1, &[2; 8], 0);
    let found = discover(&forgetful(), &wide, 0);
    assert_eq!(found.reputation, 2 * ONE_Q32);
    // sqrt(16) * (1 + 2)
    assert_eq!(found.discovery_weight, 12 << DISCOVERY_SCALE_BITS);
    // three quarters of the past and a quarter of the present: 3/4 * 4 + 1/4 * 2
    let slow = GovernanceParams { reputation_decay: q32(3, 4), ..forgetful() };
    assert_eq!(discover(&slow, &wide, 4 * ONE_Q32).reputation, q32(7, 2));
}

#[test]
fn a_work_without_usage_has_no_rank_and_its_reputation_decays() {
    let spec = Preset::Spec.params();
    let found = discover(&spec, &usage(1, &[], 0), 2 * ONE_Q32);
    assert_eq!(found.discovery_weight, 0);
    assert!(found.reputation.abs_diff(q32(16, 10)) <= 2);
}

#[test]
fn a_price_does_not_change_a_rank() {
    let spec = Preset::Spec.params();
    let cheap = WorkUsage { price: spec.price_min, ..usage(1, &[3], 4) };
    let dear = WorkUsage { price: spec.price_max, ..cheap.clone() };
    assert_eq!(discover(&spec, &cheap, ONE_Q32), discover(&spec, &dear, ONE_Q32));
}

fn paid(category: u16, payout: u64) -> WorkPayout {
    WorkPayout { category: CategoryId(category), value: 0, views: 4, backed: 1, payout: Credits(payout) }
}

fn health_of(payouts: &[u64]) -> Health {
    let works: Vec<_> = payouts.iter().map(|p| paid(0, *p)).collect();
    health(&EpochFacts::default(), &works)
}

#[test]
fn health_by_hand() {
    let facts = EpochFacts { active_works: 9, creators_paid: 3, subscribers: 40, events: 500 };
    let works =
        [WorkPayout { value: 3 << 18, ..paid(2, 10) }, paid(1, 20), WorkPayout { backed: 4, ..paid(2, 50) }];
    let found = health(&facts, &works);
    assert_eq!((found.active_works, found.published_works, found.creators_paid), (9, 3, 3));
    assert_eq!((found.subscribers, found.events), (40, 500));
    // ranks 1 to 3 weigh -2, 0 and 2: (-20 + 100) / (3 * 80)
    assert_eq!(found.gini, q32(1, 3));
    assert_eq!(found.top_percent_share, q32(5, 8));
    assert_eq!(found.backed_share, q32(1, 2));
    let share = |category, share| CategoryShare { category: CategoryId(category), share };
    assert_eq!(found.categories, [share(1, q32(1, 4)), share(2, q32(3, 4))]);
}

#[test]
fn equal_works_count_in_full_and_a_single_one_counts_once() {
    let equal = health_of(&[7; 8]);
    assert_eq!(equal.gini, 0);
    // log2 7 cancels, up to the roundings of the two logarithms
    assert!(equal.effective_works.abs_diff(8 * ONE_Q32) <= 8 * 4);
    assert_eq!(health_of(&[64; 8]).effective_works, 8 * ONE_Q32);
    let single = health_of(&[0, 0, 0, 5]);
    assert_eq!((single.effective_works, single.top_percent_share), (ONE_Q32, ONE_Q32));
    // one of n earns all: (n - 1) / n
    assert_eq!(single.gini, q32(3, 4));
    // the best-paid hundredth of 200 works is two
    let mut many = [1; 200];
    many[..2].fill(101);
    assert_eq!(health_of(&many).top_percent_share, q32(202, 400));
}

#[test]
fn nothing_paid_is_healthy_in_no_respect_and_divides_by_nothing() {
    for payouts in [&[][..], &[0, 0]] {
        let found = health_of(payouts);
        assert_eq!((found.gini, found.top_percent_share, found.effective_works), (0, 0, 0));
    }
}

proptest! {
    #[test]
    fn discovery_agrees_with_floating_point(
        params in arbitrary::params(), usage in arbitrary::any_usage(1), previous in 0..4 * ONE_Q32,
    ) {
        let weight = weights(&params, std::slice::from_ref(&usage)).expect("valid usage").remove(0);
        let found = discovery(&params, &usage, &weight, previous);
        let q32 = |x: u64| x as f64 / ONE_Q32 as f64;
        let many = usage.listeners as f64 / (usage.listeners as f64 + f64::from(params.listeners_half));
        let credit = many * (1.0 + q32(weight.backed_share)) * (1.0 + q32(weight.diversity));
        let lambda = q32(params.reputation_decay);
        let reputation = lambda * q32(previous) + (1.0 - lambda) * credit;
        prop_assert!((q32(found.reputation) - reputation).abs() < 8.0 / ONE_Q32 as f64);
        prop_assert!(found.reputation <= 4 * ONE_Q32);
        let rank = (usage.value as f64 / f64::from(1u32 << EVENT_VALUE_BITS)).sqrt() * (1.0 + reputation);
        let found = found.discovery_weight as f64 / 2f64.powi(DISCOVERY_SCALE_BITS as i32);
        prop_assert!((found - rank).abs() <= rank * 2f64.powi(-20));
    }

    #[test]
    fn no_previous_reputation_overflows(
        params in arbitrary::params(), usage in arbitrary::any_usage(1), previous: u64,
    ) {
        prop_assert!(discover(&params, &usage, previous).reputation <= previous.max(4 * ONE_Q32));
    }

    #[test]
    fn more_usage_or_reputation_never_ranks_lower(usage in arbitrary::any_usage(1), previous in 0..4 * ONE_Q32) {
        let spec = GovernanceParams { price_min: q32(1, 100), price_max: q32(100, 1), ..Preset::Spec.params() };
        let more = WorkUsage { views: usage.views + 1, ..usage.clone() };
        let heard = WorkUsage { listeners: usage.listeners + 1, ..more.clone() };
        let valued = WorkUsage { value: usage.value + 1, ..more.clone() };
        let rank = |usage, previous| discover(&spec, usage, previous).discovery_weight;
        prop_assert!(rank(&more, previous) <= rank(&heard, previous));
        prop_assert!(rank(&more, previous) <= rank(&valued, previous));
        prop_assert!(rank(&more, previous) <= rank(&more, previous + 1));
    }

    #[test]
    fn health_agrees_with_floating_point(payouts in vec((0u64..1 << 40, 0u32..40), 1..150)) {
        let mut payouts: Vec<u64> = payouts.into_iter().map(|(p, cut)| p >> cut).collect();
        let found = health_of(&payouts);
        payouts.sort_unstable();
        let total = payouts.iter().sum::<u64>() as f64;
        prop_assume!(total > 0.0);
        let n = payouts.len() as f64;
        let ranked: f64 = payouts.iter().zip(1..).map(|(p, i)| (2.0 * f64::from(i) - n - 1.0) * *p as f64).sum();
        let entropy: f64 =
            payouts.iter().filter(|p| **p > 0).map(|p| *p as f64 / total).map(|p| -p * p.ln()).sum();
        let q32 = |x: u64| x as f64 / ONE_Q32 as f64;
        prop_assert!((q32(found.gini) - ranked / (n * total)).abs() < 1e-9);
        prop_assert!((q32(found.effective_works) / entropy.exp() - 1.0).abs() < 2f64.powi(-29));
        prop_assert!(found.gini < ONE_Q32 && found.effective_works >= ONE_Q32);
    }
}
