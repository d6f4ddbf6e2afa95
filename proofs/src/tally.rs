//! From accepted bundles to totals that anybody can check (protocol notes, sections 5 and 6).
//!
//! A [`header::BatchHeader`] carries running sums of the accepted share commitments. At the end of the epoch the
//! parties publish [`totals::Totals`] of the cells that have enough listeners, and a Schnorr proof that the sums, less
//! the totals, open in the bases of the other cells and the blinding base alone. What is left over is the
//! [`residual::Residual`] that the next epoch begins with. Who trusts the headers needs nothing else:
//! [`verifier::verify`] is one multi-scalar multiplication a tier.

pub mod header;
pub mod prover;
pub mod residual;
pub mod squares;
pub mod statement;
pub mod totals;
pub mod verifier;

pub use header::{BatchHeader, EpochRoot, Group, Running, SignedHeader, SignedRoot};
pub use residual::Residual;
pub use squares::{Squares, SquaresError};
pub use statement::{TallyProof, TallyStatement};
pub use totals::{Count, Totals};

use primitives::codec_struct;

/// What the parties publish of a shard at the end of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Totals of the cells that have enough listeners.
    pub totals: Totals,
    /// How their backed views are spread over regions.
    pub squares: Squares,
    /// What all other cells carry over.
    pub after: Residual,
}

codec_struct!(Tally { totals, squares, after });

#[cfg(test)]
mod tests;
