//! The only functions that move credits between accounts and funds.

use super::{Account, Citation, Fund, FundBalance, Transfer, TreasuryError};
use crate::state::Draft;
use primitives::{Credits, Digest, PersonId};

/// Runs [`Transfer`]. Status plays no part: credits belong to their holder even while suspended.
pub(crate) fn transfer(
    draft: &mut Draft<'_>,
    signer: PersonId,
    action: &Transfer,
) -> Result<(), TreasuryError> {
    let Transfer { to, amount } = *action;
    something(amount)?;
    if signer == to {
        return Err(TreasuryError::ToSelf { person: signer });
    }
    debit(draft, signer, amount)?;
    credit(draft, to, amount)
}

/// Refuses an amount of nothing.
pub(super) fn something(amount: Credits) -> Result<(), TreasuryError> {
    if amount == Credits::ZERO { Err(TreasuryError::NothingToMove) } else { Ok(()) }
}

fn account(draft: &Draft<'_>, person: PersonId) -> Result<Account, TreasuryError> {
    draft.get::<Account>(&person).cloned().ok_or(TreasuryError::NoAccount { person })
}

/// Adds to an account.
pub(crate) fn credit(draft: &mut Draft<'_>, to: PersonId, amount: Credits) -> Result<(), TreasuryError> {
    let mut account = account(draft, to)?;
    account.balance = account.balance.checked_add(amount).ok_or(TreasuryError::Overflow)?;
    draft.put(account);
    Ok(())
}

/// Takes from an account.
pub(crate) fn debit(draft: &mut Draft<'_>, from: PersonId, amount: Credits) -> Result<(), TreasuryError> {
    let mut account = account(draft, from)?;
    let (person, balance) = (from, account.balance);
    account.balance =
        balance.checked_sub(amount).ok_or(TreasuryError::Balance { person, balance, amount })?;
    draft.put(account);
    Ok(())
}

fn fund(draft: &Draft<'_>, fund: Fund) -> Credits {
    draft.get::<FundBalance>(&fund).map_or(Credits::ZERO, |f| f.balance)
}

/// Adds to a fund.
pub(crate) fn fill(draft: &mut Draft<'_>, into: Fund, amount: Credits) -> Result<(), TreasuryError> {
    let balance = fund(draft, into).checked_add(amount).ok_or(TreasuryError::Overflow)?;
    draft.put(FundBalance { fund: into, balance });
    Ok(())
}

/// Takes from a fund.
pub(crate) fn drain(draft: &mut Draft<'_>, from: Fund, amount: Credits) -> Result<(), TreasuryError> {
    let balance = fund(draft, from);
    let left =
        balance.checked_sub(amount).ok_or(TreasuryError::FundBalance { fund: from, balance, amount })?;
    draft.put(FundBalance { fund: from, balance: left });
    Ok(())
}

/// Puts on record that somebody vouches by a document, which serves them once.
pub(crate) fn cite(draft: &mut Draft<'_>, by: PersonId, document: Digest) -> Result<(), TreasuryError> {
    if draft.has::<Citation>(&(by, document)) {
        return Err(TreasuryError::DocumentUsed { by, document });
    }
    draft.put(Citation { by, document });
    Ok(())
}
