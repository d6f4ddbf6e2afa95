use super::*;
use crate::world::{STEWARD, TREASURY, id_of};
use chain::modules::{
    governance::{
        Change, Deliberate, GovernanceError, MAX_EPOCHS_AHEAD, MAX_STATEMENTS, ModuleId, ModuleVersion,
        Outcome, Parameter, Recall, RemoveWork, Resolve, RulesError, SetOffices, SetParameters, Stage,
        Unsupported, Withdraw,
    },
    identity::IdentityError,
    usage::UsageError,
    work_registry::{DeprecateWork, Gone, Removal, UpdateWork, WorkError},
};
use primitives::{Preset, params::ONE_Q32};

fn set(from: EpochId, changes: &[(Parameter, u64)]) -> Action {
    let change = |(parameter, value): &(Parameter, u64)| Change { parameter: *parameter, value: *value };
    let changes = changes.iter().map(change).collect();
    Action::SetParameters(SetParameters { from, changes, review_by: Some(EpochId(from.0 + 9)) })
}

fn made(action: Action) -> Payload {
    Payload::Propose(Propose { document: digest(1), action })
}

#[test]
fn a_change_goes_all_the_way_and_holds_from_its_epoch_on() {
    let mut world = world();
    run_epoch(&mut world, 0);
    let value = ONE_Q32 + ONE_Q32 / 10;
    let number = propose(&mut world, set(epoch(2), &[(Parameter::PriceMax, value)]));
    assert_eq!(proposal(&world, number).stage(world.ledger.now()), Stage::Discussion);
    carry(&mut world, number, (4, 1));
    assert_eq!(proposal(&world, number).stage(world.ledger.now()), Stage::Queued);
    let queued = GovernanceError::Stage { proposal: number, found: Stage::Queued };
    world.refuse_open(enact(number), queued);
    wait_for_notice(&mut world, number);
    world.open_ok(enact(number));
    assert_eq!(proposal(&world, number).outcome, Outcome::Enacted);
    let again = GovernanceError::Stage { proposal: number, found: Stage::Enacted };
    world.refuse_open(enact(number), again);

    let price_max = |world: &World, n| world.ledger.state().version_of(epoch(n)).params.price_max;
    assert_eq!(price_max(&world, 1), Preset::Spec.params().price_max);
    assert_eq!(price_max(&world, 2), value);
    run_epoch(&mut world, 1);
    run_epoch(&mut world, 2);
    let opening = |n| world.ledger.state().openings.get(&epoch(n)).expect("open").params.clone();
    assert_eq!(opening(1).price_max, Preset::Spec.params().price_max);
    assert_eq!(opening(2).price_max, value);
    let version = world.ledger.state().version_of(epoch(2));
    assert_eq!((version.proposal, version.review_by), (Some(number), Some(epoch(11))));
    assert!(world.ledger.state().due_for_review(world.ledger.origin()).is_empty());
}

#[test]
fn an_epoch_lists_prices_inside_its_own_bounds() {
    let mut world = world();
    let bound = ONE_Q32 + 2 * (ONE_Q32 / 100);
    decide(&mut world, set(FIRST, &[(Parameter::PriceMax, bound)]));
    world.prepare(FIRST);
    world.open(FIRST);
    let opening = world.ledger.state().openings.get(&FIRST).expect("open");
    let price = |id| opening.works.iter().find(|listed| listed.work == id).map(|listed| listed.price);
    assert_eq!(price(id_of(1, 1)), Some(ONE_Q32 + ONE_Q32 / 100), "inside, and left alone");
    assert_eq!(price(id_of(5, 3)), Some(bound), "above, and moved to the bound");
}

