//! A sequencer that is killed with SIGKILL at random moments under load: nothing that it confirmed is lost, everything
//! stands where it said, and its blocks lead to its root.

use crate::process::Net;
use chain::{
    Ledger,
    node::Store,
    poseidon::wire,
    sequencer::{Confirmation, Evidence, NoEvidence},
};
use primitives::Digest;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// How often it is killed.
const ROUNDS: u64 = 12;
/// Longest time until it is.
const LONGEST: u64 = 1500;

#[test]
fn a_sequencer_that_is_killed_keeps_its_word() {
    let seed = OsRng.next_u64();
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let net = Net::new();
    // What was acknowledged, by nonce, with the confirmation if no block was made before the answer.
    let promised = Arc::new(Mutex::new(BTreeMap::<u64, (Digest, Option<Confirmation>)>::new()));
    let (mut load, mut restored) = (net.load(), 0);
    // Small blocks, so that the moment of death falls into every step of making one.
    let flags = ["--block-transactions", "7"];
    for round in 0..ROUNDS {
        let mut node = net.sequencer(&flags);
        restored += node.restored;
        let client = node.client();
        // Everything that was promised in earlier rounds stands, and stands where it was promised.
        for (id, confirmation) in promised.lock().expect("no panic").values() {
            let stands = client.call("cwe_transaction", &[json!(id)]).expect("a status");
            assert!(
                ["in-block", "confirmed"].contains(&stands["status"].as_str().expect("a status")),
                "{stands}"
            );
            if let Some(Confirmation { promise, .. }) = confirmation {
                let place = (json!(promise.height), json!(promise.position));
                assert_eq!((&stands["height"], &stands["position"]), (&place.0, &place.1), "round {round}");
            }
        }
        let nonce = client.call("cwe_nonce", &[json!(load.signer())]).expect("a nonce");
        load.nonce = nonce["next"].as_u64().expect("a number");
        let moment = Duration::from_millis(20 + rng.next_u64() % LONGEST);
        let seen = promised.clone();
        let working = thread::spawn(move || {
            loop {
                let number = load.nonce;
                let (bytes, id) = load.next();
                let Ok(answer) = client.call("cwe_submit", &[bytes]) else { return load };
                let confirmation = serde_json::from_value(answer["confirmation"].clone());
                seen.lock()
                    .expect("no panic")
                    .insert(number, (id, confirmation.expect("a confirmation or none")));
            }
        });
        thread::sleep(moment);
        node.kill();
        load = working.join().expect("no panic");
    }
    let mut node = net.sequencer(&flags);
    restored += node.restored;
    assert_eq!(node.terminate(), Some(0));

    let promised = promised.lock().expect("no panic");
    assert!(promised.len() > ROUNDS as usize, "there was load: {}", promised.len());
    assert!(restored > 0, "some were killed between a confirmation and its block");
    let key = net.key("sequencer").public_key();
    let genesis = net.genesis();
    let chain = genesis.chain;
    let start = Ledger::genesis(genesis).expect("valid");
    let (store, mut ledger) = Store::open_sealed(&net.data(), start).expect("sealed blocks");
    for confirmation in promised.values().filter_map(|(_, confirmation)| confirmation.as_ref()) {
        let block = store.archive().block(confirmation.promise.height).expect("read").expect("there");
        assert!(confirmation.holds(&key));
        let evidence = Evidence::BrokenPromise((*confirmation, block));
        assert_eq!(evidence.check(chain, &key), Err(NoEvidence::NoContradiction), "{confirmation:?}");
    }
    let last = store.archive().block(ledger.height()).expect("read").expect("there");
    assert_eq!(ledger.state_root(), last.block.state_root);
    // And once more from nothing but the blocks.
    drop(store);
    let mut again = Ledger::genesis(net.genesis()).expect("valid");
    for block in chain::node::read_blocks(net.data()).expect("blocks") {
        again = again.replay(&block).expect("sound");
    }
    assert_eq!(wire::to_hex(&again.state_root()), wire::to_hex(&ledger.state_root()));
}
