//! Guards of the treasury, and the only functions that move credits.

use super::{Account, Attestation, Fund, FundBalance, Supply, Transfer};
use crate::state::Draft;
use primitives::{Credits, Digest, PersonId};
use thiserror::Error;

/// Which rule a movement of credits breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreasuryError {
    /// Nobody of that name has an account.
    #[error("{person} has no account")]
    NoAccount {
        /// Who.
        person: PersonId,
    },
    /// A transfer of nothing.
    #[error("a transfer moves at least one unit")]
    NothingToMove,
    /// A transfer to oneself.
    #[error("{person} sends to their own account")]
    ToSelf {
        /// Who.
        person: PersonId,
    },
    /// The account holds less.
    #[error("the account of {person} holds {balance}, less than {amount}")]
    Balance {
        /// Who.
        person: PersonId,
        /// What the account holds.
        balance: Credits,
        /// What was asked for.
        amount: Credits,
    },
    /// A fund holds less.
    #[error("fund {fund:?} holds {balance}, less than {amount}")]
    FundBalance {
        /// Which.
        fund: Fund,
        /// What it holds.
        balance: Credits,
        /// What was asked for.
        amount: Credits,
    },
    /// An amount outgrows 64 bits.
    #[error("an amount outgrows 64 bits")]
    Overflow,
    /// The attestation has served before.
    #[error("attestation {document} has been used")]
    AttestationUsed {
        /// Hash of its document.
        document: Digest,
    },
    /// The attested reserve does not cover the supply.
    #[error("a reserve of {reserve} does not cover a supply of {supply}")]
    Reserve {
        /// Reserve attested.
        reserve: Credits,
        /// Supply after minting.
        supply: Credits,
    },
    /// Credits in existence are not those in accounts and funds. No transaction may lead here.
    #[error("{minted} units exist and {held} are held")]
    NotConserved {
        /// Units that exist.
        minted: u128,
        /// Units in accounts and funds.
        held: u128,
    },
}

/// Runs [`Transfer`]. Status plays no part: credits belong to their holder even while suspended.
pub(crate) fn transfer(
    draft: &mut Draft<'_>,
    signer: PersonId,
    action: &Transfer,
) -> Result<(), TreasuryError> {
    let Transfer { to, amount } = *action;
    if amount == Credits::ZERO {
        return Err(TreasuryError::NothingToMove);
    }
    if signer == to {
        return Err(TreasuryError::ToSelf { person: signer });
    }
    debit(draft, signer, amount)?;
    credit(draft, to, amount)
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
    let balance = account.balance;
    account.balance =
        balance.checked_sub(amount).ok_or(TreasuryError::Balance { person: from, balance, amount })?;
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

/// Mints credits into the revenue fund against an attestation of the reserve.
pub(crate) fn mint(
    draft: &mut Draft<'_>,
    amount: Credits,
    attestation: &Attestation,
) -> Result<(), TreasuryError> {
    if draft.has::<Attestation>(&attestation.document) {
        return Err(TreasuryError::AttestationUsed { document: attestation.document });
    }
    let minted = draft.get::<Supply>(&()).map_or(Credits::ZERO, |s| s.minted);
    let supply = minted.checked_add(amount).ok_or(TreasuryError::Overflow)?;
    // Chain spec 3.6, "fiat-backed custodial reserves": no credit without cover.
    if attestation.reserve < supply {
        return Err(TreasuryError::Reserve { reserve: attestation.reserve, supply });
    }
    draft.put(attestation.clone());
    draft.put(Supply { minted: supply });
    fill(draft, Fund::Revenue, amount)
}
