//! Pseudorandom secret sharing for three parties (Cramer, Damgard and Ishai 2005): randomness in common without a
//! message.
//!
//! Party p holds keys p and p + 1. What key i expands to is share i of a random number that nobody knows: each party
//! lacks one share. Differences of what a party's two keys expand to sum to zero over the parties (Araki et al. 2016,
//! section 3.2), which hides what is sent in a multiplication.
//!
//! Every stream has a label. Randomness that is used twice shows differences of secrets, so a label is drawn from once.

use crate::{
    element::{Element, ElementShare},
    replicated::Share,
    step::Step,
};
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Writer, field::Residue, hash};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rand_core::CryptoRng;
use std::collections::BTreeSet;
use thiserror::Error;
use zeroize::Zeroize;

/// A key that two parties hold.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct PrssKey(pub [u8; 32]);

impl std::fmt::Debug for PrssKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrssKey(..)")
    }
}

impl Encode for PrssKey {
    fn encode(&self, w: &mut Writer) {
        w.raw(&self.0);
    }
}

impl Decode for PrssKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.array().map(Self)
    }
}

impl PrssKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    fn stream(&self, session: &Digest, step: Step) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(hash::hash(Domain::Prss, &[&self.0, &session.0, &step.to_bytes()]).0)
    }
}

/// A step drew correlated randomness twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("step {0} drew correlated randomness twice")]
pub struct Reused(pub Step);

/// One party's keys in one session. A session is one attempt at one computation: its digest binds what is computed on,
/// and a repeated attempt has another.
pub struct Prss {
    party: PartyId,
    keys: [PrssKey; 2],
    session: Digest,
    used: BTreeSet<Step>,
}

impl Prss {
    /// Keys of `party`: its own, and the next party's.
    pub fn new(party: PartyId, keys: [PrssKey; 2], session: Digest) -> Self {
        Self { party, keys, session, used: BTreeSet::new() }
    }

    /// Whose keys these are.
    pub fn party(&self) -> PartyId {
        self.party
    }

    /// The session's digest.
    pub(crate) fn session(&self) -> &Digest {
        &self.session
    }

    /// The streams of a step.
    ///
    /// # Errors
    /// If the step has had them.
    pub fn draw(&mut self, step: Step) -> Result<Streams, Reused> {
        if !self.used.insert(step) {
            return Err(Reused(step));
        }
        Ok(Streams(self.keys.each_ref().map(|key| key.stream(&self.session, step))))
    }
}

/// Randomness of one step, in order: every party draws the same things in the same order.
pub struct Streams([ChaCha20Rng; 2]);

fn number(stream: &mut ChaCha20Rng) -> Residue {
    let mut bytes = [0; 32];
    stream.fill_bytes(&mut bytes);
    Residue::from_random_bits(&bytes)
}

impl Streams {
    /// A share of a random number, at statistical distance 2^-127 from uniform.
    pub fn share(&mut self) -> Share {
        let [own, next] = self.0.each_mut().map(number);
        Share { own, next }
    }

    /// The party's part of a sharing of zero: the parts of all three sum to zero.
    pub fn zero(&mut self) -> Residue {
        let Share { own, next } = self.share();
        own - next
    }

    /// Random bytes of both keys. Their exclusive or over all three parties is zero.
    pub(crate) fn fill(&mut self, into: [&mut [u8]; 2]) {
        self.0.iter_mut().zip(into).for_each(|(stream, bytes)| stream.fill_bytes(bytes));
    }

    /// A share of a random element of the field of 2^128.
    pub(crate) fn element(&mut self) -> ElementShare {
        let (mut own, mut next) = ([0; 16], [0; 16]);
        self.fill([&mut own, &mut next]);
        ElementShare { own: Element::from_bytes(own), next: Element::from_bytes(next) }
    }

    /// The party's part of a sharing of zero in the field of 2^128.
    pub(crate) fn zero_element(&mut self) -> Element {
        let ElementShare { own, next } = self.element();
        own ^ next
    }

    /// For each of both keys a random number of so many bits, at most 252, least significant byte first: the number of
    /// the party's own key and that of the next party's.
    pub(crate) fn masks(&mut self, bits: usize) -> [[u8; 32]; 2] {
        let mut masks = [[0; 32]; 2];
        let [own, next] = &mut masks;
        self.fill([own, next]);
        for mask in &mut masks {
            mask[bits.div_ceil(8)..].fill(0);
            if !bits.is_multiple_of(8) {
                mask[bits / 8] &= (1 << (bits % 8)) - 1;
            }
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{step::Name, testing::sessions};

    #[test]
    fn shares_have_two_copies_and_zeros_sum_to_zero() {
        let step = Step::new(Name::Masks, 0);
        let mut streams = sessions(1).map(|mut prss| prss.draw(step).unwrap());
        for _ in 0..10 {
            let shares = streams.each_mut().map(Streams::share);
            for party in PartyId::ALL {
                assert_eq!(shares[party.index()].next, shares[party.next().index()].own);
            }
            assert!(shares[0].own != shares[1].own && shares[1].own != shares[2].own);
            let zeros = streams.each_mut().map(Streams::zero);
            assert!(zeros.into_iter().sum::<Residue>().is_zero() && !zeros[0].is_zero());
        }
    }

    #[test]
    fn masks_have_so_many_bits_and_two_holders() {
        let step = Step::new(Name::Masks, 0);
        let mut streams = sessions(1).map(|mut prss| prss.draw(step).unwrap());
        for bits in [8, 122, 243] {
            let mut seen = [0; 32];
            for _ in 0..64 {
                let masks = streams.each_mut().map(|streams| streams.masks(bits));
                for party in PartyId::ALL {
                    assert_eq!(masks[party.index()][1], masks[party.next().index()][0]);
                }
                masks
                    .iter()
                    .for_each(|[own, _]| seen.iter_mut().zip(own).for_each(|(seen, byte)| *seen |= byte));
            }
            // In 192 draws each bit was one, and none above.
            let is_one = |bit: usize| seen[bit / 8] >> (bit % 8) & 1 == 1;
            assert!((0..256).all(|bit| is_one(bit) == (bit < bits)));
        }
    }

    #[test]
    fn a_step_draws_once_and_another_session_draws_anew() {
        let (first, second) = (Step::new(Name::Masks, 0), Step::new(Name::Masks, 1));
        let [mut prss, ..] = sessions(1);
        let drawn = prss.draw(first).unwrap().share();
        assert_eq!(prss.draw(first).err(), Some(Reused(first)));
        assert_ne!(prss.draw(second).unwrap().share(), drawn);
        let keys = prss.keys.clone();
        let mut again = Prss::new(prss.party(), keys, Digest([9; 32]));
        assert_ne!(again.draw(first).unwrap().share(), drawn);
    }
}
