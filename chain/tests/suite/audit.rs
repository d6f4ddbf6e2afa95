//! The audit of published bundles: what it accepts, and what it finds that the light client cannot.
//!
//! Three parties here collude in whatever a test asks of them: they sign headers over any bundles, and open the totals.

use crate::world::*;
use chain::{
    Payload,
    light::{
        EpochRecord, SignerKeys,
        audit::{At, AuditError, Batch, Finding, audit, stream},
        record, verify,
    },
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{
    ChainId, Decode, Digest, Encode, EpochId, PartyId, Region, RegionTag, ShardIndex, Tier, field::Plain,
    limits,
};
use proofs::{
    blind::BlindKey,
    bundle::{Bundle, BundleError, Published, RawWitness, pad},
    epoch::EpochContext,
    inclusion::batch_root,
    receipt::Denomination,
    sharing::{Accepted, BatchShare, SHOWN_SHARE, SharePart, share_commitments},
    tally::Count,
    testing::{TestSubscriber, TierShares, challenges, event, issuer, other_issuer, receipt_issuer},
    wire::WirePoint,
};
use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
};

const SHARD: ShardIndex = ShardIndex(0);
/// Tokens of this tier are signed by the issuer whose secret the tests have.
const TIER: Tier = TIERS[0];

/// An epoch in which bundles are made and batches signed, whatever they hold.
struct Colluding {
    world: World,
    context: EpochContext,
    batches: Vec<Vec<Bundle>>,
}

/// A settled epoch: its record, and what is published of its bundles.
#[derive(Clone)]
struct Settled {
    record: EpochRecord,
    signers: SignerKeys,
    batches: Vec<Batch>,
}

impl Colluding {
    fn new() -> Self {
        let world = World::opened();
        let opening = world.ledger.state().openings.get(&FIRST).expect("open").clone();
        let region = Region::all().next().expect("a region");
        let receipts = Denomination::all().map(|d| ((region, d), receipt_issuer(d).public().clone()));
        let issuers: [(Tier, BlindKey); 2] =
            [(TIERS[0], issuer().public().clone()), (TIERS[1], other_issuer().public().clone())];
        let keys = opening.keys(issuers, receipts);
        let shard = opening.shards().expect("shards").swap_remove(0);
        let context = EpochContext::new(CHAIN, FIRST, keys, shard, opening.params.clone());
        Self { world, context, batches: Vec::new() }
    }

    /// A bundle of a subscriber, with what `lie` changes of its witness.
    fn lying(
        &self,
        subscriber: &mut TestSubscriber,
        work: u16,
        lie: impl FnOnce(&EpochContext, &mut RawWitness),
    ) -> Bundle {
        let mut events = vec![event(work, 0, false)];
        pad(&self.context, &mut events, &mut subscriber.used, &mut subscriber.rng).expect("padding is left");
        let mut envelope = subscriber.envelope(&self.context, None);
        envelope.tier = TIER;
        let (token, receipts) = subscriber.credentials(&envelope, &events);
        let mut witness = RawWitness::honest(&self.context, &subscriber.key, &events);
        lie(&self.context, &mut witness);
        subscriber.prove_raw(&self.context, (envelope, token, receipts), witness)
    }

    /// An honest bundle with an event of `work`, backed by a receipt if there is to be one.
    fn honest(&self, subscriber: &mut TestSubscriber, work: u16, backed: bool) -> Bundle {
        let mut events = vec![event(work, 0, backed)];
        pad(&self.context, &mut events, &mut subscriber.used, &mut subscriber.rng).expect("padding is left");
        let mut envelope =
            subscriber.envelope(&self.context, backed.then(|| Region::all().next().expect("a region")));
        envelope.tier = TIER;
        let (token, receipts) = subscriber.credentials(&envelope, &events);
        subscriber.prove(&self.context, (envelope, token, receipts), &events).expect("honest events")
    }

    /// All three parties sign a batch of these bundles, without a look at their proofs.
    fn sign(&mut self, bundles: Vec<Bundle>) {
        let count = bundles.len();
        self.sign_first(bundles, count);
    }

