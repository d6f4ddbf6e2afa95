//! Arguments of `cwe init`.

use super::Format;
use chain::node::origin::MAX_CHAIN;
use clap::{Args, Subcommand};
use primitives::Preset;
use std::path::PathBuf;

const COMMITTEE_EXAMPLES: &str = "\
Examples:
  cwe init committee pilot
      everything on this machine: a node on port 4300, parties on 4401 to 4403
      and 4501 to 4503, issuers on 4601 and 4602

  cwe init committee pilot --window-seconds 120 --k-anonymity 1
      epochs of two minutes, of which every total is published: for trying out

  cwe init committee pilot --hosts a.example.org,b.example.org,c.example.org
      three hosts, of which the first has the node, the steward and the issuers
      as well

DIR has a folder for each process, with its settings and fresh keys, and a
README.txt that says what to start in which order. Carry each folder to the host
that it is for, over a way that nobody listens to, and delete it here: whoever
has two parties' folders can open what subscribers shared. Better still, each
party makes its own secret there and sends `cwe party keys`.

The numbers of ports are those of --port and 101 to 103, 201 to 203, 301 and 302
more. DIR must be empty or not there; nothing is written but as a whole.";

const EXAMPLES: &str = "\
Examples:
  cwe init committee pilot
      everything that a pilot needs on this machine, in the folder pilot; its
      README.txt says what to start in which order
  cwe init committee pilot --hosts a.example.org,b.example.org,c.example.org
      the same for three hosts";

/// What is laid out.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum InitCommand {
    /// A pilot: a chain, three parties, a steward, two issuers and a client
    Committee(InitCommittee),
}

/// Arguments of `cwe init committee`.
#[derive(Debug, Args)]
#[command(after_help = COMMITTEE_EXAMPLES)]
pub(crate) struct InitCommittee {
    /// The folder to make
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Names of the parties' hosts, and a fourth for who stands by [default: all on this machine]
    #[arg(long, value_name = "H1,H2,H3[,H4]", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// Port of the node, from which the others follow
    #[arg(long, value_name = "N", default_value_t = 4300, value_parser = clap::value_parser!(u16).range(1..=65_000))]
    pub(crate) port: u16,
    /// For how long an epoch takes bundles in; a week, if nothing is said
    #[arg(long, value_name = "N", default_value_t = 604_800, value_parser = clap::value_parser!(u32).range(1..=31_622_400))]
    pub(crate) window_seconds: u32,
    /// Time from when nothing more can be added to an epoch to the keys of the next
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
    pub(crate) rest_seconds: u32,
    /// Epochs for which issuers make keys ahead
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) epochs: u64,
    /// Parameters: spec, guarded or flat
    #[arg(long, value_name = "P", default_value_t = Preset::Spec)]
    pub(crate) preset: Preset,
    /// Listeners from which a work's usage in a tier is published [default: the preset's]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    pub(crate) k_anonymity: Option<u32>,
    /// Number of the chain, which is in every signature [default: drawn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CHAIN))]
    pub(crate) chain: Option<u64>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
