//! Whole epochs.

use super::{mesh::Mesh, world};
use crate::{
    effect::{Event, Refusal},
    message::{Address, Phase},
    system,
};
use chain::light::{self, SignerKeys};
use primitives::field::Plain;
use primitives::{Encode, PartyId, ShardIndex};
use proofs::{
    bundle::BundleError,
    testing::{TestSubscriber, event},
};
use std::{sync::Arc, time::Duration};

#[test]
fn an_epoch_goes_from_bundles_to_a_record_that_verifies() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 5);
    mesh.close();
    mesh.assert_done();
    assert_eq!(
        mesh.batches().iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 2, 1],
        "batches of two, then the rest"
    );
    let node = mesh.node.lock().unwrap();
    let record = node.record(world::EPOCH).unwrap();
    light::verify(&record, None).unwrap();
    let listeners: u64 = record.works.iter().map(|w| w.listeners).sum();
    assert_eq!(listeners, 5);
}

/// While the votes are in and the chain has not answered, more bundles come: the leader proposes once all the same.
#[test]
fn a_leader_proposes_once_a_position_whatever_comes_meanwhile() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.hold_anchors(true);
    mesh.submit_honest(&opened, 4);
    assert_eq!(mesh.proposals(), 1);
    mesh.hold_anchors(false);
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().len(), 2);
    assert_eq!(mesh.proposals(), 2);
}

/// A tier may take less of one subscriber than the epoch does: whoever reads the record verifies by the tier's cap.
#[test]
fn bundles_verify_in_the_context_that_a_record_gives() {
    let mut world = world::world();
    world.config.plan.tiers[0].value_cap /= 2;
    let (mut mesh, opened) = Mesh::opened_over(world);
    let bundle = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(3, 0, true)]);
    mesh.close();
    mesh.assert_done();
    let record = mesh.node.lock().unwrap().record(world::EPOCH).unwrap();
    let context = record.context(ShardIndex(0), &SignerKeys::from(&opened.shards[0].keys)).unwrap();
    assert_eq!(context.digest, opened.shards[0].digest);
    assert_eq!(proofs::bundle::verify(&context, &bundle).map(|_| ()), Ok(()));
}

#[test]
fn an_epoch_without_bundles_ends_too() {
    let (mut mesh, _) = Mesh::opened();
    mesh.close();
    mesh.assert_done();
    light::verify(&mesh.node.lock().unwrap().record(world::EPOCH).unwrap(), None).unwrap();
}

#[test]
fn duplicates_replays_and_forgeries_are_refused_with_their_reason() {
    let (mut mesh, opened) = Mesh::opened();
    let mut subscriber = TestSubscriber::new(1);
    let honest = subscriber.bundle(&opened.shards[0], vec![event(3, 0, true)]);
    mesh.submit(&honest.to_bytes());
    mesh.submit(&honest.to_bytes());
    let replayed = subscriber.bundle(&opened.shards[0], vec![event(4, 0, false), event(3, 0, false)]);
    mesh.submit(&replayed.to_bytes());
    let mut forged = TestSubscriber::new(2).bundle(&opened.shards[0], vec![event(3, 0, false)]);
    forged.proof.blinding_response += Plain::from(1u128);
    mesh.submit(&forged.to_bytes());
    mesh.submit(b"no bundle");
    mesh.close();

    let by_all = |refusal: Refusal| PartyId::ALL.map(|p| (p, refusal.clone())).to_vec();
    assert_eq!(mesh.refusals(honest.id()), by_all(Refusal::Duplicate));
    assert_eq!(mesh.refusals(replayed.id()), by_all(Refusal::Replay { event: 1 }));
    assert_eq!(mesh.refusals(forged.id()), by_all(Refusal::Proof(BundleError::Vector)));
    mesh.assert_done();
    assert_eq!(mesh.batches(), [vec![honest.id()]]);
    assert!(mesh.events.iter().any(|e| matches!(e, Event::Refused { refusal: Refusal::Malformed(_), .. })));
}

