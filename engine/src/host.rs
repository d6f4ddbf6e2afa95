//! The host of one party, or of who stands by for all three: its actors over links, a store, an API and a full node of its
//! own, for as many epochs as the chain opens.
//!
//! | File | What it does |
//! |---|---|
//! | `host/keys.rs` | the host's secret, and the keys that follow from it |
//! | `host/chain.rs` | the chain, by a full node of the party's own |
//! | `host/crossing.rs` | what goes to other hosts and comes from them |
//! | `host/counter.rs` | bundles, what becomes of them, and receipts: what the API shows |
//! | `host/memory.rs` | what a party must not lose, in its store |
//! | `host/forgotten.rs` | whether the store is older than what the chain has of this host |
//! | `host/place.rs` | which seat it has in an epoch, and its links from there |
//! | `host/lack.rs` | what it waits for before it takes part in an epoch |
//! | `host/report.rs`, [`machine`] | what a host reports of itself, and its machine |
//! | [`steward`] | those who hold an office, on a host of their own |
//! | `host/epoch.rs` | one epoch, from its beacon to its end |
//! | `host/replay.rs` | what was acknowledged before a restart, checked again |
//!
//! **Which seat a host has** the chain says, by the key that is on record: a host that stood by and took a seat goes on in it
//! with the next epoch, and one whose key is no longer on record waits.
//!
//! **A restart** at any moment goes on where the chain and the store say that the epoch is: votes, the beacon's contribution,
//! the last sitting and accepted bundles are in the store; what is anchored, frozen and on record comes from the chain, in
//! the order in which it came there; what the others reported they say again; and what this party computed with them
//! begins anew, in another sitting.

mod chain;
mod counter;
mod crossing;
mod epoch;
mod forgotten;
mod keys;
mod lack;
pub mod machine;
mod memory;
pub mod outlook;
mod place;
mod replay;
mod report;
pub mod steward;

pub use self::chain::Remote;
pub use crate::link::Host as Seat;
pub use forgotten::Forgotten;
pub use keys::HostSecret;
pub use lack::Lack;

use crate::{
    api::{self, ApiError},
    link::{LinkError, Links},
    message::Phase,
    party::CarriedOver,
    settlement::read,
    store::{Change, EpochState, Owner, Recovered, Store, StoreError},
};
use ::chain::{
    Ledger,
    node::{Following, Notice, RunError, now},
};
use counter::Counter;
use crossing::Crossing;
use place::Place;
pub(crate) use place::{in_hand, members};
use primitives::{ChainId, Digest, EpochId, PartyId};
use proofs::committee::Member;
use report::{Measuring, Report, Seen};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    panic::resume_unwind,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ScopedJoinHandle},
    time::Duration,
};
use thiserror::Error;

/// How often a host looks whether something is to be done.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a host needs to run.
#[derive(Clone)]
pub struct Setup {
    /// Its secret.
    pub secret: HostSecret,
    /// Its own files: `store` and `chain`.
    pub dir: PathBuf,
    /// The ledger before the chain's first block: at a genesis, or where another chain ended.
    pub start: Ledger,
    /// The sequencer's node.
    pub node: String,
    /// Where it takes links.
    pub links: SocketAddr,
    /// Where other hosts take links, as `host:port`, by the key that is on record of them.
    pub peers: BTreeMap<Digest, String>,
    /// Where it serves its API.
    pub api: SocketAddr,
    /// Proxies in front of it on other machines, which count connections of one address themselves.
    pub proxies: Vec<IpAddr>,
    /// For how long an epoch takes bundles in.
    pub window: Duration,
    /// Fewest bundles of a batch while the window lasts.
    pub batch: usize,
    /// How often the party is told that time passes: the unit of its patience.
    pub tick: Duration,
}

/// What a host has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It serves.
    Started {
        /// Where the API is.
        api: SocketAddr,
    },
    /// It has a seat in the committee, and links to the other hosts.
    Seat {
        /// Which.
        seat: Seat,
        /// Where links are taken.
        links: SocketAddr,
    },
    /// The committee has a host whose address is not among the settings.
    NoAddress {
        /// Its seat.
        seat: Seat,
        /// Its key.
        key: Digest,
    },
    /// Its own node has something to say.
    Chain(Notice),
    /// It waits for the chain to have something.
    Waits {
        /// For what.
        what: Lack,
    },
    /// It takes part in an epoch.
    Epoch {
        /// Which.
        epoch: EpochId,
        /// Whether it goes on with one that it had begun before it was started.
        again: bool,
    },
    /// The epoch entered a phase.
    Phase {
        /// Which.
        epoch: EpochId,
        /// The phase.
        phase: Phase,
    },
    /// The epoch stopped without a result.
    Aborted {
        /// Which.
        epoch: EpochId,
        /// Whom the party that stopped it blames.
        culprit: Option<PartyId>,
        /// Why.
        reason: String,
    },
    /// It was told to stop, and has.
    Stopped,
}

