//! Rules of the identity module that governance sets.

use crate::modules::governance::{DAY, RulesError, within};
use primitives::codec_struct;
use serde::{Deserialize, Serialize};

/// Who is put on record how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRules {
    /// Seconds between two changes of one person's key: whoever stole a key cannot take the account and run.
    pub rotation: u32,
}

codec_struct!(IdentityRules { rotation });

impl IdentityRules {
    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        within("identity.rotation", self.rotation.into(), 0..=u64::from(365 * DAY))
    }
}

impl Default for IdentityRules {
    fn default() -> Self {
        Self { rotation: 7 * DAY }
    }
}
