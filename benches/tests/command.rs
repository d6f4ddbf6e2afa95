//! The command as its users call it.

use std::process::{Command, Output};

fn benches(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_benches")).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_quick_run_of_one_topic_prints_its_tables_and_nothing_else() {
    let out = benches(&["--quick", "--only", "power"]);
    let page = text(&out.stdout);
    assert!(out.status.success());
    assert!(
        page.starts_with("# Benchmarks\n")
            && page.contains("\n## Fixed-point power\n\nMeasured ")
            && page.contains("powf")
    );
    assert!(!page.contains("Prio3") && text(&out.stderr).contains("pow_q32"));
}

#[test]
fn the_help_shows_examples() {
    let out = benches(&["-h"]);
    assert!(out.status.success() && text(&out.stdout).contains("--quick"));
}

#[test]
fn an_unknown_topic_is_a_wrong_call() {
    assert_eq!(benches(&["--only", "weather"]).status.code(), Some(2));
}
