//! Whoever asks late what became of bundles.

use super::{
    PARTIES, client, run, scene, states,
    world::{EPOCH, Fuse, Mishap, NEXT},
};
use engine::client::BundleState;

#[test]
fn whoever_asks_when_parties_need_not_know_any_more_accuses_nobody() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    world.anchor();
    world.freeze();
    world.end(NEXT);
    let forgotten = BundleState::Forgotten { promised: PARTIES.to_vec() };
    assert_eq!(states(&folders, &world), [forgotten.clone(), forgotten.clone()]);
    let own = client(&folders.client(), &world, &Fuse::never());
    assert_eq!(own.broken_promise(0).unwrap(), None);
    drop(own);
    assert!(!folders.client().join("key").exists(), "nothing more becomes of it");
    // Nobody could say more who is away.
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    assert_eq!(states(&folders, &world), [forgotten.clone(), forgotten]);
}

#[test]
fn what_was_found_in_time_stays_when_parties_have_forgotten() {
    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    world.anchor();
    let found = states(&folders, &world);
    world.freeze();
    world.end(NEXT);
    assert_eq!(states(&folders, &world), found, "a final receipt is kept");

    let (folders, world, signers) = scene();
    run(&folders, &world, &signers).unwrap();
    world.freeze();
    world.end(EPOCH);
    let found = states(&folders, &world);
    assert!(found.iter().all(|state| matches!(state, BundleState::Missing { .. })), "{found:?}");
    let kept = |place| client(&folders.client(), &world, &Fuse::never()).broken_promise(place).unwrap();
    let before = kept(0).expect("evidence");
    world.end(NEXT);
    assert_eq!(states(&folders, &world), found, "the evidence was collected while they had to show it");
    assert_eq!(kept(0), Some(before));
}
