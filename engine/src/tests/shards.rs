//! An epoch of three shards: each is counted by itself, and what a bundle uses up is used up in all of them.

use super::{
    mesh::{Mesh, sign},
    world::{EPOCH, world_in_shards},
};
use crate::{
    effect::Refusal,
    message::{Objection, OpenedEpoch, PeerMessage, Phase},
};
use chain::light;
use primitives::{Digest, Encode, PartyId, ShardIndex, WorkId, merkle};
use proofs::{
    bundle::{self, Bundle, BundleError, EventWitness},
    tally::Count,
    testing::{TestSubscriber, event},
};
use std::{cell::RefCell, collections::BTreeMap};

const ATTACKER: PartyId = PartyId::ALL[0];

/// Ten works in three shards of four, three and three.
fn opened<'a>() -> (Mesh<'a>, OpenedEpoch) {
    let (mesh, opened) = Mesh::opened_over(world_in_shards(10, 4));
    let sizes: Vec<usize> = opened.shards.iter().map(|context| context.shard.works().len()).collect();
    assert_eq!(sizes, [4, 3, 3]);
    (mesh, opened)
}

fn by_all(refusal: &Refusal) -> Vec<(PartyId, Refusal)> {
    PartyId::ALL.map(|party| (party, refusal.clone())).to_vec()
}

/// What events count of each work, added up in the open.
#[derive(Default)]
struct PlainSums(BTreeMap<WorkId, Count>);

impl PlainSums {
    fn add(&mut self, opened: &OpenedEpoch, shard: usize, events: &[EventWitness]) {
        let context = &opened.shards[shard];
        for event in events {
            let work = context.shard.works()[usize::from(event.work.0)];
            let value = u64::from(context.params.view_value(event.view)) * u64::from(event.quarters);
            let (listeners, backed) = (u64::from(event.view == 0), u64::from(event.backed));
            *self.0.entry(work).or_default() += Count { listeners, backed, views: 1, value };
        }
    }
}

#[test]
fn an_epoch_of_three_shards_goes_from_bundles_to_a_record_that_verifies() {
    let (mut mesh, opened) = opened();
    let mut sums = PlainSums::default();
    let mut handed_in = 0;
    for seed in 0..5u16 {
        let mut subscriber = TestSubscriber::new(u64::from(seed));
        // Everybody is in two shards or three, and hands in a bundle for each.
        for shard in (0..3).filter(|shard| (usize::from(seed) + shard) % 4 != 0) {
            let backed = seed % 2 == 0;
            let mut events = vec![event(seed % 3, 0, backed), event(seed % 3, 1, false)];
            events[1].quarters = 1 + (seed % 4) as u8;
            sums.add(&opened, shard, &events);
            let bundle = subscriber.bundle(&opened.shards[shard], events);
            assert_eq!(bundle.envelope.shard, ShardIndex(shard as u32));
            mesh.submit(&bundle.to_bytes());
            handed_in += 1;
        }
    }
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), handed_in);

    let node = mesh.node.lock().unwrap();
    let record = node.record(EPOCH).unwrap();
    let verdict = light::verify(&record, None).unwrap();
    assert_eq!((verdict.shards, verdict.works, verdict.bundles), (3, 10, handed_in as u64));
    assert!(record.shards.iter().all(|shard| !shard.headers.is_empty()));
    for work in &record.works {
        let counted = sums.0.get(&work.work_id).copied().unwrap_or_default();
        let (listeners, backed, views) = (work.listeners, work.backed, work.views);
        assert_eq!(Count { listeners, backed, views, value: work.raw_usage }, counted, "{}", work.work_id);
    }
}

#[test]
fn an_epoch_ends_in_which_only_one_shard_has_a_bundle() {
    let (mut mesh, opened) = opened();
    let bundle = TestSubscriber::new(1).bundle(&opened.shards[2], vec![event(0, 0, false)]);
    mesh.submit(&bundle.to_bytes());
    mesh.close();
    mesh.assert_done();
    light::verify(&mesh.node.lock().unwrap().record(EPOCH).unwrap(), None).unwrap();
}

#[test]
fn a_bundle_for_one_shard_is_refused_in_another() {
    let (mut mesh, opened) = opened();
    let honest = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, true)]);
    for elsewhere in &opened.shards[1..] {
        let checked = bundle::verify_batch(elsewhere, &[&honest], &mut rand_core::OsRng);
        assert_eq!(checked, [Err(BundleError::OtherContext)]);
    }
    // With another shard on the envelope it is a bundle of that shard, whose proof is of other works.
    let turned = |shard| {
        let mut turned = honest.clone();
        turned.envelope.shard = ShardIndex(shard);
        turned
    };
    for (shard, expected) in [
        (1, Refusal::Proof(BundleError::Digits)),
        (2, Refusal::Proof(BundleError::Digits)),
        (3, Refusal::UnknownShard { shard: ShardIndex(3) }),
    ] {
        let turned = turned(shard);
        mesh.submit(&turned.to_bytes());
        assert_eq!(mesh.refusals(turned.id()), by_all(&expected));
    }
    mesh.submit(&honest.to_bytes());
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches(), [vec![honest.id()]]);
}

