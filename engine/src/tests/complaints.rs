//! Shares that are of no use, and what becomes of those who send them or cry wolf.

use super::mesh::Mesh;
use crate::{
    effect::{Event, Refusal},
    message::{Address, Message, OpenedEpoch, PeerMessage, Phase},
};
use primitives::field::Plain;
use primitives::{Encode, PartyId};
use proofs::{
    bundle::{Bundle, verify},
    cap::Spent,
    sharing::{Complaint, held},
    testing::{TestSubscriber, committee, event},
};
use std::{cell::RefCell, sync::Arc};

const PARTIES: [PartyId; 3] = PartyId::ALL;

fn spoiled(opened: &OpenedEpoch, seed: u64, share: PartyId) -> Bundle {
    let lie = |w: &mut proofs::bundle::RawWitness| w.spoiled_share = Some(share);
    TestSubscriber::new(seed).lying_bundle(&opened.shards[0], vec![event(2, 0, false)], lie)
}

/// A complaint of `party` about a share of an accepted bundle, right or wrong.
fn complaint(opened: &OpenedEpoch, bundle: &Bundle, party: PartyId, share: PartyId) -> Complaint {
    let context = &opened.shards[0];
    let accepted = verify(context, bundle).expect("the proof holds");
    let key = &committee(11).kem[party.index()];
    let mut rng = TestSubscriber::new(50).rng;
    Complaint::new(context, (bundle.id(), bundle, &accepted), (party, key), share, &mut rng).unwrap()
}

fn blamed(mesh: &Mesh<'_>) -> Option<PartyId> {
    let (culprit, said) = mesh.aborted().expect("the epoch aborts");
    assert!(said.contains("a complaint does not hold"), "{said}");
    assert_eq!(mesh.phase(), Phase::Aborted);
    culprit
}

#[test]
fn bad_shares_are_struck_on_evidence_however_many_there_are() {
    for share in PARTIES {
        let (mut mesh, opened) = Mesh::opened();
        mesh.submit_honest(&opened, 2);
        let bad: Vec<_> = (0..4).map(|seed| spoiled(&opened, 70 + seed, share)).collect();
        bad.iter().for_each(|bundle| mesh.submit(&bundle.to_bytes()));
        mesh.close();
        // Twice as many as what was counted: on the parties' word alone nothing would be opened.
        mesh.assert_done();
        assert_eq!(mesh.batches().concat().len(), 2);
        for bundle in &bad {
            let by: std::collections::BTreeSet<_> = mesh
                .events
                .iter()
                .filter_map(|e| match e {
                    Event::Complaint { party, bundle: id, share: of } if *id == bundle.id() => {
                        assert_eq!(*of, share);
                        Some(*party)
                    }
                    _ => None,
                })
                .collect();
            assert!(by.iter().all(|party| held(*party).contains(&share)) && !by.is_empty());
            assert_eq!(mesh.refusals(bundle.id()).len(), 3, "every party drops it");
        }
    }
}

#[test]
fn a_false_complaint_names_who_made_it_whoever_shows_it() {
    let [one, two, three] = PARTIES;
    for from in [two, three] {
        let (mut mesh, opened) = Mesh::opened();
        let honest = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, false)]);
        mesh.submit(&honest.to_bytes());
        let wolf = complaint(&opened, &honest, two, held(two)[0]);
        mesh.inject(from, one, PeerMessage::Complaint(wolf));
        assert_eq!(blamed(&mesh), Some(two));
    }
}

#[test]
fn a_complaint_without_proof_names_who_shows_it_and_frames_nobody() {
    let [one, two, three] = PARTIES;
    let (mut mesh, opened) = Mesh::opened();
    let honest = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, false)]);
    let mut forged = complaint(&opened, &honest, two, held(two)[0]);
    forged.response += Plain::from(1u128);
    // Also when it came before its bundle, and had to wait for it.
    mesh.inject(three, one, PeerMessage::Complaint(forged));
    assert!(mesh.aborted().is_none());
    mesh.submit(&honest.to_bytes());
    assert_eq!(blamed(&mesh), Some(three));
}

