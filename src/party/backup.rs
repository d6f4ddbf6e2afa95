//! `cwe party backup` and `cwe party restore`.
//!
//! A copy has the shares that are carried over, and no votes: a party that went on from old votes could sign a second
//! header for a turn. So a restored party sits out the epoch in hand, and nobody can make it do otherwise.

use super::settings::{PartyError, Settings};
use crate::{
    account::Node,
    cli::{Format, PartyBackup, PartyRestore},
    files::FileError,
    output::{self, Failure, facts},
};
use engine::{
    host::Setup,
    store::{Owner, Store, restore as restore_store},
};
use primitives::EpochId;
use serde_json::json;
use sim::report::several;
use std::path::{Path, PathBuf};

/// Where a party has its store, in its folder.
const STORE: &str = "store";

fn owner(setup: &Setup) -> Owner {
    let origin = setup.start.origin();
    Owner { chain: origin.chain, genesis: origin.digest() }
}

/// An absolute path, whether or not there is something.
fn whole(path: &Path) -> Result<PathBuf, PartyError> {
    std::path::absolute(path).map_err(|error| FileError::Unreadable { path: path.into(), error }.into())
}

/// Copies what nobody else can give back into an empty folder.
pub(crate) fn backup(arguments: &PartyBackup) -> Result<(), Failure> {
    let setup = Settings::read(&arguments.config)?.setup()?;
    let (dir, to) = (whole(&setup.dir)?, whole(&arguments.to)?);
    if to.starts_with(&dir) {
        let what = format!(
            "{}: lies in the party's own folder, and would be lost with it: name another disk",
            to.display()
        );
        return Err(PartyError::Dangerous(what).into());
    }
    let from = dir.join(STORE);
    if !from.is_dir() {
        let what = format!("{}: there is no store to copy: look at `dir` in the settings", from.display());
        return Err(PartyError::Dangerous(what).into());
    }
    let (store, recovered) = Store::open(&from, owner(&setup)).map_err(PartyError::from)?;
    store.backup_to(&to).map_err(PartyError::from)?;
    let epoch = recovered.in_hand().map(|(epoch, _)| epoch);
    let shards = recovered.carried.len();
    match arguments.output {
        Format::Json => output::json(&json!({ "copy": to, "epoch": epoch, "shards_carried_over": shards })),
        Format::Table => {
            let rows = [
                ["copy".to_owned(), to.display().to_string()],
                ["epoch in hand".into(), epoch.map_or("none".into(), |epoch| epoch.to_string())],
                ["carried over".into(), format!("shares of {}", several(shards as u64, "shard", "shards"))],
                ["keep it".into(), "as secret as the store, and never beside another party's".into()],
            ];
            output::print(&facts(&rows))
        }
    }
}

/// The epoch that the chain has open, or opens next.
fn in_hand(url: &str) -> Result<EpochId, PartyError> {
    let ask = || {
        let node = Node::connect(url)?;
        let running = node.epoch()?;
        let over = match node.find("cwe_epoch", &[json!(running)])? {
            Some(epoch) => ["finalised", "abandoned"].iter().any(|phase| epoch["phase"] == *phase),
            None => false,
        };
        if over { node.next_epoch() } else { Ok(running) }
    };
    ask().map_err(|error| PartyError::NoChain(error.to_string()))
}

/// Makes a store of a copy, which sits out the epoch in hand.
pub(crate) fn restore(arguments: &PartyRestore) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config)?;
    let through = match arguments.through {
        Some(through) => EpochId(through),
        None => in_hand(&settings.node)?,
    };
    let setup = settings.setup()?;
    let to = whole(&setup.dir)?.join(STORE);
    restore_store(&arguments.from, &to, owner(&setup), through).map_err(PartyError::from)?;
    // What the copy knows of may be later than what was said.
    let (_, recovered) = Store::open(&to, owner(&setup)).map_err(PartyError::from)?;
    let silent = recovered.silent.unwrap_or(through);
    match arguments.output {
        Format::Json => output::json(&json!({ "store": to, "sits_out_through": silent })),
        Format::Table => {
            let rows = [
                ["store".to_owned(), to.display().to_string()],
                [
                    "sits out".into(),
                    format!("all epochs up to {silent}: it may have signed in them what it no longer knows"),
                ],
                ["next".into(), "start the party: it takes part from the next epoch on".into()],
            ];
            output::print(&facts(&rows))
        }
    }
}
