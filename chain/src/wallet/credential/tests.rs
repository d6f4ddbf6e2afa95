use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer;
use primitives::ChainId;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const FROM: u64 = NOW - 100;
const UNTIL: u64 = NOW + 100;

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

#[test]
fn a_credential_holds_from_its_first_second_to_its_last() {
    for encoding in Encoding::ALL {
        let jwt = issue(&issuer(), &statement(), encoding);
        let at = |now| verify(jwt.as_bytes(), &trusted(), now).map(|_| ());
        assert_eq!(at(FROM - 1), Err(CredentialError::NotYet { from: FROM, now: FROM - 1 }));
        assert_eq!(at(FROM), Ok(()));
        assert_eq!(at(UNTIL - 1), Ok(()));
        assert_eq!(at(UNTIL), Err(CredentialError::Expired { until: UNTIL, now: UNTIL }));
    }
}

#[test]
fn dates_in_the_credential_count_as_well() {
    let (past, future) = ("2001-09-09T01:46:40Z", "2100-03-01T00:00:00Z");
    let (past_seconds, future_seconds) = (1_000_000_000, 4_107_542_400);
    for (encoding, from, until) in
        [(Encoding::V1, "issuanceDate", "expirationDate"), (Encoding::V2, "validFrom", "validUntil")]
    {
        let dated = |member: &str, date: Value| changed(encoding, |p| inside(encoding, p)[member] = date);
        assert_eq!(dated(from, json!(past)).map(|v| v.expires), Ok(UNTIL));
        assert_eq!(dated(until, json!(future)).map(|v| v.expires), Ok(UNTIL));
        let not_yet = CredentialError::NotYet { from: future_seconds, now: NOW };
        assert_eq!(dated(from, json!(future)), Err(not_yet));
        let expired = CredentialError::Expired { until: past_seconds, now: NOW };
        assert_eq!(dated(until, json!(past)), Err(expired));
        for wrong in [json!(NOW), json!("2100-03-01"), json!("2100-03-01T00:00:00.000Z"), json!(null)] {
            let error = dated(until, wrong.clone()).expect_err("no date");
            assert!(matches!(error, CredentialError::Form { member, .. } if member == until), "{wrong}");
        }
        for wrong in [json!("1"), json!(-1), json!(1.5), json!(null), json!(1e30)] {
            for member in ["nbf", "exp"] {
                let error = changed(encoding, |p| p[member] = wrong.clone()).expect_err("no number");
                assert!(matches!(error, CredentialError::Form { member: m, .. } if m == member), "{wrong}");
            }
        }
        let endless = changed(encoding, |p| remove(p, "exp"));
        assert_eq!(endless, Err(CredentialError::Missing { member: "exp" }));
        assert!(changed(encoding, |p| remove(p, "nbf")).is_ok());
    }
}

#[test]
fn what_is_said_twice_is_said_alike() {
    let (subject, other) = (statement().subject.to_string(), DidKey::of(&issuer()).to_string());
    let issuer = other.clone();
    for encoding in Encoding::ALL {
        for (member, said) in [("iss", &issuer), ("sub", &subject)] {
            assert!(changed(encoding, |p| p[member] = json!(said)).is_ok());
        }
        for named in [json!(issuer), json!({ "id": issuer, "name": "An office" })] {
            assert!(changed(encoding, |p| inside(encoding, p)["issuer"] = named).is_ok());
        }
        let both = |p: &mut Value, outer: &str, inner: &str| {
            p["iss"] = json!(outer);
            inside(encoding, p)["issuer"] = json!(inner);
        };
        let disagree = |member| Err(CredentialError::Disagree { member });
        assert_eq!(changed(encoding, |p| both(p, &issuer, &subject)), disagree("issuer"));
        assert_eq!(changed(encoding, |p| both(p, &subject, &issuer)), disagree("issuer"));
        assert_eq!(changed(encoding, |p| p["sub"] = json!(other)), disagree("credentialSubject.id"));
    }
    let no_issuer = changed(Encoding::V2, |p| remove(p, "issuer"));
    assert_eq!(no_issuer, Err(CredentialError::Missing { member: "issuer" }));
    let no_subject = changed(Encoding::V2, |p| remove(&mut p["credentialSubject"], "id"));
    assert_eq!(no_subject, Err(CredentialError::Missing { member: "credentialSubject.id" }));
    let web = changed(Encoding::V2, |p| p["credentialSubject"]["id"] = json!("did:web:example.org"));
    let error = DidError::Method;
    assert_eq!(web, Err(CredentialError::Did { member: "credentialSubject.id", error }));
}

