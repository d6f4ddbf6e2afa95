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
    /// The first half of an address: what a network gives to one customer.
    V6([u16; 4]),
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
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
    origin: Origin,
    /// Ends the connection at its age.
    end: JoinHandle<()>,
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
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
        let origin = Origin::from(peer.ip());
        match self.count(origin) {
            Ok(()) => {
                let age = self.limits.age;
                let end = actix_web::rt::spawn(async move {
                    sleep(age).await;
                    // It may have been closed just now.
                    drop(handle.shutdown(Shutdown::Both));
                });
                Some(Place { door: self.clone(), origin, end })
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

    fn count(&self, origin: Origin) -> Result<(), Full> {
        let mut counts = self.counts();
        let of = counts.of.get(&origin).copied().unwrap_or(0);
        if counts.all >= self.limits.connections {
            return Err(Full::All);
        }
        if of >= self.limits.per_address {
            return Err(Full::Address);
        }
        counts.all += 1;
        counts.of.insert(origin, of + 1);
        self.tell(counts.all);
        Ok(())
    }

    fn leave(&self, origin: Origin) {
        let mut counts = self.counts();
        counts.all -= 1;
        if let Some(of) = counts.of.get_mut(&origin) {
            *of -= 1;
            if *of == 0 {
                counts.of.remove(&origin);
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
        self.door.leave(self.origin);
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
    use super::*;

    #[test]
    fn an_address_is_counted_by_what_a_customer_has() {
        let origin = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert!(origin("2001:db8:1:2::1") == origin("2001:db8:1:2:ffff::9"));
        assert!(origin("2001:db8:1:2::1") != origin("2001:db8:1:3::1"));
        assert!(origin("::ffff:192.0.2.1") == origin("192.0.2.1"));
        assert!(origin("192.0.2.1") != origin("192.0.2.2"));
    }
}
