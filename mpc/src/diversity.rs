//! Sums of squares over regions, without opening a region.
//!
//! How evenly a work's backed views are spread over regions is told by the sum of the squares of what each region has.
//! A region's total Y is below 2^162; its limb of backed views is bits 92 to 129. The parties open `c = Y + s`, where
//! `s = s_1 + s_2 + s_3` is a mask of which each part is known to two of them bit by bit. Modulo 2^130,
//! `Y = (c + 3) + ~s_1 + ~s_2 + ~s_3` (see `masked`). Added up by carry-save adders and a last row of carries, three bits
//! are carried into position 92 and three out of position 129:
//!
//! `limb = limb(c + 3) + limb(~s_1) + limb(~s_2) + limb(~s_3) + (carries into 92) - 2^38 (carries out of 129)`
//!
//! over the integers: nothing is lost but what is carried out, and the sum of what is left is below 2^38. The limbs are
//! shared numbers as they stand; only these six bits are found over Z_2 and turned into numbers.

use crate::{
    adder,
    binary::{self, Bits},
    checked::{Checker, Wire},
    convert,
    masked::{MASK_PART_BITS, Masked},
    replicated::Share,
    session::{Abort, Session},
    step::Name,
    threshold::LANE,
};
use primitives::{
    field::{Plain, Residue},
    limits::{BACKED_BITS, BACKED_SHIFT, COUNT_BITS},
};

pub mod ideal;

/// Lowest position of the limb.
const LOW: usize = BACKED_SHIFT as usize;
/// Lowest position above the limb.
const HIGH: usize = LOW + BACKED_BITS as usize;
// The limb lies within what a mask hides.
const _: () = assert!(HIGH <= COUNT_BITS as usize);

/// For each work the sum over its regions of the square of the limb of backed views. Every party gives its shares of the
/// totals of the same works in the same regions, each below 2^162. Works may have different numbers of regions, at most
/// [`LANE`] each; these numbers show. As many works as fit into a lane are taken together.
///
/// # Errors
/// If a party does not keep to the protocol. Then nothing was opened but masked numbers and, of works before, sums.
pub async fn diversity(session: &mut Session, works: Vec<Vec<Share>>) -> Result<Vec<u128>, Abort> {
    let mut sums = Vec::with_capacity(works.len());
    let mut rest = works.as_slice();
    while !rest.is_empty() {
        let (lane, later) = rest.split_at(fitting(rest));
        sums.extend(together(session, lane).await?);
        rest = later;
    }
    Ok(sums)
}

/// How many of some works fit into a lane: one at least.
fn fitting(works: &[Vec<Share>]) -> usize {
    let filled = works.iter().scan(0, |regions, work| {
        *regions += work.len();
        Some(*regions)
    });
    filled.take_while(|regions| *regions <= LANE).count().max(1)
}

async fn together(session: &mut Session, works: &[Vec<Share>]) -> Result<Vec<u128>, Abort> {
    let totals: Vec<_> = works.iter().flatten().copied().collect();
    if totals.is_empty() {
        return Ok(vec![0; works.len()]);
    }
    let masked = Masked::open(session, totals.iter().copied(), MASK_PART_BITS).await?;
    let carried = carries(session, &masked).await?;

    let mut checker = Checker::new(session)?;
    let limbs = limbs(session, &mut checker, &masked, &carried, totals.len()).await?;
    let pairs: Vec<_> = limbs.into_iter().map(|limb| (limb, limb)).collect();
    let squares = checker.multiply(session, Name::Square, &pairs).await?;
    let mut squares = squares.into_iter().map(|square| square.value);
    let sums: Vec<Share> = works.iter().map(|work| squares.by_ref().take(work.len()).sum()).collect();
    checker.verify(session).await?;

    let opened = session.open(Name::OpenSquares, &sums).await?;
    let range = Abort::Range { step: session.last(Name::OpenSquares) };
    opened.into_iter().map(|sum| small(sum).ok_or_else(|| range.clone())).collect()
}

/// The number, if it has 128 bits.
fn small(number: Residue) -> Option<u128> {
    let bytes = Plain::from(number).to_canonical_bytes();
    let (low, high) = bytes.split_at(16);
    high.iter().all(|byte| *byte == 0).then(|| u128::from_le_bytes(low.try_into().expect("16 bytes")))
}

/// Rows of carries, each of which two carry-save adders and the last row of carries give: into the limb, and out of it.
/// They are checked: what is made of them later rests on what they are.
async fn carries(session: &mut Session, masked: &Masked) -> Result<[[Bits; 3]; 2], Abort> {
    let mut checker = binary::Checker::new(session, masked.width())?;
    let (public, masks) = masked.bits(session, &mut checker, HIGH).await?;
    let saved = adder::four(session, &mut checker, &public, &masks).await?;
    let [low, high] = saved.carries(session, &mut checker, [LOW, HIGH]).await?;
    let row = |position: usize, last: &binary::Wire| {
        [&*saved.first[position - 1], &*saved.second[position - 1], last].map(|wire| wire.bits.clone())
    };
    let carried = [row(LOW, &low), row(HIGH, &high)];
    checker.verify(session).await?;
    Ok(carried)
}

/// The limbs, one for each of so many lanes.
async fn limbs(
    session: &mut Session,
    checker: &mut Checker,
    masked: &Masked,
    carried: &[[Bits; 3]; 2],
    count: usize,
) -> Result<Vec<Wire>, Abort> {
    let limbs: Vec<_> = masked.limbs(LOW, BACKED_BITS as usize).collect();
    let rows: Vec<_> = carried.iter().flatten().collect();
    let (bits, limbs) = convert::to_numbers(session, checker, &rows, &limbs).await?;
    let over = Residue::from(1 << BACKED_BITS);
    let limb = |lane: usize| {
        let bit = |row: usize| bits[row * limbs.len() + lane];
        let [into, out] = [0, 3].map(|row| bit(row) + bit(row + 1) + bit(row + 2));
        limbs[lane] + into - out * over
    };
    Ok((0..count).map(limb).collect())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod view;
