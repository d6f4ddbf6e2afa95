use super::*;
use crate::world::id_of;
use chain::modules::{
    governance::{
        Case, ChallengeJuror, CloseCase, DrawJury, GovernanceError, JURY_REST, JuryVote, OpenCase, Remedy,
        RemoveWork, Verdict, WithdrawCase,
    },
    work_registry::{Gone, Removal},
};
use primitives::WorkId;

fn work() -> WorkId {
    id_of(1, 1)
}

/// Works about which as many cases can be open as one person may bring.
fn works() -> [WorkId; 3] {
    [work(), id_of(2, 1), id_of(3, 2)]
}

/// A work of none of these cases.
fn another() -> WorkId {
    id_of(4, 2)
}

fn open(remedy: Remedy) -> Payload {
    Payload::OpenCase(OpenCase { document: digest(4), remedy })
}

fn withdraw(case: u64) -> Payload {
    Payload::WithdrawCase(WithdrawCase { case })
}

fn draw(case: u64) -> Payload {
    Payload::DrawJury(DrawJury { case })
}

fn challenge(case: u64, juror: PersonId) -> Payload {
    Payload::ChallengeJuror(ChallengeJuror { case, juror })
}

fn jury_vote(case: u64, grant: bool) -> Payload {
    Payload::JuryVote(JuryVote { case, grant })
}

fn close(case: u64) -> Payload {
    Payload::CloseCase(CloseCase { case })
}

fn case(world: &World) -> Case {
    world.ledger.state().cases.get(&1).expect("opened").clone()
}

/// A case against the creator of a work, with its jury drawn.
fn drawn() -> World {
    let mut world = world();
    run_epoch(&mut world, 0);
    world.ok(voter(0), open(Remedy::RemoveWork(work())));
    run_epoch(&mut world, 1);
    run_epoch(&mut world, 2);
    world.open_ok(draw(1));
    world
}

fn panel(world: &World) -> Vec<PersonId> {
    case(world).panel().collect()
}

/// Goes on to the votes.
fn to_the_vote(world: &mut World) {
    later(world, 3 * DAY);
}

#[test]
fn a_jury_removes_a_work() {
    let mut world = drawn();
    to_the_vote(&mut world);
    let jurors = panel(&world);
    assert_eq!(jurors.len(), 7);
    for juror in &jurors[..3] {
        world.ok(*juror, jury_vote(1, true));
    }
    world.refuse_open(close(1), GovernanceError::Undecided { case: 1 });
    world.ok(jurors[3], jury_vote(1, false));
    world.refuse_open(close(1), GovernanceError::Undecided { case: 1 });
    world.ok(jurors[4], jury_vote(1, true));
    world.open_ok(close(1));
    assert_eq!(case(&world).verdict, Verdict::Granted);
    let gone = world.ledger.state().works.get(&work()).expect("on record").gone;
    assert_eq!(gone, Some(Gone { from: epoch(3), removal: Removal::Removed }));
    // Who voted, whichever way, did a task that the epoch pays for; who did not vote did none.
    let tasks: Vec<_> = world.ledger.state().tasks.iter().map(|t| (t.epoch, t.person, t.units)).collect();
    let mut voted: Vec<_> = jurors[..5].iter().map(|juror| (epoch(2), *juror, 1)).collect();
    voted.sort();
    assert_eq!(tasks, voted);
    world.refuse_open(close(1), GovernanceError::CaseClosed { case: 1 });
    world.refuse(jurors[5], jury_vote(1, true), GovernanceError::CaseClosed { case: 1 });
}

/// A jury that finds nothing left to remove has its case closed all the same.
#[test]
fn a_work_that_a_vote_removed_meanwhile_is_removed_once() {
    let mut world = drawn();
    to_the_vote(&mut world);
    for juror in &panel(&world)[..4] {
        world.ok(*juror, jury_vote(1, true));
    }
    let (from, removal) = (epoch(4), Removal::Removed);
    decide(&mut world, Action::RemoveWork(RemoveWork { work: work(), from, removal }));
    world.open_ok(close(1));
    assert_eq!(case(&world).verdict, Verdict::Granted);
    let gone = world.ledger.state().works.get(&work()).expect("on record").gone;
    assert_eq!(gone, Some(Gone { from, removal }));
}

