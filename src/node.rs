//! `cwe node`.

mod export;
mod failure;
mod init;
mod settings;

pub(crate) use export::export;
pub(crate) use failure::{NodeFailure, run_code};
pub(crate) use init::{chain_number, init, offices};
pub(crate) use settings::SettingsError;

use crate::{
    account::{Node, text},
    cli::{Ask, Format, Run, ShowConfig},
    output::{self, Failure, facts, table},
    stop::{self, STOP},
};
use chain::{
    Genesis, Ledger,
    node::{
        Config, Notice, Role, RunError,
        origin::{self, MAX_GENESIS_BYTES, SNAPSHOT_FILE},
        rpc::Patience,
    },
    sequencer::{Limits, LimitsError},
    wallet::keyfile,
};
use primitives::calendar::utc;
use serde_json::{Value, json};
use settings::{Given, Settings};
use sim::report::several;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

/// Runs a node.
pub(crate) fn run(arguments: &Run) -> Result<(), Failure> {
    let config = config(&Settings::read(&arguments.settings)?)?;
    if !config.listen.ip().is_loopback() {
        say(&format!("{}: others can reach this node, and JSON-RPC has no passwords", config.listen));
    }
    stop::heed_interrupts()?;
    let (json, quiet) = (arguments.output == Format::Json, arguments.quiet);
    let tell = move |notice: Notice| {
        if !(quiet && matches!(notice, Notice::Block { .. })) {
            if json { drop(output::print(&format!("{}\n", object(&notice)))) } else { say(&line(&notice)) }
        }
    };
    Ok(chain::node::run(config, &STOP, &tell)?)
}

/// Shows the settings with which this node would run, and their sources. What `run` would refuse of them is refused.
pub(crate) fn config_table(arguments: &ShowConfig) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.settings)?;
    check(&settings)?;
    let in_force = settings.in_force()?;
    match arguments.output {
        Format::Json => {
            let shown = in_force.map(|(name, given)| {
                let (value, source) = given.cloned().unzip();
                (name.to_owned(), json!({ "value": value, "from": source.map(|source| source.to_string()) }))
            });
            output::json(&Value::Object(shown.collect()))
        }
        Format::Table => {
            let row = |(name, given): (&str, Option<&Given>)| match given {
                Some((value, source)) => [name.into(), value.clone(), source.to_string()],
                None => [name.into(), "-".into(), "not given".into()],
            };
            output::print(&table(["setting", "value", "from"], 3, in_force.map(row).collect()))
        }
    }
}

/// Asks a node.
pub(crate) fn status(ask: &Ask) -> Result<(), Failure> {
    let chain = Node::connect(&ask.url)?.ask("cwe_chain", &[])?;
    match ask.output {
        Format::Json => output::json(&chain),
        Format::Table => {
            let head = &chain["head"];
            let time = head["time"].as_u64().map_or_else(|| text(&head["time"]), |time| utc(time) + " UTC");
            let rows = vec![
                ["chain".to_owned(), text(&chain["chain"])],
                ["genesis".into(), text(&chain["genesis"])],
                ["role".into(), text(&chain["role"])],
                ["sequencer".into(), text(&chain["sequencer"])],
                ["epoch".into(), text(&chain["epoch"])],
                ["last block".into(), text(&head["height"])],
                ["digest".into(), text(&head["digest"])],
                ["time".into(), time],
                ["state root".into(), text(&head["state_root"])],
            ];
            output::print(&facts(&rows))
        }
    }
}

/// Reads what needs no file.
fn check(settings: &Settings) -> Result<(), Failure> {
    settings.listen()?;
    settings.max_connections()?;
    if settings.is_sequencer()? {
        limits(settings)?;
    } else if settings.has("follow") {
        settings.follow()?;
    }
    Ok(())
}

fn config(settings: &Settings) -> Result<Config, Failure> {
    check(settings)?;
    let start = read_start(&settings.path("genesis")?)?;
    let role = if settings.is_sequencer()? {
        let key = keyfile::read(&settings.path("key")?).map_err(NodeFailure::from)?;
        Role::Sequencer { key, limits: limits(settings)? }
    } else {
        Role::Full { follow: settings.follow()? }
    };
    Ok(Config {
        dir: settings.path("dir")?,
        start,
        role,
        listen: settings.listen()?,
        max_connections: settings.max_connections()?,
        patience: Patience::default(),
    })
}

fn limits(settings: &Settings) -> Result<Limits, Failure> {
    let number = "a whole number";
    let limits = Limits {
        interval: settings.parse("block_seconds", number)?,
        heartbeat: settings.parse("heartbeat_seconds", number)?,
        block_transactions: settings.parse("block_transactions", number)?,
        ..Limits::default()
    };
    limits.check().map_err(|error: LimitsError| match setting_of(error.name) {
        Some(name) => Failure::from(settings.outside(name, error.min, error.max)),
        None => RunError::from(error).into(),
    })?;
    Ok(limits)
}

/// The setting behind a limit of the sequencer.
fn setting_of(limit: &str) -> Option<&'static str> {
    let known = [
        ("interval", "block_seconds"),
        ("heartbeat", "heartbeat_seconds"),
        ("block_transactions", "block_transactions"),
    ];
    known.into_iter().find(|(name, _)| *name == limit).map(|(_, setting)| setting)
}

