//! The accepting end: a door with room for few that have not said who they are.

use super::{
    Shared, connection,
    event::{LinkEvent, Refusal},
    frame::Frame,
    greet::{self, Refused},
    limits::{ACCEPT_PAUSE, MAX_REFUSALS_A_MINUTE, MAX_UNAUTHENTICATED},
};
use rand_core::RngCore;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

/// Where callers wait that have not proved who they are.
#[derive(Default)]
pub(super) struct Door {
    callers: Mutex<Callers>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Callers {
    /// How many there were, which numbers them.
    count: u64,
    /// Those that are there, the oldest first.
    waiting: Vec<Caller>,
}

/// Dropping one sends it away.
struct Caller {
    number: u64,
    network: IpAddr,
    _stays: oneshot::Sender<()>,
}

/// Whoever has one address of a network has the others too: an IPv6 address counts by its first 48 bits, which is what a
/// customer gets.
fn network(of: IpAddr) -> IpAddr {
    match of.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 80 << 80).into(),
    }
}

impl Callers {
    /// Who makes room for one more. Of those of whose network there are most, so that strangers from one place cannot keep
    /// a peer out, the oldest, who had the most time; if all are from places of their own, any: strangers that come faster
    /// than a greeting takes would otherwise always push a peer out.
    fn first_to_go(&self) -> Option<usize> {
        let mut from = BTreeMap::<IpAddr, usize>::new();
        self.waiting.iter().for_each(|caller| *from.entry(caller.network).or_default() += 1);
        let most = from.values().copied().max()?;
        match most {
            1 => Some(rand_core::OsRng.next_u64() as usize % self.waiting.len()),
            most => self.waiting.iter().position(|caller| from[&caller.network] == most),
        }
    }
}

/// Refusals that were told of in the present minute.
#[derive(Default)]
struct Told {
    since: Option<Instant>,
    count: u32,
    untold: u64,
}

/// A place at the door. Dropping it makes room.
struct Place<'a> {
    door: &'a Door,
    number: u64,
    sent_away: oneshot::Receiver<()>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.door.callers().waiting.retain(|caller| caller.number != self.number);
    }
}

impl Door {
    fn callers(&self) -> MutexGuard<'_, Callers> {
        self.callers.lock().expect("nothing panics at the door")
    }

    /// Takes a place. If there is none left, another caller is sent away.
    fn enter(&self, at: IpAddr) -> Place<'_> {
        let mut callers = self.callers();
        if callers.waiting.len() == MAX_UNAUTHENTICATED
            && let Some(gone) = callers.first_to_go()
        {
            callers.waiting.remove(gone);
        }
        callers.count += 1;
        let (number, (stays, sent_away)) = (callers.count, oneshot::channel());
        callers.waiting.push(Caller { number, network: network(at), _stays: stays });
        Place { door: self, number, sent_away }
    }

    /// How many refusals were not told of before this one; `None` if this one is not told of either.
    fn tell(&self, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().expect("nothing panics at the door");
        let minute = Duration::from_secs(60);
        if told.since.is_none_or(|since| now.saturating_duration_since(since) >= minute) {
            (told.since, told.count) = (Some(now), 0);
        }
        if told.count == MAX_REFUSALS_A_MINUTE {
            told.untold += 1;
            return None;
        }
        told.count += 1;
        Some(std::mem::take(&mut told.untold))
    }
}

/// Takes connections until this host stops.
pub(super) async fn listen(shared: Arc<Shared>, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _stopped = stopping.wait_for(|stopping| *stopping) => return,
        };
        match accepted {
            Ok((socket, at)) => {
                let stopping = stopping.clone();
                shared.spawn(|shared| async move { welcome(&shared, socket, at, stopping).await });
            }
            // A caller that is gone again, or no sockets left: neither ends listening.
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Finds out who called, and carries the link until it is over.
async fn welcome(shared: &Shared, socket: TcpStream, at: SocketAddr, stopping: watch::Receiver<bool>) {
    let mut place = shared.door.enter(at.ip());
    // Without it small frames wait for the acknowledgement of earlier ones; it is for speed only.
    let _set = socket.set_nodelay(true);
    let refused = |reason| Refused { peer: None, reason, socket: None };
    let waited = shared.timing.handshake;
    let answered = greet::answer(&shared.key, shared.me, &shared.peers, socket);
    let mut leaving = stopping.clone();
    let linked = tokio::select! {
        result = timeout(waited, answered) => result.unwrap_or_else(|_| Err(refused(Refusal::Slow { waited }))),
        _gone = &mut place.sent_away => Err(refused(Refusal::Crowded)),
        _stopped = leaving.wait_for(|leaving| *leaving) => return,
    };
    match linked {
        Ok((stream, peer, ticket)) => {
            drop(place);
            let answer = Frame::Hello(Box::new(ticket.answer.clone()));
            connection::run(peer, &ticket, stream, Some(answer), &shared.timing, stopping).await;
        }
        Err(refused) => {
            let (peer, reason) = (refused.peer, refused.reason.clone());
            if let Some(untold) = shared.door.tell(Instant::now()) {
                shared.handler.event(LinkEvent::Refused { peer, at: at.to_string(), reason, untold });
            }
            // Whoever was sent away from the door is not listened to either.
            if refused.reason != Refusal::Crowded {
                tokio::select! {
                    () = refused.linger() => {}
                    _gone = &mut place.sent_away => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn is_gone(place: &mut Place<'_>) -> bool {
        place.sent_away.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn one_caller_too_many_sends_one_away_from_where_most_come() {
        let door = Door::default();
        let (peer, stranger) = (at("192.0.2.1"), at("2001:db8::1"));
        let mut known = door.enter(peer);
        let crowd = |n| at(&format!("2001:db8::{n:x}"));
        let mut places: Vec<_> = (1..MAX_UNAUTHENTICATED).map(|n| door.enter(crowd(n))).collect();
        assert!(!is_gone(&mut known) && !places.iter_mut().any(is_gone));
        let _one_more = door.enter(stranger);
        assert!(is_gone(&mut places[0]), "the oldest of the crowd");
        assert!(!is_gone(&mut known) && !places[1..].iter_mut().any(is_gone));
        // One that leaves by itself makes room for another.
        places.truncate(10);
        let _another = door.enter(stranger);
        assert!(!is_gone(&mut known) && !places[1..].iter_mut().any(is_gone));
    }

    /// With a thousand strangers an instant from everywhere, the oldest would always be gone before it could say a word.
    #[test]
    fn callers_from_everywhere_send_any_away() {
        let door = Door::default();
        let mut places: Vec<_> =
            (0..MAX_UNAUTHENTICATED).map(|n| door.enter(at(&format!("10.0.0.{n}")))).collect();
        let more: Vec<_> = (0..MAX_UNAUTHENTICATED).map(|n| door.enter(at(&format!("10.0.1.{n}")))).collect();
        let left = places.iter_mut().filter_map(|place| (!is_gone(place)).then_some(())).count();
        assert!(left > 0, "a third of them on average");
        drop(more);
    }

    #[test]
    fn of_many_refusals_some_are_told_and_the_others_are_counted() {
        let (door, now) = (Door::default(), Instant::now());
        assert!((0..MAX_REFUSALS_A_MINUTE).all(|_| door.tell(now) == Some(0)));
        assert!((0..7).all(|_| door.tell(now).is_none()));
        assert_eq!(door.tell(now + Duration::from_secs(60)), Some(7));
        assert_eq!(door.tell(now + Duration::from_secs(60)), Some(0));
    }
}
