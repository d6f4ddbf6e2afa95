//! What a party sees of the sums of squares does not depend on regions, but for the sums.

use super::{tests::total, *};
use crate::testing::view::{seen_by, tell_apart};
use primitives::PartyId;

#[test]
fn no_party_sees_more_than_sums_of_squares() {
    let protocol = |backed: [u64; 2], listeners: u32, lower: Residue| {
        move |mut session: Session| {
            let party = session.party();
            let share = |observer, n: u64| seen_by(observer, party, total(n, listeners, lower));
            let works = PartyId::ALL.map(|observer| backed.map(|n| share(observer, n)).to_vec()).to_vec();
            async move { diversity(&mut session, works).await }
        }
    };
    let (one, other) = (protocol([3, 4], 0, Residue::ZERO), protocol([5, 0], 1 << 20, -Residue::ONE));
    assert_eq!(tell_apart(&vec![25; 3], one, other), []);
}