    /// They sign the sums of all these bundles, and the root over the first `count`.
    fn sign_first(&mut self, mut bundles: Vec<Bundle>, count: usize) {
        for bundle in &bundles {
            let accepted = as_if_verified(&self.context, bundle);
            let shares = PartyId::ALL.map(|share| {
                let keys = &self.world.kem[share.index()];
                let [seed, _] = bundle.open(&self.context, share, keys).expect("sealed to the committee");
                let response = (share == SHOWN_SHARE)
                    .then_some((&bundle.proof.vector_response[..], bundle.proof.blinding_response));
                let part = SharePart { seed: &seed, challenge: accepted.challenge, response };
                BatchShare::of(self.context.shard.width(), &[part])
            });
            let blindings = shares.each_ref().map(|share| share.blinding);
            let shares = TierShares { entries: shares.map(|share| share.entries.clone()), blindings };
            self.world.add(bundle.envelope.group(), &share_commitments(&[&accepted]), &shares);
        }
        bundles.truncate(count);
        let ids: Vec<_> = bundles.iter().map(|bundle| bundle.id()).collect();
        let mut header = self.world.header(FIRST, bundles.len() as u32).header;
        header.batch_root = batch_root(&ids);
        let signed = self.world.sign_header(header);
        self.world.anchor(signed);
        self.batches.push(bundles);
    }

    /// The parties open the totals; the ledger checks their proof and settles the epoch.
    fn settle(mut self) -> Settled {
        self.world.open_ok(Payload::AnchorRoot(self.world.root(FIRST)));
        let aggregate = self.world.aggregate(FIRST);
        self.world.open_ok(Payload::SubmitAggregate(aggregate));
        self.world.open_ok(finalise(FIRST));
        self.world.seal();
        let batches = (0..).zip(&self.batches).map(|(position, bundles)| {
            let statements = bundles.iter().map(|bundle| bundle.published().to_bytes()).collect();
            Batch { shard: SHARD, position, statements }
        });
        Settled {
            batches: batches.collect(),
            record: record(&self.world.ledger, FIRST).expect("settled"),
            signers: SignerKeys::from(&self.context.keys),
        }
    }
}

/// What an honest verifier would keep of a bundle, whether or not its proof holds.
fn as_if_verified(context: &EpochContext, bundle: &Bundle) -> Accepted {
    let (_, _, challenge) = challenges(context, bundle);
    let read = |point: &WirePoint| point.decompress().expect("an element");
    let spent = read(&bundle.previous) + read(&bundle.proof.value);
    Accepted {
        challenge,
        vector: read(&bundle.vector),
        masks: bundle.masks.each_ref().map(read),
        spent: spent.into(),
    }
}

impl Settled {
    fn findings(&self) -> Vec<Finding> {
        let batches = self.batches.iter().cloned().map(Ok::<_, Infallible>);
        match audit(&self.record, &self.signers, None, batches, |_| {}) {
            Ok(_) => Vec::new(),
            Err(AuditError::Refused { findings }) => findings,
            Err(error) => panic!("{error}"),
        }
    }

    /// The findings after a change, of which there are some.
    fn after(&self, change: impl FnOnce(&mut Vec<Batch>)) -> Vec<Finding> {
        let mut changed = self.clone();
        change(&mut changed.batches);
        assert!(changed.batches != self.batches, "a change");
        let findings = changed.findings();
        assert!(!findings.is_empty(), "something is found");
        findings
    }

    fn published(&self, position: usize, place: usize) -> Published {
        Published::from_bytes(&self.batches[position].statements[place]).expect("a bundle")
    }
}

fn at(position: u64, place: u32) -> At {
    At { shard: SHARD, position, place }
}

/// An honest epoch of four bundles in two batches, and one that passes the lead on.
fn honest() -> &'static Settled {
    static SETTLED: OnceLock<Settled> = OnceLock::new();
    SETTLED.get_or_init(|| {
        let mut parties = Colluding::new();
        let [mut one, mut two] = [1, 2].map(TestSubscriber::new);
        let first = vec![parties.honest(&mut one, 0, true), parties.honest(&mut two, 1, false)];
        // The later bundle of a subscriber comes first in its batch: bundles of several shards have no order at all.
        let second = vec![parties.honest(&mut one, 2, false), parties.honest(&mut one, 3, true)];
        parties.sign(first);
        parties.sign(Vec::new());
        parties.sign(second.into_iter().rev().collect());
        parties.settle()
    })
}

