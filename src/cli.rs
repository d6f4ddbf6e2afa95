//! Arguments and help of the command.

mod account;
mod bundle;
mod client;
mod epoch;
pub(crate) mod gov;
mod init;
mod issuer;
mod node;
mod party;
mod payouts;
mod steward;
mod values;
pub(crate) mod work;

pub(crate) use account::{Account, Ask, Sending};
pub(crate) use bundle::{BundleCommand, ShowBundle};
pub(crate) use client::{ClientCommand, Status, Submit, Whose};
pub(crate) use epoch::{Audit, EpochCommand, Fetch, Show, Verify};
pub(crate) use gov::GovCommand;
pub(crate) use init::{InitCommand, InitCommittee};
pub(crate) use issuer::{IssuerCommand, ListCodes, MakeCode, RevokeCode, RunIssuer};
pub(crate) use node::{Export, Init, NodeCommand, NodeSettings, Run, ShowConfig};
pub(crate) use party::{
    PartyBackup, PartyCommand, PartyDoctor, PartyKeys, PartyRestore, PartyStatus, RunParty,
};
pub(crate) use payouts::{PayoutFormat, Payouts};
pub(crate) use steward::{Abandon, RunSteward, StewardCommand};
pub(crate) use values::{TrustedRoot, WorkName};
pub(crate) use work::WorkCommand;

use clap::{Args, Parser, Subcommand, ValueEnum};
use primitives::Preset;
use sim::{
    demo::{DEFAULT_SHARD_WIDTH, MAX_EPOCHS},
    economics::PlaysPerSubscriber,
    hosts,
    impact::{DEFAULT_SAMPLES, DEFAULT_SEEDS},
    rogue::Adversary,
    workload::{Columns, DEFAULT_SUBSCRIBERS, DEFAULT_WORKS, UsageFile, synthetic::LISTENERS},
};
use std::path::PathBuf;

/// The L1 in this process.
pub(crate) const EMBEDDED: &str = "embedded";

const EXAMPLES: &str = "\
Examples:
  cwe demo --out run
      a whole epoch on this machine, from plays to payouts
  cwe epoch verify run
      its public record, from scratch
  cwe demo --processes
      the same with a process for each party, issuer and client
  cwe init committee pilot
      the folders of a pilot, with settings and fresh keys

Every command has examples in its own help: `cwe help client submit`.

Exit codes:
  0  all is well
  1  something that was checked does not hold, the parties stopped the epoch, or
     the ledger refused a transaction
  2  bad input, a wrong call, no node that answers, or something that there
     is not
  3  the program failed; a node's answer is none, or a transaction that it took
     is in no block in time
  4  a node found a block that breaks a rule
  130  interrupted; nothing was written, or what was written can be resumed; a
     transaction that a node took comes all the same";

const DEMO_EXAMPLES: &str = "\
Examples:
  cwe demo
      120 subscribers of a synthetic, heavy-tailed workload

  cwe demo --usage plays.tsv --subscribers 150 --works 1024 --seed 7 \\
      --out runs/plays
      a table with a header and columns for user, work and plays, such as
          user    work    plays
          anna    song-1  12

  cwe demo --works 256 --shard-width 64
      the works are dealt to four shards, each with bundles, batches and a proof
      of its own

  cwe demo --seed 7 -o json | jq .paid_total
      one JSON object on standard output, and nothing else there

  cwe demo --l1 http://127.0.0.1:8545
      anchored on a node of your own, such as anvil: contracts are deployed,
      every block is committed, the final epoch is mirrored, and two creators
      claim there

  cwe demo --processes
      24 subscribers, each with a client that is a process, as are issuers,
      parties and the chain's node: about a minute and a half on two cores

The run folder holds manifest.json, metrics.json, workload.csv (one row an
accepted event), payouts.csv, epoch.json (the public record), sample.bundle (an
honest bundle), signers.json (keys that bundles verify under), statements.bin
(what is published of every accepted bundle: see `cwe epoch audit`), report.html
(opens offline) and timings.json.";

const SWEEP_EXAMPLES: &str = "\
Examples:
  cwe sim sweep --economics --grid k=0,0.25,1
      three runs of a synthetic epoch, as a table

  cwe sim sweep --economics --usage plays.tsv --plays-per-subscriber 599 \\
      --preset flat --grid k=0,0.25,1 --grid replay_scope=work,creator \\
      --seeds 20 -o csv
      2 x 3 combinations with 20 seeds each, one line a run

  cwe sim sweep --economics --synthetic 2000 --grid alpha=0.9,1,1.1 \\
      --grid fee=2%,5% --seeds 1000 --out sweep.csv
      the same command goes on where an interrupted one stopped

Grids: alpha, beta, k, b_min, delta, price_min, price_max, price_normalised
(true, false), eco, infra, fee, k_anonymity, j_max (or none), value_cap (in
views, or none), listeners_half, reputation_decay, replay_scope (work, creator),
plays_per_subscriber. Fractions are decimals or percentages. docs/economics.md
says what each column means.";

