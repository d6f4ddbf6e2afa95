//! The products over all works that a verifier makes for each event: as it makes them, and as machine words.

use curve25519_dalek::scalar::Scalar;

/// Words of a scalar.
const WORDS: usize = 4;

/// The words of a scalar, least significant first.
pub(crate) fn words(scalar: &Scalar) -> [u64; WORDS] {
    let (words, _) = scalar.as_bytes().as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// Sides of an outer product over the works: the lower and the upper half of their digits.
pub(crate) struct Products {
    scalars: [Vec<Scalar>; 2],
    words: [Vec<[u64; WORDS]>; 2],
}

impl Products {
    /// From both sides as scalars.
    pub(crate) fn new(scalars: [Vec<Scalar>; 2]) -> Self {
        let words = scalars.each_ref().map(|side| side.iter().map(words).collect());
        Self { scalars, words }
    }

    /// `events` outer products, added up in scalars, each sum reduced and packed.
    pub(crate) fn scalars(&self, events: usize) -> Vec<Scalar> {
        let [low, high] = &self.scalars;
        let mut rows = vec![Scalar::ZERO; low.len() * high.len()];
        for _ in 0..events {
            for (row, h) in rows.chunks_exact_mut(low.len()).zip(high) {
                row.iter_mut().zip(low).for_each(|(into, l)| *into += h * l);
            }
        }
        rows
    }

    /// The same in words: whole products of 512 bits, added up without reduction, which is left for the end.
    pub(crate) fn words(&self, events: usize) -> Vec<Wide> {
        let [low, high] = &self.words;
        let mut rows = vec![Wide::default(); low.len() * high.len()];
        for _ in 0..events {
            for (row, h) in rows.chunks_exact_mut(low.len()).zip(high) {
                row.iter_mut().zip(low).for_each(|(into, l)| into.add_product(h, l));
            }
        }
        rows
    }
}

/// A sum of up to 2^64 products.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wide([u64; 2 * WORDS + 1]);

impl Wide {
    /// Adds `a b`, word by word.
    fn add_product(&mut self, a: &[u64; WORDS], b: &[u64; WORDS]) {
        for (at, x) in a.iter().enumerate() {
            let mut carry = 0;
            for (into, y) in self.0[at..].iter_mut().zip(b) {
                (*into, carry) = x.carrying_mul_add(*y, *into, carry);
            }
            let mut more = false;
            (self.0[at + WORDS], more) = self.0[at + WORDS].carrying_add(carry, more);
            for into in &mut self.0[at + WORDS + 1..] {
                (*into, more) = into.carrying_add(0, more);
            }
        }
    }

    /// The sum modulo l.
    #[cfg(test)]
    fn reduce(&self) -> Scalar {
        let mut bytes = [0; 64];
        for (into, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(&self.0) {
            *into = word.to_le_bytes();
        }
        assert_eq!(self.0[2 * WORDS], 0, "few products of numbers below 2^253");
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn both_ways_give_the_same_sums() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let products = Products::new([4, 8].map(|n| (0..n).map(|_| Scalar::random(&mut rng)).collect()));
        let reduced: Vec<_> = products.words(32).iter().map(Wide::reduce).collect();
        assert_eq!(products.scalars(32), reduced);
    }
}
