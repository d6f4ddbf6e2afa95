use super::*;
use crate::{impact::Side, progress::Silent};

fn options(before: &str, after: &str) -> Options {
    let side = |name| Side::read(name).expect("a preset");
    Options {
        before: side(before),
        after: side(after),
        source: Source::Synthetic(60),
        seed: 3,
        seeds: 2,
        plays_per_subscriber: Some("300".parse().expect("a number")),
        samples: 4,
    }
}

fn compared(options: &Options) -> Outcome {
    run(options, &Silent).expect("a comparison")
}

#[test]
fn a_side_compared_with_itself_changes_nothing() {
    let impact = compared(&options("guarded", "guarded")).impact;
    assert!(!impact.verdict.changed && impact.verdict.headline == "No change");
    let tiles = &impact.tiles;
    for tile in [&tiles.gini, &tiles.top1, &tiles.cross_subsidy, &tiles.parity, &tiles.attack_roi] {
        assert_eq!((tile.change, tile.change_low, tile.change_high), (0.0, 0.0, 0.0));
    }
    assert_eq!((tiles.better_off.better, tiles.better_off.same), (0.0, 1.0));
    assert!(impact.losers.is_empty() && impact.bands.iter().all(|band| band.before == band.after));
    assert!(impact.parameters.iter().all(|change| !change.changed));
    assert!(impact.attack_map.rows.iter().any(|row| row.before && row.proposed));
}

#[test]
fn money_is_exact_on_both_sides() {
    let Outcome { impact, payouts, .. } = compared(&options("spec", "guarded"));
    assert!(impact.flow_before.is_exact() && impact.flow_after.is_exact());
    assert_eq!(payouts.iter().map(|row| row.before).sum::<u64>(), impact.flow_before.creators);
    assert_eq!(payouts.iter().map(|row| row.after).sum::<u64>(), impact.flow_after.creators);
    let of_deciles: u64 = impact.deciles.iter().map(|decile| decile.after).sum();
    assert_eq!(of_deciles, impact.flow_after.creators);
    assert_eq!(impact.verdict.checks[0].after.level, super::super::Level::Ok);
}

#[test]
fn the_figures_of_the_first_draw_lie_in_their_ranges() {
    let impact = compared(&options("spec", "guarded")).impact;
    let tiles = &impact.tiles;
    for tile in [&tiles.gini, &tiles.top1, &tiles.cross_subsidy, &tiles.parity, &tiles.attack_roi] {
        assert!((tile.change_low..=tile.change_high).contains(&tile.change), "{tile:?}");
        assert!((tile.after_low..=tile.after_high).contains(&tile.after), "{tile:?}");
    }
    assert!(tiles.attack_roi.change < 0.0, "guarded is guarded: {:?}", tiles.attack_roi);
}

#[test]
fn the_same_options_give_the_same_figures_on_any_number_of_threads() {
    let options = options("spec", "flat");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let (many, single) = (compared(&options), one.install(|| compared(&options)));
    assert_eq!(many.impact, single.impact);
    assert_eq!((many.payouts, many.data), (single.payouts, single.data));
}

#[test]
fn a_proposal_that_lets_puppets_earn_is_not_safe() {
    let impact = compared(&options("guarded", "flat")).impact;
    assert_eq!(impact.verdict.headline, "Not safe");
    let level = |id: &str| {
        let check = impact.verdict.checks.iter().find(|check| check.id == id).expect("there");
        check.after.level
    };
    assert_eq!(level("attack"), super::super::Level::Bad);
    assert_eq!(level("audience"), super::super::Level::Bad);
    assert_eq!(level("cap"), super::super::Level::Warn);
    assert_eq!(level("budget"), super::super::Level::Ok);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let good = options("spec", "flat");
    let refused = |options: Options| run(&options, &Silent).expect_err("refused");
    assert!(matches!(refused(Options { seeds: 0, ..good.clone() }), ImpactError::Seeds { .. }));
    assert!(matches!(refused(Options { seed: u64::MAX, ..good.clone() }), ImpactError::Seeds { .. }));
    let source = Source::Synthetic(0);
    assert!(matches!(refused(Options { source, ..good.clone() }), ImpactError::Subscribers { asked: 0 }));
    assert!(matches!(refused(Options { samples: usize::MAX, ..good }), ImpactError::Samples { .. }));
}
