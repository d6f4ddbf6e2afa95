//! The prover of a bundle: a subscriber's device.
//!
//! Whatever depends on a secret (which works, which views, the key, the masks) runs in constant time: digits are
//! compared and selected by `subtle`, products are by constant-time multi-scalar multiplication, field arithmetic has no
//! branches, and no table is indexed by a secret. The number of events and receipts is public. Three things are not
//! constant time. Checking and padding a device's own events, in `witness.rs`, happens before anything is sent. The range
//! proof's rounds multiply in variable time by vectors that are already hidden by its own masks, and could be shown.
//! And what is proved of a lie is an adversary's.

mod masked;

use crate::{
    blind::BlindSignature,
    bundle::{
        digits::{Layout, Polynomial, Weighing, lin},
        statement::{Bundle, Envelope, Proof, Published},
        witness::{self, EventWitness, ProveError, RawWitness},
    },
    cap::{self, CapProof, Spent},
    epoch::EpochContext,
    generators::bases,
    receipt::Receipt,
    sharing::{Masks, SealedShares, seal::Ephemerals},
    token::SubscriberKey,
    transcript::BundleChallenge,
    wire::WirePoint,
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{Identity, MultiscalarMul},
};
use masked::{Line, MaskedEvent, commit_digits, commit_events, counts, usage_vector};
use primitives::PartyId;
use primitives::field::{Plain, Residue, evaluate};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

/// What a device keeps to itself.
#[derive(Debug)]
pub struct Secrets<'a> {
    /// Key of the epoch.
    pub key: &'a SubscriberKey,
    /// What earlier bundles of the epoch were worth.
    pub spent: &'a Spent,
    /// Seeds and their commitments, made ahead of time and used once.
    pub masks: Masks,
}

impl<'a> Secrets<'a> {
    /// With masks made on the spot, for whoever did not make them ahead of time.
    pub fn with_fresh_masks(
        context: &EpochContext,
        key: &'a SubscriberKey,
        spent: &'a Spent,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        Self { key, spent, masks: Masks::prepare(&context.works, rng) }
    }
}

/// What a bundle says openly, with the signatures that let it.
pub type Open = (Envelope, BlindSignature, Vec<Receipt>);

