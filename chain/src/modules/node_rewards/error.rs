//! Every rule of the node rewards module that can be broken.

use super::{Contribution, NodeId, Payee};
use crate::modules::treasury::TreasuryError;
use primitives::{Credits, Digest, EpochId, PersonId, Region, WorkId};
use proofs::blind::BlindError;
use thiserror::Error;

/// Which rule an action breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The signer may not run nodes.
    #[error("{signer} is no active operator of nodes")]
    NotOperator {
        /// Who signed.
        signer: PersonId,
    },
    /// There is no such node.
    #[error("node {node} is not registered")]
    UnknownNode {
        /// The node.
        node: NodeId,
    },
    /// The node is somebody else's.
    #[error("node {node} is not of {signer}")]
    NotOwn {
        /// The node.
        node: NodeId,
        /// Who signed.
        signer: PersonId,
    },
    /// The operator has a node of that name.
    #[error("node {node} is registered already")]
    AlreadyRegistered {
        /// The node.
        node: NodeId,
    },
    /// Nothing is offered, claimed, or moved.
    #[error("there is nothing to do")]
    NothingToDo,
    /// Manifests are not in ascending order.
    #[error("manifest {manifest} is out of order")]
    ManifestOrder {
        /// The one that comes too late.
        manifest: Digest,
    },
    /// Governance did not approve the service, or withdrew it.
    #[error("service {manifest} is not on record")]
    UnknownService {
        /// Its manifest.
        manifest: Digest,
    },
    /// The service is on record.
    #[error("service {manifest} is on record already")]
    ServiceRegistered {
        /// Its manifest.
        manifest: Digest,
    },
    /// The network is full.
    #[error("there are {limit} nodes, as many as there may be")]
    TooManyNodes {
        /// Most nodes.
        limit: usize,
    },
    /// The operator has as many nodes as one may have.
    #[error("{operator} has {limit} nodes, as many as one may have")]
    TooManyOfOperator {
        /// Who.
        operator: PersonId,
        /// Most nodes of one operator.
        limit: usize,
    },
    /// The node is leaving.
    #[error("node {node} is leaving")]
    Leaving {
        /// The node.
        node: NodeId,
    },
    /// The node did not say that it leaves.
    #[error("node {node} did not say that it leaves")]
    NotLeaving {
        /// The node.
        node: NodeId,
    },
    /// The bond stays for some time after a node has left.
    #[error("the bond of node {node} is free once epoch {earliest} runs")]
    Notice {
        /// The node.
        node: NodeId,
        /// First epoch in which it is free.
        earliest: EpochId,
    },
    /// The bond was given back.
    #[error("the bond of node {node} was given back")]
    Returned {
        /// The node.
        node: NodeId,
    },
    /// There is no such work.
    #[error("work {work} is not registered")]
    UnknownWork {
        /// The work.
        work: WorkId,
    },
    /// Somebody else than the work's active creator signed.
    #[error("{signer} is not the active creator of work {work}")]
    NotCreator {
        /// The work.
        work: WorkId,
        /// Who signed.
        signer: PersonId,
    },
    /// The work's content is on record.
    #[error("content of work {work} is on record already")]
    ContentRegistered {
        /// The work.
        work: WorkId,
    },
    /// Content of no chunk, or of too many.
    #[error("content has 1 to {limit} chunks, not {chunks}")]
    Chunks {
        /// Chunks named.
        chunks: u32,
        /// Most chunks.
        limit: u32,
    },
    /// Somebody else than a steward signed.
    #[error("{signer} is not a steward")]
    NotSteward {
        /// Who signed.
        signer: PersonId,
    },
    /// The epoch is not the next.
    #[error("epoch {found} is not the next, which is {expected}")]
    NotNextEpoch {
        /// The next.
        expected: EpochId,
        /// Epoch named.
        found: EpochId,
    },
    /// Regions are not in ascending order.
    #[error("region {region} is out of order")]
    RegionOrder {
        /// The one that comes too late.
        region: Region,
    },
    /// A region's key is none.
    #[error("the key of region {region}: {error}")]
    VoucherKey {
        /// Region.
        region: Region,
        /// What is wrong with it.
        error: BlindError,
    },
    /// The region has its key for that epoch.
    #[error("region {region} has its key for vouchers of epoch {epoch}")]
    VoucherKeyPublished {
        /// Epoch.
        epoch: EpochId,
        /// Region.
        region: Region,
    },
    /// The key stands or stood for something else.
    #[error("the key of region {region} is that of another region, epoch or purpose")]
    KeyReused {
        /// Region.
        region: Region,
    },
    /// The epoch is not the one that is running.
    #[error("epoch {epoch} is not running, {running} is")]
    NotRunning {
        /// Epoch named.
        epoch: EpochId,
        /// The running epoch.
        running: EpochId,
    },
    /// Somebody revealed a part of the next beacon: nothing is added to the epoch any more.
    #[error("the beacon by which epoch {epoch} is audited is no secret any more")]
    Drawn {
        /// Epoch.
        epoch: EpochId,
    },
    /// The epoch was given up: nothing is owed for it.
    #[error("epoch {epoch} was abandoned")]
    Abandoned {
        /// Epoch.
        epoch: EpochId,
    },
    /// The node takes no part in the epoch.
    #[error("node {node} takes no part in epoch {epoch}")]
    NotPart {
        /// The node.
        node: NodeId,
        /// Epoch.
        epoch: EpochId,
    },
    /// The node does not offer that.
    #[error("node {node} does not offer {kind:?}")]
    NotOffered {
        /// The node.
        node: NodeId,
        /// What was claimed.
        kind: Contribution,
    },
    /// The node's bond is too small.
    #[error("node {node} has a bond of {bond}, less than {needed}")]
    Bond {
        /// The node.
        node: NodeId,
        /// What is there.
        bond: Credits,
        /// What is asked for.
        needed: Credits,
    },
    /// The node committed to that.
    #[error("node {node} has committed to {kind:?} in epoch {epoch}")]
    AlreadyCommitted {
        /// The node.
        node: NodeId,
        /// Epoch.
        epoch: EpochId,
        /// Kind.
        kind: Contribution,
    },
    /// An earlier epoch is not scored: what is on record of it is still needed.
    #[error("epoch {epoch} has to be scored first")]
    NotScored {
        /// That epoch.
        epoch: EpochId,
    },
    /// Works are not in ascending order.
    #[error("work {work} is out of order")]
    WorkOrder {
        /// The one that comes too late.
        work: WorkId,
    },
    /// There is no content of the work to keep in that epoch.
    #[error("work {work} has no content on record in epoch {epoch}")]
    NoContent {
        /// The work.
        work: WorkId,
        /// Epoch.
        epoch: EpochId,
    },
    /// The operator made the content itself.
    #[error("work {work} is the operator's own")]
    OwnContent {
        /// The work.
        work: WorkId,
    },
    /// The node committed to nothing of that kind.
    #[error("node {node} has not committed to {kind:?} in epoch {epoch}")]
    NotCommitted {
        /// The node.
        node: NodeId,
        /// Epoch.
        epoch: EpochId,
        /// Kind.
        kind: Contribution,
    },
    /// The audit has been answered.
    #[error("node {node} has answered the audit of {kind:?} in epoch {epoch}")]
    Answered {
        /// The node.
        node: NodeId,
        /// Epoch.
        epoch: EpochId,
        /// Kind.
        kind: Contribution,
    },
    /// The beacon that asks is not on record.
    #[error("epoch {epoch} is audited once the next has opened")]
    TooEarly {
        /// Epoch.
        epoch: EpochId,
    },
    /// The epoch in which answers are taken is over.
    #[error("the audit of epoch {epoch} is over")]
    TooLate {
        /// Epoch.
        epoch: EpochId,
    },
    /// Another number of pieces than places asked for.
    #[error("{expected} pieces of evidence are asked for, not {found}")]
    Samples {
        /// Places asked for.
        expected: usize,
        /// Pieces shown.
        found: usize,
    },
    /// The witness has reported.
    #[error("node {witness} has reported on epoch {epoch}")]
    Reported {
        /// The witness.
        witness: NodeId,
        /// Epoch.
        epoch: EpochId,
    },
    /// Nodes of a report are not in ascending order.
    #[error("node {node} is out of order")]
    SeenOrder {
        /// The one that comes too late.
        node: NodeId,
    },
    /// The witness was not drawn for a node.
    #[error("node {witness} was not drawn for {node}")]
    NotDrawn {
        /// The witness.
        witness: NodeId,
        /// The node.
        node: NodeId,
    },
    /// The witness leaves a node out.
    #[error("node {witness} was drawn for {node}, and says nothing of it")]
    NotSeen {
        /// The witness.
        witness: NodeId,
        /// The node.
        node: NodeId,
    },
    /// There is no such epoch.
    #[error("epoch {epoch} has not opened")]
    UnknownEpoch {
        /// Epoch.
        epoch: EpochId,
    },
    /// The epoch is scored, once and for all.
    #[error("epoch {epoch} is scored")]
    AlreadyScored {
        /// Epoch.
        epoch: EpochId,
    },
    /// Nodes can still answer.
    #[error("epoch {epoch} is scored once the next is over")]
    StillOpen {
        /// Epoch.
        epoch: EpochId,
    },
    /// Nothing is owed.
    #[error("epoch {epoch} owes {payee:?} nothing")]
    NotOwed {
        /// Epoch.
        epoch: EpochId,
        /// For what.
        payee: Payee,
    },
    /// The reward was claimed.
    #[error("the reward of {payee:?} for epoch {epoch} was claimed")]
    AlreadyClaimed {
        /// Epoch.
        epoch: EpochId,
        /// For what.
        payee: Payee,
    },
    /// Nobody of that name is on record.
    #[error("{person} is not registered")]
    UnknownPerson {
        /// Who.
        person: PersonId,
    },
    /// A movement of credits fails.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
}
