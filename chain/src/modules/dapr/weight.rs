//! The weight of a work: usage, bandwidth credibility and price, to the powers of spec 7.4 (economics notes,
//! section 2).
//!
//! # No overflow
//!
//! Parameters and usage are checked first. Then `U < 2^54`, `B < 2^33`, `P < 2^39` and `log2 U - 18 < 36`, so that
//! `U^alpha B^beta <= 2^(1.5 * 36 + 2)` views and a weight stays below `2^(56 + 7 + 82) = 2^145` units. More than
//! 2^100 weights can be added in 256 bits, and the intermediate products of ratios are taken at 128 or 512 bits.

mod error;

pub use error::WeightError;
use primitives::{
    CategoryId, GovernanceParams, WorkId, codec_struct,
    fixed_point::{self, Power, exp2_q32, log2_of_q32, log2_q32},
    limits::{EVENT_VALUE_BITS, REGIONS, VALUE_BITS, VIEWS_BITS},
    params::ONE_Q32,
};
use ruint::aliases::{U256, U512};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
};

/// Bits below the binary point of a weight: 18 of the value, 32 of the price and 32 of the power.
pub const WEIGHT_SCALE_BITS: u32 = EVENT_VALUE_BITS + 2 * fixed_point::Q32_BITS;

/// What the committee publishes of one work in one pool and epoch, and what the registry says of it (economics notes,
/// section 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkUsage {
    /// The work.
    pub work: WorkId,
    /// Its category, inside which prices may be normalised.
    pub category: CategoryId,
    /// `P`, the creator's price multiplier, Q32 (spec 8.3).
    pub price: u64,
    /// `U`, the summed value of its views, in 2^-18 views (spec 4.4, 8.1).
    pub value: u64,
    /// `V`, its plain views.
    pub views: u64,
    /// `L`, its listeners: subscribers of the epoch who viewed it at all.
    pub listeners: u64,
    /// `N`, those of its views that a bandwidth receipt backs (spec 5.3).
    pub backed: u64,
    /// The sum over the regions of the squares of backed views, from which regions themselves cannot be told.
    pub backed_squares: u128,
}

codec_struct!(WorkUsage { work, category, price, value, views, listeners, backed, backed_squares });

/// A work's weight, and the ratios behind it for whoever wants to check them (spec 7.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkWeight {
    /// The work.
    pub work: WorkId,
    /// `q = N / V`, the share of its views that receipts back, Q32, at most one.
    pub backed_share: u64,
    /// `d`, how evenly the regions serve it, Q32: 0 for a single region, 1 for all alike.
    pub diversity: u64,
    /// `B`, bandwidth credibility, Q32, from `b_min` to below two.
    pub bandwidth: u64,
    /// `W`, in units of 2^-82 ([`WEIGHT_SCALE_BITS`]) of one whole view at price and credibility one.
    pub weight: U256,
}

/// The weights of one pool's works, in the order given (spec 7.4; economics notes, section 2):
///
/// `W = U^alpha * B^beta * P`, or with `price_normalised`, `W = U^alpha * B^beta * P * S / T`, where `S` and `T` are
/// the sums over the work's category of `U^alpha * B^beta` and of `U^alpha * B^beta * P`. The category's total is
/// then `S`, whatever prices its creators set.
///
/// All of one pool's works belong into one call. With `pool_by_tier` there is a call for each tier.
///
/// For given `B`, a weight is never above the true one, and below it by less than a relative
/// `0.6932 (alpha + beta + 1) 2^-32 + 2^-57`, hence by less than `2^-30`, plus one unit. At `alpha = 1` it is exact in
/// `U`, and `alpha` drops out of that bound. Without normalisation it is monotone in `U`, in `B` and in `P`. No usage
/// gives no weight, and any usage gives at least 2^34 units. A normalised weight takes `S` and `T` over weights so
/// computed and is rounded down once more.
pub fn weights(params: &GovernanceParams, usage: &[WorkUsage]) -> Result<Vec<WorkWeight>, WeightError> {
    params.check()?;
    let mut seen = BTreeSet::new();
    for work in usage {
        work.check(params)?;
        if !seen.insert(work.work) {
            return Err(WeightError::DuplicateWork { work: work.work });
        }
    }
    let mut weights: Vec<_> = usage.iter().map(|work| unnormalised(params, work)).collect();
    if params.price_normalised {
        normalise(params, usage, &mut weights);
    }
    Ok(weights)
}

impl WorkUsage {
    /// Checks what must be true of any work's totals, and the price against its bounds (spec 8.3).
    pub fn check(&self, params: &GovernanceParams) -> Result<(), WeightError> {
        let Self { work, price, value, views, listeners, backed, backed_squares: squares, .. } = *self;
        if !(params.price_min..=params.price_max).contains(&price) {
            let (min, max) = (params.price_min, params.price_max);
            return Err(WeightError::PriceOutOfBounds { work, price, min, max });
        }
        if views >> VIEWS_BITS != 0 {
            return Err(WeightError::TooManyViews { work, views });
        }
        if value >> VALUE_BITS != 0 {
            return Err(WeightError::TooMuchValue { work, value });
        }
        // no overflow: views fit 38 bits
        if value > views << EVENT_VALUE_BITS {
            return Err(WeightError::ValueAboveViews { work, value, views });
        }
        if listeners > views {
            return Err(WeightError::ListenersAboveViews { work, listeners, views });
        }
        if backed > views {
            return Err(WeightError::BackedAboveViews { work, backed, views });
        }
        // The squares of at most R numbers with sum N lie between N^2 / R (Cauchy-Schwarz) and N^2.
        let most = u128::from(backed) * u128::from(backed);
        if squares > most || squares < most.div_ceil(REGIONS.into()) {
            return Err(WeightError::Squares { work, backed, squares });
        }
        Ok(())
    }

