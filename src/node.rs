//! `cwe node`.

mod init;
mod settings;

pub(crate) use init::init;
pub(crate) use settings::SettingsError;

use crate::{
    account::{Node, text},
    cli::{Ask, Format, Run},
    output::{self, Failure, facts, table},
};
use chain::{
    Genesis,
    node::{
        Config, Fork, NodeError, Notice, Role, RunError,
        origin::{self, MAX_GENESIS_BYTES, OriginError},
        rpc::Patience,
    },
    sequencer::{Limits, LimitsError},
    wallet::keyfile::{self, KeyFileError},
};
use primitives::calendar::utc;
use serde_json::{Value, json};
use settings::Settings;
use sim::report::several;
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};
use thiserror::Error;

/// Set by an interrupt.
static STOP: AtomicBool = AtomicBool::new(false);

/// Why a node does not run, or stopped.
#[derive(Debug, Error)]
pub(crate) enum NodeFailure {
    /// A setting.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file is there already.
    #[error("{path} is there already: give another folder, or move it away", path = .path.display())]
    Occupied { path: PathBuf },
    /// A file cannot be written.
    #[error("{path}: cannot be written: {error}", path = .path.display())]
    Write { path: PathBuf, error: io::Error },
    /// The genesis cannot be read.
    #[error("{path}: cannot be read: {error}: `cwe node init DIR` makes one", path = .path.display())]
    Genesis { path: PathBuf, error: io::Error },
    /// The genesis is none.
    #[error("{path}: {error}", path = .path.display())]
    Origin { path: PathBuf, error: OriginError },
    /// The node stopped.
    #[error(transparent)]
    Run(#[from] Box<RunError>),
    /// A key cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl NodeFailure {
    /// The exit code: 4 for a block that breaks a rule.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Settings(_)
            | Self::Occupied { .. }
            | Self::Genesis { .. }
            | Self::Origin { .. }
            | Self::Key(_) => 2,
            Self::Write { .. } => 3,
            Self::Run(error) => match error.as_ref() {
                RunError::Block { .. } => 4,
                RunError::Node(error) => match error.as_ref() {
                    NodeError::Block(_) | NodeError::Replay(_) => 4,
                    _ => 3,
                },
                RunError::Limits(_)
                | RunError::NotASequencer { .. }
                | RunError::OtherChain { .. }
                | RunError::Serve(_)
                | RunError::Client(_) => 2,
                _ => 3,
            },
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<String> {
        let Self::Run(error) = self else { return None };
        match error.as_ref() {
            RunError::Block { fork: Some(Fork { signer, kept }), .. } => {
                let kept = match kept {
                    Ok(path) => format!("both are in {}", path.display()),
                    Err(error) => format!("they could not be written down: {error}"),
                };
                Some(match signer {
                    Some(person) => format!(
                        "{person} signed two blocks of one height ({kept}): show them to the other nodes and to governance"
                    ),
                    None => format!(
                        "there are two blocks of one height ({kept}), not both signed under the key on record now: show them \
                         to the other nodes and to governance"
                    ),
                })
            }
            RunError::Block { .. } => Some(
                "nothing of it was taken: check this machine's clock and version, ask another node for the block, and tell \
                 whoever runs the sequencer"
                    .into(),
            ),
            RunError::Node(error) => match error.as_ref() {
                NodeError::Block(_) | NodeError::Replay(_) => Some(
                    "the files are of another genesis or another version, or were changed: a full node starts over in an \
                     empty --dir"
                        .into(),
                ),
                _ => None,
            },
            RunError::NotASequencer { .. } => Some(
                "give the key that the ledger has on record for a person who is active as sequencer: the new one after a \
                 change of keys, and any only once its block is in this --dir; or --role full"
                    .into(),
            ),
            RunError::OtherChain { .. } => Some("give the genesis of that chain, or another --follow".into()),
            _ => None,
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        NodeFailure::Run(Box::new(error)).into()
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        NodeFailure::Settings(error).into()
    }
}

/// Runs a node.
pub(crate) fn run(arguments: &Run) -> Result<(), Failure> {
    let config = config(&Settings::read(arguments)?)?;
    if !config.listen.ip().is_loopback() {
        say(&format!("{}: others can reach this node, and JSON-RPC has no passwords", config.listen));
    }
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))?;
    let (json, quiet) = (arguments.output == Format::Json, arguments.quiet);
    let tell = move |notice: Notice| {
        if !(quiet && matches!(notice, Notice::Block { .. })) {
            if json { drop(output::print(&format!("{}\n", object(&notice)))) } else { say(&line(&notice)) }
        }
    };
    chain::node::run(config, &STOP, &tell)?;
    if !json {
        say("stopped");
    }
    Ok(())
}

