//! Which cells have enough listeners, without opening how many.
//!
//! A cell is the total of a work in a tier. Its upper limb counts listeners, so that a cell has k of them or more if it
//! is at least `k 2^130`: the other limbs decide nothing. With `m = cell - k 2^130 + 2^162`, below 2^163, that is bit
//! 162 of m. The parties open m under a mask, and add up bit by bit what is left when the mask is taken away: the bit is
//! the exclusive or of what stands at position 162 and the carries into it.
//!
//! How much is computed depends on the number of cells alone.

use crate::{
    adder,
    binary::{BYTE, Checker},
    masked::{MASK_PART_BITS, MASKED_BITS, Masked},
    replicated::Share,
    session::{Abort, MAX_BODY, Session},
    step::Name,
};
use primitives::{
    field::Residue,
    limits::{COUNT_BITS, LISTENER_SHIFT},
};

pub mod ideal;

/// The position of the bit that decides.
const TOP: usize = COUNT_BITS as usize;
/// Cells that are decided together. More take more memory, fewer more rounds. A party keeps 1,286 checked bits for each
/// cell until their check, at 32 bytes: 42 MB for a lane, and three times that at most with what it computes and sends.
pub const LANE: usize = 1024;
// Rows of a whole lane are whole bytes, and the longest message is one: a check for each bit of three masks.
const _: () = assert!(LANE.is_multiple_of(BYTE) && 3 * MASKED_BITS * LANE * 16 <= MAX_BODY);

/// Whether each cell has `k` listeners or more. Every party gives its shares of the same cells, each of which is below
/// 2^162.
///
/// # Errors
/// If a party does not keep to the protocol. Then nothing was opened but masked numbers and, of lanes before, outcomes.
pub async fn threshold(session: &mut Session, cells: Vec<Share>, k: u32) -> Result<Vec<bool>, Abort> {
    let mut decided = Vec::with_capacity(cells.len());
    for lane in cells.chunks(LANE) {
        decided.extend(decide(session, lane, k, MASK_PART_BITS).await?);
    }
    Ok(decided)
}

/// One lane, under masks with parts of so many bits.
async fn decide(
    session: &mut Session,
    cells: &[Share],
    k: u32,
    part_bits: usize,
) -> Result<Vec<bool>, Abort> {
    let two = Residue::from(2);
    let power = |n: usize| two.powers().nth(n).expect("powers have no end");
    let offset = power(TOP) - Residue::from(u64::from(k)) * power(LISTENER_SHIFT as usize);
    let offset = Share::public(session.party(), offset);
    let masked = Masked::open(session, cells.iter().map(|cell| *cell + offset), part_bits).await?;

    let mut checker = Checker::new(session, masked.width())?;
    let (public, [a, b, d]) = masked.bits(session, &mut checker, MASKED_BITS).await?;
    let upper = [&public, &a, &b, &d].map(|number| number[TOP].clone());
    let lower = [a, b, d].map(|number| number[..TOP].to_vec());
    let saved = adder::four(session, &mut checker, &public[..TOP], &lower).await?;
    let [carry] = saved.carries(session, &mut checker, [TOP]).await?;
    let carries = [&saved.first[TOP - 1], &saved.second[TOP - 1], &carry];
    let [public, masks @ ..] = &upper;
    let outcome = masks.iter().chain(carries).fold(public.bits.clone(), |sum, wire| &sum ^ &wire.bits);
    checker.verify(session).await?;

    let lacking = session.show(Name::OpenOutcome, &outcome.own, &outcome.next).await?;
    let rows = outcome.own.iter().zip(&outcome.next).zip(lacking).map(|((a, b), d)| a ^ b ^ d);
    let bits = rows.flat_map(|byte| (0..BYTE).map(move |lane| byte >> lane & 1 == 1));
    Ok(bits.take(cells.len()).collect())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod view;
