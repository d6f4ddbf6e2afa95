//! The prover of a bundle: a subscriber's device.
//!
//! Whatever depends on a secret (which works, which views, the key, the masks) runs in constant time: digits are
//! compared and selected by `subtle`, products are by constant-time multi-scalar multiplication, and no table is
//! indexed by a secret. The number of events and receipts is public. Checking and padding a device's own events, in
//! `witness.rs`, is not: it happens before anything is sent, and an outsider learns nothing from how long it takes.

use crate::{
    blind::BlindSignature,
    bundle::{
        digits::{Layout, VALUE_DEGREE, limb_units, lin},
        statement::{Bundle, Envelope, Proof},
        witness::{self, EventWitness, ProveError, RawWitness},
    },
    epoch::EpochContext,
    generators::{VIEW_DIGITS, bases},
    receipt::Receipt,
    sharing::{SealedShares, seal::Ephemerals, split::Shares},
    token::SubscriberKey,
    transcript::powers,
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{Identity, MultiscalarMul},
};
use primitives::PartyId;
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// Proves a bundle of `events`, already padded.
pub fn prove(
    context: &EpochContext,
    key: &SubscriberKey,
    (envelope, token, receipts): (Envelope, BlindSignature, Vec<Receipt>),
    events: &[EventWitness],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Bundle, ProveError> {
    witness::check(context, events, &receipts)?;
    let witness = RawWitness::honest(context, key, events);
    prove_whatever_the_witness_says(context, (envelope, token, receipts), witness, rng)
}

/// A digit's entries `sigma X + a`, with masks that sum to zero.
struct MaskedDigit {
    sigma: [Scalar; 4],
    mask: [Scalar; 4],
}

struct MaskedEvent {
    digits: Vec<MaskedDigit>,
    backed: (Scalar, Scalar),
}

impl Drop for MaskedEvent {
    fn drop(&mut self) {
        for digit in &mut self.digits {
            digit.sigma.zeroize();
            digit.mask.zeroize();
        }
        self.backed.0.zeroize();
        self.backed.1.zeroize();
    }
}

impl MaskedEvent {
    fn new((digits, backed): &(Vec<[Scalar; 4]>, Scalar), rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let masked = |sigma: &[Scalar; 4]| {
            let mut mask = [Scalar::ZERO; 4];
            for entry in 1..4 {
                mask[entry] = Scalar::random(rng);
                mask[0] -= mask[entry];
            }
            MaskedDigit { sigma: *sigma, mask }
        };
        Self { digits: digits.iter().map(masked).collect(), backed: (*backed, Scalar::random(rng)) }
    }

    fn masks(&self) -> Vec<[Scalar; 4]> {
        self.digits.iter().map(|d| d.mask).collect()
    }
}

type Polynomial = Vec<Scalar>;

/// `p(X) (slope X + constant)`.
fn times_linear(p: &[Scalar], slope: &Scalar, constant: &Scalar) -> Polynomial {
    let mut product = vec![Scalar::ZERO; p.len() + 1];
    for (k, c) in p.iter().enumerate() {
        product[k] += c * constant;
        product[k + 1] += c * slope;
    }
    product
}

fn add_scaled(sum: &mut [Scalar], p: &[Scalar], factor: &Scalar) {
    for (s, c) in sum.iter_mut().zip(p) {
        *s += factor * c;
    }
}

/// `v_e(X)` (protocol notes, section 3): what the event adds to its work's count, as a polynomial of degree 4 whose
/// leading coefficient is the count.
fn count_polynomial(context: &EpochContext, layout: Layout, event: &MaskedEvent) -> Polynomial {
    let mut views: Vec<Polynomial> = vec![vec![Scalar::ONE]];
    for digit in event.digits[layout.work_digits()..layout.fraction()].iter().rev() {
        views = views
            .iter()
            .flat_map(|p| (0..4).map(|i| times_linear(p, &digit.sigma[i], &digit.mask[i])))
            .collect();
    }
    let counted = usize::from(context.params.j_max);
    let (mut any, mut valued) = (vec![Scalar::ZERO; VIEW_DIGITS + 1], vec![Scalar::ZERO; VIEW_DIGITS + 1]);
    for (view, value) in views.iter().zip(&context.view_values).take(counted) {
        add_scaled(&mut any, view, &Scalar::ONE);
        add_scaled(&mut valued, view, value);
    }
    let quarters = &event.digits[layout.fraction()];
    let weigh =
        |entries: &[Scalar; 4]| entries.iter().zip(1u64..).map(|(e, i)| e * Scalar::from(i)).sum::<Scalar>();
    let units = limb_units();
    let mut v = vec![Scalar::ZERO; VALUE_DEGREE + 1];
    add_scaled(&mut v, &times_linear(&views[0], &Scalar::ONE, &Scalar::ZERO), &units.listener);
    add_scaled(&mut v, &times_linear(&any, &event.backed.0, &event.backed.1), &units.backed);
    add_scaled(&mut v, &times_linear(&any, &Scalar::ONE, &Scalar::ZERO), &units.view);
    add_scaled(&mut v, &times_linear(&valued, &weigh(&quarters.sigma), &weigh(&quarters.mask)), &Scalar::ONE);
    v
}

/// Coefficients of `sum_e p_{e,w}(X) v_e(X)`, row by row: `rows[w][k]`, k up to M. The leading one is the usage.
fn row_polynomials(context: &EpochContext, layout: Layout, events: &[MaskedEvent]) -> Vec<Polynomial> {
    let mut rows = vec![vec![Scalar::ZERO; layout.degree() + 1]; context.shard.width()];
    for event in events {
        let mut partial = vec![count_polynomial(context, layout, event)];
        for digit in event.digits[..layout.work_digits()].iter().rev() {
            partial = partial
                .iter()
                .flat_map(|p| (0..4).map(|i| times_linear(p, &digit.sigma[i], &digit.mask[i])))
                .collect();
        }
        for (row, p) in rows.iter_mut().zip(&mut partial) {
            row.iter_mut().zip(p.iter()).for_each(|(r, c)| *r += c);
            p.zeroize();
        }
    }
    rows
}

/// `B'` and `A'`: commitments to the digits and to their masks.
fn commit_digits(layout: Layout, events: &[MaskedEvent], blindings: [&Scalar; 2]) -> [RistrettoPoint; 2] {
    let (mut points, mut digits, mut masks) =
        (vec![bases().blinding], vec![*blindings[0]], vec![*blindings[1]]);
    for (at, event) in events.iter().enumerate() {
        for (place, digit) in event.digits.iter().enumerate() {
            let own = layout.bases(at, place);
            points.extend(own.g);
            digits.extend(&digit.sigma[1..]);
            masks.extend(&digit.mask[1..]);
            // Every entry's product, entry 0 too: without it a digit (-2, 1, 1, 1) would pass as one-hot, and one
            // bundle could hold 64 votes for a work (protocol notes, "why entry 0 matters").
            points.extend(own.h);
            digits.extend(digit.sigma.iter().zip(&digit.mask).map(|(s, a)| a * (Scalar::ONE - s - s)));
            masks.extend(digit.mask.iter().map(|a| -(a * a)));
        }
        let (sigma, mask) = &event.backed;
        points.extend(layout.backed_bases(at));
        digits.extend([*sigma, mask * (Scalar::ONE - sigma - sigma)]);
        masks.extend([*mask, -(mask * mask)]);
    }
    let commitments = [&digits, &masks].map(|scalars| RistrettoPoint::multiscalar_mul(scalars, &points));
    digits.zeroize();
    masks.zeroize();
    commitments
}

/// Makes the messages of a proof from a witness as it is. The result verifies only if the witness is honest.
pub fn prove_whatever_the_witness_says(
    context: &EpochContext,
    (envelope, token, receipts): (Envelope, BlindSignature, Vec<Receipt>),
    witness: RawWitness,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Bundle, ProveError> {
    let layout = Layout::of(context);
    let events: Vec<_> = witness.events.iter().map(|event| MaskedEvent::new(event, rng)).collect();
    let mut rows = row_polynomials(context, layout, &events);

    // Shares of the usage vector, and their ciphertexts.
    let usage = || rows.iter().map(|row| row[layout.degree()]).collect();
    let vector = Zeroizing::new(witness.vector.clone().unwrap_or_else(usage));
    let blinding = Zeroizing::new(Scalar::random(rng));
    let mut shares = Shares::split(&vector, &blinding, rng);
    let commitments = shares.commit(&context.works).map(WirePoint::from);
    if let Some(share) = witness.spoiled_share {
        shares.spoil(share);
    }
    let ephemerals = Ephemerals::generate(rng);
    let mut recipients = [RistrettoPoint::identity(); 3];
    for (recipient, party) in recipients.iter_mut().zip(PartyId::ALL) {
        *recipient = context.keys.committee.member(party).kem.decompress().ok_or(ProveError::Committee)?;
    }
    let mut sealed =
        SealedShares::seal(&shares, &ephemerals, &recipients, &context.sealing_context(&envelope), rng);
    for (own, foreign) in sealed.ephemerals.iter_mut().zip(&witness.foreign_ephemerals) {
        *own = foreign.unwrap_or(*own);
    }

    // First message.
    let blindings: [Zeroizing<Scalar>; 2] = std::array::from_fn(|_| Zeroizing::new(Scalar::random(rng)));
    let [digits, masks] = commit_digits(layout, &events, [&blindings[0], &blindings[1]]);
    let key_nonce = Zeroizing::new(Scalar::random(rng));
    let kem_nonces: [Zeroizing<Scalar>; 3] = std::array::from_fn(|_| Zeroizing::new(Scalar::random(rng)));
    let proof = Proof {
        digits: digits.into(),
        masks: masks.into(),
        key_mask: (*key_nonce * bases().key).into(),
        backed_mask: events.iter().map(|e| e.backed.1).sum::<Scalar>().into(),
        ephemeral_masks: std::array::from_fn(|i| (*kem_nonces[i] * bases().kem).into()),
        tag_mask: WirePoint::default(),
        coefficients: Vec::new(),
        responses: Vec::new(),
        digits_response: WireScalar::default(),
        key_response: WireScalar::default(),
        vector_response: WireScalar::default(),
        ephemeral_responses: Default::default(),
    };
    let tags = witness.tags.iter().map(|t| WirePoint::from(*t)).collect();
    let mut bundle = Bundle { envelope, token, receipts, commitments, sealed, tags, proof };
    let mut transcript = bundle.transcript(context);
    bundle.proof.append_first_message(&mut transcript);

    // Second message, after rho.
    let rho = transcript.rho();
    let tag_mask = |(e, weight): (&MaskedEvent, Scalar)| weight * (*key_nonce + lin(layout, &e.masks()));
    let tag_masks: Zeroizing<Vec<Scalar>> =
        Zeroizing::new(events.iter().zip(rho.powers()).map(tag_mask).collect());
    bundle.proof.tag_mask = RistrettoPoint::multiscalar_mul(tag_masks.iter(), &witness.tags).into();
    let gammas: Zeroizing<Vec<Scalar>> =
        Zeroizing::new((0..layout.degree()).map(|_| Scalar::random(rng)).collect());
    bundle.proof.coefficients = (0..layout.degree())
        .map(|k| {
            let scalars = rows.iter().map(|row| &row[k]).chain([&gammas[k]]);
            let points = context.works.points().iter().chain([&bases().blinding]);
            RistrettoPoint::multiscalar_mul(scalars, points).into()
        })
        .collect();
    rows.zeroize();
    bundle.proof.append_second_message(&mut transcript);

    // Responses, after x.
    let x = transcript.x().0;
    for event in &events {
        for digit in &event.digits {
            bundle.proof.responses.extend((1..4).map(|i| WireScalar(digit.sigma[i] * x + digit.mask[i])));
        }
        bundle.proof.responses.push(WireScalar(event.backed.0 * x + event.backed.1));
    }
    bundle.proof.digits_response = (x * *blindings[0] + *blindings[1]).into();
    bundle.proof.key_response = (x * witness.key + *key_nonce).into();
    let masked: Scalar = gammas.iter().zip(powers(x)).map(|(gamma, power)| gamma * power).sum();
    let top = powers(x).nth(layout.degree()).expect("powers never end");
    bundle.proof.vector_response = (top * *blinding + masked).into();
    bundle.proof.ephemeral_responses = std::array::from_fn(|i| (x * ephemerals.0[i] + *kem_nonces[i]).into());
    Ok(bundle)
}
