//! Why a run has no outcome.

use super::Stopped;
use crate::{device::DeviceError, workload::WorkloadError, world::WorldError};
use chain::{
    TxError,
    bridge::{AnchorError, AttestError, PortError},
    light::RecordError,
    node::NodeError,
};
use std::path::PathBuf;
use thiserror::Error;

/// Why a run has no outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// There is no workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// Bundles cannot be padded: there are too few events that count nothing.
    #[error(
        "a bundle is padded with events that count nothing, and one subscriber needs {needed} of them in an epoch; \
         with {works} works in a shard and {views} views that count there are {available}: take more works, wider \
         shards, or another preset"
    )]
    Padding {
        /// Padding events that the busiest device needs.
        needed: usize,
        /// Padding events that there are.
        available: usize,
        /// Works of the smallest shard.
        works: usize,
        /// Views that count.
        views: u16,
    },
    /// There is no world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A device fails.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The node fails.
    #[error("the node failed: {0}")]
    Node(#[from] NodeError),
    /// What the parties publish cannot be kept.
    #[error("{}: {error}", path.display())]
    Statements {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The parties stopped: nothing was paid.
    #[error("the epoch was aborted: {0}")]
    Aborted(Box<Stopped>),
    /// Nothing happened for a long time.
    #[error("nothing happened for {seconds} seconds in phase {phase}")]
    Stalled {
        /// How long.
        seconds: u64,
        /// The phase.
        phase: &'static str,
    },
    /// The actors are gone.
    #[error("the actors stopped in phase {phase}")]
    ActorsGone {
        /// The phase.
        phase: &'static str,
    },
    /// L1 gives no answer.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Nobody's key is at hand for this L1.
    #[error("an account with wei is needed on L1, chain {chain}: name the file of its key with --l1-key")]
    NoLayer1Key {
        /// Chain number.
        chain: u64,
    },
    /// The account on L1 has nothing to pay for gas.
    #[error(
        "account {account} has no wei on L1, chain {chain}, to pay for gas: send it some, or name another key"
    )]
    NoWei {
        /// The account.
        account: String,
        /// Chain number.
        chain: u64,
    },
    /// The L1 does not run the contracts.
    #[error(
        "L1, chain {chain}, does not run these contracts, which need the rules of the Prague hard fork: {error}"
    )]
    OtherRules {
        /// Chain number.
        chain: u64,
        /// What it says.
        error: String,
    },
    /// The L1 is one where money is real.
    #[error("this is main net: the keys of a simulated world are no secret, so take a test network")]
    MainNet,
    /// Something was not done on L1.
    #[error(transparent)]
    Anchor(Box<AnchorError>),
    /// A member of the committee does not sign for L1.
    #[error("the committee does not attest: {0}")]
    Attest(Box<AttestError>),
    /// The chain did not score an epoch, or did not pay what it owes.
    #[error("the chain refused to pay rewards: {0}")]
    Rewards(Box<TxError>),
    /// The chain has no record of the epoch.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The record cannot be read back from what it is written as.
    #[error("the record does not survive its own format: {0}")]
    Format(#[from] serde_json::Error),
}

impl From<AnchorError> for DemoError {
    fn from(error: AnchorError) -> Self {
        Self::Anchor(Box::new(error))
    }
}

impl From<AttestError> for DemoError {
    fn from(error: AttestError) -> Self {
        Self::Attest(Box::new(error))
    }
}
