//! Why the treasury refuses.

use super::Fund;
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
    /// An amount of nothing.
    #[error("at least one unit has to move")]
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
    /// What is in the fund belongs to somebody: nobody decides on it.
    #[error("fund {fund:?} is not for spending")]
    NotForSpending {
        /// Which.
        fund: Fund,
    },
    /// An amount outgrows 64 bits.
    #[error("an amount outgrows 64 bits")]
    Overflow,
    /// Somebody else than the treasurer mints.
    #[error("{signer} is not the treasurer")]
    NotTreasurer {
        /// Who signed.
        signer: PersonId,
    },
    /// Somebody else than an auditor attests.
    #[error("{signer} is no auditor")]
    NotAuditor {
        /// Who signed.
        signer: PersonId,
    },
    /// Who mints would attest what covers it.
    #[error("{signer} mints credits, and cannot attest what covers them")]
    AuditorMints {
        /// Who signed.
        signer: PersonId,
    },
    /// Somebody vouches by a document that served them before.
    #[error("document {document} has served {by} before")]
    DocumentUsed {
        /// Who.
        by: PersonId,
        /// Hash of the document.
        document: Digest,
    },
    /// Credits were minted for this payment before.
    #[error("credits were minted for payment {reference} before")]
    PaymentUsed {
        /// Hash of what the bank says of it.
        reference: Digest,
    },
    /// The holder has redeemed credits under this reference before.
    #[error("{holder} has redeemed under reference {reference} before")]
    RedemptionUsed {
        /// Who.
        holder: PersonId,
        /// Hash of where to pay.
        reference: Digest,
    },
    /// Too few auditors attested a reserve that covers the supply.
    #[error("an attested reserve of {reserve} does not cover a supply of {supply}")]
    Reserve {
        /// The largest reserve that enough auditors attest.
        reserve: Credits,
        /// Supply after minting.
        supply: Credits,
    },
    /// The supply would pass its cap.
    #[error("a supply of {supply} would pass the cap of {cap}")]
    Cap {
        /// The cap.
        cap: Credits,
        /// Supply after minting.
        supply: Credits,
    },
    /// Credits minted are not those held and those burnt. No transaction may lead here.
    #[error("{minted} units were minted, {held} are held and {burnt} were burnt")]
    NotConserved {
        /// Units ever minted.
        minted: u128,
        /// Units in accounts and funds.
        held: u128,
        /// Units ever burnt.
        burnt: u128,
    },
}
