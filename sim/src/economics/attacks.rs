//! What attackers would earn in an evaluated epoch (economics notes, section 4).
//!
//! An attack is added to the evaluation, and weights and payouts are again the ledger's own. Only the attacker's works
//! are weighed anew: nobody else's usage changes, so the weights of all others enter as their sum, and
//! [`largest_remainder`] divides the pool between the attacker and everybody else. That differs from the payouts of a
//! whole settlement by less than one unit for each work of the attacker. With normalised prices the sums of the
//! attacker's category are brought up to date first.

mod puppets;
mod reference;

pub use puppets::{Attack, best_roi, catalogue, puppets, sizes};
pub use reference::{fake_bandwidth, payout_at_price, split_by_reset, split_by_usage};

use super::{Evaluation, evaluation::total, market::work_id};
use chain::modules::dapr::{
    payout::largest_remainder,
    weight::{WorkUsage, weights},
};
use primitives::{CategoryId, Credits, limits::REGIONS, params::ONE_Q32};
use ruint::aliases::{U256, U512};

/// Plays of a puppet in an epoch: a device that plays three minutes at a time for 30 days without a pause.
pub const PLAYS: u16 = 14_400;
/// Works over which a catalogue attack spreads the plays of each puppet.
pub const CATALOGUE: u32 = 100;
/// Works that a split makes of one.
pub const PARTS: u32 = 10;
/// Most puppets of an attack: values and views then stay inside what the ledger counts.
pub const MAX_PUPPETS: u64 = 1 << 20;

/// Sums of weights of some works of one category, before prices are normalised.
#[derive(Clone, Copy, Debug, Default)]
struct Weights {
    priced: U256,
    /// With every price at one; only where prices are normalised.
    unpriced: U256,
}

/// Weighs works that are not in the market, or not so. Their places are beyond all places of the market.
fn weigh(evaluation: &Evaluation, works: &[WorkUsage]) -> Weights {
    let params = evaluation.rules.unnormalised();
    let sum = |works: &[WorkUsage]| {
        total(&weights(&params, works).expect("attacks stay inside the limits of usage"))
    };
    let priced = sum(works);
    let unpriced = if evaluation.params().price_normalised {
        let neutral: Vec<_> = works.iter().map(|work| WorkUsage { price: ONE_Q32, ..work.clone() }).collect();
        sum(&neutral)
    } else {
        U256::ZERO
    };
    Weights { priced, unpriced }
}

/// What works of a category are paid out of `pool` that are `added` in the place of those `removed`.
fn paid(
    evaluation: &Evaluation,
    pool: Credits,
    category: CategoryId,
    removed: Weights,
    added: Weights,
) -> Credits {
    let weighted = &evaluation.weighted;
    let (mine, rest) = if evaluation.params().price_normalised {
        let sums = weighted.categories.get(&category).copied().unwrap_or_default();
        let unpriced = sums.0 - removed.unpriced + added.unpriced;
        let priced = sums.1 - removed.priced + added.priced;
        let all = weighted.categories.values().fold(U256::ZERO, |sum, category| sum + category.0);
        let mine = if priced.is_zero() {
            U256::ZERO
        } else {
            // As the ledger: W S / T, rounded down. W <= T, so it is at most S.
            U256::from(U512::from(added.priced) * U512::from(unpriced) / U512::from(priced))
        };
        (mine, all - removed.unpriced + added.unpriced - mine)
    } else {
        (added.priced, weighted.sum - removed.priced)
    };
    largest_remainder(pool, &[(work_id(0), mine), (work_id(1), rest)])[0]
}

/// Views backed from all regions alike: their number, and the sum of squares.
fn backed_from_everywhere(views: u64) -> (u64, u128) {
    let regions = u64::from(REGIONS);
    let square = |n: u64| u128::from(n) * u128::from(n);
    let (each, over) = (views / regions, views % regions);
    (views, u128::from(over) * square(each + 1) + u128::from(regions - over) * square(each))
}
