//! Shares that are of no use, found after the batch was anchored: the other holder shows what it signed for.

use super::{
    crook::{anchor, first_header, on_chain, propose},
    mesh::{Mesh, Tamper},
};
use crate::{
    effect::Event,
    message::{Address, Message, OpenedEpoch, OpeningShare, PeerMessage, Phase},
};
use chain::light;
use curve25519_dalek::scalar::Scalar;
use primitives::{Encode, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, RawWitness, verify},
    sharing::{Complaint, held, holders},
    testing::{TestSubscriber, committee, event},
};
use std::cell::RefCell;

const ONE: PartyId = PartyId::ALL[0];
const TWO: PartyId = PartyId::ALL[1];
const THREE: PartyId = PartyId::ALL[2];
const LONG: u32 = 200;

fn lying(opened: &OpenedEpoch, seed: u64, lie: impl FnOnce(&mut RawWitness)) -> Bundle {
    TestSubscriber::new(seed).lying_bundle(&opened.shards[0], vec![event(2, 0, false)], lie)
}

fn pass<'a>() -> Tamper<'a> {
    Box::new(|_, _, _| true)
}

/// A batch of two is final in which `away` cannot read one of its shares, and that party is back and takes it in.
fn final_without<'a>((share, away): (PartyId, PartyId), tamper: Tamper<'a>) -> (Mesh<'a>, Bundle) {
    let (mut mesh, opened) = Mesh::opened();
    mesh.stop(away);
    mesh.submit_honest(&opened, 1);
    let bad = lying(&opened, 70, |w| w.unreadable = Some((share, away)));
    mesh.submit(&bad.to_bytes());
    mesh.tick(LONG);
    assert_eq!(mesh.batches().concat().len(), 2);
    mesh.tamper = tamper;
    mesh.start(away);
    mesh.tick(20);
    (mesh, bad)
}

#[test]
fn whoever_cannot_read_its_share_of_a_final_bundle_gets_it_from_the_other_holder() {
    for away in PartyId::ALL {
        for share in held(away) {
            let shown = RefCell::new(Vec::new());
            let record: Tamper<'_> = Box::new(|from, to, message| {
                if let PeerMessage::OpeningShare(opening) = message {
                    shown.borrow_mut().push((from, to, opening.share));
                }
                true
            });
            let (mut mesh, bad) = final_without((share, away), record);
            let complained = |e: &Event| matches!(e, Event::Complaint { party, bundle, share: of } if (*party, *bundle, *of) == (away, bad.id(), share));
            assert_eq!(mesh.events.iter().filter(|e| complained(e)).count(), 1);
            mesh.close();
            mesh.tick(LONG);
            mesh.assert_done();
            assert!(mesh.evidence().is_empty());
            let record = mesh.node.lock().unwrap().record(super::world::EPOCH).unwrap();
            light::verify(&record, None).unwrap();
            assert_eq!(record.works.iter().map(|work| work.listeners).sum::<u64>(), 2);
            drop(mesh);
            let other = holders(share).into_iter().find(|party| *party != away).unwrap();
            let shown = shown.into_inner();
            assert!(!shown.is_empty() && shown.iter().all(|said| *said == (other, away, share)), "{shown:?}");
        }
    }
}

#[test]
fn an_opening_share_that_was_changed_names_who_signed_for_it() {
    type Change = fn(&mut OpeningShare);
    let changes: [Change; 3] = [
        |s| s.sum.entries[3] += Scalar::ONE,
        |s| s.sum.blinding += Scalar::ONE,
        |s| s.sum.entries.push(Scalar::ZERO),
    ];
    for change in changes {
        let tamper: Tamper<'_> = Box::new(move |_, _, message| {
            if let PeerMessage::OpeningShare(opening) = message {
                change(opening);
            }
            true
        });
        let (mesh, _) = final_without((THREE, THREE), tamper);
        let (culprit, reason) = mesh.aborted().expect("party 3 stops");
        assert_eq!((mesh.phase(), culprit), (Phase::Aborted, Some(TWO)), "{reason}");
        assert!(reason.contains("an opening share does not open"), "{reason}");
    }
}

/// Moved to another place, it is not what is owed: it is asked for again.
#[test]
fn an_opening_share_that_is_not_owed_is_dropped() {
    type Change = fn(&mut OpeningShare);
    let changes: [Change; 3] =
        [|s| s.header.0[0] ^= 1, |s| s.share = s.share.next(), |s| s.group.tier = primitives::Tier(2)];
    for change in changes {
        let tamper: Tamper<'_> = Box::new(move |_, _, message| {
            if let PeerMessage::OpeningShare(opening) = message {
                change(opening);
            }
            true
        });
        let (mut mesh, _) = final_without((THREE, THREE), tamper);
        let dropped =
            |e: &Event| matches!(e, Event::Dropped { reason: "an opening share that is not owed", .. });
        assert!(mesh.events.iter().any(dropped));
        mesh.tamper = pass();
        mesh.close();
        mesh.tick(LONG);
        mesh.assert_done();
    }
}

#[test]
fn an_opening_share_that_is_withheld_names_who_signed_for_it_at_the_end() {
    let tamper: Tamper<'_> = Box::new(|_, _, message| !matches!(message, PeerMessage::OpeningShare(_)));
    let (mut mesh, _) = final_without((ONE, THREE), tamper);
    mesh.tick(LONG);
    assert_eq!(mesh.aborted(), None, "there is time until the window ends");
    mesh.close();
    mesh.tick(LONG);
    let (culprit, reason) = mesh.aborted().expect("party 3 stops");
    assert_eq!((mesh.phase(), culprit), (Phase::Aborted, Some(ONE)), "{reason}");
    assert!(reason.contains("was not given"), "{reason}");
}

