//! What can be wrong with an answer to an audit.

use crate::modules::node_rewards::Contribution;
use primitives::{Digest, EpochId, PersonId, Region, WorkId};
use thiserror::Error;

/// What is wrong with an answer. Places are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Evidence of something else than was claimed.
    #[error("evidence of {found:?}, where {expected:?} was claimed")]
    Kind {
        /// What was claimed.
        expected: Contribution,
        /// What is shown.
        found: Contribution,
    },
    /// Another number of pieces than places.
    #[error("{found} pieces of evidence for {expected} places")]
    Count {
        /// Places.
        expected: usize,
        /// Pieces.
        found: usize,
    },
    /// The chunk is not the one that was asked for.
    #[error("place {place}: not chunk {chunk} of work {work}")]
    Chunk {
        /// Place.
        place: usize,
        /// Work asked for.
        work: WorkId,
        /// Chunk asked for.
        chunk: u32,
    },
    /// The path does not lead to the root that was committed to.
    #[error("place {place}: the path leads to another root than was committed to")]
    Path {
        /// Place.
        place: usize,
    },
    /// The entry is in the tree, and not where it was asked for.
    #[error("place {place}: the entry does not hold unit {unit}")]
    Unit {
        /// Place.
        place: usize,
        /// Unit asked for.
        unit: u64,
    },
    /// The node's region has no key for vouchers in that epoch.
    #[error("region {region} signed no vouchers in epoch {epoch}")]
    NoVoucherKey {
        /// Region.
        region: Region,
        /// Epoch.
        epoch: EpochId,
    },
    /// The region did not sign the voucher, for this node and epoch.
    #[error("place {place}: not a voucher of the region for this node and epoch")]
    Voucher {
        /// Place.
        place: usize,
    },
    /// The receipt is for another node.
    #[error("place {place}: a receipt for another node")]
    Node {
        /// Place.
        place: usize,
    },
    /// The receipt is of another epoch.
    #[error("place {place}: a receipt of epoch {found}")]
    Epoch {
        /// Place.
        place: usize,
        /// Epoch of the receipt.
        found: EpochId,
    },
    /// The node does not run the service, or it does not count.
    #[error("place {place}: service {manifest} does not count for this node")]
    Service {
        /// Place.
        place: usize,
        /// Its manifest.
        manifest: Digest,
    },
    /// More units than a job of the service has, or none.
    #[error("place {place}: a job of {units} units, where {most} is the most")]
    Units {
        /// Place.
        place: usize,
        /// Units of the receipt.
        units: u64,
        /// Most of the service.
        most: u64,
    },
    /// The client has no account.
    #[error("place {place}: client {client} is not on record")]
    UnknownClient {
        /// Place.
        place: usize,
        /// Client.
        client: PersonId,
    },
    /// The client runs nodes: this one, or another.
    #[error("place {place}: client {client} is an operator")]
    SelfDealing {
        /// Place.
        place: usize,
        /// Client.
        client: PersonId,
    },
    /// The client did not sign the receipt.
    #[error("place {place}: client {client} did not sign this")]
    Signature {
        /// Place.
        place: usize,
        /// Client.
        client: PersonId,
    },
    /// More units of one client than count.
    #[error("place {place}: {units} units of client {client}, where {most} count")]
    ClientCap {
        /// Place.
        place: usize,
        /// Client.
        client: PersonId,
        /// Units of the client in the tree.
        units: u64,
        /// Most that count.
        most: u64,
    },
}
