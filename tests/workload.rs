//! What a demo says of a workload that is not as it was asked for.

mod common;

use common::{cwe, error, path, stdout};
use serde_json::Value;
use std::fs;

/// The command of the README that shows the cap, with fewer subscribers.
#[test]
fn a_workload_that_the_cap_cuts_says_so_everywhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let heavy = ["--preset", "guarded", "--plays-scale", "0.02", "--works", "300", "--subscribers", "6"];
    let run = cwe(&[&["demo", "--quiet", "--out", path(&out)][..], &heavy].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let metrics: Value =
        serde_json::from_slice(&fs::read(out.join("metrics.json")).expect("written")).expect("JSON");
    let left_out = metrics["capped"]["events"].as_u64().expect("a number");
    assert!(left_out > 1, "{}", metrics["capped"]);
    let page = fs::read_to_string(out.join("report.html")).expect("written");
    // Tables break lines between words.
    let text = stdout(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    for printed in [&text, &page] {
        for words in ["the cap left", "events beyond the cap.", "Complaints handled: 1, about the attack"] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    }
    assert!(page.contains("Subscribers by tier") && page.contains("Receipts by region"));
}

/// Fewer works than were asked for are said also at the end, where no announcement was printed.
#[test]
fn fewer_works_than_asked_for_are_noted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let asked = ["--works", "70000", "--subscribers", "1", "--out", path(&out)];
    let run = cwe(&[&["demo", "--quiet"][..], &asked].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(stdout(&run).contains("Note        70000 works asked for"), "{}", stdout(&run));
}

#[test]
fn a_table_that_is_not_there_is_bad_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("plays.tsv"), folder.path().join("out"));
    let refused = cwe(&["demo", "--quiet", "--usage", path(&file), "--out", path(&out)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(error(&refused).contains("plays.tsv"), "{}", error(&refused));
}
