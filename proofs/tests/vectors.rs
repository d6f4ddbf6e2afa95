//! The golden vectors of this crate are what it computes, and hold by themselves.

#[path = "../examples/proof_vectors.rs"]
mod proof_vectors;

use primitives::{Decode, Digest, Encode, hash, ids::from_hex};
use proofs::{
    bundle::{Bundle, verify},
    testing,
};
use serde_json::Value;

const COMMITTED: &str = include_str!("../../vectors/proofs.json");

fn bytes(file: &Value, pointer: &str) -> Vec<u8> {
    let text = file.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is there"));
    from_hex(text).expect("hexadecimal digits")
}

/// Encodings, hashes and challenges are part of the protocol: whoever changes one changes the version of the protocol.
#[test]
fn not_a_byte_of_the_golden_vectors_differs() {
    let fresh = proof_vectors::vectors();
    let differs = COMMITTED.lines().zip(fresh.lines()).find(|(committed, fresh)| committed != fresh);
    if let Some((committed, fresh)) = differs {
        let short = |line: &str| line.chars().take(160).collect::<String>();
        panic!("vectors/proofs.json has\n{}\nwhere its example prints\n{}", short(committed), short(fresh));
    }
    assert!(COMMITTED == fresh, "vectors/proofs.json has another length than what its example prints");
}

/// What a reader does who has the file and no prover.
#[test]
fn the_golden_bundle_is_accepted_from_its_bytes_alone() {
    let file: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let encoded = bytes(&file, "/bundle/bytes");
    let bundle = Bundle::from_bytes(&encoded).expect("a bundle");
    assert_eq!(bundle.to_bytes(), encoded);
    assert_eq!((bundle.tags.len(), bundle.proof.vector_response.len()), (8, 16));
    let (_, context) = testing::small();
    let accepted = verify(&context, &bundle).expect("the golden bundle holds");
    assert_eq!(accepted.challenge.0.to_bytes(), bytes(&file, "/bundle/x"));
    let beacon = Digest::from_bytes(&bytes(&file, "/context/beacon")).expect("a digest");
    for tag in &bundle.tags {
        let pseudonym = bytes(&file, &format!("/bundle/pseudonym_of_{tag}"));
        assert_eq!(hash::pseudonym(&beacon, &tag.0).0.to_vec(), pseudonym);
    }
}
