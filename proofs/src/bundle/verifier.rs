//! The verifier of a bundle: form, token, receipts, and the six equations of the proof.
//!
//! Everything a verifier sees is public to it, so all of it runs in variable time.

use crate::{
    blind::BlindError,
    bundle::{
        digits::{Layout, limb_units, lin, tensor},
        statement::Bundle,
    },
    epoch::EpochContext,
    generators::{VIEW_DIGITS, bases},
    token,
    transcript::{BundleChallenge, Rho},
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use primitives::{PartyId, limits};
use std::collections::BTreeSet;
use thiserror::Error;

/// Which rule a bundle breaks (spec 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It names another chain, epoch or shard.
    #[error("the bundle is for another chain, epoch or shard")]
    OtherContext,
    /// It names a window that the epoch does not have.
    #[error("window {window} is not below {limit}", limit = limits::WINDOWS)]
    Window {
        /// The window.
        window: u16,
    },
    /// Its tier has no issuer in this epoch.
    #[error("tier {tier} has no token issuer in this epoch")]
    UnknownTier {
        /// The tier.
        tier: primitives::Tier,
    },
    /// Its region has no receipt signer of such a denomination in this epoch.
    #[error("region {region} has no receipt signer of this denomination in this epoch")]
    UnknownRegion {
        /// The region tag.
        region: primitives::RegionTag,
    },
    /// The number of events is not a bundle size, or the proof's vectors do not fit it.
    #[error("{events} events are no bundle size, or the proof does not fit them")]
    Shape {
        /// Number of tags.
        events: usize,
    },
    /// Bytes that should name a group element do not.
    #[error("{what} is not a usable group element")]
    NotAnElement {
        /// Which element.
        what: &'static str,
    },
    /// The same tag twice in one bundle: an event is counted twice.
    #[error("event {event} has the tag of an earlier event")]
    RepeatedTag {
        /// Place of the second.
        event: usize,
    },
    /// The token is not valid for the key, tier and epoch.
    #[error("the subscription token does not verify")]
    Token,
    /// A receipt is not valid for the key, region and epoch.
    #[error("receipt {receipt} does not verify")]
    Receipt {
        /// Its place.
        receipt: usize,
    },
    /// The same receipt twice in one bundle.
    #[error("receipt {receipt} is there twice")]
    RepeatedReceipt {
        /// Place of the second.
        receipt: usize,
    },
    /// Receipts without a region, or a region without receipts.
    #[error("receipts and region tag do not go together")]
    RegionTag,
    /// (e): another number of events is backed than receipts pay for.
    #[error("the number of backed events is not what the receipts stand for")]
    BackedCount,
    /// (a): a digit is not one-hot, or not what was committed to.
    #[error("digits are not one-hot")]
    Digits,
    /// (b): the commitments do not hold exactly the events.
    #[error("the share commitments do not hold the events")]
    Vector,
    /// (c): a tag is not that of its event under the key.
    #[error("a tag is not that of its event")]
    Tags,
    /// (d): the key's secret is not known.
    #[error("the key's secret is not known to the prover")]
    Key,
    /// (g): an ephemeral's exponent is not known.
    #[error("the exponent of the ephemeral of share {share} is not known to the prover")]
    Ephemeral {
        /// Which share.
        share: PartyId,
    },
}

/// A bundle that has passed every check but the equations, with its elements decompressed and its challenges drawn.
pub(crate) struct Prepared<'a> {
    bundle: &'a Bundle,
    layout: Layout,
    /// Entries `f` of each event's digits, entry 0 filled in, and the backed entry.
    events: Vec<(Vec<[Scalar; 4]>, Scalar)>,
    tags: Vec<RistrettoPoint>,
    key: RistrettoPoint,
    commitments: RistrettoPoint,
    ephemerals: Vec<RistrettoPoint>,
    digits: RistrettoPoint,
    masks: RistrettoPoint,
    key_mask: RistrettoPoint,
    ephemeral_masks: Vec<RistrettoPoint>,
    tag_mask: RistrettoPoint,
    coefficients: Vec<RistrettoPoint>,
    rho: Rho,
    x: BundleChallenge,
}