#[test]
fn a_complaint_that_comes_before_its_bundle_strikes_it_when_it_comes() {
    let [one, two, _] = PARTIES;
    let (mut mesh, opened) = Mesh::opened();
    let bad = spoiled(&opened, 71, two);
    mesh.inject(two, one, PeerMessage::Complaint(complaint(&opened, &bad, two, two)));
    mesh.submit(&bad.to_bytes());
    assert!(mesh.refusals(bad.id()).contains(&(one, Refusal::Objected { party: two })));
    mesh.submit_honest(&opened, 2);
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 2);
}

/// The intake does not remember all that came, so that a copy may reach the party.
#[test]
fn a_copy_of_a_bundle_that_waits_loses_no_complaint() {
    let [one, two, three] = PARTIES;
    let (mut mesh, opened) = Mesh::opened();
    let mut subscriber = TestSubscriber::new(71);
    let first = subscriber.bundle(&opened.shards[0], vec![event(1, 0, false)]);
    let lie = |w: &mut proofs::bundle::RawWitness| w.spoiled_share = Some(two);
    let bad = subscriber.lying_bundle(&opened.shards[0], vec![event(2, 0, false)], lie);
    mesh.inject(two, one, PeerMessage::Complaint(complaint(&opened, &bad, two, two)));
    mesh.tell(Address::Intake(one), Message::Submit(bad.to_bytes().into()));
    let accepted = verify(&opened.shards[0], &bad).unwrap();
    let copy = Message::Verified(bad.id(), Arc::new(bad.clone()), accepted);
    mesh.forge(Address::Verifier(one), Address::Party(one), copy);
    assert_eq!(mesh.refusals(bad.id()), [(one, Refusal::Duplicate)]);
    mesh.submit(&first.to_bytes());
    assert!(mesh.refusals(bad.id()).contains(&(one, Refusal::Objected { party: two })));
    for party in [two, three] {
        mesh.tell(Address::Intake(party), Message::Submit(bad.to_bytes().into()));
    }
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat(), [first.id()]);
}

/// A complaint that holds strikes a bundle for which all have voted, as long as the chain has not anchored it.
#[test]
fn evidence_outweighs_votes() {
    let [one, two, three] = PARTIES;
    let proposed = RefCell::new(None);
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|from, _, message| {
        if let PeerMessage::Propose(header, ..) = message {
            proposed.borrow_mut().get_or_insert(header.clone());
        }
        from == one
    });
    let good = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, false)]);
    // The leader holds the other two shares, so that its own sums open.
    let bad = spoiled(&opened, 72, three);
    mesh.submit(&good.to_bytes());
    mesh.submit(&bad.to_bytes());
    let header = proposed.borrow().clone().expect("a batch of two is proposed");
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.inject(two, one, PeerMessage::Complaint(complaint(&opened, &bad, two, three)));
    for party in [two, three] {
        let signature = committee(11).signers[party.index()].sign(&header.signing_digest());
        mesh.inject(party, one, PeerMessage::Vote(header.digest(), signature));
    }
    assert!(mesh.refusals(bad.id()).contains(&(one, Refusal::Objected { party: two })));
    assert!(!mesh.batches().concat().contains(&bad.id()));
}

#[test]
fn a_second_branch_of_what_was_spent_is_refused() {
    let (mut mesh, opened) = Mesh::opened();
    let context = &opened.shards[0];
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(context, vec![event(1, 0, false)]);
    let second = subscriber.bundle(context, vec![event(2, 0, false)]);
    subscriber.spent = Spent::default();
    let branch = subscriber.bundle(context, vec![event(3, 0, false)]);
    mesh.submit(&first.to_bytes());
    mesh.submit(&branch.to_bytes());
    mesh.submit(&second.to_bytes());
    let by_all = PARTIES.map(|party| (party, Refusal::SpentElsewhere));
    assert_eq!(mesh.refusals(branch.id()), by_all);
    assert_eq!(mesh.refusals(second.id()), []);
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat(), [first.id(), second.id()]);
    assert!(!mesh.events.iter().any(|e| matches!(e, Event::Dropped { at: Address::Coordinator, .. })));
}
