//! The tally proof of `proofs` as the relation that the joint opening of `mpc` is about.

use crate::party::line::Frozen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use mpc::opening::{Relation, Rows};
use primitives::{Digest, PartyId, WorkIndex};
use proofs::{
    tally::{
        Count, Residual, TallyStatement, Totals,
        prover::{Nonces, ShareSecrets, announce, respond},
        statement::{Cells, OpeningRow, ShareOpenings, TierCells, TierResponse, challenge},
        verifier::{carried_by_share, verify_share},
    },
    transcript::TallyChallenge,
    wire::WireScalar,
};
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;

/// What is opened and what stays closed of a frozen set, once that is decided.
pub(super) struct Ground {
    pub(super) frozen: Arc<Frozen>,
    /// What was carried before.
    pub(super) before: Residual,
    /// Tiers with their cells.
    pub(super) tiers: Vec<(TierCells, Cells)>,
}

impl Ground {
    /// Rows of the wire form, with their tiers.
    fn openings(&self, rows: &Rows) -> ShareOpenings {
        let row = |((tier, _), row): (&(TierCells, Cells), &Vec<Scalar>)| OpeningRow {
            tier: tier.tier,
            shares: row.iter().copied().map(WireScalar).collect(),
        };
        ShareOpenings { rows: self.tiers.iter().zip(rows).map(row).collect() }
    }

    /// Digests of the openings of each share.
    pub(super) fn digests(&self, rows: &[Rows; 3]) -> [Digest; 3] {
        rows.each_ref().map(|rows| self.openings(rows).digest())
    }

    /// Totals as counts; `None` if a sum is not a count, which only a wrong opening can cause.
    pub(super) fn counts(&self, sums: &Rows) -> Option<Totals> {
        let mut totals = Totals::default();
        for ((tier, cells), row) in self.tiers.iter().zip(sums) {
            totals.touch(tier.tier);
            for (at, sum) in cells.opened.iter().zip(row) {
                totals.insert(tier.tier, WorkIndex(*at as u16), Count::from_scalar(sum)?);
            }
        }
        Some(totals)
    }

    pub(super) fn statement<'a>(&'a self, totals: &'a Totals) -> TallyStatement<'a> {
        let Frozen { context, root, running, .. } = self.frozen.as_ref();
        TallyStatement { root, works: &context.works, running, before: &self.before, totals }
    }

    /// What a share leaves over; `None` if its openings are of another shape.
    pub(super) fn carried(&self, share: PartyId, rows: &Rows) -> Option<Vec<RistrettoPoint>> {
        carried_by_share(&self.frozen.context.works, share, &self.tiers, &self.openings(rows)).ok()
    }
}

/// A row of numbers as a response: one for each carried cell, and one for the blinding base.
pub(super) fn responses(rows: &Rows) -> Option<Vec<TierResponse>> {
    let response = |row: &Vec<Scalar>| {
        let (blinding, carried) = row.split_last()?;
        Some(TierResponse {
            carried: carried.iter().copied().map(WireScalar).collect(),
            blinding: WireScalar(*blinding),
        })
    };
    rows.iter().map(response).collect()
}

/// One party's side of the opening, with its source of nonces.
pub(super) struct TallyRelation {
    pub(super) ground: Arc<Ground>,
    pub(super) rng: ChaCha20Rng,
}

/// Sums of three shares' rows.
fn sums(rows: &[Rows; 3]) -> Rows {
    let entry = |row: usize, at: usize| rows.iter().map(|share| share[row][at]).sum();
    (0..rows[0].len()).map(|row| (0..rows[0][row].len()).map(|at| entry(row, at)).collect()).collect()
}

impl Relation for TallyRelation {
    type Nonce = Nonces;
    type Challenge = TallyChallenge;
    type Witness = ShareSecrets;

    fn announce(&mut self, _: PartyId, rows: &Rows) -> (Nonces, Vec<RistrettoPoint>) {
        let Ground { frozen, tiers, .. } = self.ground.as_ref();
        let carried: Vec<_> = tiers.iter().map(|(_, cells)| cells.carried.clone()).collect();
        let openings = self.ground.openings(rows);
        announce(&frozen.root.digest(), &openings, (&frozen.context.works, &carried), &mut self.rng)
    }

    fn challenge(&self, rows: &[Rows; 3], announcements: &[Vec<RistrettoPoint>; 3]) -> TallyChallenge {
        // If a wrong opening makes a sum that is no count, there are no totals to bind. The digests of the openings
        // are bound all the same, and the check of each share names the wrong opener.
        let totals = self.ground.counts(&sums(rows)).unwrap_or_default();
        let transcript = self.ground.statement(&totals).bind(&self.ground.digests(rows));
        let sum = |tier: usize| announcements.iter().map(|points| points[tier]).sum::<RistrettoPoint>();
        challenge(transcript, (0..self.ground.tiers.len()).map(|tier| sum(tier).into()))
    }

    fn respond(&self, nonces: Nonces, secrets: &ShareSecrets, c: &TallyChallenge) -> Rows {
        let row = |response: TierResponse| {
            response.carried.iter().chain([&response.blinding]).map(|z| z.0).collect()
        };
        respond(nonces, secrets, *c).into_iter().map(row).collect()
    }

    fn check(
        &self,
        share: PartyId,
        rows: &Rows,
        announcements: &[RistrettoPoint],
        c: &TallyChallenge,
        shown: &Rows,
    ) -> bool {
        let works = &self.ground.frozen.context.works;
        let (Some(carried), Some(shown)) = (self.ground.carried(share, rows), responses(shown)) else {
            return false;
        };
        verify_share(works, &self.ground.tiers, &carried, (*c, announcements), &shown).is_ok()
    }
}
