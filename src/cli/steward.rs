//! Arguments of `cwe steward`.

use super::{Format, values};
use clap::{Args, Subcommand};
use primitives::EpochId;
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

const ABANDON_EXAMPLES: &str = "\
Examples:
  cwe steward abandon --config steward/steward.toml --epoch 7 --dry-run
      whether the ledger would take it; nothing is signed

  cwe steward abandon --config steward/steward.toml --epoch 7 --text why.md
      gives epoch 7 up; the hash of why.md goes on record

For an epoch that cannot be settled: parties lost what it takes to open it, or
they stopped it. There is no way back: nothing is paid for it, what it took in
counts nowhere, and what it brought goes to the creators of the next epoch. What
is carried over stays.

It has to be open, or its books have to be, and the epoch before it over. The key
is the steward's, from the file of settings, whose node is asked; `cwe steward
run` may run meanwhile, and goes on with the next epoch.";

const EXAMPLES: &str = "\
Examples:
  cwe steward run --config steward/steward.toml
      runs one epoch after the other, until it is interrupted; its --help says
      what is in the file

  cwe steward abandon --config steward/steward.toml --epoch 7
      gives up an epoch that cannot be settled";

/// What a steward does.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum StewardCommand {
    /// Run one epoch after the other
    Run(RunSteward),
    /// Give an epoch up that cannot be settled
    Abandon(Abandon),
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

/// Arguments of `cwe steward abandon`.
#[derive(Debug, Args)]
#[command(after_help = ABANDON_EXAMPLES)]
pub(crate) struct Abandon {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The epoch
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) epoch: EpochId,
    /// A text that says why, whose hash goes on record [default: that of a sentence that says nothing more]
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// Be content with the sequencer's confirmation, and do not wait for the block
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Show whether the ledger would take it, which the node is asked without a signature; sign and hand in nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
