//! The verifier of a bundle: form, token, receipts, the range proof of the cap, and the equations of the proof.
//!
//! Everything a verifier sees is public to it, so all of it runs in variable time.

use crate::{
    blind::BlindError,
    bundle::{
        digits::{Entries, Layout, Weighing},
        equations::{Combination, Weights},
        statement::Published,
    },
    cap::equation::CapEquations,
    epoch::{EpochContext, TierRules},
    sharing::Accepted,
    token,
    transcript::BundleChallenge,
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::IsIdentity};
use primitives::field::{Plain, Residue, evaluate};
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
    /// The number of events is not a bundle size.
    #[error("{events} events are no bundle size, which is one of {sizes:?}", sizes = limits::BUNDLE_SIZES)]
    Size {
        /// Number of tags.
        events: usize,
    },
    /// The proof's vectors have other lengths than so many events take in this shard.
    #[error("the proof does not fit {events} events in a shard of {places} places")]
    Shape {
        /// Number of tags.
        events: usize,
        /// Places of the shard, a power of 4.
        places: usize,
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
    /// The range proof fails: with this bundle the subscriber's value would exceed the cap.
    #[error("nothing proves that the subscriber's value stays below the cap")]
    Cap,
    /// (a): the digits are not what was committed to.
    #[error("the digits are not what was committed to")]
    Digits,
    /// (b): the vector is not what was committed to.
    #[error("the usage vector is not what was committed to")]
    Vector,
    /// (f): a digit is not one-hot, or the vector or the value is not what the events amount to.
    #[error("a digit is not one-hot, or the vector or the value is not what the events amount to")]
    Amount,
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
    pub(super) bundle: &'a Published,
    pub(super) layout: Layout,
    /// Entries `f` of each event, entry 0 filled in.
    pub(super) events: Vec<Entries<Residue>>,
    pub(super) tags: Vec<RistrettoPoint>,
    pub(super) key: RistrettoPoint,
    pub(super) vector: RistrettoPoint,
    pub(super) masks: [RistrettoPoint; 3],
    pub(super) ephemerals: [RistrettoPoint; 3],
    pub(super) digits: RistrettoPoint,
    pub(super) digit_masks: RistrettoPoint,
    pub(super) key_mask: RistrettoPoint,
    pub(super) ephemeral_masks: [RistrettoPoint; 3],
    pub(super) value: RistrettoPoint,
    pub(super) tag_mask: RistrettoPoint,
    pub(super) coefficients: Vec<RistrettoPoint>,
    /// What the responses amount to at x, less `x^M <z, tau>`: the factor of B in (f).
    pub(super) amount: Residue,
    /// `tau^W`.
    pub(super) value_weight: Residue,
    pub(super) rho: Residue,
    pub(super) x: Residue,
    /// The range proof, if its bytes are one.
    pub(super) cap: Option<CapEquations>,
    challenge: BundleChallenge,
    /// `Cum` after this bundle.
    cum: RistrettoPoint,
}

/// A usable element, or which one is not.
fn element(what: &'static str, point: &WirePoint) -> Result<RistrettoPoint, BundleError> {
    point.decompress().ok_or(BundleError::NotAnElement { what })
}

/// Elements of which none is neutral.
fn nonzero(what: &'static str, point: &WirePoint) -> Result<RistrettoPoint, BundleError> {
    element(what, point)
        .and_then(|p| if p.is_identity() { Err(BundleError::NotAnElement { what }) } else { Ok(p) })
}

fn three(
    what: &'static str,
    points: &[WirePoint; 3],
    read: fn(&'static str, &WirePoint) -> Result<RistrettoPoint, BundleError>,
) -> Result<[RistrettoPoint; 3], BundleError> {
    Ok([read(what, &points[0])?, read(what, &points[1])?, read(what, &points[2])?])
}

/// Checks all that needs no equation, and draws the challenges.
pub(crate) fn prepare<'a>(
    context: &EpochContext,
    bundle: &'a Published,
) -> Result<Prepared<'a>, BundleError> {
    let layout = Layout::of(context);
    check_form(context, layout, bundle)?;
    let rules = check_signatures(context, bundle)?;

    let proof = &bundle.proof;
    let value = element("C_val", &proof.value)?;
    let cum = element("Cum", &bundle.previous)? + value;
    let mut transcript = bundle.transcript(context);
    proof.append_first_message(&mut transcript);
    let (rho, tau) = (transcript.rho(), transcript.tau());
    proof.append_second_message(&mut transcript);
    let challenge = transcript.x();

    let x = Residue::from(Plain::from(challenge.0));
    let tau = Residue::from(&tau.0);
    let weighing = Weighing::new(context, layout, tau);
    let events = layout.read(&proof.responses, x);
    let top = (0..layout.degree()).fold(Residue::ONE, |power, _| power * x);
    let shown = Residue::from(evaluate(&proof.vector_response, tau));
    let all = |what, points: &[WirePoint], read: fn(&'static str, &WirePoint) -> _| {
        points.iter().map(|p| read(what, p)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Prepared {
        layout,
        amount: weighing.amount(&events, &x) - top * shown,
        value_weight: weighing.value,
        events,
        tags: all("a tag", &bundle.tags, nonzero)?,
        // A neutral key would give every subscriber who uses it the same tags.
        key: nonzero("the key", &bundle.envelope.key)?,
        vector: element("S", &bundle.vector)?,
        masks: three("A", &bundle.masks, element)?,
        ephemerals: three("an ephemeral", &bundle.ephemerals, nonzero)?,
        digits: element("B'", &proof.digits)?,
        digit_masks: element("A'", &proof.digit_masks)?,
        key_mask: element("A_sk", &proof.key_mask)?,
        ephemeral_masks: three("A_E", &proof.ephemeral_masks, element)?,
        value,
        tag_mask: element("N", &proof.tag_mask)?,
        coefficients: all("D_k", &proof.coefficients, element)?,
        cap: CapEquations::read(rules.value_cap, cum, &proof.cap, &mut transcript),
        cum,
        bundle,
        rho: Residue::from(&rho.0),
        x,
        challenge,
    })
}

