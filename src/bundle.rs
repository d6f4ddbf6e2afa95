//! `cwe bundle show`: what a bundle reveals, and nothing more.

mod print;

use crate::{
    cli::{Format, ShowBundle},
    epoch,
    output::{self, Failure},
};
use chain::light::{ContextError, EpochRecord};
use primitives::{ChainId, CodecError, Decode, Digest, EpochId, hash, limits::MAX_BUNDLE_BYTES};
use proofs::{
    bundle::{Bundle, BundleError, verify},
    wire::WirePoint,
};
use sim::demo::folder::SIGNERS_FILE;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a bundle cannot be shown, or does not hold.
#[derive(Debug, Error)]
pub(crate) enum BundleFailure {
    /// It cannot be read.
    #[error(
        "{file}: cannot be read: {error}: give the sample.bundle of a run folder, or - for standard input"
    )]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// It is longer than any.
    #[error("{file}: is longer than the {MAX_BUNDLE_BYTES} bytes that a bundle may have: is it a bundle?")]
    TooLong {
        /// Which file.
        file: String,
    },
    /// It has no bytes.
    #[error("{file}: is empty: give the sample.bundle of a run folder")]
    Empty {
        /// Which file.
        file: String,
    },
    /// It is a text.
    #[error(
        "{file}: is a text, and no bundle: a bundle is given as the bytes that a device hands in, such as sample.bundle"
    )]
    Text {
        /// Which file.
        file: String,
    },
    /// It ends before the bundle does.
    #[error(
        "{file}: looks cut off at byte {at}: at least {missing} more bytes belong to a bundle that begins like this: \
         copy it again"
    )]
    CutOff {
        /// Which file.
        file: String,
        /// Where it ends.
        at: usize,
        /// Bytes that are missing, at least.
        missing: usize,
    },
    /// It goes on after the bundle.
    #[error("{file}: the bundle ends at byte {end}, and {extra} more bytes follow: give one bundle a file")]
    GoesOn {
        /// Which file.
        file: String,
        /// Where the bundle ends.
        end: usize,
        /// Bytes behind it.
        extra: usize,
    },
    /// It is none.
    #[error(
        "{file}: no bundle: {error}: it is something else, or was changed; a run folder has one in sample.bundle"
    )]
    NoBundle {
        /// Which file.
        file: String,
        /// Why.
        error: CodecError,
    },
    /// The record is of another epoch.
    #[error(
        "{file}: the bundle is of epoch {} of chain {}, and the record of epoch {} of chain {}: give the record of \
         the bundle's epoch",
        bundle.1, bundle.0, record.1, record.0
    )]
    OtherEpoch {
        /// Which file.
        file: String,
        /// Of the bundle.
        bundle: (ChainId, EpochId),
        /// Of the record.
        record: (ChainId, EpochId),
    },
    /// The list of signers' keys is none.
    #[error("{path}: no list of signers' keys: {what}: run the demo again, or take the file away", path = .path.display())]
    NoSigners {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// Record and keys make no context for the bundle.
    #[error("{file}: cannot be verified: {error}: is the record of the bundle's run?")]
    NoContext {
        /// Which file.
        file: String,
        /// Why.
        error: ContextError,
    },
    /// The proof does not hold.
    #[error(
        "{file}: the bundle does not hold with this record: {error}: either the bundle was changed, or the record, or the \
         signers.json beside it, is of another run: `{check}` checks the record"
    )]
    DoesNotHold {
        /// Which file.
        file: String,
        /// The rule that it breaks.
        error: BundleError,
        /// The command that checks the record.
        check: String,
    },
}

impl BundleFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::DoesNotHold { .. }) { 1 } else { 2 }
    }
}