#[test]
fn an_honest_epoch_passes() {
    let settled = honest();
    let root = verify(&settled.record, None).expect("sound").state_root;
    let mut done = Vec::new();
    let batches = || settled.batches.iter().cloned().map(Ok::<_, Infallible>);
    let verdict = audit(&settled.record, &settled.signers, Some(root), batches(), |n| done.push(n));
    let verdict = verdict.expect("honest bundles");
    assert_eq!((verdict.light.batches, verdict.light.bundles), (3, 4));
    assert_eq!((verdict.events, verdict.receipts, verdict.subscribers), (4 * 8, 2, 2));
    assert_eq!((verdict.gaps, done), (Vec::new(), vec![2, 0, 2]));
    // Against another root the record is refused before a bundle is looked at.
    let refused = audit(&settled.record, &settled.signers, Some(Digest([1; 32])), batches(), |_| {});
    assert!(matches!(refused, Err(AuditError::Record(_))));
}

/// "All three together ... can anchor commitments of bundles that never existed" is what the audit is there for.
#[test]
fn a_leaf_that_three_parties_signed_without_a_valid_proof_is_named() {
    let mut parties = Colluding::new();
    let first = vec![parties.honest(&mut TestSubscriber::new(1), 0, false)];
    // One event, and a vector with 64 views of its work: nothing but check (f) tells.
    let votes = parties.lying(&mut TestSubscriber::new(2), 0, |context, witness| {
        let votes = Count { listeners: 1, backed: 0, views: 64, value: 64 << limits::EVENT_VALUE_BITS };
        let mut vector = vec![Scalar::ZERO; context.shard.width()];
        vector[0] = votes.to_scalar();
        witness.vector = Some(vector);
    });
    let id = votes.id();
    let honest = parties.honest(&mut TestSubscriber::new(3), 1, false);
    parties.sign(first);
    parties.sign(vec![honest, votes]);
    let settled = parties.settle();
    // The light client takes the running commitments as they are signed, and the votes for plays.
    verify(&settled.record, None).expect("the record holds");
    let views: u64 = settled.record.works.iter().map(|work| work.views).sum();
    assert_eq!(views, 66, "of three bundles with one event each");
    let expected = Finding::Bundle { at: at(1, 1), id, error: BundleError::Amount };
    assert_eq!(
        expected.to_string(),
        format!("bundle 1 of batch 1 of shard 0, {id}: {}", BundleError::Amount)
    );
    assert_eq!(settled.findings(), [expected]);
}

/// A leaf of which nothing is published, or anything at all.
#[test]
fn a_leaf_without_a_bundle_is_named() {
    let settled = honest();
    let gone = settled.after(|batches| drop(batches[0].statements.remove(1)));
    let count = Finding::Count { shard: SHARD, position: 0, expected: 2, found: 1 };
    assert_eq!(gone, [count, Finding::BatchRoot { shard: SHARD, position: 0 }]);
    let noise = settled.after(|batches| batches[2].statements[1] = vec![7; 100]);
    assert!(noise.contains(&Finding::BatchRoot { shard: SHARD, position: 2 }));
    assert!(noise.iter().any(|f| matches!(f, Finding::Unreadable { at: place, .. } if *place == at(2, 1))));
    let more = settled.after(|batches| {
        let again = batches[0].statements[0].clone();
        batches[0].statements.push(again);
    });
    let count = Finding::Count { shard: SHARD, position: 0, expected: 2, found: 3 };
    assert_eq!(more[..2], [count, Finding::BatchRoot { shard: SHARD, position: 0 }]);
    assert!(
        more.iter().any(|f| matches!(f, Finding::Replay { first, .. } if *first == at(0, 0))),
        "{more:?}"
    );
}

