//! What links need to start, and what they do not accept.

use super::{
    event::Count,
    hello::Versions,
    host::Host,
    key::LinkKey,
    limits::{MAX_ADDRESS, MAX_PAYLOAD, MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES, Timing},
};
use ed25519_dalek::VerifyingKey;
use primitives::{ChainId, Digest};
use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};
use thiserror::Error;

/// Where a peer is, and how it proves that it is the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`. Only the lower host of a pair dials it.
    pub address: String,
    /// Its Ed25519 key, from the committee's record: `proofs::committee::Member::signing`.
    pub key: Digest,
}

/// What links need to start.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Who this host is.
    pub me: Host,
    /// Its key.
    pub key: LinkKey,
    /// Where it takes connections. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// The chain.
    pub chain: ChainId,
    /// Its first block.
    pub genesis: Digest,
    /// The peers that are known now.
    pub peers: BTreeMap<Host, Endpoint>,
    /// Versions of the protocol to speak: [`Versions::SPOKEN`], or fewer.
    pub versions: Versions,
    /// Times to keep.
    pub timing: Timing,
}

/// Why links do not start, or a peer is not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The address cannot be listened at.
    #[error("cannot take links at {at}: {source}. Choose another address, or end what uses this one")]
    Listen {
        /// Where.
        at: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No threads for the links.
    #[error("cannot start the threads of links: {0}")]
    Threads(io::Error),
    /// Times that contradict each other.
    #[error(
        "silence of {silence:?} would end links that ping every {ping:?}: the first must be more than twice the second, \
         and no wait may be zero or longer than the longest"
    )]
    Timing {
        /// Silence that ends a link.
        silence: Duration,
        /// How often a ping is sent.
        ping: Duration,
    },
    /// A host is no peer of itself.
    #[error("{0} is this host and no peer of it: leave it out of the peers")]
    Myself(Host),
    /// An address is not of the form `host:port`.
    #[error("the address of {peer} is {address:?}: it must be host:port, such as party2.example.org:7000")]
    Address {
        /// Whose.
        peer: Host,
        /// The address.
        address: String,
    },
    /// A key is no point of the curve, or one for which anybody can sign.
    #[error("the key of {peer} is {key}, which is no valid Ed25519 key: take it from the committee's record")]
    Key {
        /// Whose.
        peer: Host,
        /// The key.
        key: Digest,
    },
    /// Two hosts have the same key: who is who would be open.
    #[error("{first} and {second} have the same key: each host needs its own")]
    SharedKey {
        /// One of them.
        first: Host,
        /// The other.
        second: Host,
    },
}

/// Why a payload was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The receiver is this host, or its address and key are not set.
    #[error("{0} is no peer of this host: set its address and key first")]
    NoPeer(Host),
    /// The payload is too long.
    #[error("a payload of {length} bytes is over the limit of {MAX_PAYLOAD}")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// Too much waits for the peer already.
    #[error(
        "{} payloads of {} bytes wait for {to}, and at most {MAX_QUEUED_FRAMES} of {MAX_QUEUED_BYTES} may: send again \
         when it has acknowledged some",
        .waiting.frames, .waiting.bytes
    )]
    Full {
        /// For whom.
        to: Host,
        /// What waits.
        waiting: Count,
    },
    /// The links have stopped.
    #[error("the links of this host have stopped")]
    Stopped,
}

/// Checks that times fit together.
pub(super) fn check_timing(timing: &Timing) -> Result<(), LinkError> {
    let Timing { silence, ping, first_wait, longest_wait, .. } = *timing;
    let fits = silence > 2 * ping && !ping.is_zero() && !first_wait.is_zero() && first_wait <= longest_wait;
    fits.then_some(()).ok_or(LinkError::Timing { silence, ping })
}

/// Checks a peer against this host and the other peers.
pub(super) fn check(
    me: Host,
    mine: &LinkKey,
    peer: Host,
    endpoint: &Endpoint,
    others: &BTreeMap<Host, Endpoint>,
) -> Result<(), LinkError> {
    let Endpoint { address, key } = endpoint;
    if peer == me {
        return Err(LinkError::Myself(me));
    }
    let parts = address.rsplit_once(':').filter(|_| address.len() <= MAX_ADDRESS);
    if !parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err(LinkError::Address { peer, address: address.clone() });
    }
    if !VerifyingKey::from_bytes(&key.0).is_ok_and(|key| !key.is_weak()) {
        return Err(LinkError::Key { peer, key: *key });
    }
    if mine.public() == *key {
        return Err(LinkError::SharedKey { first: me, second: peer });
    }
    match others.iter().find(|(host, other)| **host != peer && other.key == *key) {
        Some((other, _)) => Err(LinkError::SharedKey { first: peer.min(*other), second: peer.max(*other) }),
        None => Ok(()),
    }
}
