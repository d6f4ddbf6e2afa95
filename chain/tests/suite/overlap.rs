//! The next epoch opens while the one before is closed: what may happen in which order, and that it comes to the same.

use crate::world::*;
use chain::{
    Payload,
    light::{EpochRecord, record, verify},
    modules::{
        dapr::DaprError,
        treasury::Fund,
        usage::{AbandonEpoch, Phase, SeatStandby, UsageError, seat_digest},
    },
};
use primitives::{Digest, EpochId, PartyId, limits};

const NEXT: EpochId = EpochId(FIRST.0 + 1);
const THIRD: EpochId = EpochId(FIRST.0 + 2);

/// The chain with its first epoch open, in which works with fewer than two listeners stay closed.
fn opened() -> World {
    let mut world = World::genesis_with(|genesis| genesis.params.k_anonymity = 2).and_works();
    world.prepare(FIRST);
    world.open(FIRST);
    world
}

/// Two listeners of one work in a tier, and one of another, which is carried over.
fn first() -> Vec<Bundle> {
    let own = |index| (group(0, 1), vec![plays(index, 3, true)]);
    vec![own(0), own(0), own(1)]
}

/// Two listeners of what was carried over.
fn second() -> Vec<Bundle> {
    let own = |index| (group(0, 2), vec![plays(index, 2, true)]);
    vec![own(1), own(1), own(2)]
}

fn anchor(world: &mut World, epoch: EpochId, bundles: &[Bundle]) {
    for bundle in bundles {
        world.accept(epoch, bundle);
    }
    let header = world.header(epoch, bundles.len() as u32);
    world.anchor(header);
}

fn abandon(epoch: EpochId) -> Payload {
    Payload::AbandonEpoch(AbandonEpoch { epoch, reason: Digest([7; 32]) })
}

fn root(world: &World, epoch: EpochId) -> Payload {
    Payload::AnchorRoot(world.root(epoch))
}

/// Both epochs, one after the other.
fn in_turn() -> [EpochRecord; 2] {
    let mut world = opened();
    world.count(FIRST, &first());
    world.open_ok(finalise(FIRST));
    world.seal();
    world.run_epoch(NEXT, &second());
    [FIRST, NEXT].map(|epoch| record(&world.ledger, epoch).expect("settled"))
}

#[test]
fn two_epochs_that_overlap_come_to_what_they_come_to_in_turn() {
    let mut world = opened();
    anchor(&mut world, FIRST, &first());
    world.prepare(NEXT);
    let next = Payload::OpenEpoch(world.opening(NEXT));
    world.refuse(STEWARD, next, UsageError::PreviousOpen { epoch: FIRST });
    assert_eq!(world.ledger.state().in_hand(world.ledger.origin()), [FIRST]);
    world.open_ok(root(&world, FIRST));
    assert_eq!(world.ledger.state().in_hand(world.ledger.origin()), [FIRST, NEXT]);
    let totals = world.aggregate(FIRST);
    let before = world.open_beside(NEXT);

    // Bundles of the next epoch are counted while totals of the first are opened. Nothing of it is frozen before they are on
    // record: what is carried over would be opened with it.
    let state = world.ledger.state();
    assert_eq!(state.in_hand(world.ledger.origin()), [FIRST, NEXT]);
    let rooms = &state.openings.get(&NEXT).expect("open").rooms;
    assert_eq!(*rooms, [limits::MAX_SUBSCRIBER_EPOCHS - 3], "all that the first counted may be carried over");
    assert_eq!(state.carried_into(NEXT), None);
    anchor(&mut world, NEXT, &second());
    world.refuse_open(root(&world, NEXT), UsageError::PreviousNotAggregated { epoch: FIRST });
    world.refuse(STEWARD, abandon(NEXT), UsageError::PreviousNotOver { epoch: FIRST });
    world.open_ok(Payload::SubmitAggregate(totals));
    world.take_over(before);
    let carried = world.ledger.state().carried_into(NEXT).expect("known by now");
    assert!(!carried[0].commitments.is_empty());
    world.open_ok(root(&world, NEXT));
    let totals = world.aggregate(NEXT);
    world.open_ok(Payload::SubmitAggregate(totals));
    assert_eq!(world.ledger.state().carried_into(NEXT), Some(carried), "it stays what it was");

    // They end in their order, and a third has to wait for that.
    world.prepare(THIRD);
    let third = Payload::OpenEpoch(world.opening(THIRD));
    let first_comes = UsageError::PreviousNotOver { epoch: FIRST };
    world.refuse(STEWARD, third.clone(), first_comes.clone());
    world.refuse(STEWARD, abandon(NEXT), first_comes);
    world.refuse_open(finalise(NEXT), DaprError::PreviousNotOver { epoch: FIRST });
    world.open_ok(finalise(FIRST));
    world.ok(STEWARD, third);
    world.open_ok(finalise(NEXT));
    world.seal();
    assert_eq!(world.ledger.state().in_hand(world.ledger.origin()), [THIRD]);

    for (alone, epoch) in in_turn().into_iter().zip([FIRST, NEXT]) {
        let beside = record(&world.ledger, epoch).expect("settled");
        verify(&beside, None).expect("it holds");
        assert_eq!(
            (&beside.works, &beside.revenue, &beside.health),
            (&alone.works, &alone.revenue, &alone.health)
        );
        assert_eq!(beside.payout_root, alone.payout_root);
    }
}

