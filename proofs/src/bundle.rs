//! The usage proof of a bundle (spec 5.1, 5.2; protocol notes, section 3).
//!
//! A bundle commits to a subscriber's whole usage vector in one Pedersen vector commitment
//! `S = S_1 + S_2 + S_3 = sum_w u_w G_w + R H` and shows that it was built from `e` well-formed events whose tags are
//! right, without saying which works they are of. The argument is a one-out-of-many proof over base-4 digits in the
//! manner of Groth and Kohlweiss (2015) and Bootle et al. (2015), with the digits of all events in one commitment.

pub mod batch;
pub mod digits;
mod equations;
pub mod prover;
pub mod statement;
pub mod verifier;
pub mod witness;

pub use batch::verify_batch;
pub use prover::{prove, prove_whatever_the_witness_says};
pub use statement::{Bundle, Envelope, Proof};
pub use verifier::{BundleError, verify};
pub use witness::{EventWitness, ProveError, RawWitness, pad, tag};

#[cfg(test)]
mod tests;