    /// `q = N / V`, rounded down; zero without views.
    fn backed_share(&self) -> u64 {
        ratio_q32(self.backed.into(), self.views.into())
    }

    /// `d = (D - 1) / (R - 1)` with `D = N^2 / squares`, the effective number of regions (a Hill number of order 2),
    /// rounded down; zero without receipts.
    fn diversity(&self) -> u64 {
        let all = u128::from(self.backed) * u128::from(self.backed);
        ratio_q32(all - self.backed_squares, self.backed_squares * u128::from(REGIONS - 1))
    }
}

/// `numerator / denominator` in Q32, rounded down, for a ratio of at most one and a numerator below 2^96; zero over
/// zero is zero.
fn ratio_q32(numerator: u128, denominator: u128) -> u64 {
    let ratio = (numerator << fixed_point::Q32_BITS).checked_div(denominator).unwrap_or(0);
    u64::try_from(ratio).expect("a ratio of at most one")
}

/// Bandwidth credibility `B = b_min + (1 - b_min) q (1 + delta d)`, Q32 (spec 4.4, 5.3, 8.2; economics notes,
/// section 2).
///
/// It is a ratio and never a sum of bytes: an extensive `B` would make the rule of degree `alpha + beta` and pay for
/// merging works.
fn credibility(params: &GovernanceParams, backed_share: u64, diversity: u64) -> u64 {
    let bonus = u128::from(ONE_Q32) + ((u128::from(params.delta) * u128::from(diversity)) >> 32);
    // below 2^32 * 2^32 * 2^33
    let earned = (u128::from(ONE_Q32 - params.b_min) * u128::from(backed_share) * bonus) >> 64;
    params.b_min + u64::try_from(earned).expect("less than two")
}

/// `U^alpha B^beta`, as an integer in 2^-50 views and a power of two to multiply it with; `None` without usage.
///
/// At `alpha = 1` the integer is `U`, exact, and splitting a work's events pays nothing. Any other `alpha` takes the
/// power of the whole of `U`: the shorter `U * U^(alpha - 1)` is not monotone below `alpha = 1`, since for large
/// `U` one unit more raises the first factor by less than the rounding of the second.
fn usage_power(params: &GovernanceParams, value: u64, bandwidth: u64) -> Option<(U256, Power)> {
    let value = NonZero::new(value)?;
    let bandwidth = NonZero::new(bandwidth).expect("b_min is above zero");
    // |log2 B| < 7 and |log2 views| <= 36 in Q32, times exponents of at most 2: far from overflow
    let mut exponent = i128::from(params.beta) * i128::from(log2_of_q32(bandwidth));
    let factor = if params.alpha == ONE_Q32 {
        U256::from(value.get()) << fixed_point::Q32_BITS as usize
    } else {
        let views = log2_q32(value.into()) - (i64::from(EVENT_VALUE_BITS) << fixed_point::Q32_BITS);
        exponent += i128::from(params.alpha) * i128::from(views);
        U256::ONE << (WEIGHT_SCALE_BITS - fixed_point::Q32_BITS) as usize
    };
    let exponent = i64::try_from(exponent >> fixed_point::Q32_BITS).expect("at most 2^6 in Q32");
    Some((factor, exp2_q32(exponent)))
}

/// `U^alpha B^beta * price` for a price in Q32, in 2^-82 views, rounded down once.
fn priced(params: &GovernanceParams, value: u64, bandwidth: u64, price: u64) -> U256 {
    usage_power(params, value, bandwidth).map_or(U256::ZERO, |(factor, power)| {
        power.times(factor * U256::from(price)).expect("weights are below 2^145 units")
    })
}

fn unnormalised(params: &GovernanceParams, usage: &WorkUsage) -> WorkWeight {
    let (backed_share, diversity) = (usage.backed_share(), usage.diversity());
    let bandwidth = credibility(params, backed_share, diversity);
    let weight = priced(params, usage.value, bandwidth, usage.price);
    WorkWeight { work: usage.work, backed_share, diversity, bandwidth, weight }
}

/// Multiplies each weight with `S / T` of its category, rounding down (spec 8.3 "fairness across categories").
///
/// The sum over a category is then `S` less at most one unit for each work.
fn normalise(params: &GovernanceParams, usage: &[WorkUsage], weights: &mut [WorkWeight]) {
    let mut totals = BTreeMap::<CategoryId, (U256, U256)>::new();
    for (usage, weight) in usage.iter().zip(&*weights) {
        let (unpriced, with_price) = totals.entry(usage.category).or_default();
        *unpriced += priced(params, usage.value, weight.bandwidth, ONE_Q32);
        *with_price += weight.weight;
    }
    for (usage, weight) in usage.iter().zip(weights) {
        let (unpriced, with_price) = totals[&usage.category];
        if !with_price.is_zero() {
            let product = U512::from(weight.weight) * U512::from(unpriced);
            // W <= T, so W S / T <= S
            weight.weight = U256::from(product / U512::from(with_price));
        }
    }
}

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
