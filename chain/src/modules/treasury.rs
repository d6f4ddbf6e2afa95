//! CWE credits: accounts, funds, supply, and that nothing appears or disappears between them (chain spec 3.6).
//!
//! Credits come into being against a reserve that auditors attest: for revenue of an epoch, or for who paid in. They go
//! when a holder redeems them. There is no yield on anything.

mod actions;
mod check;
mod error;
mod fees;
mod papers;
mod rules;
mod spend;
mod supply;
mod types;

pub use actions::{AttestReserve, Burn, Mint, Transfer};
pub(crate) use check::{cite, credit, debit, drain, fill, transfer};
pub use error::TreasuryError;
pub(crate) use fees::charge;
pub use papers::{Attestation, Citation, Deposit, Redemption};
pub use rules::TreasuryRules;
pub(crate) use spend::spend;
pub(crate) use supply::{attest_reserve, burn, mint, mint_revenue};
pub use types::{Account, Fund, FundBalance, Supply};

use crate::state::State;
use primitives::Credits;

impl State {
    /// Balance of a fund.
    pub fn fund(&self, fund: Fund) -> Credits {
        self.funds.get(&fund).map_or(Credits::ZERO, |f| f.balance)
    }

    /// Checks that the credits that were minted are exactly those in accounts and funds, and those that were burnt.
    pub fn check_conservation(&self) -> Result<(), TreasuryError> {
        let accounts: u128 = self.accounts.iter().map(|a| u128::from(a.balance.0)).sum();
        let funds: u128 = self.funds.iter().map(|f| u128::from(f.balance.0)).sum();
        let Supply { minted, burnt } = self.total_supply();
        let (minted, held, burnt) = (u128::from(minted.0), accounts + funds, u128::from(burnt.0));
        if minted == held + burnt { Ok(()) } else { Err(TreasuryError::NotConserved { minted, held, burnt }) }
    }
}

#[cfg(test)]
mod tests;
