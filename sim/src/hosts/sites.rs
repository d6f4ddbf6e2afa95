//! Where the processes of a run are: all of them here, or some of them where a network has been made for them.

use engine::host::Seat;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// Where a host's process is that does not run where this program does.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address at which it is reached.
    pub address: IpAddr,
    /// The command that runs a program there, such as `nsenter --target 7 --net`.
    pub through: Vec<String>,
}

/// Where all processes of a run are. By default they are on this machine's loopback.
#[derive(Clone, Debug)]
pub struct Sites {
    /// Address of whatever runs where this program does: the node, issuers, and hosts that are nowhere else.
    pub here: IpAddr,
    /// Hosts that are elsewhere.
    pub elsewhere: BTreeMap<Seat, Site>,
}

impl Default for Sites {
    fn default() -> Self {
        Self { here: Ipv4Addr::LOCALHOST.into(), elsewhere: BTreeMap::new() }
    }
}

impl Sites {
    /// Where a host listens, on a port that is free here.
    pub(super) fn of(&self, seat: Seat, free: SocketAddr) -> SocketAddr {
        let address = self.elsewhere.get(&seat).map_or(self.here, |site| site.address);
        SocketAddr::new(address, free.port())
    }

    /// The command that runs a host's program where it is. Empty if that is here.
    pub(super) fn through(&self, seat: Seat) -> &[String] {
        self.elsewhere.get(&seat).map_or(&[], |site| &site.through)
    }
}
