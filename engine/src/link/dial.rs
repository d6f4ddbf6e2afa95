//! The dialling end: tries again, less and less often, until the peer is there.

use super::{
    Endpoint, Shared, connection,
    event::{LinkEvent, Refusal},
    greet::{self, Refused},
    limits::Timing,
    peer::{Peer, Ticket},
};
use rand_core::{OsRng, RngCore};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_rustls::client::TlsStream;

/// How long to wait before dialling again: twice as long each time, up to a bound, and a random part of the later half,
/// so that hosts that lost each other together do not dial together for ever.
#[derive(Debug)]
struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    fn new(timing: &Timing) -> Self {
        Self { first: timing.first_wait, longest: timing.longest_wait, next: timing.first_wait }
    }

    fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next wait. `random` is any number.
    fn wait(&mut self, random: u32) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// Why there is no link.
enum Failure {
    Unreachable(String),
    Refused(Refused),
}

/// Dials a peer until this host stops.
pub(super) async fn keep(shared: Arc<Shared>, peer: Arc<Peer>, stopping: watch::Receiver<bool>) {
    let mut backoff = Backoff::new(&shared.timing);
    let mut attempt = 0;
    let mut leaving = stopping.clone();
    while !*leaving.borrow() {
        // What was told before the address is looked at is no reason to look again.
        tokio::select! {
            biased;
            () = peer.redial.notified() => {}
            () = std::future::ready(()) => {}
        }
        let Some(endpoint) = peer.endpoint() else {
            tokio::select! {
                () = peer.redial.notified() => continue,
                _stopped = leaving.wait_for(|leaving| *leaving) => return,
            }
        };
        attempt += 1;
        peer.dialling(attempt);
        let linked = tokio::select! {
            linked = reach(&shared, &peer, &endpoint) => linked,
            // Another address or key: this one is dialled no longer.
            () = peer.redial.notified() => continue,
            _stopped = leaving.wait_for(|leaving| *leaving) => return,
        };
        let failure = match linked {
            Ok((stream, ticket)) => {
                let start = Instant::now();
                connection::run(&peer, &ticket, stream, None, &shared.timing, stopping.clone()).await;
                attempt = 0;
                if start.elapsed() >= shared.timing.steady {
                    backoff.reset();
                }
                None
            }
            Err(failure) => Some(failure),
        };
        let next = backoff.wait(OsRng.next_u32());
        match failure {
            None => {}
            Some(Failure::Unreachable(reason)) => {
                let (peer, at) = (peer.host, endpoint.address);
                shared.handler.event(LinkEvent::Unreachable { peer, at, reason, next });
            }
            Some(Failure::Refused(refused)) => {
                let (peer, at, reason) = (refused.peer, endpoint.address, refused.reason.clone());
                shared.handler.event(LinkEvent::Refused { peer, at, reason, untold: 0 });
                refused.linger().await;
            }
        }
        tokio::select! {
            () = sleep(next) => {}
            () = peer.redial.notified() => backoff.reset(),
            _stopped = leaving.wait_for(|leaving| *leaving) => return,
        }
    }
}

/// One attempt.
async fn reach(
    shared: &Shared,
    peer: &Peer,
    endpoint: &Endpoint,
) -> Result<(TlsStream<TcpStream>, Ticket), Failure> {
    let waited = shared.timing.handshake;
    let attempt = async {
        let unreachable = |error: std::io::Error| Failure::Unreachable(error.to_string());
        let socket = TcpStream::connect(&endpoint.address).await.map_err(unreachable)?;
        // Without it small frames wait for the acknowledgement of earlier ones; it is for speed only.
        let _set = socket.set_nodelay(true);
        greet::dial(&shared.key, shared.me, peer, endpoint.key, socket).await.map_err(Failure::Refused)
    };
    let slow = || Refused { peer: Some(peer.host), reason: Refusal::Slow { waited }, socket: None };
    timeout(waited, attempt).await.unwrap_or_else(|_| Err(Failure::Refused(slow())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew() {
        let second = Duration::from_secs(1);
        let timing = Timing { first_wait: second, longest_wait: second * 5, ..Timing::default() };
        let mut backoff = Backoff::new(&timing);
        let waits: Vec<_> = (0..5).map(|_| backoff.wait(u32::MAX)).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5].map(|n| second * n));
        backoff.reset();
        assert_eq!(backoff.wait(0), second / 2);
        assert!((0..100).all(|n| (second..=second * 5).contains(&backoff.wait(n * 40_000_000))));
    }
}
