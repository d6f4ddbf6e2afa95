//! Products of shared bits, with security against one malicious party, after Chida et al. 2018 (protocol 5.3). Where they
//! repeat the check of a small field until it convinces, here it is made once in an extension of that field.
//!
//! Beside each bit x goes `r x` for a key r in the field of 2^128 that nobody knows. A party that changes a product has
//! to change its check by r. Before anything is opened that depends on products, one random combination of all rows and
//! lanes is compared with its check; only then is r opened.

use super::{BYTE, Bits, xor};
use crate::{
    element::{Element, ElementShare, Powers, Spread},
    prss::Streams,
    session::{Abort, Session, body::Carried},
    step::Name,
};
use primitives::PartyId;
use std::sync::Arc;
use zeroize::Zeroize;

/// A row of bits, and for each the product with the check key.
pub(crate) struct Wire {
    /// x, for each lane.
    pub(crate) bits: Bits,
    /// `r x`, for each lane.
    check: Check,
}

#[derive(Zeroize)]
#[zeroize(drop)]
struct Check {
    own: Vec<Element>,
    next: Vec<Element>,
}

impl Wire {
    /// The exclusive or, lane by lane.
    pub(crate) fn xor(&self, other: &Self) -> Arc<Self> {
        let (a, b) = (&self.check, &other.check);
        let check = Check { own: xor(&a.own, &b.own), next: xor(&a.next, &b.next) };
        Arc::new(Self { bits: &self.bits ^ &other.bits, check })
    }
}

/// A product to be made. The second factor's check is of no use: the product's check is the first factor's check times
/// the second factor.
pub(crate) struct And {
    /// A wire.
    pub(crate) wire: Arc<Wire>,
    /// What is linear in wires under the same key.
    pub(crate) with: Bits,
}

/// Rows that are not checked yet, under one key.
pub(crate) struct Checker {
    key: ElementShare,
    party: PartyId,
    /// Length of a row in bytes.
    width: usize,
    kept: Vec<Arc<Wire>>,
}

impl Checker {
    /// Draws a key (step 1 of protocol 5.3) for rows of so many bytes.
    pub(crate) fn new(session: &mut Session, width: usize) -> Result<Self, Abort> {
        let key = session.draw(Name::Masks)?.element();
        Ok(Self { key, party: session.party(), width, kept: Vec::new() })
    }

    /// The wire of a row that all know.
    pub(crate) fn public(&self, row: Vec<u8>) -> Arc<Wire> {
        let times = |key: Element| lanes(&row).map(|bit| key & bit).collect();
        let check = Check { own: times(self.key.own), next: times(self.key.next) };
        Arc::new(Wire { bits: Bits::known(self.party, PartyId::ALL[0], row), check })
    }

    /// Gives rows their checks, in one round (step 3). What they are was shared before.
    pub(crate) async fn inputs(
        &mut self,
        session: &mut Session,
        rows: Vec<Bits>,
    ) -> Result<Vec<Arc<Wire>>, Abort> {
        let step = session.step(Name::Inputs);
        let (mut parts, mut body) = (Parts::new(session.streams(step)?, self.width), Vec::new());
        let key = Check { own: vec![self.key.own; parts.lanes()], next: vec![self.key.next; parts.lanes()] };
        let own: Vec<_> = rows.iter().map(|row| parts.check(&key, row, &mut body)).collect();
        let body = session.pass(step, body).await?;
        let mut next = body.chunks_exact(self.width * BYTE * Element::BYTES);
        let wires = rows.into_iter().zip(own).map(|(bits, own)| {
            let next = elements(next.next().expect("the length was compared"));
            Arc::new(Wire { bits, check: Check { own, next } })
        });
        Ok(self.keep(wires.collect()))
    }

    /// Multiplies lane by lane, in one round (step 4).
    pub(crate) async fn and(
        &mut self,
        session: &mut Session,
        name: Name,
        pairs: Vec<And>,
    ) -> Result<Vec<Arc<Wire>>, Abort> {
        let step = session.step(name);
        let (mut parts, mut body) = (Parts::new(session.streams(step)?, self.width), Vec::new());
        let product = |And { wire, with }: &And| {
            let bits = parts.bits(&wire.bits, with, &mut body);
            (bits, parts.check(&wire.check, with, &mut body))
        };
        let own: Vec<_> = pairs.iter().map(product).collect();
        drop(pairs);
        let body = session.pass(step, body).await?;
        let next = body.chunks_exact(self.width * (1 + BYTE * Element::BYTES));
        let wires = own.into_iter().zip(next).map(|((bits, check), next)| {
            let (next_bits, next_check) = next.split_at(self.width);
            Arc::new(Wire {
                bits: Bits { own: bits, next: next_bits.to_vec() },
                check: Check { own: check, next: elements(next_check) },
            })
        });
        Ok(self.keep(wires.collect()))
    }

    fn keep(&mut self, wires: Vec<Arc<Wire>>) -> Vec<Arc<Wire>> {
        self.kept.extend(wires.iter().cloned());
        wires
    }

