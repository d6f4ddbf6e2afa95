//! Rules of the treasury that governance sets.

use crate::modules::governance::{DAY, RulesError, within};
use primitives::{Credits, codec_struct};
use serde::{Deserialize, Serialize};

/// How credits come and go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreasuryRules {
    /// Auditors who have to attest a reserve of at least the supply before credits are minted.
    pub auditors: u8,
    /// Seconds for which an attestation counts.
    pub attestation_age: u32,
    /// Most credits in existence.
    pub cap: Credits,
}

codec_struct!(TreasuryRules { auditors, attestation_age, cap });

impl TreasuryRules {
    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        within("treasury.auditors", self.auditors.into(), 1..=31)?;
        within(
            "treasury.attestation_age",
            self.attestation_age.into(),
            u64::from(DAY)..=u64::from(365 * DAY),
        )?;
        // Half of what 64 bits hold: sums of a few amounts below the supply never overflow.
        within("treasury.cap", self.cap.0, Credits::ONE.0..=u64::MAX / 2)
    }
}

impl Default for TreasuryRules {
    fn default() -> Self {
        Self { auditors: 2, attestation_age: 35 * DAY, cap: Credits(1_000_000_000 * Credits::ONE.0) }
    }
}
