//! What a party sees of the threshold does not depend on cells, but for which are large enough.

use super::{tests::cell, *};
use crate::testing::view::{seen_by, tell_apart};
use primitives::PartyId;

const LISTENERS: u32 = 5;
/// Listeners of cells on either side: the first is not large enough, the second is.
const FEW: [u32; 2] = [0, 5];
const MANY: [u32; 2] = [4, 1 << 30];

/// The parties that tell apart cells that differ in what is not opened, under masks with parts of so many bits. For each
/// party there are cells of which it holds zeros.
fn leak(part_bits: usize) -> Vec<PartyId> {
    let protocol = |listeners: [u32; 2], lower: Residue| {
        move |mut session: Session| {
            let party = session.party();
            let cell = |n: u32| PartyId::ALL.map(|observer| seen_by(observer, party, cell(n, lower)));
            let cells = listeners.map(cell).concat();
            async move { decide(&mut session, &cells, LISTENERS, part_bits).await }
        }
    };
    let expected = [[false; 3], [true; 3]].concat();
    tell_apart(&expected, protocol(FEW, Residue::ZERO), protocol(MANY, -Residue::ONE))
}

#[test]
fn no_party_sees_more_than_which_cells_are_large_enough() {
    assert_eq!(leak(MASK_PART_BITS), []);
}

#[test]
fn a_mask_that_is_too_short_shows_to_every_party() {
    assert_eq!(leak(LISTENER_SHIFT as usize - 8), PartyId::ALL);
}
