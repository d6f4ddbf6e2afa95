//! Hosts of a committee in one process, and a log of what each was told.

use engine::link::{
    Endpoint, Handler, Host, LinkConfig, LinkEvent, LinkKey, LinkStatus, Links, Timing, Versions,
};
use primitives::{ChainId, Digest, PartyId};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

pub(crate) const ONE: Host = Host::Party(PartyId::ALL[0]);
pub(crate) const TWO: Host = Host::Party(PartyId::ALL[1]);
pub(crate) const THREE: Host = Host::Party(PartyId::ALL[2]);
pub(crate) const CHAIN: ChainId = ChainId(7);
pub(crate) const GENESIS: Digest = Digest([8; 32]);

/// Far more than anything here takes, on a machine that does a lot besides.
const LONG: Duration = Duration::from_secs(120);

/// The seed of a host's key.
pub(crate) fn seed(host: Host) -> [u8; 32] {
    let number = Host::ALL.iter().position(|known| *known == host).expect("one of four");
    [number as u8 + 1; 32]
}

pub(crate) fn key(host: Host) -> LinkKey {
    LinkKey::from_seed(&seed(host))
}

/// Times for tests: quick to try again, slow to give up.
pub(crate) fn hurried() -> Timing {
    let millis = Duration::from_millis;
    Timing {
        handshake: millis(60_000),
        ping: millis(50),
        silence: millis(100_000),
        first_wait: millis(5),
        longest_wait: millis(50),
        steady: millis(0),
        patience: millis(60_000),
        unacknowledged: millis(60_000),
        flush: millis(20_000),
    }
}

pub(crate) fn config(me: Host) -> LinkConfig {
    LinkConfig {
        me,
        key: key(me),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        chain: CHAIN,
        genesis: GENESIS,
        peers: BTreeMap::new(),
        versions: Versions::SPOKEN,
        timing: hurried(),
    }
}

/// What a handler was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Event(LinkEvent),
    Payload(Host, Vec<u8>),
}

#[derive(Default)]
pub(crate) struct Log {
    told: Mutex<Vec<Told>>,
    more: Condvar,
}

impl Handler for Log {
    fn received(&self, from: Host, bytes: Vec<u8>) {
        self.note(Told::Payload(from, bytes));
    }

    fn event(&self, event: LinkEvent) {
        self.note(Told::Event(event));
    }
}

impl Log {
    fn note(&self, told: Told) {
        self.told.lock().unwrap().push(told);
        self.more.notify_all();
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until what was told is enough, and gives what `look` found in it.
    pub(crate) fn until<T>(&self, what: &str, look: impl Fn(&[Told]) -> Option<T>) -> T {
        let start = Instant::now();
        let mut told = self.told.lock().unwrap();
        loop {
            if let Some(found) = look(&told) {
                return found;
            }
            let left = LONG.checked_sub(start.elapsed());
            let left =
                left.unwrap_or_else(|| panic!("{what} never came; the events were {:?}", events(&told)));
            told = self.more.wait_timeout(told, left).unwrap().0;
        }
    }

    /// Waits for an event, and gives its place among everything that was told.
    pub(crate) fn event_like(&self, what: &str, like: impl Fn(&LinkEvent) -> bool) -> usize {
        self.until(what, |told| {
            told.iter().position(|told| matches!(told, Told::Event(event) if like(event)))
        })
    }

    /// Waits for `count` payloads of a peer, and gives all that came of it.
    pub(crate) fn payloads(&self, of: Host, count: usize) -> Vec<Vec<u8>> {
        self.until("payloads", |told| Some(payloads(told, of)).filter(|found| found.len() >= count))
    }

    /// How often a peer was connected, and how often as a new life.
    pub(crate) fn connections(&self, of: Host) -> (usize, usize) {
        let told = self.told();
        let of_peer = told.iter().filter_map(|told| match told {
            Told::Event(LinkEvent::Connected { peer, fresh }) if *peer == of => Some(*fresh),
            _ => None,
        });
        let fresh: Vec<_> = of_peer.collect();
        (fresh.len(), fresh.iter().filter(|fresh| **fresh).count())
    }
}

fn events(told: &[Told]) -> Vec<&Told> {
    told.iter().filter(|told| matches!(told, Told::Event(_))).collect()
}

pub(crate) fn payloads(told: &[Told], of: Host) -> Vec<Vec<u8>> {
    let payload = |told: &Told| match told {
        Told::Payload(from, bytes) if *from == of => Some(bytes.clone()),
        _ => None,
    };
    told.iter().filter_map(payload).collect()
}

/// A host.
pub(crate) struct Node {
    pub(crate) me: Host,
    pub(crate) links: Links,
    pub(crate) log: Arc<Log>,
}

impl Node {
    pub(crate) fn new(config: LinkConfig) -> Self {
        let (me, log) = (config.me, Arc::new(Log::default()));
        let links = Links::start(config, log.clone()).expect("links start");
        Self { me, links, log }
    }

    pub(crate) fn of(me: Host) -> Self {
        Self::new(config(me))
    }

    pub(crate) fn at(&self) -> String {
        self.links.local_addr().to_string()
    }

    /// Tells this host where another is.
    pub(crate) fn knows(&self, other: Host, at: &str) {
        self.links.set_peer(other, at.into(), key(other).public()).expect("a peer");
    }

    pub(crate) fn send(&self, to: Host, bytes: impl AsRef<[u8]>) {
        self.links.send(to, bytes.as_ref().to_vec()).expect("room");
    }

    pub(crate) fn status(&self, peer: Host) -> LinkStatus {
        self.links.status().into_iter().find(|status| status.peer == peer).expect("a peer")
    }

    /// Waits until the status of a peer is as wanted.
    pub(crate) fn status_like(&self, peer: Host, what: &str, like: impl Fn(&LinkStatus) -> bool) {
        let start = Instant::now();
        while !like(&self.status(peer)) {
            assert!(start.elapsed() < LONG, "{what} never came: {:?}", self.status(peer));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn all_acknowledged(&self, peer: Host) {
        self.status_like(peer, "all acknowledged", |status| status.unacknowledged.frames == 0);
    }

    pub(crate) fn linked(&self, peer: Host) {
        let connected =
            |event: &LinkEvent| matches!(event, LinkEvent::Connected { peer: found, .. } if *found == peer);
        self.log.event_like("a connection", connected);
    }
}

/// Two hosts that know each other.
pub(crate) fn pair(one: Node, other: Node) -> (Node, Node) {
    one.knows(other.me, &other.at());
    other.knows(one.me, &one.at());
    (one, other)
}

/// Checks that a link works in both directions, now.
pub(crate) fn still_good(one: &Node, other: &Node) {
    for (from, to) in [(one, other), (other, one)] {
        let before = payloads(&to.log.told(), from.me).len();
        from.send(to.me, b"still there?");
        assert_eq!(to.log.payloads(from.me, before + 1).len(), before + 1);
    }
}

/// A peer with another key than its own.
pub(crate) fn endpoint(at: &str, key: Digest) -> Endpoint {
    Endpoint { address: at.into(), key }
}
