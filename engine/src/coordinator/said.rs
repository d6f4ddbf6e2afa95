//! What parties said with their signatures, and what they agree on.

use primitives::PartyId;
use proofs::committee::Signatures;
use std::collections::BTreeMap;

/// What parties said, with their signatures.
pub(super) type Said<T> = BTreeMap<PartyId, (T, [u8; 64])>;

/// What all who spoke say, with their signatures.
pub(super) struct Agreed<'a, T> {
    pub(super) value: &'a T,
    pub(super) signatures: Signatures,
}

/// What all who spoke say, if they say the same.
pub(super) fn agreed<T: PartialEq>(said: &Said<T>) -> Option<Agreed<'_, T>> {
    let (value, _) = said.values().next()?;
    let mut signatures = Signatures::default();
    for (party, (other, signature)) in said {
        if other != value {
            return None;
        }
        signatures.insert(*party, *signature);
    }
    Some(Agreed { value, signatures })
}
