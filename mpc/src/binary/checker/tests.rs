//! Products with errors that a party puts in and stands by: its own share and the copy that it sent are wrong alike, so
//! that no opening can show it.

use super::*;
use crate::testing::{Outcome, run};

/// Bytes of a row: two, so that lanes of different bytes are tried.
const WIDTH: usize = 2;
/// Rows of the inputs, each known to the two holders of a share.
const ROWS: [[u8; WIDTH]; 3] = [[0b1100, 0xff], [0b1010, 0x0f], [0x55, 0x33]];

/// An error in a lane of a row: whether its bit is turned, and what is added to its check.
#[derive(Clone, Copy)]
struct Error {
    row: usize,
    lane: usize,
    bit: bool,
    check: u128,
}

/// Adds an error to the share of a wire that party one and the one before it hold.
fn put_in(checker: &mut Checker, error: Error) {
    let Error { row, lane, bit, check } = error;
    let wire = &checker.kept[row];
    let mut wrong = Wire {
        bits: wire.bits.clone(),
        check: Check { own: wire.check.own.clone(), next: wire.check.next.clone() },
    };
    let [one, ..] = PartyId::ALL;
    let (bits, checks) = match checker.party {
        party if party == one => (&mut wrong.bits.own, &mut wrong.check.own),
        party if party == one.previous() => (&mut wrong.bits.next, &mut wrong.check.next),
        _ => return,
    };
    bits[lane / BYTE] ^= u8::from(bit) << (lane % BYTE);
    checks[lane] ^= Element::from_bytes(check.to_le_bytes());
    checker.kept[row] = Arc::new(wrong);
}

/// `(a + b) d` and that times a, with errors put in before the check. Gives the opened product.
fn product(seed: u64, errors: &'static [Error]) -> [Outcome<Vec<u8>>; 3] {
    let protocol = move |mut session: Session| async move {
        let party = session.party();
        let mut checker = Checker::new(&mut session, WIDTH)?;
        let rows = PartyId::ALL.map(|of| Bits::known(party, of, ROWS[of.index()].to_vec()));
        let wires = checker.inputs(&mut session, rows.to_vec()).await?;
        let [a, b, d] = [0, 1, 2].map(|at| wires[at].clone());
        let first = vec![And { wire: a.xor(&b), with: d.bits.clone() }];
        let first = checker.and(&mut session, Name::CarrySave, first).await?.swap_remove(0);
        let second = vec![And { wire: first, with: a.bits.clone() }];
        let second = checker.and(&mut session, Name::CarrySave, second).await?.swap_remove(0);
        errors.iter().for_each(|error| put_in(&mut checker, *error));
        checker.verify(&mut session).await?;
        let lacking = session.show(Name::OpenOutcome, &second.bits.own, &second.bits.next).await?;
        Ok(xor(&xor(&second.bits.own, &second.bits.next), &lacking))
    };
    run(seed, protocol, |_, _, _| {})
}

#[test]
fn products_are_those_of_the_bits() {
    let expected: Vec<_> =
        (0..WIDTH).map(|at| (ROWS[0][at] ^ ROWS[1][at]) & ROWS[2][at] & ROWS[0][at]).collect();
    for seed in 0..20 {
        assert!(product(seed, &[]).into_iter().all(|outcome| outcome == Some(Ok(expected.clone()))));
    }
}

#[test]
fn whatever_a_party_puts_in_and_stands_by_is_noticed_by_both_others() {
    const BIT: Error = Error { row: 3, lane: 1, bit: true, check: 0 };
    const CHECK: Error = Error { bit: false, check: 1, ..BIT };
    let errors: [&[Error]; 8] = [
        &[BIT],
        &[CHECK],
        &[Error { check: 1 << 127 | 1 << 126 | 1 << 121 | 1, ..BIT }],
        &[Error { row: 0, lane: 15, ..BIT }],
        &[Error { row: 4, lane: 8, ..CHECK }],
        // The same in two lanes or two rows, which would cancel if coefficients were the same.
        &[CHECK, Error { lane: 2, ..CHECK }],
        &[BIT, Error { row: 4, ..BIT }],
        &[BIT, Error { row: 0, lane: 9, ..BIT }],
    ];
    for (seed, errors) in (0..).zip(errors) {
        for outcome in product(seed, errors) {
            assert!(matches!(outcome, Some(Err(Abort::Product { .. }))), "{seed}: {outcome:?}");
        }
    }
}
