//! Arguments of `cwe payouts`.

use super::values;
use clap::{Args, ValueEnum};
use primitives::{EpochId, PersonId};

const EXAMPLES: &str = "\
Examples:
  cwe payouts --creator 4f1c…
  cwe payouts --creator 4f1c… --from 12 -o csv
  cwe payouts --creator 4f1c… --claim

Columns, in credits:
  expected   owed to the unit and not to be claimed here: the epoch has its
             totals and its revenue on record and nobody has settled it yet, or
             the payee is an account on L1, whose vault pays
  claimable  owed by a settled epoch and not claimed
  claimed    paid to the account

Nothing is estimated: of an epoch whose totals or revenue are not on record
nothing is shown. Amounts are in credits in the table, and in micro-credits in
CSV and JSON. Anybody may claim for a payee, so --claim takes no key: nobody
else can be paid by it.";

/// How payouts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PayoutFormat {
    /// For people.
    Table,
    /// One JSON object.
    Json,
    /// One line a payout.
    Csv,
}

/// Arguments of `cwe payouts`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Payouts {
    /// Who is paid: a creator, or anybody whom a split names, accounts on L1 with 0x among them
    #[arg(long, value_name = "PERSON", value_parser = values::payee)]
    pub(crate) creator: PersonId,
    /// From this epoch on [default: the chain's first]
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) from: Option<EpochId>,
    /// Submit every claim that is open
    #[arg(long)]
    pub(crate) claim: bool,
    /// Address of the node
    #[arg(long, value_name = "URL", default_value = super::account::DEFAULT_URL)]
    pub(crate) url: String,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = PayoutFormat::Table)]
    pub(crate) output: PayoutFormat,
}
