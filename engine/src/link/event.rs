//! What a link tells the layer above.

use super::{
    frame::{FrameError, Parting},
    hello::{Incarnation, Mismatch},
    host::Host,
};
use primitives::Digest;
use std::{fmt, net::SocketAddr, time::Duration};
use thiserror::Error;

/// What stands above the links. Its functions are called on the threads of the links, one at a time for each peer, and
/// everything of that peer waits meanwhile: they must be quick and must not panic. They may call everything of
/// [`Links`](super::Links) but `set_peer` and `stop`.
pub trait Handler: Send + Sync + 'static {
    /// A payload of a peer: each once, and in the order in which it was sent.
    fn received(&self, from: Host, bytes: Vec<u8>);

    /// Something happened to a link.
    fn event(&self, event: LinkEvent);
}

/// What happens to links. [`fmt::Display`] is a line for a log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkEvent {
    /// This host takes connections.
    #[error("links of {me} are taken at {at}")]
    Listening {
        /// Who.
        me: Host,
        /// Where.
        at: SocketAddr,
    },
    /// A peer is there.
    #[error("linked to {peer}{}", if *.fresh { ", which has begun anew" } else { "" })]
    Connected {
        /// Who.
        peer: Host,
        /// Whether this is a new life of the peer, or the first: it knows nothing of what an earlier one received. Comes
        /// before every payload of that life.
        fresh: bool,
    },
    /// A peer is gone. What was not acknowledged waits for it.
    #[error("the link to {peer} is lost: {reason}")]
    Lost {
        /// Who.
        peer: Host,
        /// Why.
        reason: Loss,
    },
    /// A peer could not be reached.
    #[error("{peer} cannot be reached at {at}: {reason}. It is tried again in {next:.1?}")]
    Unreachable {
        /// Who.
        peer: Host,
        /// Its address.
        at: String,
        /// What the system says.
        reason: String,
        /// When it is tried again.
        next: Duration,
    },
    /// A connection was refused, by this host or by the other.
    #[error("no link with {} at {at}: {reason}", named(.peer))]
    Refused {
        /// The peer that was dialled, or who the caller says to be. It has proved that only if the reason says so.
        peer: Option<Host>,
        /// The address of the other end.
        at: String,
        /// Why.
        reason: Refusal,
        /// Callers refused since the last such event that were not told of: there were too many.
        untold: u64,
    },
    /// Something that the layer above, or the link, waits for takes long. Told again whenever the time has doubled.
    #[error("{peer} has kept this host waiting for {waited:.1?}: {step}")]
    Stalled {
        /// For whom.
        peer: Host,
        /// For what.
        step: String,
        /// How long.
        waited: Duration,
    },
    /// What had stalled goes on.
    #[error("{peer} goes on after {waited:.1?}: {step}")]
    Moving {
        /// Who.
        peer: Host,
        /// What was waited for.
        step: String,
        /// How long.
        waited: Duration,
    },
}

fn named(peer: &Option<Host>) -> String {
    peer.map_or("somebody".into(), |peer| peer.to_string())
}

/// Why a link was lost.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Loss {
    /// The peer stops, and said so.
    #[error("it stops")]
    Left,
    /// The peer refuses this host.
    #[error("it refuses this host, because it met {0}")]
    RefusedBy(Mismatch),
    /// A newer connection of the same peer took the place of this one.
    #[error("it has connected again")]
    Replaced,
    /// Its key or address was replaced.
    #[error("its key or address was replaced")]
    Rekeyed,
    /// Nothing came for long, not even an answer to pings.
    #[error("nothing came of it for {waited:.1?}: check that its process runs and that the line is up")]
    Silent {
        /// How long.
        waited: Duration,
    },
    /// The connection ended, or what came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame that does not belong there.
    #[error(transparent)]
    Rule(#[from] Breach),
    /// This host stops.
    #[error("this host stops")]
    Stopped,
}

impl From<Parting> for Loss {
    fn from(parting: Parting) -> Self {
        match parting {
            Parting::Stopping => Self::Left,
            Parting::Refused(mismatch) => Self::RefusedBy(mismatch),
        }
    }
}

