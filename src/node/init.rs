//! `cwe node init`: a chain for development.

use super::NodeFailure;
use crate::{
    cli::{Format, Init},
    output::{self, Failure, facts},
};
use chain::{
    Genesis,
    ledger::Authority,
    modules::identity::Roles,
    node::origin,
    signature::SecretKey,
    wallet::keyfile::{self, KeyFileError},
};
use primitives::{ChainId, Domain, EpochId, PersonId, Preset, hash};
use rand_core::{CryptoRng, OsRng, RngCore};
use serde_json::json;
use std::{fs, path::Path};

/// Name of the genesis in the folder.
const GENESIS_FILE: &str = "genesis.json";
/// Name of the settings.
const SETTINGS_FILE: &str = "node.toml";
/// Name of the folder of keys.
const KEYS_DIR: &str = "keys";

/// Who is on record from the start in a chain for development: every office, held by somebody of its own, a creator and
/// a voter. Of those that decide together there are as many as the rules ask for, so that every decision can be reached, and
/// one seat of the council is vacant, so that it can be elected.
const OFFICES: [(&str, Roles); 14] = [
    ("registrar", Roles::REGISTRAR),
    ("steward", Roles::STEWARD),
    ("treasurer", Roles::TREASURER),
    ("sequencer", Roles::SEQUENCER),
    ("auditor-1", Roles::AUDITOR),
    ("auditor-2", Roles::AUDITOR),
    ("oracle-1", Roles::ORACLE),
    ("oracle-2", Roles::ORACLE),
    ("councillor-1", Roles::COUNCILLOR),
    ("councillor-2", Roles::COUNCILLOR),
    ("councillor-3", Roles::COUNCILLOR),
    ("councillor-4", Roles::COUNCILLOR),
    ("creator", Roles::CREATOR.with(Roles::VOTER)),
    ("voter", Roles::VOTER),
];

const SETTINGS: &str = r#"# Settings of a node. Every line can be overridden by CWE_NODE_NAME in the environment, and by a flag of
# `cwe node run`. Paths are relative to this file.

# sequencer: orders transactions into blocks. full: follows a sequencer's node and checks every block.
role = "sequencer"

# The node's own files: blocks, index, journal. They can be deleted on a full node, which then starts over.
dir = "data"

# Where the chain begins. Every node of the chain has the same file.
genesis = "genesis.json"

# The sequencer's key, which no one else may read.
key = "keys/sequencer.key"

# Where JSON-RPC is answered, over HTTP and WebSocket. It has no passwords: keep it on this machine, or put a
# proxy in front.
listen = "127.0.0.1:4300"

# The node that a full node follows.
# follow = "ws://127.0.0.1:4300"

# Seconds from the first transaction of a block to its end, 1 to 60.
block_seconds = 2

# Seconds after which a block without transactions is made, 1 to 3600: the ledger's time is that of its blocks.
heartbeat_seconds = 60

# Transactions with which a block is full, 1 to 65536.
block_transactions = 4096

# Most connections at once.
max_connections = 256
"#;

/// An office's name, and a key.
type Named = (&'static str, SecretKey);

/// Every office with a fresh key, and how it stands in the genesis.
pub(crate) fn offices(rng: &mut (impl RngCore + CryptoRng)) -> Vec<(Named, Authority)> {
    let mut office = |(name, roles): (&'static str, Roles)| {
        let key = SecretKey::generate(rng);
        let public = key.public_key();
        let person = PersonId(hash::hash(Domain::Credential, &[name.as_bytes(), public.as_bytes()]).0);
        ((name, key), Authority { person, key: public, roles })
    };
    OFFICES.into_iter().map(&mut office).collect()
}

/// The number of a chain: one that was asked for, or one that is drawn. Numbers of chains stand in JSON, whose readers often
/// keep 53 bits. None has the number zero.
pub(crate) fn chain_number(asked: Option<u64>, rng: &mut (impl RngCore + CryptoRng)) -> ChainId {
    ChainId(asked.unwrap_or_else(|| u64::from(rng.next_u32().max(1))))
}

/// Makes the folder.
pub(crate) fn init(arguments: &Init) -> Result<(), Failure> {
    let dir = &arguments.dir;
    let failed = |path: &Path, error: std::io::Error| NodeFailure::Write { path: path.into(), error };
    for name in [GENESIS_FILE, SETTINGS_FILE, KEYS_DIR] {
        let path = dir.join(name);
        if path.exists() {
            return Err(NodeFailure::Occupied { path }.into());
        }
    }
    let keys = dir.join(KEYS_DIR);
    fs::create_dir_all(&keys).map_err(|error| NodeFailure::Uncreatable { path: dir.clone(), error })?;
    let mut offices = Vec::new();
    for ((name, key), office) in self::offices(&mut OsRng) {
        keyfile::write(&keys.join(format!("{name}.key")), &key).map_err(|error| match error {
            KeyFileError::File { path, error } => NodeFailure::Write { path, error },
            other => other.into(),
        })?;
        offices.push(office);
    }
    let chain = chain_number(arguments.chain, &mut OsRng);
    let mut genesis = Genesis::new(chain, EpochId(1), Preset::Spec.params(), offices);
    genesis.time = chain::node::now();
    for (name, text) in [(GENESIS_FILE, origin::to_json(&genesis)), (SETTINGS_FILE, SETTINGS.to_owned())] {
        let path = dir.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    match arguments.output {
        Format::Json => {
            let offices = OFFICES.iter().zip(&genesis.offices).map(
                |((name, _), office)| json!({ "office": name, "person": office.person, "key": office.key }),
            );
            output::json(&json!({
                "chain": chain,
                "genesis": genesis.digest(),
                "dir": dir,
                "offices": offices.collect::<Vec<_>>(),
            }))
        }
        Format::Table => {
            let rows = OFFICES.iter().zip(&genesis.offices);
            let rows = rows.map(|((name, _), office)| [(*name).to_owned(), office.person.to_string()]);
            let (settings, digest) = (dir.join(SETTINGS_FILE), genesis.digest());
            let settings = settings.display();
            output::print(&format!(
                "Chain {chain}, genesis\n{digest}\n\n{}\nKeys in {}. Next:\n  cwe node run --config {settings}\n",
                facts(&rows.collect::<Vec<_>>()),
                keys.display(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::modules::governance::{Rules, Say};

    /// A chain on which no veto and no attestation can be reached shows nothing of them.
    #[test]
    fn there_are_as_many_of_each_office_as_decisions_take() {
        let count = |role| OFFICES.iter().filter(|(_, roles)| roles.has(role)).count();
        let rules = Rules::default();
        let council = count(Roles::COUNCILLOR);
        assert!(council < usize::from(rules.governance.council_seats), "an election can be called");
        for say in [Say::Approve, Say::Veto] {
            assert!(council as u64 >= rules.governance.needed(say, council), "{say:?}");
        }
        assert!(count(Roles::AUDITOR) >= usize::from(rules.treasury.auditors));
        assert!(count(Roles::ORACLE) >= usize::from(rules.eco.oracles));
    }
}
