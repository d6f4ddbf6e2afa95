//! Why a party stops while totals are decided on and opened.

use mpc::{opening::OpeningError, session::Abort};
use primitives::{PartyId, Tier};
use thiserror::Error;

/// Why the totals are not opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(in crate::party) enum TallyFault {
    /// The joint opening failed.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The computation on shares stopped.
    #[error("the computation on shares stopped: {0}")]
    Decision(#[from] Abort),
    /// A party sent a key, or a message of a round of the joint opening, twice.
    #[error("party {party} sent a message twice")]
    Twice {
        /// Who.
        party: PartyId,
    },
    /// A party sent a key for randomness in common that it does not share with this one.
    #[error("party {party} sent a key that it does not share with this party")]
    Key {
        /// Who.
        party: PartyId,
    },
    /// The root to open is not the one that this party froze, or no quorum signed it.
    #[error("the root to open is not the one that was frozen and signed")]
    Root,
    /// What this party carried from earlier epochs is not what is on record.
    #[error("this party's shares of what tier {tier} carries over do not open the commitments on record")]
    Carried {
        /// The tier.
        tier: Tier,
    },
    /// Every share was proved and yet the totals do not hold. Three honest checks contradict each other.
    #[error("the opened totals do not hold against the commitments")]
    Totals,
    /// A party says that its share of what is carried on commits to something else than this party's copy of it does.
    #[error("party {party} says of what is carried on what its shares do not commit to")]
    Left {
        /// Who.
        party: PartyId,
    },
    /// The other two say different things of a share that both hold. One of them lies, and this party cannot tell which.
    #[error("two parties say different things of what is carried on")]
    LeftApart,
    /// Totals and sums over regions, both opened, contradict each other.
    #[error("the sums over regions do not fit the opened totals")]
    Squares,
}

impl TallyFault {
    /// Who is to blame, if anybody.
    pub(in crate::party) fn culprit(&self) -> Option<PartyId> {
        match self {
            Self::Opening(error) => error.culprit(),
            Self::Decision(abort) => abort.culprit(),
            Self::Twice { party } | Self::Key { party } | Self::Left { party } => Some(*party),
            Self::LeftApart | Self::Root | Self::Carried { .. } | Self::Totals | Self::Squares => None,
        }
    }
}
