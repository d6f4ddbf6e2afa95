//! The usage proof of a bundle (spec 5.1, 5.2; protocol notes, section 3).
//!
//! A bundle commits to a subscriber's whole usage vector in one Pedersen vector commitment
//! `S = sum_w u_w G_w + R H` and shows that it was built from `e` well-formed events whose tags are right, without
//! saying which works they are of. Digits are base 4 and one-hot, in the manner of Groth and Kohlweiss (2015) and Bootle
//! et al. (2015), those of all events in one commitment; the vector answers under a mask, and one identity of
//! polynomials in the powers of a challenge ties the two together. The mask is the sum of what the shares' seeds expand
//! to, so that the answer is at once the third share.

pub mod batch;
pub mod cut;
pub mod digits;
mod equations;
mod marks;
pub mod parts;
pub mod prover;
pub mod statement;
pub mod verifier;
pub mod witness;

pub use batch::{verify, verify_all, verify_batch};
pub use parts::Part;
pub use prover::{Open, Secrets, prove, prove_whatever_the_witness_says};
pub use statement::{Bundle, Envelope, Proof, Published};
pub use verifier::BundleError;
pub use witness::{EventWitness, ProveError, RawWitness, number, pad, tag, value};

#[cfg(test)]
mod tests;
