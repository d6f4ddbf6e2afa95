use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer;
use primitives::ChainId;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Value, json};

mod claims;
mod keys;

const NOW: Time = Time(1_800_000_000);
const FROM: Time = Time(NOW.0 - 100);
const UNTIL: Time = Time(NOW.0 + 100);

fn issuer() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn holder() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn trusted() -> BTreeSet<DidKey> {
    BTreeSet::from([DidKey::of(&issuer()), DidKey::of(&SigningKey::from_bytes(&[9; 32]))])
}

fn statement() -> Statement {
    Statement {
        subject: DidKey::of(&holder()),
        roles: Roles::CREATOR.with(Roles::VOTER),
        nullifier: personhood_nullifier(&PersonhoodKey::new([3; 32]), b"passport X 123"),
        from: FROM,
        until: UNTIL,
    }
}

fn read(jwt: &str) -> Result<Verified, CredentialError> {
    verify(jwt.as_bytes(), &trusted(), NOW)
}

/// Header and payload of an issued credential.
fn parts(encoding: Encoding) -> (Value, Value) {
    let jwt = issue(&issuer(), &statement(), encoding);
    let part = |n: usize| {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(n).expect("three parts")).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (part(0), part(1))
}

/// A token of any header and payload, which the issuer signed.
fn signed(header: &str, payload: &str) -> String {
    token::write(header.as_bytes(), payload.as_bytes(), |signed| issuer().sign(signed).to_bytes())
}

/// What becomes of an issued credential in which the payload is changed before it is signed.
fn changed(encoding: Encoding, edit: impl FnOnce(&mut Value)) -> Result<Verified, CredentialError> {
    let (header, mut payload) = parts(encoding);
    edit(&mut payload);
    read(&signed(&header.to_string(), &payload.to_string()))
}

/// The same for the header.
fn under(edit: impl FnOnce(&mut Value)) -> Result<Verified, CredentialError> {
    let (mut header, payload) = parts(Encoding::V1);
    edit(&mut header);
    read(&signed(&header.to_string(), &payload.to_string()))
}

/// The credential inside the claims.
fn inside(encoding: Encoding, payload: &mut Value) -> &mut Value {
    match encoding {
        Encoding::V1 => &mut payload["vc"],
        Encoding::V2 => payload,
    }
}

fn remove(object: &mut Value, member: &str) {
    object.as_object_mut().expect("an object").remove(member).expect("a member");
}

#[test]
fn what_is_issued_is_what_is_read() {
    for encoding in Encoding::ALL {
        let said = statement();
        let read = read(&issue(&issuer(), &said, encoding)).expect("a credential");
        let expected = Verified {
            issuer: DidKey::of(&issuer()),
            subject: said.subject,
            roles: said.roles,
            nullifier: said.nullifier,
            expires: UNTIL,
        };
        assert_eq!(read, expected);
    }
}

#[test]
fn no_byte_of_a_credential_can_be_another() {
    for encoding in Encoding::ALL {
        let jwt = issue(&issuer(), &statement(), encoding).into_bytes();
        for at in 0..jwt.len() {
            for bit in 0..8 {
                let mut changed = jwt.clone();
                changed[at] ^= 1 << bit;
                assert!(verify(&changed, &trusted(), NOW).is_err(), "bit {bit} of byte {at} changed");
            }
            let mut shorter = jwt.clone();
            shorter.remove(at);
            assert!(verify(&shorter, &trusted(), NOW).is_err(), "without byte {at}");
            assert!(verify(&jwt[..at], &trusted(), NOW).is_err(), "the first {at} bytes");
        }
    }
}

#[test]
fn a_token_has_one_spelling() {
    let jwt = issue(&issuer(), &statement(), Encoding::V1);
    assert_eq!(read(&format!("{jwt}.")), Err(CredentialError::Parts { found: 4 }));
    assert_eq!(read(&format!(".{jwt}")), Err(CredentialError::Parts { found: 4 }));
    assert_eq!(read(""), Err(CredentialError::Parts { found: 1 }));
    let signature = CredentialError::Base64 { part: Part::Signature };
    for ending in ["=", "==", "\n", " ", "AAA"] {
        assert_eq!(read(&format!("{jwt}{ending}")), Err(signature.clone()), "{ending:?}");
    }
    // 64 bytes leave four bits of the last digit unused: one of 16 spellings is canonical.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = jwt.clone().into_bytes();
    let last = text.pop().expect("not empty");
    let place = digits.iter().position(|d| *d == last).expect("a digit");
    assert_eq!(place % 16, 0);
    for unused in 1..16 {
        text.push(digits[place + unused]);
        assert_eq!(verify(&text, &trusted(), NOW), Err(signature.clone()));
        text.pop();
    }
    let parts: Vec<_> = jwt.split('.').collect();
    let short = format!("{}.{}.{}", parts[0], parts[1], &parts[2][..84]);
    assert_eq!(read(&short), Err(CredentialError::SignatureLength { bytes: 63 }));
    let padded = format!("{}=.{}.{}", parts[0], parts[1], parts[2]);
    assert_eq!(read(&padded), Err(CredentialError::Base64 { part: Part::Header }));
    let standard = format!("{}.{}+.{}", parts[0], parts[1], parts[2]);
    assert_eq!(read(&standard), Err(CredentialError::Base64 { part: Part::Payload }));
}

