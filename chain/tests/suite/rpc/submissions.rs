//! What the sequencer is handed and what it is spared, whose key it has, and what it owes in pages.

use super::*;
use chain::{
    modules::{
        dapr::{Claim, FinaliseEpoch},
        identity::Rotate,
    },
    node::{Config, Role, RunError, rpc::Patience},
    sequencer::Limits,
    signature::SecretKey,
};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};

/// Pages of one payout each give all of them, in the order of the works.
#[test]
fn payouts_and_claims_come_in_pages() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let claims = world.ledger.state().claims_of_epoch(FIRST);
    let mut of: BTreeMap<PersonId, Vec<Claim>> = BTreeMap::new();
    for claim in claims {
        of.entry(claim.payee).or_default().push(claim);
    }
    let (payee, claims) = of.into_iter().max_by_key(|(_, claims)| claims.len()).expect("payouts");
    assert!(claims.len() > 1, "one page would do");
    for (method, list) in [("cwe_payouts", "payouts"), ("cwe_claims", "claims")] {
        let (mut given, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = client.call(method, &[json!(payee), json!(FIRST), after, json!(1)]).expect("a page");
            let payouts = page[list].as_array().expect("a list");
            assert!(payouts.len() <= 1);
            given.extend(payouts.clone());
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        let figures = |value: &Value| (value["work"].clone(), value["amount"].clone());
        let expected: Vec<_> = claims.iter().map(|claim| (json!(claim.work), json!(claim.amount))).collect();
        assert_eq!(given.iter().map(figures).collect::<Vec<_>>(), expected, "{method}");
        if method == "cwe_claims" {
            let transactions: Vec<_> = given.iter().map(|claim| claim["transaction"].clone()).collect();
            let paid: Vec<_> =
                claims.iter().cloned().map(|c| hex(&Transaction::open(Payload::Claim(c)))).collect();
            assert_eq!(transactions, paid, "with their paths");
        }
    }
}

/// What somebody signs in another's name does not reach the sequencer. What the block in hand changed does.
#[test]
fn signatures_are_checked_before_the_sequencer_has_them() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::start(
        dir.path(),
        world.ledger.origin().clone(),
        Role::Sequencer { key: sequencer_key(), limits: Limits { interval: 3, ..Limits::default() } },
    );
    let client = node.client();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let new = SecretKey::generate(&mut rng);
    let mut sign = |nonce, payload, key: &SecretKey| {
        Transaction::signed(payload, CHAIN, (REGISTRAR, nonce), key, &mut rng)
    };
    for nonce in [0, 1, 60] {
        let forged = sign(nonce, world.register(1), &new);
        let (code, data) = refused(client.call("cwe_submit", &[hex(&forged)]));
        assert_eq!((code, &data["rule"]), (codes::RULE, &json!("Signature")));
        // The sequencer would have kept why it refused.
        let stands = client.call("cwe_transaction", &[json!(forged.id())]).expect("a status");
        assert_eq!(stands["status"], json!("unknown"), "{stands}");
    }
    let rotate = Payload::Rotate(Rotate { key: new.public_key() });
    let rotate = sign(0, rotate, &world.keys[&REGISTRAR]);
    let by_new = sign(1, world.register(1), &new);
    let one = client.call("cwe_submit", &[hex(&rotate)]).expect("its own key");
    let other = client.call("cwe_submit", &[hex(&by_new)]).expect("the key that is in the block in hand");
    for (stands, position) in [(&one, 0), (&other, 1)] {
        assert_eq!((&stands["status"], &stands["position"]), (&json!("confirmed"), &json!(position)));
        assert_eq!(stands["height"], json!(1));
    }
    wait_for_block(&client, &other["transaction"]);
    // Spent, by the last block.
    let old = sign(0, world.register(2), &world.keys[&REGISTRAR]);
    let (code, data) = refused(client.call("cwe_submit", &[hex(&old)]));
    assert_eq!((code, &data["rule"]), (codes::RULE, &json!("Nonce")));
}

/// A check says what the ledger would, without a signature, and changes nothing.
#[test]
fn a_check_says_what_a_transaction_would_come_to() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let payload = json!(ids::to_hex(&world.register(1).to_bytes()));
    let check = |signer: Value| client.call("cwe_check", &[payload.clone(), signer]).expect("an answer");
    assert_eq!(check(json!(REGISTRAR)), json!({ "height": 0, "refusal": null }));
    let refusals = [(json!(SEQUENCER), "NotRegistrar"), (json!(null), "Unsigned")];
    for (signer, rule) in refusals {
        assert_eq!(check(signer)["refusal"]["rule"], json!(rule));
    }
    let nonce = client.call("cwe_nonce", &[json!(REGISTRAR)]).expect("an account");
    assert_eq!(nonce, json!({ "sealed": 0, "next": 0 }));
    // What takes long is not judged for the asking.
    let settlement = Payload::FinaliseEpoch(FinaliseEpoch { epoch: EpochId(1) });
    for wrong in ["ff".into(), ids::to_hex(&settlement.to_bytes())] {
        let (code, _) = refused(client.call("cwe_check", &[json!(wrong)]));
        assert_eq!(code, -32602);
    }
}

/// Who a sequencer is the ledger says after its last block, and not the genesis.
#[test]
fn a_sequencer_that_changed_its_key_comes_back_with_the_new_one() {
    let world = crate::sequencer::world();
    let genesis = world.ledger.origin().clone();
    let dir = tempfile::tempdir().expect("a directory");
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let new = || SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(77));
    let node = Running::sequencer(dir.path(), genesis.clone());
    let rotate = Payload::Rotate(Rotate { key: new().public_key() });
    let rotate = Transaction::signed(rotate, CHAIN, (SEQUENCER, 0), &sequencer_key(), &mut rng);
    let client = node.client();
    let stands = client.call("cwe_submit", &[hex(&rotate)]).expect("its own key");
    wait_for_block(&client, &stands["transaction"]);
    drop(client);
    node.stop().expect("stops");
    let run = |key: SecretKey| {
        let config = Config {
            dir: dir.path().into(),
            start: chain::Ledger::genesis(genesis.clone()).expect("valid"),
            role: Role::Sequencer { key, limits: Limits::default() },
            listen: "127.0.0.1:0".parse().expect("an address"),
            max_connections: 8,
            patience: Patience::default(),
        };
        chain::node::run(config, &AtomicBool::new(true), &|_| ())
    };
    let refused = |key: SecretKey| match run(key) {
        Err(RunError::NotASequencer { key, person, height: 1 }) => (*key, person),
        other => panic!("{other:?}"),
    };
    let old = sequencer_key();
    assert_eq!(refused(old), (sequencer_key().public_key(), None));
    let registrar = &world.keys[&REGISTRAR];
    let same = SecretKey::from_secret_bytes(registrar.to_secret_bytes()).expect("a key");
    assert_eq!(refused(same), (registrar.public_key(), Some(REGISTRAR)));
    run(new()).expect("it is the sequencer's");
}