/// In whatever order they are enacted, a change holds until the next one of the same parameter.
#[test]
fn changes_of_different_parameters_do_not_undo_each_other() {
    let mut world = world();
    decide(&mut world, set(epoch(4), &[(Parameter::K, 7), (Parameter::JMax, 9)]));
    decide(&mut world, set(epoch(2), &[(Parameter::K, 5), (Parameter::Delta, 3)]));
    decide(&mut world, set(epoch(4), &[(Parameter::ListenersHalf, 77)]));
    let spec = Preset::Spec.params();
    let found = |n| {
        let params = &world.ledger.state().version_of(epoch(n)).params;
        (params.k, params.j_max, params.delta, params.listeners_half)
    };
    assert_eq!(found(1), (spec.k, spec.j_max, spec.delta, spec.listeners_half));
    assert_eq!(found(2), (5, spec.j_max, 3, spec.listeners_half));
    assert_eq!(found(4), (7, 9, 3, 77));
}

#[test]
fn proposals_that_could_never_hold_are_refused() {
    let mut world = world();
    run_epoch(&mut world, 0);
    let latest = epoch(1 + MAX_EPOCHS_AHEAD);
    let beyond = EpochId(latest.0 + 1);
    let unknown = PersonId([7; 32]);
    let offices = |person, give, take| Action::SetOffices(SetOffices { person, give, take });
    let none = Roles::default();
    let work = |work, from| Action::RemoveWork(RemoveWork { work, from, removal: Removal::Removed });
    let module = |version, from| {
        let module = ModuleId::Dapr;
        Action::Upgrade(ModuleVersion { module, from, version, code: digest(3) })
    };
    let early = SetParameters {
        from: epoch(3),
        changes: vec![Change { parameter: Parameter::K, value: 1 }],
        review_by: Some(epoch(3)),
    };
    let even = RulesError { name: "jurors, odd", value: 0, min: 1, max: 1 };
    for (action, error) in [
        (set(epoch(1), &[]), GovernanceError::NoChange),
        (
            set(epoch(1), &[(Parameter::K, 1), (Parameter::K, 2)]),
            GovernanceError::ChangeOrder { parameter: Parameter::K },
        ),
        (
            set(epoch(1), &[(Parameter::K, 1), (Parameter::Alpha, 2)]),
            GovernanceError::ChangeOrder { parameter: Parameter::Alpha },
        ),
        (
            set(epoch(1), &[(Parameter::EcoShare, 10_001)]),
            GovernanceError::Value { parameter: Parameter::EcoShare, value: 10_001 },
        ),
        (
            set(epoch(1), &[(Parameter::GovernanceJurors, 4)]),
            GovernanceError::Rules { from: epoch(1), error: even },
        ),
        (
            set(epoch(0), &[(Parameter::K, 1)]),
            GovernanceError::Epoch { from: epoch(0), earliest: epoch(1), latest },
        ),
        (
            set(beyond, &[(Parameter::K, 1)]),
            GovernanceError::Epoch { from: beyond, earliest: epoch(1), latest },
        ),
        (Action::SetParameters(early), GovernanceError::Review { review: epoch(3), from: epoch(3) }),
        (offices(unknown, Roles::AUDITOR, none), GovernanceError::Unknown { person: unknown }),
        (offices(voter(1), none, none), GovernanceError::NotAnOffice { person: voter(1) }),
        (offices(voter(1), Roles::COUNCILLOR, none), GovernanceError::NotAnOffice { person: voter(1) }),
        (offices(voter(1), none, Roles::VOTER), GovernanceError::NotAnOffice { person: voter(1) }),
        (work(id_of(77, 1), epoch(1)), GovernanceError::UnknownWork { work: id_of(77, 1) }),
        (work(id_of(1, 1), epoch(0)), GovernanceError::Epoch { from: epoch(0), earliest: epoch(1), latest }),
        (
            Action::Recall(Recall { councillor: voter(1) }),
            GovernanceError::NotCouncillor { person: voter(1) },
        ),
        (
            module(3, epoch(1)),
            GovernanceError::ModuleVersion { module: ModuleId::Dapr, expected: 2, found: 3 },
        ),
        (module(2, epoch(0)), GovernanceError::Epoch { from: epoch(0), earliest: epoch(1), latest }),
    ] {
        world.refuse(voter(0), made(action), error);
    }
    let bounds = set(epoch(1), &[(Parameter::Alpha, 0)]);
    let error = primitives::GovernanceParams { alpha: 0, ..Preset::Spec.params() }.check();
    let error = error.expect_err("out of bounds");
    world.refuse(voter(0), made(bounds), GovernanceError::Params { from: epoch(1), error });
}

