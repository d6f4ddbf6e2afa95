//! What everything costs, beside peers and floors measured in the same run.
//!
//! `cargo run --release -p benches` measures all topics and writes `docs/benchmarks.md`, with `-- --only NAME` one topic of
//! it; `cargo bench -p benches --bench proofs` prints the topic of bundle proofs, `--bench mpc` those of shares, and
//! `--bench chain` that of the ledger.

mod accumulate;
mod chain;
mod economics;
mod instructions;
mod load;
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
    /// Three hosts as processes that take bundles in. Needs target/release/cwe
    Load,
    /// Runs of the economics mode
    Economics,
    /// Instructions of single operations, where valgrind is installed
    Instructions,
}

impl Name {
    fn title(self) -> &'static str {
        match self {
            Self::Proofs => "Bundle proofs beside Prio3",
            Self::Accumulate => "Accumulation",
            Self::Mpc => "The computation on shares",
            Self::Power => "Fixed-point power",
            Self::Chain => "Blocks of the chain",
            Self::Load => "Three hosts under load",
            Self::Economics => "Economics runs",
            Self::Instructions => "Instructions",
        }
    }

    fn run(self, plan: &Plan) -> Topic {
        match self {
            Self::Proofs => proofs::run(plan),
            Self::Accumulate => accumulate::run(plan),
            Self::Mpc => mpc::run(plan),
            Self::Power => power::run(plan),
            Self::Chain => chain::run(plan),
            Self::Load => load::run(plan),
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
    /// Only these topics; the others stay in the page as they are
    #[arg(long, value_name = "NAME")]
    only: Vec<Name>,
    /// Events that three hosts take in under load: 1000000 takes most of an hour
    #[arg(long, value_name = "N", default_value_t = load::EVENTS)]
    events: usize,
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
  cargo bench -p benches --bench chain                       transfers and claims, roots, bytes
  cargo build --release && cargo run --release -p benches -- --only load --stdout
                                                             three hosts that take bundles in, on the screen
  cargo run --release -p benches                             all topics, into docs/benchmarks.md
  cargo run --release -p benches -- --only power             one topic of that page anew
  cargo run --release -p benches -- --only power --stdout    one topic, on the screen
  cargo run --release -p benches -- --quick                  that everything runs, in seconds
  valgrind --tool=callgrind target/release/benches one prove what a profiler says of one operation";

/// Runs the command `benches`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let names = if arguments.only.is_empty() { Name::value_variants() } else { &arguments.only };
    if arguments.stdout || arguments.quick || arguments.command.is_some() {
        return on_screen(&arguments, names);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    match fs::write(path, measured(&arguments, names, &before)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docs/benchmarks.md cannot be written: {error}");
            ExitCode::from(3)
        }
    }
}

/// Runs the bench `proofs`: that topic alone, on standard output.
pub fn run_proofs(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_bench(arguments, &[Name::Proofs])
}

/// Runs the bench `mpc`: what an event costs until it is in a party's sums, and what is computed on these.
pub fn run_mpc(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_bench(arguments, &[Name::Accumulate, Name::Mpc])
}

/// Runs the bench `chain`: that topic alone.
pub fn run_chain(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_bench(arguments, &[Name::Chain])
}

/// Some topics on standard output. `cargo bench` adds an argument that says nothing.
fn run_bench(arguments: impl IntoIterator<Item = OsString>, names: &[Name]) -> ExitCode {
    on_screen(&Arguments::parse_from(arguments.into_iter().filter(|argument| argument != "--bench")), names)
}

/// Prints some topics, or performs the one operation that was asked for, for a profiler.
fn on_screen(arguments: &Arguments, names: &[Name]) -> ExitCode {
    match &arguments.command {
        Some(Subcommands::One(one)) => measure::on_one_thread(|| one.perform()),
        None => print!("{}", measured(arguments, names, "")),
    }
    ExitCode::SUCCESS
}

/// The document, with some topics as they are measured now and the others as they were before.
fn measured(arguments: &Arguments, names: &[Name], before: &str) -> String {
    let plan = if arguments.quick { Plan::QUICK } else { Plan { events: arguments.events, ..Plan::FULL } };
    let section = |name: &Name| {
        let anew = || report::section(name.title(), &measure::on_one_thread(|| name.run(&plan)));
        if names.contains(name) { Some(anew()) } else { report::section_of(before, name.title()) }
    };
    report::document(Name::value_variants().iter().filter_map(section).collect())
}