/// Checks all that needs no equation, and draws the challenges.
pub(crate) fn prepare<'a>(context: &EpochContext, bundle: &'a Bundle) -> Result<Prepared<'a>, BundleError> {
    let layout = Layout::of(context);
    check_form(context, layout, bundle)?;
    check_signatures(context, bundle)?;

    let proof = &bundle.proof;
    let one = |what: &'static str, p: &WirePoint| p.decompress().ok_or(BundleError::NotAnElement { what });
    let all =
        |what: &'static str, ps: &[WirePoint]| ps.iter().map(|p| one(what, p)).collect::<Result<Vec<_>, _>>();
    let nonzero = |what: &'static str, ps: &[WirePoint]| {
        let points = all(what, ps)?;
        if points.iter().any(IsIdentity::is_identity) {
            Err(BundleError::NotAnElement { what })
        } else {
            Ok(points)
        }
    };
    let mut transcript = bundle.transcript(context);
    proof.append_first_message(&mut transcript);
    let rho = transcript.rho();
    proof.append_second_message(&mut transcript);
    let x = transcript.x();
    Ok(Prepared {
        layout,
        events: read_responses(bundle, layout, &x.0),
        tags: nonzero("a tag", &bundle.tags)?,
        // A neutral key would give every subscriber who uses it the same tags.
        key: nonzero("the key", &[bundle.envelope.key])?[0],
        commitments: all("a share commitment", &bundle.commitments)?.iter().sum(),
        ephemerals: nonzero("an ephemeral", &bundle.sealed.ephemerals)?,
        digits: one("B'", &proof.digits)?,
        masks: one("A'", &proof.masks)?,
        key_mask: one("A_sk", &proof.key_mask)?,
        ephemeral_masks: all("A_E", &proof.ephemeral_masks)?,
        tag_mask: one("N", &proof.tag_mask)?,
        coefficients: all("Q_k", &proof.coefficients)?,
        bundle,
        rho,
        x,
    })
}

impl Prepared<'_> {
    /// (e) `sum_e f_{e,backed} = x (sum of receipt denominations) + alpha`: as many backed events as receipts pay for.
    /// It needs no group element, so it is checked by itself.
    pub(crate) fn backed_count_holds(&self) -> bool {
        let backed: Scalar = self.events.iter().map(|(_, backed)| backed).sum();
        backed == self.x.0 * Scalar::from(self.bundle.receipted_views()) + self.bundle.proof.backed_mask.0
    }
}

fn check_form(context: &EpochContext, layout: Layout, bundle: &Bundle) -> Result<(), BundleError> {
    let envelope = &bundle.envelope;
    // "All events belong to this epoch" (spec 5.2), and to this shard of this chain.
    if (envelope.chain, envelope.epoch, envelope.shard)
        != (context.chain, context.epoch, context.shard.index())
    {
        return Err(BundleError::OtherContext);
    }
    if envelope.window >= limits::WINDOWS {
        return Err(BundleError::Window { window: envelope.window });
    }
    let events = bundle.tags.len();
    if !limits::BUNDLE_SIZES.contains(&events) || !bundle.proof.has_shape(layout, events) {
        return Err(BundleError::Shape { events });
    }
    // "No event is double-counted" (spec 5.2): the equations alone accept a repeated event.
    let mut seen = BTreeSet::new();
    if let Some(event) = bundle.tags.iter().position(|tag| !seen.insert(tag)) {
        return Err(BundleError::RepeatedTag { event });
    }
    let mut serials = BTreeSet::new();
    if let Some(receipt) = bundle.receipts.iter().position(|r| !serials.insert(r.serial)) {
        return Err(BundleError::RepeatedReceipt { receipt });
    }
    if bundle.receipts.is_empty() == envelope.region.0.is_some() {
        return Err(BundleError::RegionTag);
    }
    Ok(())
}

fn check_signatures(context: &EpochContext, bundle: &Bundle) -> Result<(), BundleError> {
    let envelope = &bundle.envelope;
    let issuer =
        context.keys.tiers.get(&envelope.tier).ok_or(BundleError::UnknownTier { tier: envelope.tier })?;
    let message = token::message(envelope.chain, envelope.epoch, envelope.tier, &envelope.key);
    token::verify(issuer, &message, &bundle.token).map_err(|_: BlindError| BundleError::Token)?;
    let Some(region) = envelope.region.0 else { return Ok(()) };
    for (place, receipt) in bundle.receipts.iter().enumerate() {
        let signer = context.keys.regions.get(&(region, receipt.denomination));
        let signer = signer.ok_or(BundleError::UnknownRegion { region: envelope.region })?;
        let at = (envelope.chain, envelope.epoch, region);
        receipt.verify(signer, at, &envelope.key).map_err(|_| BundleError::Receipt { receipt: place })?;
    }
    Ok(())
}

/// Splits the flat responses into events and fills in entry 0, `x - f_1 - f_2 - f_3`.
fn read_responses(bundle: &Bundle, layout: Layout, x: &Scalar) -> Vec<(Vec<[Scalar; 4]>, Scalar)> {
    let event = |flat: &[WireScalar]| {
        let (digits, backed) = flat.split_at(3 * layout.digits());
        let digit = |f: &[WireScalar]| [x - f[0].0 - f[1].0 - f[2].0, f[0].0, f[1].0, f[2].0];
        (digits.chunks_exact(3).map(digit).collect(), backed[0].0)
    };
    bundle.proof.responses.chunks_exact(layout.responses()).map(event).collect()
}

