//! Sums of shares over bundles, and whether they are what was committed to.

use crate::{
    generators::{WorkBases, bases},
    sharing::{check::random_weight, split::ShareSeed},
    transcript::BundleChallenge,
    wire::WireScalar,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::field::{Plain, Wide};
use primitives::{CodecError, Decode, Encode, PartyId, Reader, Writer, limits};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// The share whose entries include what a bundle shows.
pub const SHOWN_SHARE: PartyId = PartyId::ALL[2];

/// One bundle's part in a sum of shares.
pub struct SharePart<'a> {
    /// The seed.
    pub seed: &'a ShareSeed,
    /// The bundle's challenge.
    pub challenge: BundleChallenge,
    /// `z` and `z_S` of the bundle, which belong to the third share and to no other.
    pub response: Option<(&'a [Plain], Plain)>,
}

/// Sum of one share over bundles. Of few bundles it says nearly as much as a share.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct BatchShare {
    /// An entry for each work.
    pub entries: Vec<Scalar>,
    /// Blinding factor.
    pub blinding: Scalar,
}

impl std::fmt::Debug for BatchShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchShare").finish_non_exhaustive()
    }
}

impl BatchShare {
    /// Adds one share of bundles over a shard of `width` works, in constant time.
    pub fn of(width: usize, parts: &[SharePart<'_>]) -> Self {
        let mut masked = Zeroizing::new(vec![Wide::default(); width + 1]);
        let mut shown = vec![Plain::default(); width + 1];
        for SharePart { seed, challenge, response } in parts {
            let blinding = seed.expand(width, |at, entry| masked[at].add_weighted(entry, challenge.0));
            masked[width].add_weighted(blinding, challenge.0);
            if let Some((entries, blinding)) = response {
                shown.iter_mut().zip(entries.iter().chain([blinding])).for_each(|(sum, z)| *sum += *z);
            }
        }
        let sum = |at: usize| Scalar::from(shown[at]) - masked[at].to_scalar();
        Self { entries: (0..width).map(sum).collect(), blinding: sum(width) }
    }

    /// Whether it opens a commitment: a sum that another holder of the share shows.
    pub fn opens(
        &self,
        works: &WorkBases,
        commitment: &RistrettoPoint,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> bool {
        self.entries.len() == works.points().len() && sums_open(works, &[(*commitment, self)], rng)
    }
}

impl Encode for BatchShare {
    fn encode(&self, w: &mut Writer) {
        w.count(self.entries.len());
        self.entries.iter().chain([&self.blinding]).for_each(|entry| WireScalar(*entry).encode(w));
    }
}

impl Decode for BatchShare {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let width = r.count(limits::MAX_SHARD_WIDTH)?;
        let entries = (0..width).map(|_| Ok(WireScalar::decode(r)?.0)).collect::<Result<_, _>>()?;
        Ok(Self { entries, blinding: WireScalar::decode(r)?.0 })
    }
}

/// Whether each sum opens the commitment beside it, which [`share_commitments`](super::share_commitments) gives, by one
/// random linear combination. A false sum passes with probability 2^-128.
///
/// That the sum is right is all that anybody needs of the shares in it: two seeds that are wrong by amounts that cancel
/// add up to what was committed to, and no other sum opens it. What was left out of a sum afterwards would have to be
/// checked anew.
///
/// Variable time: sums are weighed by fresh randomness that nobody else sees.
pub fn sums_open(
    works: &WorkBases,
    sums: &[(RistrettoPoint, &BatchShare)],
    rng: &mut (impl RngCore + CryptoRng),
) -> bool {
    if sums.is_empty() {
        return true;
    }
    let width = works.points().len();
    let mut combined = Zeroizing::new(vec![Scalar::ZERO; width + 1]);
    let mut weights = Vec::with_capacity(sums.len());
    for (_, sum) in sums {
        let weight = Scalar::from(random_weight(rng));
        let entries = sum.entries.iter().chain([&sum.blinding]);
        combined.iter_mut().zip(entries).for_each(|(into, entry)| *into += weight * entry);
        weights.push(-weight);
    }
    let points = works.points().iter().chain([&bases().blinding]);
    let commitments = sums.iter().map(|(commitment, _)| commitment);
    RistrettoPoint::vartime_multiscalar_mul(combined.iter().chain(&weights), points.chain(commitments))
        .is_identity()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        shard::Shard,
        sharing::{Accepted, Masks, share_commitments},
        wire::WirePoint,
    };
    use primitives::{ShardIndex, WorkId};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn shares_add_up_to_the_vector_and_open_what_is_public() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let shard = Shard::new(ShardIndex(0), (1..=70).map(|i| WorkId([i; 32])).collect()).unwrap();
        let works = WorkBases::new(&shard);
        let width = shard.width();
        let challenge = BundleChallenge(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
        let bundles: Vec<_> = (0..3u64)
            .map(|n| {
                let masks = Masks::prepare(&works, &mut rng);
                let vector: Vec<_> = (0..width as u64).map(|w| Scalar::from(w * 7 + n)).collect();
                let blinding = Scalar::random(&mut rng);
                let (r, rho) = masks.sum(width);
                let masked =
                    |u: &Scalar, r: &Plain| Plain::from(&(u + challenge.scalar() * Scalar::from(*r)));
                let z: Vec<_> = vector.iter().zip(r.iter()).map(|(u, r)| masked(u, r)).collect();
                let commitment = works.commit(&vector, &blinding);
                let accepted = Accepted {
                    challenge,
                    vector: commitment,
                    masks: masks.commitments,
                    spent: WirePoint::default(),
                };
                (masks, vector, z, masked(&blinding, &rho), accepted)
            })
            .collect();
        let (mut total, mut sums) = (vec![Scalar::ZERO; width], Vec::new());
        let accepted: Vec<_> = bundles.iter().map(|b| &b.4).collect();
        let commitments = share_commitments(&accepted);
        for share in PartyId::ALL {
            let part =
                |b: &'_ (Masks, _, Vec<Plain>, Plain, _)| (share == SHOWN_SHARE).then(|| (b.2.clone(), b.3));
            let shown: Vec<_> = bundles.iter().map(part).collect();
            let parts: Vec<_> = bundles
                .iter()
                .zip(&shown)
                .map(|(b, shown)| SharePart {
                    seed: &b.0.seeds[share.index()],
                    challenge,
                    response: shown.as_ref().map(|(z, blinding)| (&z[..], *blinding)),
                })
                .collect();
            let sum = BatchShare::of(width, &parts);
            let opened = works.commit(&sum.entries, &sum.blinding);
            assert_eq!(opened, commitments[share.index()], "share {share}");
            total.iter_mut().zip(&sum.entries).for_each(|(sum, entry)| *sum += entry);
            sums.push((opened, sum));
        }
        let expected: Vec<Scalar> = (0..width).map(|w| bundles.iter().map(|b| b.1[w]).sum()).collect();
        assert_eq!(total, expected);

        // Each entry of each sum counts, and each sum for itself.
        let mut open = |sums: &[(RistrettoPoint, BatchShare)]| {
            let sums: Vec<_> = sums.iter().map(|(commitment, sum)| (*commitment, sum)).collect();
            sums_open(&works, &sums, &mut rng)
        };
        assert!(open(&sums) && open(&[]));
        for at in [0, width - 1] {
            let mut wrong = sums.clone();
            wrong[1].1.entries[at] += Scalar::ONE;
            assert!(!open(&wrong));
            wrong[2].1.entries[at] -= Scalar::ONE;
            assert!(!open(&wrong), "what one sum has too much does not make up for what another lacks");
        }
        let mut wrong = sums;
        wrong[0].1.blinding += Scalar::ONE;
        assert!(!open(&wrong));
    }
}
