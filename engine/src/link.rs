//! Links between the hosts of the three parties and the standby.
//!
//! | File | What it does |
//! |---|---|
//! | `link/config.rs`, `link/event.rs` | what links need, and what they tell |
//! | `link/host.rs` | who is at the ends, and who dials |
//! | `link/key.rs` | TLS 1.3 with raw public keys, pinned to those of the committee's record |
//! | `link/hello.rs`, `link/frame.rs` | the greeting, and what crosses a connection |
//! | `link/outbox.rs`, `link/talk.rs`, `link/waits.rs` | what waits to be acknowledged; acknowledgements and pings; the stall detector: no clock, no socket |
//! | `link/peer.rs`, `link/peer/standing.rs` | one peer, whatever connection it has |
//! | `link/probe.rs` | whether a host is there, without a link |
//! | `link/dial.rs`, `link/accept.rs`, `link/greet.rs`, `link/connection.rs` | sockets |
//!
//! There is one connection for each pair of hosts, which the lower of the two dials. What is sent to a peer is numbered
//! and kept until the peer acknowledges it. After a break both ends say what they have, and go on from there: while both
//! processes live, each payload arrives once, and in order.
//!
//! A process that was restarted knows nothing of what it received before. Its peers see that it has begun a new life: the
//! handler is told ([`LinkEvent::Connected`] with `fresh`) before anything of that life is delivered, and what the old
//! life did not acknowledge is sent to the new one, even if it had arrived. What the old life did acknowledge, and forgot,
//! the layer above repeats as it needs.
//!
//! Nothing here reads the payloads. The rule "nothing leaves that rests on a vote that is not on disk" is that of the
//! layer above, which calls [`Links::send`] after it has stored.

mod accept;
mod config;
mod connection;
mod dial;
pub mod event;
pub mod frame;
mod greet;
pub mod hello;
mod host;
mod key;
pub mod limits;
mod outbox;
mod peer;
pub mod probe;
mod talk;
mod waits;

pub use config::{Endpoint, LinkConfig, LinkError, SendError};
pub use event::{Breach, Count, Handler, LinkEvent, LinkState, LinkStatus, Loss, Refusal};
pub use hello::{Incarnation, Versions};
pub use host::Host;
pub use key::LinkKey;
pub use limits::Timing;
pub use waits::{STEP_ACKNOWLEDGE, STEP_ANSWER};

use config::{check, check_timing};
use limits::{LINGER, MAX_PAYLOAD};
use peer::{Identity, Peer};
use primitives::Digest;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, mpsc},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

/// What all tasks of the links share.
struct Shared {
    me: Host,
    key: LinkKey,
    timing: Timing,
    peers: BTreeMap<Host, Arc<Peer>>,
    handler: Arc<dyn Handler>,
    door: accept::Door,
    stopping: watch::Sender<bool>,
    /// Tasks hold a copy of it, so that a stop knows when they have ended. None after a stop.
    busy: Mutex<Option<mpsc::Sender<()>>>,
}

impl Shared {
    fn busy(&self) -> MutexGuard<'_, Option<mpsc::Sender<()>>> {
        self.busy.lock().expect("nothing panics while it counts tasks")
    }

    /// Starts a task, from a task or from within the runtime. None after a stop.
    fn spawn<F: Future<Output = ()> + Send + 'static>(self: &Arc<Self>, task: impl FnOnce(Arc<Self>) -> F) {
        let Some(busy) = self.busy().clone() else { return };
        let task = task(self.clone());
        tokio::spawn(async move {
            task.await;
            drop(busy);
        });
    }

    /// Tells of stalls until this host stops.
    async fn watch(self: Arc<Self>) {
        let shortest = self.timing.patience.min(self.timing.unacknowledged);
        let pause = (shortest / 8).clamp(Duration::from_millis(5), Duration::from_secs(1));
        let mut stopping = self.stopping.subscribe();
        while !*stopping.borrow() {
            self.peers.values().for_each(|peer| peer.tell_stalls());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _stopped = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }
}

/// The threads. Dropped anywhere, they end without being waited for.
struct Threads(Mutex<Option<(Runtime, mpsc::Receiver<()>)>>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.0.get_mut().ok().and_then(Option::take) {
            runtime.shutdown_background();
        }
    }
}

/// The links of this host. Copies are the same links; they end when the last copy is dropped or one is stopped.
#[derive(Clone)]
pub struct Links {
    shared: Arc<Shared>,
    threads: Arc<Threads>,
    at: SocketAddr,
}

impl Links {
    /// Starts to listen and to dial. The handler is told of everything from then on.
    ///
    /// # Errors
    /// If the address is taken, a peer cannot be one, or times contradict each other.
    pub fn start(config: LinkConfig, handler: Arc<dyn Handler>) -> Result<Self, LinkError> {
        let LinkConfig { me, key, listen, chain, genesis, peers, versions, timing } = config;
        check_timing(&timing)?;
        let identity = Identity { me, versions, chain, genesis };
        for (peer, endpoint) in &peers {
            check(me, &key, *peer, endpoint, &peers)?;
        }
        let others = Host::ALL.into_iter().filter(|host| *host != me);
        let make =
            |host| Arc::new(Peer::new(host, peers.get(&host).cloned(), identity, timing, handler.clone()));
        let (busy, idle) = mpsc::channel();
        let (busy, stopping) = (Mutex::new(Some(busy)), watch::Sender::new(false));
        let door = accept::Door::default();
        let peers = others.map(|host| (host, make(host))).collect();
        let shared = Arc::new(Shared { me, key, timing, peers, handler, door, stopping, busy });

        let unheard = |source| LinkError::Listen { at: listen, source };
        let socket = std::net::TcpListener::bind(listen).map_err(unheard)?;
        socket.set_nonblocking(true).map_err(unheard)?;
        let at = socket.local_addr().map_err(unheard)?;
        // Two: a handler that takes its time with one peer leaves a thread to the others.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("link")
            .enable_all()
            .build()
            .map_err(LinkError::Threads)?;
        let listener = {
            let _within = runtime.enter();
            TcpListener::from_std(socket).map_err(unheard)?
        };
        shared.handler.event(LinkEvent::Listening { me, at });
        {
            let _within = runtime.enter();
            begin(&shared, listener);
        }
        Ok(Self { shared, threads: Arc::new(Threads(Mutex::new(Some((runtime, idle))))), at })
    }

