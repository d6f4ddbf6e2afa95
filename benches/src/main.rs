//! Measures everything: see the library.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    benches::run(env::args_os())
}
