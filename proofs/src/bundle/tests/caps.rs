//! Batches in which some range proofs do not hold: each bundle is told its own rule.

use super::*;
use crate::cap::CAP_PROOF_BYTES;

/// What is done to a bundle, and what is said of it then.
#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    /// A byte of the range proof.
    Cap(usize),
    /// Its last scalar is above the group order.
    Malformed,
    /// Another equation.
    Key,
    /// Another equation, and the range proof too.
    KeyAndMalformed,
    /// A scalar that is hashed, and the range proof too.
    HashedAndCap(usize),
}

impl Change {
    fn apply(self, bundle: &mut Bundle) -> Result<(), BundleError> {
        let proof = &mut bundle.proof;
        match self {
            Self::Nothing => return Ok(()),
            Self::Cap(at) | Self::HashedAndCap(at) => proof.cap.bytes[at] ^= 1,
            Self::Malformed | Self::KeyAndMalformed => proof.cap.bytes[CAP_PROOF_BYTES - 1] = 0xff,
            Self::Key => {}
        }
        match self {
            Self::Key | Self::KeyAndMalformed => {
                proof.ephemeral_responses[1] += plain(1);
                Err(BundleError::Ephemeral { share: PartyId::ALL[1] })
            }
            Self::HashedAndCap(_) => {
                // The challenges are others, and nothing answers to them.
                proof.backed_mask += plain(1);
                Err(BundleError::Digits)
            }
            _ => Err(BundleError::Cap),
        }
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Nothing),
        3 => (0..CAP_PROOF_BYTES).prop_map(Change::Cap),
        1 => Just(Change::Malformed),
        1 => Just(Change::Key),
        1 => Just(Change::KeyAndMalformed),
        1 => (0..CAP_PROOF_BYTES).prop_map(Change::HashedAndCap),
    ]
}

fn honest() -> &'static (EpochContext, Vec<Bundle>) {
    static HONEST: std::sync::OnceLock<(EpochContext, Vec<Bundle>)> = std::sync::OnceLock::new();
    HONEST.get_or_init(|| {
        let (_, context) = small();
        let bundle = |seed| TestSubscriber::new(seed).bundle(&context, vec![event(3, 0, false)]);
        let bundles = (40..46).map(bundle).collect();
        (context, bundles)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_mixed_batch_names_every_culprit(changes in prop::collection::vec(any_change(), 6), seed: u64) {
        let (context, honest) = honest();
        let mut bundles = honest.clone();
        let expected: Vec<_> =
            bundles.iter_mut().zip(&changes).map(|(bundle, change)| change.apply(bundle)).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let all: Vec<&Published> = bundles.iter().map(|bundle| &**bundle).collect();
        let results = verify_batch(context, &all, &mut rng);
        let results: Vec<_> = results.into_iter().map(|result| result.map(|_| ())).collect();
        prop_assert_eq!(results, expected);
    }
}

#[test]
fn errors_of_two_range_proofs_do_not_cancel() {
    let (context, honest) = honest();
    let mut bundles = honest[..2].to_vec();
    // The last scalar of the range proof is not hashed.
    for (bundle, change) in bundles.iter_mut().zip([plain(1), -plain(1)]) {
        let last = bundle.proof.cap.bytes.last_chunk_mut().unwrap();
        *last = (Plain::from_canonical_bytes(last).unwrap() + change).to_canonical_bytes();
    }
    let results = verify_batch(context, &[&bundles[0], &bundles[1]], &mut rng());
    assert_eq!(results, [Err(BundleError::Cap), Err(BundleError::Cap)]);
}