    /// Checks all rows at once, and gives up the key (step 5). Afterwards what they carry may be opened.
    ///
    /// With n rows and m lanes, what is wrong passes with a chance of at most `(n + m + 2) / 2^128`: docs/notes/sharing.md
    /// has the argument.
    ///
    /// # Errors
    /// If some row is not what its inputs make it; nobody knows by whose fault.
    pub(crate) async fn verify(self, session: &mut Session) -> Result<(), Abort> {
        session.barrier().await?;
        let mut streams = session.draw(Name::Masks)?;
        let shares = [self.key, streams.element(), streams.element()];
        let (own, next) = (shares.map(|share| share.own), shares.map(|share| share.next));
        let lacking = session.show(Name::CheckKey, &own, &next).await?;
        let opened = |at: usize| own[at] ^ next[at] ^ lacking[at];
        // All three in one round: whatever is wrong was chosen before the barrier.
        let zero = self.difference(opened(0), opened(1), opened(2));

        // Only whether it is zero may be seen (functionality 3.8): what it is otherwise depends on secrets.
        let mask = session.draw(Name::Masks)?.element();
        let step = session.step(Name::CheckMask);
        let own = zero.product_part(mask) ^ session.streams(step)?.zero_element();
        let body = session.pass(step, own.to_bytes().to_vec()).await?;
        let next = elements(&body)[0];
        let lacking = session.show(Name::CheckZero, &[own], &[next]).await?;
        if own ^ next ^ lacking[0] == Element::ZERO {
            Ok(())
        } else {
            Err(Abort::Product { step: session.last(Name::CheckZero) })
        }
    }

    /// The combination of all checks, less the key times that of all bits. The coefficient of a row and a lane is a power
    /// of `row` times a power of `lane`.
    fn difference(&self, key: Element, row: Element, lane: Element) -> ElementShare {
        let (rows, lane_powers) = (Powers::new(row), Powers::new(lane));
        let table = lane_powers.table(lane, self.width * BYTE);
        let bits =
            |row: &[u8]| lanes(row).zip(&table).fold(Element::ZERO, |sum, (bit, power)| sum ^ (*power & bit));
        let side = |side: fn(&Wire) -> (&[u8], &[Element])| {
            let both = || self.kept.iter().map(|wire| side(wire));
            let checks = rows.combine(both().map(|(_, check)| lane_powers.combine(check.iter().copied())));
            checks ^ rows.combine(both().map(|(row, _)| bits(row))).dot(key)
        };
        ElementShare {
            own: side(|wire| (&wire.bits.own, &wire.check.own)),
            next: side(|wire| (&wire.bits.next, &wire.check.next)),
        }
    }
}

/// The bits of a row, lane by lane.
fn lanes(row: &[u8]) -> impl Iterator<Item = Spread> {
    row.iter().flat_map(|byte| (0..BYTE).map(|lane| Spread::of(*byte, lane)))
}

fn elements(bytes: &[u8]) -> Vec<Element> {
    bytes.as_chunks().0.iter().map(|bytes| Element::from_bytes(*bytes)).collect()
}

/// Makes a party's parts of products, and writes them into the message of their round.
struct Parts {
    streams: Streams,
    /// Length of a row in bytes.
    width: usize,
    zeros: [Vec<u8>; 2],
}

impl Parts {
    fn new(streams: Streams, width: usize) -> Self {
        let zeros = [(); 2].map(|()| vec![0; width * BYTE * Element::BYTES]);
        Self { streams, width, zeros }
    }

    fn lanes(&self) -> usize {
        self.width * BYTE
    }

    /// Of bits times bits.
    fn bits(&mut self, a: &Bits, b: &Bits, body: &mut Vec<u8>) -> Vec<u8> {
        let [own, next] = self.zeros.each_mut().map(|zeros| &mut zeros[..self.width]);
        self.streams.fill([&mut *own, &mut *next]);
        let mut row = xor(own, next);
        a.add_product_part(b, &mut row);
        body.extend_from_slice(&row);
        row
    }

    /// Of elements times bits.
    fn check(&mut self, check: &Check, bits: &Bits, body: &mut Vec<u8>) -> Vec<Element> {
        let [own, next] = &mut self.zeros;
        self.streams.fill([own, next]);
        let zeros = own.as_chunks().0.iter().zip(next.as_chunks().0);
        let zeros = zeros.map(|(own, next)| Element::from_bytes(*own) ^ Element::from_bytes(*next));
        let mut parts: Vec<_> = zeros.collect();
        let (parts_of, own) = (parts.as_chunks_mut::<BYTE>().0, check.own.as_chunks::<BYTE>().0);
        let rows = bits.own.iter().zip(&bits.next);
        for (((into, own), next), (bit_own, bit_next)) in
            parts_of.iter_mut().zip(own).zip(check.next.as_chunks::<BYTE>().0).zip(rows)
        {
            for lane in 0..BYTE {
                let (both, own_bit) = (Spread::of(bit_own ^ bit_next, lane), Spread::of(*bit_own, lane));
                into[lane] ^= (own[lane] & both) ^ (next[lane] & own_bit);
            }
        }
        parts.iter().for_each(|part| body.extend_from_slice(&part.to_bytes()));
        parts
    }
}

#[cfg(test)]
mod tests;
