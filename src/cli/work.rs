//! Arguments of `cwe work`.

use super::{Account, Ask, WorkName, values};
use chain::modules::{dapr::payout::Split, work_registry::MediaType};
use clap::{Args, Subcommand, ValueEnum};
use primitives::{CategoryId, EpochId, PersonId};
use std::path::PathBuf;

const REGISTER_EXAMPLES: &str = "\
Examples:
  cwe work register song.flac --key me.key --category 3 --media audio \\
      --title \"A song\"
      the whole payout to yourself, at the price multiplier 1.0, from the next
      epoch on

  cwe work register film.mkv --key me.key --category 7 --media video \\
      --price 1.2 --split 4f1c…=70% --from 12 \\
      --split 0x52908400098527886E0F7030069857D2E4169EE7=30%
      70 percent to a person on record, the rest to an account on L1, from
      epoch 12 on

Persons are 64 hexadecimal digits, cut short here. A chain of `cwe node init`
has a creator, whose key is in keys/creator.key.

The fingerprint is the hash of the whole file. It is exact: a copy in another
format, or with another title in its header, has another one. It is no acoustic
or visual fingerprint, and finds no copies that sound or look alike.

The manifest is written beside the file as FILE.cwe.json: chain, work, creator,
fingerprint, length, media, category and title, under your signature. The ledger
holds its hash alone; keep the manifest and publish it where the work is found.
`cwe work verify` checks it.";

const SHOW_EXAMPLES: &str = "\
Examples:
  cwe work show 9a3b04d1
      the first digits are enough where no other work begins with them
  cwe work show 9a3b… -o json | jq .terms.splits

In JSON a price is in units of 2^-32, so that 4294967296 is 1.0, and a share in
basis points. docs/chain.md says what the other numbers are.";

const UPDATE_EXAMPLES: &str = "\
Examples:
  cwe work update 9a3b… --key me.key --price 0.9
  cwe work update 9a3b… --key me.key --split 4f1c…=50% --split 7d02…=50% \\
      --from 12
      all splits are given anew, and the price stays as it is

What is not given is what holds in that epoch, once earlier transactions of this
account are in a block. Epochs that have opened keep the terms that they had.

A work has room for one change to come. Where one is planned, an update has to
say --from: the planned epoch changes what is planned; an earlier one puts other
terms in its place; a later one is refused until the planned one has opened.";

const DEPRECATE_EXAMPLES: &str = "\
Examples:
  cwe work deprecate 9a3b… --key me.key
  cwe work update 9a3b… --key me.key
      brings it back, with the terms that it had";

const LIST_EXAMPLES: &str = "\
Examples:
  cwe work list --creator 4f1c…
  cwe work list --by discovery --category 3 --media audio --limit 10
      in the order of search, which follows from the figures of the last settled
      epoch and knows no price";

const VERIFY_EXAMPLES: &str = "\
Examples:
  cwe work verify song.flac.cwe.json song.flac
  cwe work verify song.flac.cwe.json song.flac --offline

Without --offline the node is asked whether the work is on record with this
manifest, and whether the key that signed is that of the creator's account. A
key that was changed since is said, and does not fail. Exit code 1 if anything
does not hold, with every check and what it found.";

/// What to do with works.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkCommand {
    /// Register a file as a work of yours: fingerprint, signed manifest, transaction
    Register(Box<Register>),
    /// Show a registered work
    Show(ShowWork),
    /// List registered works
    List(List),
    /// Verify a manifest: its file, its signature, and what the ledger has on record
    Verify(VerifyWork),
    /// Change price and splits of a work of yours, from an epoch on that has not opened
    Update(Box<Update>),
    /// Take a work of yours out, from an epoch on that has not opened. An update brings it back
    Deprecate(Deprecate),
}

/// Price and splits of a work, where they are given.
#[derive(Debug, Args)]
pub(crate) struct TermsArgs {
    /// Price multiplier, inside the bounds that governance sets [default: 1, or what is on record]
    #[arg(long, value_name = "X", value_parser = values::ratio)]
    pub(crate) price: Option<u64>,
    /// Who is paid what part, as 70% or 0.7; can be given several times, and sums to the whole. A payee is a person on
    /// record, or an account on L1 with 0x
    #[arg(long = "split", value_name = "PAYEE=SHARE", value_parser = values::split)]
    pub(crate) splits: Vec<Split>,
    /// First epoch in which this holds [default: the next that opens]
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) from: Option<EpochId>,
}

/// Arguments of `cwe work register`.
#[derive(Debug, Args)]
#[command(after_help = REGISTER_EXAMPLES, override_usage = "\
cwe work register [OPTIONS] --category <N> --media <MEDIA>
       --key <KEYFILE> <FILE>")]
pub(crate) struct Register {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Number of its category
    #[arg(long, value_name = "N", value_parser = values::number::<CategoryId>)]
    pub(crate) category: CategoryId,
    /// What it is: audio, video, text, image, software or other
    #[arg(long, value_name = "MEDIA", value_parser = values::media)]
    pub(crate) media: MediaType,
    /// Its title, for the manifest; the ledger does not have it
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
    /// Where to write the manifest [default: FILE.cwe.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Price multiplier 1.0 and everything to the creator where nothing else is said.
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Arguments of `cwe work show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct ShowWork {
    /// The work: its identifier, or the first 8 digits of it or more
    #[arg(value_name = "WORK", value_parser = values::work)]
    pub(crate) work: WorkName,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// An order of works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// By identifier: all that are registered.
    Id,
    /// As search shows them: those of the last settled epoch.
    Discovery,
}

/// Arguments of `cwe work list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct List {
    /// Works of this creator alone
    #[arg(long, value_name = "PERSON")]
    pub(crate) creator: Option<PersonId>,
    /// Works of this category alone
    #[arg(long, value_name = "N", value_parser = values::number::<CategoryId>)]
    pub(crate) category: Option<CategoryId>,
    /// Works of this kind alone
    #[arg(long, value_name = "MEDIA", value_parser = values::media)]
    pub(crate) media: Option<MediaType>,
    /// The order
    #[arg(long, value_enum, default_value_t = Order::Id)]
    pub(crate) by: Order,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) limit: u64,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Arguments of `cwe work verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyWork {
    /// The manifest
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// The file that it is of
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Ask no node
    #[arg(long)]
    pub(crate) offline: bool,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Arguments of `cwe work update`.
#[derive(Debug, Args)]
#[command(after_help = UPDATE_EXAMPLES)]
pub(crate) struct Update {
    /// The work: its identifier, or the first 8 digits of it or more
    #[arg(value_name = "WORK", value_parser = values::work)]
    pub(crate) work: WorkName,
    /// What is not given stays as it is on record.
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Arguments of `cwe work deprecate`.
#[derive(Debug, Args)]
#[command(after_help = DEPRECATE_EXAMPLES)]
pub(crate) struct Deprecate {
    /// The work: its identifier, or the first 8 digits of it or more
    #[arg(value_name = "WORK", value_parser = values::work)]
    pub(crate) work: WorkName,
    /// First epoch without it [default: the next that opens]
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) from: Option<EpochId>,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}
