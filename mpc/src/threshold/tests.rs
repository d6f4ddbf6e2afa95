//! The threshold against its ideal, and with every message of every step changed.

use super::*;
use crate::{
    session::{Computation, MAX_AHEAD, Message},
    step::Step,
    testing::{Outcome, attest, limbs, number, run, sessions, shared, tampered},
};
use primitives::PartyId;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A cell with so many listeners, and whatever in its lower limbs.
pub(super) fn cell(listeners: u32, lower: Residue) -> Residue {
    limbs(&[(listeners.into(), LISTENER_SHIFT)], lower, LISTENER_SHIFT)
}

fn run_on(
    seed: u64,
    cells: &[Residue],
    k: u32,
    tamper: impl FnMut(PartyId, PartyId, &mut Message),
) -> [Outcome<Vec<bool>>; 3] {
    let shares: Vec<_> = cells.iter().zip(seed..).map(|(cell, seed)| shared(*cell, seed)).collect();
    let of = |party: PartyId| shares.iter().map(|share| share[party.index()]).collect();
    run(
        seed,
        |mut session| {
            let cells = of(session.party());
            async move { threshold(&mut session, cells, k).await }
        },
        tamper,
    )
}

fn agreed(outcomes: [Outcome<Vec<bool>>; 3]) -> Vec<bool> {
    let [one, two, three] = outcomes.map(|outcome| outcome.expect("an outcome").expect("honest parties"));
    assert!(one == two && two == three);
    one
}

#[test]
fn the_listener_limb_alone_decides() {
    let (none, all) = (Residue::ZERO, -Residue::ONE);
    for k in [1, 5, 1 << 29, u32::MAX] {
        let listeners = [0, 1, k - 1, k, k.saturating_add(1), 1 << 30, u32::MAX];
        let cells: Vec<_> =
            listeners.iter().flat_map(|n| [none, all, number(3)].map(|lower| cell(*n, lower))).collect();
        let expected: Vec<_> = listeners.iter().flat_map(|n| [*n >= k; 3]).collect();
        assert_eq!(ideal::threshold(&cells, k), expected);
        assert_eq!(agreed(run_on(u64::from(k), &cells, k, |_, _, _| {})), expected, "k = {k}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_cells_are_decided_as_in_the_open(seed in 0u64..1 << 40, k in 1u32.., near in prop::collection::vec((-2i64..3, any::<u64>()), 1..20)) {
        let listeners = |by: i64| u32::try_from((i64::from(k) + by).clamp(0, u32::MAX.into())).unwrap();
        let cells: Vec<_> = near.into_iter().map(|(by, lower)| cell(listeners(by), number(lower))).collect();
        prop_assert_eq!(agreed(run_on(seed, &cells, k, |_, _, _| {})), ideal::threshold(&cells, k));
    }
}

#[test]
fn cells_of_several_lanes_keep_their_order() {
    let cells: Vec<_> = (0..LANE as u32 + 3).map(|n| cell(n * 7 % 11, number(n.into()))).collect();
    assert_eq!(agreed(run_on(5, &cells, 5, |_, _, _| {})), ideal::threshold(&cells, 5));
    assert_eq!(agreed(run_on(5, &[], 5, |_, _, _| {})), []);
}

/// Whatever one party changes in whatever message: no honest party comes to a wrong outcome, and somebody notices.
#[test]
fn every_message_that_is_tampered_with_is_noticed() {
    let cells = [cell(4, number(1)), cell(5, number(2))];
    let right = ideal::threshold(&cells, 5);
    let steps = tampered(|tamper| run_on(6, &cells, 5, tamper), &right);
    let expected = [
        Name::OpenMasked,
        Name::Inputs,
        Name::CarrySave,
        Name::Generate,
        Name::Carry,
        Name::Barrier,
        Name::CheckKey,
        Name::CheckMask,
        Name::CheckZero,
        Name::OpenOutcome,
    ];
    assert_eq!(steps, BTreeSet::from(expected));
}

/// What party one comes to if one message of party two's is changed.
fn changed(step: Step, change: impl Fn(&mut Message)) -> Abort {
    let (cells, [one, two, _]) = ([cell(4, number(1))], PartyId::ALL);
    let [outcome, ..] = run_on(6, &cells, 5, |from, to, message| {
        if (from, to, message.step) == (two, one, step) {
            change(message);
        }
    });
    let abort = outcome.expect("it stops").expect_err("it does not go on");
    assert_eq!(abort.culprit(), Some(two));
    abort
}

#[test]
fn a_message_of_another_round_length_or_spelling_names_its_sender() {
    let [_, from, _] = PartyId::ALL;
    let first = Step::new(Name::Inputs, 0);
    let found = Step::new(Name::Inputs, 1);
    let abort = changed(first, |message| message.step = found);
    assert_eq!(abort, Abort::Step { from, expected: first, found });
    let abort = changed(first, |message| message.body.truncate(2));
    let expected = 3 * MASKED_BITS * 8 * 16;
    assert_eq!(abort, Abort::Length { from, step: first, expected, found: 2 });
    let step = Step::new(Name::OpenMasked, 0);
    let abort = changed(step, |message| message.body[31] = 0xff);
    assert_eq!(abort, Abort::Encoding { from, step });
}

#[test]
fn who_shows_a_check_key_before_the_barrier_is_named() {
    let [_, from, _] = PartyId::ALL;
    let (barrier, key) = (Step::new(Name::Barrier, 0), Step::new(Name::CheckKey, 0));
    let abort = changed(barrier, |message| message.step = key);
    assert_eq!(abort, Abort::Step { from, expected: barrier, found: key });
}

#[test]
fn a_signature_of_another_barrier_names_its_sender() {
    let ([one, two, three], step) = (PartyId::ALL, Step::new(Name::Barrier, 0));
    let mut seen = Vec::new();
    let cells = [cell(4, number(1))];
    run_on(6, &cells, 5, |from, to, message| {
        if (from, to, message.step) == (three, one, step) {
            seen = message.body.clone();
        }
    });
    assert_eq!(changed(step, |message| message.body = seen.clone()), Abort::Barrier { from: two, step });
}

#[test]
fn who_sends_ahead_without_end_is_named() {
    let [prss, ..] = sessions(1);
    let [one, _, three] = PartyId::ALL;
    let protocol = |mut session| async move { threshold(&mut session, vec![Share::ZERO], 5).await };
    let (mut computation, _) = Computation::start(prss, attest(one), protocol).unwrap();
    let message = Message { step: Step::new(Name::Inputs, 0), body: Vec::new() };
    for _ in 0..MAX_AHEAD {
        assert!(computation.receive(three, message.clone()).is_ok());
    }
    assert_eq!(computation.receive(three, message.clone()).err(), Some(Abort::Ahead { from: three }));
    assert_eq!(computation.receive(one, message).err(), Some(Abort::Own));
}
