//! The verifier of a bundle: form, token, receipts, and the six equations of the proof.
//!
//! Everything a verifier sees is public to it, so all of it runs in variable time.

use crate::{
    blind::BlindError,
    bundle::{
        digits::Layout,
        equations::{Combination, Weights},
        statement::Bundle,
    },
    epoch::EpochContext,
    token,
    transcript::{BundleChallenge, Rho},
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::IsIdentity};
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
    pub(super) bundle: &'a Bundle,
    pub(super) layout: Layout,
    /// Entries `f` of each event's digits, entry 0 filled in, and the backed entry.
    pub(super) events: Vec<(Vec<[Scalar; 4]>, Scalar)>,
    pub(super) tags: Vec<RistrettoPoint>,
    pub(super) key: RistrettoPoint,
    pub(super) commitments: RistrettoPoint,
    pub(super) ephemerals: Vec<RistrettoPoint>,
    pub(super) digits: RistrettoPoint,
    pub(super) masks: RistrettoPoint,
    pub(super) key_mask: RistrettoPoint,
    pub(super) ephemeral_masks: Vec<RistrettoPoint>,
    pub(super) tag_mask: RistrettoPoint,
    pub(super) coefficients: Vec<RistrettoPoint>,
    pub(super) rho: Rho,
    pub(super) x: BundleChallenge,
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
