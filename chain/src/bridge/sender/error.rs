//! Why a step was not done.

use crate::bridge::{journal::JournalError, port::PortError};
use alloy::primitives::Bytes;
use thiserror::Error;

/// Why a step was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// L1 gives no answer.
    #[error("{step}: {error}")]
    Port {
        /// The step.
        step: String,
        /// What L1 said.
        error: PortError,
    },
    /// The journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The contract refuses the step. Nothing was sent, or what was sent reverted.
    #[error("{step}: the contract reverts with {data}")]
    Refused {
        /// The step.
        step: String,
        /// What the contract says.
        data: Bytes,
    },
    /// Gas costs more than the policy allows.
    #[error("{step}: gas costs {fee} wei, more than the {cap} that are allowed")]
    FeeCap {
        /// The step.
        step: String,
        /// Fee that would have to be offered.
        fee: u128,
        /// [`super::Policy::fee_cap`].
        cap: u128,
    },
    /// The nonce is used, and none of the step's transactions has a receipt: something else acts with this key, or the
    /// node has lost receipts. Whoever knows that nothing of the step was taken calls [`super::Sender::forget`].
    #[error("{step}: something else used nonce {nonce} of the account, which should have a key of its own")]
    Displaced {
        /// The step.
        step: String,
        /// Its nonce.
        nonce: u64,
    },
    /// The step was done before with another target or another value.
    #[error("{step}: this step was begun with another target or value")]
    StepChanged {
        /// The step.
        step: String,
    },
    /// Too few blocks follow.
    #[error("{step}: no block follows block {block}, so that its transaction does not count yet")]
    Unconfirmed {
        /// The step.
        step: String,
        /// The transaction's block.
        block: u64,
    },
    /// No block takes the transaction. It may still be taken: the step can be tried again.
    #[error(
        "{step}: no block took the transaction with nonce {nonce}, though its fee was raised {raises} times"
    )]
    Stuck {
        /// The step.
        step: String,
        /// Its nonce.
        nonce: u64,
        /// [`super::Policy::raises`].
        raises: u32,
    },
    /// The key does not sign.
    #[error("the L1 key does not sign: {0}")]
    Signer(String),
}
