//! Why something was not done on L1.

use crate::bridge::{port::PortError, refusal::Refusal, sender::SendError};
use alloy::primitives::{Address, B256};
use primitives::{EpochId, PersonId};
use thiserror::Error;

/// Why something was not done on L1.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// It could not be sent, or nobody knows whether it was taken.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A contract refuses.
    #[error("{step} is refused on L1: {refusal:?}")]
    Refused {
        /// The step.
        step: String,
        /// The contract's error.
        refusal: Box<Refusal>,
    },
    /// L1 gives no answer to a question.
    #[error(transparent)]
    Port(PortError),
    /// What a contract answers is not what its interface says: there is another contract at this address, or none.
    #[error("there is no {what} at {address} on L1")]
    NotTheContract {
        /// The contract's name.
        what: &'static str,
        /// Where it should be.
        address: Address,
    },
    /// L1 has another batch at this place.
    #[error("L1 has another batch {number}: root {found} after it, not {expected}")]
    Diverged {
        /// The batch.
        number: u64,
        /// Root after this side's batch.
        expected: B256,
        /// Root on L1.
        found: B256,
    },
    /// A transaction that should create a contract created none.
    #[error("{step} created no contract")]
    NothingCreated {
        /// The step.
        step: String,
    },
    /// The payee is a person, who is paid on the rollup.
    #[error("payee {payee} is no account on L1")]
    NotOnLayer1 {
        /// The payee.
        payee: PersonId,
    },
    /// The epoch is not final.
    #[error("epoch {epoch} is not final")]
    NotFinal {
        /// The epoch.
        epoch: EpochId,
    },
}
