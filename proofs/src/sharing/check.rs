//! Checking that shares open their commitments, many at once.

use crate::{
    generators::{WorkBases, bases},
    sharing::split::ShareOpening,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use rand_core::{CryptoRng, RngCore};
use thiserror::Error;

/// A share that does not open its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("share at place {place} does not open its commitment")]
pub struct ShareError {
    /// Place of the first such share in the list that was checked.
    pub place: usize,
}

/// Checks each opening against its commitment by one random linear combination; when that fails, halves until the
/// first culprit is found. A false opening passes with probability 2^-128.
///
/// Variable time: the openings are weighed by fresh randomness that nobody else sees, and what the time says of
/// their sum says nothing of one subscriber's share, which is itself masked by two others.
pub fn check(
    works: &WorkBases,
    shares: &[(RistrettoPoint, &ShareOpening)],
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
    shares: &[(RistrettoPoint, &ShareOpening)],
    rng: &mut (impl RngCore + CryptoRng),
) -> bool {
    let width = works.points().len();
    let mut entries = vec![Scalar::ZERO; width];
    let mut blinding = Scalar::ZERO;
    let mut weights = Vec::with_capacity(shares.len());
    for (_, opening) in shares {
        let weight = random_weight(rng);
        blinding += weight * opening.expand(width, |at, x| entries[at] += weight * x);
        weights.push(-weight);
    }
    let scalars = entries.iter().chain([&blinding]).chain(&weights);
    let points = works
        .points()
        .iter()
        .chain([&bases().blinding])
        .chain(shares.iter().map(|(commitment, _)| commitment));
    RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity()
}

/// A 128-bit weight of a random linear combination.
pub(crate) fn random_weight(rng: &mut (impl RngCore + CryptoRng)) -> Scalar {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Scalar::from(u128::from_le_bytes(bytes))
}
