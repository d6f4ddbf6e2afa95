//! Nodes in threads of this process, and a chain with a settled epoch for them.

use crate::{
    sequencer::{SEQUENCER, author, sequencer_key},
    world::*,
};
use chain::{
    Genesis, Ledger, Payload,
    ledger::Authority,
    modules::{
        governance::{
            Action, CallElection, Change, DAY, Deliberate, OpenCase, Parameter, Propose, Remedy, Say, SayOf,
            SetParameters, Stand,
        },
        identity::Roles,
    },
    node::{Config, NodeClient, Notice, Role, RunError, Store, rpc::Patience, run},
    sequencer::{Limits, Seal, SealedBlock},
    signature::SecretKey,
};
use primitives::{EpochId, PersonId, params::q32};
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
        Self::start_with(dir, genesis, role, Patience::default())
    }

    pub(crate) fn start_with(dir: &Path, genesis: Genesis, role: Role, patience: Patience) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), dir, genesis, role, patience)
    }

    fn start_at(listen: SocketAddr, dir: &Path, genesis: Genesis, role: Role, patience: Patience) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, notices) = channel();
        let start = Ledger::genesis(genesis).expect("valid");
        let config = Config { dir: dir.into(), start, role, listen, max_connections: 8, patience };
        let stopped = stop.clone();
        let sender = std::sync::Mutex::new(sender);
        let thread = thread::spawn(move || {
            run(config, &stopped, &|notice| drop(sender.lock().expect("one at a time").send(notice)))
        });
        let mut running = Self { address: listen, stop, thread: Some(thread), notices };
        while let Ok(notice) = running.notices.recv_timeout(SOON) {
            if let Notice::Started { listen, .. } = notice {
                running.address = listen;
                return running;
            }
        }
        panic!("it does not start: {:?}", running.thread.take().map(JoinHandle::join));
    }

    pub(crate) fn sequencer(dir: &Path, genesis: Genesis) -> Self {
        Self::sequencer_at(([127, 0, 0, 1], 0).into(), dir, genesis)
    }

    /// A sequencer at an address where there was one before.
    pub(crate) fn sequencer_at(listen: SocketAddr, dir: &Path, genesis: Genesis) -> Self {
        let limits = Limits { interval: 1, ..Limits::default() };
        let role = Role::Sequencer { key: sequencer_key(), limits };
        Self::start_at(listen, dir, genesis, role, Patience::default())
    }

    /// A full node at an address that is known before.
    pub(crate) fn full_at(listen: SocketAddr, dir: &Path, genesis: Genesis, role: Role) -> Self {
        Self::start_at(listen, dir, genesis, role, Patience::default())
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) fn client(&self) -> NodeClient {
        NodeClient::connect(&self.url()).expect("it answers")
    }

    /// Tells it to stop, and gives what it ends with.
    pub(crate) fn stop(mut self) -> Result<(), RunError> {
        self.tell_to_stop();
        self.ended()
    }

    pub(crate) fn tell_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
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

/// A councillor, who votes as well.
pub(crate) const COUNCILLOR: PersonId = PersonId([0x2c; 32]);

fn voter_key() -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(77))
}

/// A proposal, what was said on it, an election, and a case.
fn govern(world: &mut World) {
    let changes = vec![
        Change { parameter: Parameter::Alpha, value: q32(11, 10) },
        Change { parameter: Parameter::GovernanceVoting, value: (3 * DAY).into() },
    ];
    let action =
        Action::SetParameters(SetParameters { from: EpochId(FIRST.0 + 4), changes, review_by: None });
    world.ok(COUNCILLOR, Payload::Propose(Propose { document: digest(1), action }));
    let approve = SayOf { proposal: 1, say: Say::Approve };
    world.ok(COUNCILLOR, Payload::CouncilSay(approve));
    world.ok(COUNCILLOR, Payload::Deliberate(Deliberate { proposal: 1, document: digest(2) }));
    world.ok(COUNCILLOR, Payload::CallElection(CallElection));
    world.ok(COUNCILLOR, Payload::Stand(Stand { election: 1 }));
    let remedy = Remedy::Suspend(person(1));
    world.ok(COUNCILLOR, Payload::OpenCase(OpenCase { document: digest(3), remedy }));
}

/// A chain with a settled epoch, and a sequencer's node that has all its blocks, sealed.
pub(crate) fn settled() -> (World, tempfile::TempDir) {
    let mut world = World::genesis_with(|genesis| {
        let key = sequencer_key().public_key();
        genesis.offices.push(Authority { person: SEQUENCER, key, roles: Roles::SEQUENCER });
        let roles = Roles::COUNCILLOR.with(Roles::VOTER);
        genesis.offices.push(Authority { person: COUNCILLOR, key: voter_key().public_key(), roles });
    })
    .and_works();
    world.keys.insert(COUNCILLOR, voter_key());
    govern(&mut world);
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
