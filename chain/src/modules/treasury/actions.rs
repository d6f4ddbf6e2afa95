//! What account holders do with credits.

use primitives::{Credits, PersonId, codec_struct};

/// Moves credits from the signer's account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// To whom.
    pub to: PersonId,
    /// How much; more than nothing.
    pub amount: Credits,
}

codec_struct!(Transfer { to, amount });
