//! `cwe epoch audit` as its users meet it: what it says of an honest run, what it finds in a changed one, and how it
//! refuses what it cannot read.

mod common;
#[path = "common/demo.rs"]
mod demo;

use common::{cwe, error, path, stdout};
use demo::small_demo;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::OnceLock,
};
use tempfile::TempDir;

/// Format, chain and epoch; shard, position and number of bundles; length of the first bundle.
const FIRST_BUNDLE: usize = 17 + 16 + 16 + 4;
/// Bytes of a bundle's envelope, which the token follows.
const ENVELOPE: usize = 56;

/// A small run of several shards, which is audited.
struct Run(TempDir);

impl Run {
    fn shared() -> &'static Self {
        static RUN: OnceLock<Run> = OnceLock::new();
        RUN.get_or_init(|| {
            let run = Run(tempfile::tempdir().expect("a temporary folder"));
            run.make("run", "5");
            run
        })
    }

    fn make(&self, name: &str, seed: &str) -> PathBuf {
        let out = self.0.path().join(name);
        let output = small_demo(seed, &out, &["--works", "16", "--shard-width", "8"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        out
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("run")
    }

    /// A copy of what an audit reads.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.0.path().join(name);
        fs::create_dir(&copy).expect("made");
        for file in ["epoch.json", "signers.json", "statements.bin"] {
            fs::copy(self.out().join(file), copy.join(file)).expect("copied");
        }
        copy
    }
}

fn audit(folder: &Path, more: &[&str]) -> Output {
    cwe(&[&["epoch", "audit", path(folder), "--quiet"], more].concat())
}

fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).expect("one JSON object")
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("written")).expect("JSON")
}

#[test]
fn an_honest_run_passes_its_audit() {
    let out = Run::shared().out();
    let metrics = read(&out.join("metrics.json"));
    let root = metrics["state_root"].as_str().expect("text");
    let passed = audit(&out, &["--root", root]);
    assert_eq!(passed.status.code(), Some(0), "{passed:?}");
    let text = stdout(&passed);
    assert!(text.contains("holds, bundle by bundle") && text.contains("the one that you trust"), "{text}");
    assert!(!text.contains("Not shown"), "{text}");
    let object = json(&audit(&out, &["-o", "json"]));
    assert_eq!((&object["holds"], &object["anchored"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(object["bundles"], metrics["bundles_accepted"]);
    assert_eq!((&object["batches"], &object["shards"]), (&metrics["batches"], &metrics["shards"]));
    assert_eq!(object["gaps"].as_array().map(Vec::len), Some(0));
    let told = cwe(&["epoch", "audit", path(&out)]);
    let progress = String::from_utf8(told.stderr).expect("text");
    assert!(progress.contains("published bundles verified again"), "{progress}");
    let other = audit(&out, &["--root", &"1".repeat(64)]);
    assert_eq!(other.status.code(), Some(1));
    assert!(error(&other).contains("the record does not hold: state: root"), "{}", error(&other));
}

#[test]
fn a_changed_bundle_is_named_with_its_place_and_the_rule_that_it_breaks() {
    let copy = Run::shared().copy("changed");
    let file = copy.join("statements.bin");
    let mut bytes = fs::read(&file).expect("written");
    bytes[FIRST_BUNDLE + ENVELOPE + 9] ^= 1;
    fs::write(&file, &bytes).expect("written");
    let refused = audit(&copy, &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let text = stdout(&refused);
    assert!(text.contains("✗ batch 0 of shard 0: the root over the published bundles"), "{text}");
    let named =
        text.lines().find(|line| line.starts_with("✗ bundle 0 of batch 0 of shard 0, ")).expect("named");
    assert!(named.ends_with(": the subscription token does not verify"), "{named}");
    let line = error(&refused);
    assert!(line.contains("statements.bin: the audit found batch 0") && line.contains("1 more"), "{line}");
    let object = json(&audit(&copy, &["-o", "json"]));
    assert_eq!(
        (&object["holds"], object["findings"].as_array().map(Vec::len)),
        (&Value::Bool(false), Some(2))
    );
}

#[test]
fn a_changed_record_is_refused_before_its_bundles_are_looked_at() {
    let copy = Run::shared().copy("record");
    let mut record = read(&copy.join("epoch.json"));
    // One more than it says: which bundles share a batch is not the same in every run.
    let count = &mut record["shards"][0]["headers"][0]["count"];
    *count = (count.as_u64().expect("a number") + 1).into();
    fs::write(copy.join("epoch.json"), record.to_string()).expect("written");
    let refused = audit(&copy, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let line = error(&refused);
    assert!(line.contains("epoch.json: the record does not hold") && line.contains("epoch verify"), "{line}");
}

#[test]
fn files_of_another_run_are_told_apart_from_a_few_bad_bundles() {
    let run = Run::shared();
    let (copy, other) = (run.copy("mixed"), run.make("other", "6"));
    fs::copy(other.join("signers.json"), copy.join("signers.json")).expect("copied");
    let refused = audit(&copy, &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let line = error(&refused);
    assert!(line.contains("no bundle holds, so this may be the signers.json"), "{line}");
    fs::copy(run.out().join("signers.json"), copy.join("signers.json")).expect("copied");
    fs::copy(other.join("statements.bin"), copy.join("statements.bin")).expect("copied");
    assert_eq!(audit(&copy, &[]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_bad_input() {
    let run = Run::shared();
    let copy = run.copy("unreadable");
    let (file, signers) = (copy.join("statements.bin"), copy.join("signers.json"));
    let whole = fs::read(&file).expect("written");
    let mut of_another = whole.clone();
    of_another[17 + 8] ^= 1;
    let cases: [(&[u8], &str); 4] = [
        (&whole[..whole.len() - 9], "ends too early, in batch"),
        (b"{}", "does not begin as published statements do"),
        (b"", "does not begin as published statements do"),
        (&of_another, "is of epoch 0 of chain 1, and the record of epoch 1 of chain 1"),
    ];
    for (bytes, what) in cases {
        fs::write(&file, bytes).expect("written");
        let refused = audit(&copy, &[]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(error(&refused).contains(what), "{}", error(&refused));
    }
    fs::write(&signers, "{}").expect("written");
    assert_eq!(audit(&copy, &[]).status.code(), Some(2));
    fs::copy(run.out().join("signers.json"), &signers).expect("copied");
    for (gone, what) in [(file, "statements.bin: cannot be read"), (signers, "signers.json: is not there")] {
        fs::remove_file(gone).expect("removed");
        let refused = audit(&copy, &[]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(error(&refused).contains(what), "{}", error(&refused));
    }
    let help = cwe(&["epoch", "audit", "--help"]);
    for words in ["Examples:", "statements.bin", "It does not show"] {
        assert!(stdout(&help).contains(words), "{words}");
    }
}
