//! Agreement when somebody is away, silent or lies: the lead changes, two votes suffice, whoever lacks something gets
//! it, and what is final can be checked by a device.

use super::{
    mesh::{Mesh, sign},
    world::{EPOCH, World, world},
};
use crate::{
    effect::Event,
    message::{Address, Message, PeerMessage, Phase},
    system::{self, Operation},
};
use chain::light;
use primitives::{Encode, PartyId, ShardIndex};
use proofs::testing::{TestSubscriber, event};
use std::{cell::RefCell, collections::BTreeSet, sync::Arc, time::Duration};

const ONE: PartyId = PartyId::ALL[0];
const TWO: PartyId = PartyId::ALL[1];
const THREE: PartyId = PartyId::ALL[2];
/// Ticks in which every patience runs out, more than once.
const LONG: u32 = 200;

/// Number of signatures on each anchored header of the first shard, and the headers' views.
fn anchored(mesh: &Mesh<'_>) -> Vec<(usize, u32)> {
    let node = mesh.node.lock().unwrap();
    let headers = node.ledger().state().anchors_of(EPOCH, ShardIndex(0));
    headers.map(|signed| (signed.signatures.len(), signed.header.view)).collect()
}

#[test]
fn with_one_party_stopped_batches_become_final_all_the_same() {
    for away in PartyId::ALL {
        let (mut mesh, opened) = Mesh::opened();
        mesh.stop(away);
        mesh.submit_honest(&opened, 8);
        mesh.tick(LONG);
        assert_eq!(mesh.batches().concat().len(), 8, "party {away} is away");
        assert!(anchored(&mesh).iter().all(|(signatures, _)| *signatures == 2));
        // It comes back with nothing, gets what it lacks from the others, and the epoch ends with it.
        mesh.start(away);
        mesh.tick(20);
        mesh.close();
        mesh.tick(LONG);
        mesh.assert_done();
        let record = mesh.node.lock().unwrap().record(EPOCH).unwrap();
        light::verify(&record, None).unwrap();
        assert_eq!(record.works.iter().map(|work| work.listeners).sum::<u64>(), 8);
        assert!(mesh.evidence().is_empty());
    }
}

/// Batches grow with the load: a block of the chain takes one header of a shard.
#[test]
fn a_leader_proposes_all_that_wait() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.hold_anchors(true);
    mesh.submit_honest(&opened, 9);
    mesh.hold_anchors(false);
    mesh.tick(LONG);
    let sizes: Vec<_> = mesh.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 7]);
}

#[test]
fn a_leader_that_proposes_nothing_loses_the_lead() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|from, _, message| !(from == ONE && matches!(message, PeerMessage::Propose(..))));
    mesh.submit_honest(&opened, 4);
    assert!(anchored(&mesh).is_empty());
    mesh.tick(LONG);
    assert_eq!(mesh.batches().concat().len(), 4);
    assert!(anchored(&mesh)[0].1 > 0, "position 0 is led by another party");
    mesh.close();
    mesh.tick(LONG);
    mesh.assert_done();
}

/// A leader that collects votes and brings nothing to the chain: whoever voted holds two signatures, and brings it.
#[test]
fn a_leader_that_keeps_the_votes_to_itself_stalls_nothing() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|_, to, message| !(to == ONE && matches!(message, PeerMessage::Vote(..))));
    mesh.submit_honest(&opened, 2);
    assert!(anchored(&mesh).is_empty());
    mesh.tick(LONG);
    assert_eq!(anchored(&mesh), [(2, 0)]);
}

#[test]
fn a_quorum_that_the_chain_has_no_place_for_any_more_stops_nobody() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 2);
    let signed = mesh.node.lock().unwrap().ledger().state().anchors_of(EPOCH, ShardIndex(0)).next().cloned();
    let signed = signed.expect("a batch is final");
    mesh.forge(Address::Party(TWO), Address::Settlement, Message::Anchor(signed));
    mesh.close();
    mesh.assert_done();
}

#[test]
fn a_party_that_was_shown_no_proposal_takes_in_what_the_chain_anchored() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|_, to, message| !(to == THREE && matches!(message, PeerMessage::Propose(..))));
    mesh.submit_honest(&opened, 6);
    mesh.tick(LONG);
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.close();
    mesh.tick(LONG);
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 6);
}

