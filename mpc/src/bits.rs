//! Shared bits: random ones, and comparing them with what all know.

use crate::{
    checked::{Checker, Wire},
    session::{Abort, Session},
    step::Name,
};
use primitives::field::Residue;

/// Random bits that nobody knows, in three rounds. Each is the exclusive or of three, of which every party knows two.
pub(crate) async fn random(
    session: &mut Session,
    checker: &mut Checker,
    count: usize,
) -> Result<Vec<Wire>, Abort> {
    let (party, mut streams) = (session.party(), session.draw(Name::Masks)?);
    let parts: Vec<_> = (0..count).flat_map(|_| streams.bits(party)).collect();
    let parts = checker.inputs(session, &parts).await?;
    let parts = parts.as_chunks::<3>().0;
    let pairs: Vec<_> = parts.iter().map(|[a, b, _]| (*a, *b)).collect();
    let two = exclusive_or(session, checker, Name::FirstXor, &pairs).await?;
    let pairs: Vec<_> = two.into_iter().zip(parts).map(|(two, [.., c])| (two, *c)).collect();
    exclusive_or(session, checker, Name::SecondXor, &pairs).await
}

/// `a + b - 2 a b`.
pub(crate) async fn exclusive_or(
    session: &mut Session,
    checker: &mut Checker,
    name: Name,
    pairs: &[(Wire, Wire)],
) -> Result<Vec<Wire>, Abort> {
    let products = checker.multiply(session, name, pairs).await?;
    let both = |((a, b), product): (&(Wire, Wire), Wire)| *a + *b - (product + product);
    Ok(pairs.iter().zip(products).map(both).collect())
}

/// What is known of two numbers from some of their bits: whether the public one is less, and whether they are equal.
#[derive(Clone, Copy)]
struct Order {
    less: Wire,
    equal: Wire,
}

/// For each row, whether the public number is less than the shared one. Rows have as many bits, least significant
/// first. Every round halves what is left of the bits.
pub(crate) async fn less(
    session: &mut Session,
    checker: &mut Checker,
    rows: &[(&[bool], &[Wire])],
) -> Result<Vec<Wire>, Abort> {
    let one = checker.public(session, Residue::ONE);
    let bit = |(public, bit): (&bool, &Wire)| match public {
        false => Order { less: *bit, equal: one - *bit },
        true => Order { less: Wire::default(), equal: *bit },
    };
    let mut rows: Vec<Vec<Order>> =
        rows.iter().map(|(public, bits)| public.iter().zip(*bits).map(bit).collect()).collect();
    while rows.iter().any(|row| row.len() > 1) {
        // The upper of two decides; where it is equal the lower does.
        let pair = |[low, high]: &[Order; 2]| [(high.equal, low.less), (high.equal, low.equal)];
        let pairs: Vec<_> = rows.iter().flat_map(|row| row.as_chunks().0).flat_map(pair).collect();
        let products = checker.multiply(session, Name::Compare, &pairs).await?;
        let mut products = products.as_chunks::<2>().0.iter();
        for row in &mut rows {
            let (pairs, rest) = row.as_chunks::<2>();
            let join = |([_, high], [decided, equal]): (&[Order; 2], &[Wire; 2])| Order {
                less: high.less + *decided,
                equal: *equal,
            };
            *row = pairs.iter().zip(products.by_ref()).map(join).chain(rest.iter().copied()).collect();
        }
    }
    Ok(rows.into_iter().map(|row| row[0].less).collect())
}
