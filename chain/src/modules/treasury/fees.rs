//! What a transaction costs whoever signs it.

use super::{Account, Fund, check::fill};
use crate::{ledger::Context, state::Draft, transaction::EnvelopeError};

/// Takes the fee of a transaction off its signer's account, which the caller writes back.
///
/// Some transactions of an epoch are free, so that whoever has no credits yet can take part; what goes beyond is paid
/// for, so that nobody fills blocks for nothing. Chain spec 1: "Fees: small and predictable".
pub(crate) fn charge(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    account: &mut Account,
) -> Result<(), EnvelopeError> {
    let epoch = draft.base().running_epoch(at.genesis);
    let fees = draft.base().version_of(epoch).rules.fees.clone();
    if account.active_in != epoch {
        (account.active_in, account.used) = (epoch, 0);
    }
    if account.used < fees.free_per_epoch {
        account.used += 1;
        return Ok(());
    }
    let (signer, balance, fee) = (account.owner, account.balance, fees.transaction);
    account.balance = balance.checked_sub(fee).ok_or(EnvelopeError::Fee { signer, balance, fee })?;
    fill(draft, Fund::Fee, fee).expect("a fund holds no more than the credits in existence");
    Ok(())
}
