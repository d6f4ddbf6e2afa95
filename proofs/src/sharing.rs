//! Additive shares of a usage vector, sealed to the parties that hold them (protocol notes, section 4).
//!
//! The vector u and the blinding factor R of `S = <u, G> + R H` are split into three shares. Party p holds shares p
//! and p + 1: any two parties hold everything, one alone holds nothing. Shares 1 and 2 are seeds; share 3 is written
//! out, uploaded once, and its key sealed to both holders.

pub mod check;
pub mod seal;
pub mod split;

pub use check::ShareError;
pub use seal::{KemKey, SealError, SealedShares};
pub use split::{ShareOpening, Shares};

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
