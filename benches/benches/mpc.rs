//! What the parties' computation costs, as tables on standard output: `cargo bench -p benches --bench mpc`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    benches::run_mpc(env::args_os())
}
