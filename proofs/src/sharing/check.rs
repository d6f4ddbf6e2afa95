//! Checking that seeds expand to what their commitments hold, many at once.

use crate::{
    generators::{WorkBases, bases},
    halving::halve,
    sharing::split::ShareSeed,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::field::Wide;
use rand_core::{CryptoRng, RngCore};

/// Places of the seeds that do not open their commitments `A_i`, ascending. One random linear combination tells whether
/// there are any, and halving finds all of them. A false seed passes with probability 2^-128.
///
/// Variable time: what the seeds expand to is weighed by fresh randomness that nobody else sees, and what the time says
/// of their sum says nothing of one subscriber's share, which is itself masked by two others.
pub fn wrong_seeds(
    works: &WorkBases,
    shares: &[(RistrettoPoint, &ShareSeed)],
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<usize> {
    let places: Vec<_> = shares.iter().copied().enumerate().collect();
    let mut fails = |some: &[(usize, (RistrettoPoint, &ShareSeed))]| {
        let pairs: Vec<_> = some.iter().map(|(_, pair)| *pair).collect();
        !combination_opens(works, &pairs, rng)
    };
    let mut wrong = Vec::new();
    if fails(&places) {
        halve(&places, &mut fails, &mut |(place, _)| wrong.push(*place));
    }
    wrong
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