#[test]
fn a_receipt_is_spent_once() {
    let (mut mesh, opened) = Mesh::opened();
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(&opened.shards[0], vec![event(3, 0, true)]);
    // Another bundle that shows the same receipt again.
    let mut events = vec![event(4, 0, true)];
    proofs::bundle::pad(&opened.shards[0], &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let parts = (first.envelope.clone(), first.token, first.receipts.clone());
    let again = subscriber.prove(&opened.shards[0], parts, &events).unwrap();
    mesh.submit(&first.to_bytes());
    mesh.submit(&again.to_bytes());
    assert_eq!(mesh.refusals(again.id()), PartyId::ALL.map(|p| (p, Refusal::SpentReceipt { receipt: 0 })));
}

#[test]
fn a_subscriber_hands_in_as_many_bundles_as_the_tier_allows() {
    let (mut mesh, opened) = Mesh::opened();
    let mut subscriber = TestSubscriber::new(1);
    let bundles: Vec<_> =
        (0..4).map(|w| subscriber.bundle(&opened.shards[0], vec![event(w, 0, false)])).collect();
    bundles.iter().for_each(|b| mesh.submit(&b.to_bytes()));
    assert_eq!(mesh.refusals(bundles[2].id()), []);
    assert_eq!(
        mesh.refusals(bundles[3].id()),
        PartyId::ALL.map(|p| (p, Refusal::TooManyBundles { limit: 3 }))
    );
}

/// An issuer that signs a token for nobody gets nobody counted beyond what was paid for.
#[test]
fn a_tier_takes_as_many_subscribers_as_subscriptions_were_sold() {
    let mut world = world::world();
    let tier = primitives::Tier(1);
    world.config.plan.sales[0] = (tier, 2);
    let (mut mesh, opened) = Mesh::opened_over(world);
    let mut subscribers: Vec<_> = (0..3).map(TestSubscriber::new).collect();
    let context = &opened.shards[0];
    let mut hand_in = |mesh: &mut Mesh<'_>, who: usize, work| {
        let bundle = subscribers[who].bundle(context, vec![event(work, 0, false)]);
        mesh.submit(&bundle.to_bytes());
        mesh.refusals(bundle.id())
    };
    let unsold = PartyId::ALL.map(|party| (party, Refusal::Unsold { tier, sold: 2 }));
    assert_eq!(hand_in(&mut mesh, 0, 1), []);
    assert_eq!(hand_in(&mut mesh, 1, 1), []);
    assert_eq!(hand_in(&mut mesh, 2, 1), unsold);
    assert_eq!(hand_in(&mut mesh, 0, 2), [], "a subscriber who was seen goes on");
    mesh.close();
    mesh.assert_done();
    let record = mesh.node.lock().unwrap().record(world::EPOCH).unwrap();
    assert_eq!((record.tiers[0].sold, record.tiers[0].subscriptions), (2, 2));
    assert_eq!(record.works.iter().map(|work| work.listeners).max(), Some(2));
}

#[test]
fn a_bundle_after_the_window_is_refused() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 1);
    mesh.close();
    let late = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(3, 0, false)]);
    mesh.submit(&late.to_bytes());
    assert_eq!(mesh.refusals(late.id()), PartyId::ALL.map(|p| (p, Refusal::Closed)));
}

/// Runs the actors over `count` honest bundles; `between` may disturb them before the window ends.
fn through_actors(
    count: u64,
    between: impl Fn(&system::Running),
) -> (String, std::collections::BTreeMap<String, u64>) {
    let world::World { node, config, dir } = world::world();
    let running = system::start(config, node, system::Operation::default());
    running.begin();
    let wait = |what: &str, found: &dyn Fn(&Event) -> bool| loop {
        let event =
            running.events().recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no {what}"));
        if let Event::Aborted { reason, .. } = &event {
            panic!("aborted: {reason}");
        }
        if found(&event) {
            return event;
        }
    };
    let Event::Opened(opened) = wait("opening", &|e| matches!(e, Event::Opened(_))) else { unreachable!() };
    wait("collection", &|e| matches!(e, Event::Phase(Phase::Collect)));
    for seed in 0..count {
        let events = vec![event((seed % 10) as u16, 0, seed % 2 == 0)];
        let bytes: Arc<[u8]> =
            TestSubscriber::new(100 + seed).bundle(&opened.shards[0], events).to_bytes().into();
        PartyId::ALL.into_iter().for_each(|p| running.submit(p, bytes.clone()));
    }
    between(&running);
    running.end_of_window();
    wait("end", &|e| matches!(e, Event::Phase(Phase::Done)));
    let summary = running.finish();
    let record = summary.node.record(world::EPOCH).unwrap();
    light::verify(&record, None).unwrap();
    drop(dir);
    (format!("{record:?}"), summary.messages)
}

#[test]
fn the_actors_do_what_the_cores_do_and_count_their_messages() {
    let (record, messages) = through_actors(5, |_| {});
    assert_eq!(messages.len(), 12);
    assert!(messages.values().all(|count| *count > 0), "{messages:?}");
    let (again, _) = through_actors(5, |_| {});
    assert_eq!(record, again, "the same seed gives the same record");
}

#[test]
fn an_epoch_halts_while_a_party_is_away_and_ends_when_it_is_back() {
    let (undisturbed, _) = through_actors(5, |_| {});
    let at = Address::Party(PartyId::ALL[1]);
    let (record, _) = through_actors(5, |running| {
        running.stop(at);
        running.end_of_window();
        // Nothing ends without the party, however long one waits.
        let deadline = std::time::Instant::now() + Duration::from_millis(1500);
        while let Some(left) = deadline.checked_duration_since(std::time::Instant::now()) {
            match running.events().recv_timeout(left) {
                Ok(Event::Phase(phase)) => assert!(phase <= Phase::Close, "the epoch went on to {phase:?}"),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        running.resume(at);
    });
    assert_eq!(record, undisturbed);
}
