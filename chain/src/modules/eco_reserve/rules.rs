//! Rules of the Eco-Reserve that governance sets.

use super::EcoKind;
use crate::modules::governance::{DAY, RulesError, within};
use primitives::{BasisPoints, codec_struct};
use serde::{Deserialize, Serialize};

/// Least that is taken off the value of an asset for risk, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Haircuts {
    /// Of land.
    pub land: BasisPoints,
    /// Of rights that keep land from being used up.
    pub conservation: BasisPoints,
    /// Of contracts for the removal of carbon dioxide.
    pub carbon: BasisPoints,
    /// Of rights to water.
    pub water: BasisPoints,
    /// Of rights that protect species.
    pub biodiversity: BasisPoints,
    /// Of whatever else there is.
    pub other: BasisPoints,
}

codec_struct!(Haircuts { land, conservation, carbon, water, biodiversity, other });

impl Haircuts {
    /// The least haircut of a kind.
    pub fn of(&self, kind: EcoKind) -> BasisPoints {
        match kind {
            EcoKind::Land => self.land,
            EcoKind::Conservation => self.conservation,
            EcoKind::Carbon => self.carbon,
            EcoKind::Water => self.water,
            EcoKind::Biodiversity => self.biodiversity,
            EcoKind::Other => self.other,
        }
    }
}

/// How ecological assets are valued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EcoRules {
    /// Oracles who have to report a valuation.
    pub oracles: u8,
    /// Seconds for which a report counts.
    pub report_age: u32,
    /// Seconds between two valuations of an asset: small changes do not add up to a large one in a day.
    pub pause: u32,
    /// Largest change of a valuation that is accepted without governance.
    pub free_change: BasisPoints,
    /// Least that is taken off the value of an asset for risk.
    pub haircuts: Haircuts,
}

codec_struct!(EcoRules { oracles, report_age, pause, free_change, haircuts });

impl EcoRules {
    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        within("eco.oracles", self.oracles.into(), 1..=31)?;
        within("eco.report_age", self.report_age.into(), u64::from(DAY)..=u64::from(365 * DAY))?;
        // There is time to value an asset anew before its valuation is too old.
        within("eco.pause", self.pause.into(), 0..=u64::from(self.report_age / 2))
    }
}

impl Default for EcoRules {
    fn default() -> Self {
        let points = |points| BasisPoints::new(points).expect("a part of the whole");
        // Land keeps; a contract is as good as who has to fulfil it.
        let haircuts = Haircuts {
            land: points(1_000),
            conservation: points(2_000),
            carbon: points(4_000),
            water: points(2_500),
            biodiversity: points(3_000),
            other: points(5_000),
        };
        Self { oracles: 2, report_age: 35 * DAY, pause: 14 * DAY, free_change: points(1_000), haircuts }
    }
}
