//! Folders that a node cannot run in: each is named, with what to do, and nothing in it is changed.

use crate::{
    common::{cwe, error, path},
    process::Net,
};
use chain::node::read_blocks;
use std::{fs, path::Path, process::Output};

#[track_caller]
fn refused(output: &Output, folder: &Path, said: &[&str]) {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for said in [&[path(folder)], said].concat() {
        assert!(error(output).contains(said), "{said}: {output:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("net");
    fs::write(&file, "a file").expect("written");
    refused(&cwe(&["node", "init", path(&file)]), &file, &["cannot be made", "write to"]);
    assert_eq!(fs::read(&file).expect("as it was"), b"a file");
    let missing = folder.path().join("node.toml");
    refused(&cwe(&["node", "run", "--config", path(&missing)]), &missing, &["cwe node init"]);
}

#[test]
fn a_folder_that_is_in_use_damaged_or_of_another_chain_is_said() {
    let (net, other) = (Net::new(), Net::new());
    let (config, data, log) = (net.config(), net.data(), net.data().join("blocks.log"));
    let run = |more: &[&str]| {
        cwe(&[&["node", "run", "--listen", "127.0.0.1:0", "--config", path(&config)], more].concat())
    };
    let (mut node, mut load) = (net.sequencer(&[]), net.load());
    let client = node.client();
    for height in 1..=2 {
        client.call("cwe_submit", &[load.next().0]).expect("taken");
        node.wait_for(height);
    }
    refused(&run(&[]), &data, &["another node runs in this folder"]);
    drop(client);
    assert_eq!(node.terminate(), Some(0));

    let genesis = other.dir.path().join("genesis.json");
    let first = read_blocks(&data).expect("blocks")[0].parent;
    let digests = [first.to_string(), other.genesis().digest().to_string()];
    let key = other.dir.path().join("keys/sequencer.key");
    let of_other = run(&["--genesis", path(&genesis), "--key", path(&key)]);
    refused(&of_other, &data, &[&digests[0], &digests[1], "genesis.json of that chain"]);

    let blocks = fs::read(&log).expect("a log");
    let mut damaged = blocks.clone();
    damaged[100] ^= 1;
    fs::write(&log, &damaged).expect("written");
    refused(&run(&[]), &data, &["the block log is damaged", "put blocks.log back"]);
    assert_eq!(fs::read(&log).expect("as it was"), damaged);
    fs::remove_file(&log).expect("removed");
    refused(&run(&[]), &data, &["a block that was on disk is lost", "put blocks.log back"]);
    fs::write(&log, &blocks).expect("written");
    assert_eq!(net.sequencer(&[]).terminate(), Some(0));

    let file = net.dir.path().join("node.toml");
    refused(&run(&["--dir", path(&file)]), &file, &["cannot be made"]);
}
