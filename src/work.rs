//! `cwe work`: works of creators, and their manifests.

mod change;
mod list;
mod register;
mod verify;

use crate::{
    account::{ChainFailure, payee},
    cli::work::{TermsArgs, WorkCommand},
    output::Failure,
};
use chain::{
    modules::{
        dapr::payout::{Split, SplitError, check_splits},
        governance::Unit,
    },
    wallet::manifest::{MAX_MANIFEST_BYTES, ManifestError},
};
use primitives::{BasisPoints, EpochId, PersonId, WorkId, params::ONE_Q32};
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no work, or one that does not hold.
#[derive(Debug, Error)]
pub(crate) enum WorkFailure {
    /// The node, the key or the ledger.
    #[error(transparent)]
    Chain(#[from] ChainFailure),
    /// The splits are no division of the whole.
    #[error("--split: {0}")]
    Splits(#[from] SplitError),
    /// A manifest is none.
    #[error("{path}: {error}", path = .path.display())]
    Manifest { path: PathBuf, error: Box<ManifestError> },
    /// A title is none.
    #[error("--title: {0}")]
    Title(Box<ManifestError>),
    /// A file is longer than any manifest.
    #[error("{path}: is longer than the {MAX_MANIFEST_BYTES} bytes that a manifest may have", path = .path.display())]
    TooLong { path: PathBuf },
    /// Another manifest is there.
    #[error("{path}: another manifest is there: move it away, or give another place as --manifest", path = .path.display())]
    Occupied { path: PathBuf },
    /// Not a file with bytes of its own.
    #[error("{path}: no file that a fingerprint could be made of: {reason}", path = .path.display())]
    NoFile { path: PathBuf, reason: &'static str },
    /// Other terms are planned, and nothing says whether they are meant.
    #[error("work {work} has other terms from epoch {from} on")]
    Planned { work: WorkId, from: EpochId },
    /// No node to ask what is on record.
    #[error(transparent)]
    NoNode(ChainFailure),
    /// The manifest does not hold.
    #[error("{path}: the manifest does not hold: {what}", path = .path.display())]
    DoesNotHold { path: PathBuf, what: String },
}

impl WorkFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Chain(failure) | Self::NoNode(failure) => failure.code(),
            Self::DoesNotHold { .. } => 1,
            _ => 2,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Chain(failure) => failure.advice(),
            Self::NoNode(_) => Some(
                "start a node with `cwe node run`, give the address of one as --url, or check file and signature alone with \
                 --offline",
            ),
            Self::Planned { .. } => Some(
                "give that epoch as --from to change those, or an earlier one to put others in their place",
            ),
            Self::Splits(_) => Some("give every payee once, with parts that sum to 100%"),
            _ => None,
        }
    }
}

/// Runs a command.
pub(crate) fn run(command: &WorkCommand) -> Result<(), Failure> {
    match command {
        WorkCommand::Register(arguments) => register::register(arguments),
        WorkCommand::Show(arguments) => list::show(arguments),
        WorkCommand::List(arguments) => list::list(arguments),
        WorkCommand::Verify(arguments) => verify::verify(arguments),
        WorkCommand::Update(arguments) => change::update(arguments),
        WorkCommand::Deprecate(arguments) => change::deprecate(arguments),
    }
}

/// Splits in the one order that the ledger takes, checked before anything is signed.
fn in_order(splits: &[Split]) -> Result<Vec<Split>, WorkFailure> {
    let mut splits = splits.to_vec();
    splits.sort_by_key(|split| split.payee);
    if !splits.is_empty() {
        check_splits(&splits)?;
    }
    Ok(splits)
}

/// Price and splits of a new work: the whole to its creator, at the price one, where nothing else is said.
fn first_terms(terms: &TermsArgs, creator: PersonId) -> Result<(u64, Vec<Split>), WorkFailure> {
    let mut splits = in_order(&terms.splits)?;
    if splits.is_empty() {
        splits.push(Split { payee: creator, share: BasisPoints::WHOLE });
    }
    Ok((terms.price.unwrap_or(ONE_Q32), splits))
}

/// A split as `--split` takes it.
fn split_text(split: &Split) -> String {
    format!("{}={}", payee(&split.payee), Unit::Share.show(split.share.get().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(payee: u8, points: u16) -> Split {
        Split { payee: PersonId([payee; 32]), share: BasisPoints::new(points).expect("a part") }
    }

    #[test]
    fn splits_are_ordered_and_whole() {
        let terms = |splits: &[Split]| TermsArgs { price: None, splits: splits.to_vec(), from: None };
        let creator = PersonId([9; 32]);
        let alone = first_terms(&terms(&[]), creator).expect("the whole");
        assert_eq!(alone, (ONE_Q32, vec![split(9, 10_000)]));
        let two = first_terms(&terms(&[split(7, 2_500), split(3, 7_500)]), creator).expect("the whole");
        assert_eq!(two.1, [split(3, 7_500), split(7, 2_500)]);
        let refused = |splits: &[Split]| first_terms(&terms(splits), creator).expect_err("refused");
        assert!(matches!(
            refused(&[split(3, 7_500)]),
            WorkFailure::Splits(SplitError::NotWhole { total: 7_500 })
        ));
        let twice = refused(&[split(3, 5_000), split(3, 5_000)]);
        assert!(matches!(&twice, WorkFailure::Splits(SplitError::Duplicate { .. })));
        assert_eq!((twice.code(), twice.advice().is_some()), (2, true));
        assert_eq!(split_text(&two.1[1]), format!("{}=25%", PersonId([7; 32])));
    }
}
