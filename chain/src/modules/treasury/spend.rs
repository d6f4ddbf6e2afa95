//! What governance spends.

use super::{
    Fund, TreasuryError,
    check::{credit, drain, something},
};
use crate::{ledger::Context, modules::eco_reserve, state::Draft};
use primitives::{Credits, PersonId};

/// Pays from a fund to an account. Governance calls this for a proposal that passed, and nobody else (chain spec 3.6,
/// "governance-approved treasury management").
///
/// Only funds that belong to nobody are for spending. What is owed to creators, to accounts on L1 or to whoever made a
/// deposit is not, by any majority.
pub(crate) fn spend(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    fund: Fund,
    to: PersonId,
    amount: Credits,
) -> Result<(), TreasuryError> {
    if !matches!(fund, Fund::Fee | Fund::Infrastructure | Fund::Eco) {
        return Err(TreasuryError::NotForSpending { fund });
    }
    something(amount)?;
    drain(draft, fund, amount)?;
    credit(draft, to, amount)?;
    if fund == Fund::Eco {
        // The journal of the Eco-Reserve accounts for every credit that left its fund.
        eco_reserve::record_spending(draft, at, to, amount);
    }
    Ok(())
}
