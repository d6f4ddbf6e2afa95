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

/// The one line on standard error: a sentence, or an object with the exit code where JSON is asked for.
#[track_caller]
pub(crate) fn error(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let told = object.is_some_and(|said| {
        said["error"].is_string() && said["code"] == serde_json::json!(output.status.code())
    });
    assert!(told || text.starts_with("error: "), "{text}");
    text
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
