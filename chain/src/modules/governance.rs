//! Governance: what may be changed, by whom, and when it holds (chain spec 3.5, 7.2).

mod rules;
mod versions;

pub(crate) use rules::within;
pub use rules::{DAY, Fees, GovernanceRules, MAX_COUNCIL_SEATS, MAX_JURORS, Rules, RulesError};
pub use versions::Version;
