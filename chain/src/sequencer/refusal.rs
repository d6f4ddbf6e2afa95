//! Why a transaction is not taken.

use crate::ledger::TxError;
use primitives::{Digest, PersonId, Time};
use thiserror::Error;

/// Why a transaction is not taken, or dropped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A rule of the ledger.
    #[error(transparent)]
    Rule(#[from] TxError),
    /// This sequencer does not hold the office, or not with this key.
    #[error("{person} is no sequencer, or has another key on record")]
    NoOffice {
        /// Who this sequencer is.
        person: PersonId,
    },
    /// Longer than a transaction of an account ever is.
    #[error("a signed transaction of {bytes} bytes, more than {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// Longest that is taken.
        limit: usize,
    },
    /// Too many others of the account would have to come first.
    #[error("nonce {found} of {signer}, whose next is {next}: at most {limit} ahead")]
    TooFarAhead {
        /// Whose account.
        signer: PersonId,
        /// The account's next nonce.
        next: u64,
        /// The transaction's.
        found: u64,
        /// How far ahead it may be.
        limit: u64,
    },
    /// What waits of the account takes too much room.
    #[error("waiting transactions of {signer} would take {bytes} bytes, more than {limit}")]
    AccountFull {
        /// Whose account.
        signer: PersonId,
        /// Bytes with this one.
        bytes: usize,
        /// Most bytes of an account.
        limit: usize,
    },
    /// There is no room for more that waits.
    #[error("no room for more than {limit} {what} that wait")]
    Full {
        /// Of what.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// There is no room for more that no account signs.
    #[error("no room for more than {limit} {what} that no account signs")]
    OpenFull {
        /// Of what.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// A waiting transaction was replaced as often as it may be.
    #[error("nonce {nonce} of {signer} was replaced {limit} times")]
    ReplacedTooOften {
        /// Whose account.
        signer: PersonId,
        /// Which nonce.
        nonce: u64,
        /// How often it may be.
        limit: u8,
    },
    /// Its owner sent another with the same nonce.
    #[error("replaced by transaction {by}")]
    Replaced {
        /// The other.
        by: Digest,
    },
    /// The transactions before it did not come in time.
    #[error("the transactions before it did not come within {patience} seconds")]
    Expired {
        /// How long it waited.
        patience: u32,
    },
    /// A priority operation was taken.
    #[error("priority operation {number} was taken, {next} is the next")]
    PriorityTaken {
        /// Its number.
        number: u64,
        /// The next.
        next: u64,
    },
}

/// Why what was written down cannot be taken again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It has another place than the next. Places are height of the block and position.
    #[error("a transaction was written down for place {found:?}, but {expected:?} is the next")]
    Place {
        /// The next place.
        expected: (u64, u32),
        /// The place that was written down.
        found: (u64, u32),
    },
    /// It has another time than its block.
    #[error(
        "a transaction of block {height} was written down with time {found}, but its block has {expected}"
    )]
    Time {
        /// Height of the block.
        height: u64,
        /// Time of the block.
        expected: Time,
        /// Time that was written down.
        found: Time,
    },
    /// The ledger refuses what it took before.
    #[error("transaction {position} of block {height} was confirmed and is refused now: {error}")]
    Refused {
        /// Height of the block.
        height: u64,
        /// Place in the block.
        position: u32,
        /// The rule that it breaks.
        error: TxError,
    },
}
