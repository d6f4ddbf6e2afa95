//! The equations once more, as the note on the bundle proof writes them: one by one, one term at a time, over
//! curve25519-dalek's scalars, sharing nothing with the verifier but the transcript and the bases. On a thousand bundles,
//! honest, lying and changed, both name the same rule.

use super::*;
use crate::{
    bundle::{digits::Layout, statement::Proof},
    generators::{VIEW_DIGITS, bases},
};
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use rand_chacha::rand_core::RngCore;

struct Literal<'a> {
    context: &'a EpochContext,
    bundle: &'a Bundle,
    layout: Layout,
    rho: Scalar,
    tau: Scalar,
    x: Scalar,
    /// `f`, entry 0 included, and the backed entry.
    events: Vec<(Vec<[Scalar; 4]>, Scalar)>,
}

fn power(base: Scalar, exponent: usize) -> Scalar {
    (0..exponent).fold(Scalar::ONE, |product, _| product * base)
}

fn point(wire: &WirePoint) -> RistrettoPoint {
    wire.decompress().expect("only scalars are changed, and points for other points")
}

fn scalar(plain: &Plain) -> Scalar {
    Scalar::from(*plain)
}

impl<'a> Literal<'a> {
    fn new(context: &'a EpochContext, bundle: &'a Bundle) -> Self {
        let layout = Layout::of(context);
        let mut transcript = bundle.transcript(context);
        bundle.proof.append_first_message(&mut transcript);
        let (rho, tau) = (transcript.rho().0, transcript.tau().0);
        bundle.proof.append_second_message(&mut transcript);
        let x = transcript.x().scalar();
        let per_event = 3 * layout.digits() + 1;
        let events = bundle
            .proof
            .responses
            .chunks(per_event)
            .map(|flat| {
                let digit = |d: usize| {
                    let [a, b, c] = [0, 1, 2].map(|i| scalar(&flat[3 * d + i]));
                    [x - a - b - c, a, b, c]
                };
                ((0..layout.digits()).map(digit).collect(), scalar(&flat[per_event - 1]))
            })
            .collect();
        Self { context, bundle, layout, rho, tau, x, events }
    }

    fn proof(&self) -> &Proof {
        &self.bundle.proof
    }

    /// (a)
    fn digits(&self) -> bool {
        let proof = self.proof();
        let mut right = scalar(&proof.digits_response) * bases().blinding;
        for (e, flat) in proof.responses.chunks(self.layout.responses()).enumerate() {
            for (f, base) in flat.iter().zip(self.layout.bases(e)) {
                right += scalar(f) * base;
            }
        }
        self.x * point(&proof.digits) + point(&proof.digit_masks) == right
    }

    /// (b)
    fn vector(&self) -> bool {
        let mut right = scalar(&self.proof().blinding_response) * bases().blinding;
        for (z, base) in self.proof().vector_response.iter().zip(self.context.works.points()) {
            right += scalar(z) * base;
        }
        let masks: RistrettoPoint = self.bundle.masks.iter().map(point).sum();
        point(&self.bundle.vector) + self.x * masks == right
    }

    /// (c)
    fn tags(&self) -> bool {
        let key = scalar(&self.proof().key_response);
        let mut sum = RistrettoPoint::default();
        for (e, (tag, (digits, _))) in self.bundle.tags.iter().zip(&self.events).enumerate() {
            let mut number = Scalar::ZERO;
            for (d, entries) in digits[..self.layout.work_digits() + VIEW_DIGITS].iter().enumerate() {
                let weight = if d < self.layout.work_digits() {
                    64 * 4u64.pow(d as u32)
                } else {
                    4u64.pow((d - self.layout.work_digits()) as u32)
                };
                for (i, f) in (0u64..).zip(entries) {
                    number += Scalar::from(weight * i) * f;
                }
            }
            let weight = power(self.rho, e);
            sum += weight * (key + number) * point(tag) - weight * self.x * self.context.tag_base;
        }
        sum == point(&self.proof().tag_mask)
    }

    /// (d)
    fn key(&self) -> bool {
        let left = self.x * point(&self.bundle.envelope.key) + point(&self.proof().key_mask);
        left == scalar(&self.proof().key_response) * bases().key
    }