const IMPACT_EXAMPLES: &str = "\
Examples:
  cwe gov impact spec guarded --synthetic 2000
      what the preset guarded would change, on a synthetic epoch of 2,000
      subscribers

  cwe gov params spec > proposal.toml
  cwe gov impact spec proposal.toml --usage plays.tsv --seeds 20
      a file of your own, on a usage table

A file names a preset and what differs from it:
  preset = \"spec\"
  beta = 0.25
  value_cap = 300
  eco_share = \"6%\"

The folder holds report.html (opens offline), metrics.json (every figure of the
page), payouts.csv and manifest.json (the command that gives the same bytes
again). docs/governance.md explains the page.";

/// The economic core of the Clean Web Economy.
#[derive(Debug, Parser)]
#[command(name = "cwe", version, after_help = EXAMPLES, max_term_width = 80)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Ends when standard input does: for a program that starts this one and is not to leave it behind.
    #[arg(long, global = true, hide = true)]
    pub(crate) ends_with_stdin: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole epoch on this machine: proofs, three parties, chain, claims
    Demo(Demo),
    /// Fetch the public record of an epoch, look at it, and verify it offline
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Look at a bundle as a device hands it in
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Simulate epochs on paper, without cryptography
    #[command(subcommand)]
    Sim(SimCommand),
    /// Propose, vote and see what is decided; show what a change of parameters would do
    #[command(subcommand)]
    Gov(GovCommand),
    /// Register works, find them, and verify their manifests
    #[command(subcommand)]
    Work(WorkCommand),
    /// Show what somebody is owed and was paid, and claim it
    Payouts(Payouts),
    /// Run a node of the rollup, or ask one
    #[command(subcommand)]
    Node(NodeCommand),
    /// Run one of the three parties of the committee
    #[command(subcommand)]
    Party(PartyCommand),
    /// Lay out the folders of a pilot: settings and fresh keys for everybody in it
    #[command(subcommand)]
    Init(InitCommand),
    /// Hold the offices of a pilot: the committee on record, epochs opened and settled
    #[command(subcommand)]
    Steward(StewardCommand),
    /// Sign subscription tokens or bandwidth receipts, blindly
    #[command(subcommand)]
    Issuer(IssuerCommand),
    /// Hand in what a subscriber played, and see what became of it
    #[command(subcommand)]
    Client(ClientCommand),
}

/// What to simulate.
#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Payouts, fairness and attacks for every combination of parameters and seeds
    Sweep(Sweep),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

/// A usage table and its columns.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// A usage table: TSV or CSV with a header and columns for user, work and plays
    #[arg(long = "usage", id = "usage", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Header of the user column, where its name does not say so
    #[arg(long, value_name = "NAME", requires = "usage")]
    user_column: Option<String>,
    /// Header of the work column
    #[arg(long, value_name = "NAME", requires = "usage")]
    work_column: Option<String>,
    /// Header of the column of play counts
    #[arg(long, value_name = "NAME", requires = "usage")]
    plays_column: Option<String>,
}

impl Usage {
    /// The file to read, if one was named.
    pub(crate) fn file(&self) -> Option<UsageFile> {
        let columns = Columns {
            user: self.user_column.clone(),
            work: self.work_column.clone(),
            plays: self.plays_column.clone(),
        };
        self.file.clone().map(|path| UsageFile { path, columns })
    }
}

/// Arguments of `cwe demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct Demo {
    /// The usage table; without one, a synthetic one
    #[command(flatten)]
    pub(crate) usage: Usage,
    /// Subscribers, sampled by the seed [default: 120; with --processes 24]
    #[arg(long, value_name = "N")]
    subscribers: Option<usize>,
    /// Works: the most played among these subscribers [default: 256; with --processes 32]
    #[arg(long, value_name = "N")]
    works: Option<usize>,
    /// Events for one play: a row becomes min(J_max, round(plays * X)) events [default: about 30 a subscriber]
    #[arg(long, value_name = "X")]
    pub(crate) plays_scale: Option<f64>,
    /// Decides every draw: the same seed gives the same epoch
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = values::number::<u64>)]
    pub(crate) seed: u64,
    /// Parameters: spec, guarded or flat
    #[arg(long, value_name = "P", default_value_t = Preset::Spec)]
    pub(crate) preset: Preset,
    /// Listeners from which a work's usage in a tier is published; what has fewer is carried over [default: the
    /// preset's]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    pub(crate) k_anonymity: Option<u32>,
    /// Epochs, one after the other: the same people, who leave some works alone in each later one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_EPOCHS))]
    pub(crate) epochs: u64,
    /// A party that cheats: party:P:KIND, with KIND one of wrong-open, wrong-share, drop-batch, equivocate,
    /// early-key-open, withhold-share, false-complaint, leave, tamper:STEP. The others go on without it, or seat the
    /// standby in its place, or name it, or stop
    #[arg(long, value_name = "WHO")]
    pub(crate) adversary: Option<Adversary>,
    /// Works of one shard at most, 4 to 4096. More works are dealt to several shards by the beacon
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SHARD_WIDTH, allow_negative_numbers = true,
        value_parser = values::shard_width)]
    pub(crate) shard_width: u16,
    /// Where the epoch is anchored: `embedded`, an EVM in this process, or the URL of a test network's JSON-RPC endpoint
    #[arg(long, value_name = "L1", default_value = EMBEDDED)]
    pub(crate) l1: String,
    /// File with the key of an account that pays there, 64 hexadecimal digits, readable by you alone. Development
    /// nodes with chain number 31337 or 1337, such as anvil, need none
    #[arg(long, value_name = "FILE")]
    pub(crate) l1_key: Option<PathBuf>,
    /// Run the chain's node, each party, the issuers of tokens and receipts, and a client for each subscriber as processes of
    /// their own, over sockets on this machine: one epoch, whose folder holds what each of them has on disk, and its log
    #[arg(long, conflicts_with_all = ["epochs", "adversary", "l1", "l1_key"])]
    pub(crate) processes: bool,
    /// With --processes: for how long bundles are taken in [default: as long as clients need]
    #[arg(long, value_name = "SECONDS", requires = "processes", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) window: Option<u32>,
    /// The run folder [default: runs/SOURCE-seed-S]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl Demo {
    /// Subscribers and works: fewer where each subscriber has a process.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (subscribers, works) = if self.processes {
            (hosts::DEFAULT_SUBSCRIBERS, hosts::DEFAULT_WORKS)
        } else {
            (DEFAULT_SUBSCRIBERS, DEFAULT_WORKS)
        };
        (self.subscribers.unwrap_or(subscribers), self.works.unwrap_or(works))
    }
}

