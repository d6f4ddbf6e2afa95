//! A short run of the fuzz target on changed bundles, the same on every machine. `fuzz/` runs it for as long as one
//! likes, and guided by coverage.

#[path = "../../fuzz/src/mutations.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the fuzzing crate too")]
mod mutations;

use mutations::{CHANGE_BYTES, Outcome, World, changed, judge};
use primitives::ids::from_hex;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use serde_json::Value;

/// Seeded lists of changes. Many do not decode; enough of them have to reach the verifier.
#[test]
fn no_seeded_change_of_a_bundle_is_accepted() {
    let mut rng = ChaCha20Rng::seed_from_u64(41);
    let mut refused = 0;
    for _ in 0..1000 {
        let changes = 1 + rng.next_u32() as usize % 3;
        let mut data = vec![0; 1 + changes * CHANGE_BYTES];
        rng.fill_bytes(&mut data);
        refused += usize::from(changed(&data) == Outcome::Refused);
    }
    assert!(refused > 300, "only {refused} of 1,000 reached the verifier");
}

/// Each value of 32 bytes by itself: neutral, one more, a second spelling, and that of another bundle.
#[test]
fn no_value_of_a_bundle_can_be_replaced() {
    for kind in 2..=5 {
        for place in 0u16..400 {
            let [low, high] = place.to_le_bytes();
            // An increment of 7 keeps an even element even and so decodable more often.
            changed(&[0, kind, 1, low, high, 7]);
        }
    }
}

#[test]
fn honest_bundles_are_accepted_and_nothing_decodes_of_half_of_one() {
    for bundle in &World::shared().bundles {
        assert_eq!(judge(bundle), Outcome::Honest);
        assert_eq!(judge(&bundle[..bundle.len() / 2]), Outcome::Undecoded);
    }
    assert_eq!(changed(&[0]), Outcome::Honest, "no change at all");
}

/// docs/fuzzing.md gives it to the fuzzer to start from.
#[test]
fn the_golden_bundle_is_one_of_the_honest_ones() {
    let file: Value = serde_json::from_str(include_str!("../../vectors/proofs.json")).expect("JSON");
    let golden = from_hex(file["bundle"]["bytes"].as_str().expect("text")).expect("hexadecimal digits");
    assert_eq!(judge(&golden), Outcome::Honest);
}

/// A token has one spelling: signature plus modulus, where it fits, is another number of the same powers.
#[test]
fn the_second_spelling_of_a_token_is_refused() {
    for which in 0..3 {
        assert_eq!(changed(&[which, 8, 0, 0, 0, 0]), Outcome::Refused);
    }
}
