//! Arguments of `cwe bundle`.

use super::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const SHOW_EXAMPLES: &str = "\
Examples:
  cwe bundle show runs/mine/sample.bundle
      what anybody sees of a bundle

  cwe bundle show runs/mine/sample.bundle --record runs/mine
      its pseudonyms too, and whether its proof holds

  cwe bundle show - -o json < sample.bundle
      from standard input, as one JSON object

Pseudonyms are P = H(K_epoch || C): they need the epoch's key, which is in the
record of the epoch. Whether the proof holds needs the keys of the blind signers
as well, which a run folder has in signers.json. The record itself is not
verified here: see `cwe epoch verify`. With the record of another run the proof
does not hold, and the pseudonyms are others.

Parts have the symbols of docs/notes/bundle-proof.md. There
T_e is the specification's commitment C_{w,j}, the C of the pseudonyms.";

/// What to do with a bundle.
#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Show what a bundle says openly, and how long its parts are
    Show(ShowBundle),
}

/// Arguments of `cwe bundle show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct ShowBundle {
    /// A bundle as it is handed in, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Folder of the run that the bundle is of, or the record of its epoch
    #[arg(long, value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
