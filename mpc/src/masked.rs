//! Opens numbers under masks, and takes the masks away again bit by bit.
//!
//! The mask of a number m is `s = s_1 + s_2 + s_3`, where s_i is what key i expands to: a shared number as it stands, and
//! each bit of s_i a shared bit as it stands, since two parties know it and its other shares are zero. So `c = m + s` is
//! opened before anything was multiplied, and without a check: an opening compares copies, and nothing else can be
//! changed. Whoever lacks one s_i sees c at a statistical distance of 2^-80 from a number that says nothing of m, if m
//! is below 2^163 (Catrina and de Hoogh 2010, protocol 3.1, open under a mask; theirs is made of random bits in the field).
//!
//! With `~s = 2^n - 1 - s` for numbers of n bits, `m = c - s_1 - s_2 - s_3` is `(c + 3) + ~s_1 + ~s_2 + ~s_3` modulo 2^n:
//! a sum of a number that all know and of three that are shared bit by bit.

use crate::{
    binary::{BYTE, Bits, Checker, Number, Wire},
    replicated::Share,
    session::{Abort, Session},
    step::Name,
};
use primitives::{
    PartyId,
    field::{Plain, Residue},
    limits::{COUNT_BITS, MASK_BITS},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bits of what is masked, at most.
pub(crate) const MASKED_BITS: usize = COUNT_BITS as usize + 1;
/// Bits of each of the three parts of a mask.
pub(crate) const MASK_PART_BITS: usize = MASKED_BITS + MASK_BITS as usize;
// Three parts and what they mask stay below the group order, so that nothing wraps.
const _: () = assert!(MASK_PART_BITS + 2 < 252);

/// Numbers under masks, a lane each.
pub(crate) struct Masked {
    party: PartyId,
    /// `c + 3` for each lane, least significant byte first.
    public: Vec<[u8; 32]>,
    /// `~s_i` for each lane, for the party's own key and the next party's. Bits beyond those of a mask are ones.
    complements: [Zeroizing<Vec<[u8; 32]>>; 2],
}

/// A row of bits out of numbers, a lane each: the bit at a position.
fn row(numbers: &[[u8; 32]], position: usize) -> Vec<u8> {
    let bit = |number: &[u8; 32]| number[position / BYTE] >> (position % BYTE) & 1;
    let byte = |lanes: &[[u8; 32]]| lanes.iter().rev().fold(0, |byte, number| byte << 1 | bit(number));
    numbers.chunks(BYTE).map(byte).collect()
}

impl Masked {
    /// Opens numbers below 2^163 under masks whose parts have `part_bits` bits: [`MASK_PART_BITS`], but in a test. Lanes are filled
    /// up to whole bytes with zeros.
    ///
    /// # Errors
    /// If the others show different copies.
    pub(crate) async fn open(
        session: &mut Session,
        numbers: impl Iterator<Item = Share>,
        part_bits: usize,
    ) -> Result<Self, Abort> {
        let party = session.party();
        let mut numbers: Vec<_> = numbers.collect();
        numbers.resize(numbers.len().next_multiple_of(BYTE), Share::ZERO);
        let mut streams = session.draw(Name::Masks)?;
        let mut complements = [(); 2].map(|()| Zeroizing::new(Vec::with_capacity(numbers.len())));
        for number in &mut numbers {
            let masks = streams.masks(part_bits);
            let [own, next] = masks.map(|mask| Residue::from(Plain::from_252_bits(&mask)));
            *number = *number + Share { own, next };
            complements.iter_mut().zip(masks).for_each(|(into, mask)| into.push(mask.map(|byte| !byte)));
        }
        let three = Residue::from(3);
        let opened = session.open(Name::OpenMasked, &numbers).await?;
        let public = opened.into_iter().map(|c| Plain::from(c + three).to_canonical_bytes()).collect();
        Ok(Self { party, public, complements })
    }

    /// Bytes of a row of bits.
    pub(crate) fn width(&self) -> usize {
        self.public.len() / BYTE
    }

    /// The lowest bits of `c + 3`, and of `~s_1`, `~s_2` and `~s_3`, as wires: one round.
    ///
    /// # Errors
    /// Those of a round.
    pub(crate) async fn bits(
        &self,
        session: &mut Session,
        checker: &mut Checker,
        count: usize,
    ) -> Result<(Number, [Number; 3]), Abort> {
        let public = (0..count).map(|position| checker.public(row(&self.public, position))).collect();
        let inputs =
            PartyId::ALL.iter().flat_map(|key| (0..count).map(|position| self.known(*key, position)));
        let mut wires = checker.inputs(session, inputs.collect()).await?.into_iter();
        let complements = [(); 3].map(|()| wires.by_ref().take(count).collect::<Vec<Arc<Wire>>>());
        Ok((public, complements))
    }

    /// A bit of the complement of a key's part.
    fn known(&self, key: PartyId, position: usize) -> Bits {
        let [own, next] = &self.complements;
        Bits::known(self.party, key, row(if key == self.party { own } else { next }, position))
    }

    /// The sum of a limb of each of `c + 3`, `~s_1`, `~s_2` and `~s_3`, for each lane: their bits from `from` on, `count`
    /// of them, at most 60. It needs no message.
    pub(crate) fn limbs(&self, from: usize, count: usize) -> impl Iterator<Item = Share> {
        let limb = move |number: &[u8; 32]| {
            let low = (0..count).fold(0, |limb, at| {
                let position = from + at;
                limb | u64::from(number[position / BYTE] >> (position % BYTE) & 1) << at
            });
            Residue::from(low)
        };
        let [own, next] = &self.complements;
        let party = self.party;
        self.public.iter().zip(own.iter().zip(next.iter())).map(move |(c, (own, next))| {
            Share::public(party, limb(c)) + Share { own: limb(own), next: limb(next) }
        })
    }
}