/// Whoever could ask again and again would be granted in the end.
#[test]
fn one_question_goes_before_one_jury() {
    let mut world = drawn();
    let again = || open(Remedy::RemoveWork(work()));
    let asked = || GovernanceError::AskedAlready { case: 1 };
    world.refuse(voter(1), again(), asked());
    later(&mut world, 3 * DAY + WEEK);
    world.open_ok(close(1));
    assert_eq!(case(&world).verdict, Verdict::Dismissed);
    world.refuse(voter(1), again(), asked());
    // Another question is another matter, and so is the same one after half a year.
    world.ok(voter(1), open(Remedy::Suspend(person(2))));
    world.refuse(voter(2), open(Remedy::Revoke(person(2))), GovernanceError::AskedAlready { case: 2 });
    later(&mut world, JURY_REST);
    world.ok(voter(1), again());
}

#[test]
fn a_minority_of_the_panel_grants_nothing() {
    let mut world = drawn();
    to_the_vote(&mut world);
    for juror in &panel(&world)[..3] {
        world.ok(*juror, jury_vote(1, true));
    }
    later(&mut world, WEEK);
    let late = panel(&world)[4];
    world.refuse(late, jury_vote(1, true), GovernanceError::NoJuryVoteNow { case: 1 });
    world.open_ok(close(1));
    assert_eq!(case(&world).verdict, Verdict::Dismissed);
    assert_eq!(world.ledger.state().works.get(&work()).expect("on record").gone, None);
}

#[test]
fn persons_are_suspended_and_revoked() {
    for (remedy, status) in
        [(Remedy::Suspend(person(2)), Status::Suspended), (Remedy::Revoke(person(2)), Status::Revoked)]
    {
        let mut world = world();
        run_epoch(&mut world, 0);
        world.ok(voter(0), open(remedy));
        run_epoch(&mut world, 1);
        run_epoch(&mut world, 2);
        world.open_ok(draw(1));
        to_the_vote(&mut world);
        for juror in panel(&world) {
            world.ok(juror, jury_vote(1, true));
        }
        world.open_ok(close(1));
        assert_eq!(world.ledger.state().identities.get(&person(2)).map(|i| i.status), Some(status));
    }
}

#[test]
fn cases_are_brought_by_voters_against_others() {
    let mut world = world();
    world.refuse(creator(), open(Remedy::Suspend(voter(1))), GovernanceError::NotVoter { person: creator() });
    let oneself = GovernanceError::AgainstOneself { person: voter(0) };
    world.refuse(voter(0), open(Remedy::Revoke(voter(0))), oneself);
    let nobody = PersonId([7; 32]);
    world.refuse(voter(0), open(Remedy::Revoke(nobody)), GovernanceError::Unknown { person: nobody });
    let none = id_of(77, 1);
    world.refuse(voter(0), open(Remedy::RemoveWork(none)), GovernanceError::UnknownWork { work: none });
    for work in works() {
        world.ok(voter(0), open(Remedy::RemoveWork(work)));
    }
    let enough = GovernanceError::TooManyOpen { person: voter(0), limit: 3 };
    world.refuse(voter(0), open(Remedy::RemoveWork(another())), enough);
}

/// Nobody knows the jury before the beacon of the second epoch after, and nobody can wait for another one.
#[test]
fn the_beacon_draws_the_jury_once() {
    let mut world = world();
    run_epoch(&mut world, 0);
    world.refuse_open(draw(1), GovernanceError::UnknownCase { case: 1 });
    world.ok(voter(0), open(Remedy::RemoveWork(work())));
    let early = GovernanceError::NoBeaconYet { case: 1, epoch: epoch(2) };
    world.refuse_open(draw(1), early.clone());
    run_epoch(&mut world, 1);
    world.refuse_open(draw(1), early);
    run_epoch(&mut world, 2);
    let mut later_on = world.ledger.clone();
    world.open_ok(draw(1));
    world.refuse_open(draw(1), GovernanceError::DrawnAlready { case: 1 });
    let jurors = case(&world).jurors;
    assert_eq!(jurors.0.len(), 11, "a panel of seven, and two challenges a side");
    let sides = [voter(0), creator()];
    assert!(jurors.0.iter().all(|juror| !sides.contains(juror)));
    // A draw after one more epoch would have drawn the same.
    std::mem::swap(&mut world.ledger, &mut later_on);
    run_epoch(&mut world, 3);
    world.open_ok(draw(1));
    assert_eq!(case(&world).jurors, jurors);
}

