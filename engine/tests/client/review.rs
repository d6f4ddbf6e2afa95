//! What is asked of a log before anything is begun with it.

use super::{
    Folders, client, run, scene, states,
    world::{Fuse, Mishap, NEXT, TestClock, World, log, play, work},
};
use engine::client::{BundleState, Client, ClientError, Folder, HandedIn, Play, UsageLog};
use primitives::{Time, WorkId};
use rand_core::OsRng;

/// What later epochs ask the folder of an earlier one.
fn handed_in(folders: &Folders) -> Option<HandedIn> {
    Client::handed_in(Box::new(Folder::open(folders.client()).unwrap())).unwrap()
}

/// The whole log, which somebody answered for or not.
fn all(answered: bool) -> Option<HandedIn> {
    log().first().zip(log().last()).map(|(first, last)| HandedIn { first, last, answered })
}

/// A client whose bundle all parties take in, and hears of none. It is killed then.
fn cut_off() -> (Folders, World) {
    let (folders, world, signers) = scene();
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Lost)));
    assert!(matches!(run(&folders, &world, &signers), Err(ClientError::TooFewPromises { promised: 0, .. })));
    assert_eq!((world.came(1).len(), world.came(2).len()), (1, 1));
    (1..=3).for_each(|party| world.always(party, None));
    (folders, world)
}

#[test]
fn a_folder_tells_when_the_last_play_began_that_was_taken_in() {
    let (folders, world, signers) = scene();
    assert_eq!(handed_in(&folders), None);
    run(&folders, &world, &signers).unwrap();
    assert_eq!(handed_in(&folders), all(true));
    world.anchor();
    states(&folders, &world);
    assert!(!folders.client().join("plan").exists());
    assert_eq!(handed_in(&folders), all(true), "also when all is decided");
    // Without the first, as before there was one, all is in doubt that is not later.
    std::fs::remove_file(folders.client().join("first")).unwrap();
    assert_eq!(handed_in(&folders), all(true).map(|had| HandedIn { first: Time(0), ..had }));
    // By then a log is known by its last play alone.
    let own = client(&folders.client(), &world, &Fuse::never());
    let later = UsageLog::new(vec![play(99, work(0, 0), false)]);
    let run = own.run(&later, &signers, (&world, &TestClock::default()), &mut OsRng, &mut |_| ());
    assert!(matches!(run, Err(ClientError::OtherLog { .. })), "{run:?}");
}

#[test]
fn what_was_taken_in_and_never_answered_is_handed_in_all_the_same() {
    let (folders, world) = cut_off();
    assert_eq!(handed_in(&folders), all(false), "it was sent");
    world.anchor();
    world.freeze();
    let found = states(&folders, &world);
    assert!(matches!(found[..], [BundleState::Final { .. }, BundleState::NotInTime]), "{found:?}");
    assert!(!folders.client().join("outcome-00000-1").exists(), "a final bundle needs no promise");
    assert_eq!(handed_in(&folders), all(true));
    // A final receipt says it also where nothing was noted before the bundle left.
    std::fs::remove_file(folders.client().join("sent-00000")).unwrap();
    assert_eq!(handed_in(&folders), all(true));
}

#[test]
fn what_was_sent_may_come_again_once_two_parties_say_that_it_is_in_no_batch() {
    let (folders, world, signers) = scene();
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    assert!(run(&folders, &world, &signers).is_err());
    assert_eq!(handed_in(&folders), all(false), "nobody knows whether it arrived");
    world.freeze();
    world.always(1, None);
    assert_eq!(states(&folders, &world)[0], BundleState::Open, "one party may not know, or lie");
    assert_eq!(handed_in(&folders), all(false));
    world.always(2, None);
    assert_eq!(states(&folders, &world), [BundleState::NotInTime, BundleState::NotInTime]);
    assert_eq!(handed_in(&folders), None);
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    assert_eq!(states(&folders, &world)[0], BundleState::NotInTime, "that is kept");
    // Nobody counts what two refuse.
    let (folders, world, signers) = scene();
    (1..=3).for_each(|party| world.then(party, [Mishap::Refuse("unsold")]));
    assert!(run(&folders, &world, &signers).is_err());
    assert_eq!(handed_in(&folders), None);
}

#[test]
fn parties_that_need_not_know_any_more_do_not_say_that_nothing_was_counted() {
    let (folders, world) = cut_off();
    world.anchor();
    world.freeze();
    world.end(NEXT);
    assert_eq!(states(&folders, &world)[0], BundleState::Forgotten { promised: Vec::new() });
    assert_eq!(handed_in(&folders), all(false));
}

#[test]
fn a_party_that_calls_a_bundle_final_does_not_deny_it() {
    let (folders, world) = cut_off();
    world.anchor();
    world.freeze();
    world.with_header(0, |header| header.header.batch_root.0[0] ^= 1);
    assert_eq!(states(&folders, &world)[0], BundleState::Open, "whatever is wrong with what it shows");
    assert_eq!(handed_in(&folders), all(false));
}

#[test]
fn plays_of_unknown_works_are_found_before_anything_is_begun() {
    let (folders, world, signers) = scene();
    let own = client(&folders.client(), &world, &Fuse::never());
    let unknown = |time| play(time, WorkId([0xff; 32]), true);
    // Nobody misses what does not count.
    let short = Play { played: 49, ..unknown(3) };
    let of = |more: &[Play]| UsageLog::new([log().plays(), more].concat());
    assert_eq!(own.unknown(&of(&[short])), None);
    let found = own.unknown(&of(&[unknown(2), short, unknown(4)])).expect("two");
    assert_eq!(found.plays, 2);
    assert!(!own.is_begun(&log()).unwrap());
    drop(own);
    run(&folders, &world, &signers).unwrap();
    let own = client(&folders.client(), &world, &Fuse::never());
    assert!(own.is_begun(&log()).unwrap());
    assert!(matches!(own.is_begun(&of(&[unknown(2)])), Err(ClientError::OtherLog { .. })));
}
