//! Why a run across processes comes to no end.

use crate::{device::DeviceError, workload::WorkloadError, world::WorldError};
use chain::{light, node::RunError};
use engine::{client::http::HttpError, opening::OpeningError, settlement::SettlementError};
use primitives::{Digest, PartyId};
use std::{io, path::PathBuf};
use thiserror::Error;

/// Why a run across processes comes to no end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostsError {
    /// A file or a process.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// The workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The node of this program.
    #[error(transparent)]
    Node(#[from] RunError),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// What a party serves of the epoch is of no use.
    #[error("what party {party} serves of the epoch is of no use: {reason}")]
    Document {
        /// Who.
        party: PartyId,
        /// Why.
        reason: String,
    },
    /// A process did not answer in time.
    #[error("{who} does not answer: see {log}", log = .log.display())]
    NoAnswer {
        /// Who.
        who: String,
        /// What it wrote.
        log: PathBuf,
    },
    /// The epoch did not get there in time.
    #[error("the epoch did not {what} in time: see the logs in {dir}", dir = .dir.display())]
    Stalled {
        /// What it did not do.
        what: &'static str,
        /// Where the logs are.
        dir: PathBuf,
    },
    /// An issuer has no keys or codes.
    #[error("the {issuer}: {reason}")]
    Issuer {
        /// Which.
        issuer: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A client did not come to its end.
    #[error("the client of {subscriber} does not {what}: see {log}", log = .log.display())]
    Client {
        /// Whose.
        subscriber: String,
        /// What it does not do.
        what: &'static str,
        /// What it wrote.
        log: PathBuf,
    },
    /// Too few parties took a bundle in.
    #[error("{count} parties took bundle {bundle} in, and two have to: {reason}")]
    NotTaken {
        /// Which.
        bundle: Digest,
        /// How many did.
        count: usize,
        /// What the others said.
        reason: String,
    },
    /// The offices.
    #[error(transparent)]
    Offices(#[from] SettlementError),
    /// There is no record.
    #[error(transparent)]
    Record(#[from] light::RecordError),
    /// The record does not hold.
    #[error("the record does not hold: {0}")]
    Light(light::Refused),
    /// What follows from the epoch's opening.
    #[error(transparent)]
    Opening(#[from] OpeningError),
}
