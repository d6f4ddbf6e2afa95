//! What convicts by two final bundles that use the same, and what does not.

use super::*;
use crate::party::evidence::Evidence;
use primitives::{Decode, Encode, EpochId, Preset, Region};
use proofs::{
    bundle::{self, Bundle},
    inclusion::{FinalBatch, batch_root},
    tally::BatchHeader,
    testing::{TestCommittee, TestSubscriber, committee, context, event},
};

const TWO: PartyId = PartyId::ALL[1];
const OTHER: Digest = Digest([9; 32]);

/// A header of a position over two bundles, and the second of them, signed for by party 2.
fn counted(keys: &TestCommittee, shard: u32, bundle: &Bundle) -> Counted {
    let ids = [OTHER, bundle.id()];
    let header = BatchHeader {
        chain: bundle.envelope.chain,
        epoch: bundle.envelope.epoch,
        shard: ShardIndex(shard),
        view: 0,
        position: 0,
        previous: Digest::default(),
        batch_root: batch_root(&ids),
        count: 2,
        running: Default::default(),
    };
    let place = FinalBatch::new(&header, ids.to_vec()).receipt(1).expect("it has two");
    let signature = keys.signers[TWO.index()].sign(&header.signing_digest());
    Counted { signed: Signed { header, signature }, place, bundle: bundle.published().as_ref().clone() }
}

/// A bundle with receipts, one that spends the same and goes on from it, and one that has nothing of theirs.
fn bundles(keys: &TestCommittee) -> [Bundle; 3] {
    let context = context(keys, 10, Preset::Spec.params());
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(&context, vec![event(1, 0, true)]);
    let mut events = vec![event(2, 0, true)];
    bundle::pad(&context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let envelope = subscriber.envelope(&context, Region::all().next());
    let open = (envelope, first.token, first.receipts.clone());
    let again = subscriber.prove(&context, open, &events).unwrap();
    let strange = TestSubscriber::new(2).bundle(&context, vec![event(1, 0, false)]);
    [first, again, strange]
}

#[test]
fn two_final_bundles_that_use_the_same_convict_who_signed_for_both_and_nothing_less_does() {
    let keys = committee(11);
    let [first, again, strange] = bundles(&keys);
    let found = |first, second| DoubleUse { party: TWO, first, second };
    let at = |shard, bundle| counted(&keys, shard, bundle);
    let guilty = found(at(0, &first), at(1, &again));
    let chain = |evidence: &DoubleUse| {
        let headers = [&evidence.first, &evidence.second].map(|c| c.signed.header.clone());
        move |shard: ShardIndex, position| {
            let there = |h: &&BatchHeader| (h.shard, h.position) == (shard, position);
            headers.iter().find(there).map(BatchHeader::digest)
        }
    };
    let check = |evidence: &DoubleUse| evidence.verify(&keys.public, chain(evidence));
    assert_eq!(check(&guilty), Ok(()));
    let evidence = Evidence::DoubleUse(Box::new(guilty.clone()));
    assert_eq!(Evidence::from_bytes(&evidence.to_bytes()), Ok(evidence.clone()));
    assert_eq!((evidence.party(), evidence.verify(&keys.public, chain(&guilty))), (TWO, Ok(())));

    // A header that the chain did not anchor: whoever signed it may sign for the same elsewhere.
    let nothing = guilty.verify(&keys.public, |_, _| None);
    assert_eq!(nothing, Err(EvidenceError::NotAnchored { position: 0 }));
    let framed = DoubleUse { party: PartyId::ALL[0], ..guilty.clone() };
    assert!(matches!(check(&framed), Err(EvidenceError::Signature(_))));
    let nothing_shared = found(at(0, &first), at(1, &strange));
    assert_eq!(check(&nothing_shared), Err(EvidenceError::NothingShared));
    assert_eq!(check(&found(at(0, &first), at(0, &first))), Err(EvidenceError::SamePlace));
    let mut other = guilty.clone();
    other.second.bundle = strange.published().as_ref().clone();
    assert_eq!(check(&other), Err(EvidenceError::OtherBundle));
    let mut moved = guilty.clone();
    moved.second.place.index = 0;
    assert!(matches!(check(&moved), Err(EvidenceError::Inclusion(_))));
    let mut elsewhere = guilty.clone();
    elsewhere.second.place.epoch = EpochId(77);
    assert_eq!(check(&elsewhere), Err(EvidenceError::OtherPlace));
}

/// One bundle in two batches is used twice.
#[test]
fn one_bundle_in_two_places_convicts() {
    let keys = committee(11);
    let [first, ..] = bundles(&keys);
    let (one, two) = (counted(&keys, 0, &first), counted(&keys, 1, &first));
    let headers = [one.signed.header.digest(), two.signed.header.digest()];
    let evidence = DoubleUse { party: TWO, first: one, second: two };
    let anchored = |shard: ShardIndex, _| Some(headers[shard.0 as usize]);
    assert_eq!(evidence.verify(&keys.public, anchored), Ok(()));
}
