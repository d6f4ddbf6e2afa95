//! One use in two shards: what a party signed binds it in all of them, and whoever is not bound by it is convicted.

use super::{
    crook::{anchor, first_header, on_chain, propose},
    mesh::Mesh,
    world::world_in_shards,
};
use crate::{
    effect::Refusal,
    message::{Address, Message, OpenedEpoch, PeerMessage},
    party::evidence::Evidence,
};
use primitives::{Encode, PartyId, Region};
use proofs::{
    bundle::{self, Bundle},
    cap::Spent,
    testing::{TestSubscriber, committee, event},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::cell::RefCell;

const ONE: PartyId = PartyId::ALL[0];
const TWO: PartyId = PartyId::ALL[1];
const THREE: PartyId = PartyId::ALL[2];
const LONG: u32 = 200;

/// Ten works in three shards.
fn opened<'a>() -> (Mesh<'a>, OpenedEpoch) {
    Mesh::opened_over(world_in_shards(10, 4))
}

/// A bundle of one event, which may lie, with the receipts of `first`.
fn again(
    opened: &OpenedEpoch,
    subscriber: &mut TestSubscriber,
    (first, shard): (&Bundle, usize),
    lie: impl FnOnce(&mut bundle::RawWitness),
) -> Bundle {
    let context = &opened.shards[shard];
    let mut events = vec![event(0, 0, true)];
    bundle::pad(context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let envelope = subscriber.envelope(context, first.envelope.region.0);
    let mut witness = bundle::RawWitness::honest(context, &subscriber.key, &events);
    lie(&mut witness);
    let open = (envelope, first.token, first.receipts.clone());
    let secrets =
        bundle::Secrets::with_fresh_masks(context, &subscriber.key, &subscriber.spent, &mut subscriber.rng);
    let proved =
        bundle::prove_whatever_the_witness_says(context, secrets, open, witness, &mut subscriber.rng);
    let (bundle, spent) = proved.expect("the committee's keys are valid");
    subscriber.spent = spent;
    bundle
}

/// Two bundles of two shards that spend one receipt.
fn one_receipt(opened: &OpenedEpoch) -> [Bundle; 2] {
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(&opened.shards[0], vec![event(1, 0, true)]);
    subscriber.spent = Spent::default();
    let second = again(opened, &mut subscriber, (&first, 1), |_| {});
    [first, second]
}

/// Two that go on from the same.
fn two_branches(opened: &OpenedEpoch) -> [Bundle; 2] {
    let mut subscriber = TestSubscriber::new(2);
    [0, 1].map(|shard: usize| {
        subscriber.spent = Spent::default();
        subscriber.bundle(&opened.shards[shard], vec![event(1, 0, false)])
    })
}

/// Two of two subscribers under one ephemeral.
fn one_ephemeral(opened: &OpenedEpoch) -> [Bundle; 2] {
    [0, 1].map(|shard: usize| {
        let mut subscriber = TestSubscriber::new(3 + shard as u64);
        let context = &opened.shards[shard];
        let mut events = vec![event(1, 0, false)];
        bundle::pad(context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
        let envelope = subscriber.envelope(context, None::<Region>);
        let (token, receipts) = subscriber.credentials(&envelope, &events);
        subscriber.rng = ChaCha20Rng::seed_from_u64(5);
        subscriber.prove(context, (envelope, token, receipts), &events).unwrap()
    })
}

fn show(mesh: &mut Mesh<'_>, party: PartyId, bundle: &Bundle) {
    mesh.tell(Address::Intake(party), Message::Submit(bundle.to_bytes().into()));
}

/// Whether a party voted for a header of a shard.
fn votes_of(party: PartyId, seen: &RefCell<Vec<PartyId>>) -> usize {
    seen.borrow().iter().filter(|voter| **voter == party).count()
}

#[test]
fn a_party_that_signs_for_one_use_in_two_shards_is_convicted() {
    for make in [one_receipt, two_branches, one_ephemeral] {
        let seen = RefCell::new(Vec::new());
        let (mut mesh, opened) = opened();
        let [first, second] = make(&opened);
        mesh.tamper = Box::new(|from, _, message| {
            if let PeerMessage::Vote(..) = message {
                seen.borrow_mut().push(from);
            }
            true
        });
        // Each honest party sees one of them, and signs for it.
        for (party, bundle) in [(TWO, &first), (THREE, &second)] {
            show(&mut mesh, party, bundle);
            let header = first_header(&opened, 0, &[bundle]);
            propose(&mut mesh, party, &header, &[bundle]);
            assert_eq!(votes_of(party, &seen), 1, "party {party} signs");
        }
        for (party, bundle) in [(TWO, &first), (THREE, &second)] {
            anchor(&mut mesh, &first_header(&opened, 0, &[bundle]), &[ONE, party]);
        }
        mesh.tick(20);
        let (culprit, reason) = mesh.aborted().expect("the epoch stops");
        assert_eq!(culprit, Some(ONE), "{reason}");
        let shown = mesh.evidence();
        assert!(!shown.is_empty());
        for evidence in shown {
            assert!(matches!(evidence, Evidence::DoubleUse(_)));
            assert_eq!(evidence.party(), ONE);
            let on_record = |shard, position| on_chain(&mesh, shard, position);
            assert_eq!(evidence.verify(&committee(11).public, on_record), Ok(()));
        }
        drop(mesh);
    }
}

/// Party 2 signed for a bundle that was struck and dropped, but may yet be final. It takes nothing in that uses the same
/// elsewhere until the chain has decided, a restart included.
#[test]
fn what_a_party_signed_for_binds_it_in_every_shard_until_the_chain_has_decided() {
    for restarts in [false, true] {
        let (mut mesh, opened) = opened();
        let mut subscriber = TestSubscriber::new(1);
        let receipts = subscriber.bundle(&opened.shards[0], vec![event(1, 0, true)]);
        subscriber.spent = Spent::default();
        let bad = again(&opened, &mut subscriber, (&receipts, 0), |w| w.unreadable = Some((THREE, THREE)));
        let clash = again(&opened, &mut subscriber, (&receipts, 1), |_| {});
        show(&mut mesh, TWO, &bad);
        // Nobody but party 1 has two signatures.
        mesh.tamper = Box::new(|_, _, message| !matches!(message, PeerMessage::Quorum(_)));
        let header = first_header(&opened, 0, &[&bad]);
        propose(&mut mesh, TWO, &header, &[&bad]);
        mesh.tamper = Box::new(|from, _, _| from != ONE);
        show(&mut mesh, THREE, &bad);
        mesh.tick(LONG);
        if restarts {
            mesh.stop(TWO);
            mesh.start(TWO);
        }
        show(&mut mesh, TWO, &clash);
        let by_two: Vec<_> = mesh.refusals(clash.id());
        assert_eq!(by_two, [(TWO, Refusal::MayBeCounted)], "restarts: {restarts}");
        anchor(&mut mesh, &header, &[ONE, TWO]);
        mesh.tamper = Box::new(|_, _, _| true);
        // After a restart party 2 has no names of the batch, and party 1 alone knows them.
        mesh.inject(ONE, TWO, PeerMessage::Batch(header.digest(), vec![bad.id()]));
        mesh.tick(LONG);
        show(&mut mesh, TWO, &clash);
        let for_good = (TWO, Refusal::SpentReceipt { receipt: 0 });
        assert_eq!(mesh.refusals(clash.id()).last(), Some(&for_good), "restarts: {restarts}");
        mesh.close();
        mesh.tick(LONG);
        mesh.assert_done();
        assert!(mesh.evidence().is_empty());
    }
}

/// After a restart a party knows nothing of what is final until it hears of it again. It signs nothing before, in no shard.
#[test]
fn a_party_that_is_not_back_in_one_shard_signs_in_none() {
    let seen = RefCell::new(Vec::new());
    let (mut mesh, opened) = opened();
    let [first, second] = two_branches(&opened);
    mesh.submit(&first.to_bytes());
    for seed in 10..13 {
        let bundle = TestSubscriber::new(seed).bundle(&opened.shards[0], vec![event(1, 0, false)]);
        mesh.submit(&bundle.to_bytes());
    }
    assert_eq!(mesh.batches().len(), 2, "two positions of shard 0 are final");
    mesh.stop(TWO);
    mesh.tamper = Box::new(|from, to, message| {
        if let PeerMessage::Vote(..) = message {
            seen.borrow_mut().push(from);
        }
        !(to == TWO && matches!(message, PeerMessage::Bundle(_) | PeerMessage::Batch(..)))
    });
    mesh.start(TWO);
    show(&mut mesh, TWO, &second);
    let header = first_header(&opened, 0, &[&second]);
    propose(&mut mesh, TWO, &header, &[&second]);
    mesh.tick(10);
    propose(&mut mesh, TWO, &header, &[&second]);
    assert_eq!(votes_of(TWO, &seen), 0);
    // Once it is back, it knows that the other branch is final.
    mesh.tamper = Box::new(|from, _, message| {
        if let PeerMessage::Vote(..) = message {
            seen.borrow_mut().push(from);
        }
        true
    });
    mesh.tick(10);
    propose(&mut mesh, TWO, &header, &[&second]);
    assert_eq!(votes_of(TWO, &seen), 0);
    let other = TestSubscriber::new(20).bundle(&opened.shards[1], vec![event(1, 0, false)]);
    show(&mut mesh, TWO, &other);
    propose(&mut mesh, TWO, &first_header(&opened, 1, &[&other]), &[&other]);
    assert_eq!(votes_of(TWO, &seen), 1);
    assert!(mesh.evidence().is_empty());
    drop(mesh);
}