/// A party that signs for a share that opens for none of its holders has nothing to show.
#[test]
fn a_party_that_signs_for_what_it_does_not_hold_is_named() {
    let (mut mesh, opened) = Mesh::opened();
    let bad = lying(&opened, 71, |w| w.spoiled_share = Some(ONE));
    mesh.stop(THREE);
    // Party 1 is the malicious one: its core knows nothing of the bundle, and says nothing.
    mesh.tell(Address::Intake(TWO), Message::Submit(bad.to_bytes().into()));
    mesh.tamper = Box::new(|from, _, _| from != ONE);
    let header = first_header(&opened, 0, &[&bad]);
    mesh.tamper = pass();
    propose(&mut mesh, TWO, &header, &[&bad]);
    mesh.tamper = Box::new(|from, _, _| from != ONE);
    anchor(&mut mesh, &header, &[ONE, TWO]);
    assert_eq!(on_chain(&mesh, ShardIndex(0), 0), Some(header.digest()));
    mesh.start(THREE);
    mesh.tick(20);
    assert_eq!(mesh.aborted(), None);
    mesh.tamper = pass();
    let sum = proofs::sharing::BatchShare::of(16, &[]);
    let group = bad.envelope.group();
    let junk = OpeningShare { header: header.digest(), group, share: ONE, sum };
    mesh.inject(ONE, THREE, PeerMessage::OpeningShare(junk));
    assert_eq!(mesh.aborted().expect("party 3 stops").0, Some(ONE));
}

#[test]
fn a_false_complaint_of_a_final_bundle_names_who_made_it_and_gets_nothing() {
    let asked = RefCell::new(0);
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|_, _, message| {
        *asked.borrow_mut() += u32::from(matches!(message, PeerMessage::OpeningShare(_)));
        true
    });
    let honest = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, false)]);
    mesh.submit(&honest.to_bytes());
    mesh.submit_honest(&opened, 1);
    assert!(mesh.batches().concat().contains(&honest.id()));
    let (context, keys) = (&opened.shards[0], committee(11));
    let accepted = verify(context, &honest).unwrap();
    let by = (TWO, &keys.kem[TWO.index()]);
    let about = (honest.id(), &honest, &accepted);
    let wolf = Complaint::new(context, about, by, TWO, &mut TestSubscriber::new(50).rng).unwrap();
    mesh.inject(TWO, ONE, PeerMessage::Complaint(wolf));
    assert_eq!(mesh.aborted().expect("party 1 stops").0, Some(TWO));
    drop(mesh);
    assert_eq!(asked.into_inner(), 0);
}

/// A complaint that holds gets an answer if it comes from who made it, and from the other holder alone.
#[test]
fn an_opening_share_goes_to_the_holder_that_complains_and_to_nobody_else() {
    let shown = RefCell::new(Vec::new());
    let complaint = RefCell::new(None);
    let tamper: Tamper<'_> = Box::new(|from, to, message| {
        match message {
            PeerMessage::Complaint(made) => drop(complaint.borrow_mut().get_or_insert(made.clone())),
            PeerMessage::OpeningShare(_) => shown.borrow_mut().push((from, to)),
            _ => {}
        }
        true
    });
    let (mut mesh, _) = final_without((THREE, THREE), tamper);
    let made = complaint.borrow().clone().expect("party 3 complains");
    shown.borrow_mut().clear();
    mesh.inject(ONE, TWO, PeerMessage::Complaint(made.clone()));
    mesh.inject(THREE, ONE, PeerMessage::Complaint(made.clone()));
    assert_eq!(*shown.borrow(), []);
    mesh.inject(THREE, TWO, PeerMessage::Complaint(made.clone()));
    assert_eq!(*shown.borrow(), [(TWO, THREE)]);
    // Whoever asks all the time is served once a tick, and once for what waits: it costs nobody else anything.
    for _ in 0..50 {
        mesh.inject(THREE, TWO, PeerMessage::Complaint(made.clone()));
    }
    assert_eq!(shown.borrow().len(), 1);
    mesh.tick(5);
    assert_eq!(*shown.borrow(), [(TWO, THREE); 2]);
    assert_eq!(mesh.aborted(), None);
}

/// A bundle that was struck after it had been signed for may be final all the same. Whoever signed for it has it still,
/// although the leader that brought it says nothing.
#[test]
fn a_bundle_that_was_dropped_after_it_was_signed_for_is_at_hand_when_it_is_final() {
    let (mut mesh, opened) = Mesh::opened();
    let bad = lying(&opened, 72, |w| w.unreadable = Some((THREE, THREE)));
    mesh.tell(Address::Intake(TWO), Message::Submit(bad.to_bytes().into()));
    let header = first_header(&opened, 0, &[&bad]);
    // Nobody but party 1 has two signatures.
    mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Quorum(_)));
    propose(&mut mesh, TWO, &header, &[&bad]);
    mesh.tamper = Box::new(|from, _, _| from != ONE);
    // Party 3 complains, and party 2 gives the leader up and drops the bundle.
    mesh.tell(Address::Intake(THREE), Message::Submit(bad.to_bytes().into()));
    mesh.tick(LONG);
    assert!(mesh.refusals(bad.id()).iter().any(|(party, _)| *party == TWO));
    assert!(mesh.batches().is_empty() && on_chain(&mesh, ShardIndex(0), 0).is_none());
    anchor(&mut mesh, &header, &[ONE, TWO]);
    mesh.tick(LONG);
    let final_at = [TWO, THREE].map(|party| mesh.receipts(party).len());
    assert_eq!(final_at, [1, 1]);
    mesh.tamper = pass();
    mesh.tick(LONG);
    mesh.close();
    mesh.tick(LONG);
    mesh.assert_done();
}