#[test]
fn batches_and_bundles_have_their_places() {
    let settled = honest();
    let (shard, root) = (SHARD, |position| Finding::BatchRoot { shard: SHARD, position });
    assert_eq!(settled.after(|batches| batches[0].statements.swap(0, 1)), [root(0)]);
    let swapped = settled.after(|batches| {
        let [first, _, third] = &mut batches[..] else { panic!("three batches") };
        std::mem::swap(&mut first.statements[0], &mut third.statements[0]);
    });
    assert_eq!(swapped, [root(0), root(2)]);
    // A batch that is missing takes its bundles along: what goes on from them has nothing before it, and no more.
    assert_eq!(settled.after(|batches| drop(batches.remove(0))), [Finding::Missing { shard, position: 0 }]);
    assert_eq!(settled.after(|batches| drop(batches.remove(1))), [Finding::Missing { shard, position: 1 }]);
    assert_eq!(settled.after(|batches| drop(batches.pop())), [Finding::Missing { shard, position: 2 }]);
    let exchanged = settled.after(|batches| batches.swap(0, 1));
    assert_eq!(
        exchanged,
        [Finding::Missing { shard, position: 0 }, Finding::Unexpected { shard, position: 0 }]
    );
    let beyond = settled.after(|batches| batches.push(Batch { position: 3, ..batches[1].clone() }));
    assert_eq!(beyond, [Finding::Unexpected { shard, position: 3 }]);
    let twice = settled.after(|batches| batches.insert(1, batches[0].clone()));
    assert_eq!(twice, [Finding::Unexpected { shard, position: 0 }]);
    let elsewhere = ShardIndex(1);
    let other = settled.after(|batches| batches.push(Batch { shard: elsewhere, ..batches[0].clone() }));
    assert_eq!(other, [Finding::Unexpected { shard: elsewhere, position: 0 }]);
}

/// Each field of what is published, changed in turn, and what an audit says of that bundle.
#[test]
fn no_field_of_what_is_published_can_be_changed() {
    let settled = honest();
    let bundle = settled.published(0, 0);
    let point = WirePoint::from(RistrettoPoint::default());
    type Change = fn(&mut Published, WirePoint);
    let changes: [(Change, Option<BundleError>); 22] = [
        (|b, _| b.envelope.chain = ChainId(1), Some(BundleError::OtherContext)),
        (|b, _| b.envelope.epoch = EpochId(FIRST.0 + 1), Some(BundleError::OtherContext)),
        (|b, _| b.envelope.shard = ShardIndex(1), Some(BundleError::OtherContext)),
        (|b, _| b.envelope.window = 3, Some(BundleError::Digits)),
        (|b, _| b.envelope.tier = TIERS[1], Some(BundleError::Token)),
        (|b, _| b.envelope.region = RegionTag(Region::all().nth(1)), None),
        (|b, p| b.envelope.key = p, Some(BundleError::Token)),
        (|b, _| b.token[9] ^= 1, Some(BundleError::Token)),
        (|b, _| b.receipts[0].serial[0] ^= 1, Some(BundleError::Receipt { receipt: 0 })),
        (|b, p| b.vector = p, Some(BundleError::Digits)),
        (|b, p| b.masks[1] = p, Some(BundleError::Digits)),
        (|b, _| b.ephemerals.swap(0, 1), Some(BundleError::Digits)),
        (|b, _| b.tags.swap(0, 1), Some(BundleError::Digits)),
        (|b, p| b.proof.digits = p, Some(BundleError::Digits)),
        (|b, p| b.proof.tag_mask = p, Some(BundleError::Digits)),
        (|b, p| b.proof.coefficients[0] = p, Some(BundleError::Digits)),
        (|b, _| b.proof.responses[5] += Plain::from(1u128), Some(BundleError::Digits)),
        (|b, _| b.proof.vector_response[0] += Plain::from(1u128), Some(BundleError::Vector)),
        (|b, _| b.proof.coefficient_response += Plain::from(1u128), Some(BundleError::Amount)),
        (|b, _| b.proof.key_response += Plain::from(1u128), Some(BundleError::Tags)),
        (
            |b, _| b.proof.ephemeral_responses[2] += Plain::from(1u128),
            Some(BundleError::Ephemeral { share: PartyId::ALL[2] }),
        ),
        (|b, _| b.proof.cap.bytes[100] ^= 1, Some(BundleError::Cap)),
    ];
    for (number, (change, error)) in changes.into_iter().enumerate() {
        let mut changed = bundle.clone();
        change(&mut changed, point);
        let id = changed.id();
        let findings = settled.after(|batches| batches[0].statements[0] = changed.to_bytes());
        assert_eq!(findings[0], Finding::BatchRoot { shard: SHARD, position: 0 }, "change {number}");
        let found = &findings[1];
        match error {
            Some(error) => assert_eq!(*found, Finding::Bundle { at: at(0, 0), id, error }, "change {number}"),
            None => assert!(found.is_of_a_proof(), "change {number}: {found}"),
        }
    }
    // The digest of the ciphertexts, of which nothing else is there, and bytes in general.
    let whole = &settled.batches[0].statements[0];
    for byte in (0..whole.len()).step_by(97) {
        settled.after(|batches| batches[0].statements[0][byte] ^= 1);
    }
}

