//! The greeting: who is there, on which chain, in which versions, and what it has of the other.
//!
//! Its layout, and that of a refusal, are the same in every version of the protocol, so that two versions can tell each other that they have
//! nothing in common. The keys were proved by TLS before; the greeting stops hosts of another deployment, and hosts that
//! were told the wrong number.

use super::host::Host;
use primitives::{ChainId, CodecError, Decode, Digest, Encode, Reader, Writer, codec_struct};
use std::fmt;
use thiserror::Error;

/// What every greeting starts with: whoever has the key and speaks something else is told so.
const MAGIC: [u8; 8] = *b"cwe-link";

/// Versions of the link protocol that a host speaks, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The oldest.
    pub first: u16,
    /// The newest.
    pub last: u16,
}

impl Versions {
    /// What this code speaks.
    pub const SPOKEN: Self = Self { first: 1, last: 1 };
    /// What a caller says that only wants to know whether a host is there: no host speaks it.
    pub const NONE: Self = Self { first: 0, last: 0 };

    /// The newest version that both speak.
    pub fn common(self, other: Self) -> Option<u16> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(last)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

codec_struct!(Versions { first, last });

/// One life of one end of a link: random, drawn when the process starts and when the peer's key is replaced. Numbers of
/// payloads mean something within one life of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Encode for Incarnation {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Incarnation {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u64::decode(r).map(Self)
    }
}

/// What a host has of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The life of the other that it last heard.
    pub incarnation: Incarnation,
    /// The number of the payload that it expects next.
    pub next: u64,
}

codec_struct!(Received { incarnation, next });

/// The first frame of each end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Versions that the sender speaks.
    pub versions: Versions,
    /// The chain that it serves.
    pub chain: ChainId,
    /// The first block of that chain: a chain that was begun anew may have the same number.
    pub genesis: Digest,
    /// Who the sender is.
    pub from: Host,
    /// Who it takes the receiver for.
    pub to: Host,
    /// The sender's life.
    pub incarnation: Incarnation,
    /// What it has of the receiver.
    pub received: Option<Received>,
}

impl Encode for Hello {
    fn encode(&self, w: &mut Writer) {
        MAGIC.encode(w);
        self.versions.encode(w);
        self.chain.encode(w);
        self.genesis.encode(w);
        self.from.encode(w);
        self.to.encode(w);
        self.incarnation.encode(w);
        self.received.encode(w);
    }
}

impl Decode for Hello {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        if r.array()? != MAGIC {
            return Err(CodecError::Invalid { what: "greeting of a link" });
        }
        Ok(Self {
            versions: Decode::decode(r)?,
            chain: Decode::decode(r)?,
            genesis: Decode::decode(r)?,
            from: Decode::decode(r)?,
            to: Decode::decode(r)?,
            incarnation: Decode::decode(r)?,
            received: Decode::decode(r)?,
        })
    }
}

impl Hello {
    /// Checks the greeting of the other end against this one, and gives the version that both will speak.
    ///
    /// # Errors
    /// The first rule that `other` breaks.
    pub fn agree(&self, other: &Self) -> Result<u16, Mismatch> {
        let (expected, found) = (self.versions, other.versions);
        let version = expected.common(found).ok_or(Mismatch::Version { expected, found })?;
        if self.chain != other.chain {
            return Err(Mismatch::Chain { expected: self.chain, found: other.chain });
        }
        if self.genesis != other.genesis {
            return Err(Mismatch::Genesis { expected: self.genesis, found: other.genesis });
        }
        if self.to != other.from {
            return Err(Mismatch::Sender { expected: self.to, found: other.from });
        }
        if self.from != other.to {
            return Err(Mismatch::Receiver { expected: self.from, found: other.to });
        }
        Ok(version)
    }
}

/// Why two hosts with the right keys do not link. "Expected" is of the host that refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// No version in common.
    #[error(
        "link protocol {found} where {expected} is spoken: update the older of the two hosts to a release that \
         speaks a version of the other"
    )]
    Version {
        /// What the refusing host speaks.
        expected: Versions,
        /// What the other speaks.
        found: Versions,
    },
    /// Another chain.
    #[error("chain {found} where chain {expected} is served: check the chain in both configurations")]
    Chain {
        /// The chain of the refusing host.
        expected: ChainId,
        /// The other.
        found: ChainId,
    },
    /// Another first block.
    #[error(
        "a chain whose first block is {found}, where it is {expected}: one of the two hosts follows an old chain of the \
         same number"
    )]
    Genesis {
        /// The first block that the refusing host knows.
        expected: Digest,
        /// The other.
        found: Digest,
    },
    /// The key is that of one host, and the greeting says another.
    #[error(
        "a greeting of {found} under the key of {expected}: check which number that host was started with"
    )]
    Sender {
        /// Whose key it is.
        expected: Host,
        /// Who it says to be.
        found: Host,
    },
    /// It wants to speak to somebody else.
    #[error("a greeting for {found} at the address of {expected}: check the addresses of peers")]
    Receiver {
        /// Who was reached.
        expected: Host,
        /// Who was meant.
        found: Host,
    },
    /// The higher host dialled.
    #[error("{found} dialled {expected}, and of two hosts the lower one dials: check the numbers of both")]
    Direction {
        /// Who was dialled.
        expected: Host,
        /// Who dialled.
        found: Host,
    },
    /// Two processes have one key, and take the link from each other.
    #[error(
        "another host with the key of {host} that is linked: two processes run with one secret, and take links from each \
         other. End one of them; if one is nobody's that you know, the secret is in other hands: have the steward put \
         another key on record"
    )]
    Twin {
        /// Whose key both have.
        host: Host,
    },
}

impl Encode for Mismatch {
    fn encode(&self, w: &mut Writer) {
        fn put<T: Encode>(w: &mut Writer, kind: u8, expected: &T, found: &T) {
            kind.encode(w);
            expected.encode(w);
            found.encode(w);
        }
        match self {
            Self::Version { expected, found } => put(w, 0, expected, found),
            Self::Chain { expected, found } => put(w, 1, expected, found),
            Self::Genesis { expected, found } => put(w, 2, expected, found),
            Self::Sender { expected, found } => put(w, 3, expected, found),
            Self::Receiver { expected, found } => put(w, 4, expected, found),
            Self::Direction { expected, found } => put(w, 5, expected, found),
            Self::Twin { host } => {
                6u8.encode(w);
                host.encode(w);
            }
        }
    }
}

impl Decode for Mismatch {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        fn both<T: Decode>(r: &mut Reader<'_>) -> Result<(T, T), CodecError> {
            Decode::decode(r)
        }
        Ok(match u8::decode(r)? {
            0 => both(r).map(|(expected, found)| Self::Version { expected, found })?,
            1 => both(r).map(|(expected, found)| Self::Chain { expected, found })?,
            2 => both(r).map(|(expected, found)| Self::Genesis { expected, found })?,
            3 => both(r).map(|(expected, found)| Self::Sender { expected, found })?,
            4 => both(r).map(|(expected, found)| Self::Receiver { expected, found })?,
            5 => both(r).map(|(expected, found)| Self::Direction { expected, found })?,
            6 => Self::Twin { host: Decode::decode(r)? },
            _ => return Err(CodecError::Invalid { what: "reason of a refusal" }),
        })
    }
}
