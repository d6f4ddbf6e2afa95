//! `cwe bundle show`: what a bundle reveals, and nothing more.

use crate::{
    cli::{Format, ShowBundle},
    epoch,
    output::{self, Failure, table},
};
use chain::light::{ContextError, EpochRecord, SignerKeys};
use primitives::{ChainId, CodecError, Decode, Digest, EpochId, hash, limits::MAX_BUNDLE_BYTES};
use proofs::{
    bundle::{Bundle, BundleError, Part, verify},
    wire::WirePoint,
};
use serde_json::{Value, json};
use sim::{demo::folder::SIGNERS_FILE, report::thousands};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Longest list of signers' keys that is read: keys of every tier, region and denomination take less.
const MAX_SIGNERS_BYTES: u64 = 1 << 20;

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
    /// It is none.
    #[error(
        "{file}: no bundle: {error}: a bundle is given as the bytes that a device hands in, such as sample.bundle"
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
    #[error("{file}: cannot be verified: {error}")]
    NoContext {
        /// Which file.
        file: String,
        /// Why.
        error: ContextError,
    },
    /// The proof does not hold.
    #[error("{file}: the bundle does not hold: {error}")]
    DoesNotHold {
        /// Which file.
        file: String,
        /// The rule that it breaks.
        error: BundleError,
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
    let bundle =
        Bundle::from_bytes(&bytes).map_err(|error| BundleFailure::NoBundle { file: file.clone(), error })?;
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
        Format::Json => output::json(&object(&shown))?,
        Format::Table => output::print(&text(&shown))?,
    }
    match shown.proof {
        Proof::Refused(error) => Err(BundleFailure::DoesNotHold { file: shown.file, error }.into()),
        _ => Ok(()),
    }
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
    let signers: SignerKeys = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Proof::NotChecked(
                "no signers.json with the keys of the blind signers is beside the record",
            ));
        }
        Err(error) => return Err(no_signers(error.to_string())),
        Ok(meta) if meta.len() > MAX_SIGNERS_BYTES => {
            return Err(no_signers(format!("it is longer than {MAX_SIGNERS_BYTES} bytes")));
        }
        Ok(_) => {
            let bytes = fs::read(&path).map_err(|error| no_signers(error.to_string()))?;
            serde_json::from_slice(&bytes).map_err(|error| no_signers(error.to_string()))?
        }
    };
    let context = record.context(envelope.shard, &signers);
    let context = context.map_err(|error| match error {
        ContextError::Key { .. } => no_signers(error.to_string()),
        error => BundleFailure::NoContext { file: file.into(), error },
    })?;
    Ok(verify(&context, bundle).map_or_else(Proof::Refused, |_| Proof::Holds))
}

/// Whether the bundle says that it is its subscriber's first of the epoch.
fn is_first(bundle: &Bundle) -> bool {
    bundle.previous == WirePoint::default()
}

fn object(Shown { bytes, bundle, pseudonyms, proof, .. }: &Shown) -> Value {
    let envelope = &bundle.envelope;
    let lengths = |of_proof: bool| {
        let parts = bundle.parts().into_iter().filter(move |part| part.proof == of_proof);
        parts.map(|part| (part.name, part.bytes)).collect::<BTreeMap<_, _>>()
    };
    let (verdict, reason) = match proof {
        Proof::Holds => ("holds", None),
        Proof::Refused(error) => ("refused", Some(error.to_string())),
        Proof::NotChecked(why) => ("not checked", Some((*why).to_owned())),
    };
    let receipts: Vec<_> = bundle.receipts.iter().map(|receipt| receipt.denomination.views()).collect();
    json!({
        "id": bundle.id(),
        "chain": envelope.chain,
        "epoch": envelope.epoch,
        "shard": envelope.shard,
        "window": envelope.window,
        "tier": envelope.tier,
        "region": envelope.region,
        "key": envelope.key,
        "first_of_subscriber": is_first(bundle),
        "events": bundle.tags.len(),
        "event_tags": bundle.tags,
        "event_pseudonyms": pseudonyms,
        "proof_usage": {
            "verdict": verdict,
            "reason": reason,
            "bytes": lengths(true).values().sum::<usize>(),
            "parts": lengths(true),
        },
        "proof_bandwidth": {
            "region": envelope.region,
            "denominations": receipts,
            "views": bundle.receipted_views(),
        },
        "statement": lengths(false),
        "bytes": bytes,
    })
}

fn text(Shown { file, bytes, bundle, pseudonyms, proof }: &Shown) -> String {
    let envelope = &bundle.envelope;
    let region = envelope.region.0.map_or("none".into(), |region| region.to_string());
    let first =
        if is_first(bundle) { "the first of its subscriber" } else { "not the first of its subscriber" };
    let open = [
        ("chain", envelope.chain.to_string()),
        ("epoch", envelope.epoch.to_string()),
        ("shard", envelope.shard.to_string()),
        ("window", envelope.window.to_string()),
        ("tier", envelope.tier.to_string()),
        ("region", region.clone()),
        ("key of the epoch", envelope.key.to_string()),
        ("bundle of the epoch", first.into()),
        ("events", format!("{}, padding included", bundle.tags.len())),
    ];
    let mut text = format!("Bundle {} ({file})\n\nWhat it says openly\n", bundle.id());
    text += &table(["", ""], 2, open.map(|(name, value)| [name.into(), value]).into());

    match pseudonyms {
        Some(pseudonyms) => {
            text += "\nevent_pseudonyms, P = H(K_epoch || C)\n";
            text += &pseudonyms.iter().map(|pseudonym| format!(" {pseudonym}\n")).collect::<String>();
        }
        None => {
            text += "\nevent_pseudonyms: not known. They need the epoch's key, which --record FOLDER gives; these are the \
                     tags C\n";
            text += &bundle.tags.iter().map(|tag| format!(" {tag}\n")).collect::<String>();
        }
    }

    text += "\nproof_bandwidth\n";
    if bundle.receipts.is_empty() {
        text += " no receipts: no event is backed\n";
    } else {
        let mut counts = BTreeMap::<u8, u64>::new();
        for receipt in &bundle.receipts {
            *counts.entry(receipt.denomination.views()).or_default() += 1;
        }
        let rows = counts.iter().map(|(views, n)| [region.clone(), views.to_string(), n.to_string()]);
        text += &table(["region", "denomination", "receipts"], 1, rows.collect());
        text += &format!(" {} events are backed\n", bundle.receipted_views());
    }

    text += "\nproof_usage, in bytes\n";
    let row = |part: &Part| [part.name.replace('_', " "), thousands(part.bytes as u64)];
    let (proof_parts, statement): (Vec<_>, Vec<_>) = bundle.parts().into_iter().partition(|part| part.proof);
    let mut rows: Vec<_> = proof_parts.iter().map(row).collect();
    let sum = proof_parts.iter().map(|part| part.bytes).sum::<usize>();
    rows.push(["the proof".into(), thousands(sum as u64)]);
    text += &table(["part", "bytes"], 1, rows);
    text += "\nWhat it is about, in bytes\n";
    let mut rows: Vec<_> = statement.iter().map(row).collect();
    rows.push(["the whole bundle".into(), thousands(*bytes as u64)]);
    text += &table(["part", "bytes"], 1, rows);

    text += &match proof {
        Proof::Holds => "\nProof       holds, under the signers' keys beside the record\n".into(),
        Proof::Refused(error) => format!("\nProof       does not hold: {error}\n"),
        Proof::NotChecked(why) => format!("\nProof       not checked: {why}\n"),
    };
    text
}
