//! What a host waits for before it takes part in an epoch.

use super::forgotten::Forgotten;
use std::fmt;

/// What is not there yet, or not for this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// No committee is on record.
    Committee,
    /// The committee on record has no seat with the keys of this host.
    Seat,
    /// Whoever stood by has its seat.
    SeatTaken,
    /// Its store was restored from a copy in this epoch.
    Restored,
    /// Its store is older than what the chain has of it.
    Forgotten(Forgotten),
    /// The epoch before has another committee, and is not over.
    OtherCommittee,
    /// The issuers have no keys on record for the epoch.
    Keys,
}

impl Lack {
    /// Whether the host has no seat.
    pub fn is_of_seat(self) -> bool {
        matches!(self, Self::Seat | Self::SeatTaken)
    }

    /// Whether others go on without this host: its operator is to know.
    pub fn sits_out(self) -> bool {
        self.is_of_seat() || matches!(self, Self::Restored | Self::Forgotten(_))
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Committee => "a committee on record",
            Self::Seat => "a committee with the keys of this host",
            Self::SeatTaken => "a committee with new keys of this host: whoever stood by has its seat",
            Self::Restored => "the next epoch: this store was restored, and sits this one out",
            Self::Forgotten(Forgotten::Epoch) => {
                "the next epoch: the chain has what this party signed for this one, and its store does not"
            }
            Self::Forgotten(Forgotten::Header) => {
                "the next epoch: the chain has a header that this party signed, and its store is older than that"
            }
            Self::OtherCommittee => "the end of the epoch before, whose committee is another",
            Self::Keys => "the keys of the next epoch's issuers",
        })
    }
}
