//! `cwe demo --l1` as its users meet it: what a run says of L1, and how wrong calls are refused before anything long
//! begins.

mod common;
#[path = "common/demo.rs"]
mod demo;

use common::{error, stdout};
use demo::small_demo;
use serde_json::Value;
use std::{fs, path::Path, process::Output};

/// Runs a small demo.
fn demo(more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    small_demo("5", &folder.path().join("run"), &[&["--works", "16", "-o", "json"][..], more].concat())
}

/// Checks that a call is refused as a wrong one, in one line.
#[track_caller]
fn refused(more: &[&str]) -> String {
    let output = demo(more);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{output:?}");
    error(&output).to_owned()
}

#[test]
fn a_run_ends_with_the_chain_the_epoch_and_two_payments_on_l1() {
    let output = demo(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let object: Value = serde_json::from_str(stdout(&output)).expect("one JSON object");
    let l1 = &object["layer1"];
    assert!(l1["anchored"] == true && l1["mirror_equal"] == true, "{l1}");
    assert!(l1["batches"].as_u64() >= l1["blocks"].as_u64() && l1["blocks"].as_u64() > Some(3));
    assert_eq!(l1["remaining"], 0);
    let paid = l1["paid"].as_array().expect("a list");
    assert_eq!(paid.len(), 2);
    for creator in paid {
        assert!(creator["holds"].as_u64() > Some(0) && creator["holds"] == creator["owed"], "{creator}");
    }
    let refusals = l1["refusals"].as_array().expect("a list");
    let answers: Vec<_> = refusals.iter().filter_map(|tried| tried["answer"].as_str()).collect();
    let expected = [
        "OutOfOrder",
        "TooFewSignatures",
        "WrongSigner",
        "NotInState",
        "NotFunded",
        "NotOwed",
        "NotOwed",
        "AlreadyClaimed",
    ];
    assert_eq!(answers, expected);
    assert!(refusals.iter().all(|tried| tried["as_expected"] == true));
    let batches = &l1["gas"]["commit a batch"];
    assert_eq!(batches["transactions"], l1["batches"]);
    assert!(batches["gas"].as_u64() > Some(50_000));
}

#[test]
fn an_l1_that_does_not_answer_is_named_without_what_follows_its_host() {
    let error = refused(&["--l1", "http://127.0.0.1:9/v3/secret"]);
    assert!(error.contains("http://127.0.0.1:9") && !error.contains("secret"), "{error}");
    refused(&["--l1", "anvil"]);
}

#[test]
fn keys_are_refused_unless_their_file_is_ones_own_and_holds_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        set_mode(&path, mode);
        path.to_str().expect("a plain path").to_owned()
    };
    let digits = "17".repeat(32);
    let url = "http://127.0.0.1:9";
    for bad in [
        file("short", &digits[2..], 0o600),
        file("long", &format!("{digits}00"), 0o600),
        file("words", "the key", 0o600),
        file("empty", "", 0o600),
        file("zero", &"00".repeat(32), 0o600),
        folder.path().to_str().expect("a plain path").to_owned(),
        folder.path().join("missing").to_str().expect("a plain path").to_owned(),
    ] {
        let error = refused(&["--l1", url, "--l1-key", &bad]);
        assert!(error.contains(&bad) && !error.contains(&digits[..16]), "{error}");
    }
    let good = file("good", &format!("0x{digits}\n"), 0o600);
    assert!(refused(&["--l1", url, "--l1-key", &good]).contains("does not answer"));
    assert!(refused(&["--l1-key", &good]).contains("--l1"));
    if cfg!(unix) {
        let open = file("open", &digits, 0o644);
        assert!(refused(&["--l1", url, "--l1-key", &open]).contains("chmod 600"));
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
