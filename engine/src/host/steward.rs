//! Those who hold an office, on a host of their own: they see through a full node of theirs what is due, and wait until
//! what they ask for is on the chain.
//!
//! `steward/registration.rs` is what has to be on record before the first epoch, `steward/service.rs` one epoch after the
//! other, `steward/overdue.rs` when one has come to a halt. Nothing is kept but the chain: whoever is killed and started again goes on with what is due on it.

mod overdue;
mod registration;
mod service;
mod terms;

pub use registration::{MemberFile, Operator, Registration, admitted};
pub use service::Service;
pub use terms::{ServiceError, Source, Terms, Times, Told};

use super::in_hand;
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

/// Has the offices do what is due in the epochs in hand, until `stop` is set. What they are to do follows from the ledger each
/// time that they look; an epoch without a plan is left alone. A third party that reveals nothing for the beacon is waited for
/// as long as `patience`.
///
/// # Errors
/// If the ledger refuses something that was due.
pub fn serve(
    port: &dyn Port,
    offices: &mut Offices,
    plan: &dyn Fn(&Ledger, EpochId) -> Option<Plan>,
    patience: Duration,
    stop: &AtomicBool,
) -> Result<(), SettlementError> {
    let mut hurries = Hurries::new(patience);
    while !stop.load(Ordering::Relaxed) {
        for epoch in read(port, in_hand) {
            if let Some(plan) = read(port, |ledger| plan(ledger, epoch)) {
                offices.plan = plan;
                attend(port, offices, &mut hurries).or_else(|error| match is_away(&error) {
                    true => Ok(()),
                    false => Err(error),
                })?;
            }
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Has the offices do what is due by their plan, if anything is.
fn attend(port: &dyn Port, offices: &mut Offices, hurries: &mut Hurries) -> Result<(), SettlementError> {
    let hurry = hurries.hurry(port, offices.plan.epoch);
    offices.act(port, hurry).map(drop)
}

/// Whether nobody answers where the sequencer is: it is asked again.
fn is_away(error: &SettlementError) -> bool {
    matches!(error, SettlementError::Away(error) if matches!(**error, ClientError::Unreachable { .. }))
}

/// For how long the third party's part of a beacon is waited for.
struct Hurries {
    patience: Duration,
    /// Since when two have revealed theirs, for the last epoch of which anybody asked.
    two_since: Option<(EpochId, Instant)>,
}

impl Hurries {
    fn new(patience: Duration) -> Self {
        Self { patience, two_since: None }
    }

    /// Whether an epoch is not to wait any longer.
    fn hurry(&mut self, port: &dyn Port, epoch: EpochId) -> bool {
        let reveals = |ledger: &Ledger| {
            let contributions = ledger.state().contributions(epoch);
            contributions.filter(|beacon| beacon.value.is_some()).count()
        };
        if read(port, |ledger| ledger.state().openings.get(&epoch).is_some() || reveals(ledger) < 2) {
            return false;
        }
        if self.two_since.is_none_or(|(of, _)| of != epoch) {
            self.two_since = Some((epoch, Instant::now()));
        }
        self.two_since.is_some_and(|(_, since)| since.elapsed() > self.patience)
    }
}
