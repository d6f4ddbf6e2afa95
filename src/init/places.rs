//! Where everybody of a pilot listens and is found.

use super::InitFailure;
use crate::cli::InitCommittee;
use primitives::PartyId;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// From the node's port to those of the links, the APIs and the issuers.
const LINKS: u16 = 101;
const APIS: u16 = 201;
const ISSUERS: u16 = 301;

/// Longest name of a host, as in the domain name system.
const MAX_HOST_BYTES: usize = 253;

/// Addresses of a pilot.
pub(super) struct Places {
    /// The hosts of the three parties, or none: everything is on this machine.
    hosts: Option<[String; 3]>,
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
        let hosts = match <[String; 3]>::try_from(arguments.hosts.clone()) {
            Ok(hosts) => Some(hosts),
            Err(none) if none.is_empty() => None,
            Err(given) => return Err(InitFailure::Host { given: given.join(",") }),
        };
        Ok(Self { hosts, port: arguments.port })
    }

    /// Whether everything is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.hosts.is_none()
    }

    fn host(&self, party: PartyId) -> &str {
        self.hosts.as_ref().map_or("127.0.0.1", |hosts| &hosts[party.index()])
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
        format!("ws://{}:{}", self.host(PartyId::ALL[0]), self.port)
    }

    fn numbered(party: PartyId) -> u16 {
        u16::from(u8::from(party)) - 1
    }

    pub(super) fn links(&self, party: PartyId) -> SocketAddr {
        self.open(self.port + LINKS + Self::numbered(party))
    }

    /// Where the other two find a party.
    pub(super) fn peer(&self, party: PartyId) -> String {
        format!("{}:{}", self.host(party), self.links(party).port())
    }

    pub(super) fn api(&self, party: PartyId) -> SocketAddr {
        self.behind_proxy(self.port + APIS + Self::numbered(party))
    }

    /// Where clients find the parties.
    pub(super) fn apis(&self) -> [String; 3] {
        PartyId::ALL.map(|party| match self.is_local() {
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
            false => format!("https://{name}.{}", self.host(PartyId::ALL[0])),
        })
    }

    /// Where the steward finds them, on the host where they are.
    pub(super) fn issuers_here(&self) -> [String; 2] {
        [0, 1].map(|number| format!("http://{}", self.issuer(number)))
    }
}
