//! RFC 9474's own vectors, appendix A, for the variant of tokens and receipts.
//!
//! Their modulus has 4,096 bits, which the keys of this protocol may not have. So what signs and unblinds is the library
//! itself, with the options that `blind.rs` gives it, and what verifies is `blind.rs` below the type of its keys.

use blind_rsa_signatures::{
    BlindSignature, Options, PublicKey, Secret, SecretKey, Signature,
    reexports::rsa::{BigUint, RsaPrivateKey, RsaPublicKey},
};
use primitives::ids::from_hex;
use proofs::blind::{BlindError, BlindKey, verify_under};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::Value;

/// A value of the vector.
fn bytes(name: &str) -> Vec<u8> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/rfc9474.json")).expect("JSON");
    from_hex(file[name].as_str().unwrap_or_else(|| panic!("{name} is there"))).expect("hexadecimal digits")
}

fn number(name: &str) -> BigUint {
    BigUint::from_bytes_be(&bytes(name))
}

fn public() -> PublicKey {
    PublicKey(RsaPublicKey::new(number("n"), number("e")).expect("the key of the vectors"))
}

fn verify(signature: &str, message: &str) -> Result<(), BlindError> {
    verify_under(&bytes("n"), &bytes(message), &bytes(signature))
}

#[test]
fn the_signature_of_the_rfc_verifies_and_no_other() {
    assert_eq!(bytes("e"), [1, 0, 1]);
    assert_eq!(verify("sig", "msg"), Ok(()));
    assert_eq!(verify("sig", "salt"), Err(BlindError::Signature), "another message");
    assert_eq!(verify("blind_sig", "msg"), Err(BlindError::Signature), "a signature that is still blinded");
}

#[test]
fn the_answer_of_the_rfc_unblinds_to_its_signature() {
    let (answer, secret) = (BlindSignature(bytes("blind_sig")), Secret(bytes("inv")));
    let signature = public().finalize(&answer, &secret, None, bytes("msg"), &Options::default());
    assert_eq!(signature.expect("it verifies").0, bytes("sig"));
}

#[test]
fn the_signer_of_the_rfc_gives_its_answer() {
    let primes = vec![number("p"), number("q")];
    let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
    let key = SecretKey(key.expect("the key of the vectors"));
    // Randomness blinds the signer's own computation, and does not change its result.
    for seed in 0..2 {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let answer = key.blind_sign(rng, bytes("blinded_msg"), &Options::default());
        assert_eq!(answer.expect("a number below the modulus").0, bytes("blind_sig"));
    }
}

/// Whoever asks for a blind signature pads the message, so a holder can leave the salt out. The library that signs takes
/// any salt, as this shows, and would accept a second spelling of a token; the variant has a salt of 48 bytes.
#[test]
fn a_signature_without_salt_is_refused() {
    let signature = Signature(bytes("sig_without_salt"));
    assert_eq!(public().verify(&signature, None, bytes("msg"), &Options::default()), Ok(()));
    assert_eq!(verify("sig_without_salt", "msg"), Err(BlindError::Signature));
}

#[test]
fn a_key_of_4096_bits_is_no_key_of_this_protocol() {
    let der = public().to_der().expect("it has an encoding");
    assert_eq!(BlindKey::from_der(&der), Err(BlindError::Key));
}
