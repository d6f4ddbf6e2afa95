//! Parts of a prover's and a verifier's work by themselves, and what cannot be avoided.

use super::ours::{Bundles, EVENTS};
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{MultiscalarMul, VartimeMultiscalarMul},
};
use merlin::Transcript;
use primitives::field::{Plain, Residue, Wide, evaluate};
use proofs::{
    bundle::{
        Bundle,
        digits::{Layout, Weighing},
    },
    token,
    wire::WirePoint,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::hint::black_box;

/// Products of words for each work of a verified bundle: one scalar by a weight of 128 bits, one by a whole scalar.
const VERIFIED_WORDS: usize = 8 + 16;
/// Products of words for each entry of a share: one scalar by a challenge of 128 bits.
const SHARE_WORDS: usize = 8;
/// Scalars of a bundle's own elements that are weights of 128 bits, and not products of them.
const SHORT: usize = 7;

/// A range proof of the length that a cap takes, by the crate itself.
pub(crate) struct RangeProofs {
    generators: BulletproofGens,
    pedersen: PedersenGens,
    proof: RangeProof,
    commitment: CompressedRistretto,
}

const BITS: usize = 32;

impl RangeProofs {
    pub(crate) fn new() -> Self {
        let (generators, pedersen) = (BulletproofGens::new(BITS, 1), PedersenGens::default());
        let (proof, commitment) = prove_range(&generators, &pedersen);
        Self { generators, pedersen, proof, commitment }
    }

    /// Makes one.
    pub(crate) fn prove(&self) -> RangeProof {
        prove_range(&self.generators, &self.pedersen).0
    }

    /// Verifies `count`, each by itself.
    pub(crate) fn verify(&self, count: usize) {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for _ in 0..count {
            let mut transcript = Transcript::new(b"benches");
            let (generators, pedersen) = (&self.generators, &self.pedersen);
            self.proof
                .verify_single_with_rng(
                    generators,
                    pedersen,
                    &mut transcript,
                    &self.commitment,
                    BITS,
                    &mut rng,
                )
                .expect("an honest proof");
        }
    }
}

fn prove_range(generators: &BulletproofGens, pedersen: &PedersenGens) -> (RangeProof, CompressedRistretto) {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let blinding = Scalar::random(&mut rng);
    let mut transcript = Transcript::new(b"benches");
    RangeProof::prove_single_with_rng(
        generators,
        pedersen,
        &mut transcript,
        1 << 30,
        &blinding,
        BITS,
        &mut rng,
    )
    .expect("32 bits are a size of range proofs")
}

/// The elements of a bundle that a verifier reads, those of the range proof last.
fn elements(bundle: &Bundle) -> impl Iterator<Item = WirePoint> {
    let proof = &bundle.proof;
    let single = [
        &bundle.envelope.key,
        &bundle.previous,
        &bundle.vector,
        &proof.digits,
        &proof.digit_masks,
        &proof.key_mask,
        &proof.value,
        &proof.tag_mask,
    ];
    let several = bundle.masks.iter().chain(&bundle.ephemerals).chain(&proof.ephemeral_masks);
    let wire = bundle.tags.iter().chain(&proof.coefficients).chain(several).chain(single).copied();
    // Four elements, three scalars, ten elements, two scalars.
    let (range, _) = proof.cap.bytes.as_chunks::<32>();
    wire.chain(range[..4].iter().chain(&range[7..17]).map(|bytes| WirePoint(*bytes)))
}

impl Bundles {
    fn layout(&self) -> Layout {
        Layout::of(&self.context)
    }

    /// Elements of one bundle that are read.
    pub(crate) fn elements(&self) -> usize {
        self.take(1).flat_map(elements).count()
    }

    /// Reads them in `count` bundles.
    pub(crate) fn decompress(&self, count: usize) {
        for wire in self.take(count).flat_map(elements) {
            black_box(wire.decompress().expect("a group element"));
        }
    }

    /// Checks the RSA signatures of `count` bundles: a token and a receipt each.
    pub(crate) fn signatures(&self, count: usize) {
        let context = &self.context;
        for bundle in self.take(count) {
            let e = &bundle.envelope;
            let message = token::message(e.chain, e.epoch, e.tier, &e.key);
            token::verify(&context.keys.tiers[&e.tier].issuer, &message, &bundle.token).expect("a token");
            let region = e.region.0.expect("a bundle with receipts");
            for receipt in &bundle.receipts {
                let signer = &context.keys.regions[&(region, receipt.denomination)];
                receipt.verify(signer, (e.chain, e.epoch, region), &e.key).expect("a receipt");
            }
        }
    }

    /// Elements that a batch of `count` bundles is multiplied by: those that all share, and each bundle's own. The three
    /// masks are added up before. The range proofs share two bases for each bit, and B and B~.
    pub(crate) fn batch_points(&self, count: usize) -> usize {
        let shared = self.width() + EVENTS * self.layout().responses() + 5 + 2 * BITS + 2;
        shared + count * (self.elements() - 2)
    }

    /// A multi-scalar multiplication of as many elements as a batch of `count` bundles has.
    pub(crate) fn multiply_batch(&self, count: usize) -> RistrettoPoint {
        let points = self.batch_points(count);
        let scalars = (0..).zip(self.scalars(points));
        let scalars = scalars.map(|(at, s)| if at < SHORT * count { half(s).into() } else { *s });
        RistrettoPoint::vartime_multiscalar_mul(scalars, self.points(points))
    }

    /// Multi-scalar multiplications of as many elements as the share check of `count` bundles has: over the works, and by
    /// challenges of 128 bits to the commitments to two shares.
    pub(crate) fn multiply_shares(&self, count: usize) -> [RistrettoPoint; 3] {
        let multiply = |points: usize, scalars: &[Scalar]| {
            RistrettoPoint::vartime_multiscalar_mul(scalars, self.points(points))
        };
        let short: Vec<Scalar> = self.scalars(count).iter().map(|s| half(s).into()).collect();
        let all = self.width() + 3;
        [multiply(all, self.scalars(all)), multiply(count, &short), multiply(count, &short)]
    }

    /// The products over all works and all entries of events that a verifier makes: the vector response weighted and
    /// evaluated, the responses weighted.
    pub(crate) fn products(&self, count: usize) -> [Vec<Wide>; 2] {
        let (weight, tau) = (u128::MAX / 3, Residue::from(0x1234_5678_9abc_def1));
        let mut works = vec![Wide::default(); self.width()];
        let mut entries = vec![Wide::default(); EVENTS * self.layout().responses()];
        let add = |sums: &mut [Wide], responses: &[Plain]| {
            sums.iter_mut().zip(responses).for_each(|(sum, z)| sum.add_weighted(*z, weight));
        };
        for bundle in self.take(count) {
            add(&mut works, &bundle.proof.vector_response);
            add(&mut entries, &bundle.proof.responses);
            black_box(evaluate(&bundle.proof.vector_response, tau));
        }
        [works, entries]
    }

    /// What the responses of `count` bundles amount to at the challenge.
    pub(crate) fn amounts(&self, count: usize) {
        let (x, tau) = (Residue::from(0x0fed_cba9_8765_4321), Residue::from(0x1234_5678_9abc_def1));
        let layout = self.layout();
        let weighing = Weighing::new(&self.context, layout, tau);
        for bundle in self.take(count) {
            black_box(weighing.amount(&layout.read(&bundle.proof.responses, x), &x));
        }
    }

    /// Floor of the products over the works: as many products of words, each with its carry.
    pub(crate) fn product_floor(&self, count: usize) -> u64 {
        multiply_words(count * self.width() * VERIFIED_WORDS)
    }

    /// Floor of a party's shares of `count` bundles: the streams of their seeds, and the products of words.
    pub(crate) fn share_floor(&self, count: usize) -> u64 {
        self.streams(count);
        multiply_words(2 * count * (self.width() + 1) * SHARE_WORDS)
    }

    /// The streams alone.
    pub(crate) fn streams(&self, count: usize) {
        let mut bytes = vec![0; 32 * (self.width() + 1)];
        for at in 0..2 * count as u64 {
            ChaCha20Rng::seed_from_u64(at).fill_bytes(black_box(&mut bytes));
        }
    }

    /// The three multi-scalar multiplications of a device ahead of time, in constant time as the device's are.
    pub(crate) fn masks_floor(&self) -> RistrettoPoint {
        self.multiply_each(&[self.width() + 1; 3])
    }

    /// Those of its proof: the vector, the masks of the digits, the mask of the tags, the coefficients, the value and
    /// `Cum`; with the multiples of one element, which are the tags, eight of fixed bases and six for sealing. Committing
    /// to bits takes additions alone.
    pub(crate) fn prover_floor(&self) -> RistrettoPoint {
        let layout = self.layout();
        let mut lengths = vec![EVENTS + 1, EVENTS * layout.responses() + 1, EVENTS];
        lengths.extend(std::iter::repeat_n(2, layout.coefficients() + 2));
        lengths.extend([1; EVENTS + 8 + 6]);
        self.multiply_each(&lengths)
    }

    fn multiply_each(&self, lengths: &[usize]) -> RistrettoPoint {
        let multiply = |&n: &usize| RistrettoPoint::multiscalar_mul(self.scalars(n), self.points(n));
        lengths.iter().map(multiply).sum()
    }
}

/// 128 bits of a scalar.
fn half(scalar: &Scalar) -> u128 {
    u128::from_le_bytes(*scalar.as_bytes().first_chunk().expect("32 bytes"))
}

/// Products of words with carries, in four chains that wait for nothing but themselves.
fn multiply_words(count: usize) -> u64 {
    let (mut carry, factor) = ([1u64, 2, 3, 4], black_box(0x9e37_79b9_7f4a_7c15u64));
    for at in 0..count as u64 / 4 {
        for chain in &mut carry {
            let (low, high) = factor.carrying_mul_add(at, *chain, at);
            *chain = low ^ high;
        }
    }
    carry.iter().fold(0, |sum, word| sum ^ word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_of_a_bundle_are_all_counted() {
        let bundles = Bundles::new(16, 1);
        let layout = bundles.layout();
        // Key, Cum, S, B', A', A_sk, C_val, N; masks, ephemerals and their masks; tags; coefficients; the range proof.
        assert_eq!(bundles.elements(), 8 + 9 + EVENTS + layout.coefficients() + 14);
        bundles.decompress(2);
        bundles.signatures(2);
        RangeProofs::new().verify(2);
    }
}