#[test]
fn only_active_voters_propose_and_only_a_few_at_a_time() {
    let mut world = world();
    let action = || made(Action::Resolve(Resolve { text: digest(8) }));
    world.refuse(creator(), action(), GovernanceError::NotVoter { person: creator() });
    for _ in 0..3 {
        world.ok(voter(3), action());
    }
    let limit = GovernanceError::TooManyOpen { person: voter(3), limit: 3 };
    world.refuse(voter(3), action(), limit);
    // What is taken back counts until its vote would be over, and what was voted down counts no more.
    world.ok(voter(3), Payload::Withdraw(Withdraw { proposal: 1 }));
    world.refuse(voter(3), action(), GovernanceError::TooManyOpen { person: voter(3), limit: 3 });
    later(&mut world, 15 * DAY);
    assert_eq!(proposal(&world, 2).stage(world.ledger.now()), Stage::Rejected);
    world.ok(voter(3), action());
}

#[test]
fn who_made_a_proposal_takes_it_back_before_the_vote() {
    let mut world = world();
    let number = propose(&mut world, Action::Resolve(Resolve { text: digest(8) }));
    let withdraw = |proposal| Payload::Withdraw(Withdraw { proposal });
    world.refuse(
        voter(1),
        withdraw(number),
        GovernanceError::NotProposer { proposal: number, signer: voter(1) },
    );
    world.refuse(voter(0), withdraw(9), GovernanceError::UnknownProposal { proposal: 9 });
    let mut other = propose(&mut world, Action::Resolve(Resolve { text: digest(8) }));
    world.ok(voter(0), withdraw(other));
    world.refuse(
        voter(0),
        withdraw(other),
        GovernanceError::Stage { proposal: other, found: Stage::Withdrawn },
    );
    later(&mut world, WEEK);
    other = number;
    world.refuse(voter(0), withdraw(other), GovernanceError::Stage { proposal: other, found: Stage::Voting });
}

#[test]
fn people_talk_about_a_proposal_and_not_without_end() {
    let mut world = world();
    let number = propose(&mut world, Action::Resolve(Resolve { text: digest(8) }));
    let says = |n| Payload::Deliberate(Deliberate { proposal: number, document: digest(n) });
    world.refuse(creator(), says(1), GovernanceError::NotVoter { person: creator() });
    world.ok(voter(1), says(1));
    world.refuse(voter(1), says(1), GovernanceError::SaidAlready { proposal: number, person: voter(1) });
    world.ok(voter(2), says(1));
    for n in 1..MAX_STATEMENTS as u8 {
        world.ok(voter(1), says(1 + n));
    }
    let enough = GovernanceError::TooManyStatements { proposal: number, person: voter(1) };
    world.refuse(voter(1), says(9), enough);
    carry(&mut world, number, (20, 0));
    let over = GovernanceError::Stage { proposal: number, found: Stage::Queued };
    world.refuse(voter(4), says(9), over);
}

