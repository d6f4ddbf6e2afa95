//! Ethereum wallets that sign for accounts (chain spec 3.4, "Map DID/VC-based identities to on-chain addresses").

use super::IdentityError;
use crate::ledger::Context;
use crate::modules::treasury::Account;
use crate::state::{Draft, fields::record, leaf};
use crate::wallet::typed::{self, BindKey, WALLET_SIGNATURE_BYTES, WalletSignature};
use primitives::{Layer1Address, PersonId, codec_struct};

/// Binds a wallet to the signer's account, in the place of the one that was bound before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindWallet {
    /// The wallet.
    pub wallet: Layer1Address,
    /// Its signature over [`BindKey`], with the account's key and the transaction's nonce.
    pub signature: WalletSignature,
}

codec_struct!(BindWallet { wallet, signature });

const _: () = assert!(WALLET_SIGNATURE_BYTES == 65, "r, s and v");

/// For whom a wallet signs. The record stays when the wallet is given up, and names nobody then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletBinding {
    /// The wallet.
    pub wallet: Layer1Address,
    /// Whose account.
    pub person: Option<PersonId>,
}

record!(WalletBinding { wallet, person });

leaf!(WalletBinding by wallet: Layer1Address);

/// Runs [`BindWallet`].
///
/// Both sides consent: the account's key signs the transaction, and the wallet signs whose key it stands beside. Without
/// the wallet's signature anybody could take somebody else's wallet for themselves, and its owner could not bind it.
pub(crate) fn bind_wallet(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    (signer, nonce): (PersonId, u64),
    action: &BindWallet,
) -> Result<(), IdentityError> {
    let BindWallet { wallet, signature } = *action;
    let account = draft.get::<Account>(&signer).ok_or(IdentityError::Unknown { person: signer })?.clone();
    // The nonce is this transaction's, so that a binding that was replaced does not come back without the wallet.
    let domain = typed::domain(at.genesis.chain, at.genesis.digest());
    let digest = typed::digest(&BindKey::of((signer, nonce), &account.key), &domain);
    let found = typed::recover(&digest, &signature);
    let found = found.map_err(|error| IdentityError::WalletSignature { wallet, error })?;
    if found != wallet {
        return Err(IdentityError::OtherWallet { wallet, found });
    }
    // One wallet of two accounts would show its owner a person, and they would have to know which.
    let holder = draft.get::<WalletBinding>(&wallet).and_then(|binding| binding.person);
    if let Some(holder) = holder.filter(|holder| *holder != signer) {
        return Err(IdentityError::WalletTaken { wallet, holder });
    }
    let account = release(draft, account);
    draft.put(WalletBinding { wallet, person: Some(signer) });
    draft.put(Account { wallet: Some(wallet), ..account });
    Ok(())
}

/// Gives up the wallet of an account, if it has one. What is returned is for the caller to write.
pub(super) fn release(draft: &mut Draft<'_>, account: Account) -> Account {
    if let Some(wallet) = account.wallet {
        draft.put(WalletBinding { wallet, person: None });
    }
    Account { wallet: None, ..account }
}
