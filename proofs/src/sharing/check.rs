//! Checking that seeds expand to what their commitments hold, many at once.

use crate::{
    generators::{WorkBases, bases},
    sharing::split::ShareSeed,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::field::Wide;
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;

/// A seed that does not open its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the seed at place {place} does not open its commitment")]
pub struct ShareError {
    /// Place of the first such seed in the list that was checked.
    pub place: usize,
}

/// Checks each seed against its commitment `A_i` by one random linear combination; when that fails, halves until the
/// first culprit is found. A false seed passes with probability 2^-128.
///
/// Variable time: what the seeds expand to is weighed by fresh randomness that nobody else sees, and what the time says
/// of their sum says nothing of one subscriber's share, which is itself masked by two others.
pub fn check(
    works: &WorkBases,
    shares: &[(RistrettoPoint, &ShareSeed)],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(), ShareError> {
    if shares.is_empty() || combination_opens(works, shares, rng) {
        return Ok(());
    }
    if shares.len() == 1 {
        return Err(ShareError { place: 0 });
    }
    let (left, right) = shares.split_at(shares.len() / 2);
    check(works, left, rng)?;
    check(works, right, rng).map_err(|e| ShareError { place: left.len() + e.place })
}

fn combination_opens(
    works: &WorkBases,
    shares: &[(RistrettoPoint, &ShareSeed)],
    rng: &mut (impl RngCore + CryptoRng),
) -> bool {
    let width = works.points().len();
    let mut sums = vec![Wide::default(); width + 1];
    let mut weights = Vec::with_capacity(shares.len());
    for (_, seed) in shares {
        let weight = random_weight(rng);
        let blinding = seed.expand(width, |at, entry| sums[at].add_weighted(entry, weight));
        sums[width].add_weighted(blinding, weight);
        weights.push(-Scalar::from(weight));
    }
    let scalars = sums.iter().map(Wide::to_scalar).chain(weights);
    let points = works
        .points()
        .iter()
        .chain([&bases().blinding])
        .chain(shares.iter().map(|(commitment, _)| commitment));
    RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity()
}

/// A 128-bit weight of a random linear combination.
pub(crate) fn random_weight(rng: &mut (impl RngCore + CryptoRng)) -> u128 {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    u128::from_le_bytes(bytes)
}
