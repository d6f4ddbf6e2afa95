//! Each message between parties, changed on its way: the right party notices, and no wrong total comes out.

use super::mesh::{Mesh, sign};
use crate::{
    effect::Refusal,
    message::{Address, Objection, PeerMessage, Phase},
};
use curve25519_dalek::scalar::Scalar;
use primitives::{Digest, Encode, PartyId, merkle};
use proofs::testing::{TestSubscriber, committee, event};

/// Runs an epoch of four honest bundles under `tamper`.
fn run<'a>(tamper: impl FnMut(PartyId, PartyId, &mut PeerMessage) -> bool + 'a) -> Mesh<'a> {
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(tamper);
    mesh.submit_honest(&opened, 4);
    mesh.close();
    mesh
}

/// The epoch stopped, and `culprit` is blamed for `reason`.
fn assert_blamed(mesh: &Mesh<'_>, culprit: Option<PartyId>, reason: &str) {
    let (blamed, said) = mesh.aborted().expect("the epoch aborts");
    assert_eq!(mesh.phase(), Phase::Aborted);
    assert_eq!(blamed, culprit, "{said}");
    assert!(said.contains(reason), "{said}");
}

const ONE: fn() -> PartyId = || PartyId::ALL[0];
const TWO: fn() -> PartyId = || PartyId::ALL[1];
const THREE: fn() -> PartyId = || PartyId::ALL[2];

#[test]
fn a_proposal_that_was_changed_blames_its_leader() {
    type Change = fn(&mut proofs::tally::BatchHeader, &mut Vec<Digest>);
    let changes: [(Change, &str); 6] = [
        (|h, _| h.previous.0[0] ^= 1, "does not follow"),
        (|h, _| h.batch_root.0[0] ^= 1, "does not follow"),
        (|h, _| h.count += 1, "does not follow"),
        (|h, _| h.epoch.0 += 1, "does not follow"),
        (|_, ids| ids.swap(0, 1), "does not follow"),
        (|h, _| h.running = Default::default(), "running commitments"),
    ];
    for (change, reason) in changes {
        let mesh = run(|from, to, message| {
            if let PeerMessage::Propose(header, ids, signature) = message
                && (from, to) == (ONE(), TWO())
            {
                change(header, ids);
                *signature = sign(ONE(), header);
            }
            true
        });
        assert_blamed(&mesh, Some(ONE()), reason);
    }
}

#[test]
fn a_proposal_that_comes_early_waits_and_one_that_comes_late_is_ignored() {
    // Party 3 hears of each proposal of party 1 as one for a later position, and never of the right one.
    let mesh = run(|from, to, message| {
        if let PeerMessage::Propose(header, _, signature) = message
            && (from, to) == (ONE(), THREE())
        {
            header.position += 3;
            *signature = sign(ONE(), header);
        }
        true
    });
    assert_eq!((mesh.phase(), mesh.aborted()), (Phase::Close, None));
    assert!(mesh.batches().is_empty());
    // What was final long ago comes again.
    let proposed = std::cell::RefCell::new(None);
    let mut mesh = run(|_, _, message| {
        if let PeerMessage::Propose(header, ids, _) = message {
            proposed.borrow_mut().get_or_insert((header.clone(), ids.clone()));
        }
        // The last word of the epoch is held back, so that the parties still collect.
        !matches!(message, PeerMessage::Vote(..))
            || proposed.borrow().as_ref().is_some_and(|(h, _)| h.position == 0)
    });
    let (header, ids) = proposed.borrow_mut().take().expect("party 1 leads position 0");
    let signature = sign(ONE(), &header);
    mesh.inject(ONE(), TWO(), PeerMessage::Propose(header, ids, signature));
    mesh.assert_done();
}

#[test]
fn a_proposal_by_a_party_that_does_not_lead_blames_it() {
    let mesh = run(|from, to, message| {
        if let PeerMessage::Propose(header, ..) = message
            && (from, to) == (ONE(), TWO())
        {
            header.position += 1;
        }
        true
    });
    assert_blamed(&mesh, Some(ONE()), "does not lead");
}

#[test]
fn two_headers_for_one_place_blame_the_leader() {
    let proposed = std::cell::RefCell::new(None);
    // Party 2 never votes, so that position 0 stays open.
    let mut mesh = run(|from, _, message| {
        if let PeerMessage::Propose(header, ids, _) = message {
            *proposed.borrow_mut() = Some((header.clone(), ids.clone()));
        }
        !(from == TWO() && matches!(message, PeerMessage::Vote(..)))
    });
    let (mut header, mut ids) = proposed.borrow_mut().take().expect("party 1 leads position 0");
    ids.reverse();
    let leaves: Vec<_> = ids.iter().map(|id| merkle::leaf(&id.0)).collect();
    header.batch_root = merkle::root(&leaves);
    let signature = sign(ONE(), &header);
    mesh.inject(ONE(), THREE(), PeerMessage::Propose(header, ids, signature));
    assert_blamed(&mesh, Some(ONE()), "two headers");
    // One party's word is not all: the evidence convicts with the committee's keys alone.
    let shown: Vec<_> = mesh.evidence();
    assert!(!shown.is_empty());
    for evidence in shown {
        assert_eq!(evidence.party(), ONE());
        assert_eq!(evidence.verify(&committee(11).public, |_, _| None), Ok(()));
    }
}