    /// Where this host takes connections.
    pub fn local_addr(&self) -> SocketAddr {
        self.at
    }

    fn peer(&self, host: Host) -> Option<&Arc<Peer>> {
        self.shared.peers.get(&host)
    }

    /// Takes a payload for a peer, whether it is there or not. Never waits.
    ///
    /// # Errors
    /// If the payload is too long, there is no room for it, or nobody to send it to. Then it was not taken.
    pub fn send(&self, to: Host, bytes: Vec<u8>) -> Result<(), SendError> {
        if *self.shared.stopping.borrow() {
            return Err(SendError::Stopped);
        }
        if bytes.len() > MAX_PAYLOAD {
            return Err(SendError::TooLong { length: bytes.len() });
        }
        let peer = self.peer(to).filter(|peer| peer.endpoint().is_some()).ok_or(SendError::NoPeer(to))?;
        peer.push(bytes).map_err(|waiting| SendError::Full { to, waiting })
    }

    /// The layer above waits for a peer at a step, from now on or already. After [`Timing::patience`] that is told as
    /// [`LinkEvent::Stalled`]. At most [`limits::MAX_STEPS`] steps of a peer are watched.
    pub fn awaiting(&self, peer: Host, step: impl Into<Cow<'static, str>>) {
        if let Some(peer) = self.peer(peer) {
            peer.awaiting(step.into());
        }
    }

    /// What one step waited for came.
    pub fn arrived_at(&self, peer: Host, step: &str) {
        if let Some(peer) = self.peer(peer) {
            peer.arrived(Some(step));
        }
    }

    /// Everything that was awaited of a peer came.
    pub fn arrived(&self, peer: Host) {
        if let Some(peer) = self.peer(peer) {
            peer.arrived(None);
        }
    }

    /// Sets a peer's address and key, also while it is linked: the connection is dropped and made anew. With another key
    /// it is another holder: what waits for the old one is dropped, and both begin a new life. Not from the handler.
    ///
    /// # Errors
    /// If this host, its key or a key of another peer is named, or the address or the key is none.
    pub fn set_peer(&self, host: Host, address: String, key: Digest) -> Result<(), LinkError> {
        let endpoint = Endpoint { address, key };
        check(self.shared.me, &self.shared.key, host, &endpoint, &self.peers())?;
        let peer = self.peer(host).ok_or(LinkError::Myself(host))?;
        peer.set_endpoint(Some(endpoint));
        Ok(())
    }

    /// Peers whose address and key are set.
    pub fn peers(&self) -> BTreeMap<Host, Endpoint> {
        let known = |(host, peer): (&Host, &Arc<Peer>)| Some((*host, peer.endpoint()?));
        self.shared.peers.iter().filter_map(known).collect()
    }

    /// Whether a peer is linked now.
    pub fn is_linked(&self, host: Host) -> bool {
        self.peer(host).is_some_and(|peer| peer.status().state == LinkState::Connected)
    }

    /// Forgets a peer: what waits for it is dropped, and it is not let in any more. Not from the handler.
    pub fn forget_peer(&self, host: Host) {
        if let Some(peer) = self.peer(host) {
            peer.set_endpoint(None);
        }
    }

    /// How the links are, in order of peers.
    pub fn status(&self) -> Vec<LinkStatus> {
        self.shared.peers.values().map(|peer| peer.status()).collect()
    }

    /// Stops: takes nothing more, waits [`Timing::flush`] for peers that are there to acknowledge what was sent, says
    /// farewell, and returns when all is closed. What a peer did not acknowledge by then is lost with this process. Not
    /// from the handler.
    pub fn stop(self) {
        let taken = self.threads.0.lock().expect("nothing panics while it stops links").take();
        // Another copy was stopped already, and waits.
        let Some((runtime, idle)) = taken else { return };
        self.shared.stopping.send_replace(true);
        // No task starts any more, and the last one that ends drops the last sender.
        drop(self.shared.busy().take());
        let longest = self.shared.timing.flush + 3 * LINGER;
        // Nothing is ever sent: this ends when all senders are gone, or when time is up.
        let _all_ended = idle.recv_timeout(longest);
        runtime.shutdown_background();
    }
}

/// Starts the tasks, within the runtime.
fn begin(shared: &Arc<Shared>, listener: TcpListener) {
    let stopping = shared.stopping.subscribe();
    shared.spawn(|shared| accept::listen(shared, listener, stopping));
    shared.spawn(Shared::watch);
    for peer in shared.peers.values().filter(|peer| shared.me.dials(peer.host)) {
        let (peer, stopping) = (peer.clone(), shared.stopping.subscribe());
        shared.spawn(|shared| dial::keep(shared, peer, stopping));
    }
}