/// A vote by a revoked person, a second vote, a vote moved to another person.
#[test]
fn one_active_person_has_one_vote_and_nobody_elses() {
    let mut world = world();
    let number = propose(&mut world, Action::Resolve(Resolve { text: digest(8) }));
    let early = GovernanceError::Stage { proposal: number, found: Stage::Discussion };
    world.refuse(voter(1), vote(number, Choice::Yes), early);
    world.refuse(voter(1), vote(9, Choice::Yes), GovernanceError::UnknownProposal { proposal: 9 });
    let status = |person, status| Payload::SetStatus(SetStatus { person, status });
    later(&mut world, 1);
    join(&mut world, VOTERS);
    world.ok(REGISTRAR, status(voter(1), Status::Revoked));
    world.ok(REGISTRAR, status(voter(2), Status::Suspended));
    world.ok(REGISTRAR, status(voter(3), Status::Suspended));
    world.ok(REGISTRAR, status(voter(3), Status::Active));
    let (since, by) = (world.ledger.now(), proposal(&world, number).created);
    later(&mut world, WEEK);
    let yes = || vote(number, Choice::Yes);
    world.refuse(voter(1), yes(), GovernanceError::NotVoter { person: voter(1) });
    world.refuse(voter(2), yes(), GovernanceError::NotVoter { person: voter(2) });
    world.refuse(creator(), yes(), GovernanceError::NotVoter { person: creator() });
    // Whoever was put on record, or made active again, after the proposal was made.
    for person in [voter(3), voter(VOTERS)] {
        world.refuse(person, yes(), GovernanceError::VoterTooLate { person, since, by });
    }
    let signed = world.sign(voter(4), yes());
    world.ledger.apply(&signed).expect("a vote");
    let second = GovernanceError::AlreadyVoted { proposal: number, voter: voter(4) };
    world.refuse(voter(4), vote(number, Choice::No), second);
    // The same signature under another name, with that account's nonce.
    let mut moved = signed.clone();
    let authorisation = moved.authorisation.as_mut().expect("signed");
    authorisation.signer = voter(5);
    let refused = chain::transaction::EnvelopeError::Signature { signer: voter(5) };
    world.refuse_tx(&moved, refused);
    let found = proposal(&world, number);
    assert_eq!((found.yes, found.no, found.abstain), (1, 0, 0));
    let log: Vec<_> = world.ledger.state().ballots_of(number).map(|b| (b.voter, b.choice)).collect();
    assert_eq!(log, [(voter(4), Choice::Yes)]);
}

#[test]
fn a_vote_without_quorum_or_majority_is_lost_and_a_decision_expires() {
    let mut world = world();
    let resolve = || set(epoch(3), &[(Parameter::K, 1)]);
    // 29 voters: a tenth of them, rounded up, is three.
    let number = propose(&mut world, resolve());
    assert_eq!((proposal(&world, number).electorate, proposal(&world, number).quorum), (29, 3));
    carry(&mut world, number, (2, 0));
    let rejected = |proposal| GovernanceError::Stage { proposal, found: Stage::Rejected };
    world.refuse_open(enact(number), rejected(number));
    // A tie is no majority.
    let tie = propose(&mut world, resolve());
    carry(&mut world, tie, (3, 3));
    world.refuse_open(enact(tie), rejected(tie));
    // An abstention counts for the quorum, not for the majority.
    let narrow = propose(&mut world, resolve());
    later(&mut world, WEEK);
    world.ok(voter(0), vote(narrow, Choice::Yes));
    world.ok(voter(1), vote(narrow, Choice::Abstain));
    world.ok(voter(2), vote(narrow, Choice::Abstain));
    later(&mut world, WEEK);
    assert_eq!(proposal(&world, narrow).stage(world.ledger.now()), Stage::Queued);
    later(&mut world, 2 * DAY + 28 * DAY);
    world.refuse_open(enact(narrow), GovernanceError::Stage { proposal: narrow, found: Stage::Expired });
}

#[test]
fn what_weighs_much_takes_the_larger_majority_the_council_and_the_longer_notice() {
    let mut world = world();
    let action = || set(epoch(9), &[(Parameter::Alpha, ONE_Q32 / 2), (Parameter::K, 1)]);
    let short = propose(&mut world, action());
    carry(&mut world, short, (13, 7));
    world.refuse_open(enact(short), GovernanceError::Stage { proposal: short, found: Stage::Rejected });
    let number = propose(&mut world, action());
    let found = proposal(&world, number);
    assert_eq!(seconds(found.vote_until, found.enact_from), 14 * DAY);
    world.refuse(voter(1), say(number, Say::Approve), GovernanceError::NotCouncillor { person: voter(1) });
    approve(&mut world, number, 2);
    let twice = GovernanceError::SaidAlready { proposal: number, person: councillor(0) };
    world.refuse(councillor(0), say(number, Say::Approve), twice);
    carry(&mut world, number, (14, 6));
    wait_for_notice(&mut world, number);
    let missing = |found| GovernanceError::NotApproved { proposal: number, found, needed: 3 };
    world.refuse_open(enact(number), missing(2));
    // An approval of somebody who sits no more does not count.
    world.ok(councillor(2), say(number, Say::Approve));
    let suspend = SetStatus { person: councillor(1), status: Status::Suspended };
    world.ok(REGISTRAR, Payload::SetStatus(suspend));
    world.refuse_open(enact(number), missing(2));
    world.ok(councillor(3), say(number, Say::Approve));
    world.open_ok(enact(number));
    assert_eq!(world.ledger.state().version_of(epoch(9)).params.alpha, ONE_Q32 / 2);
}

