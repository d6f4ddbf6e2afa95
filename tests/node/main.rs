//! `cwe node` as real processes over loopback: a chain is made, a sequencer and a full node run, and a sequencer that is
//! killed at random moments breaks no promise.

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod export;
mod folders;
mod interrupt;
mod kill;
mod payouts;
mod process;
mod works;
#[path = "../../chain/tests/suite"]
#[allow(dead_code, reason = "the ledger's tests use the rest of it")]
mod suite {
    pub(crate) mod world;
}

use chain::{modules::identity::Roles, node::read_blocks, signature::SecretKey};
use common::{cwe, error, path, stdout};
use process::{Net, Process};
use serde_json::{Value, json};
use std::{fs, process::Command};

#[test]
fn a_chain_for_development_has_keys_that_nobody_else_reads() {
    let net = Net::new();
    let shown: Value = serde_json::from_str(&net.printed).expect("one JSON object");
    assert_eq!(shown["chain"], json!(31000));
    let offices = shown["offices"].as_array().expect("a list");
    for office in offices {
        let key = net.key(office["office"].as_str().expect("a name"));
        assert_eq!(json!(key.public_key()), office["key"]);
    }
    let genesis = net.genesis();
    assert_eq!(json!(genesis.digest()), shown["genesis"]);
    assert_eq!(genesis.offices.iter().filter(|office| office.roles.has(Roles::SEQUENCER)).count(), 1);
    #[cfg(unix)]
    for entry in fs::read_dir(net.dir.path().join("keys")).expect("a folder").flatten() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let again = cwe(&["node", "init", path(net.dir.path())]);
    assert_eq!(again.status.code(), Some(2));
    assert!(error(&again).contains("genesis.json is there already"), "{again:?}");
    let other = net.dir.path().join("other");
    let zero = cwe(&["node", "init", path(&other), "--chain", "0"]);
    assert_eq!((zero.status.code(), other.exists()), (Some(2), false), "{zero:?}");
}

#[test]
fn settings_say_where_they_come_from_and_what_is_wrong_with_them() {
    let net = Net::new();
    let file = net.config();
    let config = |more: &[&str], environment: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cwe"));
        command.args(["node", "config", "--config", path(&file), "-o", "json"]).args(more);
        command.envs(environment.iter().copied()).output().expect("the command runs")
    };
    let shown = config(&["--listen", "127.0.0.1:9"], &[("CWE_NODE_BLOCK_SECONDS", "5")]);
    let shown: Value = serde_json::from_str(stdout(&shown)).expect("one JSON object");
    assert_eq!(shown["listen"], json!({ "value": "127.0.0.1:9", "from": "flag" }));
    assert_eq!(shown["block_seconds"], json!({ "value": "5", "from": "environment" }));
    assert_eq!(shown["role"]["from"], json!(path(&file)));
    assert!(shown.get("follow").is_none(), "a sequencer follows nobody: {shown}");
    let url = "ws://127.0.0.1:9";
    let full = config(&["--role", "full", "--follow", url], &[]);
    let full: Value = serde_json::from_str(stdout(&full)).expect("one JSON object");
    assert_eq!(full["follow"], json!({ "value": url, "from": "flag" }));
    assert!(full.get("key").is_none() && full.get("block_seconds").is_none(), "{full}");
    let none = config(&["--role", "full"], &[]);
    let none: Value = serde_json::from_str(stdout(&none)).expect("one JSON object");
    assert_eq!(none["follow"], json!({ "value": null, "from": null }));
    for (flags, said) in [
        (["--block-seconds", "0"], "is not a whole number from 1 to 60"),
        (["--role", "prover"], "sequencer or full"),
    ] {
        let wrong = config(&flags, &[]);
        assert_eq!(wrong.status.code(), Some(2), "what `run` refuses is refused: {wrong:?}");
        assert!(error(&wrong).contains(said), "{wrong:?}");
    }
    let unknown = config(&[], &[("CWE_NODE_LITSEN", "1")]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(error(&unknown).contains("CWE_NODE_LITSEN"), "{unknown:?}");

    let run = |more: &[&str]| cwe(&[&["node", "run", "--config", path(&file)], more].concat());
    let steward = net.dir.path().join("keys/steward.key");
    let stranger = net.dir.path().join("stranger.key");
    let secret = SecretKey::generate(&mut rand_core::OsRng).to_secret_bytes();
    fs::write(&stranger, primitives::ids::to_hex(&secret)).expect("written");
    for (flags, said) in [
        (["--role", "prover"], "sequencer or full"),
        (["--listen", "here"], "127.0.0.1:4300"),
        (["--block-seconds", "0"], "is not a whole number from 1 to 60"),
        (["--genesis", "no/such/file"], "cwe node init"),
        (["--key", path(&steward)], "is no sequencer"),
        (["--key", path(&stranger)], "chmod 600"),
        (["--role", "full"], "--follow"),
    ] {
        let refused = run(&flags);
        assert_eq!(refused.status.code(), Some(2), "{flags:?} {refused:?}");
        assert!(error(&refused).contains(said), "{flags:?} {refused:?}");
    }
    let nobody = cwe(&["node", "status", "--url", "ws://127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(error(&nobody).contains("does not answer"), "{nobody:?}");
}

#[test]
fn a_sequencer_and_a_full_node_reach_the_same_root() {
    let net = Net::new();
    let mut sequencer = net.sequencer(&[]);
    let copy = net.dir.path().join("copy");
    let flags =
        ["--role", "full", "--dir", path(&copy), "--listen", "127.0.0.1:0", "--follow", &sequencer.url()];
    let mut full = Process::start(&net.run(&flags));
    let client = sequencer.client();
    let (mut load, mut last) = (net.load(), Value::Null);
    for _ in 0..40 {
        let (bytes, _) = load.next();
        last = client.call("cwe_submit", &[bytes]).expect("taken");
        assert_eq!(last["status"], json!("confirmed"), "{last}");
    }
    let height = last["height"].as_u64().expect("a height");
    let theirs = full.client();
    full.wait_for(height);
    let state_root = |head: Value| head["state_root"].clone();
    let block =
        |client: &chain::node::NodeClient| client.call("cwe_block", &[json!(height)]).expect("a block");
    assert_eq!(state_root(block(&client)), state_root(block(&theirs)));
    let status = cwe(&["node", "status", "--url", &full.url(), "-o", "json"]);
    let status: Value = serde_json::from_str(stdout(&status)).expect("one JSON object");
    assert_eq!((&status["role"], &status["chain"]), (&json!("full"), &json!(31000)));
    let table = cwe(&["node", "status", "--url", &sequencer.url()]);
    assert!(stdout(&table).contains("sequencer"), "{table:?}");

    // The last transaction is in no block yet, or it is: after a clean end it is in one.
    let (bytes, promise) = load.next();
    let placed = client.call("cwe_submit", &[bytes]).expect("taken");
    drop(client);
    assert_eq!(sequencer.terminate(), Some(0));
    assert_eq!(full.terminate(), Some(0));
    let stopped = sequencer.last_event().expect("it says that it stopped");
    let blocks = read_blocks(net.data()).expect("blocks");
    assert_eq!((&stopped["event"], &stopped["height"]), (&json!("stopped"), &json!(blocks.len())));
    let height = placed["height"].as_u64().expect("a height") as usize;
    assert!(blocks[height - 1].transactions.iter().any(|tx| tx.id() == promise));
    let followed = read_blocks(&copy).expect("blocks");
    assert!(followed.len() >= height - 1 && blocks.starts_with(&followed));
}