/// What was handed to one party alone is counted: the others get it from that party.
#[test]
fn clients_may_hand_in_to_any_party() {
    let (mut mesh, opened) = Mesh::opened();
    let bundles: Vec<_> = (0..6u64)
        .map(|seed| TestSubscriber::new(seed).bundle(&opened.shards[0], vec![event(seed as u16, 0, false)]))
        .collect();
    for (bundle, party) in bundles.iter().zip(PartyId::ALL.into_iter().cycle()) {
        mesh.tell(Address::Intake(party), Message::Submit(bundle.to_bytes().into()));
    }
    mesh.tick(LONG);
    mesh.close();
    mesh.tick(LONG);
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 6);
}

/// A bundle that one party alone has waits there for the one before, of which that party hears from the chain.
#[test]
fn what_waits_for_a_bundle_goes_on_once_the_chain_has_that() {
    let (mut mesh, opened) = Mesh::opened();
    let mut subscriber = TestSubscriber::new(7);
    let [first, second] =
        [1, 2].map(|work| subscriber.bundle(&opened.shards[0], vec![event(work, 0, false)]));
    let submit = |bundle: &proofs::bundle::Bundle| Message::Submit(bundle.to_bytes().into());
    mesh.tell(Address::Intake(THREE), submit(&second));
    mesh.tamper = Box::new(|_, to, message| !(to == THREE && matches!(message, PeerMessage::Propose(..))));
    let other = TestSubscriber::new(8).bundle(&opened.shards[0], vec![event(3, 0, false)]);
    for (bundle, party) in [&first, &other].into_iter().flat_map(|bundle| [(bundle, ONE), (bundle, TWO)]) {
        mesh.tell(Address::Intake(party), submit(bundle));
    }
    mesh.tick(LONG);
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.close();
    mesh.tick(LONG);
    mesh.assert_done();
    assert!(mesh.batches()[0].contains(&first.id()), "two agree on the first");
    assert!(mesh.batches().concat().contains(&second.id()), "the second goes on from it");
}

/// Two parties that never propose one subscriber's bundle: the third refuses to sign once it has waited long enough.
#[test]
fn a_header_that_leaves_out_a_bundle_for_too_long_is_refused() {
    let (refused, signed) = (RefCell::new(BTreeSet::new()), RefCell::new(BTreeSet::new()));
    let (refuses, signs) = (&refused, &signed);
    let (mut mesh, opened) = Mesh::opened();
    let victim = TestSubscriber::new(7).bundle(&opened.shards[0], vec![event(3, 0, false)]);
    mesh.tell(Address::Intake(TWO), Message::Submit(victim.to_bytes().into()));
    let id = victim.id();
    // The victim's only witness is never asked to lead: its own proposals are lost.
    mesh.tamper = Box::new(move |from, _, message| {
        if let PeerMessage::Omits(digest, ids) = message
            && from == TWO
        {
            assert_eq!(*ids, [id]);
            refuses.borrow_mut().insert(*digest);
        }
        if let PeerMessage::Vote(digest, _) = message
            && from == TWO
        {
            signs.borrow_mut().insert(*digest);
        }
        !(from == TWO && matches!(message, PeerMessage::Propose(..) | PeerMessage::Bundle(_)))
    });
    // What comes later may not go before it for ever.
    for seed in 100..120 {
        let bundle = TestSubscriber::new(seed).bundle(&opened.shards[0], vec![event(1, 0, false)]);
        mesh.submit(&bundle.to_bytes());
        mesh.tick(LONG);
    }
    assert_eq!(anchored(&mesh).len(), 10, "two votes suffice for the others");
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.close();
    mesh.tick(8 * LONG);
    mesh.assert_done();
    assert!(mesh.batches().concat().contains(&victim.id()), "it is counted in the end");
    drop(mesh);
    assert!(!refused.borrow().is_empty());
    assert!(refused.borrow().is_disjoint(&signed.borrow()));
}

#[test]
fn two_headers_shown_to_two_parties_meet_and_convict_their_leader() {
    let first = RefCell::new(None);
    let (mut mesh, opened) = Mesh::opened();
    // Party 2 is shown another header than party 3. Each votes, and shows the other what it signed.
    mesh.tamper = Box::new(|from, to, message| {
        if let PeerMessage::Propose(header, ids, signature) = message
            && (from, to) == (ONE, TWO)
        {
            *first.borrow_mut() = Some(header.clone());
            ids.reverse();
            header.batch_root = proofs::inclusion::batch_root(ids);
            *signature = sign(ONE, header);
        }
        true
    });
    mesh.submit_honest(&opened, 2);
    let keys = proofs::testing::committee(11).public;
    let shown = mesh.evidence();
    assert!(!shown.is_empty());
    for evidence in shown {
        assert_eq!((evidence.party(), evidence.verify(&keys, |_, _| None)), (ONE, Ok(())));
    }
    assert_eq!((mesh.phase(), mesh.aborted().expect("it stops").0), (Phase::Aborted, Some(ONE)));
}