#[test]
fn the_council_stops_what_is_queued_and_nothing_about_itself() {
    let mut world = world();
    let number = propose(&mut world, set(epoch(3), &[(Parameter::K, 1)]));
    let veto = |n| say(n, Say::Veto);
    let early = GovernanceError::Stage { proposal: number, found: Stage::Discussion };
    world.refuse(councillor(0), veto(number), early);
    let ordinary = GovernanceError::NotTheCouncils { proposal: number };
    world.refuse(councillor(0), say(number, Say::Approve), ordinary);
    carry(&mut world, number, (20, 0));
    // Two thirds of five seats, rounded up, are four.
    for n in 0..3 {
        world.ok(councillor(n), veto(number));
    }
    assert_eq!(proposal(&world, number).stage(world.ledger.now()), Stage::Queued);
    world.ok(councillor(3), veto(number));
    let vetoed = GovernanceError::Stage { proposal: number, found: Stage::Vetoed };
    wait_for_notice(&mut world, number);
    world.refuse_open(enact(number), vetoed);

    let about = propose(&mut world, Action::Recall(Recall { councillor: councillor(4) }));
    carry(&mut world, about, (20, 0));
    world.refuse(councillor(0), veto(about), GovernanceError::NotTheCouncils { proposal: about });
    wait_for_notice(&mut world, about);
    world.open_ok(enact(about));
    assert_eq!(world.ledger.state().council(world.ledger.now()).len(), 4);
}

/// A councillor who thinks again counts on one side, and a veto is not taken back.
#[test]
fn nobody_of_the_council_counts_on_both_sides() {
    let mut world = world();
    let number = propose(&mut world, set(epoch(9), &[(Parameter::Alpha, ONE_Q32 / 2)]));
    approve(&mut world, number, 3);
    carry(&mut world, number, (20, 0));
    world.ok(councillor(0), say(number, Say::Veto));
    let shown = |world: &World, what| world.ledger.state().said_of(number, what, world.ledger.now());
    assert_eq!((shown(&world, Say::Approve), shown(&world, Say::Veto)), (2, 1));
    let again = GovernanceError::SaidAlready { proposal: number, person: councillor(0) };
    world.refuse(councillor(0), say(number, Say::Approve), again);
    world.ok(councillor(4), say(number, Say::Veto));
    let vetoed = GovernanceError::HasVetoed { proposal: number, person: councillor(4) };
    world.refuse(councillor(4), say(number, Say::Approve), vetoed);
    wait_for_notice(&mut world, number);
    let missing = GovernanceError::NotApproved { proposal: number, found: 2, needed: 3 };
    world.refuse_open(enact(number), missing);
    world.ok(councillor(3), say(number, Say::Approve));
    world.open_ok(enact(number));
}

#[test]
fn offices_change_hands() {
    let mut world = world();
    let (none, office) = (Roles::default(), Roles::REGISTRAR);
    let give = Action::SetOffices(SetOffices { person: voter(5), give: office, take: none });
    let take = Action::SetOffices(SetOffices { person: REGISTRAR, give: none, take: office });
    decide(&mut world, give);
    decide(&mut world, take);
    let suspend = |n| Payload::SetStatus(SetStatus { person: voter(VOTERS - n), status: Status::Suspended });
    world.refuse(REGISTRAR, suspend(1), IdentityError::NotRegistrar { signer: REGISTRAR });
    world.ok(voter(5), suspend(1));
    // One person never says what was sold and reports what it brought.
    for (person, give) in [(STEWARD, Roles::TREASURER), (TREASURY, Roles::STEWARD)] {
        let both = Action::SetOffices(SetOffices { person, give, take: none });
        let number = propose(&mut world, both);
        carry(&mut world, number, (20, 0));
        approve(&mut world, number, 3);
        wait_for_notice(&mut world, number);
        let error = GovernanceError::Identity(IdentityError::StewardIsTreasurer { person });
        world.refuse_open(enact(number), error);
    }
}

