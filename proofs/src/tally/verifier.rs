//! Checking totals against commitments: what a light client does, and how a wrong opener is named.

use crate::{
    generators::{WorkBases, bases},
    tally::{
        residual::Residual,
        statement::{Cells, ShareOpenings, TallyProof, TallyStatement, TierCells, TierResponse, challenge},
    },
    transcript::TallyChallenge,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::{PartyId, Tier, WorkIndex};
use thiserror::Error;

/// Which rule a tally breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TallyError {
    /// The totals, or what is carried, speak of other tiers than the commitments.
    #[error("totals and commitments do not cover the same tiers")]
    Tiers,
    /// A total is given for a work that the shard has no place for.
    #[error("work index {work} is outside the shard of width {width}")]
    WorkOutside {
        /// The index.
        work: WorkIndex,
        /// Width of the shard.
        width: usize,
    },
    /// A limb of a total does not fit its width.
    #[error("total of work index {work} in tier {tier} does not fit its limbs")]
    Oversized {
        /// Tier of the total.
        tier: Tier,
        /// The index.
        work: WorkIndex,
    },
    /// Openings or responses are of other cells than those that are published or carried.
    #[error("openings or responses of tier {tier} are not one for each cell")]
    Shape {
        /// The tier.
        tier: Tier,
    },
    /// An announcement does not name a group element.
    #[error("the announcement of tier {tier} is not a group element")]
    Announcement {
        /// The tier.
        tier: Tier,
    },
    /// What is carried is not the commitments less the totals.
    #[error("what tier {tier} carries over is not what its commitments hold beyond the totals")]
    Carried {
        /// The tier.
        tier: Tier,
    },
    /// The commitments do not open to the totals.
    #[error("the commitments of tier {tier} do not open to the totals")]
    DoesNotOpen {
        /// The tier.
        tier: Tier,
    },
}

/// Checks that `statement.totals` are what the accepted bundles and earlier residuals commit to, and that `after` is
/// what is left of them (spec 5.5 and 7.5, "all aggregates arise from valid inputs").
///
/// Two multi-scalar multiplications a tier, which together have as many terms as the shard is wide. The running
/// commitments are taken as they are: whoever calls this has checked the headers' signatures, or re-added the batches.
///
/// # Errors
/// With the first rule that is broken.
pub fn verify(
    statement: &TallyStatement<'_>,
    after: &Residual,
    proof: &TallyProof,
) -> Result<(), TallyError> {
    let works = statement.works;
    let tiers = TierCells::of(statement.running, statement.before);
    let named = |tier: Tier| tiers.iter().any(|cells| cells.tier == tier);
    let kept = statement.before.iter().filter(|(tier, _)| !named(*tier));
    if !tiers.iter().map(|cells| cells.tier).eq(statement.totals.iter().map(|(tier, _)| tier))
        || !kept.eq(after.iter().filter(|(tier, _)| !named(*tier)))
        || !tiers.iter().all(|cells| after.iter().any(|(tier, _)| tier == cells.tier))
        || proof.tiers.len() != tiers.len()
    {
        return Err(TallyError::Tiers);
    }
    check_counts(statement)?;
    let announcements = proof.tiers.iter().map(|tier| tier.announcement);
    let challenge = challenge(statement.bind(&proof.openings), announcements);
    for (TierCells { tier, commitments }, shown) in tiers.iter().zip(&proof.tiers) {
        let tier = *tier;
        let announcement = shown.announcement.decompress().ok_or(TallyError::Announcement { tier })?;
        let cells = statement.cells(tier);
        let total = |at: &usize| {
            let count = statement.totals.get(tier, WorkIndex(*at as u16));
            count.map_or(Scalar::ZERO, |count| count.to_scalar())
        };
        let totals: Vec<_> = cells.opened.iter().map(total).collect();
        let carried = less(works, &commitments.iter().sum(), &cells, &totals);
        if carried != after.of(tier).iter().sum() {
            return Err(TallyError::Carried { tier });
        }
        check(works, (tier, &cells), &carried, (challenge, &announcement), &shown.response)?;
    }
    Ok(())
}

