//! Rules of the Eco-Reserve that governance sets.

use crate::modules::governance::{DAY, RulesError, within};
use primitives::{BasisPoints, codec_struct};
use serde::{Deserialize, Serialize};

/// How ecological assets are valued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcoRules {
    /// Oracles who have to report a valuation.
    pub oracles: u8,
    /// Seconds for which a report counts.
    pub report_age: u32,
    /// Largest change of a valuation that is accepted without governance.
    pub free_change: BasisPoints,
}

codec_struct!(EcoRules { oracles, report_age, free_change });

impl EcoRules {
    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        within("oracles", self.oracles.into(), 1..=31)?;
        within("report_age", self.report_age.into(), u64::from(DAY)..=u64::from(365 * DAY))
    }
}

impl Default for EcoRules {
    fn default() -> Self {
        Self { oracles: 2, report_age: 35 * DAY, free_change: BasisPoints::new(1_000).expect("a tenth") }
    }
}
