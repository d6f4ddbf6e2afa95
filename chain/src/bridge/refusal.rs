//! Why a contract refuses, read back from what it reverts with.

use super::contracts::{
    credit::CweCredit::CweCreditErrors, mirror::EpochMirror::EpochMirrorErrors,
    rollup::AttestedRollup::AttestedRollupErrors, vault::PayoutVault::PayoutVaultErrors,
};
use alloy::{primitives::Bytes, sol_types::SolInterface};
use std::fmt;

/// Which contract is called: its own errors are read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `CweCredit`.
    Credit,
    /// `AttestedRollup`.
    Rollup,
    /// `EpochMirror`.
    Mirror,
    /// `PayoutVault`.
    Vault,
}

/// A contract's error with its arguments.
#[derive(Clone)]
pub enum Refusal {
    /// Of the credits.
    Credit(CweCreditErrors),
    /// Of the rollup.
    Rollup(AttestedRollupErrors),
    /// Of the mirror.
    Mirror(EpochMirrorErrors),
    /// Of the vault.
    Vault(PayoutVaultErrors),
    /// None that these contracts have.
    Unknown(Bytes),
}

impl Refusal {
    /// Reads what `target` reverted with.
    pub fn decode(target: Target, data: &Bytes) -> Self {
        let credit = || CweCreditErrors::abi_decode(data).ok().map(Self::Credit);
        let rollup = || AttestedRollupErrors::abi_decode(data).ok().map(Self::Rollup);
        let mirror = || EpochMirrorErrors::abi_decode(data).ok().map(Self::Mirror);
        let vault = || PayoutVaultErrors::abi_decode(data).ok().map(Self::Vault);
        let found = match target {
            Target::Credit => credit(),
            Target::Rollup => rollup(),
            // What these call may be what refuses.
            Target::Mirror => mirror().or_else(rollup),
            Target::Vault => vault().or_else(mirror).or_else(credit),
        };
        found.unwrap_or_else(|| Self::Unknown(data.clone()))
    }

    /// Name of the error in its contract's interface.
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credit(error) => error.fmt(f),
            Self::Rollup(error) => error.fmt(f),
            Self::Mirror(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
            Self::Unknown(data) => write!(f, "data {data}"),
        }
    }
}
