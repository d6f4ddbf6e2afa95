//! Nodes in threads of this process, and a chain with a settled epoch for them.

use crate::{
    sequencer::{SEQUENCER, author, sequencer_key},
    world::*,
};
use chain::{
    Genesis,
    ledger::Authority,
    modules::identity::Roles,
    node::{Config, NodeClient, Notice, Role, RunError, Store, run},
    sequencer::{Limits, Seal, SealedBlock},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Longest time that anything takes here.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A node in a thread of this process.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
    pub(crate) notices: Receiver<Notice>,
}

impl Running {
    pub(crate) fn start(dir: &Path, genesis: Genesis, role: Role) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, notices) = channel();
        let config = Config {
            dir: dir.into(),
            genesis,
            role,
            listen: "127.0.0.1:0".parse().expect("an address"),
            max_connections: 8,
        };
        let stopped = stop.clone();
        let sender = std::sync::Mutex::new(sender);
        let thread = thread::spawn(move || {
            run(config, &stopped, &|notice| drop(sender.lock().expect("one at a time").send(notice)))
        });
        let mut running = Self { address: ([127, 0, 0, 1], 0).into(), stop, thread: Some(thread), notices };
        while let Ok(notice) = running.notices.recv_timeout(SOON) {
            if let Notice::Started { listen, .. } = notice {
                running.address = listen;
                return running;
            }
        }
        panic!("it does not start: {:?}", running.thread.take().map(JoinHandle::join));
    }

    pub(crate) fn sequencer(dir: &Path, genesis: Genesis) -> Self {
        let limits = Limits { interval: 1, ..Limits::default() };
        Self::start(dir, genesis, Role::Sequencer { author: author(), limits })
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) fn client(&self) -> NodeClient {
        NodeClient::connect(&self.url()).expect("it answers")
    }

    /// Tells it to stop, and gives what it ends with.
    pub(crate) fn stop(mut self) -> Result<(), RunError> {
        self.stop.store(true, Ordering::Relaxed);
        self.ended()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(&mut self) -> Result<(), RunError> {
        self.thread.take().expect("asked once").join().expect("no panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A chain with a settled epoch, and a sequencer's node that has all its blocks, sealed.
pub(crate) fn settled() -> (World, tempfile::TempDir) {
    let mut world = World::genesis_with(|genesis| {
        let key = sequencer_key().public_key();
        genesis.offices.push(Authority { person: SEQUENCER, key, roles: Roles::SEQUENCER });
    })
    .and_works();
    world.run_epoch(FIRST, &bundles());
    let dir = tempfile::tempdir().expect("a directory");
    let genesis = world.ledger.origin().clone();
    let mut store = Store::open(dir.path(), genesis).expect("opens").0;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    for block in &world.blocks {
        let seal = Seal::sign(CHAIN, block, &author(), &mut rng);
        let sealed = SealedBlock { block: block.clone(), seal: Some(seal) };
        store.append(&sealed).expect("on disk");
    }
    (world, dir)
}
