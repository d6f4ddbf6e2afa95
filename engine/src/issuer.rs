//! The issuer of tokens and the signer of receipts, as small services for tests and pilots.
//!
//! | Module | What it does |
//! |---|---|
//! | [`codes`] | who may ask: bearer codes, of which only hashes are kept |
//! | [`keys`] | a key for each epoch and tier, or epoch and denomination, in files for their owner alone |
//! | `answers` | what was signed for whom in epochs that are not over, on disk before it is answered |
//! | [`record`] | what the chain says: which epoch is open, and which keys are on record |
//! | [`book`] | what both have: keys, list, answers, chain |
//! | [`tokens`] | one blind signature for each subscriber and epoch |
//! | [`receipts`] | blind signatures for the views that a serving node has to give away |
//! | [`service`] | both over HTTP |
//!
//! A blind signer sees a number that is uniform whatever is in it. So what is kept of a request says who asked and when,
//! and nothing of the key that is in it; no signature leads to its request. For how many views of which denominations a
//! code asked, in which order, the signer of receipts does see, and bundles show receipts by denomination under their key:
//! whoever compares the two may find the code that fits a key (docs/privacy.md, "Receipts and codes").
//!
//! An issuer signs for the epoch that is open on the chain, and for no other. The same request gets the same answer,
//! however often and after whatever crash: a client that lost an answer asks again. A second request of a subscriber in an
//! epoch is refused, or one subscription would be two.
//!
//! Codes travel in the clear: a service belongs behind TLS, or on a loopback address.

mod answers;
pub mod book;
pub mod codes;
pub mod keys;
pub mod receipts;
pub mod record;
pub mod service;
pub mod tokens;

pub use codes::{Code, CodeHash, CodesError, Serving, Subscriber};
pub use keys::KeysError;
pub use receipts::ReceiptIssuer;
pub use record::{Record, Standing};
pub use service::{Running, ServiceError, Signs, serve, serve_within};
pub use tokens::TokenIssuer;

use chain::log::LogError;
use primitives::{CodecError, EpochId, Tier, limits};
use proofs::receipt::Denomination;
use std::io;
use thiserror::Error;

/// Why an issuer cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its folder cannot be made.
    #[error("{folder}: cannot be made: {error}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why not.
        error: io::Error,
    },
    /// Its keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A key that is not the one on record.
    #[error(
        "the key {purpose} is not the one on the chain: restore that from a copy; what this one signs holds nowhere"
    )]
    OtherKey {
        /// What it signs.
        purpose: keys::Purpose,
    },
    /// What it signed before cannot be read.
    #[error("what was signed before cannot be read: {0}")]
    Answers(#[from] LogError),
    /// What it signed before is of another version.
    #[error("record {at} of what was signed before is none: {error}")]
    Record {
        /// Which.
        at: usize,
        /// Why.
        error: CodecError,
    },
}

/// Why a request is not signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// No code is shown.
    #[error("no code is shown")]
    NoCode,
    /// The code is nobody's.
    #[error("the code is nobody's")]
    UnknownCode,
    /// The subscription is to another tier.
    #[error("the subscription is not to tier {tier}")]
    OtherTier {
        /// Tier asked for.
        tier: Tier,
    },
    /// There is no key for what is asked.
    #[error("there is no key for epoch {epoch} and {what}")]
    NoKey {
        /// Epoch asked for.
        epoch: EpochId,
        /// What else was asked for.
        what: String,
    },
    /// The epoch is not open yet, or the issuer's node is behind.
    #[error("epoch {epoch} is not open yet")]
    NotOpen {
        /// Epoch asked for.
        epoch: EpochId,
    },
    /// The epoch takes nothing in any more.
    #[error("epoch {epoch} takes nothing in any more")]
    EpochOver {
        /// Epoch asked for.
        epoch: EpochId,
    },
    /// The chain has another key for what is asked, or none.
    #[error("the key for epoch {epoch} is not the one on the chain")]
    OtherKey {
        /// Epoch asked for.
        epoch: EpochId,
    },
    /// The request is not a number below the modulus.
    #[error("a request is a number of {bytes} bytes below the modulus of the key", bytes = limits::RSA_BYTES)]
    Request,
    /// The subscriber had another request signed in this epoch.
    #[error("another request was signed for this subscription in epoch {epoch}")]
    OtherRequest {
        /// The epoch.
        epoch: EpochId,
    },
    /// The serving node has given away as many views as it has.
    #[error("{left} views are left in epoch {epoch}, and {} are asked for", .denomination.views())]
    Budget {
        /// The epoch.
        epoch: EpochId,
        /// What is left.
        left: u64,
        /// What is asked for.
        denomination: Denomination,
    },
    /// The code has as many receipts as its views can need.
    #[error("{most} receipts are all that these views need in epoch {epoch}")]
    Receipts {
        /// The epoch.
        epoch: EpochId,
        /// Most receipts of a code in it.
        most: u64,
    },
    /// No more answers can be remembered.
    #[error("no more answers can be remembered")]
    Full,
    /// The answer cannot be put on disk, so it is not given.
    #[error("the answer cannot be put on disk: {0}")]
    Disk(#[from] Box<OpenError>),
}

impl IssuerError {
    /// A short name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoCode => "no-code",
            Self::UnknownCode => "unknown-code",
            Self::OtherTier { .. } => "other-tier",
            Self::NoKey { .. } => "no-key",
            Self::NotOpen { .. } => "not-open",
            Self::EpochOver { .. } => "epoch-over",
            Self::OtherKey { .. } => "other-key",
            Self::Request => "request",
            Self::OtherRequest { .. } => "other-request",
            Self::Budget { .. } => "budget",
            Self::Receipts { .. } => "receipts",
            Self::Full => "full",
            Self::Disk(_) => "disk",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCode => "send the header \"Authorization: Bearer CODE\"",
            Self::UnknownCode => "copy the code again, or ask whoever gave it",
            Self::OtherTier { .. } => "ask for the tier that is paid for",
            Self::NoKey { .. } => "GET /v1/keys/EPOCH lists the keys of an epoch",
            Self::NotOpen { .. } => "send it again when the epoch is open",
            Self::EpochOver { .. } => "ask in the epoch that is open",
            Self::OtherKey { .. } => "the operator restores the key that is on the chain from a copy",
            Self::Request => "send the blinded message as it is",
            Self::OtherRequest { .. } => {
                "send the request that was sent first: it gets the answer that it got"
            }
            Self::Budget { .. } => {
                "plays without a receipt count as not backed; ask the node's operator for more"
            }
            Self::Receipts { .. } => "ask for receipts of as many views as there are, largest first",
            Self::Full => "come back when an epoch is over",
            Self::Disk(_) => "the operator looks at the disk; send the same request again later",
        }
    }
}
