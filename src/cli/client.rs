//! Arguments of `cwe client`.

use super::{Format, values};
use clap::Args;
use clap::Subcommand;
use primitives::EpochId;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cwe client submit --config client/client.toml --log plays.csv
      hands in what was played, once an epoch is open
  cwe client status --config client/client.toml --wait 600
      what became of it, checked against the chain

`cwe init committee` lays out a client with its settings and codes. The help of
submit says what stands in the log.";

const SUBMIT_EXAMPLES: &str = "\
Examples:
  cwe client submit --config client/client.toml --log plays.csv
      reads the plays of the epoch that is open, obtains a token and receipts,
      proves bundles and hands each in to all three parties

The log is CSV or JSON lines, one play a line, of one subscriber in one epoch:
  time,work,seconds_played,length_seconds,backed
  1790000000,1f0c… (64 digits),180,200,yes
  {\"time\":1790000000,\"work\":\"1f0c…\",\"seconds_played\":180,
   \"length_seconds\":200,\"backed\":true}          (on one line)

Before anything is sent, plays are looked at: none may be yet to come, be of a
work that the epoch does not have (--leave-out-unknown), or have begun between
the first and the last play of an earlier epoch's log (--again). From then on,
what was begun goes on without these flags.

The settings:
  genesis = \"genesis.json\"          # the chain's, as every node has it
  node = \"ws://127.0.0.1:4300\"
  parties = [\"http://127.0.0.1:4501\", \"http://127.0.0.1:4502\",
             \"http://127.0.0.1:4503\"]
  tier = 1
  dir = \"data\"
  proxy = \"socks5h://127.0.0.1:9050\"   # without it, all see your address;
                                     # with it, https:// or .onion addresses
  delay_seconds = 120              # at most, drawn anew: without it, times say
                                   # more about whose the bundles are
  [tokens]
  url = \"http://127.0.0.1:4601\"
  code = \"token.code\"              # a file readable by you alone
  [receipts]                       # leave it away, and no play is backed
  region = 1
  url = \"http://127.0.0.1:4602\"
  code = \"receipt.code\"

Killed at any moment and started again with the same log, it sends what it sent
before, byte for byte. The folder holds what was played until all is decided or
the epoch is over: keep the disk encrypted. Nobody is asked what the epoch
opened with: a full node of the client's own follows the chain from the genesis
on, and checks it. It speaks to `node` directly, and not through the proxy.";

const STATUS_EXAMPLES: &str = "\
Examples:
  cwe client status --config client/client.toml
  cwe client status --config client/client.toml --wait 3600 -o json
      waits until every bundle is in an anchored batch, or is not going to be

A bundle is provisional once parties have taken it in, and final once a party
shows it in a batch whose header the committee has signed and the chain has: the
path from the bundle to that header is checked here. Parties show that until the
epoch after is over, also when they were started again: ask in time. Whoever asks
later is told that the bundle is not known any more, unless it was found final
before. Exit code 1 if a bundle is missing that a party had promised.";

/// What a subscriber's client does.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum ClientCommand {
    /// Hand in the plays of a log
    Submit(Submit),
    /// Show what became of the bundles, checked against the chain
    Status(Status),
}

/// Whose client it is.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Where its files are, in place of the settings' `dir`
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe client submit`.
#[derive(Debug, Args)]
#[command(after_help = SUBMIT_EXAMPLES)]
pub(crate) struct Submit {
    /// Whose.
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// What was played, as CSV or JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) log: PathBuf,
    /// Hand in plays also that began between the first and the last that were handed in for an earlier epoch: they were not
    /// in that log, or would count twice
    #[arg(long)]
    pub(crate) again: bool,
    /// Leave out plays of works that the epoch does not have, such as works of other platforms; without this, nothing is
    /// sent where there are any
    #[arg(long)]
    pub(crate) leave_out_unknown: bool,
    /// Ask for no more receipts: what has none counts as not backed
    #[arg(long)]
    pub(crate) without_receipts: bool,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe client status`.
#[derive(Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct Status {
    /// Whose.
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// Of which epoch [default: the last that something was handed in for]
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) epoch: Option<EpochId>,
    /// Ask again until all is decided, for as long as this
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = values::number::<u64>)]
    pub(crate) wait: u64,
}
