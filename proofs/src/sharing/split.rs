//! Shares of a usage vector that are masks of its proof (protocol notes, section 4).
//!
//! A bundle shows `z = u + x (r_1 + r_2 + r_3)` in the clear, where u is the usage vector, x the challenge of its proof
//! and each `r_i` what a seed of 32 bytes expands to. So `-x r_1`, `-x r_2` and `z - x r_3` add up to u: whoever holds
//! two of the seeds holds two shares, and lacks a mask of full length.

use crate::{
    generators::{WorkBases, bases},
    transcript::BundleChallenge,
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::VartimeMultiscalarMul};
use primitives::field::Plain;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the stream that are expanded at a time.
const CHUNK: usize = 64 * 32;

/// The seed of a share.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct ShareSeed(pub(crate) [u8; 32]);

impl std::fmt::Debug for ShareSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShareSeed(..)")
    }
}

impl ShareSeed {
    /// A fresh seed.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = Self([0; 32]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// Calls `each` with the `width` entries of `r_i` in order, and returns `rho_i`.
    ///
    /// Entries are 252 uniform bits each, at statistical distance 2^-127 from uniform scalars, since the group order is
    /// 2^252 + 2^124.6.
    pub fn expand(&self, width: usize, mut each: impl FnMut(usize, Plain)) -> Plain {
        let mut stream = ChaCha20Rng::from_seed(self.0);
        let mut bytes = Zeroizing::new([0; CHUNK]);
        stream.fill_bytes(&mut bytes[..32]);
        let blinding = Plain::from_252_bits(&bytes.as_chunks::<32>().0[0]);
        for from in (0..width).step_by(CHUNK / 32) {
            let count = (width - from).min(CHUNK / 32);
            stream.fill_bytes(&mut bytes[..32 * count]);
            for (i, entry) in bytes.as_chunks::<32>().0[..count].iter().enumerate() {
                each(from + i, Plain::from_252_bits(entry));
            }
        }
        blinding
    }

    /// `A_i = <r_i, G> + rho_i H`, in constant time.
    pub fn commit(&self, works: &WorkBases) -> RistrettoPoint {
        let (entries, blinding) = self.scalars(works);
        works.commit(&entries, &blinding)
    }

    /// Whether it opens a commitment. Variable time: for a seed that everybody may know.
    pub(crate) fn opens(&self, works: &WorkBases, commitment: &RistrettoPoint) -> bool {
        let (entries, blinding) = self.scalars(works);
        let points = works.points().iter().chain([&bases().blinding]);
        RistrettoPoint::vartime_multiscalar_mul(entries.iter().chain([&*blinding]), points) == *commitment
    }

    fn scalars(&self, works: &WorkBases) -> (Zeroizing<Vec<Scalar>>, Zeroizing<Scalar>) {
        let mut entries = Zeroizing::new(Vec::with_capacity(works.points().len()));
        let blinding = self.expand(works.points().len(), |_, entry| entries.push(Scalar::from(entry)));
        (entries, Zeroizing::new(blinding.into()))
    }
}

/// Three fresh seeds with their commitments: all of a bundle's work in the width of the shard that does not depend on
/// its events. A device makes them ahead of time, and uses them once.
#[derive(Debug)]
pub struct Masks {
    pub(crate) seeds: [ShareSeed; 3],
    pub(crate) commitments: [RistrettoPoint; 3],
}

impl Masks {
    /// Draws seeds and commits to what they expand to.
    pub fn prepare(works: &WorkBases, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let seeds = [(); 3].map(|()| ShareSeed::generate(rng));
        let commitments = seeds.each_ref().map(|seed| seed.commit(works));
        Self { seeds, commitments }
    }

    /// `r = r_1 + r_2 + r_3` and the sum of the blinding factors.
    pub(crate) fn sum(&self, width: usize) -> (Zeroizing<Vec<Plain>>, Plain) {
        let mut sum = Zeroizing::new(vec![Plain::default(); width]);
        let blinding = self.seeds.iter().map(|seed| seed.expand(width, |at, entry| sum[at] += entry)).sum();
        (sum, blinding)
    }
}

/// What an accepted bundle leaves behind for those who hold its shares: its challenge, `S`, and the commitments to what
/// the seeds expand to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// `x`.
    pub challenge: BundleChallenge,
    /// `S`.
    pub vector: RistrettoPoint,
    /// `A_1, A_2, A_3`.
    pub masks: [RistrettoPoint; 3],
    /// `Cum` after the bundle, which the subscriber's next one names.
    pub spent: WirePoint,
}

/// Sums over accepted bundles of the commitments to their three shares: `S_1 = -x A_1`, `S_2 = -x A_2`, and
/// `S_3 = S + x (A_1 + A_2)`, which check (b) makes `<z - x r_3, G> + (z_S - x rho_3) H`. Together they are the sum of
/// the `S`. Everything here is public, so it runs in variable time.
pub fn share_commitments(accepted: &[&Accepted]) -> [RistrettoPoint; 3] {
    let scaled = |share: usize| {
        let challenges = accepted.iter().map(|a| a.challenge.scalar());
        RistrettoPoint::vartime_multiscalar_mul(challenges, accepted.iter().map(|a| a.masks[share]))
    };
    let [first, second] = [scaled(0), scaled(1)];
    let vectors: RistrettoPoint = accepted.iter().map(|a| a.vector).sum();
    [-first, -second, vectors + first + second]
}
