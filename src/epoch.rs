//! `cwe epoch fetch`, `cwe epoch verify` and `cwe epoch show`.

mod fetch;

pub(crate) use fetch::{FetchFailure, run as fetch};

use crate::{
    cli::{Format, Show, TrustedRoot, Verify},
    output::{self, Failure, table, verify_command},
};
use chain::light::{
    self, Anchoring, EpochRecord, Finding, SignerKeys, record::HeaderRecord, verify::root_digest,
};
use primitives::Credits;
use serde_json::{Value, json};
use sim::{
    demo::folder::EPOCH_FILE,
    report::{credits, several, thousands},
};
use std::{
    cmp::Reverse,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Longest record that is read. A shard of 4,096 works that were all used in every group of eight tiers and nine region
/// tags takes less than 64 MiB; an epoch of 64 shards, used as unevenly as works are, less than this.
const MAX_RECORD_BYTES: u64 = 512 << 20;
/// Longest list of signers' keys that is read: keys of every tier, region and denomination take less.
const MAX_SIGNERS_BYTES: u64 = 1 << 20;
/// Works in the table of a record.
const TOP: usize = 20;

/// Verifies a record from scratch.
pub(crate) fn verify(arguments: &Verify) -> Result<(), Failure> {
    let (path, record) = read(&arguments.run)?;
    match light::verify(&record, arguments.root.as_ref().map(|trusted| trusted.root)) {
        Ok(verdict) => {
            let anchored = verdict.anchoring == Anchoring::Anchored;
            match arguments.output {
                Format::Json => output::json(&json!({
                    "holds": true,
                    "anchored": anchored,
                    "epoch": verdict.epoch,
                    "state_root": verdict.state_root,
                    "works": verdict.works,
                    "shards": verdict.shards,
                    "batches": verdict.batches,
                    "bundles": verdict.bundles,
                    "paid": verdict.paid,
                    "findings": [],
                })),
                Format::Table => {
                    let mut text = format!(
                        "Epoch {} holds: {}, {}, {} in {}, {} credits paid.\nState root  {}\n",
                        verdict.epoch,
                        several(verdict.batches, "batch", "batches"),
                        several(verdict.bundles, "bundle", "bundles"),
                        several(verdict.works as u64, "work", "works"),
                        shards(verdict.shards),
                        credits(verdict.paid),
                        verdict.state_root,
                    );
                    text += if anchored {
                        "Anchored    the state root is the one that you trust\n"
                    } else {
                        "Anchored    not known: nothing ties this record to a chain that you trust. Take the state \
                         root from a node or from L1, and pass it as --root\n"
                    };
                    output::print(&text)
                }
            }
        }
        Err(refused) => {
            let findings: Vec<String> =
                refused.findings.iter().map(|finding| describe(finding, arguments.root.as_ref())).collect();
            match arguments.output {
                Format::Json => output::json(&json!({
                    "holds": false,
                    "anchored": false,
                    "epoch": record.epoch,
                    "state_root": root_digest(&record.state.root),
                    "findings": findings,
                }))?,
                Format::Table => {
                    let lines: Vec<String> =
                        findings.iter().map(|finding| format!("✗ {finding}\n")).collect();
                    output::print(&lines.concat())?;
                }
            }
            Err(Failure::RecordDoesNotHold { path, what: summary(&findings) })
        }
    }
}

/// A finding in words. A root that is not the trusted one is said in the spelling of what was typed.
pub(crate) fn describe(finding: &Finding, trusted: Option<&TrustedRoot>) -> String {
    match (finding, trusted) {
        (Finding::TrustedRoot { found, .. }, Some(trusted)) => {
            format!("state: root {} is not the trusted root {}", trusted.spell(found), trusted.given)
        }
        _ => finding.to_string(),
    }
}

/// The first of several findings, and how many more there are.
pub(crate) fn summary(findings: &[String]) -> String {
    let first = findings.first().cloned().unwrap_or_default();
    match findings.len().saturating_sub(1) {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

/// Shows a record. Nothing is verified.
pub(crate) fn show(arguments: &Show) -> Result<(), Failure> {
    let (path, record) = read(&arguments.run)?;
    match arguments.output {
        Format::Json => output::json(&overview(&record)),
        Format::Table => output::print(&text(&path, &record)),
    }
}

/// Reads the record of a run folder, or a record file.
pub(crate) fn read(run: &Path) -> Result<(PathBuf, EpochRecord), Failure> {
    let path = if run.is_dir() { run.join(EPOCH_FILE) } else { run.to_owned() };
    let length = fs::metadata(&path).map(|meta| meta.len());
    let bytes = match length {
        Ok(length) if length > MAX_RECORD_BYTES => {
            return Err(Failure::RecordTooLong { path, max: MAX_RECORD_BYTES });
        }
        Ok(_) => fs::read(&path),
        Err(error) => Err(error),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return Err(Failure::RecordUnreadable { path, error }),
    };
    match serde_json::from_slice(&bytes) {
        Ok(record) => Ok((path, record)),
        Err(error) => Err(Failure::NoRecord { path, error }),
    }
}

/// Reads the keys of the blind signers, if there is such a file; otherwise says why they cannot be read.
pub(crate) fn read_signers(path: &Path) -> Result<Option<SignerKeys>, String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
        Ok(meta) if meta.len() > MAX_SIGNERS_BYTES => {
            Err(format!("it is longer than {MAX_SIGNERS_BYTES} bytes"))
        }
        Ok(_) => {
            let bytes = fs::read(path).map_err(|error| error.to_string())?;
            serde_json::from_slice(&bytes).map_err(|error| error.to_string())
        }
    }
}

/// Bundles that the headers of a record count.
pub(crate) fn bundles(record: &EpochRecord) -> u64 {
    headers(record).map(|header| u64::from(header.count)).sum()
}

/// Anchored headers of all shards.
pub(crate) fn headers(record: &EpochRecord) -> impl Iterator<Item = &HeaderRecord> {
    record.shards.iter().flat_map(|shard| &shard.headers)
}

pub(crate) fn shards(count: usize) -> String {
    if count == 1 { "one shard".into() } else { format!("{count} shards") }
}

fn overview(record: &EpochRecord) -> Value {
    json!({
        "chain": record.chain,
        "epoch": record.epoch,
        "shards": record.shards.len(),
        "batches": headers(record).count(),
        "bundles": bundles(record),
        "tiers": record.tiers,
        "revenue": record.revenue,
        "health": record.health,
        "works": record.works,
        "payout_root": record_hex(record, "payout_root"),
        "state_root": root_digest(&record.state.root),
    })
}

fn record_hex(record: &EpochRecord, field: &str) -> Value {
    serde_json::to_value(record).map(|value| value[field].clone()).unwrap_or_default()
}

fn text(path: &Path, record: &EpochRecord) -> String {
    let mut text = format!(
        "Epoch {} of chain {} ({}): {}, {}, {}, {} in {}\n\n",
        record.epoch,
        record.chain,
        path.display(),
        several(headers(record).count() as u64, "batch", "batches"),
        several(bundles(record), "bundle", "bundles"),
        several(record.health.events, "event", "events"),
        several(record.works.len() as u64, "work", "works"),
        shards(record.shards.len()),
    );
    text += "Tiers, in credits\n";
    let tier = |tier: &chain::light::record::TierRecord| {
        [tier.tier.to_string(), credits(tier.price), thousands(tier.subscriptions), credits(tier.revenue)]
    };
    text += &table(["tier", "price", "subscriptions", "revenue"], 1, record.tiers.iter().map(tier).collect());
    text += "\nWhere the money went, in credits\n";
    text += &money(record);
    text += "\nThe best-paid works\n";
    let mut works: Vec<_> = record.works.iter().collect();
    works.sort_by_key(|work| (Reverse(work.payout), work.work_id));
    let row = |work: &&light::figures::WorkRecord| {
        let id = work.work_id.to_string();
        [id[..16].to_owned() + "…", thousands(work.listeners), thousands(work.views), credits(work.payout)]
    };
    text += &table(["work", "listeners", "views", "payout"], 1, works.iter().take(TOP).map(row).collect());
    text += &format!("\nState root  {}\n", root_digest(&record.state.root));
    text += &format!("Verify      {}\n", verify_command(path, "ROOT"));
    text
}

/// The parts of an epoch's revenue.
pub(crate) fn money(record: &EpochRecord) -> String {
    let money = &record.revenue;
    let share = |amount: Credits| {
        let points = u128::from(amount.0) * 10_000 / u128::from(money.revenue.0.max(1));
        format!("{}.{:02} %", points / 100, points % 100)
    };
    let rows = [
        ("revenue", money.revenue),
        ("creators", money.creators),
        ("Eco-Reserve", money.eco),
        ("infrastructure", money.infra),
        ("protocol fee", money.fee),
    ];
    let mut rows: Vec<_> =
        rows.into_iter().map(|(name, amount)| [name.into(), credits(amount), share(amount)]).collect();
    for (name, amount) in [
        ("of the creators' on L1", money.on_layer1),
        ("carried in", money.carried_in),
        ("carried out", money.carried_out),
    ] {
        if amount != Credits::ZERO {
            rows.push([name.into(), credits(amount), String::new()]);
        }
    }
    table(["", "credits", "of revenue"], 1, rows)
}
