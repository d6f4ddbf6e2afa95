//! Whole epochs: money to the unit, what is carried, what stays off the chain.

use crate::world::*;
use chain::{
    Payload, TxError,
    light::{Anchoring, record, verify},
    modules::{
        dapr::{DaprError, payout::split_revenue},
        treasury::Fund,
        usage::Phase,
    },
};
use primitives::{Credits, EpochId};

#[test]
fn an_epoch_pays_its_pool_to_the_unit_and_every_claim_once() {
    let mut world = World::settled();
    let state = world.ledger.state();
    let epoch = state.epochs.get(&FIRST).expect("on record");
    let summary = epoch.summary.clone().expect("settled");
    assert_eq!(epoch.phase, Phase::Finalised);
    assert_eq!(summary.revenue, Credits(4 * 5_000_001 + 4 * 6_000_001));
    let parts = [summary.fee, summary.eco, summary.infra, summary.creators];
    assert_eq!(parts.into_iter().sum::<Credits>(), summary.revenue);
    assert_eq!((summary.paid, summary.carried_out), (summary.creators, Credits::ZERO));
    let settlement = state.settlements.get(&FIRST).expect("settled");
    assert_eq!(settlement.works.iter().map(|w| w.payout).sum::<Credits>(), summary.paid);
    for work in &settlement.works {
        assert_eq!(work.splits.iter().map(|s| s.amount).sum::<Credits>(), work.payout);
    }

    let claims = state.claims_of_epoch(FIRST);
    assert_eq!(claims.iter().map(|c| c.amount).sum::<Credits>(), summary.paid);
    let owed = |world: &World| {
        (1..=CREATORS).map(|n| world.ledger.state().claimable(&person(n)).len()).sum::<usize>()
    };
    assert_eq!(owed(&world), claims.len());
    for claim in &claims {
        world.open_ok(Payload::Claim(claim.clone()));
        let (epoch, work, payee) = (claim.epoch, claim.work, claim.payee);
        world.refuse_open(Payload::Claim(claim.clone()), DaprError::AlreadyClaimed { epoch, work, payee });
    }
    assert_eq!(owed(&world), 0);
    world.seal();
    let state = world.ledger.state();
    assert_eq!(state.fund(Fund::Unclaimed), Credits::ZERO);
    assert_eq!(state.accounts.iter().map(|a| a.balance).sum::<Credits>(), summary.paid);
}

#[test]
fn the_record_of_an_epoch_holds_and_is_anchored_by_the_right_root() {
    let world = World::settled();
    let record = record(&world.ledger, FIRST).expect("settled");
    let verdict = verify(&record, None).expect("a sound record");
    assert_eq!(verdict.anchoring, Anchoring::NotAnchored);
    assert_eq!((verdict.works, verdict.batches, verdict.bundles), (5, 2, 5));
    assert_eq!(verify(&record, Some(verdict.state_root)).expect("sound").anchoring, Anchoring::Anchored);
}

#[test]
fn a_pool_without_weight_is_carried_to_the_next_epoch() {
    let mut world = World::opened();
    world.count(FIRST, &[(group(0, 0), vec![plays(9, 2, false)]), (group(0, 0), vec![])]);
    world.open_ok(finalise(FIRST));
    world.seal();
    let carried = world.ledger.state().fund(Fund::Carried);
    let summary = world.ledger.state().epochs.get(&FIRST).and_then(|e| e.summary.clone()).expect("settled");
    assert_eq!((summary.paid, carried), (Credits::ZERO, summary.creators), "padding weighs nothing");
    verify(&record(&world.ledger, FIRST).expect("settled"), None).expect("sound");

    let next = EpochId(FIRST.0 + 1);
    world.run_epoch(next, &bundles());
    let summary = world.ledger.state().epochs.get(&next).and_then(|e| e.summary.clone()).expect("settled");
    assert_eq!(summary.carried_in, carried);
    assert_eq!(Some(summary.paid), summary.creators.checked_add(carried));
    assert_eq!(world.ledger.state().fund(Fund::Carried), Credits::ZERO);
    verify(&record(&world.ledger, next).expect("settled"), None).expect("sound");
}

#[test]
fn an_epoch_without_any_bundle_settles() {
    let mut world = World::opened();
    world.count(FIRST, &[]);
    world.open_ok(finalise(FIRST));
    world.seal();
    verify(&record(&world.ledger, FIRST).expect("settled"), None).expect("sound");
}

#[test]
fn pools_by_tier_pay_each_tier_to_its_own_usage() {
    let mut world = World::genesis_with(|genesis| genesis.params.pool_by_tier = true).and_works();
    world.prepare(FIRST);
    world.open(FIRST);
    // Nobody uses tier 1: its pool is carried, tier 0's goes to the one work that tier 0 used.
    world.count(FIRST, &[(group(0, 0), vec![plays(2, 3, false)])]);
    world.open_ok(finalise(FIRST));
    world.seal();
    let state = world.ledger.state();
    let summary = state.epochs.get(&FIRST).and_then(|e| e.summary.clone()).expect("settled");
    let settlement = state.settlements.get(&FIRST).expect("settled");
    assert_eq!(settlement.works[2].payout, summary.paid);
    let creators = |subscriptions: u64, price: u64| {
        split_revenue(&world.params, Credits(subscriptions * price)).creators
    };
    assert_eq!((summary.paid, summary.carried_out), (creators(4, 5_000_001), creators(4, 6_000_001)));
    verify(&record(&world.ledger, FIRST).expect("settled"), None).expect("sound");

    let next = EpochId(FIRST.0 + 1);
    world.run_epoch(next, &bundles());
    let summary = world.ledger.state().epochs.get(&next).and_then(|e| e.summary.clone()).expect("settled");
    assert_eq!(Some(summary.paid), summary.creators.checked_add(summary.carried_in));
    verify(&record(&world.ledger, next).expect("settled"), None).expect("sound");
}

#[test]
fn reputation_is_carried_and_decays() {
    let mut world = World::settled();
    let reputation = |world: &World, place: usize| {
        let work = world.ledger.state().openings.get(&FIRST).expect("open").works[place].work;
        world.ledger.state().reputations.get(&work).expect("settled").reputation
    };
    let (used, unused) = (reputation(&world, 0), reputation(&world, 4));
    assert!(used > 0 && unused == 0);
    let next = EpochId(FIRST.0 + 1);
    world.run_epoch(next, &[(group(0, 0), vec![plays(4, 1, false)])]);
    assert!(reputation(&world, 0) < used && reputation(&world, 0) > 0);
    assert!(reputation(&world, 4) > 0);
    verify(&record(&world.ledger, next).expect("settled"), None).expect("sound");
}

#[test]
fn totals_with_more_listeners_than_subscriptions_are_not_settled() {
    let mut world = World::opened();
    let bundle = (group(0, 0), vec![plays(0, 1, false)]);
    world.count(FIRST, &vec![bundle; 5]);
    let work = world.ledger.state().openings.get(&FIRST).expect("open").works[0].work;
    let tier = TIERS[0];
    let error = chain::modules::dapr::SettleError::Listeners {
        work,
        tier,
        listeners: 5,
        subscriptions: 4,
        carried: 0,
    };
    world.refuse_open(finalise(FIRST), TxError::from(DaprError::from(error)));
}
