//! The world, put on record over JSON-RPC.

use super::HostsError;
use crate::{
    progress::Progress,
    workload::Workload,
    world::{Registry, World, WorldError},
};
use chain::{
    Transaction,
    node::{ClientError, Mirror, NodeClient, wait_until},
};
use primitives::PersonId;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long what was confirmed may take to be in a block, and here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node that is asked.
struct Asked {
    client: NodeClient,
    mirror: Arc<Mirror>,
    nonces: BTreeMap<PersonId, u64>,
}

impl Registry for Asked {
    fn nonce(&mut self, person: &PersonId) -> u64 {
        let on_record = self.mirror.read(|ledger| ledger.nonce(person)).unwrap_or(0);
        let next = self.nonces.entry(*person).or_insert(on_record);
        *next += 1;
        *next - 1
    }

    fn submit(&mut self, transaction: &Transaction, what: &dyn Fn() -> String) -> Result<(), WorldError> {
        let refused = |error| WorldError::Away { what: what(), error: Box::new(error) };
        self.client.submit(transaction).map(|_| ()).map_err(refused)
    }

    fn end_block(&mut self) -> Result<(), WorldError> {
        let expected = self.nonces.clone();
        let in_blocks = |ledger: &chain::Ledger| {
            expected.iter().all(|(person, next)| ledger.nonce(person) == Some(*next))
        };
        match wait_until(&self.mirror, PATIENCE, in_blocks) {
            true => Ok(()),
            false => {
                let head = self.client.call("cwe_head", &[]).unwrap_or(json!(null));
                let reason = format!("what was confirmed is in no block after a minute: {head}");
                let (what, url, method) = ("all of it".into(), String::new(), "cwe_submit".into());
                let error = Box::new(ClientError::Answer { url, method, reason });
                Err(WorldError::Away { what, error })
            }
        }
    }
}

/// Puts the keys of the epoch on record that the world has gone on to.
pub(super) fn publish(
    world: &World,
    mirror: &Arc<Mirror>,
    progress: &dyn Progress,
) -> Result<(), HostsError> {
    Ok(world.publish_keys(&mut asked(mirror)?, progress)?)
}

fn asked(mirror: &Arc<Mirror>) -> Result<Asked, WorldError> {
    let away = |error| WorldError::Away { what: "the world".into(), error: Box::new(error) };
    Ok(Asked { client: mirror.connect().map_err(away)?, mirror: mirror.clone(), nonces: BTreeMap::new() })
}

/// Puts the world on record, and the keys of its first epoch.
pub(super) fn register(
    world: &World,
    workload: &Workload,
    mirror: &Arc<Mirror>,
    progress: &dyn Progress,
) -> Result<(), HostsError> {
    Ok(world.register(workload, &mut asked(mirror)?, progress)?)
}
