//! From accepted bundles to totals that anybody can check (protocol notes, sections 5 and 6).
//!
//! A [`header::BatchHeader`] carries running sums of the accepted share commitments. At the end of the epoch the
//! parties publish [`totals::Totals`] and one Schnorr proof that the sums, less the totals, open in the blinding
//! base alone. Who trusts the headers needs nothing else: [`verifier::verify`] is one multi-scalar multiplication.

pub mod header;
pub mod prover;
pub mod statement;
pub mod totals;
pub mod verifier;

pub use header::{BatchHeader, EpochRoot, Group, Running, SignedHeader, SignedRoot};
pub use statement::{TallyProof, TallyStatement};
pub use totals::{Count, Totals};

#[cfg(test)]
mod tests;
