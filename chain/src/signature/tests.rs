//! Signatures hold, and nothing else does.

use super::*;
use crate::poseidon::tests::felt;
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, BigInteger as _, Field, UniformRand as _};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn key(seed: u64) -> (SecretKey, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (SecretKey::generate(&mut rng), rng)
}

fn point(x: Felt, y: Felt) -> Point {
    Point::new(EdwardsAffine::new_unchecked(x, y))
}

/// The point of order two.
fn order_two() -> EdwardsAffine {
    EdwardsAffine::new_unchecked(Felt::ZERO, -Felt::ONE)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_signature_holds_for_its_message_and_key_only(
        seed: u64,
        message in prop::collection::vec(felt(), 0..6),
        at: prop::sample::Index,
    ) {
        let ((secret, mut rng), (other, _)) = (key(seed), key(seed.wrapping_add(1)));
        let signature = secret.sign(&message, &mut rng);
        let public = secret.public_key();
        prop_assert_eq!(public.verify(&message, &signature), Ok(()));
        prop_assert_eq!(other.public_key().verify(&message, &signature), Err(SignatureError::Equation));
        let mut longer = message.clone();
        longer.push(Felt::ZERO);
        prop_assert_eq!(public.verify(&longer, &signature), Err(SignatureError::Equation));
        if !message.is_empty() {
            let mut changed = message.clone();
            changed[at.index(message.len())] += Felt::ONE;
            prop_assert_eq!(public.verify(&changed, &signature), Err(SignatureError::Equation));
        }
    }

    #[test]
    fn multiplications_are_the_library_s(seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (a, b) = (Scalar::rand(&mut rng), Scalar::rand(&mut rng));
        let (p, q) = (base(), (base() * b).into_affine());
        prop_assert_eq!(regular_mul(&q, &a), (q * a).into_affine());
        prop_assert_eq!(vartime_combination(&a, &p, &b, &q), (p * a + q * b).into_affine());
    }

    /// Any single bit of an encoded signature or key, flipped, is refused by the decoder or by the equation.
    #[test]
    fn every_bit_counts(seed: u64, bit in 0..8 * SIGNATURE_BYTES) {
        let (secret, mut rng) = key(seed);
        let message = [Felt::from(seed)];
        let signature = secret.sign(&message, &mut rng);
        let mut bytes = signature.to_array();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Signature::from_array(bytes) {
            prop_assert_eq!(secret.public_key().verify(&message, &other), Err(SignatureError::Equation));
        }
        let mut bytes = *secret.public_key().as_bytes();
        bytes[bit / 8 % 32] ^= 1 << (bit % 8);
        if let Ok(other) = PublicKey::from_compressed(bytes) {
            prop_assert_eq!(other.verify(&message, &signature), Err(SignatureError::Equation));
        }
    }
}

#[test]
fn every_field_of_a_signature_counts() {
    let (secret, mut rng) = key(1);
    let (public, message) = (secret.public_key(), [Felt::from(7u64)]);
    let good = secret.sign(&message, &mut rng);
    assert_eq!(public.verify(&message, &good), Ok(()));
    let refused = |signature: Signature| {
        assert_eq!(public.verify(&message, &signature), Err(SignatureError::Equation));
    };
    refused(Signature { s: good.s + Scalar::ONE, ..good });
    refused(Signature { s: -good.s, ..good });
    refused(Signature { s: Scalar::ZERO, ..good });
    let r = *good.r.affine();
    refused(Signature { r: Point::new((r + base()).into_affine()), ..good });
    refused(Signature { r: Point::new(-r), ..good });
    // Off by a point of small order: the equation has no cofactor, so this is no second signature.
    refused(Signature { r: Point::new((r + order_two()).into_affine()), ..good });
    refused(Signature { r: point(Felt::ZERO, Felt::ONE), ..good });
}