/// What each equation is multiplied by in a random linear combination.
pub(crate) struct Weights {
    pub digits: Scalar,
    pub vector: Scalar,
    pub tags: Scalar,
    pub key: Scalar,
    pub ephemerals: [Scalar; 3],
}

impl Weights {
    fn none() -> Self {
        let zero = Scalar::ZERO;
        Self { digits: zero, vector: zero, tags: zero, key: zero, ephemerals: [zero; 3] }
    }
}

/// A sum of weighted equations, `sum scalar * base`, which is zero if all of them hold.
pub(crate) struct Combination {
    works: Vec<Scalar>,
    /// For each event place, the factors of its bases in the order of [`Combination::digit_points`].
    digits: Vec<Vec<Scalar>>,
    blinding: Scalar,
    key: Scalar,
    kem: Scalar,
    tag_base: Scalar,
    own: Vec<(Scalar, RistrettoPoint)>,
}

impl Combination {
    pub(crate) fn new(context: &EpochContext) -> Self {
        let zero = Scalar::ZERO;
        let works = vec![zero; context.shard.width()];
        Self {
            works,
            digits: Vec::new(),
            blinding: zero,
            key: zero,
            kem: zero,
            tag_base: zero,
            own: Vec::new(),
        }
    }

    /// Adds another combination.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        let add = |into: &mut [Scalar], from: &[Scalar]| into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        add(&mut self.works, &other.works);
        for (at, row) in other.digits.into_iter().enumerate() {
            match self.digits.get_mut(at) {
                Some(own) => add(own, &row),
                None => self.digits.push(row),
            }
        }
        self.blinding += other.blinding;
        self.key += other.key;
        self.kem += other.kem;
        self.tag_base += other.tag_base;
        self.own.extend(other.own);
        self
    }

    /// Adds a bundle's equations (a) to (d) and (g), each times its weight.
    pub(crate) fn add(&mut self, context: &EpochContext, p: &Prepared<'_>, weights: &Weights) {
        self.add_digits(p, &weights.digits);
        self.add_vector(context, p, &weights.vector);
        self.add_tags(p, &weights.tags);
        let (x, proof) = (p.x.0, &p.bundle.proof);
        // (d) x Y + A_sk = z_s B
        self.own.extend([(weights.key * x, p.key), (weights.key, p.key_mask)]);
        self.key -= weights.key * proof.key_response.0;
        // (g) x E_i + A_{E,i} = z_{E,i} B_kem
        for (i, weight) in weights.ephemerals.iter().enumerate() {
            self.own.extend([(weight * x, p.ephemerals[i]), (*weight, p.ephemeral_masks[i])]);
            self.kem -= weight * proof.ephemeral_responses[i].0;
        }
    }

    /// (a) `x B' + A' = <f, g> + <f (x - f), h> + z_B H`: digits are 0/1 and one-hot.
    fn add_digits(&mut self, p: &Prepared<'_>, weight: &Scalar) {
        let x = p.x.0;
        self.own.extend([(weight * x, p.digits), (*weight, p.masks)]);
        self.blinding -= weight * p.bundle.proof.digits_response.0;
        let per_event = 7 * p.layout.digits() + 2;
        if self.digits.len() < p.events.len() {
            self.digits.resize(p.events.len(), vec![Scalar::ZERO; per_event]);
        }
        for ((digits, backed), row) in p.events.iter().zip(&mut self.digits) {
            let products = |f: &Scalar| f * (x - f);
            let factors =
                digits.iter().flat_map(|d| [d[1], d[2], d[3]].into_iter().chain(d.each_ref().map(products)));
            for (into, factor) in row.iter_mut().zip(factors.chain([*backed, products(backed)])) {
                *into -= weight * factor;
            }
        }
    }

    /// (b) `x^M S + sum_k x^k Q_k = sum_w [sum_e p_{e,w}(x) v_e(x)] G_w + z_S H`: S holds exactly the events.
    fn add_vector(&mut self, context: &EpochContext, p: &Prepared<'_>, weight: &Scalar) {
        let x = p.x.0;
        self.blinding -= weight * p.bundle.proof.vector_response.0;
        let mut power = *weight;
        for coefficient in &p.coefficients {
            self.own.push((power, *coefficient));
            power *= x;
        }
        self.own.push((power, p.commitments));
        // The row of products over all works is an outer product of its two halves.
        let half = p.layout.work_digits() / 2;
        for (digits, backed) in &p.events {
            let low = tensor(Scalar::ONE, &digits[..half]);
            let count = evaluate_count(context, p.layout, digits, backed, &x);
            let high = tensor(-(weight * count), &digits[half..p.layout.work_digits()]);
            for (row, h) in self.works.chunks_exact_mut(low.len()).zip(&high) {
                row.iter_mut().zip(&low).for_each(|(into, l)| *into += h * l);
            }
        }
    }

    /// (c) `sum_e rho^e (z_s + lin(f_e)) T_e - x (sum_e rho^e) Q = N`: every tag is `(sk + m_e)^-1 Q`.
    fn add_tags(&mut self, p: &Prepared<'_>, weight: &Scalar) {
        for (((digits, _), tag), power) in p.events.iter().zip(&p.tags).zip(p.rho.powers()) {
            let scaled = weight * power;
            self.own.push((scaled * (p.bundle.proof.key_response.0 + lin(p.layout, digits)), *tag));
            self.tag_base -= scaled * p.x.0;
        }
        self.own.push((-weight, p.tag_mask));
    }

    /// Bases of the event at place `at`, in the order in which its factors are kept.
    fn digit_points(layout: Layout, at: usize) -> impl Iterator<Item = RistrettoPoint> {
        let digits = (0..layout.digits())
            .flat_map(move |d| layout.bases(at, d).g.into_iter().chain(layout.bases(at, d).h));
        digits.chain(*layout.backed_bases(at))
    }

    /// Whether the sum is zero: one multi-scalar multiplication.
    pub(crate) fn holds(&self, context: &EpochContext) -> bool {
        let layout = Layout::of(context);
        let fixed = [
            (self.blinding, bases().blinding),
            (self.key, bases().key),
            (self.kem, bases().kem),
            (self.tag_base, context.tag_base),
        ];
        let digit_points = (0..self.digits.len()).flat_map(|at| Self::digit_points(layout, at));
        let scalars = self.works.iter().chain(self.digits.iter().flatten()).copied();
        let points = context.works.points().iter().copied().chain(digit_points);
        let pairs = fixed.iter().chain(&self.own);
        let scalars = scalars.chain(pairs.clone().map(|(s, _)| *s));
        let points = points.chain(pairs.map(|(_, p)| *p));
        let (scalars, points): (Vec<_>, Vec<_>) = (scalars.collect(), points.collect());
        RistrettoPoint::vartime_multiscalar_mul(&scalars, &points).is_identity()
    }
}