/// Rules of the protocol that a peer broke. Its software is at fault, or another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// A payload was left out.
    #[error("payload {found} came where {expected} comes next: compare the releases of both hosts")]
    Gap {
        /// The number that comes next.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// It acknowledges what was never sent.
    #[error(
        "it acknowledges payloads below {next}, and {sent} were sent: compare the releases of both hosts"
    )]
    Unsent {
        /// What it says that it expects next.
        next: u64,
        /// How many were sent.
        sent: u64,
    },
    /// A greeting inside a conversation, or something else in the place of one.
    #[error("a greeting out of place: compare the releases of both hosts")]
    Greeting,
}

/// Why there is no link with whoever is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The caller has a key that no peer has.
    #[error(
        "its key {presented} is pinned for no peer: check the committee's record on the chain, and that the caller \
         was started with the key that it names"
    )]
    UnknownKey {
        /// The key.
        presented: Digest,
    },
    /// Whoever answered has another key than the peer that was dialled.
    #[error(
        "its key is {presented} and not the pinned {expected}: check the peer's address, and its key in the \
         committee's record on the chain"
    )]
    OtherKey {
        /// The key of the peer.
        expected: Digest,
        /// The key that was presented.
        presented: Digest,
    },
    /// The other end does not know this host's key.
    #[error(
        "it refuses the key of this host: compare this host's key with the one in the committee's record that the \
         other follows"
    )]
    KeyRefused,
    /// The caller presents no raw public key.
    #[error("it presents no raw public key: it is no host of this committee")]
    NoKey,
    /// The caller does not speak TLS.
    #[error("it does not speak TLS: {0}")]
    NotTls(String),
    /// The caller speaks an older TLS only.
    #[error("it does not speak TLS 1.3")]
    OldTls,
    /// Anything else that TLS does not accept.
    #[error("TLS with it failed: {0}")]
    Tls(String),
    /// The connection ended, or no greeting came.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame out of place.
    #[error(transparent)]
    Rule(#[from] Breach),
    /// It has proved its key, and does not fit.
    #[error("it has proved its key, but this host met {0}")]
    Mismatch(Mismatch),
    /// It has proved its key, and says that this host does not fit.
    #[error("it has proved its key, and refuses this host because it met {0}")]
    RefusedBy(Mismatch),
    /// It took too long.
    #[error("it did not prove who it is within {waited:.1?}")]
    Slow {
        /// How long it had.
        waited: Duration,
    },
    /// More callers than there is room for.
    #[error("too many callers that have not proved who they are: the oldest gave way")]
    Crowded,
    /// The key was replaced while it was proved.
    #[error("the key of this peer was replaced meanwhile")]
    Rekeyed,
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No address and key of the peer are known.
    Unset,
    /// The peer is to dial.
    Waiting,
    /// This host dials.
    Dialling {
        /// Which attempt since the last connection, from 1.
        attempt: u32,
    },
    /// The peer is there.
    Connected,
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("unset"),
            Self::Waiting => f.write_str("waiting"),
            Self::Dialling { .. } => f.write_str("dialling"),
            Self::Connected => f.write_str("connected"),
        }
    }
}

/// Payloads, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub frames: u64,
    /// Their bytes together.
    pub bytes: u64,
}

impl Count {
    pub(super) fn add(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes as u64;
    }
}

/// What is known of the link to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The peer.
    pub peer: Host,
    /// Its address; none if the peer is unset.
    pub address: Option<String>,
    /// Where the link stands.
    pub state: LinkState,
    /// For how long.
    pub since: Duration,
    /// Time from the last answered ping to its answer, in this connection.
    pub round_trip: Option<Duration>,
    /// Payloads that were written to the peer, those written again included.
    pub sent: Count,
    /// Payloads that were written once more to the same process of the peer, after a break.
    pub resent: Count,
    /// Payloads that the peer sent and the layer above has.
    pub received: Count,
    /// Payloads that wait for the peer's acknowledgement.
    pub unacknowledged: Count,
    /// The life of the peer that was last heard.
    pub incarnation: Option<Incarnation>,
    /// The version of the protocol that is spoken, while connected.
    pub version: Option<u16>,
}