#[test]
fn the_form_is_that_of_the_data_model_and_of_ours() {
    for (encoding, other) in [(Encoding::V1, Encoding::V2), (Encoding::V2, Encoding::V1)] {
        let with = |member: &str, value: Value| changed(encoding, |p| inside(encoding, p)[member] = value);
        let context = Err(CredentialError::Context { expected: encoding.context() });
        assert_eq!(with("@context", json!([other.context(), encoding.context()])), context);
        assert_eq!(with("@context", json!([])), context);
        assert!(with("@context", json!([encoding.context(), "https://example.org"])).is_ok());
        for types in [json!(["VerifiableCredential"]), json!([CREDENTIAL_TYPE]), json!([])] {
            assert_eq!(with("type", types), Err(CredentialError::OtherCredential));
        }
        for member in ["@context", "type"] {
            let form = CredentialError::Form { member, expected: "a list of texts" };
            assert_eq!(with(member, json!("VerifiableCredential")), Err(form));
        }
        let status = with("credentialStatus", json!({ "id": "https://example.org/1" }));
        assert_eq!(status, Err(CredentialError::Status));
        assert_eq!(changed(encoding, |p| p["aud"] = json!("somebody")), Err(CredentialError::Audience));
        let several = with("credentialSubject", json!([{}, {}]));
        let form = CredentialError::Form { member: "credentialSubject", expected: "an object" };
        assert_eq!(several, Err(form));
        for member in ["@context", "type", "credentialSubject"] {
            let without = changed(encoding, |p| remove(inside(encoding, p), member));
            assert_eq!(without, Err(CredentialError::Missing { member }));
        }
    }
    assert_eq!(changed(Encoding::V2, |p| p["vc"] = json!({})), Err(CredentialError::Wrapped));
    let bare = changed(Encoding::V1, |p| remove(p, "vc"));
    assert_eq!(bare, Err(CredentialError::Missing { member: "vc" }));
}

#[test]
fn roles_and_nullifier_are_known_words_and_32_bytes() {
    for encoding in Encoding::ALL {
        let says = |member: &str, value: Value| {
            changed(encoding, |p| inside(encoding, p)["credentialSubject"][member] = value)
        };
        let role = |name: &str| Err(CredentialError::Role { name: name.into() });
        assert_eq!(says("roles", json!(["creator", "registrar"])), role("registrar"));
        assert_eq!(says("roles", json!(["Creator"])), role("Creator"));
        assert_eq!(says("roles", json!([])), Err(CredentialError::NoRole));
        let all: Vec<_> = Roles::NAMED.iter().map(|(name, _)| *name).collect();
        let everything = Roles::NAMED.iter().fold(Roles::default(), |sum, (_, role)| sum.with(*role));
        assert_eq!(says("roles", json!(all)).map(|v| v.roles), Ok(everything));
        // No credential gives an office.
        assert_eq!(everything, Roles::BY_CREDENTIAL);
        let good = statement().nullifier.to_string();
        for found in [&good[1..], &good.to_uppercase(), &format!("0x{good}"), "", &"g".repeat(64)] {
            let expected = CredentialError::Nullifier { found: found.into() };
            assert_eq!(says("personhood", json!(found)), Err(expected));
        }
        for (member, at) in
            [("roles", "credentialSubject.roles"), ("personhood", "credentialSubject.personhood")]
        {
            let without =
                changed(encoding, |p| remove(&mut inside(encoding, p)["credentialSubject"], member));
            assert_eq!(without, Err(CredentialError::Missing { member: at }));
            assert!(matches!(says(member, json!(7)), Err(CredentialError::Form { .. })));
        }
    }
}

#[test]
fn a_did_key_has_one_spelling() {
    // The example of the did:key method, section 2.
    let known = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";
    assert_eq!(known.parse::<DidKey>().expect("an example").to_string(), known);
    assert_eq!(known.replace("z6", "Z6").parse::<DidKey>(), Err(DidError::Method));
    assert_eq!("did:key:f00".parse::<DidKey>(), Err(DidError::Method));
    let long = format!("did:key:z{}", "6".repeat(MAX_JWT_BYTES));
    assert_eq!(long.parse::<DidKey>(), Err(DidError::Method));
    assert_eq!(known.replace('R', "0").parse::<DidKey>(), Err(DidError::Base58));
    let spelt = |bytes: &[u8]| format!("did:key:z{}", bs58::encode(bytes).into_string()).parse::<DidKey>();
    let key = *DidKey::of(&issuer()).as_bytes();
    assert_eq!(spelt(&[&[0xed, 0x01], &key[..]].concat()), Ok(DidKey::of(&issuer())));
    // secp256k1, X25519, a varint of two spellings, a key too short and one too long.
    let other: [&[u8]; 3] = [&[0xe7, 0x01], &[0xec, 0x01], &[0xed, 0x81, 0x00]];
    for prefix in other {
        assert_eq!(spelt(&[prefix, &key].concat()), Err(DidError::Kind));
    }
    assert_eq!(spelt(&[&[0xed, 0x01], &key[1..]].concat()), Err(DidError::Kind));
    assert_eq!(spelt(&[&[0xed, 0x01], &key[..], &[0]].concat()), Err(DidError::Kind));
    // A point of order one, y = 1, and y = p + 3: a second spelling of y = 3.
    let mut one = [0; 32];
    one[0] = 1;
    let mut second = [0xff; 32];
    (second[0], second[31]) = (0xf0, 0x7f);
    for bytes in [one, second] {
        assert_eq!(spelt(&[&[0xed, 0x01], &bytes[..]].concat()), Err(DidError::Point));
    }
}

