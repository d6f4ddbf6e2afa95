//! Where everybody of a pilot listens and is found.

use super::InitFailure;
use crate::cli::InitCommittee;
use engine::host::Seat;
use primitives::PartyId;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// From the node's port to those of the links, the APIs and the issuers.
const LINKS: u16 = 101;
const APIS: u16 = 201;
const ISSUERS: u16 = 301;

/// Longest name of a host, as in the domain name system.
const MAX_HOST_BYTES: usize = 253;

/// The place of a host among all of them.
fn number(seat: Seat) -> u16 {
    match seat {
        Seat::Party(party) => u16::from(u8::from(party)) - 1,
        Seat::Standby => PartyId::ALL.len() as u16,
    }
}

/// Addresses of a pilot.
pub(super) struct Places {
    /// The hosts of the three parties and perhaps of who stands by, or none: everything is on this machine.
    hosts: Vec<String>,
    port: u16,
}

impl Places {
    pub(super) fn of(arguments: &InitCommittee) -> Result<Self, InitFailure> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let is_host =
            |host: &&String| !host.is_empty() && host.len() <= MAX_HOST_BYTES && host.chars().all(plain);
        if let Some(given) = arguments.hosts.iter().find(|host| !is_host(host)) {
            return Err(InitFailure::Host { given: given.clone() });
        }
        // Two parties on one host are one party.
        let mut seen = BTreeSet::new();
        if let Some(twice) = arguments.hosts.iter().find(|host| !seen.insert(*host)) {
            return Err(InitFailure::HostTwice { host: twice.clone() });
        }
        match arguments.hosts.len() {
            0 | 3 | 4 => Ok(Self { hosts: arguments.hosts.clone(), port: arguments.port }),
            _ => Err(InitFailure::Host { given: arguments.hosts.join(",") }),
        }
    }

    /// Whether everything is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Everybody who has a host.
    pub(super) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        let count = if self.is_local() { Seat::ALL.len() } else { self.hosts.len() };
        Seat::ALL.into_iter().take(count)
    }

    fn host(&self, seat: Seat) -> &str {
        self.hosts.get(usize::from(number(seat))).map_or("127.0.0.1", String::as_str)
    }

    fn first(&self) -> &str {
        self.host(Seat::ALL[0])
    }

    /// Where something listens that the others reach directly.
    fn open(&self, port: u16) -> SocketAddr {
        let ip = if self.is_local() { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        SocketAddr::new(IpAddr::V4(ip), port)
    }

    /// Where something listens that others reach through a proxy with TLS.
    fn behind_proxy(&self, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }

    pub(super) fn node(&self) -> SocketAddr {
        self.open(self.port)
    }

    pub(super) fn node_url(&self) -> String {
        format!("ws://{}:{}", self.first(), self.port)
    }

    pub(super) fn links(&self, seat: Seat) -> SocketAddr {
        self.open(self.port + LINKS + number(seat))
    }

    /// Where the others find a host.
    pub(super) fn peer(&self, seat: Seat) -> String {
        format!("{}:{}", self.host(seat), self.links(seat).port())
    }

    pub(super) fn api(&self, seat: Seat) -> SocketAddr {
        self.behind_proxy(self.port + APIS + number(seat))
    }

    /// Where clients find the parties.
    pub(super) fn apis(&self) -> [String; 3] {
        PartyId::ALL.map(Seat::Party).map(|party| match self.is_local() {
            true => format!("http://{}", self.api(party)),
            false => format!("https://{}", self.host(party)),
        })
    }

    /// Where the issuers of tokens and of receipts listen.
    pub(super) fn issuer(&self, number: u16) -> SocketAddr {
        self.behind_proxy(self.port + ISSUERS + number)
    }

    /// Where clients find the issuers of tokens and of receipts.
    pub(super) fn issuers(&self) -> [String; 2] {
        [(0, "tokens"), (1, "receipts")].map(|(number, name)| match self.is_local() {
            true => format!("http://{}", self.issuer(number)),
            false => format!("https://{name}.{}", self.first()),
        })
    }

    /// Where the steward finds them, on the host where they are.
    pub(super) fn issuers_here(&self) -> [String; 2] {
        [0, 1].map(|number| format!("http://{}", self.issuer(number)))
    }
}