#[test]
fn both_sides_challenge_a_few_and_the_next_move_up() {
    let mut world = drawn();
    let (first, drawn) = (panel(&world), case(&world).jurors.0);
    let early = GovernanceError::NoJuryVoteNow { case: 1 };
    world.refuse(first[0], jury_vote(1, true), early);
    let side = GovernanceError::NotASide { case: 1, signer: voter(1) };
    world.refuse(voter(1), challenge(1, first[0]), side);
    world.ok(voter(0), challenge(1, first[0]));
    let off = GovernanceError::NotJuror { case: 1, person: first[0] };
    world.refuse(creator(), challenge(1, first[0]), off.clone());
    world.ok(creator(), challenge(1, first[1]));
    world.ok(voter(0), challenge(1, first[2]));
    let limit = GovernanceError::TooManyChallenges { case: 1, signer: voter(0), limit: 2 };
    world.refuse(voter(0), challenge(1, first[3]), limit);
    world.ok(creator(), challenge(1, drawn[7]));
    assert_eq!(panel(&world), [&drawn[3..7], &drawn[8..11]].concat());
    to_the_vote(&mut world);
    world.refuse(creator(), challenge(1, drawn[3]), GovernanceError::NoChallengesNow { case: 1 });
    world.refuse(first[0], jury_vote(1, true), off);
    world.ok(drawn[8], jury_vote(1, true));
    world.refuse(drawn[8], jury_vote(1, false), GovernanceError::JurorVoted { case: 1, juror: drawn[8] });
    // A juror who is a voter no more.
    let revoke = SetStatus { person: drawn[9], status: Status::Revoked };
    world.ok(REGISTRAR, Payload::SetStatus(revoke));
    world.refuse(drawn[9], jury_vote(1, true), GovernanceError::NotVoter { person: drawn[9] });
}

/// A case without enough voters for its jury ends without a verdict, and does not count among those of its complainant.
#[test]
fn too_few_voters_make_no_jury() {
    let mut world = World::with_works();
    for n in 0..4 {
        join(&mut world, n);
    }
    run_epoch(&mut world, 0);
    for work in works() {
        world.ok(voter(0), open(Remedy::RemoveWork(work)));
    }
    run_epoch(&mut world, 1);
    world.refuse_open(draw(1), GovernanceError::NoBeaconYet { case: 1, epoch: epoch(2) });
    run_epoch(&mut world, 2);
    // Voters who came after the case was opened do not help: there are three beside the complainant.
    later(&mut world, 1);
    for n in 4..20 {
        join(&mut world, n);
    }
    let enough = GovernanceError::TooManyOpen { person: voter(0), limit: 3 };
    world.refuse(voter(0), open(Remedy::RemoveWork(another())), enough);
    world.open_ok(draw(1));
    let closed = case(&world);
    assert_eq!((closed.verdict, closed.drawn, closed.jurors.0.len()), (Verdict::NoJury, None, 0));
    assert_eq!(world.ledger.state().works.get(&work()).expect("on record").gone, None);
    for again in [draw(1), close(1)] {
        world.refuse_open(again, GovernanceError::CaseClosed { case: 1 });
    }
    // It is brought again, before all who are voters by now.
    world.ok(voter(0), open(Remedy::RemoveWork(work())));
    run_epoch(&mut world, 3);
    run_epoch(&mut world, 4);
    world.open_ok(draw(4));
    let again = world.ledger.state().cases.get(&4).expect("opened").clone();
    assert_eq!((again.verdict, again.jurors.0.len()), (Verdict::Open, 11));
}

/// Whoever brought a case takes it back, until part of the beacon is known that draws its jury.
#[test]
fn a_case_is_withdrawn_before_anybody_can_know_its_jury() {
    let mut world = world();
    run_epoch(&mut world, 0);
    for work in works() {
        world.ok(voter(0), open(Remedy::RemoveWork(work)));
    }
    world.refuse(voter(0), withdraw(4), GovernanceError::UnknownCase { case: 4 });
    for other in [voter(1), creator()] {
        world.refuse(other, withdraw(1), GovernanceError::NotComplainant { case: 1, signer: other });
    }
    world.ok(voter(0), withdraw(1));
    assert_eq!(case(&world).verdict, Verdict::Withdrawn);
    world.refuse(voter(0), withdraw(1), GovernanceError::CaseClosed { case: 1 });
    world.ok(voter(0), open(Remedy::RemoveWork(work())));
    run_epoch(&mut world, 1);
    // The epoch before has opened, and nothing is revealed for the one that draws.
    world.ok(voter(0), withdraw(2));
    world.prepare(epoch(2));
    let late = GovernanceError::BeaconRevealed { case: 3, epoch: epoch(2) };
    world.refuse(voter(0), withdraw(3), late.clone());
    world.open(epoch(2));
    world.refuse(voter(0), withdraw(3), late);
    world.refuse_open(draw(2), GovernanceError::CaseClosed { case: 2 });
    world.open_ok(draw(3));
}
