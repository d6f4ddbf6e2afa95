//! Bundle proofs beside Prio3, as a table on standard output: `cargo bench -p benches --bench proofs`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    benches::run_proofs(env::args_os())
}
