//! What never reaches the chain (spec 9: "Contracts MUST NOT record: user pseudonyms, user event counts, any
//! traceable user metadata").

use crate::world::*;
use chain::{Payload, light::record};
use primitives::{Digest, Domain, hash, merkle};
use proofs::wire::WirePoint;

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn no_tag_pseudonym_token_key_or_bundle_id_is_in_the_state_or_the_record() {
    let mut world = World::opened();
    let key = world.ledger.state().openings.get(&FIRST).expect("open").key;
    let base = proofs::generators::tag_base(CHAIN, &key, primitives::ShardIndex(0));
    // Two subscribers, three events each: what parties see of them, and the chain must not.
    let mut secrets: Vec<[u8; 32]> = Vec::new();
    let mut ids = Vec::new();
    for subscriber in 0..2 {
        let sk = curve25519_dalek::scalar::Scalar::random(&mut world.rng);
        secrets.push(WirePoint::from(sk * proofs::generators::bases().key).0);
        for m in 0..3u64 {
            let tag = WirePoint::from((sk + curve25519_dalek::scalar::Scalar::from(m)).invert() * base).0;
            secrets.push(tag);
            secrets.push(hash::pseudonym(&key, &tag).0);
        }
        ids.push(hash::hash(Domain::Bundle, &[&[subscriber]]));
        world.accept(FIRST, &(group(0, 0), vec![plays(0, 2, false), plays(1, 1, false)]));
    }
    secrets.extend(ids.iter().map(|id| id.0));
    let leaves: Vec<Digest> = ids.iter().map(|id| merkle::leaf(&id.0)).collect();
    let mut header = world.header(FIRST, 2).header;
    header.batch_root = merkle::root(&leaves);
    let signed = world.sign_header(header);
    world.anchor(signed);
    world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    let aggregate = world.aggregate(FIRST);
    world.open_ok(Payload::SubmitAggregate(aggregate));
    world.open_ok(finalise(FIRST));
    world.seal();

    let state = world.ledger.state().to_bytes();
    let text = serde_json::to_string(&record(&world.ledger, FIRST).expect("settled")).expect("serialises");
    assert!(contains(&state, &key.0), "the scan finds what is there");
    for secret in secrets {
        assert!(!contains(&state, &secret));
        assert!(!text.contains(&primitives::ids::to_hex(&secret)));
    }
    // The only counts are sums over subscribers: of works in tiers, and of bundles in batches.
    let usage: Vec<_> = world.ledger.state().usage.iter().collect();
    assert_eq!(usage.len(), 2);
}
