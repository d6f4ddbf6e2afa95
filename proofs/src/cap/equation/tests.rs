//! Against the verifier of the crate `bulletproofs`, which shares nothing with this one but the transcript.

use super::*;
use crate::cap::{Spent, bulletproof_generators, pedersen};
use bulletproofs::RangeProof;
use curve25519_dalek::{scalar::Scalar, traits::VartimeMultiscalarMul};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};

/// A proof, and all that it is checked against.
#[derive(Clone)]
struct Case {
    value_cap: u64,
    cum: RistrettoPoint,
    proof: CapProof,
    statement: Vec<u8>,
}

impl Case {
    /// What is left of `value_cap` after `value`, proved honestly.
    fn honest(value_cap: u64, value: u64, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let spent = Spent::default().plus(value, &Scalar::random(&mut rng));
        let statement = seed.to_le_bytes().to_vec();
        let proof = spent.prove(value_cap - value, &mut BundleTranscript::new(&statement), &mut rng);
        let cum = spent.commitment().decompress().unwrap();
        Self { value_cap, cum, proof, statement }
    }

    fn by_the_crate(&self) -> bool {
        let Ok(proof) = RangeProof::from_bytes(&self.proof.bytes) else { return false };
        let room = (Scalar::from(self.value_cap) * bases().key - self.cum).compress();
        let (mut transcript, mut rng) =
            (BundleTranscript::new(&self.statement), ChaCha20Rng::seed_from_u64(1));
        let (generators, transcript) = (bulletproof_generators(), transcript.for_range_proof());
        proof.verify_single_with_rng(generators, &pedersen(), transcript, &room, CAP_BITS, &mut rng).is_ok()
    }

    fn read(&self) -> Option<CapEquations> {
        let mut transcript = BundleTranscript::new(&self.statement);
        CapEquations::read(self.value_cap, self.cum, &self.proof, &mut transcript)
    }

    fn by_equations(&self) -> bool {
        let holds = self.read().is_some_and(|read| {
            let each = holding(&read);
            let weighted = is_zero(&[(&read, random_weights(5))]);
            assert_eq!(weighted, each == [true, true], "the weighted sum says something else");
            weighted
        });
        assert_eq!(holds, self.by_the_crate());
        holds
    }

    fn field(&mut self, at: usize) -> &mut [u8; 32] {
        &mut self.proof.bytes.as_chunks_mut().0[at]
    }
}

fn random_weights(seed: u64) -> [Residue; 2] {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    [(); 2].map(|()| Residue::from(Plain::from(crate::sharing::check::random_weight(&mut rng))))
}

fn is_zero(weighted: &[(&CapEquations, [Residue; 2])]) -> bool {
    let mut sum = CapSum::new();
    weighted.iter().for_each(|(read, weights)| sum.add(read, *weights));
    let scalars = sum.terms().map(|(scalar, _)| Scalar::from(scalar));
    RistrettoPoint::vartime_multiscalar_mul(scalars, sum.terms().map(|(_, point)| point)).is_identity()
}

/// Which of the two equations holds.
fn holding(read: &CapEquations) -> [bool; 2] {
    let (zero, one) = (Residue::ZERO, Residue::ONE);
    [[one, zero], [zero, one]].map(|weights| is_zero(&[(read, weights)]))
}

#[test]
fn the_bases_are_those_of_the_crate() {
    let of_the_crate: Vec<_> = bulletproof_generators().share(0).G(CAP_BITS).copied().collect();
    // It shows the first half alone; that the second is right follows from every proof that holds.
    assert_eq!(range_bases()[0].to_vec(), of_the_crate);
}

#[test]
fn multiples_of_the_base_are_right() {
    for n in [0, 1, 2, 3, 0x1234_5678, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(times_key(n), Scalar::from(n) * bases().key);
    }
}

#[test]
fn honest_proofs_hold_up_to_the_edges() {
    let most = u64::from(u32::MAX);
    for (seed, (value_cap, value)) in (0..).zip([(0, 0), (1, 1), (1, 0), (most, 0), (most, most), (1000, 17)])
    {
        assert!(Case::honest(value_cap, value, seed).by_equations(), "{value} of {value_cap}");
    }
}

