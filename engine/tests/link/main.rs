//! Links between hosts, over real sockets on the loopback: what is sent arrives once and in order whatever happens to the
//! connection, and whoever should not be there is refused with a reason.

mod delivery;
mod keys;
mod probe;
mod proxy;
mod raw;
mod stalls;
mod strangers;
mod world;