/// Proves a bundle of `events`, already padded. The second result is what the subscriber has spent after it.
///
/// # Errors
/// If the events or receipts are not those of an honest device, or exceed the tier's cap.
pub fn prove(
    context: &EpochContext,
    secrets: Secrets<'_>,
    open: Open,
    events: &[EventWitness],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(Bundle, Spent), ProveError> {
    witness::check(context, events, &open.2)?;
    let witness = RawWitness::honest(context, secrets.key, events);
    let room = cap_of(context, &open.0)?.saturating_sub(secrets.spent.value());
    if witness.value > room {
        return Err(ProveError::Cap { value: witness.value, room });
    }
    let works: Zeroizing<Vec<_>> = Zeroizing::new(events.iter().map(|event| event.work.0).collect());
    make(context, secrets, open, (witness, Some(&works)), rng)
}

/// Makes the messages of a proof from a witness as it is. The result verifies only if the witness is honest.
///
/// # Errors
/// If the committee's keys are not group elements, or the epoch does not have the tier.
pub fn prove_whatever_the_witness_says(
    context: &EpochContext,
    secrets: Secrets<'_>,
    open: Open,
    witness: RawWitness,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(Bundle, Spent), ProveError> {
    make(context, secrets, open, (witness, None), rng)
}

fn cap_of(context: &EpochContext, envelope: &Envelope) -> Result<u64, ProveError> {
    let rules = context.keys.tiers.get(&envelope.tier);
    rules.map(|rules| rules.value_cap).ok_or(ProveError::UnknownTier { tier: envelope.tier })
}

/// A fresh secret scalar.
fn secret(rng: &mut (impl RngCore + CryptoRng)) -> Zeroizing<Scalar> {
    Zeroizing::new(Scalar::random(rng))
}

/// The ephemerals and the seeds, sealed to the committee; spoiled and under foreign ephemerals, if the witness lies so.
fn seal(
    context: &EpochContext,
    envelope: &Envelope,
    (witness, masks): (&RawWitness, &Masks),
    ephemerals: &Ephemerals,
) -> Result<([WirePoint; 3], SealedShares), ProveError> {
    let mut recipients = [RistrettoPoint::identity(); 3];
    for (recipient, party) in recipients.iter_mut().zip(PartyId::ALL) {
        *recipient = context.keys.committee.member(party).kem.decompress().ok_or(ProveError::Committee)?;
    }
    let mut seeds = masks.seeds.clone();
    if let Some(share) = witness.spoiled_share {
        seeds[share.index()].0[0] ^= 1;
    }
    let (mut shown, mut sealed) =
        SealedShares::seal(&seeds, ephemerals, &recipients, &context.sealing_context(envelope));
    for (own, foreign) in shown.iter_mut().zip(&witness.foreign_ephemerals) {
        *own = foreign.unwrap_or(*own);
    }
    if let Some((share, holder)) = witness.unreadable {
        sealed.garble(share, holder);
    }
    Ok((shown, sealed))
}

/// Makes the messages of a proof. The works of the events are given if the witness is honest: its digits are bits then,
/// and its vector has few entries, which saves most of two multiplications.
fn make(
    context: &EpochContext,
    Secrets { spent, masks, .. }: Secrets<'_>,
    (envelope, token, receipts): Open,
    (witness, works): (RawWitness, Option<&[u16]>),
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(Bundle, Spent), ProveError> {
    let layout = Layout::of(context);
    let cap = cap_of(context, &envelope)?;
    let events: Vec<_> = witness.events.iter().map(|event| MaskedEvent::new(event, rng)).collect();

    // The usage vector and its commitment.
    let counts = counts(context, layout, &events);
    let vector = match &witness.vector {
        Some(vector) => Zeroizing::new(vector.iter().map(Residue::from).collect()),
        None => usage_vector(layout, &events, &counts),
    };
    let scalars = |residues: &[Residue]| -> Zeroizing<Vec<Scalar>> {
        Zeroizing::new(residues.iter().map(|residue| (*residue).into()).collect())
    };
    let blinding = secret(rng);
    let commitment = match works {
        Some(works) => commit_events(context, (works, &scalars(&counts)), &blinding),
        None => context.works.commit(&scalars(&vector), &blinding),
    };
    let ephemerals = Ephemerals::generate(rng);
    let (shown_ephemerals, sealed) = seal(context, &envelope, (&witness, &masks), &ephemerals)?;

    // First message.
    let blindings = [secret(rng), secret(rng)];
    let [digits, digit_masks] =
        commit_digits(layout, &events, (works.is_some(), [&blindings[0], &blindings[1]]));
    let key_nonce = secret(rng);
    let kem_nonces = [secret(rng), secret(rng), secret(rng)];
    let value_blinding = secret(rng);
    let after = spent.plus(witness.value, &value_blinding);
    let proof = Proof {
        digits: digits.into(),
        digit_masks: digit_masks.into(),
        key_mask: (*key_nonce * bases().key).into(),
        backed_mask: events.iter().map(|e| e.backed.mask).sum::<Residue>().into(),
        ephemeral_masks: std::array::from_fn(|i| (*kem_nonces[i] * bases().kem).into()),
        value: cap::commit(&Scalar::from(witness.value), &value_blinding).into(),
        cap: CapProof { bytes: [0; cap::CAP_PROOF_BYTES] },
        tag_mask: WirePoint::default(),
        coefficients: Vec::new(),
        responses: Vec::new(),
        vector_response: Vec::new(),
        digits_response: Plain::default(),
        key_response: Plain::default(),
        blinding_response: Plain::default(),
        coefficient_response: Plain::default(),
        ephemeral_responses: Default::default(),
    };
    let tags = witness.tags.iter().map(|t| WirePoint::from(*t)).collect();
    let (previous, shown_masks) = (spent.commitment(), masks.commitments.map(WirePoint::from));
    let mut bundle = Published {
        envelope,
        token,
        receipts,
        previous,
        vector: commitment.into(),
        masks: shown_masks,
        ephemerals: shown_ephemerals,
        sealed_digest: sealed.digest(),
        tags,
        proof,
    };
    let mut transcript = bundle.transcript(context);
    bundle.proof.append_first_message(&mut transcript);

    // Second message, after rho and tau.
    let (rho, tau) = (transcript.rho(), transcript.tau());
    let nonce = Residue::from(&*key_nonce);
    let tag_mask = |(event, weight): (&MaskedEvent, Residue)| {
        let masks = Zeroizing::new(event.entries(|line| line.mask));
        Scalar::from(weight * (nonce + lin(layout, &masks.digits)))
    };
    let powers = Residue::from(&rho.0).powers();
    let tag_masks: Zeroizing<Vec<Scalar>> = Zeroizing::new(events.iter().zip(powers).map(tag_mask).collect());
    bundle.proof.tag_mask = RistrettoPoint::multiscalar_mul(tag_masks.iter(), &witness.tags).into();

    let tau = Residue::from(&tau.0);
    let weighing = Weighing::new(context, layout, tau);
    let (summed_masks, summed_blinding) = masks.sum(layout.width());
    let amount = {
        let lines: Vec<_> = events.iter().map(|event| event.entries(Line::polynomial)).collect();
        weighing.amount(&lines, &Polynomial(vec![Residue::ZERO, Residue::ONE]))
    };
    // D_k, k < M, and D_(M+1), which holds -<r, tau>.
    let top = -Residue::from(evaluate(&summed_masks, tau));
    let coefficients = amount.0[..layout.degree()].iter().copied().chain([top]);
    let deltas: Zeroizing<Vec<Scalar>> =
        Zeroizing::new((0..layout.coefficients()).map(|_| Scalar::random(rng)).collect());
    bundle.proof.coefficients =
        coefficients.zip(deltas.iter()).map(|(d, delta)| cap::commit(&d.into(), delta).into()).collect();
    bundle.proof.append_second_message(&mut transcript);

    let nonces = Nonces {
        digits: blindings,
        key: key_nonce,
        vector: blinding,
        masks: (summed_masks, summed_blinding),
        kem: kem_nonces,
        deltas,
        value: (value_blinding, weighing.value),
    };
    nonces.respond(&mut bundle.proof, (&witness, &events, &vector, &ephemerals), transcript.x());
    let room = witness.room.unwrap_or(cap.wrapping_sub(after.value()));
    bundle.proof.cap = after.prove(room, &mut transcript, rng);
    Ok((Bundle::new(bundle, sealed), after))
}

/// What the responses hide their secrets by.
struct Nonces {
    digits: [Zeroizing<Scalar>; 2],
    key: Zeroizing<Scalar>,
    vector: Zeroizing<Scalar>,
    masks: (Zeroizing<Vec<Plain>>, Plain),
    kem: [Zeroizing<Scalar>; 3],
    deltas: Zeroizing<Vec<Scalar>>,
    /// Blinding factor of `C_val`, and `tau^W`.
    value: (Zeroizing<Scalar>, Residue),
}

impl Nonces {
    /// Fills in the responses, after x.
    fn respond(
        &self,
        proof: &mut Proof,
        (witness, events, vector, ephemerals): (&RawWitness, &[MaskedEvent], &[Residue], &Ephemerals),
        challenge: BundleChallenge,
    ) {
        let scalar = challenge.scalar();
        let x = Residue::from(&scalar);
        let lines = events.iter().flat_map(MaskedEvent::committed);
        proof.responses = lines.map(|line| (line.sigma * x + line.mask).into()).collect();
        let (masks, mask_blinding) = &self.masks;
        let shown = |(u, r): (&Residue, &Plain)| Plain::from(*u) + *r * x;
        proof.vector_response = vector.iter().zip(masks.iter()).map(shown).collect();
        proof.blinding_response = Plain::from(&*self.vector) + *mask_blinding * x;
        proof.digits_response = Plain::from(&(scalar * *self.digits[0] + *self.digits[1]));
        proof.key_response = Plain::from(&(scalar * witness.key + *self.key));
        let (last, below) = self.deltas.split_last().expect("there are coefficients");
        let (mut power, mut sum) = (Residue::ONE, Residue::ZERO);
        for delta in below {
            sum += power * Residue::from(delta);
            power = power * x;
        }
        sum += power * (self.value.1 * Residue::from(&*self.value.0) + x * Residue::from(last));
        proof.coefficient_response = sum.into();
        let respond = |i: usize| Plain::from(&(scalar * ephemerals.0[i] + *self.kem[i]));
        proof.ephemeral_responses = std::array::from_fn(respond);
    }
}
