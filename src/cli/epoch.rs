//! Arguments of `cwe epoch`.

use super::{Format, TrustedRoot, values};
use clap::{Args, Subcommand};
use primitives::EpochId;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cwe epoch fetch --url https://party1.example.org --epoch 1 epoch-1 --bundles
  cwe epoch show epoch-1
  cwe epoch verify epoch-1 --root 1f0e…
  cwe epoch audit epoch-1 --root 1f0e…

What a party gives is its word; verify recomputes all that follows from it, and
audit every bundle that it counts.";

const SHOW_EXAMPLES: &str = "\
Examples:
  cwe epoch show runs/synthetic-seed-1
  cwe epoch show epoch-1/epoch.json -o json

Nothing is verified: `cwe epoch verify` does that.";

const FETCH_EXAMPLES: &str = "\
Examples:
  cwe epoch fetch --url http://127.0.0.1:4501 --epoch 1 epoch-1
  cwe epoch fetch --url https://party1.example.org --epoch 1 epoch-1 \\
      --node ws://127.0.0.1:4300 --bundles

Each party gives the record of every epoch that is settled. It is that party's
word: `cwe epoch verify epoch-1 --root ROOT` holds it against a state root that
you trust. With --node, the root is looked for among the last blocks of a node,
best one of your own, and the whole command is printed. A record of a running
chain is proved from its last block, so it may have another root each time.

`cwe epoch show` shows what was fetched. For `cwe epoch audit` more is needed:
what was published of every bundle. With --bundles it is fetched too, from a
party that was there for all of them. Parties have it from the end of the epoch
to that of the next.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  cwe epoch verify runs/synthetic-seed-1
  cwe epoch verify runs/synthetic-seed-1 --root 1f0e…

Everything is recomputed from the record: beacon, headers and their signatures,
tally proof, weights, shares of revenue, payouts, splits, roots. Without --root
the record may be consistent and of a chain that somebody made up; with the
state root of a node that you trust, it is known to be of that chain.";

const AUDIT_EXAMPLES: &str = "\
Examples:
  cwe epoch audit runs/synthetic-seed-1
  cwe epoch audit runs/synthetic-seed-1 --root 1f0e… -o json

After all that `cwe epoch verify` checks, every accepted bundle is verified
again from what the parties published of it in statements.bin: proof, token,
receipts and tags. Each batch is added up anew: its root, its count, and the
running commitments from one header to the next. And what may be there once in
an epoch is looked for: events, receipts, ephemerals, each subscriber's chain of
values, bundles a subscriber, subscribers a tier. So a bundle that nobody ever
proved is found even if all three parties signed for it; shard, batch, place and
the broken rule are named.

It takes as long as one party takes to verify all bundles. It does not show that
every bundle that was handed in was accepted, nor that sealed shares can be
opened: they are not published. The keys of the blind signers are those of
signers.json, which the record does not bind; the bundle of an honest device
verifies under the right ones alone.";

/// What to do with a record.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum EpochCommand {
    /// Fetch the public record of a settled epoch from a party
    Fetch(Fetch),
    /// Verify a public record from scratch
    Verify(Verify),
    /// Verify every accepted bundle of an epoch again
    Audit(Audit),
    /// Show a public record
    Show(Show),
}

/// Arguments of `cwe epoch fetch`.
#[derive(Debug, Args)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct Fetch {
    /// The folder in which epoch.json is written; one that is there already stays
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Address of a party's API
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// Of which epoch
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) epoch: EpochId,
    /// Address of a node that you trust: the record's state root is to be that of one of its last blocks
    #[arg(long, value_name = "URL")]
    pub(crate) node: Option<String>,
    /// Also fetch what `cwe epoch audit` needs: statements.bin and signers.json, about as long as the bundles were
    #[arg(long)]
    pub(crate) bundles: bool,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe epoch verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct Verify {
    /// A run folder, or a record file
    #[arg(value_name = "RUNDIR")]
    pub(crate) run: PathBuf,
    /// State root that you trust: from a node, 64 hexadecimal digits, or from the rollup's contract on L1, with 0x. In
    /// the metrics.json of a run these are state_root and, with 0x, layer1.epoch_root; layer1.last_root is that of a
    /// later block and does not go here
    #[arg(long, value_name = "HEX", value_parser = values::trusted_root)]
    pub(crate) root: Option<TrustedRoot>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe epoch audit`.
#[derive(Debug, Args)]
#[command(after_help = AUDIT_EXAMPLES)]
pub(crate) struct Audit {
    /// What `cwe epoch verify` takes. A record file has signers.json and statements.bin beside it
    #[command(flatten)]
    pub(crate) record: Verify,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe epoch show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct Show {
    /// A run folder, or a record file
    #[arg(value_name = "RUNDIR")]
    pub(crate) run: PathBuf,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
