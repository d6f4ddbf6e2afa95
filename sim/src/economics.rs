//! One epoch on paper, many times: who is paid what under other parameters, how fair that is, and what attacks earn.
//!
//! No cryptography runs here. What the committee would open is counted in the clear, and then weights and payouts are
//! those of the ledger itself: [`chain::modules::dapr`], in integers. One subscriber is one subscription of
//! [`SUBSCRIPTION`] for one epoch; every play is a whole one.
//!
//! | Type | What it is |
//! |---|---|
//! | [`Market`] | who plays what, and what the works are: fixed |
//! | [`Thinning`], [`Epoch`] | the plays of one epoch, drawn from the market by a seed |
//! | [`Rules`] | the parameters, and what only a simulator may change |
//! | [`Evaluation`] | what an epoch pays under rules: usage, weight, payout of each work, value of each subscriber |
//! | [`Metrics`] | its figures, in named columns of a fixed order |
//! | [`attacks`] | what an attacker would earn in it, by the same integers |
//! | [`views`] | what a page about a change of parameters shows |
//! | [`sweep`] | every combination of grid values with every seed |
//! | [`guard`] | the multiplier budget, and the cap under which no puppets pay |
//! | [`closed_form`] | what theory says; tests hold the integers to it |
//!
//! ```
//! use primitives::Preset;
//! use sim::economics::{Epoch, Market, Rules, attacks, evaluate, views};
//! use std::sync::Arc;
//!
//! let market = Arc::new(Market::synthetic(1, 50));
//! let epoch = Epoch::draw(&market, 7, Some("599".parse().expect("a number")));
//! let before = evaluate(&epoch, &Rules::preset(Preset::Spec))?;
//! let after = evaluate(&epoch, &Rules::preset(Preset::Guarded))?;
//! println!("{:?}", before.metrics());
//! println!("{:?}", views::deciles(&before, &after));
//! println!("{}", attacks::puppets(&after, 100).roi());
//! # Ok::<(), sim::economics::EconomicsError>(())
//! ```
//!
//! Many evaluations of few epochs are faster through an [`Engine`], which keeps what a change of parameters leaves as
//! it was. Nothing depends on the number of threads.
//!
//! # What the model leaves out
//!
//! One epoch, one tier, no carry-over: the usage of works below `k_anonymity` is worth nothing in this epoch. Works,
//! categories, prices and subscribers do not react to payouts.

pub mod attacks;
pub mod closed_form;
mod epoch;
mod evaluation;
mod grid;
pub mod guard;
mod market;
mod metrics;
mod rules;
pub mod sweep;
mod values;
pub mod views;

pub use epoch::{Epoch, MAX_PLAYS_PER_PAIR, Thinning};
pub use evaluation::{Engine, Evaluation, WorkResult, evaluate};
pub use grid::{Grid, GridError, grid_names};
pub use market::{MAX_SYNTHETIC, Market};
pub use metrics::{METRICS, Metrics};
pub use rules::{PlaysPerSubscriber, ReplayScope, Rules, RulesError};
pub use values::SubscriberValue;

use crate::workload::TableError;
use chain::modules::dapr::weight::WeightError;
use primitives::{Credits, params::ParamsError};
use std::sync::Arc;
use thiserror::Error;

/// Price of one subscription for one epoch: that of the middle tier of the demo.
pub const SUBSCRIPTION: Credits = Credits(10_000_000);

/// Why an epoch cannot be evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EconomicsError {
    /// The usage file cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A parameter is outside its bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Usage beyond what the ledger counts.
    #[error(transparent)]
    Weight(#[from] WeightError),
}

/// What is evaluated: rules, and how much is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The rules.
    pub rules: Rules,
    /// Mean plays of a subscriber to thin to; `None` takes the market's plays as they are.
    pub plays_per_subscriber: Option<PlaysPerSubscriber>,
}

/// One run: draws the epoch of `seed`, evaluates it, and measures it, attacks included.
pub fn run(market: &Arc<Market>, scenario: &Scenario, seed: u64) -> Result<Metrics, EconomicsError> {
    let epoch = Epoch::draw(market, seed, scenario.plays_per_subscriber);
    Ok(evaluate(&epoch, &scenario.rules)?.metrics())
}

#[cfg(test)]
mod tests;
