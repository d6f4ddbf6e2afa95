//! The chain as a party's process reaches it: a full node of its own checks every block, and transactions go to the
//! sequencer that it follows.

use crate::settlement::{Port, SettlementError};
use chain::{
    Ledger, Transaction,
    node::{ClientError, Following, Mirror, NodeClient, Notice, RunError},
};
use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Transactions that wait for the sequencer. One that finds no room is handed in again later, like one that got lost.
const MAX_WAITING: usize = 1024;

/// A way to a chain that is elsewhere.
pub struct Remote {
    mirror: Arc<Mirror>,
    outbox: Option<SyncSender<Transaction>>,
    thread: Option<JoinHandle<()>>,
}

impl Remote {
    /// Opens the node's files and begins to follow.
    ///
    /// # Errors
    /// Those of [`Mirror::start`].
    pub fn start(following: Following, notice: impl Fn(Notice) + Send + 'static) -> Result<Self, RunError> {
        let mirror = Arc::new(Mirror::start(following, notice)?);
        let (outbox, inbox) = sync_channel::<Transaction>(MAX_WAITING);
        let of = mirror.clone();
        let bring = move || {
            let mut client = None;
            for transaction in inbox {
                bring(&of, &mut client, &transaction);
            }
        };
        let thread =
            thread::Builder::new().name("to-chain".into()).spawn(bring).map_err(RunError::Runtime)?;
        Ok(Self { mirror, outbox: Some(outbox), thread: Some(thread) })
    }

    /// The node.
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Ends both.
    ///
    /// # Errors
    /// Why the node stopped by itself, if it had.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.outbox = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            drop(thread.join());
        }
        match Arc::try_unwrap(self.mirror) {
            Ok(mirror) => mirror.stop(),
            // Somebody still looks at it; it ends with them.
            Err(_) => Ok(()),
        }
    }
}

/// Brings one transaction. Whoever handed it in sees on the chain whether it came through.
fn bring(mirror: &Mirror, client: &mut Option<NodeClient>, transaction: &Transaction) {
    if client.as_ref().is_none_or(|client| !client.is_connected()) {
        *client = match mirror.connect() {
            Ok(client) => Some(client),
            Err(error) => return tracing::debug!(%error, "the sequencer cannot be reached"),
        };
    }
    let Some(connected) = client else { return };
    match connected.submit(transaction) {
        Ok(_) => {}
        Err(error @ ClientError::Refused { .. }) => {
            tracing::debug!(%error, "the sequencer refuses a transaction")
        }
        Err(error) => {
            tracing::warn!(%error, "a transaction did not reach the sequencer");
            *client = None;
        }
    }
}

impl super::report::Node for Remote {
    fn head(&self) -> (u64, u64) {
        let head = self.mirror.head();
        (head.height, head.time.0)
    }

    fn has_stopped(&self) -> bool {
        self.mirror.has_stopped()
    }
}

impl Port for Remote {
    fn look(&self, with: &mut dyn FnMut(&Ledger)) {
        self.mirror.read(|ledger| with(ledger));
    }

    fn submit(&self, transaction: &Transaction) -> Result<(), SettlementError> {
        let Some(outbox) = &self.outbox else { return Ok(()) };
        match outbox.try_send(transaction.clone()) {
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(SettlementError::Record("the node has stopped")),
        }
    }
}