    /// (e)
    fn backed(&self) -> bool {
        let paid = Scalar::from(self.bundle.receipted_views());
        let sum: Scalar = self.events.iter().map(|(_, backed)| backed).sum();
        sum == self.x * paid + scalar(&self.proof().backed_mask)
    }

    /// `Phi+` at x, work by work and view by view.
    fn amount(&self) -> Scalar {
        let (w, m) = (self.layout.work_digits(), self.layout.degree());
        let (mut sum, mut worth, mut bits, mut n) = (Scalar::ZERO, Scalar::ZERO, Scalar::ZERO, 0);
        let place = |digits: &[[Scalar; 4]], number: usize| -> Scalar {
            digits.iter().enumerate().map(|(d, entries)| entries[number >> (2 * d) & 3]).product()
        };
        for (digits, backed) in &self.events {
            let works: Scalar =
                (0..1 << (2 * w)).map(|work| power(self.tau, work) * place(&digits[..w], work)).sum();
            let fraction: Scalar =
                (1u64..).zip(&digits[w + VIEW_DIGITS]).map(|(q, f)| Scalar::from(q) * f).sum();
            let views = &digits[w..w + VIEW_DIGITS];
            let (mut count, mut value) = (power_of_two(130) * self.x * place(views, 0), Scalar::ZERO);
            for j in 0..self.context.params.j_max {
                let p = place(views, usize::from(j));
                count += power_of_two(92) * backed * p + power_of_two(54) * self.x * p;
                value += fraction * Scalar::from(self.context.params.view_value(j)) * p;
            }
            sum += works * (count + value);
            worth += value;
            for f in digits.iter().flatten().chain([backed]) {
                bits += power(self.tau, (1 << (2 * w)) + 1 + n) * f * (f - self.x);
                n += 1;
            }
        }
        let width = 1 << (2 * w);
        sum + power(self.tau, width) * power(self.x, m - 4) * worth + power(self.x, m - 2) * bits
    }

    /// (f)
    fn amounts(&self) -> bool {
        let (m, proof) = (self.layout.degree(), self.proof());
        let mut left = power(self.x, m) * power(self.tau, self.context.shard.width()) * point(&proof.value);
        for (k, coefficient) in proof.coefficients.iter().enumerate() {
            let k = if k == m { m + 1 } else { k };
            left += power(self.x, k) * point(coefficient);
        }
        let shown: Scalar =
            proof.vector_response.iter().enumerate().map(|(w, z)| power(self.tau, w) * scalar(z)).sum();
        let phi = self.amount() - power(self.x, m) * shown;
        left == phi * bases().key + scalar(&proof.coefficient_response) * bases().value_blinding
    }

    /// (g)
    fn ephemeral(&self, share: PartyId) -> bool {
        let (i, proof) = (share.index(), self.proof());
        let left = self.x * point(&self.bundle.ephemerals[i]) + point(&proof.ephemeral_masks[i]);
        left == scalar(&proof.ephemeral_responses[i]) * bases().kem
    }

    /// (h)
    fn cap(&self) -> bool {
        let cap = self.context.keys.tiers[&self.bundle.envelope.tier].value_cap;
        let cum = point(&self.bundle.previous) + point(&self.proof().value);
        let room = (Scalar::from(cap) * bases().key - cum).compress();
        let mut transcript = self.bundle.transcript(self.context);
        self.proof().append_first_message(&mut transcript);
        let _challenges = (transcript.rho(), transcript.tau());
        self.proof().append_second_message(&mut transcript);
        let _challenge = transcript.x();
        let generators = PedersenGens { B: bases().key, B_blinding: bases().value_blinding };
        RangeProof::from_bytes(&self.proof().cap.bytes).is_ok_and(|proof| {
            let (table, transcript) = (BulletproofGens::new(32, 1), transcript.for_range_proof());
            proof.verify_single_with_rng(&table, &generators, transcript, &room, 32, &mut rng()).is_ok()
        })
    }

    fn verify(&self) -> Result<(), BundleError> {
        let rule = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
        rule(self.digits(), BundleError::Digits)?;
        rule(self.backed(), BundleError::BackedCount)?;
        rule(self.vector(), BundleError::Vector)?;
        rule(self.amounts(), BundleError::Amount)?;
        rule(self.tags(), BundleError::Tags)?;
        rule(self.key(), BundleError::Key)?;
        for share in PartyId::ALL {
            rule(self.ephemeral(share), BundleError::Ephemeral { share })?;
        }
        rule(self.cap(), BundleError::Cap)
    }
}

