//! The rollup on L1: its blocks as attested batches, its final epochs, and payouts to accounts there.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`port`] | what is needed of an L1 node |
//! | [`embedded`], [`endpoint`] | an EVM in this process; any JSON-RPC endpoint |
//! | [`journal`], [`sender`] | each step once, whatever breaks: what is sent is on disk before it is |
//! | [`batch`], [`attester`] | blocks cut into batches; members who repeat them and sign |
//! | [`contracts`], [`refusal`], [`epoch`], [`anchor`] | the contracts: bindings, their errors, what they take, what is done with them |

pub mod anchor;
pub mod attester;
pub mod batch;
pub mod contracts;
pub mod embedded;
pub mod endpoint;
pub mod epoch;
pub mod journal;
pub mod port;
pub mod refusal;
pub mod sender;

pub use anchor::{Anchor, AnchorError, Committed, Contracts};
pub use attester::{AttestError, Attestation, Attested, Attester};
pub use batch::{Batch, batches};
pub use embedded::{Embedded, Mining};
pub use endpoint::Endpoint;
pub use port::{Port, PortError, Receipt};
pub use sender::{Policy, SendError, Sender};

/// Addresses, hashes, numbers and keys as L1 has them, from alloy.
pub use alloy::{
    primitives::{Address, B256, U256},
    signers::local::PrivateKeySigner,
};
