//! A chain goes on from the state of another, and a sequencer that lost its log does not begin its chain again.

use crate::{
    common::{cwe, error, path, stdout},
    process::{Net, Process},
};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_chain_goes_on_from_an_exported_state_under_the_same_root() {
    let net = Net::new();
    let (config, out) = (net.config(), net.dir.path().join("next"));
    let export = |more: &[&str]| {
        cwe(&[&["node", "export", path(&out), "--config", path(&config), "-o", "json"], more].concat())
    };
    let early = export(&[]);
    assert_eq!(early.status.code(), Some(2), "there is no node yet: {early:?}");
    let (mut sequencer, mut load) = (net.sequencer(&[]), net.load());
    let client = sequencer.client();
    client.call("cwe_submit", &[load.next().0]).expect("taken");
    sequencer.wait_for(1);
    let running = export(&[]);
    assert_eq!((running.status.code(), out.exists()), (Some(2), false), "{running:?}");
    assert!(error(&running).contains("another node runs in this folder"), "{running:?}");
    drop(client);
    assert_eq!(sequencer.terminate(), Some(0));
    let last = sequencer.last_event().expect("it says that it stopped");

    let same = export(&["--chain", "31000"]);
    assert_eq!((same.status.code(), out.exists()), (Some(2), false), "{same:?}");
    let made = export(&["--chain", "31001"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let made: Value = serde_json::from_str(stdout(&made)).expect("one JSON object");
    assert_eq!((&made["chain"], &made["from"]["chain"]), (&json!(31001), &json!(31000)));
    assert_eq!((&made["from"]["height"], &made["from"]["digest"]), (&last["height"], &last["digest"]));
    assert_eq!(export(&["--chain", "31001"]).status.code(), Some(2), "nothing is written over");

    // The root is that of the last block of the old chain, and of the first state of the new one.
    let mut old = net.sequencer(&[]);
    let block = old.client().call("cwe_block", &[last["height"].clone()]).expect("a block");
    assert_eq!(made["state_root"], block["state_root"]);
    assert_eq!(old.terminate(), Some(0));
    let genesis = out.join("genesis.json");
    let (data, copy) = (out.join("data"), out.join("copy"));
    let key = net.dir.path().join("keys/sequencer.key");
    let run = |more: &[&str]| {
        let base = ["node", "run", "--genesis", path(&genesis), "--listen", "127.0.0.1:0", "-o", "json"];
        base.iter().chain(more).map(|text| (*text).to_owned()).collect::<Vec<_>>()
    };
    let own = ["--dir", path(&data), "--key", path(&key), "--heartbeat-seconds", "1"];
    let mut next = Process::start(&run(&own));
    let chain = next.client().call("cwe_chain", &[]).expect("an answer");
    assert_eq!((&chain["chain"], &chain["genesis"]), (&json!(31001), &made["genesis"]));
    let follow = ["--role", "full", "--dir", path(&copy), "--follow", &next.url()];
    let mut full = Process::start(&run(&follow));
    full.wait_for(1);
    assert_eq!((full.terminate(), next.terminate()), (Some(0), Some(0)));
    // And comes back from its own files.
    assert_eq!(Process::start(&run(&own)).terminate(), Some(0));
    fs::remove_file(out.join("state.snapshot")).expect("removed");
    let without = cwe(&run(&own).iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(without.status.code(), Some(2), "{without:?}");
    assert!(error(&without).contains("cwe node export"), "{without:?}");
}

#[test]
fn a_sequencer_without_its_log_does_not_begin_again() {
    let net = Net::new();
    let (mut sequencer, mut load) = (net.sequencer(&[]), net.load());
    let client = sequencer.client();
    client.call("cwe_submit", &[load.next().0]).expect("taken");
    sequencer.wait_for(1);
    drop(client);
    assert_eq!(sequencer.terminate(), Some(0));
    fs::remove_file(net.data().join("blocks.log")).expect("removed");
    fs::remove_dir_all(net.data().join("index")).expect("removed");
    let config = net.config();
    let again = cwe(&["node", "run", "--listen", "127.0.0.1:0", "--config", path(&config)]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(error(&again).contains("a block that was on disk is lost"), "{again:?}");
    assert!(error(&again).contains("put blocks.log back"), "{again:?}");
}

#[test]
fn a_full_node_that_follows_itself_is_told_so() {
    let net = Net::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let (free, copy) = (free.expect("an address").to_string(), net.dir.path().join("copy"));
    let (genesis, url) = (net.dir.path().join("genesis.json"), format!("ws://{free}"));
    let flags = ["--role", "full", "--dir", path(&copy), "--listen", &free, "--follow", &url];
    let run = cwe(&[&["node", "run", "-o", "json", "--genesis", path(&genesis)], &flags[..]].concat());
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(error(&run).contains("is this node itself"), "{run:?}");
}
