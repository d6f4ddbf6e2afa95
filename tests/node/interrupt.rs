//! A command that is interrupted while it waits for a block.

use crate::{
    common::path,
    process::{Net, Process},
};
use serde_json::json;
use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

#[test]
fn whoever_interrupts_the_wait_for_a_block_is_told_what_comes() {
    let net = Net::new();
    let (config, song) = (net.config(), net.dir.path().join("song.flac"));
    fs::write(&song, "la la la").expect("written");
    let slow = ["--listen", "127.0.0.1:0", "--block-seconds", "60", "--config", path(&config)];
    let node = Process::start(&net.run(&slow));
    let key = net.dir.path().join("keys/creator.key");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cwe"));
    command.args(["work", "register", path(&song), "--key", path(&key), "--url", &node.url()]);
    command.args(["--category", "3", "--media", "audio"]).stderr(Stdio::piped()).stdout(Stdio::piped());
    let waiting = command.spawn().expect("the command runs");
    let (client, creator) = (node.client(), net.person("creator"));
    while client.call("cwe_nonce", &[json!(creator)]).expect("a nonce")["next"] != json!(1) {
        thread::sleep(Duration::from_millis(50));
    }
    // It has the answer to its submission, and waits.
    thread::sleep(Duration::from_millis(500));
    let sent = Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let ended = waiting.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("took transaction") && said.contains("look with `show`"), "{said}");
}
