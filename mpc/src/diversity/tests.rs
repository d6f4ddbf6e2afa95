//! Sums of squares against their ideal, and with every message of every step changed.

use super::*;
use crate::{
    session::Message,
    testing::{Outcome, limbs as cell, number, run, shared, tampered},
    threshold::threshold,
};
use primitives::{PartyId, limits::LISTENER_SHIFT};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The largest limb of backed views.
const FULL: u64 = (1 << BACKED_BITS) - 1;

/// A total with so many backed views and listeners, and whatever in its lower limbs.
pub(super) fn total(backed: u64, listeners: u32, lower: Residue) -> Residue {
    cell(&[(backed, BACKED_SHIFT), (listeners.into(), LISTENER_SHIFT)], lower, BACKED_SHIFT)
}

fn of(party: PartyId, seed: u64, works: &[Vec<Residue>]) -> Vec<Vec<Share>> {
    let mut seeds = seed..;
    let mut share = |total: &Residue| shared(*total, seeds.next().expect("no end"))[party.index()];
    works.iter().map(|work| work.iter().map(&mut share).collect()).collect()
}

fn run_on(
    seed: u64,
    works: &[Vec<Residue>],
    tamper: impl FnMut(PartyId, PartyId, &mut Message),
) -> [Outcome<Vec<u128>>; 3] {
    let protocol = |mut session: Session| {
        let works = of(session.party(), seed, works);
        async move { diversity(&mut session, works).await }
    };
    run(seed, protocol, tamper)
}

fn agreed<T: PartialEq>(outcomes: [Outcome<T>; 3]) -> T {
    let [one, two, three] = outcomes.map(|outcome| outcome.expect("an outcome").expect("honest parties"));
    assert!(one == two && two == three);
    one
}

#[test]
fn limbs_below_and_above_change_nothing() {
    let ends = [0, 1, FULL / 2, FULL - 1, FULL];
    let mut works = Vec::new();
    for backed in ends {
        for (listeners, lower) in
            [(0, Residue::ZERO), (u32::MAX, -Residue::ONE), (0, -Residue::ONE), (u32::MAX, Residue::ZERO)]
        {
            // The lower limbs of -1 are those of l - 1; of 2^92 - 1 all bits are ones.
            let ones = (0..BACKED_SHIFT).fold(Residue::ZERO, |ones, _| ones + ones + Residue::ONE);
            let lower = if lower.is_zero() { lower } else { ones };
            works.push(vec![total(backed, listeners, lower)]);
        }
    }
    let expected: Vec<_> = ends.iter().flat_map(|backed| [u128::from(*backed).pow(2); 4]).collect();
    assert_eq!(ideal::diversity(&works), expected);
    for seed in 0..20 {
        assert_eq!(agreed(run_on(seed, &works, |_, _, _| {})), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_works_come_to_what_they_are_in_the_open(
        seed in 0u64..1 << 40,
        works in prop::collection::vec(prop::collection::vec((0..=FULL, any::<u32>(), any::<u64>()), 0..5), 0..6),
    ) {
        let total = |(backed, listeners, lower)| total(backed, listeners, number(lower));
        let works: Vec<Vec<_>> = works.into_iter().map(|work| work.into_iter().map(total).collect()).collect();
        prop_assert_eq!(agreed(run_on(seed, &works, |_, _, _| {})), ideal::diversity(&works));
    }
}

#[test]
fn works_of_several_lanes_keep_their_order() {
    let work = |n: u64| (0..n % 9).map(|region| total(n * 31 + region, 5, number(n))).collect();
    let works: Vec<Vec<_>> = (0..300).map(work).collect();
    assert!(works.iter().map(Vec::len).sum::<usize>() > LANE);
    assert_eq!(agreed(run_on(3, &works, |_, _, _| {})), ideal::diversity(&works));
}

#[test]
fn every_message_that_is_tampered_with_is_noticed() {
    let works = [vec![total(3, 1, number(1)), total(FULL, 2, number(2))], vec![total(7, 0, Residue::ZERO)]];
    let right = ideal::diversity(&works);
    let steps = tampered(|tamper| run_on(6, &works, tamper), &right);
    let without: BTreeSet<_> = Name::ALL.iter().copied().collect();
    let without = &without - &BTreeSet::from([Name::Masks, Name::OpenOutcome]);
    assert_eq!(steps, without);
}

#[test]
fn one_session_runs_the_threshold_and_then_the_sums() {
    let works = [vec![total(3, 4, number(1)), total(5, 1, number(2))], vec![total(7, 9, number(3))]];
    let protocol = |mut session: Session| {
        let works = of(session.party(), 1, &works);
        async move {
            let cells = works.iter().map(|work| work.iter().copied().sum()).collect();
            let enough = threshold(&mut session, cells, 6).await?;
            let published = works.into_iter().zip(&enough).filter(|(_, enough)| **enough);
            let works = published.map(|(work, _)| work).collect();
            Ok((enough.clone(), diversity(&mut session, works).await?))
        }
    };
    assert_eq!(agreed(run(1, protocol, |_, _, _| {})), (vec![false, true], vec![49]));
}
