//! `cwe demo`.

mod processes;

pub(crate) use processes::run_processes;

use crate::{
    cli::{Demo, EMBEDDED, Format},
    output::{self, Failure, table, verify_command},
    progress, secret,
};
use primitives::Credits;
use serde_json::{Value, json};
use sim::{
    demo::{self, ChainMoney, DemoError, Layer1, OnLayer1, Options, Outcome, folder, stopped},
    folder::Staging,
    report::{credits, several, thousands},
    workload::{Workload, WorkloadOptions},
};
use std::{
    cmp::Reverse,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Works in the table of top payouts.
const TOP: usize = 10;
/// Exit code after an interrupt: 128 and the number of the signal, as shells have it.
const INTERRUPTED: i32 = 130;

/// Runs the demo.
pub(crate) fn run(arguments: &Demo) -> Result<(), Failure> {
    let options = options(arguments)?;
    let out = arguments.out.clone().unwrap_or_else(|| folder::default_folder(&options));
    let workload = demo::prepare(&options)?;
    if !arguments.quiet {
        announce(&workload, &options);
    }
    let staging = Staging::new(&folder::RUN, &out)?;
    remove_when_interrupted(staging.dir().to_owned(), arguments.l1 != EMBEDDED)?;
    let progress = progress::choose(arguments.quiet);
    let drawn = workload.clone();
    let outcome = match demo::run(&options, workload, &staging.scratch(), progress.as_ref()) {
        Err(DemoError::Aborted(stopped)) => {
            stopped::commit(staging, &options, &drawn, &stopped)?;
            return Err(Failure::Aborted { stopped, folder: out });
        }
        other => other?,
    };
    folder::commit(staging, &outcome)?;
    match arguments.output {
        Format::Json => output::json(&object(&outcome, &out)?)?,
        Format::Table => output::print(&summary(&outcome, &out))?,
    }
    match outcome.verdicts.iter().find(|verdict| !verdict.holds) {
        None => Ok(()),
        Some(verdict) => {
            let what = format!("not so: {} ({})", verdict.claim.to_lowercase(), verdict.detail);
            Err(Failure::RunDoesNotHold { what, folder: out })
        }
    }
}

fn options(arguments: &Demo) -> Result<Options, Failure> {
    let (subscribers, works) = arguments.size();
    let workload = WorkloadOptions {
        seed: arguments.seed,
        subscribers,
        works,
        plays_scale: arguments.plays_scale,
        usage: arguments.usage.file(),
    };
    let layer1 = layer1(arguments)?;
    let Demo { preset, k_anonymity, epochs, shard_width, adversary, .. } = *arguments;
    Ok(Options {
        workload,
        preset,
        k_anonymity,
        epochs,
        shard_width,
        adversary,
        layer1,
        ..Options::default()
    })
}

/// Which L1, with which key.
fn layer1(arguments: &Demo) -> Result<Layer1, Failure> {
    match (arguments.l1.as_str(), &arguments.l1_key) {
        (EMBEDDED, None) => Ok(Layer1::Embedded),
        (EMBEDDED, Some(_)) => Err(Failure::KeyWithoutEndpoint),
        (given, _) if !given.contains("://") => Err(Failure::NoL1 { given: given.into() }),
        (url, key) => {
            Ok(Layer1::Endpoint { url: url.into(), key: key.as_deref().map(secret::read_key).transpose()? })
        }
    }
}

/// Says what is about to be run, and what was drawn for it.
fn announce(workload: &Workload, options: &Options) {
    let mut lines = vec![format!(
        "{}, {}, {}; {}; seed {}, preset {}",
        several(workload.subscribers.len() as u64, "subscriber", "subscribers"),
        several(workload.works.len() as u64, "work", "works"),
        several(workload.drawn.events as u64, "event", "events"),
        workload.source,
        workload.seed,
        options.preset,
    )];
    lines.extend(workload.notes.iter().map(|note| format!("  {note}")));
    lines.push("drawn from the seed, as it came out:".into());
    let drawn = workload.drawn.describe();
    lines.extend(drawn.into_iter().map(|(label, value)| format!("  {label}: {value}")));
    lines.extend(
        demo::outcome::notes(options.params().k_anonymity).into_iter().map(|note| format!("note: {note}")),
    );
    lines.push(String::new());
    // A closed standard error is no reason to stop a run.
    drop(writeln!(std::io::stderr(), "{}", lines.join("\n")));
}

/// An interrupted run leaves neither a run folder nor the beginning of one.
fn remove_when_interrupted(staging: PathBuf, sends: bool) -> Result<(), Failure> {
    Ok(ctrlc::set_handler(move || {
        // What is being written to cannot always be removed at once.
        let removed = (0..20).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            fs::remove_dir_all(&staging).is_ok() || !staging.exists()
        });
        let rest = if removed {
            "no run folder was written".into()
        } else {
            format!("remove {}", staging.display())
        };
        let sent = if sends { "; what was sent to L1 stays there" } else { "" };
        drop(writeln!(std::io::stderr(), "\nerror: interrupted: {rest}{sent}"));
        std::process::exit(INTERRUPTED);
    })?)
}

