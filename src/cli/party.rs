//! Arguments of `cwe party`.

use super::Format;
use crate::party::LogFormat;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cwe party keys --config party-1/party.toml > party-1.json
      for the steward, who puts it on record
  cwe party doctor --config party-1/party.toml
      what is wrong with a host, before the first start and later
  cwe party run --config party-1/party.toml
  cwe party status --config party-1/party.toml --watch
  cwe party backup --config party-1/party.toml --to /mnt/party-1-epoch-7
  cwe party restore --config party-1/party.toml --from /mnt/party-1-epoch-7

Each of them has more in its own --help; docs/operators.md is the guide.";

const RUN_EXAMPLES: &str = "\
Examples:
  cwe party run --config party-1/party.toml
      one of three parties, or who stands by for them: takes bundles in over
      HTTP, links to the others, and follows the chain with a node of its own

  curl -s http://127.0.0.1:4501/v1/epoch
      the epoch that it takes bundles in for

  curl -s http://127.0.0.1:4501/openapi.json
      every route, as an OpenAPI document

The file names the host's files, its secret, where it listens, and where the
others are by the keys on record of them; an unknown key in it is an error. The
secret is 64 hexadecimal digits in a file that nobody else may read. Which seat
the host has the chain says: a party's, or that of who stands by.

A party that is killed at any moment goes on when it is started again: what it
signed, promised and acknowledged is in its store, and the rest it gets from the
chain and from the other two. SIGTERM and ctrl-C end what is in hand first.";

const KEYS_EXAMPLES: &str = "\
Examples:
  cwe party keys --config party-1/party.toml > party-1.json
      for the steward, who puts it on record: its settings name the file of each
      party under `members`, in order of seats, and of who stands by

Nothing in it is secret: the keys under which others check and seal what is for
this host, and the account that is paid for running it, whose key
`operator` in the settings names. If that file is not there, a fresh key is made.";

const STATUS_EXAMPLES: &str = "\
Examples:
  cwe party status --config party-1/party.toml
      phase, window, links, rates, disk, and what the rest of the window needs

  cwe party status --url http://127.0.0.1:4501 --watch
      the same, again every two seconds

  cwe party status --config party-1/party.toml -o json | jq .troubles
      what is wrong, as a list of sentences

Exit code 0 if the party is well, 1 if something is wrong, 3 if nobody answers.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  cwe party doctor --config party-1/party.toml
      keys, files, clock, node, peers, ports, disk and limits, each finding with
      what to do about it

The party may run or not: nothing of it is written. It is run as the user who
runs the party, since nobody else may read the secret. The chain is checked from
its first block, which takes a while if it is long. Peers are asked over TLS with
the host's own key, which does not touch the links that there are.

Exit code 0 without a fault, 1 with one.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  systemctl stop cwe-party@1
  cwe party backup --config party-1/party.toml --to /mnt/party-1-epoch-7
  systemctl start cwe-party@1
      the shares that are carried over, which nobody else can give back

Make one whenever an epoch is final. A copy has no votes and no bundles, and is
as secret as the store. The party is stopped for it: one that starts again goes
on where it was.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  cwe party restore --config party-1/party.toml --from /mnt/party-1-epoch-7
      a store in the place of one that is lost

The party sits out the epoch in hand, which the sequencer's node is asked for:
it may have signed in it what the copy does not know of, and must sign nothing a
second time. A folder that has a store is refused. Never put back a store that
was copied by other means: it brings back old votes.";

/// What to do with a party.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum PartyCommand {
    /// Run one of the three parties
    Run(RunParty),
    /// Show how a party is, and what it needs until the window ends
    Status(PartyStatus),
    /// Find what is wrong with a host, whether it runs or not
    Doctor(PartyDoctor),
    /// Copy what nobody else can give back, of a party that is stopped
    Backup(PartyBackup),
    /// Make a store of a copy, in the place of one that is lost
    Restore(PartyRestore),
    /// Print the public keys of a host, for whoever puts the committee on record
    Keys(PartyKeys),
}

/// Arguments of `cwe party status`.
#[derive(Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct PartyStatus {
    /// The file of settings
    #[arg(long, value_name = "FILE", required_unless_present = "url")]
    pub(crate) config: Option<PathBuf>,
    /// Address of the party's API, in the place of the settings
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub(crate) url: Option<String>,
    /// Show it again and again, until it is interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds between two looks, with --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) every: u64,
    /// A table, or one JSON object a look
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

/// Arguments of `cwe party doctor`.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct PartyDoctor {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// A list, or one JSON object
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

/// Arguments of `cwe party backup`.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(crate) struct PartyBackup {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The folder of the copy: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// A list, or one JSON object
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

/// Arguments of `cwe party restore`.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(crate) struct PartyRestore {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The folder that `cwe party backup` made
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The last epoch to sit out, where no node can be asked: the one in hand, or a later one
    #[arg(long, value_name = "EPOCH")]
    pub(crate) through: Option<u64>,
    /// A list, or one JSON object
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

/// Arguments of `cwe party keys`.
#[derive(Debug, Args)]
#[command(after_help = KEYS_EXAMPLES)]
pub(crate) struct PartyKeys {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Arguments of `cwe party run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunParty {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Events as one JSON object a line
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
    /// How lines on standard error are written, in the place of `log_format` in the settings
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}