const _: () = {
    assert!(DEFAULT_SUBSCRIBERS == 120 && DEFAULT_WORKS == 256, "the help says so");
    assert!(hosts::DEFAULT_SUBSCRIBERS == 24 && hosts::DEFAULT_WORKS == 32, "the help says so");
};

/// How a sweep is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SweepFormat {
    /// For people: means over the seeds.
    Table,
    /// One line a run.
    Csv,
    /// One JSON object.
    Json,
}

/// Arguments of `cwe sim sweep`.
#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES)]
pub(crate) struct Sweep {
    /// One epoch on paper in each row, by the ledger's integers and without cryptography: the only sweep there is
    #[arg(long)]
    pub(crate) economics: bool,
    /// The usage table.
    #[command(flatten)]
    pub(crate) usage: Usage,
    /// Subscribers of a synthetic table, where there is no file
    #[arg(long, value_name = "N", default_value_t = LISTENERS, conflicts_with = "usage")]
    pub(crate) synthetic: usize,
    /// Decides what a table lacks (creators, categories, prices, regions), and the synthetic table
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = values::number::<u64>)]
    pub(crate) market_seed: u64,
    /// Parameters that have no grid: spec, guarded or flat (without J_max and cap)
    #[arg(long, value_name = "P", default_value_t = Preset::Spec)]
    pub(crate) preset: Preset,
    /// A parameter and its values; can be given several times
    #[arg(long, value_name = "NAME=V1,V2,...")]
    pub(crate) grid: Vec<String>,
    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::number::<u64>)]
    pub(crate) seeds: u64,
    /// The first seed: each decides the plays of an epoch
    #[arg(long, value_name = "FIRST", default_value_t = 1, value_parser = values::number::<u64>)]
    pub(crate) seed: u64,
    /// Thin the table to so many plays a subscriber, by Poisson draws [default: the table as it is]
    #[arg(long, value_name = "X")]
    pub(crate) plays_per_subscriber: Option<PlaysPerSubscriber>,
    /// Append the rows to this file; can be interrupted and resumed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = SweepFormat::Table)]
    pub(crate) output: SweepFormat,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe gov impact`.
#[derive(Debug, Args)]
#[command(after_help = IMPACT_EXAMPLES)]
pub(crate) struct Impact {
    /// Today's parameters: a TOML file, spec, guarded or flat, or the address of a node for what is in force on its chain
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// The proposed parameters, likewise
    #[arg(value_name = "AFTER")]
    pub(crate) after: String,
    /// The usage table.
    #[command(flatten)]
    pub(crate) usage: Usage,
    /// Subscribers of a synthetic table, where there is no file
    #[arg(long, value_name = "N", default_value_t = LISTENERS, conflicts_with = "usage")]
    pub(crate) synthetic: usize,
    /// Thin the table to so many plays a subscriber, by Poisson draws [default: a file as it is, 600 synthetic]
    #[arg(long, value_name = "X")]
    pub(crate) plays_per_subscriber: Option<PlaysPerSubscriber>,
    /// The first seed: decides every draw
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = values::number::<u64>)]
    pub(crate) seed: u64,
    /// How many seeds, for the ranges of the figures
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEEDS, value_parser = values::number::<u64>)]
    pub(crate) seeds: u64,
    /// Points of each sample behind the Sobol indices; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SAMPLES)]
    pub(crate) samples: usize,
    /// The folder to write [default: runs/impact-BEFORE-to-AFTER-seed-S]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe gov params`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cwe gov params guarded > proposal.toml")]
pub(crate) struct Params {
    /// spec, guarded or flat
    #[arg(value_name = "PRESET")]
    pub(crate) preset: Preset,
}
