//! CWE credits: accounts, funds, supply, and that nothing appears or disappears between them (chain spec 3.6).
//!
//! Credits come into being in one way only: revenue of an epoch, reported against an attested reserve. There is no
//! yield on anything.

mod actions;
mod check;
mod rules;
mod types;

pub use actions::Transfer;
pub use check::TreasuryError;
pub(crate) use check::{credit, debit, drain, fill, mint, transfer};
pub use rules::TreasuryRules;
pub use types::{Account, Attestation, Fund, FundBalance, Supply};

use crate::state::State;
use primitives::Credits;

impl State {
    /// Balance of a fund.
    pub fn fund(&self, fund: Fund) -> Credits {
        self.funds.get(&fund).map_or(Credits::ZERO, |f| f.balance)
    }

    /// Credits in existence.
    pub fn minted(&self) -> Credits {
        self.supply.get(&()).map_or(Credits::ZERO, |s| s.minted)
    }

    /// Checks that credits in existence are exactly those in accounts and funds.
    pub fn check_conservation(&self) -> Result<(), TreasuryError> {
        let accounts: u128 = self.accounts.iter().map(|a| u128::from(a.balance.0)).sum();
        let funds: u128 = self.funds.iter().map(|f| u128::from(f.balance.0)).sum();
        let (minted, held) = (u128::from(self.minted().0), accounts + funds);
        if minted == held { Ok(()) } else { Err(TreasuryError::NotConserved { minted, held }) }
    }
}
