//! An epoch of several shards: each has its headers, its root, its totals; together they make the figures.

use crate::world::*;
use chain::{
    Payload,
    light::{Finding, record, verify},
    modules::usage::{Phase, UsageError},
};
use primitives::{EpochId, ShardIndex, WorkId};
use proofs::shard::ShardError;
use std::collections::{BTreeMap, BTreeSet};

/// The chain with an epoch open whose five works are dealt to two shards.
fn opened() -> World {
    let mut world = World::prepared();
    world.shard_width = 4;
    world.open(FIRST);
    world
}

/// One bundle of the first work of the current shard, in a batch; and the shard's root.
fn fill(world: &mut World, listeners: u64) {
    for _ in 0..listeners {
        world.accept(FIRST, &(group(0, 0), vec![plays(0, 1, false)]));
    }
    let header = world.header(FIRST, listeners as u32);
    world.anchor(header);
}

fn settled() -> World {
    let mut world = opened();
    for (shard, listeners) in [(0, 1), (1, 3)] {
        world.turn_to(shard);
        fill(&mut world, listeners);
        world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    }
    for shard in [1, 0] {
        world.turn_to(shard);
        let aggregate = world.aggregate(FIRST);
        world.open_ok(Payload::SubmitAggregate(aggregate));
    }
    world.open_ok(finalise(FIRST));
    world.seal();
    world
}

fn phase(world: &World) -> Phase {
    world.ledger.state().epochs.get(&FIRST).expect("open").phase
}

#[test]
fn an_epoch_is_as_far_as_its_slowest_shard() {
    let mut world = opened();
    fill(&mut world, 1);
    world.turn_to(1);
    fill(&mut world, 2);
    // Shards do not know each other: both begin at position 0, before nothing.
    world.turn_to(0);
    let (root, late) = (world.root(FIRST), world.header(FIRST, 1));
    world.open_ok(Payload::AnchorRoot(root.clone()));
    let frozen = UsageError::ShardFrozen { shard: ShardIndex(0) };
    world.refuse_open(Payload::AnchorRoot(root), frozen.clone());
    world.refuse_open(Payload::AnchorHeader(late), frozen);
    assert_eq!(phase(&world), Phase::Open);
    // Nothing is opened of a shard before all are frozen.
    let early = world.aggregate(FIRST);
    let open = UsageError::WrongPhase { epoch: FIRST, expected: Phase::Frozen, found: Phase::Open };
    world.refuse_open(Payload::SubmitAggregate(early.clone()), open);

    world.turn_to(1);
    world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    assert_eq!(phase(&world), Phase::Frozen);
    let elsewhere = chain::modules::usage::SubmitAggregate { shard: ShardIndex(2), ..early.clone() };
    let nowhere = UsageError::WrongShard { found: ShardIndex(2) };
    world.refuse_open(Payload::SubmitAggregate(elsewhere), nowhere);
    world.open_ok(Payload::SubmitAggregate(early.clone()));
    let again = UsageError::ShardAggregated { shard: ShardIndex(0) };
    world.refuse_open(Payload::SubmitAggregate(early), again);
    assert_eq!(phase(&world), Phase::Frozen);
    let aggregate = world.aggregate(FIRST);
    world.open_ok(Payload::SubmitAggregate(aggregate));
    assert_eq!(phase(&world), Phase::Aggregated);
}

#[test]
fn the_figures_of_an_epoch_are_those_of_all_its_shards() {
    let world = settled();
    let record = record(&world.ledger, FIRST).expect("settled");
    let verdict = verify(&record, None).expect("a sound record");
    assert_eq!((verdict.shards, verdict.batches, verdict.bundles), (2, 2, 4));
    let opening = world.ledger.state().openings.get(&FIRST).expect("open");
    let shards = opening.shards().expect("two shards");
    let sizes: Vec<usize> = shards.iter().map(|shard| shard.works().len()).collect();
    assert_eq!(sizes, [3, 2]);
    let dealt: BTreeSet<WorkId> = shards.iter().flat_map(|shard| shard.works()).copied().collect();
    assert_eq!(dealt.len(), 5, "every work is in one shard");
    let listeners: BTreeMap<WorkId, u64> =
        record.works.iter().filter(|w| w.listeners > 0).map(|w| (w.work_id, w.listeners)).collect();
    assert_eq!(listeners, [(shards[0].works()[0], 1), (shards[1].works()[0], 3)].into());
    for work in &record.works {
        assert!(shards[work.shard.0 as usize].position(&work.work_id).is_some());
    }
}

