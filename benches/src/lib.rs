//! What everything costs, beside peers and floors measured in the same run.
//!
//! `cargo run --release -p benches` measures all topics and writes `docs/benchmarks.md`;
//! `cargo bench -p benches --bench proofs` prints the topic of bundle proofs, `--bench mpc` those of shares.

mod accumulate;
mod chain;
mod economics;
mod instructions;
mod measure;
mod mpc;
mod power;
mod proofs;
mod report;

use clap::{Parser, Subcommand, ValueEnum};
use instructions::One;
use measure::Plan;
use report::Topic;
use std::{ffi::OsString, fs, path::Path, process::ExitCode};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Bundle proofs beside Prio3
    Proofs,
    /// Adding shares to running sums
    Accumulate,
    /// The threshold and sums of squares, on shares
    Mpc,
    /// Fixed-point powers
    Power,
    /// Blocks of the ledger
    Chain,
    /// Runs of the economics mode
    Economics,
    /// Instructions of single operations, where valgrind is installed
    Instructions,
}

impl Name {
    fn run(self, plan: &Plan) -> Topic {
        match self {
            Self::Proofs => proofs::run(plan),
            Self::Accumulate => accumulate::run(plan),
            Self::Mpc => mpc::run(plan),
            Self::Power => power::run(plan),
            Self::Chain => chain::run(plan),
            Self::Economics => economics::run(plan),
            Self::Instructions => instructions::run(plan),
        }
    }
}

/// Measures what everything costs, beside peers and floors in the same run, and writes docs/benchmarks.md.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,
    /// Tiny workloads: shows that everything runs, measures nothing worth knowing, writes no file
    #[arg(long)]
    quick: bool,
    /// Only these topics, on standard output
    #[arg(long, value_name = "NAME")]
    only: Vec<Name>,
    /// Standard output instead of docs/benchmarks.md
    #[arg(long)]
    stdout: bool,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    One(One),
}

const EXAMPLES: &str = "Examples:
  cargo bench -p benches --bench proofs                      bundle proofs, on the screen
  cargo bench -p benches --bench mpc                         shares: adding up, threshold, sums of squares
  cargo run --release -p benches                             all topics, into docs/benchmarks.md
  cargo run --release -p benches -- --only power --stdout    one topic, on the screen
  cargo run --release -p benches -- --quick                  that everything runs, in seconds
  valgrind --tool=callgrind target/release/benches one prove what a profiler says of one operation";

/// Runs the command `benches`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let command = "cargo run --release -p benches";
    let all = arguments.only.is_empty();
    let names = if all { Name::value_variants() } else { &arguments.only };
    let Some(document) = measured(&arguments, names, command) else { return ExitCode::SUCCESS };
    if arguments.stdout || arguments.quick || !all {
        print!("{document}");
        return ExitCode::SUCCESS;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    match fs::write(&path, document) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docs/benchmarks.md cannot be written: {error}");
            ExitCode::from(3)
        }
    }
}

/// Runs the bench `proofs`: that topic alone, on standard output.
pub fn run_proofs(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_bench(arguments, &[Name::Proofs], "cargo bench -p benches --bench proofs")
}

/// Runs the bench `mpc`: what an event costs until it is in a party's sums, and what is computed on these.
pub fn run_mpc(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_bench(arguments, &[Name::Accumulate, Name::Mpc], "cargo bench -p benches --bench mpc")
}

/// Some topics on standard output. `cargo bench` adds an argument that says nothing.
fn run_bench(arguments: impl IntoIterator<Item = OsString>, names: &[Name], command: &str) -> ExitCode {
    let arguments = Arguments::parse_from(arguments.into_iter().filter(|argument| argument != "--bench"));
    if let Some(document) = measured(&arguments, names, command) {
        print!("{document}");
    }
    ExitCode::SUCCESS
}

/// The document of some topics; `None` where a single operation was asked for, for a profiler.
fn measured(arguments: &Arguments, names: &[Name], command: &str) -> Option<String> {
    if let Some(Subcommands::One(one)) = &arguments.command {
        measure::on_one_thread(|| one.perform());
        return None;
    }
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let topics: Vec<Topic> = measure::on_one_thread(|| names.iter().map(|name| name.run(&plan)).collect());
    Some(report::document(&topics, command))
}