fn read_genesis(path: &Path) -> Result<Genesis, NodeFailure> {
    let failed = |error| NodeFailure::Genesis { path: path.into(), error };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_GENESIS_BYTES).read_to_string(&mut text).map_err(failed)?;
    origin::from_json(&text).map_err(|error| NodeFailure::Origin { path: path.into(), error })
}

/// The ledger before the first block of a chain, from its genesis and what lies beside it.
pub(crate) fn read_start(path: &Path) -> Result<Ledger, NodeFailure> {
    let genesis = read_genesis(path)?;
    let beside = path.with_file_name(SNAPSHOT_FILE);
    let snapshot = match genesis.continues {
        Some(_) => {
            Some(fs::read(&beside).map_err(|error| NodeFailure::Snapshot { path: beside.clone(), error })?)
        }
        None => None,
    };
    origin::start(genesis, snapshot.as_deref()).map_err(|error| NodeFailure::Origin {
        path: if snapshot.is_some() { beside } else { path.into() },
        error,
    })
}

fn say(text: &str) {
    // A closed standard error is no reason to stop a node.
    drop(writeln!(io::stderr(), "{text}"));
}

pub(crate) fn line(notice: &Notice) -> String {
    match notice {
        Notice::Started { listen, head } => {
            format!("listening on {listen}, last block {} ({})", head.height, head.digest)
        }
        Notice::Torn(tail) => {
            let bytes = several(tail.bytes, "byte", "bytes");
            format!("a crash had left {bytes} of a block behind, now cut off")
        }
        Notice::Restored { transactions, height } => {
            let transactions =
                several(*transactions as u64, "confirmed transaction", "confirmed transactions");
            format!("back from the journal: {transactions} of block {height}")
        }
        Notice::Begins { chain } => format!(
            "this begins chain {chain} at block 0: if it has blocks elsewhere, stop and put blocks.log into this --dir, or the \
             same key signs a second chain"
        ),
        Notice::Behind { url, theirs, height } => {
            format!(
                "{url} is at block {theirs}, this node at {height}: it brings nothing until it is further"
            )
        }
        Notice::Block { height, digest, transactions, .. } => {
            format!(
                "block {height}: {}, {digest}",
                several(*transactions as u64, "transaction", "transactions")
            )
        }
        Notice::Unreachable { reason } => format!("waiting: {reason}"),
        Notice::Connected { height } => format!("connected again at block {height}"),
        Notice::ClockBehind { now, last } => format!(
            "the clock says {now}, and the last block is of {last}: blocks have that time until the clock is there"
        ),
        Notice::Early { height, time, now } => {
            format!("block {height} is of {time}, and the clock says {now}: waiting until that time has come")
        }
        Notice::Stale { height, time, now } => {
            format!(
                "block {height} was just made with time {time}, and the clock says {now}: votes and notices end late"
            )
        }
        Notice::Stopped { head } => format!("stopped after block {} ({})", head.height, head.digest),
    }
}

pub(crate) fn object(notice: &Notice) -> Value {
    match notice {
        Notice::Started { listen, head } => {
            json!({ "event": "started", "listen": listen, "height": head.height, "digest": head.digest })
        }
        Notice::Torn(tail) => json!({ "event": "torn", "bytes": tail.bytes }),
        Notice::Restored { transactions, height } => {
            json!({ "event": "restored", "transactions": transactions, "height": height })
        }
        Notice::Block { height, digest, time, transactions } => {
            json!({ "event": "block", "height": height, "digest": digest, "time": time, "transactions": transactions })
        }
        Notice::Begins { chain } => json!({ "event": "begins", "chain": chain }),
        Notice::Behind { url, theirs, height } => {
            json!({ "event": "behind", "url": url, "theirs": theirs, "height": height })
        }
        Notice::Unreachable { reason } => json!({ "event": "unreachable", "reason": reason }),
        Notice::Connected { height } => json!({ "event": "connected", "height": height }),
        Notice::ClockBehind { now, last } => json!({ "event": "clock-behind", "now": now, "last": last }),
        Notice::Early { height, time, now } => {
            json!({ "event": "early", "height": height, "time": time, "now": now })
        }
        Notice::Stale { height, time, now } => {
            json!({ "event": "stale", "height": height, "time": time, "now": now })
        }
        Notice::Stopped { head } => {
            json!({ "event": "stopped", "height": head.height, "digest": head.digest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_one() {
        let block = |transactions| {
            let (height, digest, time) = (3, primitives::Digest([0; 32]), primitives::Time(0));
            line(&Notice::Block { height, digest, time, transactions })
        };
        assert!(block(1).starts_with("block 3: 1 transaction, "), "{}", block(1));
        assert!(block(0).starts_with("block 3: 0 transactions, "), "{}", block(0));
    }

    #[test]
    fn a_genesis_that_is_missing_is_said_with_what_to_do() {
        let missing = read_genesis(Path::new("no/such/file")).expect_err("missing");
        assert!(missing.to_string().contains("cwe node init"), "{missing}");
    }
}
