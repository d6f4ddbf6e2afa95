//! What a party, the coordinator, settlement or a bad line may try while a seat is taken.

use super::{mesh::Mesh, world};
use crate::{
    effect::Event,
    message::{Address, Message, OpenedEpoch, PeerMessage, Phase, Report},
    party::Carried,
};
use curve25519_dalek::scalar::Scalar;
use primitives::{Digest, Encode, PartyId, RegionTag, ShardIndex, limits};
use proofs::{
    tally::EpochRoot,
    testing::{TestSubscriber, committee, event},
};

const LONG: u32 = 4 * world::PATIENCE;

fn collected<'a>() -> (Mesh<'a>, OpenedEpoch) {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 5);
    (mesh, opened)
}

/// Both honest parties came to the end of the first sitting; the third did not. They open again, and keep again.
#[test]
fn a_second_sitting_leaves_what_was_carried_before_on_the_shelf() {
    let (mut mesh, _) = collected();
    let gone = PartyId::ALL[1];
    let before = Carried::none(gone.next());
    mesh.shelf.put(gone.next(), ShardIndex(0), vec![before.clone()]).unwrap();
    mesh.tamper = Box::new(move |_, to, message| to != gone || !matches!(message, PeerMessage::Response(_)));
    mesh.close();
    mesh.stop(gone);
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.tick(LONG);
    mesh.assert_done();
    assert_eq!(mesh.seated(), Some(gone));
    let kept = &mesh.shelf.of(gone.next())[&ShardIndex(0)];
    assert!(kept.contains(&before), "what it carried before the epoch is gone: {kept:?}");
}

/// Coordinator says one word to one honest party that is there.
#[test]
fn a_lying_coordinator_cannot_have_an_honest_party_replaced() {
    for word in [Phase::Prove, Phase::Aborted] {
        let (mut mesh, _) = collected();
        let honest = PartyId::ALL[1];
        mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Response(_)));
        mesh.close();
        mesh.forge(Address::Coordinator, Address::Party(honest), Message::Phase(word));
        mesh.tick(LONG);
        assert_eq!(mesh.seated(), None, "{}", word.name());
    }
}

/// Shares come to the standby before the word of the chain does.
#[test]
fn shares_that_come_before_the_seat_are_kept() {
    let (mut mesh, _) = collected();
    let gone = PartyId::ALL[1];
    mesh.hold_seated = Some(Address::Standby);
    mesh.stop(gone);
    mesh.close();
    mesh.tick(LONG);
    mesh.release_seated();
    mesh.tick(LONG);
    mesh.assert_done();
}

/// One of the two who stay hears late of the seat; the other says that it is there, once a tick.
#[test]
fn a_party_that_hears_late_of_the_seat_stops_nobody() {
    for (gone, late) in PartyId::ALL.into_iter().flat_map(|p| [(p, p.next()), (p, p.previous())]) {
        let (mut mesh, _) = collected();
        mesh.hold_seated = Some(Address::Party(late));
        mesh.stop(gone);
        mesh.close();
        mesh.tick(2 * LONG);
        mesh.release_seated();
        mesh.tick(LONG);
        assert_eq!((mesh.phase(), mesh.aborted()), (Phase::Done, None), "{gone} gone, {late} late");
    }
}

/// The word of the seat comes twice.
#[test]
fn the_word_of_a_seat_twice_changes_nothing() {
    for to in [Address::Standby, Address::Party(PartyId::ALL[0]), Address::Party(PartyId::ALL[2])] {
        let (mut mesh, _) = collected();
        let gone = PartyId::ALL[1];
        mesh.stop(gone);
        // The others' last letters are lost, so that the opening is under way.
        mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Response(_)));
        mesh.close();
        mesh.tick(LONG);
        assert_eq!((mesh.seated(), mesh.phase()), (Some(gone), Phase::Open));
        let word = mesh.said_seated[0].clone();
        let events = mesh.events.len();
        mesh.forge(Address::Settlement, to, word);
        let lost = |event: &Event| matches!(event, Event::Dropped { reason: "this party lost its seat", .. });
        assert!(!mesh.events[events..].iter().any(lost), "{to}: the standby leaves its own seat");
        assert_eq!(mesh.aborted(), None, "{to}");
    }
}