/// Why a host does not run, or stops by itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its node.
    #[error(transparent)]
    Chain(#[from] RunError),
    /// Its links.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Its node has stopped by itself.
    #[error("this party's own node has stopped: see what it said")]
    NodeStopped,
    /// What has to be on disk could not be written.
    #[error("the store cannot be written: see what it said. Start again once the disk is sound")]
    Unwritten,
    /// What is carried over in the store is another seat's.
    #[error(
        "the store has what party {found} carries over, and this host is {seat}: a store stays with the seat. Name the \
         folder of this one's"
    )]
    OtherSeat {
        /// Whose it is.
        found: PartyId,
        /// The seat of this host.
        seat: Seat,
    },
    /// What is on the chain of an epoch is not what an epoch needs.
    #[error("epoch {epoch}: {reason}")]
    Epoch {
        /// Which.
        epoch: EpochId,
        /// Why.
        reason: String,
    },
}

/// The links, and the seat that they are of: none before the host has one.
type Linked = Arc<Mutex<Option<(Seat, Links)>>>;

/// A host that runs.
struct Host<'a> {
    setup: &'a Setup,
    of: (ChainId, Digest),
    /// Its keys, as they are on record of a committee.
    own: Member,
    store: Arc<Store>,
    port: Arc<Remote>,
    counter: Arc<Counter>,
    crossing: Arc<Crossing>,
    seen: Arc<Seen>,
    links: Linked,
    carried: CarriedOver,
    /// The last epoch to sit out, if the store was restored from a copy.
    silent: Option<EpochId>,
    stop: &'a AtomicBool,
    /// One of its threads has ended the whole.
    ending: AtomicBool,
    told: &'a (dyn Fn(Told) + Sync),
}

/// Gives the threads that check proofs a name that an operator sees. A process has one set of them: first of all that it
/// does.
pub fn name_workers() {
    // Whoever was quicker has threads that do the same under another name.
    drop(rayon::ThreadPoolBuilder::new().thread_name(|_| "verify".into()).build_global());
}

/// Runs a host until `stop` is set, or until it has to stop by itself. What it has to say goes to `told`.
///
/// # Errors
/// If it cannot start, or cannot go on. It can be started again then.
pub fn run(setup: &Setup, stop: &AtomicBool, told: Arc<dyn Fn(Told) + Send + Sync>) -> Result<(), HostError> {
    let (chain, genesis) = (setup.start.origin().chain, setup.start.origin().digest());
    let owner = Owner { chain, genesis };
    let (store, recovered) = Store::open(setup.dir.join("store"), owner)?;
    let store = Arc::new(store);
    for finding in &recovered.findings {
        tracing::warn!("{finding}");
    }
    let following =
        Following { dir: setup.dir.join("chain"), start: setup.start.clone(), url: setup.node.clone() };
    let seen = Arc::new(Seen::default());
    let (noting, say) = (seen.clone(), told);
    let told: Arc<dyn Fn(Told) + Send + Sync> = Arc::new(move |told| {
        noting.told(&told);
        say(told);
    });
    let of_chain = told.clone();
    let port = Arc::new(Remote::start(following, move |notice| of_chain(Told::Chain(notice)))?);
    let published = setup.dir.join("published");
    let counter = Counter::new((chain, genesis), store.clone(), port.clone(), (now(), published));
    let counter = Arc::new(counter);
    api::Desk::telemetry(&*counter).host(&setup.secret.member().signing, &genesis);
    let links = Arc::new(Mutex::new(None));
    let measuring = Measuring::start(counter.clone(), store.clone(), setup.dir.clone());
    let report =
        Report { counter: counter.clone(), seen: seen.clone(), links: links.clone(), node: port.clone() };
    let mut limits = api::Limits::default();
    limits.proxies.extend(&setup.proxies);
    let serving = api::serve(setup.api, Arc::new(report), limits)?;
    told(Told::Started { api: serving.local_addr() });
    let Recovered { epochs, carried, silent, .. } = recovered;
    let carried = CarriedOver::from(carried);
    let say = told.clone();
    let host = Host {
        setup,
        of: (chain, genesis),
        own: setup.secret.member(),
        store,
        port: port.clone(),
        counter,
        crossing: Arc::default(),
        seen,
        links,
        carried,
        silent,
        stop,
        ending: AtomicBool::new(false),
        told: &*say,
    };
    let ended = host.run(epochs);
    // Requests in hand get their answers, peers hear that this host goes, and the node ends with its last block.
    let served = serving.stop();
    host.unlink();
    drop((host, measuring));
    let followed = Arc::into_inner(port).map_or(Ok(()), Remote::stop);
    match (ended, followed) {
        // Why its node has stopped says more than that it has.
        (Err(HostError::NodeStopped), Err(error)) => return Err(error.into()),
        (ended, followed) => {
            ended?;
            followed?;
        }
    }
    served?;
    told(Told::Stopped);
    Ok(())
}

