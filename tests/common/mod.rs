//! What tests of the command share.

use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs the command.
pub(crate) fn cwe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cwe")).args(arguments).output().expect("the command runs")
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

/// The one line on standard error.
#[track_caller]
pub(crate) fn error(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