/// A bundle that shows again what another showed: its receipts.
fn with_receipts_of(
    first: &Bundle,
    subscriber: &mut TestSubscriber,
    opened: &OpenedEpoch,
    shard: usize,
) -> Bundle {
    let context = &opened.shards[shard];
    let mut events = vec![event(2, 0, true)];
    bundle::pad(context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let region = first.envelope.region.0;
    let envelope = subscriber.envelope(context, region);
    let parts = (envelope, first.token, first.receipts.clone());
    subscriber.prove(context, parts, &events).unwrap()
}

#[test]
fn a_receipt_that_was_spent_in_one_shard_is_spent_in_all() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(&opened.shards[0], vec![event(1, 0, true)]);
    mesh.submit(&first.to_bytes());
    for shard in 0..3 {
        let again = with_receipts_of(&first, &mut subscriber, &opened, shard);
        mesh.submit(&again.to_bytes());
        assert_eq!(mesh.refusals(again.id()), by_all(&Refusal::SpentReceipt { receipt: 0 }), "shard {shard}");
    }
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches(), [vec![first.id()]]);
}

#[test]
fn the_limit_of_a_tier_counts_bundles_of_all_shards() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let bundles = [0, 1, 2, 1].map(|shard: usize| {
        let events = vec![event(1, if shard == 1 { subscriber.used.len() as u16 % 30 } else { 0 }, false)];
        subscriber.bundle(&opened.shards[shard], events)
    });
    bundles.iter().for_each(|bundle| mesh.submit(&bundle.to_bytes()));
    assert!(bundles[..3].iter().all(|bundle| mesh.refusals(bundle.id()).is_empty()));
    assert_eq!(mesh.refusals(bundles[3].id()), by_all(&Refusal::TooManyBundles { limit: 3 }));
}

#[test]
fn no_party_votes_for_a_bundle_of_another_shard() {
    let objected = RefCell::new(Vec::new());
    let (mut mesh, opened) = opened();
    let elsewhere = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(0, 0, false)]);
    let (foreign, elsewhere) = (elsewhere.id(), elsewhere.to_bytes());
    mesh.tamper = Box::new(|_, _, message| {
        match message {
            PeerMessage::Propose(header, ids, signature) if header.shard == ShardIndex(1) => {
                *ids = vec![foreign];
                (header.count, header.batch_root) = (1, merkle::root(&[merkle::leaf(&foreign.0)]));
                *signature = sign(header.leader(), header);
            }
            PeerMessage::Object(_, objections) => objected.borrow_mut().extend(objections.clone()),
            _ => {}
        }
        true
    });
    mesh.submit(&elsewhere);
    mesh.submit(&TestSubscriber::new(2).bundle(&opened.shards[1], vec![event(0, 0, false)]).to_bytes());
    mesh.close();
    assert_eq!((mesh.phase(), mesh.aborted()), (Phase::Close, None));
    assert_eq!(mesh.batches(), [vec![foreign]], "in its own shard it is counted");
    drop(mesh);
    assert_eq!(objected.into_inner(), [(foreign, Objection::Refused); 2]);
}

#[test]
fn a_party_that_objects_to_everybody_but_one_in_a_shard_keeps_nobody_out() {
    let proposed = RefCell::new(BTreeMap::<Digest, (ShardIndex, Vec<Digest>)>::new());
    let victim = RefCell::new(None);
    let (mut mesh, opened) = opened();
    mesh.tamper = Box::new(|from, _, message| {
        if let PeerMessage::Propose(header, ids, _) = message {
            proposed.borrow_mut().insert(header.digest(), (header.shard, ids.clone()));
        }
        if let PeerMessage::Vote(digest, _) = message
            && from == ATTACKER
            && let (ShardIndex(1), ids) = &proposed.borrow()[digest]
        {
            let left: Vec<_> = ids.iter().filter(|id| Some(**id) != *victim.borrow()).copied().collect();
            if !left.is_empty() {
                let objections = left.into_iter().map(|id| (id, Objection::Share)).collect();
                *message = PeerMessage::Object(*digest, objections);
            }
        }
        true
    });
    let bundle = |seed: u64, shard: usize| {
        TestSubscriber::new(seed).bundle(&opened.shards[shard], vec![event(1, 0, false)])
    };
    for seed in 0..12 {
        mesh.submit(&bundle(seed, 0).to_bytes());
    }
    for seed in 12..20 {
        let bundle = bundle(seed, 1);
        victim.borrow_mut().get_or_insert(bundle.id());
        mesh.submit(&bundle.to_bytes());
    }
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 20);
}

