//! The door: how many connections there are, in all and of one address.
//!
//! Addresses are counted in memory for as long as a connection lasts, and forgotten with it. They are not logged, not
//! stored, not shown by `Debug`, and no handler of a request gets to see one.

use super::{
    limits::{Limits, RETRY},
    problem::Problem,
};
use crate::telemetry::Telemetry;
use actix_web::rt::{net::TcpStream, task::JoinHandle, time::sleep};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::{IpAddr, Shutdown},
    os::fd::AsFd,
    sync::{Arc, Mutex, MutexGuard},
};

/// Whom connections are counted of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    V4([u8; 4]),
    /// The first half of an address: one network of a household.
    V6([u16; 4]),
    /// The first 48 bits: what a provider gives to one customer.
    Network([u16; 3]),
}

impl Origin {
    /// All that a connection from an address counts for: none for a proxy, two in IPv6.
    fn of(address: IpAddr, proxies: &[IpAddr]) -> Vec<Self> {
        match address.to_canonical() {
            address if proxies.contains(&address) => Vec::new(),
            IpAddr::V4(address) => vec![Self::V4(address.octets())],
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                vec![Self::V6([a, b, c, d]), Self::Network([a, b, c])]
            }
        }
    }

    fn limit(self, limits: &Limits) -> usize {
        match self {
            Self::V4(_) | Self::V6(_) => limits.per_address,
            Self::Network(_) => limits.per_network,
        }
    }
}

#[derive(Default)]
struct Counts {
    all: usize,
    of: BTreeMap<Origin, usize>,
}

/// Counts connections, and turns those away that are too many.
pub(crate) struct Door {
    limits: Limits,
    counts: Mutex<Counts>,
    /// Whose numbers say how many there are, if anybody's do.
    desk: Option<Arc<dyn super::Desk>>,
}

/// A connection's place. It is free again when this is dropped, with the connection.
pub(crate) struct Place {
    door: Arc<Door>,
    origins: Vec<Origin>,
    /// Ends the connection at its age.
    end: JoinHandle<()>,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    /// Any connection.
    All,
    /// Another one of this address.
    Address,
}

impl Full {
    /// Its name among the numbers.
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
        }
    }
}

impl Door {
    pub(crate) fn new(limits: Limits, desk: Option<Arc<dyn super::Desk>>) -> Self {
        Self { limits, counts: Mutex::default(), desk }
    }

    /// Gives a new connection its place. If there is none it is told so and closed, whether or not it ever asks for
    /// anything.
    pub(crate) fn enter(self: &Arc<Self>, socket: &TcpStream) -> Option<Place> {
        // Without a peer it is closed already. Without a second handle it could not be ended.
        let (peer, handle) = (socket.peer_addr().ok()?, second_handle(socket).ok()?);
        let origins = Origin::of(peer.ip(), &self.limits.proxies);
        match self.count(&origins) {
            Ok(()) => {
                let age = self.limits.age;
                let end = actix_web::rt::spawn(async move {
                    sleep(age).await;
                    // It may have been closed just now.
                    drop(handle.shutdown(Shutdown::Both));
                });
                Some(Place { door: self.clone(), origins, end })
            }
            Err(full) => {
                if let Some(telemetry) = self.telemetry() {
                    telemetry.turned_away(full.name());
                }
                // It need not get to know why.
                drop((&handle).write_all(turned_away().as_bytes()));
                drop(handle.shutdown(Shutdown::Both));
                None
            }
        }
    }

    fn count(&self, origins: &[Origin]) -> Result<(), Full> {
        let mut counts = self.counts();
        let is_full =
            |origin: &Origin| counts.of.get(origin).is_some_and(|of| *of >= origin.limit(&self.limits));
        if counts.all >= self.limits.connections {
            return Err(Full::All);
        }
        if origins.iter().any(is_full) {
            return Err(Full::Address);
        }
        counts.all += 1;
        origins.iter().for_each(|origin| *counts.of.entry(*origin).or_default() += 1);
        self.tell(counts.all);
        Ok(())
    }

    fn leave(&self, origins: &[Origin]) {
        let mut counts = self.counts();
        counts.all -= 1;
        for origin in origins {
            if let Some(of) = counts.of.get_mut(origin) {
                *of -= 1;
                if *of == 0 {
                    counts.of.remove(origin);
                }
            }
        }
        self.tell(counts.all);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics while counting")
    }

    fn tell(&self, connections: usize) {
        if let Some(telemetry) = self.telemetry() {
            telemetry.connections(connections);
        }
    }

    fn telemetry(&self) -> Option<&Telemetry> {
        self.desk.as_ref().map(|desk| desk.telemetry())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.end.abort();
        self.door.leave(&self.origins);
    }
}

/// A handle by which a connection is ended from outside of what serves it.
fn second_handle(socket: &TcpStream) -> io::Result<std::net::TcpStream> {
    socket.as_fd().try_clone_to_owned().map(std::net::TcpStream::from)
}

/// What a connection without a place is told, before it has asked for anything.
fn turned_away() -> String {
    let body = Problem::Crowded.body();
    let (length, retry) = (body.len(), RETRY.as_secs());
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         retry-after: {retry}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::{super::limits::THIS_MACHINE, *};

    #[test]
    fn an_address_is_counted_by_what_a_customer_has() {
        let origin = |text: &str| Origin::of(text.parse::<IpAddr>().unwrap(), &THIS_MACHINE);
        assert!(origin("2001:db8:1:2::1") == origin("2001:db8:1:2:ffff::9"));
        assert!(origin("2001:db8:1:2::1")[0] != origin("2001:db8:1:3::1")[0]);
        assert!(origin("2001:db8:1:2::1")[1] == origin("2001:db8:1:3::1")[1]);
        assert!(origin("2001:db8:1:2::1")[1] != origin("2001:db8:2:2::1")[1]);
        assert!(origin("::ffff:192.0.2.1") == origin("192.0.2.1"));
        assert!(origin("192.0.2.1") != origin("192.0.2.2"));
    }

    #[test]
    fn a_proxy_is_not_counted_as_one_client() {
        for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(Origin::of(text.parse().unwrap(), &THIS_MACHINE).is_empty(), "{text}");
            assert!(!Origin::of(text.parse().unwrap(), &[]).is_empty(), "{text}");
        }
    }
}
