//! Names, nullifiers, commitments, and who holds a credential.

use super::*;

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
