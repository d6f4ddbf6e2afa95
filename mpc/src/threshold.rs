//! Which cells have enough listeners, without opening how many.
//!
//! A cell is the total of a work in a tier. Its upper limb counts listeners, so that a cell has k of them or more if it
//! is at least `k 2^130`: the other limbs decide nothing. With `m = cell - k 2^130 + 2^162`, below 2^163, that is bit
//! 162 of m. The parties open `c = m + s + 2^163 h`, where s are 163 random bits and h hides what is above, and take
//! bit 162 of `c - s`: it is that of c, that of s, and what is borrowed from below, which is whether the lower bits of c
//! are less than those of s (Damgard et al. 2006; Catrina and de Hoogh 2010, protocol 3.1, for the masked opening).
//!
//! Every number of the sort is checked before it is opened, masks as well: first the bits of s under one key, then the
//! comparison under another. How much is computed depends on the number of cells alone.

use crate::{
    bits,
    checked::{Checker, Wire},
    replicated::Share,
    session::{Abort, Session},
    step::Name,
};
use primitives::{
    field::{Plain, Residue},
    limits::{COUNT_BITS, LISTENER_SHIFT},
};

pub mod ideal;

/// Bits of a cell.
const CELL_BITS: usize = COUNT_BITS as usize;
/// Bits of m, and of the mask that is known bit by bit.
const MASKED_BITS: usize = CELL_BITS + 1;
/// Bits of each of the three numbers that hide what is above the mask. What is opened is at distance 2^-79 from a number
/// that says nothing of the cell, and it stays below the group order.
const HIDING_BITS: u32 = 80;
const _: () = assert!(MASKED_BITS as u32 + HIDING_BITS + 2 < 252);
/// Cells that are decided together. More take more memory, fewer more rounds.
const LANE: usize = 256;

/// Whether each cell has `k` listeners or more. Every party gives its shares of the same cells, each of which is below
/// 2^162.
///
/// # Errors
/// If a party does not keep to the protocol. Then nothing was opened but masked numbers.
pub async fn threshold(mut session: Session, cells: Vec<Share>, k: u32) -> Result<Vec<bool>, Abort> {
    let mut decided = Vec::with_capacity(cells.len());
    for lane in cells.chunks(LANE) {
        decided.extend(decide(&mut session, lane, k).await?);
    }
    Ok(decided)
}

async fn decide(session: &mut Session, cells: &[Share], k: u32) -> Result<Vec<bool>, Abort> {
    let mut checker = Checker::new(session)?;
    let mask_bits = bits::random(session, &mut checker, cells.len() * MASKED_BITS).await?;
    checker.verify(session).await?;
    let mask_bits: Vec<Share> = mask_bits.iter().map(|bit| bit.value).collect();

    let masked = open_masked(session, cells, &mask_bits, k).await?;

    let mut checker = Checker::new(session)?;
    let mask_bits = checker.inputs(session, &mask_bits).await?;
    let rows: Vec<_> = masked.iter().zip(mask_bits.chunks_exact(MASKED_BITS)).collect();
    let lower: Vec<_> = rows.iter().map(|(c, mask)| (&c[..CELL_BITS], &mask[..CELL_BITS])).collect();
    let borrowed = bits::less(session, &mut checker, &lower).await?;
    let tops: Vec<_> =
        rows.iter().zip(borrowed).map(|((_, mask), borrow)| (mask[CELL_BITS], borrow)).collect();
    let tops = bits::exclusive_or(session, &mut checker, Name::Outcome, &tops).await?;
    let one = checker.public(session, Residue::ONE);
    let outcome = |((c, _), top): (&(&Bits, &[Wire]), Wire)| if c[CELL_BITS] { one - top } else { top };
    let outcomes: Vec<_> = rows.iter().zip(tops).map(|(row, top)| outcome((row, top)).value).collect();
    checker.verify(session).await?;

    let opened = session.open(Name::OpenOutcome, &outcomes).await?;
    let read = |bit: Residue| match bit {
        Residue::ZERO => Ok(false),
        Residue::ONE => Ok(true),
        _ => Err(Abort::Product { step: session.last(Name::OpenOutcome) }),
    };
    opened.into_iter().map(read).collect()
}

/// The lower bits of an opened number, least significant first.
type Bits = [bool; MASKED_BITS];

/// Opens `cell - k 2^130 + 2^162 + s + 2^163 h` for each cell.
async fn open_masked(
    session: &mut Session,
    cells: &[Share],
    mask_bits: &[Share],
    k: u32,
) -> Result<Vec<Bits>, Abort> {
    let powers: Vec<_> = std::iter::successors(Some(Residue::ONE), |power| Some(*power + *power))
        .take(MASKED_BITS + 1)
        .collect();
    let offset = powers[CELL_BITS] - Residue::from(u64::from(k)) * powers[LISTENER_SHIFT as usize];
    let offset = Share::public(session.party(), offset);
    let mut streams = session.draw(Name::Masks)?;
    let mut above = || streams.short(HIDING_BITS) * powers[MASKED_BITS];
    let mask = |bits: &[Share]| bits.iter().zip(&powers).map(|(bit, power)| *bit * *power).sum::<Share>();
    let masked: Vec<_> = cells
        .iter()
        .zip(mask_bits.chunks_exact(MASKED_BITS))
        .map(|(cell, bits)| *cell + offset + mask(bits) + above())
        .collect();
    let opened = session.open(Name::OpenMasked, &masked).await?;
    let read = |number: Residue| {
        let bytes = Plain::from(number).to_canonical_bytes();
        std::array::from_fn(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1)
    };
    Ok(opened.into_iter().map(read).collect())
}

#[cfg(test)]
mod tests;