/// Proposals of the bundle's own shard may hold it: dropped on another shard's letter, it would be missed there.
#[test]
fn a_complaint_in_a_letter_of_another_shard_is_the_fault_of_its_sender() {
    let (mut mesh, opened) = opened();
    let ([one, two, _], context) = (PartyId::ALL, &opened.shards[1]);
    let spoil = |w: &mut bundle::RawWitness| w.spoiled_share = Some(two);
    let bad = TestSubscriber::new(9).lying_bundle(context, vec![event(0, 0, false)], spoil);
    mesh.submit(&bad.to_bytes());
    let accepted = bundle::verify(context, &bad).expect("the proof holds");
    let (key, mut rng) = (&proofs::testing::committee(11).kem[two.index()], TestSubscriber::new(8).rng);
    let about = (bad.id(), &bad, &accepted);
    let complaint = proofs::sharing::Complaint::new(context, about, (two, key), two, &mut rng).unwrap();
    mesh.inject(two, one, PeerMessage::Complaint(complaint));
    assert_eq!(mesh.aborted().expect("the epoch stops").0, Some(two));
}

/// Bundles may overtake each other on their way: each waits for the one that it goes on from.
#[test]
fn bundles_of_a_subscriber_are_taken_in_whatever_order_they_come() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let bundles =
        [0, 1, 2].map(|shard: usize| subscriber.bundle(&opened.shards[shard], vec![event(0, 0, true)]));
    for at in [2, 1, 0] {
        assert_eq!(mesh.provisional(), 0);
        mesh.submit(&bundles[at].to_bytes());
    }
    assert_eq!(mesh.provisional(), 9, "three bundles with each of three parties");
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 3);
}

#[test]
fn a_bundle_that_waits_in_vain_is_refused_when_the_window_closes() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let mut next = |shard: usize, view| subscriber.bundle(&opened.shards[shard], vec![event(0, view, false)]);
    let [missing, waits, too_many] = [next(0, 0), next(1, 0), next(2, 0)];
    mesh.submit(&waits.to_bytes());
    mesh.submit(&too_many.to_bytes());
    assert_eq!(mesh.refusals(waits.id()), []);
    mesh.close();
    mesh.assert_done();
    for bundle in [&waits, &too_many] {
        assert_eq!(mesh.refusals(bundle.id()), by_all(&Refusal::SpentElsewhere));
    }
    assert_eq!(mesh.refusals(missing.id()), []);
    assert_eq!(mesh.batches().concat(), []);
}

/// A second branch of what was spent is refused at once, whether the first was counted or waits.
#[test]
fn a_subscriber_has_one_chain_of_values() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let start = subscriber.spent.clone();
    let mut bundle = |shard: usize, work, spent: Option<&proofs::cap::Spent>| {
        if let Some(spent) = spent {
            subscriber.spent = spent.clone();
        }
        let made = subscriber.bundle(&opened.shards[shard], vec![event(work, 0, false)]);
        (made, subscriber.spent.clone())
    };
    let (first, once) = bundle(0, 0, None);
    let (branch, _) = bundle(1, 0, Some(&start));
    let (second, _) = bundle(2, 0, Some(&once));
    let (other_second, _) = bundle(2, 1, Some(&once));
    mesh.submit(&second.to_bytes());
    mesh.submit(&other_second.to_bytes());
    assert_eq!(mesh.refusals(other_second.id()), by_all(&Refusal::SpentElsewhere), "one waits for a place");
    mesh.submit(&first.to_bytes());
    mesh.submit(&branch.to_bytes());
    assert_eq!(mesh.refusals(branch.id()), by_all(&Refusal::SpentElsewhere));
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 2);
}

/// What waits in vain takes little room, and what finds none may come again.
#[test]
fn a_subscriber_has_few_bundles_that_wait() {
    let (mut mesh, opened) = opened();
    let mut subscriber = TestSubscriber::new(1);
    let bundles = [0, 1, 2, 0].map(|shard: usize| {
        let view = subscriber.used.len() as u16 % 30;
        subscriber.bundle(&opened.shards[shard], vec![event(1, view, false)])
    });
    let [first, waiting @ ..] = &bundles;
    waiting.iter().for_each(|bundle| mesh.submit(&bundle.to_bytes()));
    let too_far = &bundles[3];
    assert_eq!(mesh.refusals(too_far.id()), by_all(&Refusal::TooFarAhead));
    mesh.submit(&first.to_bytes());
    assert_eq!(mesh.provisional(), 9);
    mesh.submit(&too_far.to_bytes());
    let again = &mesh.refusals(too_far.id())[3..];
    assert_eq!(again, by_all(&Refusal::TooManyBundles { limit: 3 }), "looked at anew, and no copy");
}
