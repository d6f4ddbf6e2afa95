//! Additive shares of a usage vector, sealed to the parties that hold them (protocol notes, section 4).
//!
//! The vector u and the blinding factor R of `S = <u, G> + R H` are split into three shares. Party p holds shares p
//! and p + 1: any two parties hold everything, one alone holds nothing. Each share is a seed, sealed to its two holders;
//! the vector under the sum of what the seeds expand to is a response of the bundle's proof, so it is sent once, in the
//! clear, and nothing but the proof is needed to know that it is right.

pub(crate) mod check;
pub mod complaint;
pub mod seal;
pub mod split;
pub mod sum;

pub use check::wrong_seeds;
pub use complaint::{Complaint, ComplaintError, Grievance};
pub use seal::{KemKey, SealError, SealedShares};
pub use split::{Accepted, Masks, ShareSeed, share_commitments};
pub use sum::{BatchShare, SHOWN_SHARE, SharePart, sums_open};

use primitives::PartyId;

/// The two holders of a share: the party of its number, and the party before.
pub fn holders(share: PartyId) -> [PartyId; 2] {
    [share, share.previous()]
}

/// The two shares that a party holds: the share of its number, and the next.
pub fn held(party: PartyId) -> [PartyId; 2] {
    [party, party.next()]
}

#[cfg(test)]
mod tests;