/// What is known of the proof.
enum Proof {
    /// It holds under the keys at hand.
    Holds,
    /// It does not.
    Refused(BundleError),
    /// Nobody checked, for a reason.
    NotChecked(&'static str),
}

/// Everything to print.
struct Shown {
    file: String,
    bytes: usize,
    bundle: Bundle,
    pseudonyms: Option<Vec<Digest>>,
    proof: Proof,
}

/// Shows a bundle, and verifies it where everything for that is at hand.
pub(crate) fn show(arguments: &ShowBundle) -> Result<(), Failure> {
    let file = arguments.file.display().to_string();
    let bytes = read(&arguments.file, &file)?;
    let bundle = Bundle::from_bytes(&bytes).map_err(|error| no_bundle(&file, &bytes, error))?;
    let (pseudonyms, proof) = match &arguments.record {
        None => (None, Proof::NotChecked("without --record FOLDER its epoch is not known")),
        Some(folder) => {
            let (path, record) = epoch::read(folder)?;
            let of = |tag: &WirePoint| hash::pseudonym(&record.beacon.key, &tag.0);
            let proof = check(&file, &bundle, &record, &path)?;
            (Some(bundle.tags.iter().map(of).collect()), proof)
        }
    };
    let shown = Shown { file, bytes: bytes.len(), bundle, pseudonyms, proof };
    match arguments.output {
        Format::Json => output::json(&print::object(&shown))?,
        Format::Table => output::print(&print::text(&shown))?,
    }
    match shown.proof {
        Proof::Refused(error) => {
            let check = output::check_command(arguments.record.as_deref().unwrap_or(Path::new("DIR")));
            Err(BundleFailure::DoesNotHold { file: shown.file, error, check }.into())
        }
        _ => Ok(()),
    }
}

/// Why bytes are no bundle.
fn no_bundle(file: &str, bytes: &[u8], error: CodecError) -> BundleFailure {
    let file = file.to_owned();
    match error {
        _ if bytes.is_empty() => BundleFailure::Empty { file },
        _ if is_text(bytes) => BundleFailure::Text { file },
        CodecError::Truncated { wanted, left } => {
            BundleFailure::CutOff { file, at: bytes.len(), missing: wanted - left }
        }
        CodecError::Trailing { extra } => BundleFailure::GoesOn { file, end: bytes.len() - extra, extra },
        error => BundleFailure::NoBundle { file, error },
    }
}

/// Whether somebody could have typed this. A bundle begins with numbers, whose leading bytes are zero.
fn is_text(bytes: &[u8]) -> bool {
    let plain = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    std::str::from_utf8(bytes).is_ok_and(plain)
}

/// The bytes of a file, or of standard input: no more than a bundle may have.
fn read(path: &Path, file: &str) -> Result<Vec<u8>, BundleFailure> {
    let limit = MAX_BUNDLE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    let file = || file.to_owned();
    read.map_err(|error| BundleFailure::Unreadable { file: file(), error })?;
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(BundleFailure::TooLong { file: file() });
    }
    Ok(bytes)
}

/// Verifies a bundle with the record of its epoch and the keys beside it.
fn check(file: &str, bundle: &Bundle, record: &EpochRecord, path: &Path) -> Result<Proof, BundleFailure> {
    let envelope = &bundle.envelope;
    let (of_bundle, of_record) = ((envelope.chain, envelope.epoch), (record.chain, record.epoch));
    if of_bundle != of_record {
        return Err(BundleFailure::OtherEpoch { file: file.into(), bundle: of_bundle, record: of_record });
    }
    let path = path.with_file_name(SIGNERS_FILE);
    let no_signers = |what: String| BundleFailure::NoSigners { path: path.clone(), what };
    let Some(signers) = epoch::read_signers(&path).map_err(no_signers)? else {
        return Ok(Proof::NotChecked(
            "no signers.json with the keys of the blind signers is beside the record",
        ));
    };
    let context = record.context(envelope.shard, &signers);
    let context = context.map_err(|error| match error {
        ContextError::Key { .. } => no_signers(error.to_string()),
        error => BundleFailure::NoContext { file: file.into(), error },
    })?;
    Ok(verify(&context, bundle).map_or_else(Proof::Refused, |_| Proof::Holds))
}
