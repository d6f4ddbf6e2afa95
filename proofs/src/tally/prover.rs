//! The prover's side of the tally proof for one share (protocol notes, section 6.4).
//!
//! Any two holders of share i know the share of every total and the sum of the blinding factors. One of them opens
//! the former and proves knowledge of the latter, which is itself never opened: it would make what stays secret
//! deterministic, and so searchable.

use crate::{
    generators::bases,
    tally::statement::ShareOpenings,
    transcript::{Lambda, TallyChallenge},
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{Digest, Domain, Encode, hash};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroize;

/// A share's blinding sums, one a group, in the order of the groups.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct ShareBlindings(pub Vec<Scalar>);

/// The secret nonce of an announcement. It answers one challenge and is gone.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct Nonce(Scalar);

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// Draws a nonce and its announcement `A = k H`.
///
/// The nonce hashes fresh randomness together with the statement, so that neither a repeated state of the generator
/// nor a weak one makes two statements share a nonce.
pub fn announce(
    root: &Digest,
    openings: &ShareOpenings,
    rng: &mut (impl RngCore + CryptoRng),
) -> (Nonce, RistrettoPoint) {
    let mut fresh = [0; 64];
    rng.fill_bytes(&mut fresh);
    let wide = hash::hash_wide(Domain::TallyNonce, &[&fresh, &root.0, &openings.to_bytes()]);
    fresh.zeroize();
    let nonce = Scalar::from_bytes_mod_order_wide(&wide);
    (Nonce(nonce), nonce * bases().blinding)
}

/// Answers the challenge: `z = k + c sum_t lambda^t R_t`. Consumes the nonce.
pub fn respond(
    nonce: Nonce,
    blindings: &ShareBlindings,
    lambda: Lambda,
    challenge: TallyChallenge,
) -> Scalar {
    let combined: Scalar = blindings.0.iter().zip(lambda.powers()).map(|(r, weight)| r * weight).sum();
    nonce.0 + challenge.0 * combined
}
