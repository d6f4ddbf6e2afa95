//! What the ledger costs, as tables on standard output: `cargo bench -p benches --bench chain`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    benches::run_chain(env::args_os())
}
