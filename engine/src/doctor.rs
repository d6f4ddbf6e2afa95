//! What is wrong with a host, or will be: facts go in, findings with their remedies come out.
//!
//! `doctor/gather.rs` collects the facts, whether the party runs or not, and changes nothing: it writes to no folder of the
//! party. [`findings`] is pure.

pub mod facts;
pub mod gather;
mod judge;

pub use facts::{Facts, Kept, Key, Node, PeerFacts, Port, Seat};
pub use gather::{Place, gather};
pub use judge::findings;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is as it should be.
    Fine,
    /// It could not be looked at, or is worth knowing.
    Note,
    /// It works, and soon may not.
    Warning,
    /// It does not work.
    Fault,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The secret and the keys that follow from it.
    Keys,
    /// Who may read the files.
    Files,
    /// The sequencer's node and the chain.
    Node,
    /// This machine's clock.
    Clock,
    /// The other parties.
    Peers,
    /// Addresses that it listens on.
    Ports,
    /// Room on the disk.
    Disk,
    /// What the system lets the process have.
    Limits,
}

impl About {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Files => "files",
            Self::Node => "node",
            Self::Clock => "clock",
            Self::Peers => "peers",
            Self::Ports => "ports",
            Self::Disk => "disk",
            Self::Limits => "limits",
        }
    }
}

/// Something that was found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at.
    pub about: About,
    /// What was found.
    pub what: String,
    /// What to do, in a sentence. Empty if nothing is to be done.
    pub remedy: String,
}
