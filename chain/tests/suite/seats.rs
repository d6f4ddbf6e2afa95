//! A standby takes the seat of a party that is gone: who has to sign, what it may run, and whose keys are void then.

use crate::world::*;
use chain::{
    Payload,
    light::{Finding, record, verify},
    modules::usage::{
        Phase, SeatStandby, Seating, SubmitAggregate, UsageError, aggregate_digest, seat_digest,
    },
};
use primitives::{EpochId, PartyId, limits};
use proofs::committee::{CommitteeError, Member, Signatures};

const NEXT: EpochId = EpochId(FIRST.0 + 1);

/// The chain with its first epoch frozen.
fn frozen() -> World {
    let mut world = World::opened();
    world.freeze(FIRST, &bundles());
    world
}

/// What seats the standby in the place of `gone`.
fn seated(world: &World, gone: PartyId) -> SeatStandby {
    let standby = world.seating.standby.as_ref().expect("somebody stands by");
    let digest = seat_digest(CHAIN, FIRST, gone, standby);
    let mut signatures = world.quorum(&digest, &[gone.next(), gone.previous()]);
    signatures.insert(gone, world.standby.sign(&digest));
    SeatStandby { epoch: FIRST, party: gone, signatures }
}

/// The totals of the epoch, signed by these, the standby under its own key.
fn signed(world: &mut World, gone: PartyId, by: &[PartyId]) -> SubmitAggregate {
    let aggregate = world.aggregate(FIRST);
    let digest = aggregate_digest(&world.root(FIRST).root, &aggregate.tally, &aggregate.proof);
    let mut signatures = world.quorum(&digest, by);
    if by.contains(&gone) {
        signatures.insert(gone, world.standby.sign(&digest));
    }
    SubmitAggregate { signatures, ..aggregate }
}

#[test]
fn a_standby_takes_a_seat_and_the_old_keys_are_void() {
    for gone in PartyId::ALL {
        let mut world = frozen();
        let old = world.aggregate(FIRST);
        let (from, staying) = (gone.next(), gone.previous());
        world.open_ok(Payload::SeatStandby(seated(&world, gone)));
        let again = Payload::SeatStandby(seated(&world, gone));
        world.refuse_open(again, UsageError::StandbySeated { epoch: FIRST });

        // What the party that is gone signed counts no longer, not even beside the signature of one that stays.
        let digest = aggregate_digest(&world.root(FIRST).root, &old.tally, &old.proof);
        let signatures = world.quorum(&digest, &[gone, from]);
        let stale = Payload::SubmitAggregate(SubmitAggregate { signatures, ..old });
        let party = gone;
        world.refuse_open(stale, UsageError::Committee(CommitteeError::Signature { party }));
        let aggregate = signed(&mut world, gone, &[gone, staying]);
        world.open_ok(Payload::SubmitAggregate(aggregate));
        world.open_ok(finalise(FIRST));
        world.seal();

        // Whoever checks the record sees who signed.
        let mut public = record(&world.ledger, FIRST).expect("a settled epoch");
        verify(&public, None).expect("an honest record");
        let honest = public.clone();
        public.replacement = None;
        assert!(verify(&public, None).is_err());
        public = honest.clone();
        public.replacement.as_mut().expect("a standby was seated").party = from;
        let replaced = |finding: &Finding| matches!(finding, Finding::Replacement(_));
        assert!(verify(&public, None).expect_err("another seat").findings.iter().any(replaced));
        public = honest;
        public.seating.patience += 1;
        assert!(verify(&public, None).is_err());

        // The next epoch begins with the standby in its seat, and without the party that is gone.
        let seat = world.ledger.state().committee_for(NEXT).expect("a committee");
        let standby = world.seating.standby.clone().expect("somebody stood by");
        assert_eq!(seat.committee.member(gone), &standby.member);
        assert_eq!((seat.seating.operators[gone.index()], &seat.seating.standby), (standby.operator, &None));
        let signing = world.committee.member(gone).signing;
        let mut back = world.seating.clone();
        back.standby = None;
        world.refuse(STEWARD, seat_of(&world, back), UsageError::KeysVoid { signing });
    }
}

fn seat_of(world: &World, seating: Seating) -> Payload {
    let committee = world.committee.clone();
    Payload::SetCommittee(chain::modules::usage::SetCommittee { committee, seating })
}

#[test]
fn nobody_is_seated_without_the_two_who_stay_and_the_standby() {
    let mut world = frozen();
    let [one, two, three] = PartyId::ALL;
    let good = seated(&world, two);
    let without = |party: PartyId| {
        let kept = good.signatures.iter().filter(|(by, _)| *by != party);
        let mut signatures = Signatures::default();
        kept.for_each(|(by, signature)| signatures.insert(by, *signature));
        Payload::SeatStandby(SeatStandby { signatures, ..good.clone() })
    };
    world.refuse_open(without(one), UsageError::SeatSignatures { count: 2 });
    world.refuse_open(without(three), UsageError::SeatSignatures { count: 2 });
    let leader = two;
    world.refuse_open(without(two), UsageError::Committee(CommitteeError::LeaderMissing { leader }));
    // The old party cannot consent in the standby's name, nor a signature for one seat seat it in another.
    let standby = world.seating.standby.clone().expect("somebody stands by");
    let digest = seat_digest(CHAIN, FIRST, two, &standby);
    let signatures = world.quorum(&digest, &PartyId::ALL);
    let old = Payload::SeatStandby(SeatStandby { signatures, ..good.clone() });
    world.refuse_open(old, UsageError::Committee(CommitteeError::Signature { party: two }));
    let moved = Payload::SeatStandby(SeatStandby { party: three, ..good.clone() });
    world.refuse_open(moved, UsageError::Committee(CommitteeError::Signature { party: one }));
    let later = Payload::SeatStandby(SeatStandby { epoch: NEXT, ..good.clone() });
    world.refuse_open(later, UsageError::UnknownEpoch { epoch: NEXT });
    world.open_ok(Payload::SeatStandby(good));
}