/// `v_e(x)` from the responses.
fn evaluate_count(
    context: &EpochContext,
    layout: Layout,
    digits: &[[Scalar; 4]],
    backed: &Scalar,
    x: &Scalar,
) -> Scalar {
    let views = tensor(Scalar::ONE, &digits[layout.work_digits()..layout.work_digits() + VIEW_DIGITS]);
    let counted = &views[..usize::from(context.params.j_max)];
    let any: Scalar = counted.iter().sum();
    let valued: Scalar = counted.iter().zip(&context.view_values).map(|(p, value)| p * value).sum();
    let fraction: Scalar =
        digits[layout.fraction()].iter().zip(1u64..).map(|(f, i)| f * Scalar::from(i)).sum();
    let units = limb_units();
    units.listener * x * views[0] + units.backed * backed * any + units.view * x * any + fraction * valued
}

/// Checks one bundle and names the rule that it breaks.
pub fn verify(context: &EpochContext, bundle: &Bundle) -> Result<(), BundleError> {
    find_broken_rule(context, &prepare(context, bundle)?)
}

/// Checks the equations of one bundle, each by itself.
pub(crate) fn find_broken_rule(context: &EpochContext, p: &Prepared<'_>) -> Result<(), BundleError> {
    let holds = |weights: Weights| {
        let mut combination = Combination::new(context);
        combination.add(context, p, &weights);
        combination.holds(context)
    };
    let one = Scalar::ONE;
    // Digits first: a proof whose challenges are not those of its statement fails there.
    if !holds(Weights { digits: one, ..Weights::none() }) {
        return Err(BundleError::Digits);
    }
    if !p.backed_count_holds() {
        return Err(BundleError::BackedCount);
    }
    let rules = [
        (Weights { vector: one, ..Weights::none() }, BundleError::Vector),
        (Weights { tags: one, ..Weights::none() }, BundleError::Tags),
        (Weights { key: one, ..Weights::none() }, BundleError::Key),
    ];
    for (weights, error) in rules {
        if !holds(weights) {
            return Err(error);
        }
    }
    for share in PartyId::ALL {
        let mut weights = Weights::none();
        weights.ephemerals[share.index()] = one;
        if !holds(weights) {
            return Err(BundleError::Ephemeral { share });
        }
    }
    Ok(())
}
