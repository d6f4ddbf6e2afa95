//! From revenue to payouts, by basis points and by largest remainder: no unit is lost and none is made (spec 9;
//! economics notes, section 2).

use crate::modules::work_registry::MAX_SPLITS;
use primitives::{BasisPoints, Credits, GovernanceParams, PersonId, WorkId, codec_struct};
use ruint::{Uint, aliases::U256};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Holds the sum of 2^64 numbers of 256 bits, and the product of one with 64 bits.
type U320 = Uint<320, 5>;

/// Divides `pool` among works in proportion to their shares, in the order given (spec 9:
/// `payout[w] = (W_w / SUM(W_all)) * epoch_fund_pool`).
///
/// Each work gets the floor of its exact part. The units left, fewer than there are works, go one each to the largest
/// remainders (Hamilton's method), the smaller work id first where remainders are equal. So the payouts sum to `pool`
/// to the unit, each is within one unit of its exact part, and a larger share never earns less, all others being
/// equal. A share of zero earns zero. Shares that are all zero earn nothing, and the pool stays whole with the caller.
///
/// No overflow for any shares: sums and products are 320 bits wide.
pub fn largest_remainder(pool: Credits, shares: &[(WorkId, U256)]) -> Vec<Credits> {
    apportion(pool, shares)
}

/// [`largest_remainder`] for any key that breaks ties.
pub(crate) fn apportion<K: Ord>(pool: Credits, shares: &[(K, U256)]) -> Vec<Credits> {
    let total: U320 = shares.iter().fold(U320::ZERO, |sum, (_, share)| sum + U320::from(*share));
    if total.is_zero() {
        return vec![Credits::ZERO; shares.len()];
    }
    let (mut parts, remainders): (Vec<u64>, Vec<U320>) = shares
        .iter()
        .map(|(_, share)| {
            let (floor, remainder) = (U320::from(pool.0) * U320::from(*share)).div_rem(total);
            (floor.to::<u64>(), remainder)
        })
        .unzip();
    let left = pool.0 - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| remainders[*b].cmp(&remainders[*a]).then_with(|| shares[*a].0.cmp(&shares[*b].0)));
    // The remainders sum to `left * total` and each is below `total`: more than `left` of them are above zero, or
    // none, so that no share of zero is reached here.
    for winner in order.into_iter().take(usize::try_from(left).expect("fewer units left than shares")) {
        parts[winner] += 1;
    }
    parts.into_iter().map(Credits).collect()
}

/// Where an epoch's revenue goes. The four parts sum to the revenue, to the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevenueSplit {
    /// What subscriptions paid.
    pub revenue: Credits,
    /// Protocol fee.
    pub fee: Credits,
    /// The Eco-Reserve's share.
    pub eco: Credits,
    /// The infrastructure's share: node rewards.
    pub infra: Credits,
    /// The creator pool, `epoch_fund_pool` of spec 9: everything else, roundings included.
    pub creators: Credits,
}

codec_struct!(RevenueSplit { revenue, fee, eco, infra, creators });

/// Splits revenue by the basis points of `params`, which must be inside their bounds. The three deductions round
/// down, in favour of creators.
pub fn split_revenue(params: &GovernanceParams, revenue: Credits) -> RevenueSplit {
    let (fee, eco, infra) =
        (revenue.share(params.fee_share), revenue.share(params.eco_share), revenue.share(params.infra_share));
    let creators = [fee, eco, infra]
        .into_iter()
        .try_fold(revenue, Credits::checked_sub)
        .expect("deductions are below the whole in checked parameters");
    RevenueSplit { revenue, fee, eco, infra, creators }
}

/// A collaborator's part of a work's payouts (spec 9: "collaborator splits are applied automatically").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Who is paid.
    pub payee: PersonId,
    /// Their part.
    pub share: BasisPoints,
}

codec_struct!(Split { payee, share });

/// Splits that no work may carry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Nobody is paid.
    #[error("a work needs at least one payee")]
    Empty,
    /// More payees than a work may have.
    #[error("{count} payees are over the limit of {limit}")]
    TooMany {
        /// Payees found.
        count: usize,
        /// Most payees allowed.
        limit: usize,
    },
    /// A payee gets nothing.
    #[error("payee {payee} has a share of zero")]
    ZeroShare {
        /// The payee.
        payee: PersonId,
    },
    /// A payee stands in the list twice.
    #[error("payee {payee} is listed twice")]
    Duplicate {
        /// The payee.
        payee: PersonId,
    },
    /// Payees are not in ascending order, so the list would have a second spelling.
    #[error("payee {payee} stands after a larger one")]
    Unsorted {
        /// The payee that comes too late.
        payee: PersonId,
    },
    /// The shares are not the whole.
    #[error("shares sum to {total} basis points, not 10000")]
    NotWhole {
        /// Their sum.
        total: u32,
    },
}

/// Checks that splits are canonical and complete: one to [`MAX_SPLITS`] distinct payees in ascending order, each with
/// a share above zero, together the whole.
pub fn check_splits(splits: &[Split]) -> Result<(), SplitError> {
    if splits.is_empty() {
        return Err(SplitError::Empty);
    }
    if splits.len() > MAX_SPLITS {
        return Err(SplitError::TooMany { count: splits.len(), limit: MAX_SPLITS });
    }
    if let Some(zero) = splits.iter().find(|split| split.share.get() == 0) {
        return Err(SplitError::ZeroShare { payee: zero.payee });
    }
    for (first, second) in splits.iter().zip(&splits[1..]) {
        let payee = second.payee;
        match first.payee.cmp(&payee) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Err(SplitError::Duplicate { payee }),
            std::cmp::Ordering::Greater => return Err(SplitError::Unsorted { payee }),
        }
    }
    let total = splits.iter().map(|split| u32::from(split.share.get())).sum();
    if total != u32::from(BasisPoints::WHOLE.get()) {
        return Err(SplitError::NotWhole { total });
    }
    Ok(())
}

/// Divides a work's payout among its collaborators, in the order given, by largest remainder, the smaller payee
/// first where remainders are equal. For splits that [`check_splits`] accepts the parts sum to `amount`, to the unit.
pub fn split_payout(amount: Credits, splits: &[Split]) -> Vec<Credits> {
    let shares: Vec<_> = splits.iter().map(|split| (split.payee, U256::from(split.share.get()))).collect();
    apportion(amount, &shares)
}

#[cfg(test)]
mod tests;
