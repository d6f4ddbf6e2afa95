//! Tests of the hash, and strategies that other tests share.

use super::*;
use ark_ff::Field;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// Any field element, with the edges of the range more often than chance would have them.
pub(crate) fn felt() -> impl Strategy<Value = Felt> {
    prop_oneof![
        1 => Just(Felt::ZERO),
        1 => Just(-Felt::ONE),
        2 => any::<u64>().prop_map(Felt::from),
        8 => any::<[u8; 32]>().prop_map(|bytes| Felt::from_le_bytes_mod_order(&bytes)),
    ]
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../vectors/poseidon.json")).expect("the vectors are JSON")
}

fn number(value: &Value) -> Felt {
    value.as_str().expect("a decimal string").parse().expect("a field element")
}

fn numbers(value: &Value) -> Vec<Felt> {
    value.as_array().expect("a list").iter().map(number).collect()
}

/// circomlib's published test value for `poseidon([1, 2])`.
#[test]
fn hash2_is_circomlib_s() {
    let published = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
    assert_eq!(hash2(1u64.into(), 2u64.into()), published.parse().expect("a field element"));
}

#[test]
fn the_golden_vectors_hold() {
    let file = vectors();
    let parameters = constants::parameters();
    let constants: Vec<_> = parameters.round_constants.concat();
    assert_eq!(numbers(&file["round_constants"]["first"]), constants[..6]);
    assert_eq!(numbers(&file["round_constants"]["last"]), constants[constants.len() - 6..]);
    for (row, expected) in parameters.mds.iter().zip(file["mds"].as_array().expect("rows")) {
        assert_eq!(numbers(expected), row);
    }
    for case in file["permute"].as_array().expect("cases") {
        let mut state = numbers(&case["input"]).try_into().expect("three elements");
        permute(&mut state);
        assert_eq!(numbers(&case["output"]), state);
    }
    for case in file["hash2"].as_array().expect("cases") {
        assert_eq!(hash2(number(&case["a"]), number(&case["b"])), number(&case["hash"]));
    }
    for case in file["hash_many"].as_array().expect("cases") {
        let tag = case["domain"].as_u64().expect("a tag");
        let domain = *FeltDomain::ALL.iter().find(|d| **d as u64 == tag).expect("a domain");
        assert_eq!(hash_many(domain, &numbers(&case["input"])), number(&case["hash"]));
    }
    for case in file["hash_bytes"].as_array().expect("cases") {
        let bytes = primitives::ids::from_hex(case["bytes"].as_str().expect("hex")).expect("hex");
        assert_eq!(hash_bytes(FeltDomain::Bytes, &bytes), number(&case["hash"]));
    }
}

#[test]
fn tags_are_distinct_and_not_zero() {
    let tags: BTreeSet<_> = FeltDomain::ALL.iter().map(|d| *d as u32).collect();
    assert_eq!(tags.len(), FeltDomain::ALL.len());
    assert!(!tags.contains(&0), "tag 0 with length 0 would start where hash2 does");
}

#[test]
fn length_and_domain_change_the_hash() {
    let one = Felt::ONE;
    let inputs: [&[Felt]; 5] =
        [&[], &[Felt::ZERO], &[one], &[one, Felt::ZERO], &[one, Felt::ZERO, Felt::ZERO]];
    let mut seen = BTreeSet::from([hash2(one, Felt::ZERO)]);
    for domain in FeltDomain::ALL {
        for input in inputs {
            assert!(seen.insert(hash_many(*domain, input)), "{domain:?} of {input:?}");
        }
    }
}

#[test]
fn trailing_zero_bytes_change_the_hash_of_bytes() {
    let hashes: BTreeSet<_> = (0..40).map(|n| hash_bytes(FeltDomain::Bytes, &vec![0; n])).collect();
    assert_eq!(hashes.len(), 40);
}

#[test]
fn numbers_from_the_modulus_up_are_refused() {
    let last = felt_to_bytes(&-Felt::ONE);
    assert_eq!(felt_from_bytes(last), Some(-Felt::ONE));
    let mut modulus = last;
    modulus[0] += 1; // the modulus is odd, so its predecessor ends in an even byte
    assert_eq!(felt_from_bytes(modulus), None);
    assert_eq!(felt_from_bytes([0xff; 32]), None);
}

proptest! {
    #[test]
    fn bytes_and_text_survive_a_round_trip(x in felt()) {
        prop_assert_eq!(felt_from_bytes(felt_to_bytes(&x)), Some(x));
        prop_assert_eq!(wire::from_hex(&wire::to_hex(&x)), Some(x));
    }

    #[test]
    fn chunks_hold_their_bytes(bytes: Vec<u8>) {
        let felts = felts_from_bytes(&bytes);
        prop_assert_eq!(felts.len(), bytes.len().div_ceil(CHUNK_BYTES));
        let mut back: Vec<u8> = felts.iter().flat_map(|x| felt_to_bytes(x)[..CHUNK_BYTES].to_vec()).collect();
        back.truncate(bytes.len());
        prop_assert_eq!(back, bytes);
    }

    #[test]
    fn any_single_change_changes_the_hash(xs in prop::collection::vec(felt(), 1..8), at: prop::sample::Index) {
        let mut other = xs.clone();
        other[at.index(xs.len())] += Felt::ONE;
        prop_assert_ne!(hash_many(FeltDomain::Bytes, &xs), hash_many(FeltDomain::Bytes, &other));
    }
}
