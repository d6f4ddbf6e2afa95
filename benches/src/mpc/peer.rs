//! The threshold by a garbled circuit, measured by a program of its own, which has dependencies that ours do not.

use crate::{measure::Plan, report::Topic};
use std::process::{Command, Stdio};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/garbled/Cargo.toml");

/// What the program prints: a paragraph and a table.
fn printed() -> Option<String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST]);
    let out = cargo.stderr(Stdio::inherit()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Puts the peer beside ours. A quick run does not build it.
pub(super) fn beside(topic: &mut Topic, plan: &Plan) {
    if plan.quick {
        return;
    }
    eprintln!("polytune");
    let printed = printed().unwrap_or_default();
    match printed.split_once("\n\n") {
        Some((text, table)) => {
            topic.paragraph(&format!("{PEER} {text}"));
            topic.ready_table(table);
        }
        None => topic.paragraph("The peer `polytune` did not run."),
    }
}

const PEER: &str = "Beside it the independent oracle, `polytune`, decides cells by a garbled circuit that adds the \
    shares and compares. It knows nothing of our field. Ours puts eight cells in a byte, so that a few cells cost as much as \
    some more; a whole lane costs each cell less.";
