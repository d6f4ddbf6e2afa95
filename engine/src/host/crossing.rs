//! What goes from host to host, and comes from there, over the links.

use crate::{
    link::{Handler, Host, LinkEvent, Links, SendError},
    message::{Address, Letter, Message, Parcel, PeerMessage, Report, Wire},
    transport::{Exterior, Switchboard, Transport},
};
use primitives::{Decode, Encode, EpochId, ShardIndex};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// Most parcels of the next epoch that are kept of each host, until this one is that far.
const MAX_AHEAD: usize = 1 << 12;
/// Most bytes of them. Before an epoch is open there is little to say.
const MAX_AHEAD_BYTES: usize = 1 << 26;

/// A report's kind and shard: the last of each is said again to a host that has begun anew.
type Kind = (u8, ShardIndex);

fn kind(report: &Report) -> Kind {
    match report {
        Report::Drained { shard, .. } => (0, *shard),
        Report::Root(root, _) => (1, root.shard),
        Report::Totals(shard, ..) => (2, *shard),
        Report::Stopped { .. } => (3, ShardIndex(0)),
    }
}

/// An epoch in hand.
struct Current {
    board: Arc<Switchboard>,
    said: BTreeMap<Kind, Report>,
    /// What a standby was sent that it cannot do without: votes for its seat, and shares.
    handed: BTreeMap<(bool, ShardIndex), Letter>,
}

#[derive(Default)]
struct Inner {
    links: Option<Links>,
    /// Two at most: one may be closed while the next takes bundles in.
    current: BTreeMap<EpochId, Current>,
    ahead: BTreeMap<Host, Vec<Vec<u8>>>,
}

/// The way between this host's actors and the others.
#[derive(Default)]
pub(super) struct Crossing {
    inner: Mutex<Inner>,
}

impl Crossing {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics while holding it")
    }

    /// What carries it all.
    pub(super) fn over(&self, links: Links) {
        self.inner().links = Some(links);
    }

    /// The way of one epoch's actors to other hosts.
    pub(super) fn of(self: &Arc<Self>, epoch: EpochId) -> Arc<dyn Exterior> {
        Arc::new(Way { crossing: self.clone(), epoch })
    }

    /// Goes on to an epoch, whose actors are at this switchboard: what came ahead of it is handed over.
    pub(super) fn enter(&self, epoch: EpochId, board: Arc<Switchboard>) {
        let mut inner = self.inner();
        inner.current.insert(epoch, Current { board, said: BTreeMap::new(), handed: BTreeMap::new() });
        let ahead = std::mem::take(&mut inner.ahead);
        drop(inner);
        for (from, parcels) in ahead {
            parcels.into_iter().for_each(|bytes| self.received(from, bytes));
        }
    }

    /// Whether messages of an epoch find its actors.
    pub(super) fn has_entered(&self, epoch: EpochId) -> bool {
        self.inner().current.contains_key(&epoch)
    }

    /// An epoch is over.
    pub(super) fn leave(&self, epoch: EpochId) {
        self.inner().current.remove(&epoch);
    }

    fn arrived(&self, from: Host, wire: Wire, bytes: Vec<u8>) {
        let mut inner = self.inner();
        let Some(current) = inner.current.get(&wire.epoch) else {
            let last = inner.current.keys().next_back().copied();
            if last.is_none_or(|last| wire.epoch.0 == last.0 + 1) {
                let ahead = inner.ahead.entry(from).or_default();
                let size = ahead.iter().map(Vec::len).sum::<usize>() + bytes.len();
                if ahead.len() < MAX_AHEAD && size <= MAX_AHEAD_BYTES {
                    ahead.push(bytes);
                }
            }
            return;
        };
        let (from, own) = (address(from), current.board.own());
        let (to, message) = match wire.parcel {
            Parcel::Letter(letter) => (own, Message::Peer(letter)),
            Parcel::Report(report) => (Address::Coordinator, Message::Report(report)),
        };
        let board = current.board.clone();
        drop(inner);
        if !board.deliver(from, to, message, bytes.len()) {
            tracing::error!(%from, %to, "more waits of a host than an honest one sends: a message is dropped");
        }
    }

    fn send(&self, to: Host, epoch: EpochId, parcel: Parcel) {
        let Some(links) = self.inner().links.clone() else { return };
        match links.send(to, Wire { epoch, parcel }.to_bytes()) {
            // Nobody stands by, or the address is not known.
            Ok(()) | Err(SendError::NoPeer(_)) => {}
            Err(error) => tracing::warn!(%error, "a message to another host is lost"),
        }
    }
}

/// Where the actor is that has a seat.
pub(super) fn address(host: Host) -> Address {
    match host {
        Host::Party(party) => Address::Party(party),
        Host::Standby => Address::Standby,
    }
}

/// The way of the actors of one epoch.
struct Way {
    crossing: Arc<Crossing>,
    epoch: EpochId,
}

impl Exterior for Way {
    fn carry(&self, to: Address, parcel: Parcel) {
        let to = match to {
            Address::Party(party) => Host::Party(party),
            Address::Standby => Host::Standby,
            _ => return,
        };
        let mut inner = self.crossing.inner();
        // That this party is there is of use to whoever is there too.
        let is_here = matches!(&parcel, Parcel::Letter(letter) if letter.message == PeerMessage::Here);
        if is_here && !inner.links.as_ref().is_some_and(|links| links.is_linked(to)) {
            return;
        }
        let Some(current) = inner.current.get_mut(&self.epoch) else { return };
        match &parcel {
            Parcel::Report(report) => drop(current.said.insert(kind(report), report.clone())),
            Parcel::Letter(letter) => {
                let is_vote = matches!(letter.message, PeerMessage::SeatVote(..));
                if to == Host::Standby && (is_vote || matches!(letter.message, PeerMessage::HandOver(_))) {
                    current.handed.insert((is_vote, letter.shard), letter.clone());
                }
            }
        }
        drop(inner);
        self.crossing.send(to, self.epoch, parcel);
    }
}

impl Handler for Crossing {
    fn received(&self, from: Host, bytes: Vec<u8>) {
        match Wire::from_bytes(&bytes) {
            Ok(wire) => self.arrived(from, wire, bytes),
            Err(error) => {
                tracing::error!(%from, %error, "another host sends what is no message between hosts")
            }
        }
    }

    fn event(&self, event: LinkEvent) {
        match &event {
            LinkEvent::Connected { peer, fresh: true } => {
                tracing::info!("{event}");
                let mut again = Vec::new();
                for (epoch, current) in &self.inner().current {
                    let (own, host) = (current.board.own(), address(*peer));
                    // Nobody of this host is ever away.
                    let _taken = current.board.send(Address::Outside, own, Message::Restarted(host));
                    // It knows nothing of what this party has reported, and if it stands by, has no share of anything.
                    let reports = current.said.values().cloned().map(Parcel::Report);
                    let handed = current.handed.values().filter(|_| *peer == Host::Standby);
                    let letters = handed.cloned().map(Parcel::Letter);
                    again.extend(letters.chain(reports).map(|parcel| (*epoch, parcel)));
                }
                again.into_iter().for_each(|(epoch, parcel)| self.send(*peer, epoch, parcel));
            }
            LinkEvent::Listening { .. } | LinkEvent::Connected { .. } | LinkEvent::Moving { .. } => {
                tracing::info!("{event}");
            }
            _ => tracing::warn!("{event}"),
        }
    }
}