#[test]
fn every_party_gives_receipts_that_a_device_checks_against_the_record() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 5);
    mesh.close();
    mesh.assert_done();
    let node = mesh.node.lock().unwrap();
    let headers: Vec<_> = node.ledger().state().anchors_of(EPOCH, ShardIndex(0)).cloned().collect();
    let counted: BTreeSet<_> = mesh.batches().concat().into_iter().collect();
    for party in PartyId::ALL {
        let receipts = mesh.receipts(party);
        let bundles: BTreeSet<_> = receipts.iter().map(|receipt| receipt.bundle).collect();
        assert_eq!(bundles, counted);
        for receipt in receipts {
            assert_eq!(receipt.verify(&headers[receipt.position as usize].header), Ok(()));
        }
    }
}

/// The same through the actors, whose shells tell the parties the time and keep their votes.
#[test]
fn actors_go_on_without_a_party_and_keep_their_votes() {
    let World { node, config, dir } = world();
    let operation = Operation { tick: Duration::from_millis(20), ..Operation::default() };
    let running = system::start(config, node, operation);
    running.begin();
    let mut bundles = 0;
    let mut wait = |until: &dyn Fn(&Event, usize) -> bool| loop {
        let event = running.events().recv_timeout(Duration::from_secs(60)).expect("something happens");
        if let Event::Batch { bundles: of_batch, .. } = &event {
            bundles += of_batch.len();
        }
        assert!(!matches!(event, Event::Aborted { .. } | Event::Evidence { .. }));
        if until(&event, bundles) {
            return event;
        }
    };
    let Event::Opened(opened) = wait(&|e, _| matches!(e, Event::Opened(_))) else { unreachable!() };
    wait(&|e, _| matches!(e, Event::Phase(Phase::Collect)));
    let away = Address::Party(TWO);
    running.stop(away);
    for seed in 0..6 {
        let bundle = TestSubscriber::new(seed).bundle(&opened.shards[0], vec![event(1, 0, false)]);
        let bytes: Arc<[u8]> = bundle.to_bytes().into();
        PartyId::ALL.into_iter().for_each(|party| running.submit(party, bytes.clone()));
    }
    // Party 2 leads position 1. Without it there are batches at positions 0, 1 and 2 all the same.
    wait(&|_, bundles| bundles == 6);
    running.resume(away);
    running.end_of_window();
    wait(&|e, _| matches!(e, Event::Phase(Phase::Done)));
    let summary = running.finish();
    light::verify(&summary.node.record(EPOCH).unwrap(), None).unwrap();
    for party in PartyId::ALL {
        let stored = summary.carried.vote_of(party, primitives::ShardIndex(0));
        assert!(stored.is_some_and(|record| record.vote.is_some()), "party {party}");
    }
    drop(dir);
}

/// Kills a party between any two of its effects: it goes on from what it stored, signs no second header for a place,
/// and the epoch ends.
#[test]
fn a_party_that_is_killed_between_any_two_effects_signs_nothing_twice() {
    let submit = |mesh: &mut Mesh<'_>, bundles: &[Vec<u8>]| {
        bundles.iter().for_each(|bytes| mesh.submit(bytes));
        mesh.tick(20);
        mesh.close();
        mesh.tick(LONG);
    };
    let opened = Mesh::opened().1;
    let bundles: Vec<_> = (0..4)
        .map(|seed| TestSubscriber::new(seed).bundle(&opened.shards[0], vec![event(1, 0, false)]).to_bytes())
        .collect();
    for party in [ONE, TWO] {
        let mut at = 0;
        loop {
            let (mut mesh, _) = Mesh::opened();
            mesh.kill = Some((party, at));
            submit(&mut mesh, &bundles);
            if mesh.phase() >= Phase::Sum && mesh.kill.is_some() || at == 30 {
                break;
            }
            // Beyond the collection a restart would need what was frozen, which is not kept.
            let killed_late =
                mesh.aborted().is_some() || mesh.phase() == Phase::Sum || mesh.phase() == Phase::Open;
            if !killed_late {
                mesh.assert_done();
                // A leader that starts anew says again what is final.
                let counted: BTreeSet<_> = mesh.batches().concat().into_iter().collect();
                assert_eq!(counted.len(), 4, "party {party} killed at {at}");
            }
            assert!(mesh.evidence().is_empty(), "party {party} killed at {at}");
            let faults = mesh.events.iter().any(|e| matches!(e, Event::Aborted { culprit: Some(_), .. }));
            assert!(!faults, "party {party} killed at {at}");
            at += 1;
        }
        assert!(at > 10, "there is something to kill in between");
    }
}