/// Shows settings and their sources.
pub(crate) fn config_table(arguments: &Run) -> Result<(), Failure> {
    let settings = Settings::read(arguments)?;
    match arguments.output {
        Format::Json => {
            let all = settings.all().map(|(name, value, source)| {
                (name.to_owned(), json!({ "value": value, "from": source.to_string() }))
            });
            output::json(&Value::Object(all.collect()))
        }
        Format::Table => {
            let rows =
                settings.all().map(|(name, value, source)| [name.into(), value.into(), source.to_string()]);
            output::print(&table(["setting", "value", "from"], 3, rows.collect()))
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

fn config(settings: &Settings) -> Result<Config, Failure> {
    let path = settings.path("genesis")?;
    let genesis = read_genesis(&path)?;
    let number = "a whole number";
    let role = if settings.is_sequencer()? {
        let key = keyfile::read(&settings.path("key")?).map_err(NodeFailure::from)?;
        let limits = Limits {
            interval: settings.parse("block_seconds", number)?,
            heartbeat: settings.parse("heartbeat_seconds", number)?,
            block_transactions: settings.parse("block_transactions", number)?,
            ..Limits::default()
        };
        limits.check().map_err(|error: LimitsError| RunError::from(error))?;
        Role::Sequencer { key, limits }
    } else {
        Role::Full { follow: settings.follow()? }
    };
    Ok(Config {
        dir: settings.path("dir")?,
        genesis,
        role,
        listen: settings.listen()?,
        max_connections: settings.parse("max_connections", number)?,
        patience: Patience::default(),
    })
}

fn read_genesis(path: &Path) -> Result<Genesis, NodeFailure> {
    let failed = |error| NodeFailure::Genesis { path: path.into(), error };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_GENESIS_BYTES).read_to_string(&mut text).map_err(failed)?;
    origin::from_json(&text).map_err(|error| NodeFailure::Origin { path: path.into(), error })
}

fn say(text: &str) {
    // A closed standard error is no reason to stop a node.
    drop(writeln!(io::stderr(), "{text}"));
}

fn line(notice: &Notice) -> String {
    match notice {
        Notice::Started { listen, head } => {
            format!("listening on {listen}, last block {} ({})", head.height, head.digest)
        }
        Notice::Torn(tail) => {
            format!("a crash had left {} bytes of a block behind, which were cut off", tail.bytes)
        }
        Notice::Restored { transactions, height } => {
            let them = several(*transactions as u64, "confirmed transaction", "confirmed transactions");
            format!("back from the journal for block {height}: {them}")
        }
        Notice::Block { height, digest, transactions, .. } => {
            let them = several(*transactions as u64, "transaction", "transactions");
            format!("block {height}: {them}, {digest}")
        }
        Notice::Unreachable { reason } => format!("waiting: {reason}"),
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
    }
}

fn object(notice: &Notice) -> Value {
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
        Notice::Unreachable { reason } => json!({ "event": "unreachable", "reason": reason }),
        Notice::ClockBehind { now, last } => json!({ "event": "clock-behind", "now": now, "last": last }),
        Notice::Early { height, time, now } => {
            json!({ "event": "early", "height": height, "time": time, "now": now })
        }
        Notice::Stale { height, time, now } => {
            json!({ "event": "stale", "height": height, "time": time, "now": now })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_block_has_an_exit_code_of_its_own() {
        let wrong = RunError::Block {
            url: "ws://x".into(),
            height: 3,
            error: Box::new(chain::sequencer::BlockError::NoSeal { height: 3 }),
            fork: None,
        };
        let failure = NodeFailure::Run(Box::new(wrong));
        assert_eq!(failure.code(), 4);
        assert!(failure.advice().is_some_and(|advice| advice.contains("clock")));
        assert_eq!(NodeFailure::Occupied { path: "x".into() }.code(), 2);
    }

    #[test]
    fn a_genesis_that_is_missing_is_said_with_what_to_do() {
        let missing = read_genesis(Path::new("no/such/file")).expect_err("missing");
        assert!(missing.to_string().contains("cwe node init"), "{missing}");
    }
}