/// What a reader has to know, also one who did not see what was announced: how the options were met, and what the run
/// does not show.
fn notes(outcome: &Outcome) -> Vec<String> {
    outcome.workload.notes.iter().cloned().chain(outcome.notes()).collect()
}

/// The one object of `-o json`: the metrics, and where everything is.
fn object(outcome: &Outcome, out: &Path) -> Result<Value, Failure> {
    let mut object = serde_json::to_value(&outcome.metrics)?;
    object["out"] = json!(out);
    object["holds"] = json!(outcome.holds());
    object["verdicts"] = serde_json::to_value(&outcome.verdicts)?;
    object["attacks"] = serde_json::to_value(&outcome.attacks)?;
    object["notes"] = json!(notes(outcome));
    Ok(object)
}

/// What L1 has in the end, and what that cost.
fn layer1_summary(layer1: &OnLayer1) -> String {
    let mut text = format!("\nOn L1 ({})\n", layer1.node);
    let contracts = layer1.contracts;
    let addresses = [
        ("AttestedRollup", contracts.rollup),
        ("EpochMirror", contracts.mirror),
        ("PayoutVault", contracts.vault),
        ("CweCredit", contracts.credit),
    ];
    text += &table(["contract", "address"], 2, addresses.map(|(n, a)| [n.into(), a.to_string()]).into());
    let paid = layer1.paid.iter().map(|paid| {
        [paid.creator.clone(), paid.account.clone(), thousands(paid.claims), credits(Credits(paid.holds))]
    });
    text += &table(["creator", "account", "claims", "credits"], 2, paid.collect());
    let gas = layer1.gas.iter().map(|(what, gas)| {
        [
            what.clone(),
            thousands(gas.transactions),
            thousands(gas.gas / gas.transactions.max(1)),
            thousands(gas.gas),
        ]
    });
    text += &table(["transactions", "how many", "gas each", "gas"], 1, gas.collect());
    let total: u64 = layer1.gas.values().map(|gas| gas.gas).sum();
    text += &format!(
        "State root of the epoch there, after batch {}: {}\n",
        layer1.epoch_batch, layer1.epoch_root
    );
    text += &format!("{} gas in all.\n\nWhat L1 refused\n", thousands(total));
    let tried = layer1.refusals.iter();
    let tried = tried.map(|t| [mark(t.as_expected).into(), t.attempt.clone(), t.answer.clone()]);
    text += &table(["", "attempt", "answer"], 3, tried.collect());
    text
}

fn mark(holds: bool) -> &'static str {
    if holds { "✓" } else { "✗" }
}

/// Funds that are not empty, and what those who run the network earned.
fn funds(chain: &ChainMoney) -> String {
    let list = |what: &str, rows: Vec<(String, Credits)>| {
        let rows = rows.into_iter().map(|(name, amount)| [name, credits(amount)]).collect();
        table([what, "credits"], 1, rows)
    };
    let earned = chain.earned();
    let rewards = if earned.is_empty() { String::new() } else { list("rewards for", earned) };
    format!("{}{rewards}\n{}\n", list("fund", chain.holdings()), chain.rewards_in_words())
}

