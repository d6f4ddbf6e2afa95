//! The tally proof of `proofs` as the relation that the joint opening of `mpc` is about.

use crate::party::line::Frozen;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use mpc::opening::{Relation, Rows};
use primitives::{Digest, PartyId, WorkIndex};
use proofs::{
    tally::{
        Count, Group, TallyStatement, Totals,
        prover::{Nonce, ShareBlindings, announce, respond},
        statement::{OpeningRow, ShareOpenings, challenge},
        verifier::verify_share,
    },
    transcript::{Lambda, TallyChallenge},
    wire::WireScalar,
};
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;

/// Statement, bases and nonces of one party's side of the opening.
pub(super) struct TallyRelation {
    pub(super) frozen: Arc<Frozen>,
    pub(super) rng: ChaCha20Rng,
}

/// Rows of the wire form, with their groups.
fn openings(groups: &[Group], rows: &Rows) -> ShareOpenings {
    let row = |(group, row): (&Group, &Vec<Scalar>)| OpeningRow {
        group: *group,
        shares: row.iter().copied().map(WireScalar).collect(),
    };
    ShareOpenings { rows: groups.iter().zip(rows).map(row).collect() }
}

impl TallyRelation {
    pub(super) fn groups(&self) -> Vec<Group> {
        self.frozen.running.iter().map(|(group, _)| group).collect()
    }

    /// Digests of the openings of each share.
    pub(super) fn digests(&self, rows: &[Rows; 3]) -> [Digest; 3] {
        let groups = self.groups();
        rows.each_ref().map(|rows| openings(&groups, rows).digest())
    }

    /// Totals as counts; `None` if a sum is not a count, which only a wrong opening can cause.
    pub(super) fn counts(&self, sums: &Rows) -> Option<Totals> {
        let mut totals = Totals::default();
        for (group, row) in self.groups().into_iter().zip(sums) {
            totals.touch(group);
            for (at, sum) in row.iter().enumerate() {
                totals.insert(group, WorkIndex(at as u16), Count::from_scalar(sum)?);
            }
        }
        Some(totals)
    }

    pub(super) fn statement<'a>(&'a self, totals: &'a Totals) -> TallyStatement<'a> {
        let frozen = &self.frozen;
        let generators = frozen.context.works.digest();
        TallyStatement { root: &frozen.root, generators, running: &frozen.running, totals }
    }
}

/// Sums of three shares' rows.
fn sums(rows: &[Rows; 3]) -> Rows {
    let entry = |row: usize, at: usize| rows.iter().map(|share| share[row][at]).sum();
    (0..rows[0].len()).map(|row| (0..rows[0][row].len()).map(|at| entry(row, at)).collect()).collect()
}

impl Relation for TallyRelation {
    type Nonce = Nonce;
    type Challenge = (Lambda, TallyChallenge);
    type Witness = ShareBlindings;

    fn announce(&mut self, _: PartyId, rows: &Rows) -> (Nonce, RistrettoPoint) {
        let openings = openings(&self.groups(), rows);
        announce(&self.frozen.root.digest(), &openings, &mut self.rng)
    }

    fn challenge(&self, rows: &[Rows; 3], announcements: &[RistrettoPoint; 3]) -> Self::Challenge {
        // If a wrong opening makes a sum that is no count, there are no totals to bind. The digests of the openings
        // are bound all the same, and the check of each share names the wrong opener.
        let totals = self.counts(&sums(rows)).unwrap_or_default();
        let (transcript, lambda) = self.statement(&totals).bind(&self.digests(rows));
        (lambda, challenge(transcript, &announcements.iter().sum()))
    }

    fn respond(&self, nonce: Nonce, witness: &ShareBlindings, (lambda, c): &Self::Challenge) -> Scalar {
        respond(nonce, witness, *lambda, *c)
    }

    fn check(
        &self,
        share: PartyId,
        rows: &Rows,
        announcement: &RistrettoPoint,
        (lambda, c): &Self::Challenge,
        response: &Scalar,
    ) -> bool {
        let frozen = &self.frozen;
        let commitments: Vec<_> = frozen.running.iter().map(|(_, shares)| shares[share.index()]).collect();
        let openings = openings(&self.groups(), rows);
        let works = &frozen.context.works;
        verify_share(works, &openings, &commitments, *lambda, *c, announcement, response).is_ok()
    }
}
