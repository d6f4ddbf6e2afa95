//! The prover's side of the tally proof for one share (protocol notes, section 6.4).
//!
//! Any two holders of share i know the share of every cell and the sums of the blinding factors. One of them opens the
//! former where a cell is published, and proves knowledge of all the rest, none of which is ever opened: a blinding sum
//! would make what stays secret deterministic, and so searchable.

use crate::{
    generators::{WorkBases, bases},
    tally::statement::{ShareOpenings, TierResponse},
    transcript::TallyChallenge,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::MultiscalarMul};
use primitives::{Digest, Domain, Encode, hash};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, RngCore, SeedableRng};
use zeroize::Zeroize;

/// What a share holds of one tier and is never opened.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct TierSecrets {
    /// Share of each cell that is carried, in order.
    pub carried: Vec<Scalar>,
    /// Sum of the blinding factors.
    pub blinding: Scalar,
}

/// Secrets of every tier, in order; also the nonces that hide them.
#[derive(Clone)]
pub struct ShareSecrets(pub Vec<TierSecrets>);

/// The secret nonces of an announcement. They answer one challenge and are gone.
pub struct Nonces(ShareSecrets);

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonces(..)")
    }
}

/// Draws nonces and their announcements `A_t = sum_w k_w G_w + k H`, over the cells of each tier that are carried.
///
/// The nonces expand from a hash of fresh randomness together with the statement, so that neither a repeated state of
/// the generator nor a weak one makes two statements share a nonce.
pub fn announce(
    root: &Digest,
    openings: &ShareOpenings,
    (works, carried): (&WorkBases, &[Vec<usize>]),
    rng: &mut (impl RngCore + CryptoRng),
) -> (Nonces, Vec<RistrettoPoint>) {
    let mut fresh = [0; 64];
    rng.fill_bytes(&mut fresh);
    let mut seed = hash::hash(Domain::TallyNonce, &[&fresh, &root.0, &openings.to_bytes()]).0;
    let mut stream = ChaCha20Rng::from_seed(seed);
    fresh.zeroize();
    seed.zeroize();
    let draw = |carried: &Vec<usize>| {
        let nonces = carried.iter().map(|_| Scalar::random(&mut stream)).collect();
        TierSecrets { carried: nonces, blinding: Scalar::random(&mut stream) }
    };
    let nonces: Vec<_> = carried.iter().map(draw).collect();
    let announcement = |(cells, nonces): (&Vec<usize>, &TierSecrets)| {
        let points = cells.iter().map(|at| &works.points()[*at]).chain([&bases().blinding]);
        RistrettoPoint::multiscalar_mul(nonces.carried.iter().chain([&nonces.blinding]), points)
    };
    let announcements = carried.iter().zip(&nonces).map(announcement).collect();
    (Nonces(ShareSecrets(nonces)), announcements)
}

/// Answers the challenge: `z = k + c x` for each secret. Consumes the nonces.
pub fn respond(nonces: Nonces, secrets: &ShareSecrets, challenge: TallyChallenge) -> Vec<TierResponse> {
    let answer = |(nonces, secrets): (&TierSecrets, &TierSecrets)| {
        let of = |(k, x): (&Scalar, &Scalar)| (k + challenge.0 * x).into();
        TierResponse {
            carried: nonces.carried.iter().zip(&secrets.carried).map(of).collect(),
            blinding: of((&nonces.blinding, &secrets.blinding)),
        }
    };
    nonces.0.0.iter().zip(&secrets.0).map(answer).collect()
}
