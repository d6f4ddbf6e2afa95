//! How evenly backed views are spread over regions (economics, section 2): sums over regions of squares, which the
//! parties compute on shares. Views of a region are never opened.

use crate::tally::Totals;
use primitives::{CodecError, Decode, Encode, Reader, Tier, WorkIndex, Writer, limits};
use std::collections::BTreeMap;
use thiserror::Error;

/// Sums of squares that no views by region have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SquaresError {
    /// The sum lies outside of what the work's backed views allow: between an even spread and one region.
    #[error(
        "the squares of the backed views of work index {work} sum to what {backed} views in regions cannot"
    )]
    OutOfRange {
        /// Index of the work.
        work: WorkIndex,
        /// Its backed views in published cells.
        backed: u64,
    },
    /// Sums are given for works, or by tier, where there are none.
    #[error("there are squares of backed views that nothing was published of")]
    Extra,
}

/// For each work with published backed views the sum over regions of the squares of those views: over all tiers, and by
/// tier where each tier has a pool of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Squares(BTreeMap<(Option<Tier>, WorkIndex), u128>);

impl Squares {
    /// Takes sums by scope and work. Those that are zero leave no trace.
    pub fn new(sums: impl Iterator<Item = ((Option<Tier>, WorkIndex), u128)>) -> Self {
        Self(sums.filter(|(_, sum)| *sum > 0).collect())
    }

    /// The scopes in which a published cell of a tier counts: over all tiers, and in its own if each has a pool.
    pub fn scopes(tier: Tier, pool_by_tier: bool) -> impl Iterator<Item = Option<Tier>> {
        [Some(None), pool_by_tier.then_some(Some(tier))].into_iter().flatten()
    }

    /// Works with backed views in `totals`, of which there is a sum in each scope, with the number of those views.
    pub(super) fn wanted(
        totals: &Totals,
        works: usize,
        pool_by_tier: bool,
    ) -> BTreeMap<(Option<Tier>, WorkIndex), u64> {
        let mut wanted = BTreeMap::new();
        for (tier, counts) in totals.iter() {
            let backed = counts.iter().filter(|(work, n)| usize::from(work.0) < works && n.backed > 0);
            for (work, count) in backed {
                for scope in Self::scopes(tier, pool_by_tier) {
                    *wanted.entry((scope, *work)).or_insert(0) += count.backed;
                }
            }
        }
        wanted
    }

    /// The sum of a work over all tiers, or in one. Zero if the work has no backed views there.
    pub fn of(&self, tier: Option<Tier>, work: WorkIndex) -> u128 {
        self.0.get(&(tier, work)).copied().unwrap_or(0)
    }

    /// Sums in order: over all tiers, then by tier.
    pub fn iter(&self) -> impl Iterator<Item = (Option<Tier>, WorkIndex, u128)> {
        self.0.iter().map(|((tier, work), sum)| (*tier, *work, *sum))
    }

    /// Whether the sums are of the right works and possible: views in R regions have squares that sum to no less than
    /// an even spread gives, and no more than one region.
    ///
    /// # Errors
    /// If one is not, or if there is one too many or too few.
    pub fn check(&self, totals: &Totals, works: usize, pool_by_tier: bool) -> Result<(), SquaresError> {
        let wanted = Self::wanted(totals, works, pool_by_tier);
        for ((tier, work), backed) in &wanted {
            let (sum, whole) = (self.of(*tier, *work), u128::from(*backed) * u128::from(*backed));
            if sum > whole || sum * u128::from(limits::REGIONS) < whole {
                return Err(SquaresError::OutOfRange { work: *work, backed: *backed });
            }
        }
        if self.0.keys().eq(wanted.keys()) { Ok(()) } else { Err(SquaresError::Extra) }
    }
}

impl Encode for Squares {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, u128::encode);
    }
}

impl Decode for Squares {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let sum = |r: &mut Reader<'_>| match u128::decode(r)? {
            0 => Err(CodecError::Invalid { what: "sum of squares" }),
            sum => Ok(sum),
        };
        Ok(Self(r.map(MAX_SUMS, "order of squares", sum)?))
    }
}

/// Most sums of a shard: of every work over all tiers and in each.
pub const MAX_SUMS: usize = limits::MAX_SHARD_WIDTH * (limits::MAX_TIERS + 1);
