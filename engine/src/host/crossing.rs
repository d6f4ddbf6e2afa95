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

/// The epoch in hand.
struct Current {
    epoch: EpochId,
    board: Arc<Switchboard>,
    said: BTreeMap<Kind, Report>,
    /// What a standby was sent that it cannot do without: votes for its seat, and shares.
    handed: BTreeMap<(bool, ShardIndex), Letter>,
}

#[derive(Default)]
struct Inner {
    links: Option<Links>,
    current: Option<Current>,
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

    /// Goes on to an epoch, whose actors are at this switchboard: what came ahead of it is handed over.
    pub(super) fn enter(&self, epoch: EpochId, board: Arc<Switchboard>) {
        let mut inner = self.inner();
        let ahead = std::mem::take(&mut inner.ahead);
        inner.current = Some(Current { epoch, board, said: BTreeMap::new(), handed: BTreeMap::new() });
        drop(inner);
        for (from, parcels) in ahead {
            parcels.into_iter().for_each(|bytes| self.received(from, bytes));
        }
    }

    /// The epoch in hand is over.
    pub(super) fn leave(&self) {
        self.inner().current = None;
    }

    fn arrived(&self, from: Host, wire: Wire, bytes: Vec<u8>) {
        let mut inner = self.inner();
        let epoch = inner.current.as_ref().map(|current| current.epoch);
        if epoch.is_none_or(|epoch| wire.epoch > epoch) {
            let is_next = epoch.is_none_or(|epoch| wire.epoch.0 == epoch.0 + 1);
            let ahead = inner.ahead.entry(from).or_default();
            let size = ahead.iter().map(Vec::len).sum::<usize>() + bytes.len();
            if is_next && ahead.len() < MAX_AHEAD && size <= MAX_AHEAD_BYTES {
                ahead.push(bytes);
            }
            return;
        }
        let Some(current) = inner.current.as_ref().filter(|current| current.epoch == wire.epoch) else {
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

impl Exterior for Crossing {
    fn carry(&self, to: Address, parcel: Parcel) {
        let to = match to {
            Address::Party(party) => Host::Party(party),
            Address::Standby => Host::Standby,
            _ => return,
        };
        let mut inner = self.inner();
        // That this party is there is of use to whoever is there too.
        let is_here = matches!(&parcel, Parcel::Letter(letter) if letter.message == PeerMessage::Here);
        if is_here && !inner.links.as_ref().is_some_and(|links| links.is_linked(to)) {
            return;
        }
        let Some(current) = &mut inner.current else { return };
        match &parcel {
            Parcel::Report(report) => drop(current.said.insert(kind(report), report.clone())),
            Parcel::Letter(letter) => {
                let is_vote = matches!(letter.message, PeerMessage::SeatVote(..));
                if to == Host::Standby && (is_vote || matches!(letter.message, PeerMessage::HandOver(_))) {
                    current.handed.insert((is_vote, letter.shard), letter.clone());
                }
            }
        }
        let epoch = current.epoch;
        drop(inner);
        self.send(to, epoch, parcel);
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
                if let Some(current) = &self.inner().current {
                    let (own, host) = (current.board.own(), address(*peer));
                    // Nobody of this host is ever away.
                    let _taken = current.board.send(Address::Outside, own, Message::Restarted(host));
                }
                // It knows nothing of what this party has reported, and if it stands by, has no share of anything.
                let again = self.inner().current.as_ref().map(|current| {
                    let reports = current.said.values().cloned().map(Parcel::Report);
                    let handed = current.handed.values().filter(|_| *peer == Host::Standby);
                    let letters = handed.cloned().map(Parcel::Letter);
                    (current.epoch, letters.chain(reports).collect::<Vec<_>>())
                });
                let (epoch, parcels) = again.unwrap_or_default();
                parcels.into_iter().for_each(|parcel| self.send(*peer, epoch, parcel));
            }
            LinkEvent::Listening { .. } | LinkEvent::Connected { .. } | LinkEvent::Moving { .. } => {
                tracing::info!("{event}");
            }
            _ => tracing::warn!("{event}"),
        }
    }
}
