//! What the shell has to do.

use super::{Confirmation, Refusal, SealedBlock};
use crate::Transaction;
use primitives::{Digest, PersonId, Time, codec_struct};

/// What is on disk before a confirmation is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Height of the block.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Place in the block.
    pub position: u32,
    /// What stands there.
    pub transaction: Transaction,
}

codec_struct!(Taken { height, time, position, transaction });

/// What becomes of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It stands in the block in hand.
    Confirmed(Confirmation),
    /// It waits for earlier ones of its account.
    Waits {
        /// Whose account.
        signer: PersonId,
        /// Its nonce.
        nonce: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// It is dropped.
    Refused(Refusal),
}

/// What the shell has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this down, so that it is on disk before any later effect is seen by anybody.
    Write(Taken),
    /// Tell whoever asks.
    Tell {
        /// Identifier of the transaction.
        transaction: Digest,
        /// What became of it.
        answer: Answer,
    },
    /// Append the block to the log. What was written down for it is of no more use then.
    Append(Box<SealedBlock>),
}
