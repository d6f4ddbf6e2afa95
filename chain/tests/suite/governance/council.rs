use super::*;
use chain::modules::governance::{
    CallElection, CloseElection, Elect, GovernanceError, MAX_COUNCIL_SEATS, Recall, Stand,
};

const HALF_A_YEAR: u32 = 182 * DAY;

fn call() -> Payload {
    Payload::CallElection(CallElection)
}

fn stand(election: u64) -> Payload {
    Payload::Stand(Stand { election })
}

fn elect(election: u64, choices: &[PersonId]) -> Payload {
    Payload::Elect(Elect { election, choices: choices.to_vec() })
}

fn close(election: u64) -> Payload {
    Payload::CloseElection(CloseElection { election })
}

fn council(world: &World) -> Vec<PersonId> {
    world.ledger.state().council(world.ledger.now())
}

/// An election that has been called, for the whole council, whose term is about to end.
fn called() -> World {
    let mut world = world();
    later(&mut world, HALF_A_YEAR - 14 * DAY);
    world.ok(voter(0), call());
    world
}

fn time_error(world: &World, election: u64) -> GovernanceError {
    let found = world.ledger.state().elections.get(&election).expect("called");
    let (now, called, stand, vote) = (world.ledger.now(), found.called, found.stand_until, found.vote_until);
    let (from, until) = if now < stand { (stand, vote) } else { (called, stand) };
    GovernanceError::ElectionTime { election, now, from, until }
}

#[test]
fn a_council_is_elected_anew_by_approval() {
    let mut world = called();
    for n in 0..7 {
        world.ok(voter(n), stand(1));
    }
    later(&mut world, WEEK);
    // 6 is approved by most; 0 to 4 by one after the other; 5 by one.
    for n in 0..12 {
        let mut choices = vec![voter(6)];
        choices.extend((0..4).filter(|c| *c < n % 5).map(voter));
        choices.sort();
        world.ok(voter(n), elect(1, &choices));
    }
    world.ok(voter(12), elect(1, &[voter(5)]));
    later(&mut world, WEEK);
    world.open_ok(close(1));
    // Half of 0 to 3, and 6, and 5: the five with the most votes.
    let votes = |n| world.ledger.state().candidates.get(&(1, voter(n))).map(|c| c.votes);
    assert_eq!([0, 1, 2, 3, 5, 6].map(votes), [9, 6, 4, 2, 1, 12].map(Some));
    assert_eq!(council(&world), [0, 1, 2, 3, 6].map(voter));
    // Who is out has no say any more, whatever the role was called.
    let number = propose(&mut world, Action::Recall(Recall { councillor: voter(0) }));
    world.refuse(
        councillor(0),
        say(number, Say::Veto),
        GovernanceError::NotCouncillor { person: councillor(0) },
    );
    assert_eq!(world.ledger.state().identities.get(&councillor(0)).map(|i| i.roles), Some(Roles::VOTER));
}

#[test]
fn an_election_is_called_when_a_seat_is_vacant_or_will_be() {
    let mut world = world();
    world.refuse(creator(), call(), GovernanceError::NotVoter { person: creator() });
    world.refuse(voter(0), call(), GovernanceError::NoVacancy { seats: COUNCIL });
    decide(&mut world, Action::Recall(Recall { councillor: councillor(2) }));
    assert_eq!(council(&world).len(), usize::from(COUNCIL) - 1);
    world.ok(voter(0), call());
    world.refuse(voter(1), call(), GovernanceError::ElectionRuns { election: 1 });
}

#[test]
fn every_part_of_an_election_has_its_time() {
    let mut world = called();
    world.refuse(voter(0), stand(2), GovernanceError::UnknownElection { election: 2 });
    let early = time_error(&world, 1);
    world.refuse(voter(0), elect(1, &[voter(1)]), early);
    world.ok(voter(1), stand(1));
    world.refuse(voter(1), stand(1), GovernanceError::StandsAlready { election: 1, person: voter(1) });
    world.refuse(creator(), stand(1), GovernanceError::NotVoter { person: creator() });
    later(&mut world, WEEK);
    let late = time_error(&world, 1);
    world.refuse(voter(2), stand(1), late);
    let found = world.ledger.state().elections.get(&1).expect("called").clone();
    let (now, from, until) = (world.ledger.now(), found.vote_until, Time(u64::MAX));
    world.refuse_open(close(1), GovernanceError::ElectionTime { election: 1, now, from, until });
    world.ok(voter(3), elect(1, &[voter(1)]));
    later(&mut world, WEEK);
    world.open_ok(close(1));
    let now = world.ledger.now();
    world.refuse_open(close(1), GovernanceError::ElectionTime { election: 1, now, from, until });
}

#[test]
fn one_person_one_ballot_for_candidates_only() {
    let mut world = called();
    for n in 0..6 {
        world.ok(voter(n), stand(1));
    }
    later(&mut world, 1);
    join(&mut world, VOTERS);
    let since = world.ledger.now();
    later(&mut world, WEEK);
    let by = world.ledger.state().elections.get(&1).expect("called").called;
    let new = voter(VOTERS);
    world.refuse(new, elect(1, &[voter(1)]), GovernanceError::VoterTooLate { person: new, since, by });
    let count = |count| GovernanceError::Choices { election: 1, count, seats: COUNCIL };
    world.refuse(voter(7), elect(1, &[]), count(0));
    world.refuse(voter(7), elect(1, &[0, 1, 2, 3, 4, 5].map(voter)), count(6));
    let order = GovernanceError::ChoiceOrder { election: 1, person: voter(1) };
    world.refuse(voter(7), elect(1, &[voter(1), voter(1)]), order.clone());
    world.refuse(voter(7), elect(1, &[voter(2), voter(1)]), order);
    let other = GovernanceError::NotCandidate { election: 1, person: voter(9) };
    world.refuse(voter(7), elect(1, &[voter(1), voter(9)]), other);
    world.ok(voter(7), elect(1, &[voter(1)]));
    world.refuse(voter(7), elect(1, &[voter(2)]), GovernanceError::Elected { election: 1, voter: voter(7) });
    const { assert!(MAX_COUNCIL_SEATS >= COUNCIL) };
}

#[test]
fn without_a_vote_the_council_stays_and_its_term_ends_all_the_same() {
    let mut world = called();
    world.ok(voter(1), stand(1));
    later(&mut world, 14 * DAY - 2);
    assert_eq!(council(&world).len(), usize::from(COUNCIL));
    later(&mut world, 2);
    world.open_ok(close(1));
    assert_eq!(
        world.ledger.state().elections.get(&1).map(|e| e.elected.clone()),
        Some(Some(Default::default()))
    );
    assert!(council(&world).is_empty());
    world.ok(voter(0), call());
}