#[test]
fn bundles_of_another_epoch_are_found() {
    let settled = honest();
    let mut parties = Colluding::new();
    let (keys, shard) = (parties.context.keys.clone(), parties.context.shard.clone());
    let next = EpochId(FIRST.0 + 1);
    parties.context = EpochContext::new(CHAIN, next, keys, shard, parties.context.params.clone());
    let foreign = parties.honest(&mut TestSubscriber::new(1), 0, true);
    let findings = settled.after(|batches| batches[0].statements[0] = foreign.published().to_bytes());
    let expected = Finding::Bundle { at: at(0, 0), id: foreign.id(), error: BundleError::OtherContext };
    assert_eq!(findings, [Finding::BatchRoot { shard: SHARD, position: 0 }, expected]);
    // Under keys of other signers nothing holds.
    let mut keys = settled.clone();
    keys.signers.receipts[0].key = keys.signers.receipts[1].key.clone();
    assert_eq!(keys.findings().iter().filter(|finding| finding.is_of_a_proof()).count(), 4);
}

/// Rules that no bundle breaks by itself: three parties that sign anyway are found out.
#[test]
fn what_may_be_there_once_is_there_once() {
    let epoch = |make: &dyn Fn(&Colluding) -> Vec<Bundle>| {
        let mut parties = Colluding::new();
        for bundle in make(&parties) {
            parties.sign(vec![bundle]);
        }
        let settled = parties.settle();
        verify(&settled.record, None).expect("the record holds");
        settled
    };
    let id = |settled: &Settled, position| settled.published(position, 0).id();
    let (key, first) = (TestSubscriber::new(1).key.public(), at(0, 0));

    // An event in two bundles, the second going on from the first.
    let replayed = epoch(&|parties| {
        let mut subscriber = TestSubscriber::new(1);
        vec![parties.honest(&mut subscriber, 0, false), parties.honest(&mut subscriber, 0, false)]
    });
    let found = replayed.findings();
    let [Finding::Replay { at: second, event: repeated, .. }] = found[..] else { panic!("{found:?}") };
    assert_eq!(second, at(1, 0));
    assert!(repeated < 8);

    // Two bundles from the beginning: each has the whole cap for itself.
    let branched = epoch(&|parties| {
        let mut subscriber = TestSubscriber::new(1);
        let one = parties.honest(&mut subscriber, 0, false);
        subscriber.spent = Default::default();
        vec![one, parties.honest(&mut subscriber, 1, false)]
    });
    assert_eq!(branched.findings(), [Finding::Branch { at: at(1, 0), id: id(&branched, 1), first }]);

    // More bundles than the tier allows, in one chain.
    let many = epoch(&|parties| {
        let mut subscriber = TestSubscriber::new(1);
        (0..5).map(|work| parties.honest(&mut subscriber, work, false)).collect()
    });
    assert_eq!(many.findings(), [Finding::TooManyBundles { key, tier: TIER, limit: 4, found: 5 }]);

    // More subscribers than subscriptions were sold.
    let unsold =
        epoch(&|parties| (1..=4).map(|s| parties.honest(&mut TestSubscriber::new(s), 0, false)).collect());
    assert_eq!(unsold.findings(), [Finding::Unsold { tier: TIER, sold: SOLD, found: 4 }]);

    // The same receipts in two bundles.
    let spent = epoch(&|parties| {
        let mut subscriber = TestSubscriber::new(1);
        let one = parties.honest(&mut subscriber, 0, true);
        let mut events = vec![event(1, 0, true)];
        pad(&parties.context, &mut events, &mut subscriber.used, &mut subscriber.rng)
            .expect("padding is left");
        let open = (one.envelope.clone(), one.token, one.receipts.clone());
        let two = subscriber.prove(&parties.context, open, &events).expect("honest events");
        vec![one, two]
    });
    let expected = Finding::SpentReceipt { at: at(1, 0), id: id(&spent, 1), receipt: 0, first };
    assert_eq!(spent.findings(), [expected]);

    // A bundle between two others that was left out: no finding, and no claim about the cap.
    let gap = epoch(&|parties| {
        let mut subscriber = TestSubscriber::new(1);
        let [one, _, three] = [0, 1, 2].map(|work| parties.honest(&mut subscriber, work, false));
        vec![one, three]
    });
    let batches = gap.batches.iter().cloned().map(Ok::<_, Infallible>);
    let verdict = audit(&gap.record, &gap.signers, None, batches, |_| {}).expect("all that is there holds");
    assert_eq!(verdict.gaps, [(at(1, 0), id(&gap, 1))]);
}

