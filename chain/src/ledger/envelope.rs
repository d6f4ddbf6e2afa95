//! The envelope of a transaction: who signed it, with which nonce, and what it costs.

use super::Context;
use crate::{
    modules::treasury::{self, Account},
    signature::PublicKey,
    state::Draft,
    transaction::{AccountSignature, Authorisation, EnvelopeError, Payload, Transaction, signing_message},
    wallet::typed::{self, Signable, WalletSignature},
};
use primitives::PersonId;

/// Checks signature and nonce, spends the nonce, takes the fee, and says who signed with which. A signature that is
/// known to hold under the account's key is not checked again.
pub(super) fn authorise(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    tx: &Transaction,
    holds_under: Option<PublicKey>,
) -> Result<Option<(PersonId, u64)>, EnvelopeError> {
    let authorisation = match (&tx.authorisation, tx.payload.needs_account()) {
        (None, false) => return Ok(None),
        (None, true) => return Err(EnvelopeError::Unsigned),
        (Some(_), false) => return Err(EnvelopeError::NeedlesslySigned),
        (Some(authorisation), true) => authorisation,
    };
    let (signer, nonce) = (authorisation.signer, authorisation.nonce);
    let account = draft.get::<Account>(&signer).ok_or(EnvelopeError::NoAccount { signer })?.clone();
    if nonce != account.nonce {
        return Err(EnvelopeError::Nonce { signer, expected: account.nonce, found: nonce });
    }
    if holds_under != Some(account.key) {
        check_signature(at, &account, authorisation, &tx.payload)?;
    }
    admit(draft, at, account, &tx.payload).map(Some)
}

/// The same for a payload that nobody has signed yet, as if its signer did so next.
pub(super) fn suppose(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: Option<PersonId>,
    payload: &Payload,
) -> Result<Option<(PersonId, u64)>, EnvelopeError> {
    match (signer, payload.needs_account()) {
        (None, false) => Ok(None),
        (None, true) => Err(EnvelopeError::Unsigned),
        (Some(_), false) => Err(EnvelopeError::NeedlesslySigned),
        (Some(signer), true) => {
            let account = draft.get::<Account>(&signer).ok_or(EnvelopeError::NoAccount { signer })?.clone();
            admit(draft, at, account, payload).map(Some)
        }
    }
}

/// Spends the nonce, takes the fee, and says who signed with which.
fn admit(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    mut account: Account,
    payload: &Payload,
) -> Result<(PersonId, u64), EnvelopeError> {
    let signed = (account.owner, account.nonce);
    account.nonce += 1;
    if !payload.is_duty() {
        treasury::charge(draft, at, &mut account)?;
    }
    draft.put(account);
    Ok(signed)
}

/// Checks that an account, or the wallet that is bound to it, signed a payload under a nonce.
pub(super) fn check_signature(
    at: &Context<'_>,
    account: &Account,
    authorisation: &Authorisation,
    payload: &Payload,
) -> Result<(), EnvelopeError> {
    let Authorisation { signer, nonce, signature } = authorisation;
    match signature {
        AccountSignature::Key(signature) => {
            let message = signing_message(at.genesis.chain, *signer, *nonce, payload);
            let checked = account.key.verify(&message, signature);
            checked.map_err(|_| EnvelopeError::Signature { signer: *signer })
        }
        AccountSignature::Wallet(signature) => check_wallet(at, (account, *nonce), payload, signature),
    }
}

/// Checks that the wallet of an account signed a payload.
fn check_wallet(
    at: &Context<'_>,
    (account, nonce): (&Account, u64),
    payload: &Payload,
    signature: &WalletSignature,
) -> Result<(), EnvelopeError> {
    let signer = account.owner;
    let shown = Signable::of((signer, nonce), payload).ok_or(EnvelopeError::NotForWallets { signer })?;
    let expected = account.wallet.ok_or(EnvelopeError::NoWallet { signer })?;
    let digest = shown.digest(&typed::domain(at.genesis.chain, at.genesis.digest()));
    let found = typed::recover(&digest, signature);
    let found = found.map_err(|error| EnvelopeError::WalletSignature { signer, error })?;
    if found == expected { Ok(()) } else { Err(EnvelopeError::OtherWallet { signer, expected, found }) }
}
