//! The joint tally proof, made by somebody who holds all three shares.

use crate::{
    generators::WorkBases,
    tally::{
        Count, EpochRoot, Residual, Running, TallyProof, TallyStatement, Totals,
        prover::{Nonces, ShareSecrets, TierSecrets, announce, respond},
        statement::{Cells, OpeningRow, ShareOpenings, TierCells, TierProof, TierResponse, challenge},
        verifier::{carried_by_share, verify_share},
    },
    wire::WireScalar,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{PartyId, Tier, WorkIndex};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeMap;

/// All three shares of a tier's cells.
#[derive(Clone)]
pub struct TierShares {
    /// One entry for each index.
    pub entries: [Vec<Scalar>; 3],
    /// Sums of blinding factors.
    pub blindings: [Scalar; 3],
}

impl TierShares {
    /// Shares of nothing.
    pub fn zero(width: usize) -> Self {
        Self { entries: [0; 3].map(|_| vec![Scalar::ZERO; width]), blindings: [Scalar::ZERO; 3] }
    }

    /// Fresh shares of a vector.
    pub fn of(vector: &[Scalar], rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let [first, second] =
            [(); 2].map(|()| vector.iter().map(|_| Scalar::random(rng)).collect::<Vec<_>>());
        let third = vector.iter().zip(&first).zip(&second).map(|((u, a), b)| u - a - b).collect();
        Self { entries: [first, second, third], blindings: [0; 3].map(|_| Scalar::random(rng)) }
    }

    /// Commitments to the three shares.
    pub fn commitments(&self, works: &WorkBases) -> [RistrettoPoint; 3] {
        std::array::from_fn(|i| works.commit(&self.entries[i], &self.blindings[i]))
    }

    /// Adds other shares.
    pub fn add(&mut self, other: &Self) {
        for i in 0..3 {
            self.entries[i].iter_mut().zip(&other.entries[i]).for_each(|(sum, x)| *sum += x);
            self.blindings[i] += other.blindings[i];
        }
    }

    /// What the shares sum to at an index.
    pub fn total(&self, at: usize) -> Scalar {
        self.entries.iter().map(|share| share[at]).sum()
    }
}

/// What the three parties come to together.
pub struct JointTally {
    /// Totals of published cells.
    pub totals: Totals,
    /// What is left over.
    pub after: Residual,
    /// Openings of each share.
    pub openings: [ShareOpenings; 3],
    /// The proof.
    pub proof: TallyProof,
}

impl JointTally {
    /// Opens and proves what is `published`, and checks each share as the parties would. `shares` are of the epoch and of
    /// what was carried together, one entry for each tier of `running`.
    ///
    /// # Panics
    /// If shares do not open the commitments, or a total is not a count.
    pub fn prove(
        root: &EpochRoot,
        works: &WorkBases,
        (running, before): (&Running, &Residual),
        shares: &BTreeMap<Tier, TierShares>,
        published: impl Fn(Tier, WorkIndex) -> bool,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let part = |cells: TierCells| {
            let parted = Cells::part(works, |work| published(cells.tier, work));
            (cells, parted)
        };
        let tiers: Vec<_> = TierCells::of(running, before).into_iter().map(part).collect();
        let mut totals = Totals::default();
        for (tier, cells) in &tiers {
            totals.touch(tier.tier);
            for at in &cells.opened {
                let count = Count::from_scalar(&shares[&tier.tier].total(*at)).expect("a count");
                totals.insert(tier.tier, WorkIndex(*at as u16), count);
            }
        }
        let entries = |tier: Tier, i: usize, at: &[usize]| -> Vec<Scalar> {
            at.iter().map(|at| shares[&tier].entries[i][*at]).collect()
        };
        let openings: [ShareOpenings; 3] = std::array::from_fn(|i| {
            let row = |(tier, cells): &(TierCells, Cells)| OpeningRow {
                tier: tier.tier,
                shares: entries(tier.tier, i, &cells.opened).into_iter().map(WireScalar).collect(),
            };
            ShareOpenings { rows: tiers.iter().map(row).collect() }
        });
        let carried: Vec<_> = tiers.iter().map(|(_, cells)| cells.carried.clone()).collect();
        let announced: [(Nonces, Vec<RistrettoPoint>); 3] =
            std::array::from_fn(|i| announce(&root.digest(), &openings[i], (works, &carried), rng));
        let announcement = |tier: usize| announced.iter().map(|(_, points)| points[tier]).sum();
        let sums: Vec<RistrettoPoint> = (0..tiers.len()).map(announcement).collect();
        let digests = openings.each_ref().map(ShareOpenings::digest);
        let statement = TallyStatement { root, works, running, before, totals: &totals };
        let c = challenge(statement.bind(&digests), sums.iter().map(|point| (*point).into()));

        let mut after = before.clone();
        let mut rest = vec![[RistrettoPoint::default(); 3]; tiers.len()];
        let mut responses: Vec<Vec<TierResponse>> = Vec::new();
        for (share, (nonces, points)) in PartyId::ALL.into_iter().zip(announced) {
            let i = share.index();
            let secrets = |(tier, cells): &(TierCells, Cells)| TierSecrets {
                carried: entries(tier.tier, i, &cells.carried),
                blinding: shares[&tier.tier].blindings[i],
            };
            let answers = respond(nonces, &ShareSecrets(tiers.iter().map(secrets).collect()), c);
            let left = carried_by_share(works, share, &tiers, &openings[i]).expect("one opening a cell");
            verify_share(works, &tiers, &left, (c, &points), &answers).expect("shares open commitments");
            rest.iter_mut().zip(left).for_each(|(rest, left)| rest[i] = left);
            responses.push(answers);
        }
        for ((tier, _), rest) in tiers.iter().zip(rest) {
            after.set(tier.tier, rest);
        }
        let proof = TallyProof { openings: digests, tiers: TierProof::sum(&sums, &responses) };
        Self { totals, after, openings, proof }
    }
}
