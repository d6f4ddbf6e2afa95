use super::*;
use primitives::Preset;

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("w{i}")).collect()
}

fn people(n: usize) -> Vec<SubscriberSpec> {
    (0..n).map(|i| subscriber(5, &format!("u{i}"), &[(0, 3), (4, 1), (2, 6)])).collect()
}

#[test]
fn purposes_and_subjects_have_streams_of_their_own() {
    let first = |purpose, seed, subject| rng(purpose, seed, subject).r#gen::<u64>();
    assert_eq!(first("tier", 1, "a"), first("tier", 1, "a"));
    assert_ne!(first("tier", 1, "a"), first("order", 1, "a"));
    assert_ne!(first("tier", 1, "a"), first("tier", 2, "a"));
    assert_ne!(first("tier", 1, "a"), first("tier", 1, "b"));
}

#[test]
fn weights_sum_to_a_hundred_percent() {
    for weights in [&REGION_WEIGHTS[..], &QUARTER_WEIGHTS, &CATEGORY_WEIGHTS, &TIERS.map(|t| t.1)] {
        assert_eq!(weights.iter().sum::<u32>(), 100);
    }
}

#[test]
fn views_of_a_work_are_in_order_and_complete() {
    let someone = subscriber(1, "u", &[(0, 32), (7, 1), (3, 5), (9, 0)]);
    assert_eq!(someone.events.len(), 38);
    for (work, n) in [(0, 32), (7, 1), (3, 5)] {
        let views: Vec<u16> = someone.events.iter().filter(|e| e.work == work).map(|e| e.view).collect();
        assert_eq!(views, (0..n).collect::<Vec<_>>());
    }
    assert!(someone.events[..32].iter().any(|e| e.work != 0), "works are mixed");
}

#[test]
fn only_those_with_a_region_have_backed_events() {
    for someone in people(200) {
        let backed = someone.events.iter().filter(|e| e.backed).count();
        assert!(someone.region != RegionTag::NONE || backed == 0);
        assert!(someone.events.iter().all(|e| (1..=4).contains(&e.quarters)));
    }
}

#[test]
fn shares_come_out_near_what_was_intended() {
    let params = Preset::Spec.params();
    let (creators, works) = catalogue(5, &names(2_000), &params);
    let drawn = DrawnShares::measure(&creators, &works, &people(2_000), &params);
    let near = |n: usize, whole: usize, percent: f64| {
        assert!((n as f64 * 100.0 / whole as f64 - percent).abs() < 4.0, "{n} of {whole}, not {percent} %");
    };
    for (tier, percent) in TIERS {
        near(drawn.subscribers_by_tier[&tier.0], 2_000, percent.into());
    }
    near(drawn.subscribers_by_region[&0], 2_000, 40.0);
    near(drawn.subscribers_by_region[&1], 2_000, 60.0 * 0.30);
    near(drawn.events_backed, drawn.events, 60.0 * 0.85);
    near(drawn.events_by_quarters[3], drawn.events, 75.0);
    near(drawn.works_alone, drawn.works, 60.0);
    near(drawn.works_by_category[0], drawn.works, 30.0);
    near(drawn.creators * 3, drawn.works, 100.0);
    assert!(drawn.works_at_neutral_price * 100 >= drawn.works * 66);
    assert_eq!(drawn.works_by_category.iter().sum::<usize>(), 2_000);
    let words = drawn.describe();
    assert!(words.iter().any(|(what, how)| *what == "tiers" && how.contains("tier 3: ")), "{words:?}");
}

#[test]
fn splits_are_whole_and_name_each_person_once() {
    for count in [1, 2, 3, 300] {
        let (creators, works) = catalogue(9, &names(count), &Preset::Spec.params());
        let mut owned = vec![0; creators.len()];
        for work in &works {
            owned[work.creator] += 1;
            assert_eq!(work.splits[0].0, work.creator);
            assert_eq!(work.splits.iter().map(|(_, bp)| u32::from(*bp)).sum::<u32>(), 10_000);
            assert!(work.splits.iter().all(|(who, bp)| *bp > 0 && *who < creators.len()));
            let people: std::collections::BTreeSet<_> = work.splits.iter().map(|(who, _)| who).collect();
            assert_eq!(people.len(), work.splits.len());
            assert!(work.splits.len() <= SHARERS.1);
        }
        assert!(owned.iter().all(|n| (1..=MAX_WORKS_PER_CREATOR).contains(n)), "{owned:?}");
    }
}

#[test]
fn prices_stay_inside_the_bounds_of_every_preset() {
    for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
        let params = preset.params();
        let (_, works) = catalogue(2, &names(500), &params);
        assert!(works.iter().all(|w| (params.price_min..=params.price_max).contains(&w.price)), "{preset}");
        let different = works.iter().any(|w| w.price != ONE_Q32);
        assert_eq!(different, params.price_min < params.price_max, "{preset}");
    }
}

#[test]
fn no_division_by_nothing() {
    assert_eq!(share(0, 0), "0.0 %");
    assert_eq!(DrawnShares::default().describe().len(), 9);
}
