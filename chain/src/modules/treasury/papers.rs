//! What stands for money outside the ledger: attestations, payments in, payments out, and documents that served.

use crate::poseidon::Felt;
use crate::state::{Leaf, TableId, fields::record, leaf};
use primitives::{Credits, Digest, PersonId, Time, codec_struct};

/// What an auditor last attested of the reserve behind the credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Who.
    pub auditor: PersonId,
    /// Hash of the auditor's document.
    pub document: Digest,
    /// What the reserve holds in all, in credits.
    pub reserve: Credits,
    /// When it was put on record.
    pub at: Time,
    /// All that had been burnt by then. What is burnt later leaves the reserve, and no longer covers anything.
    pub burnt: Credits,
}

record!(Attestation { auditor, document, reserve, at, burnt });

leaf!(Attestation by auditor: PersonId);

/// A document that somebody vouched by. It serves once: an old finding is no new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Who.
    pub by: PersonId,
    /// Hash of the document.
    pub document: Digest,
}

codec_struct!(Citation { by, document });

impl Leaf for Citation {
    type Key = (PersonId, Digest);
    const TABLE: TableId = TableId::Citation;
    fn key(&self) -> Self::Key {
        (self.by, self.document)
    }
    fn value(&self) -> Vec<Felt> {
        vec![Felt::from(1u64)]
    }
}

/// A payment into the reserve, for which credits were minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Hash of what the bank says of the payment.
    pub reference: Digest,
    /// Who was credited.
    pub to: PersonId,
    /// How much.
    pub amount: Credits,
    /// When.
    pub at: Time,
}

record!(Deposit { reference, to, amount, at });

leaf!(Deposit by reference: Digest);

/// Credits that were burnt, to be paid out of the reserve. The holder's name is in the key: nobody can take somebody
/// else's reference first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Who held them.
    pub holder: PersonId,
    /// Hash of where to pay.
    pub reference: Digest,
    /// How much.
    pub amount: Credits,
    /// When.
    pub at: Time,
}

record!(Redemption { holder, reference, amount, at });

leaf!(Redemption by holder: PersonId, reference: Digest);
