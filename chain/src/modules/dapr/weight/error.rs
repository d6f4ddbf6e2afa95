//! What usage may break, one variant for each rule.

use primitives::{WorkId, params::ParamsError};
use thiserror::Error;

/// Usage of which no weight is computed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The parameters are outside their bounds, inside which nothing overflows.
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    /// A work stands in the list twice.
    #[error("work {work} is listed twice")]
    DuplicateWork {
        /// The work.
        work: WorkId,
    },
    /// A price multiplier is outside what governance allows (spec 8.3).
    #[error("work {work} has price {price}, outside {min} to {max} (units of 2^-32)")]
    PriceOutOfBounds {
        /// The work.
        work: WorkId,
        /// Its price, Q32.
        price: u64,
        /// Smallest price allowed, Q32.
        min: u64,
        /// Largest price allowed, Q32.
        max: u64,
    },
    /// More views than a count's limb holds.
    #[error("work {work} has {views} views, more than a count holds")]
    TooManyViews {
        /// The work.
        work: WorkId,
        /// Its views.
        views: u64,
    },
    /// More value than a count's limb holds.
    #[error("work {work} has value {value}, more than a count holds")]
    TooMuchValue {
        /// The work.
        work: WorkId,
        /// Its value, in 2^-18 views.
        value: u64,
    },
    /// More value than views: one view is worth at most one (spec 8.1).
    #[error("work {work} has value {value} (units of 2^-18) of {views} views")]
    ValueAboveViews {
        /// The work.
        work: WorkId,
        /// Its value, in 2^-18 views.
        value: u64,
        /// Its views.
        views: u64,
    },
    /// More listeners than views.
    #[error("work {work} has {listeners} listeners of {views} views")]
    ListenersAboveViews {
        /// The work.
        work: WorkId,
        /// Its listeners.
        listeners: u64,
        /// Its views.
        views: u64,
    },
    /// More backed views than views.
    #[error("work {work} has {backed} backed views of {views}")]
    BackedAboveViews {
        /// The work.
        work: WorkId,
        /// Its backed views.
        backed: u64,
        /// Its views.
        views: u64,
    },
    /// No division of the backed views over the regions has this sum of squares.
    #[error("work {work}: {backed} backed views over the regions cannot have squares that sum to {squares}")]
    Squares {
        /// The work.
        work: WorkId,
        /// Its backed views.
        backed: u64,
        /// The sum of squares found.
        squares: u128,
    },
}