#[test]
fn every_shard_of_a_record_is_checked() {
    let sound = record(&settled().ledger, FIRST).expect("settled");
    for shard in [ShardIndex(0), ShardIndex(1)] {
        let at = shard.0 as usize;
        let findings = |edit: &dyn Fn(&mut chain::light::record::ShardRecord)| {
            let mut record = sound.clone();
            edit(&mut record.shards[at]);
            verify(&record, None).expect_err("changed").findings
        };
        let found = findings(&|part| part.totals[0].value += 1);
        assert!(matches!(found[0], Finding::Tally { shard: named, .. } if named == shard), "{found:?}");
        let found = findings(&|part| part.headers[0].count += 1);
        assert!(matches!(found[0], Finding::Header { shard: named, .. } if named == shard), "{found:?}");
        let found = findings(&|part| part.root.last = digest(9));
        assert!(matches!(found[0], Finding::Root { shard: named, .. } if named == shard), "{found:?}");
        let found = findings(&|part| part.aggregate_signatures = Default::default());
        let named = matches!(found[0], Finding::AggregateSignatures { shard: named, .. } if named == shard);
        assert!(named, "{found:?}");
    }
    let mut swapped = sound.clone();
    swapped.shards.swap(0, 1);
    assert!(verify(&swapped, None).is_err());
    let mut moved = sound;
    moved.works[0].shard = ShardIndex(1 - moved.works[0].shard.0);
    assert!(verify(&moved, None).is_err());
}

#[test]
fn an_epoch_opens_with_shards_of_a_width_inside_the_bounds() {
    let mut world = World::prepared();
    for width in [0, 3, 4_097, u16::MAX] {
        world.shard_width = width;
        let opening = Payload::OpenEpoch(world.opening(FIRST));
        world.refuse(STEWARD, opening, UsageError::Shard(ShardError::Width { width }));
    }
    world.shard_width = 4;
    world.open(FIRST);
    world.turn_to(1);
    for shard in [1, 0] {
        world.turn_to(shard);
        world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    }
    for shard in [0, 1] {
        world.turn_to(shard);
        let aggregate = world.aggregate(FIRST);
        world.open_ok(Payload::SubmitAggregate(aggregate));
    }
    world.open_ok(finalise(FIRST));
    world.seal();
    // Another epoch and another beacon, and one shard would do: works stay where they are at home.
    world.shard_width = 16;
    let next = EpochId(FIRST.0 + 1);
    world.prepare(next);
    world.open(next);
    let shards = |epoch| world.ledger.state().openings.get(&epoch).expect("open").shards().expect("shards");
    assert_eq!(shards(next), shards(FIRST));
}

/// Totals of all shards are signed by one committee: with those of one of two on record, no standby is seated.
#[test]
fn no_seat_is_taken_once_totals_of_a_shard_are_on_record() {
    use chain::modules::usage::{SeatStandby, SubmitAggregate, aggregate_digest, seat_digest};
    use primitives::PartyId;
    let mut world = opened();
    for (shard, listeners) in [(0, 1), (1, 3)] {
        world.turn_to(shard);
        fill(&mut world, listeners);
        world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    }
    let gone = PartyId::ALL[0];
    let aggregate = world.aggregate(FIRST);
    world.turn_to(0);
    // All three signed; the first shard's totals get there before the standby has its seat.
    let first = world.aggregate(FIRST);
    let digest = aggregate_digest(&world.root(FIRST).root, &first.tally, &first.proof);
    let signatures = world.quorum(&digest, &PartyId::ALL);
    world.open_ok(Payload::SubmitAggregate(SubmitAggregate { signatures, ..first }));
    let standby = world.seating.standby.clone().unwrap();
    let digest = seat_digest(CHAIN, FIRST, gone, &standby);
    let mut signatures = world.quorum(&digest, &[gone.next(), gone.previous()]);
    signatures.insert(gone, world.standby.sign(&digest));
    let seat = Payload::SeatStandby(SeatStandby { epoch: FIRST, party: gone, signatures });
    if world.ledger.apply(&chain::Transaction::open(seat)).is_err() {
        return;
    }
    world.turn_to(1);
    let digest = aggregate_digest(&world.root(FIRST).root, &aggregate.tally, &aggregate.proof);
    let signatures = world.quorum(&digest, &[gone.next(), gone.previous()]);
    world.open_ok(Payload::SubmitAggregate(SubmitAggregate { signatures, ..aggregate }));
    world.open_ok(finalise(FIRST));
    world.seal();
    verify(&record(&world.ledger, FIRST).unwrap(), None).expect("the chain settled it");
}
