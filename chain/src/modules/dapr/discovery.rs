//! What search and reports use: a work's reputation and rank, and the health of an epoch (spec 1, 4.4, 8.2; economics
//! notes, section 2b). Nothing here enters a payout.

mod health;

use super::weight::{WorkUsage, WorkWeight};
pub use health::{CategoryShare, EpochFacts, Health, WorkPayout, health};
use primitives::{
    GovernanceParams,
    fixed_point::Q32_BITS,
    limits::{EVENT_VALUE_BITS, VALUE_BITS},
    params::ONE_Q32,
};

/// Bits below the binary point of a discovery weight: 32 of the square root and 32 of the reputation.
pub const DISCOVERY_SCALE_BITS: u32 = 2 * Q32_BITS;

/// How a work stands in search after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Reputation, Q32: at most 4 if it started from 0.
    pub reputation: u64,
    /// Rank weight in units of 2^-64 ([`DISCOVERY_SCALE_BITS`]); the unit is the square root of one view.
    pub discovery_weight: u128,
}

// the value is shifted up by 46 before its square root is taken, and must still fit
const _: () = assert!(VALUE_BITS + DISCOVERY_SCALE_BITS - EVENT_VALUE_BITS <= 128);

/// Reputation and rank of a work (economics notes, section 2b; spec 8.2 "additional reputation weighting"):
///
/// - `r = L / (L + L_half) * (1 + q) * (1 + d)`, this epoch's credit, from 0 to 4: many listeners, backed, wide;
/// - `reputation = lambda * previous + (1 - lambda) * r`, which decays over epochs and never exceeds the larger of
///   `previous` and `r`;
/// - `discovery = sqrt(U) * (1 + reputation)`, concave in usage, and without the price.
///
/// Each step rounds down, to Q32. No overflow: `r` takes products below `2^32 * 2^33 * 2^33`, the reputation those
/// below `2^32 * 2^64`, and the discovery weight is below `2^50 * 2^65`. `params` and `usage` are those that
/// [`weights`](super::weight::weights) accepted, and `weight` what it gave.
pub fn discovery(
    params: &GovernanceParams,
    usage: &WorkUsage,
    weight: &WorkWeight,
    previous_reputation: u64,
) -> Discovery {
    let one = u128::from(ONE_Q32);
    let listeners = u128::from(usage.listeners);
    // listeners_half is at least one
    let many = (listeners << Q32_BITS) / (listeners + u128::from(params.listeners_half));
    let credit = (many * (one + u128::from(weight.backed_share)) * (one + u128::from(weight.diversity)))
        >> (2 * Q32_BITS);
    let lambda = u128::from(params.reputation_decay);
    let reputation = (lambda * u128::from(previous_reputation) + (one - lambda) * credit) >> Q32_BITS;
    let root = (u128::from(usage.value) << (DISCOVERY_SCALE_BITS - EVENT_VALUE_BITS)).isqrt();
    Discovery {
        reputation: u64::try_from(reputation).expect("a mean of two numbers that fit"),
        discovery_weight: root * (one + reputation),
    }
}

#[cfg(test)]
mod tests;
