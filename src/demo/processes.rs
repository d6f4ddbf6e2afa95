//! `cwe demo --processes`.

use super::options;
use crate::{
    cli::{Demo, Format},
    output::{self, Failure, facts},
    progress,
};
use serde_json::json;
use sim::{
    demo::{self, DEFAULT_BATCH, folder},
    folder::FolderError,
    hosts::{Hosts, HostsError, Options, Settled, Sites},
    report::{credits, several, thousands},
};
use std::{env, path::PathBuf, thread, time::Duration};

/// Seconds that each client has, on a machine with few cores and much to do.
const SECONDS_A_CLIENT: u32 = 1;
/// Ticks of silence after which a party is not waited for: longer than a step of one takes on a busy machine.
const PATIENCE: u32 = 120;
/// Seconds that every window has.
const LEAST_WINDOW: u32 = 30;

/// Runs an epoch across processes.
pub(crate) fn run_processes(arguments: &Demo) -> Result<(), Failure> {
    let demo = options(arguments)?;
    let out = arguments.out.clone().unwrap_or_else(|| with_suffix(folder::default_folder(&demo)));
    if out.exists() {
        return Err(FolderError::Occupied { path: out }.into());
    }
    let workload = demo::prepare(&demo)?;
    let subscribers = u32::try_from(workload.subscribers.len()).unwrap_or(u32::MAX);
    let window = arguments.window.unwrap_or(LEAST_WINDOW + subscribers.saturating_mul(SECONDS_A_CLIENT));
    let failed = |what: &str, error| HostsError::Io { what: what.into(), error };
    let hosts = Options {
        program: env::current_exe().map_err(|error| failed("this program's own file", error))?,
        dir: std::path::absolute(&out).map_err(|error| failed("the folder", error))?,
        params: demo.params(),
        shard_width: demo.shard_width,
        window: Duration::from_secs(window.into()),
        batch: DEFAULT_BATCH,
        tick: Duration::from_millis(500),
        patience: PATIENCE,
        sites: Sites::default(),
        cables: false,
    };
    let progress = progress::choose(arguments.quiet);
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let mut hosts = Hosts::start(hosts, workload, progress.as_ref())?;
    hosts.start_issuers()?;
    let opened = hosts.opened(progress.as_ref())?;
    hosts.hand_in_by_clients(&opened, lanes, progress.as_ref())?;
    let Settled { record, comparison, bundles, clients } = hosts.settled(progress.as_ref())?;
    let checked = hosts.confirm(lanes, progress.as_ref())?;
    hosts.end();
    let same = comparison.mismatches.is_empty();
    let batches: usize = record.shards.iter().map(|shard| shard.headers.len()).sum();
    let path = out.join("epoch.json");
    std::fs::write(&path, folder::record_json(&record)?).map_err(|error| failed("epoch.json", error))?;
    match arguments.output {
        Format::Json => output::json(&json!({
            "out": out,
            "epoch": record.epoch,
            "clients": clients,
            "bundles": bundles,
            "inclusion_checked": checked,
            "as_counted_in_the_open": same,
            "paid_total": record.revenue.paid,
        }))?,
        Format::Table => {
            let rows = vec![
                ["epoch".to_owned(), record.epoch.to_string()],
                ["clients".into(), several(clients as u64, "process", "processes")],
                ["bundles".into(), thousands(bundles as u64)],
                [
                    "inclusion checked".into(),
                    format!("of {} by clients", several(checked as u64, "bundle", "bundles")),
                ],
                ["batches".into(), several(batches as u64, "batch", "batches")],
                ["paid to creators".into(), credits(record.revenue.paid)],
                [
                    "carried over".into(),
                    format!(
                        "{}, of works with fewer than {} listeners in a tier",
                        credits(record.revenue.carried_out),
                        demo.params().k_anonymity
                    ),
                ],
                [
                    "totals".into(),
                    if same { "as counted in the open".into() } else { "NOT as counted".into() },
                ],
                ["record".into(), path.display().to_string()],
            ];
            output::print(&facts(&rows))?;
        }
    }
    let what = match comparison.mismatches.first() {
        Some(mismatch) => mismatch.to_string(),
        None if checked < bundles => {
            format!(
                "{} of {} that clients handed in are in no batch that they see",
                bundles - checked,
                several(bundles as u64, "bundle", "bundles")
            )
        }
        None => return Ok(()),
    };
    Err(Failure::RunDoesNotHold { what, folder: out })
}

fn with_suffix(folder: PathBuf) -> PathBuf {
    let mut name = folder.into_os_string();
    name.push("-processes");
    name.into()
}
