//! What clients may cost a party, each with its reason.

use super::ApiError;
use primitives::limits::MAX_BUNDLE_BYTES;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// Connections at a time. Each takes two files of the process, which often may have 1,024 and more only when asked for, and
/// may hold 128 KiB of a request's head before it is refused: 64 MiB in all.
pub const CONNECTIONS: usize = 480;
/// Connections of one address at a time: a sixteenth of all. A household behind one address has enough, and a handful of
/// addresses does not shut the others out.
pub const PER_ADDRESS: usize = CONNECTIONS / 16;
/// Connections of one network of IPv6 at a time, which is its first 48 bits: a provider gives one to a customer, with 65,536
/// addresses that are counted as one each.
pub const PER_NETWORK: usize = CONNECTIONS / 4;
/// Where a proxy on the same machine is.
pub const THIS_MACHINE: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
/// Bundles that are being read or waited for at a time: with the longest of them, 128 MiB.
pub const SUBMISSIONS: usize = 256;
/// For the head of a request to come: any client sends it in one packet or two.
pub const HEAD: Duration = Duration::from_secs(10);
/// For a body to come: the longest bundle over 140 kbit/s.
pub const BODY: Duration = Duration::from_secs(30);
/// For the next request of a connection.
pub const IDLE: Duration = Duration::from_secs(15);
/// For a bundle to be verified and on disk. Whoever waits longer asks for its status.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// For a connection in all. A client that takes its answers too slowly holds its place no longer than this.
pub const AGE: Duration = Duration::from_secs(600);
/// For requests in hand to be finished when the API stops.
pub const FAREWELL: Duration = Duration::from_secs(60);
/// When a client that was told that there is no room may come again.
pub const RETRY: Duration = Duration::from_secs(2);
/// When a client that came before an epoch was open, or after it closed, may come again.
pub const RETRY_CLOSED: Duration = Duration::from_secs(60);

const _: () = {
    assert!(PER_ADDRESS >= 1 && PER_ADDRESS < PER_NETWORK && PER_NETWORK < CONNECTIONS);
    assert!(SUBMISSIONS < CONNECTIONS, "readers have places left when every place for bundles is taken");
    assert!(SUBMISSIONS * MAX_BUNDLE_BYTES <= 128 << 20);
    // What was begun is finished when the API stops.
    assert!(FAREWELL.as_secs() > BODY.as_secs() + PATIENCE.as_secs());
    assert!(AGE.as_secs() > HEAD.as_secs() + BODY.as_secs() + PATIENCE.as_secs());
};

/// What clients may cost. The default is [`CONNECTIONS`], [`PER_ADDRESS`] and so on.
///
/// Behind a proxy all clients come from the address of the proxy, which then counts theirs. A proxy must not log the paths of
/// `/v1/bundles`, which name bundles, beside addresses.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time, at least 1.
    pub connections: usize,
    /// Connections of one address at a time, at least 1. The first 64 bits of an IPv6 address count as one: whoever has one
    /// of them has them all.
    pub per_address: usize,
    /// Connections of the first 48 bits of an IPv6 address at a time, at least 1.
    pub per_network: usize,
    /// Addresses of proxies: those count connections of one address themselves, and are not counted here.
    pub proxies: Vec<IpAddr>,
    /// Bundles that are being read or waited for at a time, at least 1.
    pub submissions: usize,
    /// For the head of a request to come.
    pub head: Duration,
    /// For a body to come.
    pub body: Duration,
    /// For the next request of a connection.
    pub idle: Duration,
    /// For the answer to a bundle, after which the client is told to ask again.
    pub patience: Duration,
    /// For a connection in all.
    pub age: Duration,
    /// For requests in hand to be finished when the API stops. Whole seconds count.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            per_address: PER_ADDRESS,
            per_network: PER_NETWORK,
            proxies: THIS_MACHINE.into(),
            submissions: SUBMISSIONS,
            head: HEAD,
            body: BODY,
            idle: IDLE,
            patience: PATIENCE,
            age: AGE,
            farewell: FAREWELL,
        }
    }
}

impl Limits {
    /// Whether somebody gets in at all, and every wait has an end that is not now.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let numbers = [
            ("connections", self.connections),
            ("per_address", self.per_address),
            ("per_network", self.per_network),
            ("submissions", self.submissions),
        ];
        let times = [
            ("head", self.head),
            ("body", self.body),
            ("idle", self.idle),
            ("patience", self.patience),
            ("age", self.age),
            ("farewell", self.farewell),
        ];
        let none = numbers.into_iter().find(|(_, number)| *number == 0).map(|(name, _)| name);
        let never = times.into_iter().find(|(_, time)| time.is_zero()).map(|(name, _)| name);
        none.or(never).map_or(Ok(()), |limit| Err(ApiError::Limit { limit }))
    }
}
