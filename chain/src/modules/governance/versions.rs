//! Parameters and rules, versioned by epoch (spec 10.4; chain spec 8, "on-chain versioning of contracts and
//! configuration").

use super::Rules;
use crate::{
    ledger::Genesis,
    poseidon::Felt,
    state::{Fields, Leaf, State, TableId, ToFelts},
};
use primitives::{EpochId, GovernanceParams, codec_struct};

/// Parameters and rules that hold from an epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// First epoch in which they hold.
    pub from: EpochId,
    /// Parameters of epochs.
    pub params: GovernanceParams,
    /// Rules of the ledger.
    pub rules: Rules,
    /// The proposal that set them. None of those at genesis.
    pub proposal: Option<u64>,
    /// Epoch by which governance looks at them again.
    pub review_by: Option<EpochId>,
}

codec_struct!(Version { from, params, rules, proposal, review_by });

impl ToFelts for Version {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.from).push(&self.params.digest()).push(&self.rules.digest());
        out.push(&self.proposal).push(&self.review_by);
    }
}

impl Leaf for Version {
    type Key = EpochId;
    const TABLE: TableId = TableId::Version;
    fn key(&self) -> EpochId {
        self.from
    }
    fn value(&self) -> Vec<Felt> {
        self.to_felts()
    }
}

impl State {
    /// Parameters and rules of an epoch.
    ///
    /// # Panics
    ///
    /// For an epoch before the first of the chain.
    pub fn version_of(&self, epoch: EpochId) -> &Version {
        self.versions.range(..=epoch).next_back().expect("genesis has a version for the first epoch")
    }

    /// The last epoch that opened, or the first that will.
    pub fn running_epoch(&self, genesis: &Genesis) -> EpochId {
        self.epochs.iter().next_back().map_or(genesis.first_epoch, |last| last.epoch)
    }

    /// Parameters and rules in force: those of the last epoch that opened, or of the first before any has.
    pub fn in_force(&self, genesis: &Genesis) -> &Version {
        self.version_of(self.running_epoch(genesis))
    }
}
