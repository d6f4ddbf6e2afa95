//! Rules of node rewards that governance sets.

use crate::modules::governance::{RulesError, within};
use primitives::{Credits, codec_struct};
use serde::{Deserialize, Serialize};

/// How nodes are rewarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRules {
    /// What an operator deposits for a node.
    pub bond: Credits,
}

codec_struct!(NodeRules { bond });

impl NodeRules {
    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        within("bond", self.bond.0, 0..=1_000_000 * Credits::ONE.0)
    }
}

impl Default for NodeRules {
    fn default() -> Self {
        Self { bond: Credits(10 * Credits::ONE.0) }
    }
}
