//! What a credential says, and when.

use super::*;

#[test]
fn a_credential_holds_from_its_first_second_to_its_last() {
    for encoding in Encoding::ALL {
        let jwt = issue(&issuer(), &statement(), encoding);
        let at = |now| verify(jwt.as_bytes(), &trusted(), now).map(|_| ());
        let before = |time: Time| Time(time.0 - 1);
        assert_eq!(at(before(FROM)), Err(CredentialError::NotYet { from: FROM, now: before(FROM) }));
        assert_eq!(at(FROM), Ok(()));
        assert_eq!(at(before(UNTIL)), Ok(()));
        assert_eq!(at(UNTIL), Err(CredentialError::Expired { until: UNTIL, now: UNTIL }));
    }
}

#[test]
fn dates_in_the_credential_count_as_well() {
    let (past, future) = ("2001-09-09T01:46:40Z", "2100-03-01T00:00:00Z");
    let (past_seconds, future_seconds) = (Time(1_000_000_000), Time(4_107_542_400));
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
        for wrong in [json!(NOW.0), json!("2100-03-01"), json!("2100-03-01T00:00:00.000Z"), json!(null)] {
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
