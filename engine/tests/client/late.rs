//! Whoever asks late what became of bundles.

use super::{
    PARTIES, client, run, scene, states,
    world::{EPOCH, Fuse, Killed, Mishap, MortalDisk, NEXT, World},
};
use engine::client::{BundleState, Client, Folder};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// What opens a subscriber's bundles, or names its works.
const SECRETS: [&str; 5] = ["key", "token", "plan", "requests-00000", "receipts-00001"];

/// Which files of a folder are secret.
fn secrets(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_secret = |name: &String| {
        let kinds = ["requests-", "receipts-", "spent-"];
        ["key", "token", "plan"].contains(&&**name)
            || kinds.iter().any(|kind| name.starts_with(kind))
            || name.ends_with(".part")
    };
    names.filter(is_secret).collect()
}

fn retire(folder: &Path, world: &World, fuse: &Fuse) -> bool {
    let disk = MortalDisk { folder: Folder::open(folder).unwrap(), fuse: fuse.clone() };
    Client::retire(Box::new(disk), EPOCH, world).unwrap()
}

#[test]
fn nothing_secret_is_left_of_an_epoch_that_is_over_whatever_parties_answer() {
    let scene = || {
        let (folders, world, signers) = scene();
        run(&folders, &world, &signers).unwrap();
        // It is given up before its root is on record, and nobody says more.
        (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
        (folders, world)
    };
    let (folders, world) = scene();
    let folder = folders.client();
    let promised = BundleState::Provisional { by: PARTIES.to_vec() };
    assert_eq!(states(&folders, &world), [promised.clone(), promised.clone()]);
    assert!(!retire(&folder, &world, &Fuse::never()), "it may still be settled");
    assert!(SECRETS.iter().all(|name| folder.join(name).exists()));
    world.end(EPOCH);
    let fuse = Fuse::never();
    assert!(retire(&folder, &world, &fuse));
    assert_eq!(secrets(&folder), [""; 0]);
    assert!(folder.join("outcome-00000-1").exists() && folder.join("bundle-00001").exists(), "evidence");
    assert!(!retire(&folder, &world, &Fuse::never()), "there is nothing more");
    assert_eq!(states(&folders, &world), [promised.clone(), promised.clone()], "what is known stays known");
    // Killed at any step, it is done by the next call.
    for killed_after in 0..i64::MAX - fuse.left() {
        let (folders, world) = scene();
        world.end(EPOCH);
        let folder = folders.client();
        let died = catch_unwind(AssertUnwindSafe(|| retire(&folder, &world, &Fuse::after(killed_after))));
        assert!(died.is_err_and(|panic| panic.is::<Killed>()), "after {killed_after} steps");
        retire(&folder, &world, &Fuse::never());
        assert_eq!(secrets(&folder), [""; 0], "killed after {killed_after}");
    }
    // Whoever asks for the bundles of such an epoch leaves nothing either.
    let (folders, world) = scene();
    world.end(EPOCH);
    assert_eq!(states(&folders, &world), [promised.clone(), promised]);
    assert_eq!(secrets(&folders.client()), [""; 0]);
}

/// A client is killed while it writes.
#[test]
fn parts_of_files_that_were_never_put_in_place_are_left_of_no_epoch_that_is_over() {
    let (folders, world, signers) = scene();
    let (folder, never) = (folders.client(), Fuse::never());
    drop(client(&folder, &world, &never));
    // Nothing was decided yet.
    fs::write(folder.join("plan.part"), "plays in clear").unwrap();
    assert!(!retire(&folder, &world, &never) && folder.join("plan.part").exists(), "it may still go on");
    world.end(EPOCH);
    assert!(retire(&folder, &world, &never));
    assert_eq!(secrets(&folder), [""; 0]);
    assert!(folder.join("epoch").exists() && !retire(&folder, &world, &never), "there is nothing more");
    // All was decided before.
    run(&folders, &world, &signers).unwrap();
    world.anchor();
    states(&folders, &world);
    for part in ["plan.part", "spent-00007.part", "bundle-00000.part"] {
        fs::write(folder.join(part), "a part").unwrap();
    }
    let bundle = fs::read(folder.join("bundle-00000")).unwrap();
    assert!(retire(&folder, &world, &never));
    assert_eq!(secrets(&folder), [""; 0]);
    assert_eq!(fs::read(folder.join("bundle-00000")).unwrap(), bundle, "what is whole stays");
}

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