/// Commitments that no bundle accounts for, beside bundles that all hold.
#[test]
fn running_commitments_without_a_bundle_are_found() {
    let mut parties = Colluding::new();
    let [one, two, hidden] = [1, 2, 3].map(|n| parties.honest(&mut TestSubscriber::new(n), 0, false));
    parties.sign(vec![one]);
    parties.sign_first(vec![two, hidden], 1);
    let settled = parties.settle();
    verify(&settled.record, None).expect("the record holds");
    assert_eq!(settled.findings(), [Finding::Running { shard: SHARD, position: 1 }]);
}

#[test]
fn a_stream_gives_back_what_was_written_and_says_where_it_breaks_off() {
    let settled = honest();
    let of = (CHAIN, FIRST);
    let mut bytes = Vec::new();
    stream::begin(&mut bytes, of).expect("room");
    for batch in &settled.batches {
        let read = |bytes: &Vec<u8>| Arc::new(Published::from_bytes(bytes).expect("a bundle"));
        let published: Vec<_> = batch.statements.iter().map(read).collect();
        stream::write_batch(&mut bytes, (batch.shard, batch.position), &published).expect("room");
    }
    let read = |bytes: &[u8]| stream::Batches::open(bytes, of)?.collect::<Result<Vec<_>, _>>();
    assert_eq!(read(&bytes).expect("whole"), settled.batches);
    let other = stream::Batches::open(&bytes[..], (CHAIN, EpochId(9))).map(|_| ());
    assert!(matches!(
        other,
        Err(stream::StreamError::OtherEpoch { epoch: EpochId(9), found_epoch: FIRST, .. })
    ));
    let mut ends = 0;
    for length in (0..bytes.len()).step_by(7).chain([33, bytes.len() - 1]) {
        match read(&bytes[..length]) {
            Ok(batches) => {
                ends += 1;
                assert!(settled.batches.starts_with(&batches) && batches.len() < settled.batches.len());
            }
            Err(stream::StreamError::Format) => assert!(length < 33),
            Err(stream::StreamError::CutOff { position, .. }) => assert!(position < 3),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(ends > 0, "a stream that ends between batches lacks the later ones");
    let mut long = bytes.clone();
    long[33 + 12..][..4].fill(0xff);
    assert!(matches!(read(&long), Err(stream::StreamError::TooMany { what: "bundles", .. })));
    let mut long = bytes.clone();
    long[33 + 16..][..4].fill(0xff);
    assert!(matches!(read(&long), Err(stream::StreamError::TooMany { what: "bytes of a bundle", .. })));
    bytes[0] ^= 1;
    assert!(matches!(read(&bytes), Err(stream::StreamError::Format)));
}
