//! From shared bits to shared numbers.
//!
//! A bit is the exclusive or of its three shares. Each of them is known to two parties, so that it is a shared number as
//! it stands: that share, the others zero. Two exclusive ors in F_l, `a + b - 2 a b`, put the three together.

use crate::{
    binary::{BYTE, Bits},
    checked::{Checker, Wire},
    replicated::Share,
    session::{Abort, Session},
    step::Name,
};
use primitives::{PartyId, field::Residue};

/// The three parts of each bit of a row, as numbers, lane by lane.
fn parts(party: PartyId, row: &Bits) -> impl Iterator<Item = [Share; 3]> {
    let lanes = (0..row.own.len() * BYTE).map(|lane| (lane / BYTE, lane % BYTE));
    lanes.map(move |(byte, lane)| {
        let number = |row: &[u8]| Residue::from(u64::from(row[byte] >> lane & 1));
        let mut parts = [Share::ZERO; 3];
        parts[party.index()] = Share::known(party, party, number(&row.own));
        parts[party.next().index()] = Share::known(party, party.next(), number(&row.next));
        parts
    })
}

/// Wires in F_l of the bits of some rows, row by row, and of numbers that are shared already: three rounds.
///
/// The rows have been checked, so that what is put in here is right; from here on the checks are those of F_l.
pub(crate) async fn to_numbers(
    session: &mut Session,
    checker: &mut Checker,
    rows: &[&Bits],
    numbers: &[Share],
) -> Result<(Vec<Wire>, Vec<Wire>), Abort> {
    let party = session.party();
    let mut inputs: Vec<_> = rows.iter().flat_map(|row| parts(party, row)).flatten().collect();
    let count = inputs.len();
    inputs.extend_from_slice(numbers);
    let mut parts = checker.inputs(session, &inputs).await?;
    let numbers = parts.split_off(count);
    let parts = parts.as_chunks::<3>().0;
    let pairs: Vec<_> = parts.iter().map(|[a, b, _]| (*a, *b)).collect();
    let two = exclusive_or(session, checker, Name::FirstXor, &pairs).await?;
    let pairs: Vec<_> = two.into_iter().zip(parts).map(|(two, [.., d])| (two, *d)).collect();
    Ok((exclusive_or(session, checker, Name::SecondXor, &pairs).await?, numbers))
}

/// `a + b - 2 a b`.
async fn exclusive_or(
    session: &mut Session,
    checker: &mut Checker,
    name: Name,
    pairs: &[(Wire, Wire)],
) -> Result<Vec<Wire>, Abort> {
    let products = checker.multiply(session, name, pairs).await?;
    let both = |((a, b), product): (&(Wire, Wire), Wire)| *a + *b - (product + product);
    Ok(pairs.iter().zip(products).map(both).collect())
}