impl Host<'_> {
    /// Runs every epoch that the chain has in hand, each on a thread of its own: one may be closed while the next takes bundles
    /// in.
    fn run(&self, mut states: BTreeMap<EpochId, EpochState>) -> Result<(), HostError> {
        let first = read(&*self.port, in_hand)[0];
        self.counter.remember(first);
        thread::scope(|scope| {
            // It may have been stopped between the end of an epoch and this. Nothing waits for it.
            if let Some(before) = first.0.checked_sub(1).map(EpochId) {
                scope.spawn(move || self.counter.publish(before));
            }
            let (mut running, mut waits, mut ended) = (Running::new(), None, Ok(()));
            let mut over = BTreeSet::new();
            while ended.is_ok() && !self.stop.load(Ordering::Relaxed) {
                let is_finished =
                    |(epoch, thread): (&EpochId, &Thread<'_>)| thread.is_finished().then_some(*epoch);
                let finished: Vec<_> = running.iter().filter_map(is_finished).collect();
                for (epoch, thread) in finished.iter().filter_map(|epoch| running.remove_entry(epoch)) {
                    // What is waited for is said again.
                    waits = None;
                    let joined = self.joined(thread);
                    over.extend(matches!(joined, Ok(true)).then_some(epoch));
                    ended = ended.and(joined.map(drop));
                }
                // What is forgotten of an epoch is forgotten of all before it.
                let oldest = running.keys().next();
                let is_oldest = |epoch: &EpochId| oldest.is_none_or(|oldest| epoch < oldest);
                while let Some(epoch) = over.first().copied().filter(is_oldest) {
                    over.remove(&epoch);
                    ended = ended.and(self.store.write(&[Change::Forget(epoch)]).map_err(HostError::from));
                }
                let next = self.next(&running, &states);
                ended = ended.and(next.and_then(|next| match next {
                    Some(Next::Epoch(epoch, at)) => {
                        waits = None;
                        self.check_carried(at.seat)?;
                        self.meet(&at)?;
                        let state = states.remove(&epoch).unwrap_or_default();
                        let run = move || {
                            // Every line of this thread names the epoch, whatever is logged.
                            let _span = tracing::error_span!("epoch", %epoch).entered();
                            epoch::run(self, (epoch, at.seat), state)
                        };
                        running.insert(epoch, scope.spawn(run));
                        Ok(())
                    }
                    Some(Next::Wait(what)) => {
                        if what.is_of_seat() && running.is_empty() {
                            self.unlink();
                        }
                        if waits.replace(what) != Some(what) {
                            (self.told)(Told::Waits { what });
                        }
                        Ok(())
                    }
                    None => Ok(()),
                }));
                thread::sleep(LOOK_EVERY);
            }
            // One epoch that cannot go on takes the other with it.
            self.ending.store(true, Ordering::Relaxed);
            running.into_values().fold(ended, |ended, thread| ended.and(self.joined(thread).map(drop)))
        })
    }

    /// What came of a thread that has ended, or is about to. A panic goes on here, and ends the other as well.
    fn joined(&self, thread: Thread<'_>) -> Result<bool, HostError> {
        thread.join().unwrap_or_else(|panic| {
            self.ending.store(true, Ordering::Relaxed);
            resume_unwind(panic)
        })
    }

    fn is_stopped(&self) -> Result<bool, HostError> {
        if self.port.mirror().has_stopped() {
            return Err(HostError::NodeStopped);
        }
        Ok(self.stop.load(Ordering::Relaxed) || self.ending.load(Ordering::Relaxed))
    }

    /// What to do beside the epochs that run, by what is on the chain. Nothing, if all of them run.
    fn next(
        &self,
        running: &Running<'_>,
        states: &BTreeMap<EpochId, EpochState>,
    ) -> Result<Option<Next>, HostError> {
        self.is_stopped()?;
        // What comes ahead waits for the epoch before as well: one after the other, lest anything be dropped.
        let on_the_way = |(epoch, thread): (&EpochId, &Thread<'_>)| {
            !thread.is_finished() && !self.crossing.has_entered(*epoch)
        };
        if running.iter().any(on_the_way) {
            return Ok(None);
        }
        Ok(read(&*self.port, |ledger| {
            let beside = running.keys().next().copied();
            let place = |epoch| match self.place(ledger.state(), (epoch, beside), states) {
                Ok(at) => Next::Epoch(epoch, at),
                Err(what) => Next::Wait(what),
            };
            let others = in_hand(ledger).into_iter().filter(|epoch| !running.contains_key(epoch));
            others.map(place).min_by_key(|next| matches!(next, Next::Wait(_)))
        }))
    }
}

/// Threads of epochs.
type Running<'scope> = BTreeMap<EpochId, Thread<'scope>>;
type Thread<'scope> = ScopedJoinHandle<'scope, Result<bool, HostError>>;

/// What a host does next.
enum Next {
    Epoch(EpochId, Place),
    Wait(Lack),
}
