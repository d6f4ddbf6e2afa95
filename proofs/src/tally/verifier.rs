//! Checking totals against commitments: what a light client does, and how a wrong opener is named.

use crate::{
    generators::{WorkBases, bases},
    tally::{
        header::Group,
        statement::{ShareOpenings, TallyProof, TallyStatement, challenge},
    },
    transcript::{Lambda, TallyChallenge},
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::WorkIndex;
use thiserror::Error;

/// Which rule a tally breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TallyError {
    /// The totals speak of other groups than the commitments.
    #[error("totals and commitments do not cover the same groups")]
    Groups,
    /// A total is given for a work that the shard has no place for.
    #[error("work index {work} is outside the shard of width {width}")]
    WorkOutside {
        /// The index.
        work: WorkIndex,
        /// Width of the shard.
        width: usize,
    },
    /// A limb of a total does not fit its width.
    #[error("total of work index {work} in tier {tier}, region {region} does not fit its limbs", tier = group.tier, region = group.region)]
    Oversized {
        /// Group of the total.
        group: Group,
        /// The index.
        work: WorkIndex,
    },
    /// The statement is about bases of another shard.
    #[error("the tally is stated over other bases")]
    OtherBases,
    /// The announcement does not name a group element.
    #[error("the announcement is not a group element")]
    Announcement,
    /// The commitments do not open to the totals.
    #[error("the commitments do not open to the totals")]
    DoesNotOpen,
}

/// Checks that `statement.totals` are what the accepted bundles commit to (spec 5.5 and 7.5, "all aggregates arise
/// from valid inputs").
///
/// One multi-scalar multiplication over the shard's width. The running commitments are taken as they are: whoever
/// calls this has checked the headers' signatures, or re-added the batches.
pub fn verify(
    bases: &WorkBases,
    statement: &TallyStatement<'_>,
    proof: &TallyProof,
) -> Result<(), TallyError> {
    if statement.generators != bases.digest() {
        return Err(TallyError::OtherBases);
    }
    if !statement.running.iter().map(|(group, _)| group).eq(statement.totals.iter().map(|(group, _)| group)) {
        return Err(TallyError::Groups);
    }
    let width = bases.points().len();
    let (transcript, lambda) = statement.bind(&proof.openings);
    let announcement = proof.announcement.decompress().ok_or(TallyError::Announcement)?;
    let challenge = challenge(transcript, &announcement);

    let mut works = vec![Scalar::ZERO; width];
    for ((group, counts), weight) in statement.totals.iter().zip(lambda.powers()) {
        for (work, count) in counts {
            let at =
                works.get_mut(usize::from(work.0)).ok_or(TallyError::WorkOutside { work: *work, width })?;
            if !count.fits() {
                return Err(TallyError::Oversized { group, work: *work });
            }
            *at += weight * count.to_scalar();
        }
    }
    let sums: Vec<RistrettoPoint> = statement.running.iter().map(|(_, shares)| shares.iter().sum()).collect();
    check(bases, &works, &sums, lambda, challenge, &announcement, &proof.response.0)
}

/// Checks one share's response against its own commitments and openings, so that a wrong opener is named (protocol
/// notes, section 6.4: "share i is answered for by itself").
pub fn verify_share(
    work_bases: &WorkBases,
    openings: &ShareOpenings,
    commitments: &[RistrettoPoint],
    lambda: Lambda,
    challenge: TallyChallenge,
    announcement: &RistrettoPoint,
    response: &Scalar,
) -> Result<(), TallyError> {
    let width = work_bases.points().len();
    if openings.rows.len() != commitments.len() || openings.rows.iter().any(|row| row.shares.len() != width) {
        return Err(TallyError::Groups);
    }
    let mut works = vec![Scalar::ZERO; width];
    for (row, weight) in openings.rows.iter().zip(lambda.powers()) {
        for (at, share) in works.iter_mut().zip(&row.shares) {
            *at += weight * share.0;
        }
    }
    check(work_bases, &works, commitments, lambda, challenge, announcement, response)
}

/// `z H = A + c (sum_t lambda^t C_t - sum_w x_w G_w)`, as one multi-scalar multiplication.
fn check(
    work_bases: &WorkBases,
    works: &[Scalar],
    commitments: &[RistrettoPoint],
    lambda: Lambda,
    challenge: TallyChallenge,
    announcement: &RistrettoPoint,
    response: &Scalar,
) -> Result<(), TallyError> {
    let c = challenge.0;
    let scalars: Vec<Scalar> = works
        .iter()
        .map(|x| -c * x)
        .chain(lambda.powers().take(commitments.len()).map(|weight| c * weight))
        .chain([Scalar::ONE, -response])
        .collect();
    let points = work_bases.points().iter().chain(commitments).chain([announcement, &bases().blinding]);
    if RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity() {
        Ok(())
    } else {
        Err(TallyError::DoesNotOpen)
    }
}
