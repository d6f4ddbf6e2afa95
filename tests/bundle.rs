//! `cwe bundle show` as its users meet it: what it tells of a bundle with and without the record of its epoch, and how it
//! refuses what is none.

mod common;
#[path = "common/demo.rs"]
mod demo;

use common::{cwe, error, path, stdout};
use demo::small_demo;
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

/// A small run, whose folder has a bundle to show.
struct Run(TempDir);

impl Run {
    fn shared() -> &'static Self {
        static RUN: OnceLock<Run> = OnceLock::new();
        RUN.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let run = Run(folder);
            let output = small_demo("5", &run.out(), &["--works", "16"]);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            run
        })
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("run")
    }

    fn sample(&self) -> PathBuf {
        self.out().join("sample.bundle")
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).expect("one JSON object")
}

#[test]
fn a_bundle_alone_shows_tags_and_says_what_pseudonyms_need() {
    let sample = Run::shared().sample();
    let shown = cwe(&["bundle", "show", path(&sample)]);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let text = stdout(&shown);
    for words in ["They need the epoch's key", "proof_usage", "proof_bandwidth", "not checked"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let object = json(&cwe(&["bundle", "show", path(&sample), "-o", "json"]));
    assert_eq!(object["event_pseudonyms"], Value::Null);
    assert_eq!(object["proof_usage"]["verdict"], "not checked");
    assert_eq!(object["event_tags"].as_array().map(Vec::len), object["events"].as_u64().map(|n| n as usize));
}

#[test]
fn with_its_record_a_bundle_has_pseudonyms_and_its_proof_holds() {
    let run = Run::shared();
    let shown = cwe(&["bundle", "show", path(&run.sample()), "--record", path(&run.out()), "-o", "json"]);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let object = json(&shown);
    assert_eq!(object["proof_usage"]["verdict"], "holds");
    let pseudonyms = object["event_pseudonyms"].as_array().expect("a list");
    assert_eq!(Some(pseudonyms.len() as u64), object["events"].as_u64());
    assert!(pseudonyms.iter().all(|p| p.as_str().is_some_and(|text| text.len() == 64)));
    let length = fs::metadata(run.sample()).expect("written").len();
    assert_eq!(object["bytes"], length);
    let sum =
        |parts: &Value| parts.as_object().expect("parts").values().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(sum(&object["statement"]) + sum(&object["proof_usage"]["parts"]), length);
    let receipts = object["proof_bandwidth"]["denominations"].as_array().expect("a list");
    let views: u64 = receipts.iter().filter_map(Value::as_u64).sum();
    assert_eq!(object["proof_bandwidth"]["views"], views);
    assert!(views > 0 && object["region"] != 0, "a sample with receipts");
    // What a bundle hides has no name in what is shown of it.
    for hidden in ["work", "works", "view", "subscriber"] {
        assert_eq!(object.get(hidden), None);
    }
}

#[test]
fn a_bundle_is_read_from_standard_input() {
    let sample = fs::read(Run::shared().sample()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(["bundle", "show", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    command.stdin.take().expect("piped").write_all(&sample).expect("taken");
    let shown = command.wait_with_output().expect("it ends");
    assert_eq!(shown.status.code(), Some(0));
    assert!(stdout(&shown).contains("proof_bandwidth"));
}

#[test]
fn a_changed_bundle_is_shown_and_does_not_hold() {
    let run = Run::shared();
    let mut bytes = fs::read(run.sample()).expect("written");
    bytes[60] ^= 1; // in the token
    let file = run.0.path().join("changed.bundle");
    fs::write(&file, &bytes).expect("written");
    let refused = cwe(&["bundle", "show", path(&file), "--record", path(&run.out()), "-o", "json"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(error(&refused).contains("token"), "{}", error(&refused));
    assert_eq!(json(&refused)["proof_usage"]["verdict"], "refused");
    // Another key of a signer makes another context: nothing verifies in it.
    let other = run.0.path().join("other");
    fs::create_dir(&other).expect("made");
    fs::copy(run.out().join("epoch.json"), other.join("epoch.json")).expect("copied");
    let mut signers: Value =
        serde_json::from_slice(&fs::read(run.out().join("signers.json")).expect("written")).expect("JSON");
    signers["tiers"][0]["key"] = signers["tiers"][1]["key"].clone();
    fs::write(other.join("signers.json"), signers.to_string()).expect("written");
    let refused = cwe(&["bundle", "show", path(&run.sample()), "--record", path(&other)]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    // Without keys nothing is checked, and that is said.
    fs::remove_file(other.join("signers.json")).expect("removed");
    let shown = cwe(&["bundle", "show", path(&run.sample()), "--record", path(&other)]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(stdout(&shown).contains("not checked: no signers.json"), "{}", stdout(&shown));
}

#[test]
fn what_is_no_bundle_is_bad_input_that_names_the_file() {
    let run = Run::shared();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("some.bundle");
    let long = vec![0; 512 * 1024 + 1];
    let half = fs::read(run.sample()).expect("written");
    let whole = half.len();
    let cut = format!("looks cut off at byte {}: at least", whole / 2);
    let mut twice = half.clone();
    twice.extend(&half);
    let goes_on = format!("ends at byte {whole}, and {whole} more bytes follow");
    let mut changed = half.clone();
    // The count of receipts, after envelope and token.
    let (envelope, token) = (56, 256);
    changed[envelope + token..][..4].fill(0xff);
    let cases: [(&[u8], &str); 6] = [
        (b"", "is empty"),
        (b"{\"format\": 2}\n", "is a text"),
        (&half[..whole / 2], &cut),
        (&twice, &goes_on),
        (&changed, "over the limit"),
        (&long, "longer than"),
    ];
    for (bytes, what) in cases {
        fs::write(&file, bytes).expect("written");
        let refused = cwe(&["bundle", "show", path(&file)]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let line = error(&refused);
        assert!(line.contains("some.bundle") && line.contains(what), "{line}");
        assert!(refused.stdout.is_empty());
    }
    let missing = cwe(&["bundle", "show", path(&folder.path().join("none"))]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(error(&missing).contains("sample.bundle"), "{}", error(&missing));
    let record = run.out().join("epoch.json");
    let mut other: Value = serde_json::from_slice(&fs::read(record).expect("written")).expect("JSON");
    other["epoch"] = 9.into();
    let file = folder.path().join("epoch.json");
    fs::write(&file, other.to_string()).expect("written");
    let refused = cwe(&["bundle", "show", path(&run.sample()), "--record", path(&file)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(error(&refused).contains("epoch 9"), "{}", error(&refused));
    fs::copy(run.out().join("epoch.json"), &file).expect("copied");
    fs::write(folder.path().join("signers.json"), "{}").expect("written");
    let refused = cwe(&["bundle", "show", path(&run.sample()), "--record", path(folder.path())]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(error(&refused).contains("signers.json"), "{}", error(&refused));
}

/// Every demo is epoch 1 of chain 1: which run a bundle is of shows in its proof alone.
#[test]
fn the_record_of_another_run_is_named_as_a_possible_reason() {
    let run = Run::shared();
    let other = run.0.path().join("another run");
    let made = small_demo("6", &other, &["--works", "80"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let shown = cwe(&["bundle", "show", path(&run.sample()), "--record", path(&other)]);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    let line = error(&shown);
    for words in ["either the bundle was changed", "of another run", "epoch verify '", "another run'"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(line.contains("does not fit 32 events in a shard of 256 places"), "{line}");
    let text = stdout(&shown);
    assert!(text.contains("not to be relied on, as the proof does not hold"), "{text}");
    let object = json(&cwe(&["bundle", "show", path(&run.sample()), "--record", path(&other), "-o", "json"]));
    assert_eq!(object["event_pseudonyms_hold"], false);
    let object =
        json(&cwe(&["bundle", "show", path(&run.sample()), "--record", path(&run.out()), "-o", "json"]));
    assert_eq!(object["event_pseudonyms_hold"], true);
}

#[test]
fn parts_have_the_symbols_of_the_note() {
    let sample = Run::shared().sample();
    let shown = cwe(&["bundle", "show", path(&sample)]);
    let text = stdout(&shown);
    for (part, symbol) in [("commitments", "B', A', A_sk"), ("vector response", "z"), ("tags", "T_e")] {
        let row = text.lines().find(|line| line.trim_start().starts_with(part)).expect("a row");
        assert_eq!(row.trim_start()[part.len()..].trim_start().split("  ").next(), Some(symbol), "{row}");
    }
    assert!(text.contains("T_e is the specification's commitment C_{w,j}"), "{text}");
    let object = json(&cwe(&["bundle", "show", path(&sample), "-o", "json"]));
    for (part, symbol) in [("backed_mask", "alpha"), ("coefficients", "D_k"), ("sealed", "E_i")] {
        assert_eq!(object["symbols"][part], symbol);
    }
    let help = cwe(&["bundle", "show", "--help"]);
    assert!(stdout(&help).contains("T_e is the specification's commitment"));
}

#[test]
fn a_damaged_record_says_once_where_and_what_next() {
    let run = Run::shared();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let record = fs::read(run.out().join("epoch.json")).expect("written");
    fs::write(folder.path().join("epoch.json"), &record[..record.len() / 2]).expect("written");
    let refused = cwe(&["bundle", "show", path(&run.sample()), "--record", path(folder.path())]);
    assert_eq!(refused.status.code(), Some(2));
    let line = error(&refused);
    assert!(line.contains("run the demo again"), "{line}");
    assert_eq!(line.matches("column").count(), 1, "{line}");
}

#[test]
fn help_has_an_example_of_a_bundle() {
    let help = cwe(&["bundle", "show", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("sample.bundle --record"));
}
