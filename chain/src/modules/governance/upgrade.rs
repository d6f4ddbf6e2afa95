//! Versions of modules (chain spec 8: "on-chain versioning of contracts and configuration", "governance-controlled
//! upgrade mechanisms").
//!
//! Which version of a module holds from which epoch is on record. A node whose program does not have a version refuses
//! to open the epoch from which it holds, and names the module: it stops rather than go on by other rules.

use super::{GovernanceError, action::check_epoch};
use crate::{
    ledger::Context,
    state::{
        Draft, State,
        fields::{number_enum, record},
        leaf,
    },
};
use primitives::{Digest, EpochId};
use thiserror::Error;

number_enum! {
    /// A module of the ledger.
    ModuleId("module") {
        /// Work registry.
        WorkRegistry = 0,
        /// Usage.
        Usage = 1,
        /// Payout engine.
        Dapr = 2,
        /// Identity.
        Identity = 3,
        /// Governance.
        Governance = 4,
        /// Treasury.
        Treasury = 5,
        /// Eco-Reserve.
        EcoReserve = 6,
        /// Node rewards.
        NodeRewards = 7,
    }
}

impl ModuleId {
    /// Every module.
    pub const ALL: [Self; 8] = [
        Self::WorkRegistry,
        Self::Usage,
        Self::Dapr,
        Self::Identity,
        Self::Governance,
        Self::Treasury,
        Self::EcoReserve,
        Self::NodeRewards,
    ];

    /// The latest version of this module that this program has. A module that changes its rules counts this up, and keeps
    /// the old ones for the epochs before.
    pub const fn supported(self) -> u32 {
        1
    }
}

/// A version of a module, from an epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleVersion {
    /// Which module.
    pub module: ModuleId,
    /// First epoch in which it holds.
    pub from: EpochId,
    /// Its number.
    pub version: u32,
    /// Hash of its source or specification. Zero for the versions at genesis.
    pub code: Digest,
}

record!(ModuleVersion { module, from, version, code });

leaf!(ModuleVersion by module: ModuleId, from: EpochId);

impl State {
    /// The version of a module that holds in an epoch.
    pub fn module_version(&self, module: ModuleId, epoch: EpochId) -> Option<&ModuleVersion> {
        self.modules.range((module, EpochId(0))..=(module, epoch)).next_back()
    }
}

/// The versions at genesis.
pub(crate) fn first_versions(from: EpochId) -> [ModuleVersion; 8] {
    ModuleId::ALL.map(|module| ModuleVersion { module, from, version: 1, code: Digest::default() })
}

/// Checks an upgrade: one version up from the last on record, from an epoch after it.
pub(super) fn upgrade(
    draft: &Draft<'_>,
    at: &Context<'_>,
    next: &ModuleVersion,
) -> Result<ModuleVersion, GovernanceError> {
    check_epoch(draft, at, next.from)?;
    let ModuleVersion { module, version, .. } = *next;
    let last = draft.base().module_version(module, EpochId(u64::MAX)).expect("genesis has every module");
    if last.version.checked_add(1) != Some(version) {
        return Err(GovernanceError::ModuleVersion { module, expected: last.version + 1, found: version });
    }
    if next.from <= last.from {
        return Err(GovernanceError::ModuleEpoch { module, last: last.from, found: next.from });
    }
    Ok(next.clone())
}

/// This program does not have the version of a module that holds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "epoch {epoch} takes version {version} of {module:?}, this program has {supported}: install a newer one"
)]
pub struct Unsupported {
    /// Which module.
    pub module: ModuleId,
    /// The epoch.
    pub epoch: EpochId,
    /// Version that holds.
    pub version: u32,
    /// Latest version that this program has.
    pub supported: u32,
}

/// Refuses an epoch for which this program is too old.
pub(crate) fn check_supported(draft: &Draft<'_>, epoch: EpochId) -> Result<(), Unsupported> {
    for module in ModuleId::ALL {
        let version = draft.base().module_version(module, epoch).map_or(1, |found| found.version);
        let supported = module.supported();
        if version > supported {
            return Err(Unsupported { module, epoch, version, supported });
        }
    }
    Ok(())
}
