//! Arguments of every command that asks a node, and of those that sign.

use super::{Format, values};
use clap::Args;
use primitives::{ChainId, PersonId};
use std::path::PathBuf;

/// Where a node answers if nothing else is said.
pub(crate) const DEFAULT_URL: &str = "ws://127.0.0.1:4300";

/// Which node is asked, and how its answer is printed.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Address of the node
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL)]
    pub(crate) url: String,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Who signs, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Account {
    /// File with the account's key, 64 hexadecimal digits, readable by you alone
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,
    /// Whose account it is, where several have this key
    #[arg(long, value_name = "PERSON")]
    pub(crate) person: Option<PersonId>,
    /// Sign for this chain alone, and for no other that the node may be of
    #[arg(long, value_name = "N", value_parser = values::number::<ChainId>)]
    pub(crate) chain: Option<ChainId>,
    /// How it is sent.
    #[command(flatten)]
    pub(crate) send: Sending,
}

/// How a transaction is sent.
#[derive(Debug, Args)]
pub(crate) struct Sending {
    /// Be content with the sequencer's confirmation, and do not wait for the block
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Show what would be done and whether the ledger would take it, which the node is asked without a signature; sign,
    /// write and hand in nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}
