//! A party that is gone is replaced by the one that stands by, whenever it goes; what everybody may try then.

use super::{mesh::Mesh, world};
use crate::{
    effect::Event,
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage, Phase, Sitting},
};
use chain::{light, modules::usage::seat_digest};
use curve25519_dalek::scalar::Scalar;
use primitives::{PartyId, ShardIndex};
use proofs::testing::committee;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Bundles of the epoch.
const BUNDLES: u64 = 5;
/// Ticks in which whoever stands by gets a seat, if the others are patient no longer.
const LONG: u32 = 4 * world::PATIENCE;

/// An epoch with bundles in it, not yet closed.
fn collected<'a>() -> (Mesh<'a>, OpenedEpoch) {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, BUNDLES);
    (mesh, opened)
}

/// The epoch came to its end with the standby in a seat, and its record verifies.
fn assert_settled(mesh: &Mesh<'_>, seat: PartyId) {
    mesh.assert_done();
    assert_eq!(mesh.seated(), Some(seat));
    let node = mesh.node.lock().unwrap();
    let record = node.record(world::EPOCH).unwrap();
    assert_eq!(record.replacement.as_ref().map(|seated| seated.party), Some(seat));
    let verdict = light::verify(&record, None).unwrap();
    assert_eq!(verdict.bundles, BUNDLES);
    let listeners: u64 = record.shards[0].totals.iter().map(|cell| cell.listeners).sum();
    assert_eq!(listeners, BUNDLES, "what everybody played was counted once");
}

#[test]
fn a_party_that_stops_while_bundles_are_collected_is_replaced() {
    for gone in PartyId::ALL {
        let (mut mesh, _) = collected();
        mesh.stop(gone);
        mesh.close();
        mesh.tick(LONG);
        assert_settled(&mesh, gone);
    }
}

/// Stops a party once so many letters of the opening have been written by it, and gives the mesh when nothing moves.
fn stopped_after(gone: PartyId, letters: usize) -> Mesh<'static> {
    let (mut mesh, _) = collected();
    let left = Rc::new(Cell::new(letters));
    mesh.tamper = Box::new(move |from, to, message| {
        let opening = !message.is_agreement() && !matches!(message, PeerMessage::Here);
        if from == gone && opening {
            left.set(left.get().saturating_sub(1));
        }
        (from != gone && to != gone) || !opening || left.get() > 0
    });
    mesh.close();
    mesh.stop(gone);
    mesh.tamper = Box::new(|_, _, _| true);
    mesh
}

#[test]
fn a_party_that_stops_at_any_point_of_the_opening_is_replaced() {
    for gone in PartyId::ALL {
        // From the first key to the last response.
        for letters in [0, 1, 7, 100, 147] {
            let mut mesh = stopped_after(gone, letters);
            if mesh.phase() == Phase::Done {
                continue;
            }
            mesh.tick(LONG);
            assert_settled(&mesh, gone);
        }
    }
}

#[test]
fn a_party_that_is_there_keeps_its_seat() {
    let (mut mesh, _) = collected();
    // It says nothing of the opening, but that it is there: nobody takes its seat for that.
    mesh.tamper =
        Box::new(|from, _, message| from != PartyId::ALL[1] || !matches!(message, PeerMessage::Compute(_)));
    mesh.close();
    mesh.tick(LONG);
    assert_eq!((mesh.phase(), mesh.seated()), (Phase::Open, None));
}

#[test]
fn a_party_that_is_far_behind_keeps_its_seat() {
    let (mut mesh, _) = collected();
    let behind = PartyId::ALL[1];
    mesh.stop(behind);
    mesh.close();
    mesh.tick(world::PATIENCE + world::PATIENCE / 2);
    assert_eq!((mesh.phase(), mesh.seated()), (Phase::Sum, None), "the others have frozen the epoch");
    // It is back, and has none of what the others agreed on yet, as if it were checking a long epoch's bundles again.
    mesh.tamper =
        Box::new(move |from, to, message| !message.is_agreement() || (from != behind && to != behind));
    mesh.start(behind);
    mesh.tick(LONG);
    // What was dropped on the way links would have brought: how it goes on from here the next test shows.
    assert_eq!((mesh.phase(), mesh.seated()), (Phase::Sum, None));
}

#[test]
fn a_party_that_comes_back_in_time_keeps_its_seat() {
    let (mut mesh, _) = collected();
    let gone = PartyId::ALL[2];
    mesh.stop(gone);
    mesh.close();
    mesh.tick(world::PATIENCE / 2);
    mesh.start(gone);
    mesh.tick(LONG);
    mesh.assert_done();
    assert_eq!(mesh.seated(), None);
}

