//! The joint opening of totals (protocol notes, section 6.4): three rounds, each a broadcast.
//!
//! 1. **Openings.** Party p sends its own share of every total, and a hash commitment to its announcements.
//! 2. **Reveals.** It sends the announcements, and a digest of all first messages as it saw them. If two parties saw
//!    different ones somebody sent two versions, and all stop before anybody could be blamed wrongly.
//! 3. **Responses.** One common challenge; each party answers for its own share. Every response is checked by itself
//!    against the share's commitments, so whoever opened wrongly is named. The sums make the public proof.
//!
//! Blinding factors are never opened. What is proved, and over which group elements, is the caller's [`Relation`]; this
//! module is about who sends what when, and who is to blame.

pub mod ideal;
pub mod messages;
pub mod party;

pub use messages::{OpeningsMessage, ResponseMessage, RevealMessage, Rows};
pub use party::{AwaitOpenings, AwaitResponses, AwaitReveals, Opened, start};

use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::PartyId;
use thiserror::Error;

/// What the parties prove: linear statements about each share, one a row, and their Schnorr proofs.
pub trait Relation {
    /// Secret of the announcements; answers one challenge.
    type Nonce;
    /// The common challenge.
    type Challenge;
    /// Secret side of a share: what is proved known and never opened.
    type Witness;

    /// Draws a nonce for the party's own share and returns its announcements, one a row.
    fn announce(&mut self, share: PartyId, openings: &Rows) -> (Self::Nonce, Vec<RistrettoPoint>);
    /// The challenge over everything that was sent before.
    fn challenge(&self, openings: &[Rows; 3], announcements: &[Vec<RistrettoPoint>; 3]) -> Self::Challenge;
    /// Answers the challenge: a row of responses for each statement.
    fn respond(&self, nonce: Self::Nonce, witness: &Self::Witness, challenge: &Self::Challenge) -> Rows;
    /// Checks one share's responses, whose shape may be any.
    fn check(
        &self,
        share: PartyId,
        openings: &Rows,
        announcements: &[RistrettoPoint],
        challenge: &Self::Challenge,
        responses: &Rows,
    ) -> bool;
}

/// How a joint opening ends when it fails. Every variant names a party; whether it is to blame,
/// [`OpeningError::culprit`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// The openings or announcements have another shape than the totals.
    #[error("the openings or announcements of party {party} have the wrong shape")]
    Shape {
        /// Who sent them.
        party: PartyId,
    },
    /// The announcements are not those that were committed to: the party is to blame.
    #[error("party {party} announced something else than it had committed to")]
    Announcement {
        /// Who.
        party: PartyId,
    },
    /// The party saw other first messages than we did: somebody sent two versions, and nobody is blamed yet.
    #[error("party {party} saw other openings than we did")]
    ViewsDiffer {
        /// Who saw them.
        party: PartyId,
    },
    /// The response does not prove the openings: the party opened wrongly and is to blame.
    #[error("party {party} opened wrongly")]
    WrongOpener {
        /// Who.
        party: PartyId,
    },
}

impl OpeningError {
    /// The party that is to blame, if one is.
    pub fn culprit(self) -> Option<PartyId> {
        match self {
            Self::Shape { party } | Self::Announcement { party } | Self::WrongOpener { party } => Some(party),
            Self::ViewsDiffer { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
