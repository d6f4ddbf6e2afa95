//! Against curve25519-dalek, and at the edges.

use super::*;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn scalars(seed: u64, n: usize) -> Vec<Scalar> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2u8), Scalar::from(u64::MAX)];
    edges.into_iter().chain((0..n).map(|_| Scalar::random(&mut rng))).collect()
}

proptest! {
    #[test]
    fn arithmetic_agrees_with_dalek(seed: u64, weight: u128) {
        let all = scalars(seed, 4);
        for a in &all {
            let (plain, residue) = (Plain::from(a), Residue::from(a));
            prop_assert_eq!(Scalar::from(plain), *a);
            prop_assert_eq!(Scalar::from(residue), *a);
            prop_assert_eq!(Scalar::from(-plain), -a);
            let mut weighted = Wide::default();
            weighted.add_weighted(plain, weight);
            prop_assert_eq!(weighted.to_scalar(), a * Scalar::from(weight));
            for b in &all {
                prop_assert_eq!(Scalar::from(residue * Residue::from(b)), a * b);
                prop_assert_eq!(Scalar::from(plain * Residue::from(b)), a * b);
                let both = Residue::sum_of_products(residue, Residue::from(b), Residue::from(b), Residue::from(b));
                prop_assert_eq!(Scalar::from(both), a * b + b * b);
                prop_assert_eq!(Scalar::from(plain + Plain::from(b)), a + b);
                prop_assert_eq!(Scalar::from(residue - Residue::from(b)), a - b);
            }
        }
    }

    #[test]
    fn weighted_sums_agree_with_dalek(
        seed: u64,
        weights in prop::collection::vec(prop_oneof![any::<u128>(), Just(0), Just(u128::MAX)], 0..200),
    ) {
        let all = scalars(seed, weights.len());
        let (mut sum, mut other) = (Wide::default(), Wide::default());
        for (at, (a, weight)) in all.iter().zip(&weights).enumerate() {
            (if at % 2 == 0 { &mut sum } else { &mut other }).add_weighted(Plain::from(a), *weight);
        }
        sum.merge(&other);
        let expected: Scalar = all.iter().zip(&weights).map(|(a, weight)| a * Scalar::from(*weight)).sum();
        prop_assert_eq!(sum.to_scalar(), expected);
    }

    #[test]
    fn sums_of_products_agree_with_dalek(seed: u64, n in 0usize..200) {
        let (a, b) = (scalars(seed, n), scalars(seed.wrapping_add(1), n));
        let plain: Vec<_> = a.iter().map(Plain::from).collect();
        let residues: Vec<_> = b.iter().map(Residue::from).collect();
        let expected: Scalar = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        prop_assert_eq!(Scalar::from(dot(&plain, &residues)), expected);
    }
}

#[test]
fn a_polynomial_is_evaluated_as_by_horner() {
    for n in [0, 1, 63, 64, 65, 300] {
        let (c, s) = (scalars(3, n), scalars(4, 1)[5]);
        let plain: Vec<_> = c.iter().map(Plain::from).collect();
        let horner = c.iter().rev().fold(Scalar::ZERO, |sum, c| sum * s + c);
        assert_eq!(Scalar::from(evaluate(&plain, Residue::from(&s))), horner);
    }
}

/// Ten thousand of the largest products overflow eight words, and nothing is lost.
#[test]
fn two_products_of_the_largest_numbers_are_reduced() {
    let largest = -Residue::ONE;
    let two = Residue::ONE + Residue::ONE;
    assert_eq!(Residue::sum_of_products(largest, largest, largest, largest), two);
    assert!(Residue::sum_of_products(largest, largest, largest, Residue::ONE).is_zero());
}

#[test]
fn the_ninth_word_counts() {
    let largest = -Scalar::ONE;
    let factor = Residue([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 4]);
    let mut products = Products::default();
    (0..10_000).for_each(|_| products.add(Plain::from(&largest), factor));
    assert_ne!(products.0[8], 0, "the test reaches the ninth word");
    let once = Plain::from(&largest) * factor;
    assert_eq!(Scalar::from(products.reduce()), Scalar::from(once) * Scalar::from(10_000u64));
}

/// The largest weighted numbers overflow six words, and nothing is lost.
#[test]
fn the_seventh_word_counts() {
    let largest = -Scalar::ONE;
    let mut sum = Wide::default();
    (0..10_000).for_each(|_| sum.add_weighted(Plain::from(&largest), u128::MAX));
    assert_ne!(sum.0[6], 0, "the test reaches the seventh word");
    let expected = largest * Scalar::from(u128::MAX) * Scalar::from(10_000u64);
    assert_eq!(sum.to_scalar(), expected);
    let mut twice = sum;
    twice.merge(&sum);
    assert_eq!(twice.to_scalar(), expected + expected);
}

/// Every word has its weight, and all of them at their largest are reduced rightly.
#[test]
fn all_words_of_a_sum_are_reduced() {
    let weight = |word: usize| (0..word * 64).fold(Scalar::ONE, |power, _| power + power);
    for word in 0..7 {
        let mut words = [0; 7];
        words[word] = u64::MAX;
        assert_eq!(Wide(words).to_scalar(), Scalar::from(u64::MAX) * weight(word), "word {word}");
    }
    assert_eq!(Wide([u64::MAX; 7]).to_scalar(), weight(7) - Scalar::ONE);
}

#[test]
fn a_scalar_has_one_encoding() {
    let mut bytes = (-Scalar::ONE).to_bytes();
    assert_eq!(Plain::from_bytes(&bytes), Ok(Plain::from(&-Scalar::ONE)));
    assert_eq!(Plain::from_bytes(&bytes).map(Plain::to_canonical_bytes), Ok(bytes));
    bytes[0] += 1; // the group order itself, a second spelling of zero
    assert_eq!(Plain::from_bytes(&bytes), Err(CodecError::Invalid { what: "scalar" }));
    assert_eq!(Plain::from_bytes(&[0xff; 32]), Err(CodecError::Invalid { what: "scalar" }));
}

#[test]
fn numbers_of_252_bits_are_below_the_order() {
    let largest = Plain::from_252_bits(&[0xff; 32]);
    assert!(Plain::from_canonical_bytes(&largest.to_canonical_bytes()).is_some());
    assert_eq!(largest.to_canonical_bytes()[31], 0x0f);
}