fn summary(outcome: &Outcome, out: &Path) -> String {
    let metrics = &outcome.metrics;
    let mut text = format!("\nEpoch {}\n\n", outcome.record.epoch);
    let verdicts = outcome.verdicts.iter().map(|v| [mark(v.holds).into(), v.claim.clone(), v.detail.clone()]);
    text += &table(["", "checked", "how"], 3, verdicts.collect());

    text += "\nWhat was counted\n";
    let counts = [
        ("events handed in, attacks included", metrics.events_submitted),
        ("events counted", metrics.events_accepted),
        ("bundles handed in, attacks included", metrics.bundles_submitted),
        ("bundles counted", metrics.bundles_accepted),
        ("shards that works were dealt to", metrics.shards as u64),
        ("batches of bundles anchored", metrics.batches),
        ("works of which usage is published", metrics.works_published as u64),
        ("works of which usage is carried over", metrics.works_carried as u64),
        ("claims paid", metrics.claims_ok),
    ];
    text += &table(["", ""], 1, counts.map(|(label, n)| [label.into(), thousands(n)]).into());

    text += &format!("\n{}\n", metrics.carried_in_words());
    for line in [metrics.replaced_in_words(), metrics.adversary_in_words()].into_iter().flatten() {
        text += &format!("\n{line}\n");
    }
    if metrics.epochs.len() > 1 {
        text += "\nWhat was published, epoch by epoch\n";
        let epochs = metrics.epochs.iter().map(|epoch| {
            [
                epoch.epoch.to_string(),
                thousands(epoch.works_published as u64),
                thousands(epoch.works_carried as u64),
                format!("{:.1} %", 100.0 * epoch.value_carried_share),
                mark(epoch.totals_match_plaintext).into(),
            ]
        });
        let head = ["epoch", "works published", "works carried over", "value carried over", "totals right"];
        text += &table(head, 1, epochs.collect());
    }

    text += "\nSubscribers by tier: no party takes in more than were sold\n";
    let tiers = metrics.tiers.iter();
    let tiers = tiers.map(|t| [t.tier.to_string(), thousands(t.sold), thousands(t.subscribers)]);
    text += &table(["tier", "subscriptions", "counted"], 1, tiers.collect());
    text += "\nReceipts by region\n";
    let regions = metrics.regions.iter();
    let regions = regions.map(|r| [r.region.to_string(), thousands(r.receipts), thousands(r.views)]);
    text += &table(["region", "receipts", "views"], 1, regions.collect());
    text += &format!("\n{} {}\n", metrics.cap_in_words(), metrics.complaints_in_words());

    text += "\nHow each attack was refused\n";
    let attacks = outcome.attacks.iter();
    let attacks = attacks.map(|a| [mark(a.as_expected).into(), a.attack.clone(), a.seen.clone()]);
    text += &table(["", "attack", "answer"], 3, attacks.collect());

    text += "\nWhere the money went, in credits\n";
    text += &crate::epoch::money(&outcome.record);

    text += "\nWhat the chain holds in its funds, in credits\n";
    text += &funds(&metrics.chain);

    text += &format!("\nThe {TOP} best-paid works\n");
    let mut works: Vec<_> = outcome.record.works.iter().collect();
    works.sort_by_key(|work| (Reverse(work.payout), work.work_id));
    let row = |work: &&chain::light::figures::WorkRecord| {
        let name = outcome.names.get(&work.work_id).cloned().unwrap_or_else(|| work.work_id.to_string());
        [name, thousands(work.listeners), thousands(work.views), credits(work.payout)]
    };
    text += &table(["work", "listeners", "views", "payout"], 1, works.iter().take(TOP).map(row).collect());

    text += &layer1_summary(&metrics.layer1);
    let paid = credits(Credits(metrics.paid_total));
    let folder = out.display();
    text += &format!(
        "\n{paid} credits were paid to creators.\n\nRun folder  {folder}\nReport      {}\nVerify      {}\n",
        out.join(folder::REPORT_FILE).display(),
        verify_command(out, &metrics.state_root.to_string()),
    );
    for note in notes(outcome) {
        text += &format!("Note        {note}\n");
    }
    text
}
