//! What a doctor knows of a host when it judges.

use crate::{
    host::machine::Disk,
    link::{Host, Versions, probe::Absent},
};
use primitives::{Digest, Time};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

/// The file of the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It can be read, and is one.
    Sound,
    /// It cannot be used. The reason never says what the file holds.
    Unusable(String),
}

/// A file or folder with its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// Its mode, if it is there.
    pub mode: Option<u32>,
    /// The mode that it should have.
    pub wanted: u32,
}

/// What the sequencer's node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// It does not answer, or is no node.
    Away(String),
    /// It answers.
    There {
        /// Its genesis.
        genesis: String,
        /// Height of its last block.
        height: u64,
        /// Time of its last block.
        time: Time,
    },
}

/// The seat of this host, by what the chain has on record for the epoch in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The chain could not be read.
    Unknown(String),
    /// No committee is on record.
    NoCommittee,
    /// This host's keys are on record, in this seat.
    Own(Host),
    /// They are in none.
    None {
        /// The key of this host.
        own: Digest,
    },
}

/// What is known of another host of the committee.
#[derive(Debug)]
pub struct PeerFacts {
    /// Where it takes links, if the settings say.
    pub address: Option<String>,
    /// Its key on record.
    pub key: Digest,
    /// Whether it is there, by its key on record; none if it was not asked.
    pub there: Option<Result<Versions, Absent>>,
    /// The clock of its API, and what this machine's clock said then, if its address is given.
    pub clock: Option<Result<(Time, Time), String>>,
}

/// Who has an address that this host is to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// Nobody.
    Free,
    /// This party, which runs.
    Own,
    /// A party that runs with another key or genesis: what it says of itself.
    Other {
        /// Its key.
        key: String,
        /// The genesis that it follows.
        genesis: String,
    },
    /// Somebody else, or it cannot be had.
    Taken(String),
}

/// All that a doctor knows.
#[derive(Debug)]
pub struct Facts {
    /// Whether the host answers on its API.
    pub is_running: bool,
    /// The secret.
    pub key: Key,
    /// Files and folders with their modes.
    pub kept: Vec<Kept>,
    /// Digest of the genesis that the settings name.
    pub genesis: Digest,
    /// The sequencer's node.
    pub node: Node,
    /// This machine's clock when the node answered.
    pub now: Time,
    /// The seat on record.
    pub seat: Seat,
    /// The other hosts of the committee on record.
    pub peers: BTreeMap<Host, PeerFacts>,
    /// Keys in the settings that are on no record.
    pub strangers: Vec<Digest>,
    /// Addresses that it listens on, by what for.
    pub ports: Vec<(&'static str, SocketAddr, Port)>,
    /// The disk of its folder.
    pub disk: Option<Disk>,
    /// Bytes that the rest of the window needs, if the party runs and knows.
    pub disk_to_come: Option<u64>,
    /// Files that the party may have open; of this process, if the party does not run.
    pub most_files: Option<u64>,
}
