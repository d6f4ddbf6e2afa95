//! Why a computation stops.

use super::MAX_AHEAD;
use crate::{prss::Reused, step::Step};
use primitives::PartyId;
use thiserror::Error;

/// Why a computation stops. Nothing was opened that depends on what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Abort {
    /// A message is of another round than the one that is waited for.
    #[error("party {from} is at {found} where {expected} was to come")]
    Step {
        /// Who sent it.
        from: PartyId,
        /// Which round was waited for.
        expected: Step,
        /// Which came.
        found: Step,
    },
    /// A message has another length than its round has.
    #[error("party {from} sent {found} bytes at {step}, not {expected}")]
    Length {
        /// Who sent it.
        from: PartyId,
        /// Round.
        step: Step,
        /// How many bytes there should be.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A message spells a number in another than the one way.
    #[error("party {from} sent a number at {step} that is not canonical")]
    Encoding {
        /// Who sent it.
        from: PartyId,
        /// Round.
        step: Step,
    },
    /// A party's signature at a barrier is not its own, or not of this barrier.
    #[error("party {from} sent a false signature at {step}")]
    Barrier {
        /// Who sent it.
        from: PartyId,
        /// Round.
        step: Step,
    },
    /// A party sends on although nobody answers.
    #[error("party {from} sent more than {MAX_AHEAD} messages ahead")]
    Ahead {
        /// Who.
        from: PartyId,
    },
    /// A message came from the party itself.
    #[error("a message came from the party itself")]
    Own,
    /// Two parties show different copies of the same share: one of the two lies, and nobody else knows which.
    #[error("the others show different copies of a share at {step}")]
    Copies {
        /// Round.
        step: Step,
    },
    /// A check failed: some party sent something else than it computed.
    #[error("a product was tampered with before {step}")]
    Product {
        /// The round in which it came out.
        step: Step,
    },
    /// An outcome is out of its bounds: so was what the parties put in.
    #[error("an outcome at {step} is out of bounds")]
    Range {
        /// The round in which it was opened.
        step: Step,
    },
    /// Randomness would have been used twice.
    #[error(transparent)]
    Reused(#[from] Reused),
}

impl Abort {
    /// Whom it is the fault of, if that is known.
    pub fn culprit(&self) -> Option<PartyId> {
        match self {
            Self::Step { from, .. }
            | Self::Length { from, .. }
            | Self::Encoding { from, .. }
            | Self::Barrier { from, .. }
            | Self::Ahead { from } => Some(*from),
            Self::Own | Self::Copies { .. } | Self::Product { .. } | Self::Range { .. } | Self::Reused(_) => {
                None
            }
        }
    }
}
