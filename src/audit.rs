//! `cwe epoch audit`: every accepted bundle of an epoch, verified again from what the parties published of it.

use crate::{
    cli::{Audit, Format},
    epoch::{self, describe, shards, summary},
    output::{self, Failure, check_command},
    progress,
};
use chain::light::{
    Anchoring, EpochRecord, SignerKeys,
    audit::{AuditError, Finding, Verdict, audit, stream::Batches, stream::StreamError},
};
use serde_json::json;
use sim::{
    demo::folder::{SIGNERS_FILE, STATEMENTS_FILE},
    progress::Stage,
    report::{several, thousands},
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Findings that are printed as lines. A file of another run has one for each bundle.
const MOST_LINES: usize = 20;

/// Why there is no audit, or what it comes to.
#[derive(Debug, Error)]
pub(crate) enum AuditFailure {
    /// What was published cannot be opened.
    #[error("{path}: cannot be read: {error}: an audit needs the {STATEMENTS_FILE} of a run folder beside the record", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no stream of what was published, or is damaged.
    #[error("{path}: {error}: copy it again, or give the folder of the run that it is of", path = .path.display())]
    Stream {
        /// The file.
        path: PathBuf,
        /// Why.
        error: StreamError,
    },
    /// There is no usable list of signers' keys.
    #[error("{path}: {what}: an audit needs the keys of the blind signers, which a run folder has", path = .path.display())]
    NoSigners {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// Something that was published does not hold.
    #[error("{path}: the audit found {what}", path = .path.display())]
    DoesNotHold {
        /// The file.
        path: PathBuf,
        /// What.
        what: String,
    },
}

impl AuditFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::DoesNotHold { .. }) { 1 } else { 2 }
    }
}

/// Audits an epoch.
pub(crate) fn run(arguments: &Audit) -> Result<(), Failure> {
    let (path, record) = epoch::read(&arguments.record.run)?;
    let signers = signers(&path)?;
    let statements = path.with_file_name(STATEMENTS_FILE);
    let file = File::open(&statements)
        .map_err(|error| AuditFailure::Unreadable { path: statements.clone(), error })?;
    let broken = |error| AuditFailure::Stream { path: statements.clone(), error };
    let batches = Batches::open(BufReader::new(file), (record.chain, record.epoch)).map_err(broken)?;

    let progress = progress::choose(arguments.quiet);
    progress.begin(Stage::Audit, epoch::bundles(&record));
    let root = arguments.record.root.as_ref().map(|trusted| trusted.root);
    let audited = audit(&record, &signers, root, batches, |bundles| progress.advance(Stage::Audit, bundles));
    if audited.is_ok() {
        progress.end(Stage::Audit);
    }
    match audited {
        Ok(verdict) => Ok(print(&verdict, arguments.record.output)?),
        Err(AuditError::Refused { findings }) => {
            let whole = findings.iter().filter(|finding| finding.is_of_a_proof()).count() as u64
                == epoch::bundles(&record);
            let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
            refuse(&record, &lines, arguments.record.output)?;
            let mut what = summary(&lines);
            if whole {
                what += &format!(
                    ": no bundle holds, so this may be the {SIGNERS_FILE} or the record of another run"
                );
            }
            Err(AuditFailure::DoesNotHold { path: statements, what }.into())
        }
        Err(AuditError::Record(refused)) => {
            let root = arguments.record.root.as_ref();
            let lines: Vec<String> = refused.findings.iter().map(|finding| describe(finding, root)).collect();
            refuse(&record, &lines, arguments.record.output)?;
            let what = format!("{}: see `{}`", summary(&lines), check_command(&path));
            Err(Failure::RecordDoesNotHold { path, what })
        }
        Err(AuditError::Source(error)) => Err(broken(error).into()),
        Err(AuditError::Context(error)) => {
            let (path, what) = (path.with_file_name(SIGNERS_FILE), error.to_string());
            Err(AuditFailure::NoSigners { path, what }.into())
        }
    }
}

fn signers(record: &Path) -> Result<SignerKeys, AuditFailure> {
    let path = record.with_file_name(SIGNERS_FILE);
    match epoch::read_signers(&path) {
        Ok(Some(signers)) => Ok(signers),
        Ok(None) => Err(AuditFailure::NoSigners { path, what: "is not there".into() }),
        Err(what) => Err(AuditFailure::NoSigners { path, what }),
    }
}

fn print(verdict: &Verdict, format: Format) -> Result<(), Failure> {
    let light = &verdict.light;
    let anchored = light.anchoring == Anchoring::Anchored;
    if format == Format::Json {
        let gap = |(at, id): &(chain::light::audit::At, primitives::Digest)| json!({ "shard": at.shard, "position": at.position, "place": at.place, "id": id });
        return output::json(&json!({
            "holds": true,
            "anchored": anchored,
            "epoch": light.epoch,
            "state_root": light.state_root,
            "shards": light.shards,
            "batches": light.batches,
            "bundles": light.bundles,
            "events": verdict.events,
            "receipts": verdict.receipts,
            "subscribers": verdict.subscribers,
            "gaps": verdict.gaps.iter().map(gap).collect::<Vec<_>>(),
            "findings": [],
        }));
    }
    let mut text = format!(
        "Epoch {} holds, bundle by bundle: {} in {} of {}.\n{} of {}, {}, each there once, padding included.\n",
        light.epoch,
        several(light.bundles, "bundle", "bundles"),
        several(light.batches, "batch", "batches"),
        shards(light.shards),
        several(verdict.events, "event", "events"),
        several(verdict.subscribers, "subscriber", "subscribers"),
        several(verdict.receipts, "receipt", "receipts"),
    );
    if let Some((at, _)) = verdict.gaps.first() {
        text += &format!(
            "Not shown: {} from one that was left out, the first of them {at}. Whether their subscribers kept to the \
             cap before is not known\n",
            several(verdict.gaps.len() as u64, "bundle goes on", "bundles go on"),
        );
    }
    text += &format!("State root  {}\n", light.state_root);
    text += if anchored {
        "Anchored    the state root is the one that you trust\n"
    } else {
        "Anchored    not known: give the state root that you trust as --root\n"
    };
    output::print(&text)
}

/// Prints what was found.
fn refuse(record: &EpochRecord, findings: &[String], format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => output::json(&json!({
            "holds": false,
            "epoch": record.epoch,
            "findings": findings,
        })),
        Format::Table => {
            let lines = findings.iter().take(MOST_LINES).map(|finding| format!("✗ {finding}\n"));
            let more = match findings.len().saturating_sub(MOST_LINES) {
                0 => String::new(),
                more => format!("and {} more, which -o json lists\n", thousands(more as u64)),
            };
            output::print(&(lines.collect::<String>() + &more))
        }
    }
}