#[test]
fn a_vote_that_does_not_verify_blames_the_voter() {
    let mesh = run(|from, _, message| {
        if let PeerMessage::Vote(_, signature) = message
            && from == TWO()
        {
            signature[3] ^= 1;
        }
        true
    });
    assert_blamed(&mesh, Some(TWO()), "a vote does not verify");
}

#[test]
fn an_objection_to_what_was_not_proposed_blames_the_objector() {
    let mesh = run(|from, _, message| {
        if let PeerMessage::Vote(digest, _) = message
            && from == TWO()
        {
            *message = PeerMessage::Object(*digest, vec![(Digest([1; 32]), Objection::Refused)]);
        }
        true
    });
    assert_blamed(&mesh, Some(TWO()), "not proposed");
}

#[test]
fn a_message_that_is_held_back_halts_the_epoch_and_falsifies_nothing() {
    let mesh = run(|from, _, message| !(from == TWO() && matches!(message, PeerMessage::Vote(..))));
    assert_eq!(mesh.phase(), Phase::Close);
    assert!(mesh.batches().is_empty());
    let mesh = run(|from, _, message| !(from == TWO() && matches!(message, PeerMessage::Response(..))));
    assert_eq!(mesh.phase(), Phase::Open);
}

#[test]
fn a_party_that_opens_wrongly_is_named() {
    for liar in PartyId::ALL {
        let mesh = run(|from, _, message| {
            if let PeerMessage::Response(response) = message
                && from == liar
            {
                response.rows[0][0] += Scalar::ONE;
            }
            true
        });
        assert_blamed(&mesh, Some(liar), "opened wrongly");
    }
}

#[test]
fn openings_that_differ_between_parties_stop_the_epoch_and_blame_nobody() {
    let mesh = run(|from, to, message| {
        if let PeerMessage::Openings(openings) = message
            && (from, to) == (TWO(), THREE())
        {
            openings.rows[0][0] += Scalar::ONE;
        }
        true
    });
    assert_blamed(&mesh, None, "saw other openings");
}

#[test]
fn an_announcement_that_was_not_committed_to_names_its_party() {
    let mesh = run(|from, _, message| {
        if let PeerMessage::Reveal(reveal) = message
            && from == THREE()
        {
            reveal.announcements[0] += proofs::generators::bases().key;
        }
        true
    });
    assert_blamed(&mesh, Some(THREE()), "announced something else");
}

#[test]
fn a_message_of_a_round_twice_names_its_party() {
    let mesh = run(|from, to, message| {
        if let PeerMessage::Reveal(_) = message
            && (from, to) == (THREE(), ONE())
        {
            let rows = vec![vec![Scalar::ONE; 16]];
            let twice = mpc::opening::OpeningsMessage { rows, commitment: Digest::default() };
            *message = PeerMessage::Openings(twice);
        }
        true
    });
    // Party 1 has taken the openings of round one already, so these stay in the box and round two never completes.
    assert_eq!(mesh.phase(), Phase::Open);
}

#[test]
fn a_share_that_does_not_open_is_refused_by_its_holders_and_left_out_by_all() {
    for share in PartyId::ALL {
        let (mut mesh, opened) = Mesh::opened();
        mesh.submit_honest(&opened, 1);
        let spoiled = TestSubscriber::new(1).lying_bundle(&opened.shards[0], vec![event(2, 0, false)], |w| {
            w.spoiled_share = Some(share);
        });
        mesh.submit(&spoiled.to_bytes());
        mesh.submit_honest(&opened, 4);
        mesh.close();
        mesh.assert_done();
        assert!(!mesh.batches().iter().flatten().any(|id| *id == spoiled.id()), "share {share}");
        let refusals = mesh.refusals(spoiled.id());
        assert!(refusals.iter().any(|(_, r)| *r == Refusal::Share { share }), "share {share}: {refusals:?}");
        assert_eq!(mesh.batches().concat().len(), 4);
    }
}

/// A device may hand its bundle to whom it likes: "the third party fetches what it lacks from its peers".
#[test]
fn bundles_that_a_party_never_got_are_fetched_and_counted() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 2);
    let partial = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(2, 0, false)]);
    let bytes: std::sync::Arc<[u8]> = partial.to_bytes().into();
    for party in [ONE(), THREE()] {
        mesh.tell(Address::Intake(party), crate::Message::Submit(bytes.clone()));
    }
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 3);
    assert_eq!(mesh.refusals(partial.id()), []);
}

/// A leader whose batch all have signed proposes another one that nobody can check yet. What was signed may still be
/// anchored, so nothing of it is dropped.
#[test]
fn a_leader_that_proposes_anew_after_all_have_signed_takes_nothing_away() {
    let proposed = std::cell::RefCell::new(None);
    let (mut mesh, opened) = Mesh::opened();
    mesh.tamper = Box::new(|_, _, message| {
        if let PeerMessage::Propose(header, ..) = message {
            proposed.borrow_mut().get_or_insert(header.clone());
        }
        true
    });
    mesh.hold_anchors(true);
    mesh.submit_honest(&opened, 2);
    let mut header = proposed.borrow_mut().take().expect("party 1 leads position 0");
    let junk = Digest([7; 32]);
    (header.view, header.count) = (1, 1);
    header.batch_root = merkle::root(&[merkle::leaf(&junk.0)]);
    for to in [TWO(), THREE()] {
        let signature = sign(ONE(), &header);
        mesh.inject(ONE(), to, PeerMessage::Propose(header.clone(), vec![junk], signature));
    }
    mesh.hold_anchors(false);
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 2);
}
