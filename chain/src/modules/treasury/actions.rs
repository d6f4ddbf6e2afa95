//! What treasurers, auditors and account holders do with credits.

use primitives::{Credits, Digest, PersonId, codec_struct};

/// Moves credits from the signer's account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// To whom.
    pub to: PersonId,
    /// How much; more than nothing.
    pub amount: Credits,
}

codec_struct!(Transfer { to, amount });

/// Says what the reserve behind the credits holds. Signed by an auditor; the latest of each counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestReserve {
    /// Hash of the document that says so. It serves an auditor once.
    pub document: Digest,
    /// What the reserve holds in all, in credits.
    pub reserve: Credits,
}

codec_struct!(AttestReserve { document, reserve });

/// Mints credits for who paid into the reserve. Signed by the treasurer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Who paid.
    pub to: PersonId,
    /// How much; more than nothing.
    pub amount: Credits,
    /// Hash of what the bank says of the payment. It serves once.
    pub reference: Digest,
}

codec_struct!(Mint { to, amount, reference });

/// Burns credits of the signer, to be paid out of the reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    /// How much; more than nothing.
    pub amount: Credits,
    /// Hash of where to pay. It serves a holder once, so that whoever pays can tell two orders from one seen twice.
    pub reference: Digest,
}

codec_struct!(Burn { amount, reference });