/// No usage was carried over. One of the two who hand over moves backed views from a region to none, so that each tier's
/// sum is what it was.
#[test]
fn backed_views_of_this_epoch_stay_in_their_regions() {
    for liar in [PartyId::ALL[0], PartyId::ALL[2]] {
        let (mut mesh, opened) = Mesh::opened();
        for seed in 0..3 {
            let events = vec![event(0, 0, true), event(0, 1, true)];
            let bundle = TestSubscriber::new(100 + seed).bundle(&opened.shards[0], events);
            mesh.submit(&bundle.to_bytes());
        }
        let bundle = TestSubscriber::new(200).bundle(&opened.shards[0], vec![event(0, 0, false)]);
        mesh.submit(&bundle.to_bytes());
        mesh.stop(PartyId::ALL[1]);
        mesh.tamper = Box::new(move |from, _, message| {
            let step = Scalar::from(2u8) * Scalar::from(1u128 << limits::BACKED_SHIFT);
            if let PeerMessage::HandOver(shares) = message
                && from == liar
            {
                for (group, sum) in &mut shares.all {
                    sum.entries[0] += if group.region == RegionTag::NONE { step } else { -step };
                }
            }
            true
        });
        mesh.close();
        mesh.tick(LONG);
        assert_eq!(mesh.aborted().map(|(culprit, _)| culprit), Some(Some(liar)));
    }
}

/// A third root comes late, and is of another set than the chain has frozen.
#[test]
fn a_late_root_of_another_set_names_who_signed_it() {
    let (mut mesh, opened) = collected();
    let late = PartyId::ALL[2];
    mesh.stop(late);
    mesh.close();
    while mesh.phase() != Phase::Sum {
        mesh.tick(1);
    }
    let (chain, epoch, shard) = (opened.shards[0].chain, world::EPOCH, ShardIndex(0));
    let root = EpochRoot { chain, epoch, shard, batches: 0, last: Digest::default() };
    let signature = committee(11).signers[late.index()].sign(&root.digest());
    mesh.forge(Address::Party(late), Address::Coordinator, Message::Report(Report::Root(root, signature)));
    if let Some((culprit, reason)) = mesh.aborted() {
        assert_eq!(culprit, Some(late), "{reason}");
    }
}

/// One party is gone, another says the same again and again.
#[test]
fn reports_that_say_nothing_new_keep_nobody_waiting() {
    let (mut mesh, opened) = collected();
    let (gone, chatty) = (PartyId::ALL[1], PartyId::ALL[2]);
    mesh.stop(gone);
    mesh.close();
    for _ in 0..LONG {
        mesh.tick(1);
        if mesh.phase() == Phase::Close {
            // Not even a report of this phase: it is dropped.
            let (chain, epoch, shard) = (opened.shards[0].chain, world::EPOCH, ShardIndex(0));
            let root = EpochRoot { chain, epoch, shard, batches: 0, last: Digest::default() };
            let report = Report::Root(root, [0; 64]);
            mesh.forge(Address::Party(chatty), Address::Coordinator, Message::Report(report));
        }
    }
    assert!(mesh.phase() > Phase::Close, "still in {}", mesh.phase().name());
}

/// The epoch is given up after the standby had its shares: it must have what is carried then.
#[test]
fn a_standby_keeps_what_the_seat_carried() {
    let (mut mesh, _) = collected();
    let gone = PartyId::ALL[1];
    mesh.stop(gone);
    mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Openings(_)));
    mesh.close();
    mesh.tick(LONG);
    assert_eq!((mesh.seated(), mesh.phase()), (Some(gone), Phase::Open));
    assert!(mesh.kept_by.iter().any(|(by, _)| *by == Address::Standby), "it has nothing of what is carried");
}

/// The line from one party to one other was broken for a while. Then the third party goes.
#[test]
fn a_line_that_was_broken_for_a_while_uses_up_no_replacement() {
    let (mut mesh, _) = collected();
    let [deaf, flaky, gone] = PartyId::ALL;
    mesh.tamper = Box::new(move |from, to, message| {
        message.is_agreement() || (!matches!(message, PeerMessage::Compute(_)) && (from, to) != (flaky, deaf))
    });
    mesh.close();
    mesh.tick(LONG);
    assert_eq!((mesh.seated(), mesh.phase()), (None, Phase::Open));
    mesh.stop(gone);
    mesh.tamper = Box::new(|_, _, _| true);
    mesh.tick(LONG);
    assert_eq!(mesh.seated(), Some(gone), "nobody gets the seat");
}