#[test]
fn keys_of_small_or_mixed_order_are_refused() {
    let encoded = |affine| *Point::new(affine).as_bytes();
    assert_eq!(PublicKey::from_compressed(encoded(EdwardsAffine::zero())), Err(SignatureError::Identity));
    assert_eq!(PublicKey::from_compressed(encoded(order_two())), Err(SignatureError::Subgroup));
    let mixed = (base() + order_two()).into_affine();
    assert_eq!(PublicKey::from_compressed(encoded(mixed)), Err(SignatureError::Subgroup));
    assert_eq!(PublicKey::from_compressed(encoded(base())).map(|key| *key.point()), Ok(base()));
}

#[test]
fn points_have_one_spelling() {
    let (secret, _) = key(2);
    let bytes = *secret.public_key().as_bytes();
    let mut high = bytes;
    high[31] |= 0x40;
    assert_eq!(PublicKey::from_compressed(high), Err(SignatureError::Point), "bit 254 is always clear");
    let mut negative_zero = *Point::new(EdwardsAffine::zero()).as_bytes();
    negative_zero[31] |= 0x80;
    assert_eq!(PublicKey::from_compressed(negative_zero), Err(SignatureError::Point));
    let mut off_curve = [0; 32];
    off_curve[0] = (2..=u8::MAX)
        .find(|y| EdwardsAffine::get_xs_from_y_unchecked(Felt::from(*y)).is_none())
        .expect("half of all y have no x");
    assert_eq!(PublicKey::from_compressed(off_curve), Err(SignatureError::Point));
}

#[test]
fn scalars_have_one_spelling() {
    let (secret, mut rng) = key(3);
    let mut bytes = secret.sign(&[], &mut rng).to_array();
    let order: Vec<u8> = Scalar::MODULUS.to_bytes_le();
    let mut carry = 0u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(Signature::from_array(bytes), Err(SignatureError::Scalar), "s + l is s again");
}

#[test]
fn nonces_depend_on_the_message_and_the_randomness() {
    let (secret, _) = key(4);
    let (a, b) = ([Felt::ONE], [Felt::ZERO]);
    assert_ne!(secret.nonce(&a, &[0; 32]), secret.nonce(&b, &[0; 32]), "a stuck generator");
    assert_ne!(secret.nonce(&a, &[0; 32]), secret.nonce(&a, &[1; 32]));
    assert_ne!(secret.nonce(&a, &[0; 32]), key(5).0.nonce(&a, &[0; 32]), "a known generator");
}

#[test]
fn keys_and_signatures_survive_a_round_trip() {
    let (secret, mut rng) = key(6);
    let (public, signature) = (secret.public_key(), secret.sign(&[Felt::ONE], &mut rng));
    assert_eq!(PublicKey::from_bytes(&public.to_bytes()), Ok(public));
    assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
    let text = serde_json::to_string(&(public, signature)).expect("JSON");
    assert_eq!(serde_json::from_str::<(PublicKey, Signature)>(&text).expect("JSON"), (public, signature));
    let again = SecretKey::from_secret_bytes(secret.to_secret_bytes()).expect("canonical");
    assert_eq!(again.public_key(), public);
    assert_eq!("00".parse::<PublicKey>(), Err(SignatureError::Hex { bytes: 32 }));
    assert!(matches!(SecretKey::from_secret_bytes([0; 32]), Err(SignatureError::ZeroSecret)));
    assert!(matches!(SecretKey::from_secret_bytes([0xff; 32]), Err(SignatureError::Scalar)));
    assert_eq!(
        Signature::from_bytes(&[0xff; SIGNATURE_BYTES]),
        Err(CodecError::Invalid { what: "signature" })
    );
}

#[test]
fn the_secret_is_not_shown() {
    let (secret, _) = key(7);
    let shown = format!("{secret:?}");
    assert!(!shown.contains(&ids::to_hex(&secret.to_secret_bytes())));
    assert_eq!(shown, format!("SecretKey(of {})", secret.public_key()));
}