#[test]
fn works_leave_by_their_creator_by_vote_and_for_good() {
    let mut world = world();
    run_epoch(&mut world, 0);
    let (first, second) = (id_of(1, 1), id_of(3, 2));
    let deprecate = |work, from| Payload::DeprecateWork(DeprecateWork { work, from });
    world.refuse(
        person(2),
        deprecate(first, epoch(1)),
        WorkError::NotOwner { work: first, signer: person(2) },
    );
    let late = WorkError::NotFuture { from: epoch(0), earliest: epoch(1) };
    world.refuse(creator(), deprecate(first, epoch(0)), late);
    world.refuse(creator(), deprecate(id_of(77, 1), epoch(1)), WorkError::UnknownWork { work: id_of(77, 1) });
    world.refuse(voter(1), deprecate(first, epoch(1)), WorkError::NotCreator { signer: voter(1) });
    world.ok(creator(), deprecate(first, epoch(1)));
    let gone = WorkError::Gone { work: first, from: epoch(1) };
    world.refuse(creator(), deprecate(first, epoch(2)), gone);
    run_epoch(&mut world, 1);
    let takes_part = |world: &World, n: u64, id| {
        let opening = world.ledger.state().openings.get(&epoch(n)).expect("open");
        opening.works.iter().any(|listed| listed.work == id && !listed.resting)
    };
    assert!(takes_part(&world, 0, first) && !takes_part(&world, 1, first));

    // An update brings it back; a removal is for good.
    let work = world.ledger.state().works.get(&first).expect("there").clone();
    let splits = work.terms.splits;
    let update = |work| UpdateWork { work, price: ONE_Q32, splits: splits.clone(), from: epoch(2) };
    world.ok(creator(), Payload::UpdateWork(update(first)));
    run_epoch(&mut world, 2);
    assert!(takes_part(&world, 2, first));
    let remove = RemoveWork { work: second, from: epoch(3), removal: Removal::Removed };
    decide(&mut world, Action::RemoveWork(remove.clone()));
    let removed = WorkError::Removed { work: second, from: epoch(3) };
    world.refuse(person(2), Payload::UpdateWork(update(second)), removed.clone());
    world.refuse(person(2), deprecate(second, epoch(4)), removed.clone());
    let again = propose(&mut world, Action::RemoveWork(RemoveWork { from: epoch(4), ..remove }));
    carry(&mut world, again, (20, 0));
    approve(&mut world, again, 3);
    wait_for_notice(&mut world, again);
    world.refuse_open(enact(again), GovernanceError::Work(removed));
    let found = world.ledger.state().works.get(&second).expect("never forgotten").gone;
    assert_eq!(found, Some(Gone { from: epoch(3), removal: Removal::Removed }));
    run_epoch(&mut world, 3);
    assert!(takes_part(&world, 2, second) && !takes_part(&world, 3, second));
}

#[test]
fn a_program_without_the_version_of_a_module_does_not_open_its_epoch() {
    let mut world = world();
    let module = ModuleId::Dapr;
    decide(
        &mut world,
        Action::Upgrade(ModuleVersion { module, from: epoch(1), version: 2, code: digest(3) }),
    );
    run_epoch(&mut world, 0);
    world.prepare(epoch(1));
    let opening = Payload::OpenEpoch(world.opening(epoch(1)));
    let old = Unsupported { module, epoch: epoch(1), version: 2, supported: 1 };
    world.refuse(STEWARD, opening, UsageError::Unsupported(old));
    let state = world.ledger.state();
    assert_eq!(state.module_version(module, epoch(0)).map(|v| v.version), Some(1));
    assert_eq!(state.module_version(module, epoch(1)).map(|v| v.version), Some(2));
}