#[test]
fn no_field_can_be_changed() {
    let honest = Case::honest(1 << 30, 12_345, 3);
    let mut other = Case::honest(1 << 30, 12_345, 4);
    for at in 0..FIELDS {
        let refused = |change: &dyn Fn(&mut [u8; 32])| {
            let mut changed = honest.clone();
            change(changed.field(at));
            assert!(!changed.by_equations(), "field {at}");
        };
        let foreign = *other.field(at);
        refused(&|bytes| *bytes = foreign);
        refused(&|bytes| *bytes = [0; 32]);
        refused(&|bytes| *bytes = [0xff; 32]);
        refused(&|bytes| bytes[31] ^= 0x10);
        // An even element has an even first byte: some of these name another one.
        (1..=8).for_each(|step| refused(&|bytes| bytes[0] ^= 2 * step));
    }
}

#[test]
fn scalars_have_one_spelling() {
    for at in [4, 5, 6, FIELDS - 2, FIELDS - 1] {
        let mut case = Case::honest(1 << 20, 3, 8);
        let order = [primitives::field::ORDER.map(u64::to_le_bytes)];
        let mut carry = 0;
        for (byte, added) in case.field(at).iter_mut().zip(order.as_flattened().as_flattened()) {
            let sum = u16::from(*byte) + u16::from(*added) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert!(case.read().is_none() && !case.by_equations(), "field {at}");
    }
}

#[test]
fn a_proof_is_for_its_cap_its_sum_and_its_transcript_alone() {
    let honest = Case::honest(1 << 30, 12_345, 5);
    assert!(honest.by_equations());
    for value_cap in [(1 << 30) + 1, (1 << 30) - 1, 0] {
        assert!(!Case { value_cap, ..honest.clone() }.by_equations());
    }
    for cum in [honest.cum + bases().key, honest.cum + bases().value_blinding, -honest.cum] {
        assert!(!Case { cum, ..honest.clone() }.by_equations());
    }
    assert!(!Case { statement: b"other".to_vec(), ..honest.clone() }.by_equations());
}

#[test]
fn each_equation_can_fail_by_itself() {
    let honest = Case::honest(1 << 30, 12_345, 6);
    assert_eq!(holding(&honest.read().unwrap()), [true, true]);
    // The last two scalars are not hashed; Cum is changed after the challenges were drawn.
    for at in [0, 1] {
        let mut read = honest.read().unwrap();
        read.last[at] += Residue::ONE;
        assert_eq!(holding(&read), [false, true]);
    }
    let mut read = honest.read().unwrap();
    read.cum += bases().key;
    assert_eq!(holding(&read), [true, false]);
    read.last[0] += Residue::ONE;
    assert_eq!(holding(&read), [false, false]);
    assert!(!is_zero(&[(&read, random_weights(1))]));
}

#[test]
fn errors_of_two_proofs_cancel_under_equal_weights_and_not_under_their_own() {
    let honest = Case::honest(1 << 30, 12_345, 7);
    let [mut more, mut less] = [honest.read().unwrap(), honest.read().unwrap()];
    more.cum += bases().key;
    less.cum -= bases().key;
    let same = random_weights(1);
    assert!(is_zero(&[(&more, same), (&less, same)]));
    assert!(!is_zero(&[(&more, same), (&less, random_weights(2))]));
}

#[test]
fn a_number_above_32_bits_has_no_proof() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let (value_cap, statement) = (10u64, b"lie".to_vec());
    let spent = Spent::default().plus(11, &Scalar::random(&mut rng));
    let room = value_cap.wrapping_sub(11);
    let proof = spent.prove(room, &mut BundleTranscript::new(&statement), &mut rng);
    let cum = spent.commitment().decompress().unwrap();
    assert!(!Case { value_cap, cum, proof, statement }.by_equations());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn many_proofs_hold_together_and_a_false_one_is_noticed(seed: u64, count in 1usize..5, which: usize) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let cases: Vec<_> = (0..count as u64)
            .map(|n| {
                let value_cap = u64::from(rng.next_u32());
                Case::honest(value_cap, rng.next_u64() % (value_cap + 1), seed ^ n)
            })
            .collect();
        prop_assert!(cases.iter().all(Case::by_equations));
        let mut read: Vec<_> = cases.iter().map(|case| case.read().unwrap()).collect();
        let weighted = |read: &[CapEquations]| {
            let weights = (0..).map(|n| random_weights(seed.wrapping_add(n)));
            is_zero(&read.iter().zip(weights).collect::<Vec<_>>())
        };
        prop_assert!(weighted(&read));
        read[which % count].openings[which % 3] += Residue::ONE;
        prop_assert!(!weighted(&read));
    }
}