#[test]
fn what_an_epoch_that_is_given_up_leaves_is_paid_with_the_next_that_was_open_already() {
    let mut world = opened();
    world.freeze(FIRST, &first());
    world.prepare(NEXT);
    drop(world.open_beside(NEXT));
    let revenue = world.ledger.state().revenues_of(FIRST).map(|tier| tier.revenue.0).sum::<u64>();
    world.ok(STEWARD, abandon(FIRST));
    world.count(NEXT, &second());
    world.open_ok(finalise(NEXT));
    world.seal();
    let settled = record(&world.ledger, NEXT).expect("settled");
    verify(&settled, None).expect("it holds");
    assert_eq!(settled.revenue.carried_in.0, revenue);
    assert_eq!(world.ledger.state().fund(Fund::Carried), settled.revenue.carried_out);
    assert_eq!(world.ledger.state().check_conservation(), Ok(()));
}

/// The next epoch opened with the party that is gone. It keeps its committee, and whoever stands by can have the same seat in
/// it, once it is frozen, and no other.
#[test]
fn a_seat_that_is_taken_while_the_next_epoch_is_open_is_taken_in_that_one_too() {
    let mut world = World::opened();
    world.freeze(FIRST, &bundles());
    world.prepare(NEXT);
    let totals = world.aggregate(FIRST);
    let before = world.open_beside(NEXT);
    let [_, gone, other] = PartyId::ALL;
    let standby = world.seating.standby.clone().expect("somebody stands by");
    let seated = |world: &World, epoch, party: PartyId| {
        let digest = seat_digest(CHAIN, epoch, party, &standby);
        let mut signatures = world.quorum(&digest, &[party.next(), party.previous()]);
        signatures.insert(party, world.standby.sign(&digest));
        Payload::SeatStandby(SeatStandby { epoch, party, signatures })
    };
    world.open_ok(seated(&world, FIRST, gone));
    let member = |world: &World, epoch| {
        let state = world.ledger.state();
        state.openings.get(&epoch).map(|opening| opening.committee.member(gone).clone())
    };
    assert_eq!(member(&world, NEXT), member(&world, FIRST), "the open epoch keeps its committee");
    let seat = world.ledger.state().committee_for(THIRD).expect("a committee");
    assert_eq!((seat.from, seat.committee.member(gone)), (THIRD, &standby.member));

    // Totals are signed by the two who stay, and by whoever has the seat now.
    let root = world.root_of(&before, FIRST);
    let digest = chain::modules::usage::aggregate_digest(&root, &totals.tally, &totals.proof);
    let mut signatures = world.quorum(&digest, &[gone.next()]);
    signatures.insert(gone, world.standby.sign(&digest));
    world.open_ok(Payload::SubmitAggregate(chain::modules::usage::SubmitAggregate { signatures, ..totals }));
    world.take_over(before);
    world.freeze(NEXT, &bundles());
    world.refuse_open(
        seated(&world, NEXT, other),
        UsageError::SeatRule { operator: standby.operator, seat: gone, party: other },
    );
    // The seat is taken in the epoch after already, whose committee may have been set anew since: it stays as it is.
    let seat = world.ledger.state().committee_for(THIRD).expect("a committee").clone();
    world.open_ok(seated(&world, NEXT, gone));
    assert_eq!(world.ledger.state().committee_for(THIRD), Some(&seat));
    assert_eq!(world.ledger.state().epochs.get(&NEXT).map(|epoch| epoch.phase), Some(Phase::Frozen));
}
