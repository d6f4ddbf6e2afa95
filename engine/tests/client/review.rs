//! What is asked of a log before anything is begun with it.

use super::{
    client, run, scene, states,
    world::{Fuse, Mishap, TestClock, log, play, work},
};
use engine::client::{Client, ClientError, Folder, Play, UsageLog};
use primitives::WorkId;
use rand_core::OsRng;

/// What later epochs ask the folder of an earlier one.
#[test]
fn a_folder_tells_when_the_last_play_began_that_was_taken_in() {
    let (folders, world, signers) = scene();
    let handed_in = || Client::handed_in(Box::new(Folder::open(folders.client()).unwrap())).unwrap();
    assert_eq!(handed_in(), None);
    (1..=3).for_each(|party| world.always(party, Some(Mishap::Down)));
    assert!(run(&folders, &world, &signers).is_err());
    assert_eq!(handed_in(), None, "no party has any of it");
    (1..=3).for_each(|party| world.always(party, None));
    run(&folders, &world, &signers).unwrap();
    assert_eq!(handed_in(), log().last());
    world.anchor();
    states(&folders, &world);
    assert!(!folders.client().join("plan").exists());
    assert_eq!(handed_in(), log().last(), "also when all is decided");
    // By then a log is known by its last play alone.
    let own = client(&folders.client(), &world, &Fuse::never());
    let later = UsageLog::new(vec![play(99, work(0, 0), false)]);
    let run = own.run(&later, &signers, (&world, &TestClock::default()), &mut OsRng, &mut |_| ());
    assert!(matches!(run, Err(ClientError::OtherLog { .. })), "{run:?}");
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