#[test]
fn numbers_of_attempts_that_one_party_made_up_name_nobody() {
    let (mut mesh, _) = collected();
    let [liar, honest, other] = PartyId::ALL;
    let sent = Rc::new(RefCell::new(None));
    let seen = sent.clone();
    mesh.tamper = Box::new(move |from, _, message| {
        let is_step = matches!(message, PeerMessage::Compute(_));
        if from == liar && is_step {
            seen.borrow_mut().get_or_insert(message.clone());
        }
        !is_step
    });
    mesh.close();
    let message = sent.borrow_mut().take().expect("it began to compute");
    let letter = |attempt| {
        let sitting = Sitting { seats: 0, attempt };
        Message::Peer(Letter { shard: ShardIndex(0), sitting, message: message.clone() })
    };
    mesh.tamper =
        Box::new(move |from, _, message| from == liar || !matches!(message, PeerMessage::Compute(_)));
    // One that no honest party makes is dropped.
    for attempt in [101, 127, 100] {
        mesh.forge(Address::Party(liar), Address::Party(honest), letter(attempt));
        assert_eq!((mesh.phase(), mesh.aborted()), (Phase::Open, None), "{attempt}");
    }
    // Another party is started again, which is its right.
    mesh.forge(Address::Outside, Address::Party(honest), Message::Restarted(Address::Party(other)));
    let (culprit, reason) = mesh.aborted().expect("it stops");
    assert_eq!(culprit, None, "{reason}");
    assert!(reason.contains("begun anew"), "{reason}");
}

#[test]
fn one_party_alone_gives_no_seat_away() {
    let (mut mesh, opened) = collected();
    let [liar, honest, other] = PartyId::ALL;
    mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Compute(_)));
    mesh.close();
    // It signs for both others' seats, in its own name and in that of the honest one.
    let standby = opened.seating.standby.clone().unwrap();
    for (from, seat) in [(liar, other), (honest, other), (liar, honest), (liar, liar)] {
        let digest = seat_digest(opened.shards[0].chain, world::EPOCH, seat, &standby);
        let signature = committee(11).signers[liar.index()].sign(&digest);
        let message = PeerMessage::SeatVote(seat, signature);
        let letter = Letter { shard: ShardIndex(0), sitting: Sitting::default(), message };
        mesh.forge(Address::Party(from), Address::Standby, Message::Peer(letter));
    }
    mesh.tick(LONG);
    assert_eq!((mesh.phase(), mesh.seated()), (Phase::Open, None));
}

#[test]
fn a_wrong_share_that_is_handed_over_names_who_did() {
    let gone = PartyId::ALL[1];
    for liar in [gone.next(), gone.previous()] {
        for spoil in [true, false] {
            let (mut mesh, _) = collected();
            mesh.stop(gone);
            mesh.tamper = Box::new(move |from, _, message| {
                if let PeerMessage::HandOver(shares) = message
                    && from == liar
                {
                    let sums = if spoil { &mut shares.fresh } else { &mut shares.all };
                    sums.values_mut().for_each(|sum| sum.entries[3] += Scalar::ONE);
                }
                true
            });
            mesh.close();
            mesh.tick(LONG);
            let (culprit, reason) = mesh.aborted().expect("nothing is opened over wrong shares");
            assert_eq!(culprit, Some(liar), "{reason}");
        }
    }
}

#[test]
fn shares_of_other_groups_name_who_handed_them_over() {
    let gone = PartyId::ALL[0];
    let liar = gone.next();
    let (mut mesh, _) = collected();
    mesh.stop(gone);
    mesh.tamper = Box::new(move |from, _, message| {
        if let PeerMessage::HandOver(shares) = message
            && from == liar
        {
            shares.fresh.pop_last();
        }
        true
    });
    mesh.close();
    mesh.tick(LONG);
    assert_eq!(mesh.aborted().expect("it stops").0, Some(liar));
}

#[test]
fn whoever_lost_its_seat_is_heard_no_more() {
    let gone = PartyId::ALL[2];
    let (mut mesh, _) = collected();
    // The party is there, and hears what the chain and the coordinator say: it is cut off from the other two.
    mesh.tamper = Box::new(move |from, to, message| {
        let of_the_seat = matches!(message, PeerMessage::SeatVote(..) | PeerMessage::HandOver(_));
        message.is_agreement() || of_the_seat || (from != gone && to != gone)
    });
    mesh.close();
    mesh.tick(LONG);
    assert_settled(&mesh, gone);
    let dropped = |reason: &str| {
        let is = |event: &Event| matches!(event, Event::Dropped { reason: found, .. } if *found == reason);
        mesh.events.iter().any(is)
    };
    assert!(dropped("this party lost its seat"));
}
