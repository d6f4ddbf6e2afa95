//! Arguments of `cwe issuer`.

use super::Format;
use clap::{Args, Subcommand};
use primitives::Tier;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cwe issuer run --config token-issuer/issuer.toml
      serves a signer; one of receipts has a file of settings like it
  cwe issuer code --config token-issuer/issuer.toml --tier 1 --out token.code
  cwe issuer code --config receipt-issuer/issuer.toml --views 400 \\
      --out receipt.code
      what a subscriber's client shows to each of the two";

const RUN_EXAMPLES: &str = "\
Examples:
  cwe issuer run --config token-issuer/issuer.toml
      signs one token for each subscriber and epoch, under the key of the tier
      that is paid for

  curl -s http://127.0.0.1:4601/v1/keys/1
      the public keys of epoch 1, as the steward puts them on record

The file says what is signed, and for which epochs there are keys:
  genesis = \"genesis.json\"    # of the chain
  node = \"ws://127.0.0.1:4300\"   # the sequencer's, or one that follows it
  signs = \"tokens\"            # or \"receipts\"
  dir = \"data\"                # its keys, and what was signed for whom
  codes = \"codes.json\"        # hashes of the codes of those who may ask
  listen = \"127.0.0.1:4601\"   # plain HTTP: put a proxy with TLS in front
  tiers = [1, 2, 3]           # with receipts: regions = [1, 2]
  first_epoch = 1
  epochs = 12                 # keys are made ahead for so many

Keys that are not there yet are made before it serves, which takes some seconds
each; they are files in DIR/keys, for nobody else to read. Keep a copy: their
public halves are on the chain, and a key that is on record is not made anew.

It follows the chain with a node of its own in DIR/chain, and signs for the
epoch that is open there and for no other. While NODE is away it goes on with
what it knows, and says so. What was signed is forgotten with its epoch. The list
of codes is read again when it changes.
SIGTERM and ctrl-C end the requests in hand first.";

const CODE_EXAMPLES: &str = "\
Examples:
  cwe issuer code --config token-issuer/issuer.toml --tier 2
      the code of a subscriber who has paid for tier 2, on standard output; the
      list of codes gets its hash

  cwe issuer code --config receipt-issuer/issuer.toml --views 400 \\
      --out receipt.code
      a code for receipts of 400 views an epoch, in a file for nobody else to
      read

  cwe issuer code --config token-issuer/issuer.toml --replace 1f0c9a27
      another code for a subscriber who has lost the one whose hash begins so: the
      old one gets nothing more, and the new one no second token of an epoch

A code is shown once and kept nowhere: give it to whom it is for, over a way that
nobody listens to. A running issuer takes it within a second.";

const REVOKE_EXAMPLES: &str = "\
Examples:
  cwe issuer revoke --config token-issuer/issuer.toml 1f0c9a27
      who has the code whose hash begins so gets nothing signed any more

`cwe issuer code` prints the hash when it makes a code, and `cwe issuer codes`
lists it; eight digits are enough. A running issuer takes the change within a
second; what it has signed stays good for its epoch.";

const CODES_EXAMPLES: &str = "\
Examples:
  cwe issuer codes --config token-issuer/issuer.toml
      who may ask: the hash of each code, and what it is for

  cwe issuer codes --config token-issuer/issuer.toml --of token.code
      the one of the code in a file, such as that of a subscriber who left

By its hash, or eight digits of it or more, a code is revoked or replaced.";

/// What to do with an issuer.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum IssuerCommand {
    /// Serve a signer of tokens, or one of receipts
    Run(RunIssuer),
    /// Make a code for somebody who may ask, or one in the place of another
    Code(MakeCode),
    /// List who may ask, by the hashes of their codes
    Codes(ListCodes),
    /// Take a code off the list
    Revoke(RevokeCode),
}

/// Arguments of `cwe issuer run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunIssuer {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Events as one JSON object a line
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe issuer code`.
#[derive(Debug, Args)]
#[command(after_help = CODE_EXAMPLES)]
pub(crate) struct MakeCode {
    /// The issuer's file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The tier that is paid for, with an issuer of tokens
    #[arg(long, value_name = "TIER", value_parser = super::values::number::<u8>, required_unless_present_any = ["views", "replace"])]
    pub(crate) tier: Option<u8>,
    /// Views for which there are receipts in each epoch, with a signer of receipts
    #[arg(long, value_name = "N", value_parser = super::values::number::<u64>, conflicts_with = "tier")]
    pub(crate) views: Option<u64>,
    /// Take the place of the code whose hash begins so, with what is paid for: what was signed for that one counts for this
    #[arg(long, value_name = "HASH", conflicts_with_all = ["tier", "views"])]
    pub(crate) replace: Option<String>,
    /// Write the code to a new file, readable by you alone, and do not print it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

impl MakeCode {
    /// The tier.
    pub(crate) fn tier(&self) -> Option<Tier> {
        self.tier.map(Tier)
    }
}

/// Arguments of `cwe issuer codes`.
#[derive(Debug, Args)]
#[command(after_help = CODES_EXAMPLES)]
pub(crate) struct ListCodes {
    /// The issuer's file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only the one of the code in this file
    #[arg(long, value_name = "CODE")]
    pub(crate) of: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe issuer revoke`.
#[derive(Debug, Args)]
#[command(after_help = REVOKE_EXAMPLES)]
pub(crate) struct RevokeCode {
    /// The issuer's file of settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The code's hash, or eight of its first digits or more
    #[arg(value_name = "HASH")]
    pub(crate) hash: String,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
