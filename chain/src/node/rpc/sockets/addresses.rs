//! How many sockets each address holds.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Part of a node's places that one address may hold: nobody alone keeps the others out. A proxy in front of a node is on
/// the same machine, and counts its own clients.
const PART_OF_ADDRESS: usize = 4;
/// Most sockets of one address, however many places there are: as many as people share one.
const MAX_OF_ADDRESS: usize = 64;

/// Sockets by the address that they come from.
#[derive(Clone)]
pub(super) struct Addresses {
    most: usize,
    counts: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// A socket that counts until this is dropped.
pub(in crate::node::rpc) struct Counted {
    of: Addresses,
    address: Option<IpAddr>,
}

impl Addresses {
    /// None yet, where so many sockets have a place.
    pub(super) fn of(places: usize) -> Self {
        Self { most: (places / PART_OF_ADDRESS).clamp(1, MAX_OF_ADDRESS), counts: Arc::default() }
    }

    /// Counts a socket, unless its address has as many as it may. Those of this machine are not counted.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Counted> {
        let address = network(peer);
        if let Some(address) = address {
            let mut counts = self.counts();
            let count = counts.entry(address).or_default();
            if *count == self.most {
                return None;
            }
            *count += 1;
        }
        Some(Counted { of: self.clone(), address })
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}

/// What counts as one address: of IPv6 the network of 64 bits, all of which one host may use.
fn network(peer: IpAddr) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    match peer {
        peer if peer.is_loopback() => None,
        IpAddr::V4(_) => Some(peer),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_a_bounded_number_of_sockets() {
        let addresses = Addresses::of(256);
        let take = |address: &str| addresses.take(address.parse().expect("an address"));
        let mut held: Vec<_> = (0..MAX_OF_ADDRESS).map(|_| take("192.0.2.1").expect("a place")).collect();
        assert!(take("192.0.2.1").is_none() && take("::ffff:192.0.2.1").is_none());
        let other = take("192.0.2.2").expect("another address");
        held.pop();
        held.push(take("192.0.2.1").expect("one was closed"));
        drop((held, other));
        assert!(addresses.counts().is_empty(), "nothing is kept of who has gone");
        // One host has many addresses of a network.
        let held: Vec<_> = (0..MAX_OF_ADDRESS).map(|n| take(&format!("2001:db8::{n:x}"))).collect();
        assert!(held.iter().all(Option::is_some) && take("2001:db8::ffff").is_none());
        assert!(take("2001:db8:0:1::1").is_some());
        // Few places are not for one address alone either.
        let few = Addresses::of(8);
        let held: Vec<_> = (0..3).map(|_| few.take("192.0.2.1".parse().expect("an address"))).collect();
        assert_eq!(held.iter().filter(|taken| taken.is_some()).count(), 2);
    }

    #[test]
    fn sockets_of_this_machine_are_not_counted() {
        let addresses = Addresses::of(4);
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let address = address.parse().expect("an address");
            let held: Vec<_> = (0..=MAX_OF_ADDRESS).map(|_| addresses.take(address)).collect();
            assert!(held.iter().all(Option::is_some));
        }
    }
}
