//! The threshold against its ideal, and with every message of every step changed.

use super::*;
use crate::{
    session::{MAX_AHEAD, Message},
    step::Step,
    testing::{Outcome, number, run, shared},
};
use primitives::PartyId;
use std::collections::{BTreeMap, BTreeSet};

/// A cell with so many listeners, and whatever in its lower limbs.
fn cell(listeners: u32, lower: Residue) -> Residue {
    let mut bytes = Plain::from(lower).to_canonical_bytes();
    bytes[16] &= 3;
    bytes[17..].fill(0);
    let lower = Residue::from(Plain::from_252_bits(&bytes));
    let shift = (0..LISTENER_SHIFT).fold(Residue::ONE, |power, _| power + power);
    Residue::from(u64::from(listeners)) * shift + lower
}

fn decide(
    seed: u64,
    cells: &[Residue],
    k: u32,
    tamper: impl FnMut(PartyId, PartyId, &mut Message),
) -> [Outcome<Vec<bool>>; 3] {
    let shares: Vec<_> = cells.iter().zip(seed..).map(|(cell, seed)| shared(*cell, seed)).collect();
    let of = |party: PartyId| shares.iter().map(|share| share[party.index()]).collect();
    run(
        seed,
        |session| {
            let cells = of(session.party());
            threshold(session, cells, k)
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
    for k in [1, 5, 1 << 29] {
        let listeners = [0, 1, k - 1, k, k + 1, 1 << 30, u32::MAX];
        let cells: Vec<_> =
            listeners.iter().flat_map(|n| [none, all, number(3)].map(|lower| cell(*n, lower))).collect();
        let expected: Vec<_> = listeners.iter().flat_map(|n| [*n >= k; 3]).collect();
        assert_eq!(ideal::threshold(&cells, k), expected);
        assert_eq!(agreed(decide(u64::from(k), &cells, k, |_, _, _| {})), expected, "k = {k}");
    }
}

#[test]
fn cells_of_several_lanes_keep_their_order() {
    let cells: Vec<_> = (0..LANE as u32 + 3).map(|n| cell(n * 7 % 11, number(n.into()))).collect();
    assert_eq!(agreed(decide(5, &cells, 5, |_, _, _| {})), ideal::threshold(&cells, 5));
    assert_eq!(agreed(decide(5, &[], 5, |_, _, _| {})), []);
}

/// Messages of an honest run: how many values each has.
fn messages(cells: &[Residue]) -> BTreeMap<(PartyId, PartyId, Step), usize> {
    let mut seen = BTreeMap::new();
    agreed(decide(6, cells, 5, |from, to, message| {
        seen.insert((from, to, message.step), message.values.len());
    }));
    seen
}

/// Whatever one party changes in whatever message: no honest party comes to a wrong outcome, and somebody notices.
#[test]
fn every_message_that_is_tampered_with_is_noticed_or_changes_nothing() {
    let cells = [cell(4, number(1)), cell(5, number(2))];
    let right = ideal::threshold(&cells, 5);
    let mut steps = BTreeSet::new();
    for ((from, to, step), values) in messages(&cells) {
        for at in [0, values.saturating_sub(1)] {
            let outcomes = decide(6, &cells, 5, |sender, receiver, message| {
                if (sender, receiver, message.step) == (from, to, step) {
                    match message.values.get_mut(at) {
                        Some(value) => *value += Residue::ONE,
                        None => message.values.push(Residue::ONE),
                    }
                }
            });
            let noticed = outcomes.iter().flatten().filter_map(|outcome| outcome.as_ref().err());
            let expected = |abort: &Abort| match step.name {
                Name::Barrier => *abort == Abort::Length { from, step, expected: 0, found: 1 },
                Name::Coefficients
                | Name::CheckKey
                | Name::CheckZero
                | Name::OpenMasked
                | Name::OpenOutcome => *abort == Abort::Copies { step },
                // A part of a product that is wrong makes other copies of what is opened in the end.
                Name::CheckMask => matches!(abort, Abort::Product { .. } | Abort::Copies { .. }),
                _ => matches!(abort, Abort::Product { .. }),
            };
            let noticed: Vec<_> = noticed.collect();
            assert!(
                !noticed.is_empty() && noticed.iter().all(|a| expected(a)),
                "{step} {from} {to}: {noticed:?}"
            );
            for outcome in outcomes.into_iter().flatten().flatten() {
                assert_eq!(outcome, right, "{step} from {from} to {to}");
            }
        }
        steps.insert(step.name);
    }
    assert_eq!(steps.len(), Name::ALL.len() - 1, "masks alone are drawn without a message");
}

#[test]
fn a_message_of_another_round_or_length_names_its_sender() {
    let (cells, [one, two, _]) = ([cell(4, number(1))], PartyId::ALL);
    let first = Step::new(Name::Inputs, 0);
    let changed = |change: &dyn Fn(&mut Message)| {
        let [outcome, ..] = decide(6, &cells, 5, |from, to, message| {
            if (from, to, message.step) == (two, one, first) {
                change(message);
            }
        });
        outcome.expect("it stops").expect_err("it does not go on")
    };
    let found = Step::new(Name::Inputs, 1);
    let abort = changed(&|message| message.step = found);
    assert_eq!(abort, Abort::Step { from: two, expected: first, found });
    assert_eq!(abort.culprit(), Some(two));
    let expected = 3 * MASKED_BITS;
    let abort = changed(&|message| message.values.truncate(2));
    assert_eq!(abort, Abort::Length { from: two, step: first, expected, found: 2 });
    assert_eq!(abort.culprit(), Some(two));
}

#[test]
fn who_sends_ahead_without_end_is_named() {
    let [prss, ..] = crate::testing::sessions(1);
    let [one, _, three] = PartyId::ALL;
    let protocol = |session| threshold(session, vec![Share::ZERO], 5);
    let (mut computation, _) = crate::session::Computation::start(prss, protocol).unwrap();
    let message = Message { step: Step::new(Name::Inputs, 0), values: Vec::new() };
    for _ in 0..MAX_AHEAD {
        assert!(computation.receive(three, message.clone()).is_ok());
    }
    assert_eq!(computation.receive(three, message.clone()).err(), Some(Abort::Ahead { from: three }));
    assert_eq!(computation.receive(one, message).err(), Some(Abort::Own));
}