#[test]
fn nullifiers_tell_humans_apart_and_follow_the_key() {
    let key = PersonhoodKey::new([3; 32]);
    let of = |attribute: &[u8]| personhood_nullifier(&key, attribute);
    assert_eq!(of(b"X 1"), personhood_nullifier(&PersonhoodKey::new([3; 32]), b"X 1"));
    assert_ne!(of(b"X 1"), of(b"X 2"));
    assert_ne!(of(b"X 1"), personhood_nullifier(&PersonhoodKey::new([4; 32]), b"X 1"));
    assert_eq!(format!("{key:?}"), "PersonhoodKey(..)");
}

#[test]
fn a_commitment_binds_credential_and_salt() {
    let jwt = issue(&issuer(), &statement(), Encoding::V2);
    let known = commitment(jwt.as_bytes(), &[7; 32]);
    assert_ne!(known, commitment(jwt.as_bytes(), &[8; 32]));
    assert_ne!(known, commitment(&jwt.as_bytes()[1..], &[7; 32]));
}

#[test]
fn the_subject_signs_for_one_account() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let keys = [(); 2].map(|()| crate::signature::SecretKey::generate(&mut rng).public_key());
    let jwt = issue(&issuer(), &statement(), Encoding::V1);
    let verified = read(&jwt).expect("a credential");
    let credential = commitment(jwt.as_bytes(), &[7; 32]);
    let holding = Holding { chain: ChainId(7), person: PersonId([5; 32]), key: keys[0], credential };
    let mut signature = holding.sign(&holder());
    assert_eq!(holding.verify(&verified.subject, &signature), Ok(()));
    let refused = Err(CredentialError::Holder { subject: verified.subject });
    let others = [
        Holding { chain: ChainId(8), ..holding.clone() },
        Holding { person: PersonId([6; 32]), ..holding.clone() },
        Holding { key: keys[1], ..holding.clone() },
        Holding { credential: commitment(jwt.as_bytes(), &[8; 32]), ..holding.clone() },
    ];
    for other in others {
        assert_eq!(other.verify(&verified.subject, &signature), refused);
    }
    assert_eq!(holding.verify(&verified.subject, &holding.sign(&issuer())), refused);
    signature[0] ^= 1;
    assert_eq!(holding.verify(&verified.subject, &signature), refused);
    let register = verified.registration(holding.person, holding.key, credential);
    assert_eq!((register.roles, register.nullifier), (verified.roles, verified.nullifier));
    assert_eq!((register.person, register.key), (holding.person, holding.key));
    assert_eq!(register.credential, credential);
}

/// Any JSON, with names that a credential has among those of its objects.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "iss",
        "sub",
        "nbf",
        "exp",
        "vc",
        "@context",
        "type",
        "issuer",
        "credentialSubject",
        "id",
        "roles",
        "personhood",
        "validFrom",
        "validUntil",
        "creator",
        "VerifiableCredential",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let names = word.clone().prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bytes_at_random_are_no_credential(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify(&bytes, &trusted(), NOW).is_err());
    }

    /// Whatever an issuer may sign by mistake, the reader says what is wrong with it or reads what is there.
    #[test]
    fn one_member_replaced_by_anything(
        v2: bool,
        deep: bool,
        at in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let encoding = if v2 { Encoding::V2 } else { Encoding::V1 };
        let mut name = String::new();
        let read = changed(encoding, |payload| {
            let whole = inside(encoding, payload);
            let object = if deep { &mut whole["credentialSubject"] } else { whole };
            let object = object.as_object_mut().expect("an object");
            let names: Vec<_> = object.keys().cloned().collect();
            name = at.get(&names).clone();
            object.insert(name.clone(), value.clone());
        });
        // Only the first second may be any number, and roles any list of roles.
        if let Ok(read) = read {
            let free = name == "nbf" && value.is_u64() || name == "roles" || name == "exp";
            prop_assert!(free, "{name} may not be {value}");
            prop_assert_eq!(read.subject, statement().subject);
        }
    }
}
