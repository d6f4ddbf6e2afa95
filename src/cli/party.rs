//! Arguments of `cwe party`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
`operator` in the settings names.";

/// What to do with a party.
#[derive(Debug, Subcommand)]
pub(crate) enum PartyCommand {
    /// Run one of the three parties
    Run(RunParty),
    /// Print the public keys of a party, for whoever puts the committee on record
    Keys(PartyKeys),
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
}