#[test]
fn a_seat_is_taken_in_a_frozen_epoch_and_in_no_other() {
    let mut world = World::opened();
    let wrong = |found| UsageError::WrongPhase { epoch: FIRST, expected: Phase::Frozen, found };
    let seat = Payload::SeatStandby(seated(&world, PartyId::ALL[0]));
    world.refuse_open(seat.clone(), wrong(Phase::Open));
    world.count(FIRST, &bundles());
    world.refuse_open(seat.clone(), wrong(Phase::Aggregated));
    world.open_ok(finalise(FIRST));
    world.refuse_open(seat, wrong(Phase::Finalised));
}

#[test]
fn without_a_standby_nobody_is_seated() {
    let mut world = World::with_works();
    let stand_in = world.seating.clone();
    world.seating.standby = None;
    world.prepare(FIRST);
    world.open(FIRST);
    world.freeze(FIRST, &bundles());
    world.seating = stand_in;
    let seat = Payload::SeatStandby(seated(&world, PartyId::ALL[0]));
    world.refuse_open(seat, UsageError::NoStandby { epoch: FIRST });
}

#[test]
fn who_held_shares_of_a_seat_takes_no_other() {
    // Nobody holds a share yet: seats may be given as the steward likes.
    let mut world = World::with_works();
    let turned = |world: &World| {
        let mut seating = world.seating.clone();
        seating.operators.rotate_left(1);
        seating
    };
    world.ok(STEWARD, seat_of(&world, turned(&world)));
    world.prepare(FIRST);
    world.open(FIRST);
    world.count(FIRST, &bundles());
    world.open_ok(finalise(FIRST));
    world.seal();
    // Shares of what is carried over exist: an operator keeps its seat.
    let [one, two, three] = PartyId::ALL;
    let rule = |operator, seat, party| UsageError::SeatRule { operator, seat, party };
    world.refuse(STEWARD, seat_of(&world, turned(&world)), rule(person(42), two, one));
    let mut seating = world.seating.clone();
    seating.operators[2] = person(45);
    world.ok(STEWARD, seat_of(&world, seating.clone()));
    // Who ran party 3 may come back to that seat. Nobody knows which one a standby takes, so it may not be that.
    seating.standby.as_mut().expect("somebody stands by").operator = person(43);
    world.refuse(STEWARD, seat_of(&world, seating), rule(person(43), three, one));
    world.ok(STEWARD, world.seat());
}

#[test]
fn a_seating_that_cannot_be() {
    let mut world = World::with_works();
    let change = |world: &World, edit: &dyn Fn(&mut Seating)| {
        let mut seating = world.seating.clone();
        edit(&mut seating);
        seat_of(world, seating)
    };
    let patience = limits::MAX_SEAT_PATIENCE + 1;
    let refused = [
        (change(&world, &|s| s.patience = 0), UsageError::SeatPatience { patience: 0 }),
        (change(&world, &|s| s.patience = patience), UsageError::SeatPatience { patience }),
        (
            change(&world, &|s| s.operators[1] = person(41)),
            UsageError::OperatorTwice { operator: person(41) },
        ),
        (
            change(&world, &|s| s.standby.as_mut().expect("one").operator = person(42)),
            UsageError::OperatorTwice { operator: person(42) },
        ),
    ];
    for (payload, error) in refused {
        world.refuse(STEWARD, payload, error);
    }
    // A standby with the keys of a party could be seated beside it.
    let member: Member = world.committee.member(PartyId::ALL[1]).clone();
    let shared = change(&world, &|s| s.standby.as_mut().expect("one").member = member.clone());
    let [one, two, _] = PartyId::ALL;
    let error = CommitteeError::SharedKey { first: one, second: two };
    world.refuse(STEWARD, shared, UsageError::Committee(error));
}

/// What a record says of a replacement is of the chain, whoever signed the totals.
#[test]
fn a_replacement_is_neither_left_out_of_a_record_nor_made_up() {
    let gone = PartyId::ALL[1];
    for on_chain in [false, true] {
        let mut world = frozen();
        let seat = seated(&world, gone);
        if on_chain {
            world.open_ok(Payload::SeatStandby(seat.clone()));
        }
        let aggregate = signed(&mut world, gone, &[gone.next(), gone.previous()]);
        if world.ledger.apply(&chain::Transaction::open(Payload::SubmitAggregate(aggregate))).is_err() {
            continue;
        }
        world.open_ok(finalise(FIRST));
        world.seal();
        let mut public = record(&world.ledger, FIRST).expect("a settled epoch");
        let root = chain::light::verify::root_digest(&public.state.root);
        verify(&public, Some(root)).expect("an honest record");
        let made_up = chain::light::record::ReplacementRecord { party: gone, signatures: seat.signatures };
        public.replacement = if on_chain { None } else { Some(made_up) };
        assert!(verify(&public, Some(root)).is_err(), "on chain: {on_chain}, in the record: {}", !on_chain);
    }
}
