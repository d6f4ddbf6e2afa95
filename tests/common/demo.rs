//! The demo that tests of what it writes run.

use std::{path::Path, process::Output};

use crate::common::{cwe, path};

/// Runs a small demo, quietly, in which whatever anybody played is published.
pub(crate) fn small_demo(seed: &str, out: &Path, more: &[&str]) -> Output {
    let small = ["demo", "--quiet", "--subscribers", "6", "--k-anonymity", "1"];
    cwe(&[&small[..], &["--seed", seed, "--out", path(out)], more].concat())
}
