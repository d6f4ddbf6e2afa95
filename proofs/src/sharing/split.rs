//! Splitting a vector into three shares, and expanding a share again.

use crate::generators::{WorkBases, bases};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::MultiscalarMul};
use primitives::PartyId;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rand_core::CryptoRng;
use zeroize::Zeroize;

/// One share of a vector and of its blinding factor.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub enum ShareOpening {
    /// Expands to the share by a stream cipher.
    Seed([u8; 32]),
    /// The share, written out.
    Explicit {
        /// One entry for each index of the shard.
        entries: Vec<Scalar>,
        /// Share of the blinding factor.
        blinding: Scalar,
    },
}

impl std::fmt::Debug for ShareOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShareOpening(..)")
    }
}

impl ShareOpening {
    /// Calls `each` with the `width` entries of the share in order, and returns the blinding share.
    ///
    /// A seed's entries are 252 uniform bits each, at statistical distance 2^-127 from uniform scalars, since the
    /// group order is 2^252 + 2^124.6.
    pub fn expand(&self, width: usize, mut each: impl FnMut(usize, &Scalar)) -> Scalar {
        match self {
            Self::Seed(seed) => {
                let mut stream = ChaCha20Rng::from_seed(*seed);
                let mut draw = || {
                    let mut bytes = [0; 32];
                    stream.fill_bytes(&mut bytes);
                    bytes[31] &= 0x0f;
                    Scalar::from_bytes_mod_order(bytes)
                };
                let blinding = draw();
                for at in 0..width {
                    each(at, &draw());
                }
                blinding
            }
            Self::Explicit { entries, blinding } => {
                for (at, entry) in entries.iter().enumerate() {
                    each(at, entry);
                }
                *blinding
            }
        }
    }

    /// The entries as a vector, and the blinding share.
    pub fn to_vector(&self, width: usize) -> (Vec<Scalar>, Scalar) {
        let mut entries = vec![Scalar::ZERO; width];
        let blinding = self.expand(width, |at, entry| entries[at] = *entry);
        (entries, blinding)
    }

    /// `S_i = <x_i, G> + R_i H`, in constant time.
    pub fn commit(&self, works: &WorkBases) -> RistrettoPoint {
        let (mut entries, blinding) = self.to_vector(works.points().len());
        let scalars = entries.iter().chain([&blinding]);
        let commitment =
            RistrettoPoint::multiscalar_mul(scalars, works.points().iter().chain([&bases().blinding]));
        entries.zeroize();
        commitment
    }
}

/// The three shares of a vector.
#[derive(Debug)]
pub struct Shares(pub [ShareOpening; 3]);

impl Shares {
    /// Splits `vector` and `blinding`: two fresh seeds, and what is left.
    pub fn split(vector: &[Scalar], blinding: &Scalar, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seeds = [[0; 32]; 2];
        seeds.iter_mut().for_each(|seed| rng.fill_bytes(seed));
        let first = ShareOpening::Seed(seeds[0]);
        let second = ShareOpening::Seed(seeds[1]);
        seeds.zeroize();
        let (mut rest, mut left) = (vector.to_vec(), *blinding);
        for seed in [&first, &second] {
            left -= seed.expand(rest.len(), |at, entry| rest[at] -= entry);
        }
        Self([first, second, ShareOpening::Explicit { entries: rest, blinding: left }])
    }

    /// Changes one share, so that it no longer opens its commitment. For adversaries.
    pub(crate) fn spoil(&mut self, share: PartyId) {
        match &mut self.0[share.index()] {
            ShareOpening::Seed(seed) => seed[0] ^= 1,
            ShareOpening::Explicit { blinding, .. } => *blinding += Scalar::ONE,
        }
    }

    /// The three commitments, whose sum commits to the vector.
    pub fn commit(&self, works: &WorkBases) -> [RistrettoPoint; 3] {
        std::array::from_fn(|i| self.0[i].commit(works))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::Shard;
    use primitives::{ShardIndex, WorkId};

    #[test]
    fn shares_and_their_commitments_add_up() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let works =
            WorkBases::new(&Shard::new(ShardIndex(0), vec![WorkId([1; 32]), WorkId([2; 32])]).unwrap());
        let vector: Vec<_> = (0..4u64).map(Scalar::from).collect();
        let blinding = Scalar::random(&mut rng);
        let shares = Shares::split(&vector, &blinding, &mut rng);
        let mut sum = vec![Scalar::ZERO; 4];
        let mut blindings = Scalar::ZERO;
        for share in &shares.0 {
            blindings += share.expand(4, |at, x| sum[at] += x);
        }
        assert_eq!((sum, blindings), (vector.clone(), blinding));
        let whole = ShareOpening::Explicit { entries: vector, blinding };
        assert_eq!(shares.commit(&works).iter().sum::<RistrettoPoint>(), whole.commit(&works));
    }
}