#[test]
fn too_long_a_token_is_not_looked_at() {
    let bytes = MAX_JWT_BYTES + 1;
    assert_eq!(read(&".".repeat(bytes)), Err(CredentialError::TooLong { bytes }));
    assert_eq!(read(&".".repeat(bytes - 1)), Err(CredentialError::Parts { found: bytes }));
}

#[test]
fn no_name_twice_and_nothing_but_objects() {
    let (header, payload) = parts(Encoding::V1);
    let (header, payload) = (header.to_string(), payload.to_string());
    let repeated = |part, member: &str| Err(CredentialError::Repeated { part, member: member.into() });
    let twice = header.replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(read(&signed(&twice, &payload)), repeated(Part::Header, "alg"));
    let twice = payload.replacen('{', r#"{"iss":"did:key:z0","#, 1);
    assert_eq!(read(&signed(&header, &twice)), repeated(Part::Payload, "iss"));
    // However deep, and however it is written.
    let twice = payload.replacen(r#""roles":"#, r#""\u0072oles":["issuer"],"roles":"#, 1);
    assert_eq!(read(&signed(&header, &twice)), repeated(Part::Payload, "roles"));
    let twice = payload.replacen(r#""vc":"#, r#""x":[{"a":1,"a":1}],"vc":"#, 1);
    assert_eq!(read(&signed(&header, &twice)), repeated(Part::Payload, "a"));

    let deep = "[".repeat(1_000);
    for broken in ["", "[]", "1", "null", "\"\"", "{}{}", "{} x", "{", "{\"a\":NaN}", &deep] {
        let (in_header, in_payload) = (signed(broken, &payload), signed(&header, broken));
        assert_eq!(read(&in_header), Err(CredentialError::Json { part: Part::Header }), "{broken:.20}");
        assert_eq!(read(&in_payload), Err(CredentialError::Json { part: Part::Payload }), "{broken:.20}");
    }
}

#[test]
fn one_algorithm_and_no_header_that_is_not_understood() {
    for found in ["none", "None", "eddsa", "ES256K", "HS256", "RS256", ""] {
        let expected = CredentialError::Algorithm { found: found.into() };
        assert_eq!(under(|header| header["alg"] = json!(found)), Err(expected));
    }
    for found in ["jwt", "vc+ld+jwt", "at+jwt", "vp+jwt", ""] {
        let expected = CredentialError::Type { found: found.into() };
        assert_eq!(under(|header| header["typ"] = json!(found)), Err(expected));
    }
    for member in ["alg", "typ"] {
        assert_eq!(under(|header| remove(header, member)), Err(CredentialError::Missing { member }));
        let form = Err(CredentialError::Form { member, expected: "a text" });
        assert_eq!(under(|header| header[member] = json!(["EdDSA"])), form);
    }
    assert_eq!(under(|header| header["crit"] = json!(["exp"])), Err(CredentialError::Critical));
    for member in ["jwk", "x5u", "jku", "b64", "zip", "Alg"] {
        let expected = CredentialError::Header { member: member.into() };
        assert_eq!(under(|header| header[member] = json!("x")), Err(expected));
    }
}

#[test]
fn the_key_is_the_issuers() {
    let (issuer, other) = (DidKey::of(&issuer()), DidKey::of(&holder()));
    assert!(under(|header| remove(header, "kid")).is_ok());
    for found in [other.key_name(), issuer.to_string(), format!("{issuer}#key-1"), String::new()] {
        let expected = CredentialError::KeyName { issuer, found: found.clone() };
        assert_eq!(under(|header| header["kid"] = json!(found)), Err(expected));
    }
    let form = CredentialError::Form { member: "kid", expected: "a text" };
    assert_eq!(under(|header| header["kid"] = json!(1)), Err(form));
}

#[test]
fn who_signs_is_the_issuer_and_trusted() {
    let stranger = SigningKey::from_bytes(&[4; 32]);
    for encoding in Encoding::ALL {
        let theirs = issue(&stranger, &statement(), encoding);
        let unknown = CredentialError::UnknownIssuer { issuer: DidKey::of(&stranger) };
        assert_eq!(read(&theirs), Err(unknown));
        // Signed by the stranger in the issuer's name.
        let (header, payload) = parts(encoding);
        let forged = token::write(header.to_string().as_bytes(), payload.to_string().as_bytes(), |signed| {
            stranger.sign(signed).to_bytes()
        });
        assert_eq!(read(&forged), Err(CredentialError::Signature { issuer: DidKey::of(&issuer()) }));
        // In the name of another trusted issuer, who did not sign.
        let other = DidKey::of(&SigningKey::from_bytes(&[9; 32]));
        let borrowed = {
            let (mut header, mut payload) = parts(encoding);
            remove(&mut header, "kid");
            let member = if encoding == Encoding::V1 { "iss" } else { "issuer" };
            payload[member] = json!(other.to_string());
            read(&signed(&header.to_string(), &payload.to_string()))
        };
        assert_eq!(borrowed, Err(CredentialError::Signature { issuer: other }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bytes_at_random_are_no_credential(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify(&bytes, &trusted(), NOW).is_err());
    }
}
