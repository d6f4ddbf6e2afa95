//! Those who hold an office, on a host of their own: they see through a full node of theirs what is due, and wait until
//! what they ask for is on the chain.
//!
//! `steward/registration.rs` is what has to be on record before the first epoch, `steward/service.rs` one epoch after the
//! other. Nothing is kept but the chain: whoever is killed and started again goes on with what is due on it.

mod registration;
mod service;

pub use registration::{MemberFile, Operator, Registration, admitted};
pub use service::{Service, ServiceError, Source, Terms, Told};

use crate::settlement::{Offices, Plan, Port, SettlementError, read};
use chain::{
    Ledger, Transaction,
    node::{ClientError, Mirror, NodeClient},
};
use primitives::EpochId;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often they look whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a transaction may take to be on the chain, and the chain to be here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A way to a chain that is elsewhere, on which every transaction is waited for.
pub struct Awaited {
    mirror: Arc<Mirror>,
    client: Mutex<Option<NodeClient>>,
}

impl Awaited {
    /// By this node, and to the one that it follows.
    pub fn new(mirror: Arc<Mirror>) -> Self {
        Self { mirror, client: Mutex::new(None) }
    }

    fn ask<T>(&self, ask: impl FnOnce(&NodeClient) -> Result<T, ClientError>) -> Result<T, ClientError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let connected = match client.take().filter(NodeClient::is_connected) {
            Some(connected) => connected,
            None => self.mirror.connect()?,
        };
        let answer = ask(&connected);
        *client = Some(connected);
        answer
    }
}

impl Port for Awaited {
    fn look(&self, with: &mut dyn FnMut(&Ledger)) {
        self.mirror.read(|ledger| with(ledger));
    }

    fn submit(&self, transaction: &Transaction) -> Result<(), SettlementError> {
        self.ask(|client| client.submit(transaction))?;
        let (id, begun) = (transaction.id(), Instant::now());
        while begun.elapsed() < PATIENCE {
            let status = self.ask(|client| client.call("cwe_transaction", &[json!(id)]))?;
            let height = (status["status"] == "in-block").then(|| status["height"].as_u64()).flatten();
            if height.is_some_and(|height| height <= self.mirror.head().height) {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        Err(SettlementError::Record("a transaction that was confirmed is not on the chain in time"))
    }
}

/// Has the offices do what is due in an epoch, until it is over or `stop` is set. Whether it is over. What they are to do
/// follows from the ledger each time that they look. A third party that reveals nothing for the beacon is waited for that
/// long and no longer.
///
/// # Errors
/// If the ledger refuses something that was due.
pub fn serve(
    port: &dyn Port,
    offices: &mut Offices,
    plan: &dyn Fn(&Ledger) -> Plan,
    (epoch, patience): (EpochId, Duration),
    stop: &AtomicBool,
) -> Result<bool, SettlementError> {
    let mut two_since = None;
    while !stop.load(Ordering::Relaxed) {
        let (revealed, over) = read(port, |ledger| {
            offices.plan = plan(ledger);
            let state = ledger.state();
            let revealed = state.contributions(epoch).filter(|beacon| beacon.value.is_some()).count();
            (revealed, state.epochs.get(&epoch).is_some_and(|on_record| on_record.is_over()))
        });
        if over {
            return Ok(true);
        }
        if revealed >= 2 {
            two_since.get_or_insert_with(Instant::now);
        }
        let hurry = two_since.is_some_and(|since| since.elapsed() > patience);
        match offices.act(port, hurry) {
            Ok(_) => {}
            // The sequencer is away: it is asked again.
            Err(SettlementError::Away(error)) if matches!(*error, ClientError::Unreachable { .. }) => {}
            Err(error) => return Err(error),
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(false)
}
