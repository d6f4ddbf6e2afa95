//! A full node inside another program: it follows a sequencer's node, checks every block and keeps it, and shows the ledger
//! to its owner. It answers nobody else.

use super::{
    ClientError, NodeClient, Notice, RunError, Store,
    client::check_url,
    follower::Follower,
    shared::{Head, Shared},
};
use crate::{Ledger, Transaction};
use primitives::{Digest, Encode, ids};
use serde_json::json;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What such a node follows, and from where on.
#[derive(Clone)]
pub struct Following {
    /// Its files.
    pub dir: PathBuf,
    /// The ledger before the first block: at a genesis, or where another chain ended.
    pub start: Ledger,
    /// Address of the node that it follows, and to which transactions go.
    pub url: String,
}

/// A full node for one owner.
pub struct Mirror {
    shared: Arc<Shared>,
    url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Mirror {
    /// Opens its files and begins to follow. What it has to say goes to `notice`, on its own thread.
    ///
    /// # Errors
    /// [`RunError::Open`] if its files cannot be opened, [`RunError::Client`] if the address is none.
    pub fn start(following: Following, notice: impl Fn(Notice) + Send + 'static) -> Result<Self, RunError> {
        let Following { dir, start, url } = following;
        check_url(&url)?;
        let (store, ledger) = Store::open_sealed(&dir, start)
            .map_err(|error| RunError::Open { dir: dir.clone(), error: Box::new(error) })?;
        if let Some(torn) = store.torn() {
            notice(Notice::Torn(torn));
        }
        let shared = Shared::new(ledger.clone(), store.archive());
        // Nobody can follow it, so it cannot follow itself.
        let instance = Digest::default();
        let follower = Follower::new(ledger, store, shared.clone(), (url.clone(), instance), dir);
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = thread::Builder::new().name("chain".into()).spawn(move || follower.run(&told, &notice));
        let thread = Some(thread.map_err(RunError::Runtime)?);
        Ok(Self { shared, url, stop, thread })
    }

    /// Reads the ledger after the last block.
    pub fn read<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        self.shared.view().read(read)
    }

    /// The last block.
    pub fn head(&self) -> Head {
        self.shared.view().head
    }

    /// Whether it has stopped by itself: a block was wrong, or its files failed. [`Self::stop`] says why.
    pub fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// A connection to the node that is followed, for transactions.
    ///
    /// # Errors
    /// Those of [`NodeClient::connect`].
    pub fn connect(&self) -> Result<NodeClient, ClientError> {
        NodeClient::connect(&self.url)
    }

    /// Waits until the last block that the node has now is here, and says whether it is: by then all is here that was in a
    /// block before.
    ///
    /// # Errors
    /// Those of [`NodeClient::call`], if the node cannot be asked for its last block.
    pub fn catch_up(&self, patience: Duration) -> Result<bool, ClientError> {
        let head = self.connect()?.call("cwe_head", &[])?;
        let height = head["height"].as_u64().ok_or_else(|| ClientError::Answer {
            url: self.url.clone(),
            method: "cwe_head".into(),
            reason: "it names no height".into(),
        })?;
        Ok(wait_until(self, patience, |ledger| ledger.height() >= height))
    }

    /// Stops following.
    ///
    /// # Errors
    /// Why it stopped by itself, if it had.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), RunError> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.map_or(Ok(()), |ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl NodeClient {
    /// Hands a transaction in. What the node answers is where it stands.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub fn submit(&self, transaction: &Transaction) -> Result<serde_json::Value, ClientError> {
        self.call("cwe_submit", &[json!(ids::to_hex(&transaction.to_bytes()))])
    }
}

/// Waits until something is so on the ledger of a mirror, and says whether it is.
pub fn wait_until(mirror: &Mirror, patience: Duration, is_so: impl Fn(&Ledger) -> bool) -> bool {
    const STEP: Duration = Duration::from_millis(50);
    let steps = patience.as_millis() / STEP.as_millis();
    for _ in 0..=steps {
        if mirror.read(&is_so) {
            return true;
        }
        if mirror.has_stopped() {
            return false;
        }
        thread::sleep(STEP);
    }
    false
}
