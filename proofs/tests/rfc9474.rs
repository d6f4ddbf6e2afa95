//! RFC 9474's own vectors, appendix A, for the variant of tokens and receipts.
//!
//! The library runs none of them in the line that is used here. Their modulus has 4,096 bits, which the keys of this
//! protocol may not have, so they are run against the library, with the options that `blind.rs` gives it.

use blind_rsa_signatures::{
    BlindSignature, Options, PublicKey, Secret, SecretKey, Signature,
    reexports::rsa::{BigUint, RsaPrivateKey, RsaPublicKey},
};
use primitives::ids::from_hex;
use proofs::blind::{BlindError, BlindKey};
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

#[test]
fn the_signature_of_the_rfc_verifies_and_no_other() {
    let (key, options) = (public(), Options::default());
    let verify =
        |signature: Vec<u8>, message: &[u8]| key.verify(&Signature(signature), None, message, &options);
    assert_eq!(verify(bytes("sig"), &bytes("msg")), Ok(()));
    assert!(verify(bytes("sig"), &bytes("salt")).is_err(), "another message");
    assert!(verify(bytes("blind_sig"), &bytes("msg")).is_err(), "a signature that is still blinded");
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

/// What the library does not check: the length of the salt. Whoever asks for a blind signature pads the message, so a
/// holder can leave the salt out, and has a valid signature on the one message all the same. It is a second spelling of
/// a token, which a bundle's transcript binds, and no second token.
#[test]
fn a_signature_without_salt_verifies_as_well() {
    let signature = Signature(bytes("sig_without_salt"));
    assert_eq!(public().verify(&signature, None, bytes("msg"), &Options::default()), Ok(()));
}

#[test]
fn a_key_of_4096_bits_is_no_key_of_this_protocol() {
    let der = public().to_der().expect("it has an encoding");
    assert_eq!(BlindKey::from_der(&der), Err(BlindError::Key));
}
