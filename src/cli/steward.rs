//! Arguments of `cwe steward`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const RUN_EXAMPLES: &str = "\
Examples:
  cwe steward run --config steward/steward.toml
      puts the committee on record, publishes the issuers' keys, opens an epoch,
      reports what it brought, settles it, and goes on to the next

`cwe init committee` writes a commented file of settings. The offices are those
of a pilot, all held by one host: registrar, steward, treasurer and auditors,
each with the key of an account that has the office on the chain.

`members` names a file for each party: `cwe party keys` prints it. The terms of
an epoch (`tiers`: price, bundles, subscriptions sold) are read again before each
epoch, so the file can be edited while this runs. The auditors of a pilot attest
what the file says was sold: nobody looks at a bank account.

Nothing is kept but a copy of the chain: killed at any moment and started again,
it goes on with what is due. SIGTERM and ctrl-C end the step in hand first.";

const EXAMPLES: &str = "\
Examples:
  cwe steward run --config steward/steward.toml
      runs one epoch after the other, until it is interrupted; its --help says
      what is in the file";

/// What a steward does.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum StewardCommand {
    /// Run one epoch after the other
    Run(RunSteward),
}

/// Arguments of `cwe steward run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunSteward {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Events as one JSON object a line
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