/// Totals are of the shard's works, and each is one count and not several that are equal as scalars.
fn check_counts(statement: &TallyStatement<'_>) -> Result<(), TallyError> {
    let width = statement.works.points().len();
    for (tier, counts) in statement.totals.iter() {
        for (work, count) in counts {
            if usize::from(work.0) >= width {
                return Err(TallyError::WorkOutside { work: *work, width });
            }
            if !count.fits() {
                return Err(TallyError::Oversized { tier, work: *work });
            }
        }
    }
    Ok(())
}

/// What a share leaves over: its commitments less its openings, one for each tier.
///
/// # Errors
/// If the openings are not one for each opened cell of each tier.
pub fn carried_by_share(
    works: &WorkBases,
    share: PartyId,
    tiers: &[(TierCells, Cells)],
    openings: &ShareOpenings,
) -> Result<Vec<RistrettoPoint>, TallyError> {
    if openings.rows.len() != tiers.len() {
        return Err(TallyError::Tiers);
    }
    let rest = |((tier, cells), row): (&(TierCells, Cells), &super::statement::OpeningRow)| {
        if row.tier != tier.tier || row.shares.len() != cells.opened.len() {
            return Err(TallyError::Shape { tier: tier.tier });
        }
        let opened: Vec<_> = row.shares.iter().map(|share| share.0).collect();
        Ok(less(works, &tier.commitments[share.index()], cells, &opened))
    };
    tiers.iter().zip(&openings.rows).map(rest).collect()
}

/// Checks one share's responses against what it leaves over, so that a wrong opener is named (protocol notes, section
/// 6.4: "share i is answered for by itself").
///
/// # Errors
/// If one tier's response does not hold.
pub fn verify_share(
    works: &WorkBases,
    tiers: &[(TierCells, Cells)],
    carried: &[RistrettoPoint],
    (challenge, announcements): (TallyChallenge, &[RistrettoPoint]),
    responses: &[TierResponse],
) -> Result<(), TallyError> {
    if [carried.len(), announcements.len(), responses.len()] != [tiers.len(); 3] {
        return Err(TallyError::Tiers);
    }
    let shown = carried.iter().zip(announcements).zip(responses);
    for ((tier, cells), ((carried, announcement), response)) in tiers.iter().zip(shown) {
        check(works, (tier.tier, cells), carried, (challenge, announcement), response)?;
    }
    Ok(())
}

/// `C - sum_w x_w G_w` over the opened cells.
fn less(works: &WorkBases, commitment: &RistrettoPoint, cells: &Cells, opened: &[Scalar]) -> RistrettoPoint {
    // Most padding is zero, in totals though not in shares.
    let terms = cells.opened.iter().zip(opened).filter(|(_, x)| **x != Scalar::ZERO);
    let (points, scalars): (Vec<&RistrettoPoint>, Vec<&Scalar>) =
        terms.map(|(at, x)| (&works.points()[*at], x)).unzip();
    commitment - RistrettoPoint::vartime_multiscalar_mul(scalars, points)
}

/// `sum_w z_w G_w + z H = A + c D` over the carried cells, as one multi-scalar multiplication.
fn check(
    works: &WorkBases,
    (tier, cells): (Tier, &Cells),
    carried: &RistrettoPoint,
    (challenge, announcement): (TallyChallenge, &RistrettoPoint),
    response: &TierResponse,
) -> Result<(), TallyError> {
    if response.carried.len() != cells.carried.len() {
        return Err(TallyError::Shape { tier });
    }
    let answers = response.carried.iter().map(|z| z.0);
    let scalars = answers.chain([response.blinding.0, -challenge.0, -Scalar::ONE]);
    let points = cells.carried.iter().map(|at| &works.points()[*at]);
    let points = points.chain([&bases().blinding, carried, announcement]);
    if RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity() {
        Ok(())
    } else {
        Err(TallyError::DoesNotOpen { tier })
    }
}