/// A bundle of random events, honest or with a lie in its witness.
fn random_bundle(context: &EpochContext, seed: u64, rng: &mut ChaCha20Rng) -> Bundle {
    let mut subscriber = TestSubscriber::new(seed);
    let width = context.shard.width() as u32;
    let events: BTreeMap<_, _> = (0..rng.next_u32() % 6)
        .map(|_| ((rng.next_u32() % width, rng.next_u32() % 32), rng.next_u32()))
        .collect();
    subscriber.used = events.keys().map(|(w, j)| (WorkIndex(*w as u16), *j as u16)).collect();
    let lie = rng.next_u32() % 8;
    let events: Vec<_> = events
        .into_iter()
        .map(|((work, view), bits)| EventWitness {
            work: WorkIndex(work as u16),
            view: view as u16,
            quarters: (bits % 4) as u8 + 1,
            // Receipts take long to sign: only some bundles have them.
            backed: lie == 7 && bits & 8 != 0,
        })
        .collect();
    if lie == 0 || lie == 7 {
        return subscriber.bundle(context, events);
    }
    let (event, place, number) = (rng.next_u32() % 8, rng.next_u32(), Scalar::from(rng.next_u32() % 3));
    subscriber.lying_bundle(context, events, |witness| match lie {
        1 => {
            let digits = &mut witness.events[event as usize].0;
            let at = place as usize % digits.len();
            digits[at][place as usize % 4] += number;
        }
        2 => witness.value += u64::from(place % 2),
        3 => witness.room = Some(u64::from(place)),
        4 => witness.tags[event as usize] += number * crate::generators::bases().key,
        5 => witness.events[event as usize].1 += number,
        _ => witness.key += number,
    })
}

/// Changes one thing of a bundle, or two that may belong together.
fn change(bundle: &mut Bundle, other: &Bundle, rng: &mut ChaCha20Rng) {
    let delta = Plain::from(u128::from(rng.next_u32() % 3) + 1);
    let pick = rng.next_u32() as usize;
    let proof = &mut bundle.proof;
    match rng.next_u32() % 12 {
        0 => {
            let at = pick % proof.responses.len();
            proof.responses[at] += delta;
        }
        1 => {
            let at = pick % proof.vector_response.len();
            proof.vector_response[at] += delta;
        }
        2 => proof.digits_response += delta,
        3 => proof.key_response += delta,
        4 => proof.blinding_response += delta,
        5 => proof.coefficient_response += delta,
        6 => proof.ephemeral_responses[pick % 3] += delta,
        7 => proof.backed_mask += delta,
        8 => proof.coefficients.swap(0, 1),
        9 => bundle.tags.swap(0, 1 + pick % 7),
        10 => proof.cap = other.proof.cap.clone(),
        _ => proof.vector_response.swap(0, 1),
    }
}

#[test]
fn a_literal_verifier_names_the_same_rule_on_a_thousand_bundles() {
    const MADE: u64 = 40;
    const CHANGED: usize = 24;
    let committee = crate::testing::committee(11);
    let params = primitives::Preset::Spec.params();
    let context = crate::testing::context(&committee, 4, params);
    let mut rng = rng();
    let made: Vec<_> = (0..MADE).map(|seed| random_bundle(&context, seed, &mut rng)).collect();
    let (mut seen, mut compared) = (BTreeMap::<String, usize>::new(), 0);
    for (at, bundle) in made.iter().enumerate() {
        let mut compare = |bundle: &Bundle| {
            let expected = Literal::new(&context, bundle).verify();
            let found = super::super::verify(&context, bundle).map(|_| ());
            assert_eq!(found, expected, "bundle {at}");
            *seen.entry(format!("{found:?}")).or_default() += 1;
            compared += 1;
        };
        compare(bundle);
        for _ in 0..CHANGED {
            let mut other = bundle.clone();
            change(&mut other, &made[(at + 1) % made.len()], &mut rng);
            compare(&other);
        }
    }
    assert_eq!(compared, 1_000);
    assert!(seen.len() >= 9, "rules that were reached: {seen:?}");
}
