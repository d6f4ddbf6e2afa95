//! `cwe sim sweep` as its users meet it: rows, refusals, and files that are resumed.

mod common;

use common::{cwe, error, path, stdout};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A sweep of a small synthetic market, with these arguments after it.
fn sweep(more: &[&str]) -> Output {
    let small =
        ["sim", "sweep", "--economics", "--synthetic", "40", "--plays-per-subscriber", "50", "--quiet"];
    cwe(&[&small[..], more].concat())
}

#[test]
fn a_sweep_prints_one_line_a_run_whatever_the_threads() {
    let arguments =
        ["--grid", "k=0,0.25,1", "--grid", "replay_scope=work,creator", "--seeds", "3", "-o", "csv"];
    let output = sweep(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "quiet");
    let lines: Vec<&str> = stdout(&output).lines().collect();
    let header = "k,replay_scope,seed,gini,top1_share,cross_subsidy,worst_parity,value_suppressed,roi_puppet,\
                  roi_catalogue,gain_split,gain_bandwidth";
    assert_eq!((lines.len(), lines[0]), (1 + 18, header));
    assert!(lines[2].starts_with("0,creator,1,"), "{}", lines[2]);
    let again = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(["sim", "sweep", "--economics", "--synthetic", "40", "--plays-per-subscriber", "50"])
        .args(arguments)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("the command runs");
    assert_eq!(stdout(&again), stdout(&output));
    let object: Value =
        serde_json::from_str(stdout(&sweep(&["--grid", "k=0,1", "-o", "json"]))).expect("JSON");
    assert_eq!(object["rows"].as_array().map(Vec::len), Some(2));
    assert!(object["summary"][1]["gini"]["mean"].is_f64(), "{object}");
    let table = sweep(&["--grid", "k=0,1", "--seeds", "2"]);
    assert!(stdout(&table).contains("Means over 2 seeds"), "{}", stdout(&table));
}

#[test]
fn sweeps_that_cannot_be_are_refused_in_one_line() {
    for (arguments, what) in [
        (&["--grid", "k=0,17"][..], "grid k: 17 is outside 0 to 16"),
        (&["--grid", "gamma=1"], "grid gamma: no parameter of that name"),
        (&["--grid", "k=fast"], "grid k: "),
        (&["--grid", "eco=60%", "--grid", "fee=40%"], "eco=60% fee=40%"),
        (&["--seeds", "0"], "at least one"),
        (&["--out", "/nonexistent/sweep.csv"], "/nonexistent/sweep.csv"),
    ] {
        let refused = sweep(arguments);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(error(&refused).contains(what), "{}", error(&refused));
        assert!(refused.stdout.is_empty());
    }
    let cryptographic = cwe(&["sim", "sweep"]);
    assert_eq!(cryptographic.status.code(), Some(2));
    assert!(error(&cryptographic).contains("--economics"));
    assert!(stdout(&cwe(&["sim", "sweep", "--help"])).contains("Examples:"));
}

#[test]
fn a_sweep_that_was_killed_in_the_middle_of_a_row_goes_on_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (whole, torn) = (folder.path().join("whole.csv"), folder.path().join("torn.csv"));
    let run =
        |file: &Path, grid: &str| sweep(&["--grid", grid, "--seeds", "4", "--out", path(file), "-o", "csv"]);
    let first = run(&whole, "k=0,1");
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let bytes = fs::read(&whole).expect("written");
    assert_eq!(first.stdout, bytes);
    fs::write(&torn, &bytes[..bytes.len() / 2]).expect("a beginning");
    assert_eq!(run(&torn, "k=0,1").status.code(), Some(2), "nothing says of which sweep it is");
    let beside = |file: &Path| folder.path().join(format!("{}.sweep.json", path(file)));
    fs::copy(beside(&whole), beside(&torn)).expect("copied");
    assert_eq!(run(&torn, "k=0,1").status.code(), Some(0));
    assert_eq!(fs::read(&torn).expect("written"), bytes);
    let other = run(&torn, "k=0,2");
    assert_eq!(other.status.code(), Some(2));
    assert!(error(&other).contains("of another sweep"), "{}", error(&other));
}

/// An interrupt keeps what is done, and says how to go on.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_how_to_go_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sweep.csv");
    let mut run = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(["sim", "sweep", "--economics", "--synthetic", "100", "--seeds", "1000000", "--quiet"])
        .args(["--out", path(&file)])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command runs");
    let begun = || fs::metadata(&file).is_ok_and(|file| file.len() > 1_000);
    while !begun() && run.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let interrupted = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill runs");
    assert!(interrupted.success());
    let output = run.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(130));
    assert!(error(&output).contains("run the same command again"), "{}", error(&output));
    assert!(fs::read_to_string(&file).expect("written").ends_with('\n'));
}
