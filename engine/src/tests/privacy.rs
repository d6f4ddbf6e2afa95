//! What must not get out does not: nothing that the chain writes names an event, a subscriber, a receipt or a bundle
//! (spec 6, "must not store per-user events"; spec 9, "contracts must not record"), and neither does any message to the
//! coordinator or to settlement.

use super::{mesh::Mesh, world};
use crate::message::Phase;
use primitives::{Encode, PartyId};
use proofs::{
    bundle::Bundle,
    testing::{TestSubscriber, event},
};
use std::path::Path;

/// All bytes of all files below `dir`.
fn bytes_below(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_chain_and_the_record_name_no_event_no_subscriber_no_receipt_and_no_bundle() {
    let (mut mesh, opened) = Mesh::opened();
    let bundles: Vec<_> = (0..3)
        .map(|s| {
            TestSubscriber::new(s)
                .bundle(&opened.shards[0], vec![event(1, 0, true), event(s as u16, 1, false)])
        })
        .collect();
    bundles.iter().for_each(|b| mesh.submit(&b.to_bytes()));
    mesh.close();
    assert_eq!(mesh.phase(), Phase::Done);
    let disk = bytes_below(mesh.dir());
    let record = format!("{:?}", mesh.node.lock().unwrap().record(world::EPOCH).unwrap()).into_bytes();
    let header = opened.shards[0].keys.committee.member(PartyId::ALL[0]).signing;
    assert!(contains(&disk, &header.0), "the search finds what is there");
    let root = mesh.batches().concat();
    assert_eq!(root.len(), 3);
    for bundle in &bundles {
        let mut secrets: Vec<(&str, Vec<u8>)> = vec![
            ("the subscriber's key", bundle.envelope.key.0.to_vec()),
            ("the token", bundle.token.to_vec()),
            ("the bundle's identifier", bundle.id().0.to_vec()),
        ];
        secrets.extend(bundle.tags.iter().map(|t| ("a tag", t.0.to_vec())));
        secrets.extend(bundle.pseudonyms(&opened.shards[0]).iter().map(|p| ("a pseudonym", p.0.to_vec())));
        secrets.extend(bundle.receipts.iter().map(|r| ("a receipt", r.serial.to_vec())));
        secrets.extend(bundle.masks.iter().map(|c| ("a commitment to a seed", c.0.to_vec())));
        secrets.push(("the commitment to the vector", bundle.vector.0.to_vec()));
        secrets.push(("what was spent", bundle.proof.value.0.to_vec()));
        for (what, bytes) in secrets {
            assert!(!contains(&disk, &bytes), "{what} is on the chain's disk");
            let hex = primitives::ids::to_hex(&bytes);
            assert!(!contains(&record, hex.as_bytes()), "{what} is in the record");
        }
    }
}

#[test]
fn bundles_of_different_works_say_the_same_openly_and_have_the_same_length() {
    let (_, opened) = Mesh::opened();
    let one = TestSubscriber::new(7).bundle(&opened.shards[0], vec![event(1, 0, false)]);
    let other = TestSubscriber::new(7).bundle(&opened.shards[0], vec![event(9, 3, false)]);
    assert_eq!(one.to_bytes().len(), other.to_bytes().len());
    assert_eq!(one.envelope, other.envelope);
    assert_ne!(one.tags[0], other.tags[0]);
}

#[test]
fn what_one_party_holds_is_the_same_whatever_was_watched() {
    // A party holds two seeds of three. With the same randomness they are the same bytes whatever was watched, and what
    // the bundle shows of the vector is masked by the third.
    let (committee, opened) = (proofs::testing::committee(11), Mesh::opened().1);
    let context = &opened.shards[0];
    let made = |work: u16| {
        let mut subscriber = TestSubscriber::new(7);
        subscriber.used = [(primitives::WorkIndex(0), 63)].into();
        subscriber.bundle(context, vec![event(work, 0, false)])
    };
    let (one, other) = (made(1), made(9));
    for party in PartyId::ALL {
        let open = |bundle: &Bundle| bundle.open(context, party, &committee.kem[party.index()]).unwrap();
        assert!(open(&one) == open(&other), "party {party}");
    }
    let shown = |bundle: &Bundle| bundle.proof.vector_response.clone();
    assert!(
        shown(&one).iter().zip(&shown(&other)).all(|(a, b)| a != b),
        "each entry is under a mask of its own"
    );
}
