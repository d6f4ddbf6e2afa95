//! `cwe node export`: the state of a stopped node as the genesis of another chain.

use super::{NodeFailure, read_start, settings::Settings};
use crate::{
    cli::{Export, Format, NodeSettings},
    output::{self, Failure, facts},
};
use chain::{
    node::{
        Journal, RunError, Store,
        origin::{self, SNAPSHOT_FILE},
    },
    poseidon::wire,
};
use primitives::ChainId;
use rand_core::{OsRng, RngCore};
use serde_json::json;
use std::fs;

/// Name of the genesis in the folder.
const GENESIS_FILE: &str = "genesis.json";

/// Writes genesis and snapshot.
pub(crate) fn export(arguments: &Export) -> Result<(), Failure> {
    let Export { out, config, dir, genesis, .. } = arguments;
    let (config, dir, genesis) = (config.clone(), dir.clone(), genesis.clone());
    let settings = Settings::read(&NodeSettings { config, dir, genesis, ..NodeSettings::default() })?;
    let (dir, start) = (settings.path("dir")?, read_start(&settings.path("genesis")?)?);
    if !dir.is_dir() {
        return Err(NodeFailure::NoNode { path: dir }.into());
    }
    let files = [GENESIS_FILE, SNAPSHOT_FILE].map(|name| out.join(name));
    if let Some(path) = files.iter().find(|path| path.exists()) {
        return Err(NodeFailure::Occupied { path: path.clone() }.into());
    }
    let unopened = |error| RunError::Open { dir: dir.clone(), error: Box::new(error) };
    // It is held until both files are there: the node does not go on meanwhile.
    let (_store, mut before) = Store::open_sealed(&dir, start).map_err(unopened)?;
    if Journal::is_there(&dir) {
        let (_, confirmed) = Journal::open(&dir, before.height()).map_err(|error| unopened(error.into()))?;
        if !confirmed.is_empty() {
            return Err(NodeFailure::Confirmed { count: confirmed.len() }.into());
        }
    }
    let chain = ChainId(arguments.chain.unwrap_or_else(|| u64::from(OsRng.next_u32().max(1))));
    let next = before.continuation(chain).map_err(NodeFailure::from)?;
    let snapshot = before.snapshot().expect("no block is in hand");
    let texts = [origin::to_json(&next).into_bytes(), snapshot];
    fs::create_dir_all(out).map_err(|error| NodeFailure::Uncreatable { path: out.clone(), error })?;
    for (path, bytes) in files.iter().zip(texts) {
        fs::write(path, bytes).map_err(|error| NodeFailure::Write { path: path.clone(), error })?;
    }
    // From the files, as every node of the chain reads them.
    let root = wire::to_hex(&read_start(&files[0])?.state_root());
    let (from, height, digest) = (before.origin().chain, before.height(), next.digest());
    debug_assert_eq!(root, wire::to_hex(&before.state_root()), "the same state");
    match arguments.output {
        Format::Json => output::json(&json!({
            "chain": chain,
            "genesis": digest,
            "state_root": root,
            "from": { "chain": from, "height": height, "digest": before.head() },
            "out": out,
        })),
        Format::Table => {
            let rows = [
                ["chain", &chain.to_string()],
                ["genesis", &digest.to_string()],
                ["state root", &root],
                ["goes on from", &format!("chain {from}, block {height}")],
            ];
            let genesis = files[0].display();
            output::print(&format!(
                "{}\nNext, on every node of the new chain:\n  cwe node run --genesis {genesis} --dir DIR ...\n",
                facts(&rows.map(|row| row.map(String::from))),
            ))
        }
    }
}