impl Prepared<'_> {
    /// (e) `sum_e f_{e,backed} = x (sum of receipt denominations) + alpha`: as many backed events as receipts pay for.
    /// It needs no group element, so it is checked by itself.
    pub(crate) fn backed_count_holds(&self) -> bool {
        let backed: Residue = self.events.iter().map(|entries| entries.backed).sum();
        backed == self.x * Residue::from(self.bundle.receipted_views()) + self.bundle.proof.backed_mask.into()
    }

    /// What the bundle leaves behind, if its equations hold.
    pub(crate) fn accepted(&self) -> Accepted {
        Accepted { challenge: self.challenge, vector: self.vector, masks: self.masks, spent: self.cum.into() }
    }
}

fn check_form(context: &EpochContext, layout: Layout, bundle: &Published) -> Result<(), BundleError> {
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
    if !limits::BUNDLE_SIZES.contains(&events) {
        return Err(BundleError::Size { events });
    }
    if !bundle.proof.has_shape(layout, events) {
        return Err(BundleError::Shape { events, places: layout.width() });
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

/// Checks token and receipts, and gives the rules of the tier.
fn check_signatures<'a>(context: &'a EpochContext, bundle: &Published) -> Result<&'a TierRules, BundleError> {
    let envelope = &bundle.envelope;
    let rules =
        context.keys.tiers.get(&envelope.tier).ok_or(BundleError::UnknownTier { tier: envelope.tier })?;
    let message = token::message(envelope.chain, envelope.epoch, envelope.tier, &envelope.key);
    token::verify(&rules.issuer, &message, &bundle.token).map_err(|_: BlindError| BundleError::Token)?;
    let Some(region) = envelope.region.0 else { return Ok(rules) };
    for (place, receipt) in bundle.receipts.iter().enumerate() {
        let signer = context.keys.regions.get(&(region, receipt.denomination));
        let signer = signer.ok_or(BundleError::UnknownRegion { region: envelope.region })?;
        let at = (envelope.chain, envelope.epoch, region);
        receipt.verify(signer, at, &envelope.key).map_err(|_| BundleError::Receipt { receipt: place })?;
    }
    Ok(rules)
}

/// Checks the equations of one bundle, each by itself: an order in which the first that fails says most.
pub(crate) fn find_broken_rule(context: &EpochContext, p: &Prepared<'_>) -> Result<Accepted, BundleError> {
    let holds = |weights: Weights| {
        let mut combination = Combination::new(context);
        combination.add(p, &weights);
        combination.holds(context)
    };
    let none = Weights::default;
    // Digits first: a proof whose challenges are not those of its statement fails there.
    if !holds(Weights { digits: 1, ..none() }) {
        return Err(BundleError::Digits);
    }
    if !p.backed_count_holds() {
        return Err(BundleError::BackedCount);
    }
    let rules = [
        (Weights { vector: 1, ..none() }, BundleError::Vector),
        (Weights { amount: 1, ..none() }, BundleError::Amount),
        (Weights { tags: 1, ..none() }, BundleError::Tags),
        (Weights { key: 1, ..none() }, BundleError::Key),
    ];
    for (weights, error) in rules {
        if !holds(weights) {
            return Err(error);
        }
    }
    for share in PartyId::ALL {
        let mut weights = none();
        weights.ephemerals[share.index()] = 1;
        if !holds(weights) {
            return Err(BundleError::Ephemeral { share });
        }
    }
    // (h) Its two equations say together that the range proof holds.
    let cap_holds =
        p.cap.is_some() && [[1, 0], [0, 1]].into_iter().all(|cap| holds(Weights { cap, ..none() }));
    if cap_holds { Ok(p.accepted()) } else { Err(BundleError::Cap) }
}
