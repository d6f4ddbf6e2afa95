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
                prop_assert_eq!(Scalar::from(plain + Plain::from(b)), a + b);
                prop_assert_eq!(Scalar::from(residue - Residue::from(b)), a - b);
            }
        }
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
fn the_ninth_word_counts() {
    let largest = -Scalar::ONE;
    let mut products = Wide::default();
    let mut doubled = Wide::default();
    for _ in 0..10_000 {
        products.add_product(Plain::from(&largest), Residue([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 4]));
        doubled.add_weighted(Plain::from(&largest), u128::MAX);
    }
    let mut half = products;
    half.merge(&products);
    assert_ne!(products.0[8], 0, "the test reaches the ninth word");
    let once = Plain::from(&largest) * Residue([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 4]);
    assert_eq!(Scalar::from(products.reduce()), Scalar::from(once) * Scalar::from(10_000u64));
    assert_eq!(Scalar::from(half.reduce()), Scalar::from(once) * Scalar::from(20_000u64));
    assert_eq!(doubled.to_scalar(), largest * Scalar::from(u128::MAX) * Scalar::from(10_000u64));
    let wide = Wide([1; 9]);
    let expected: Scalar = (0..9).map(|i| (0..i * 64).fold(Scalar::ONE, |p, _| p + p)).sum();
    assert_eq!(wide.to_scalar(), expected);
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
