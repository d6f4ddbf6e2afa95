//! What a device knows of its events, and how that becomes digits.

use crate::{
    bundle::digits::{Layout, lin},
    epoch::EpochContext,
    generators::VIEW_DIGITS,
    receipt::Receipt,
    token::SubscriberKey,
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::field::Residue;
use primitives::{PartyId, WorkIndex, limits};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeSet;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;
use zeroize::Zeroize;

/// One event, as the device knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct EventWitness {
    /// The work's index in the shard.
    pub work: WorkIndex,
    /// View index j, from 0.
    pub view: u16,
    /// Played fraction in quarters, 1 to 4.
    pub quarters: u8,
    /// Whether a receipt backs it.
    pub backed: bool,
}

impl Zeroize for EventWitness {
    fn zeroize(&mut self) {
        let Self { work, view, quarters, backed } = self;
        work.0.zeroize();
        view.zeroize();
        quarters.zeroize();
        backed.zeroize();
    }
}

/// Why no bundle can be made of what was given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProveError {
    /// More events than the largest bundle holds.
    #[error("{count} events are more than a bundle holds ({limit})", limit = limits::BUNDLE_SIZES[2])]
    TooManyEvents {
        /// Events given.
        count: usize,
    },
    /// An event whose work, view or fraction is outside its range.
    #[error("event {event} is outside the shard, the view indices or the fractions")]
    OutOfRange {
        /// Place of the event.
        event: usize,
    },
    /// The same view of the same work twice.
    #[error("event {event} repeats an earlier one")]
    Repeated {
        /// Place of the second.
        event: usize,
    },
    /// Receipts stand for another number of views than the events that are backed.
    #[error("{backed} events are backed and the receipts stand for {receipted} views")]
    Receipts {
        /// Backed events.
        backed: u64,
        /// Views of the receipts.
        receipted: u64,
    },
    /// The subscriber's value would exceed the tier's cap.
    #[error("the value of these events is {value}, and {room} is left of the cap (in 2^-18 views)")]
    Cap {
        /// Value of the events.
        value: u64,
        /// What is left of the cap.
        room: u64,
    },
    /// The tier is not one of the epoch.
    #[error("the epoch has no tier {tier}")]
    UnknownTier {
        /// The tier.
        tier: primitives::Tier,
    },
    /// No unused padding event is left in this epoch.
    #[error("no unused padding event is left")]
    NoPadding,
    /// A sealing key of the committee is not a group element.
    #[error("the committee's sealing keys are unusable")]
    Committee,
}

impl std::fmt::Debug for EventWitness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventWitness(..)")
    }
}

/// Fills `events` up to a bundle size with events that count nothing: a view index from `J_max` on. `used` holds the
/// padding of this subscriber's earlier bundles of the epoch, whose tags must not recur.
pub fn pad(
    context: &EpochContext,
    events: &mut Vec<EventWitness>,
    used: &mut BTreeSet<(WorkIndex, u16)>,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(), ProveError> {
    let size = limits::BUNDLE_SIZES.into_iter().find(|size| *size >= events.len());
    let size = size.ok_or(ProveError::TooManyEvents { count: events.len() })?;
    let (width, first) = (context.shard.width() as u64, u64::from(context.params.j_max));
    let views = u64::from(limits::VIEW_INDICES) - first;
    if (used.len() + size - events.len()) as u64 > width * views {
        return Err(ProveError::NoPadding);
    }
    while events.len() < size {
        // A slight bias is harmless: padding hides nothing by its own distribution, only by its tag.
        let drawn = rng.next_u64() % (width * views);
        let (work, view) = (WorkIndex((drawn / views) as u16), (first + drawn % views) as u16);
        if used.insert((work, view)) {
            events.push(EventWitness { work, view, quarters: 1, backed: false });
        }
    }
    Ok(())
}

/// Checks that an honest proof can be made of `events` and `receipts`.
pub(super) fn check(
    context: &EpochContext,
    events: &[EventWitness],
    receipts: &[Receipt],
) -> Result<(), ProveError> {
    if !limits::BUNDLE_SIZES.contains(&events.len()) {
        return Err(ProveError::TooManyEvents { count: events.len() });
    }
    let mut seen = BTreeSet::new();
    for (at, event) in events.iter().enumerate() {
        let inside = usize::from(event.work.0) < context.shard.width() && event.view < limits::VIEW_INDICES;
        if !inside || !(1..=limits::MAX_QUARTERS).contains(&event.quarters) {
            return Err(ProveError::OutOfRange { event: at });
        }
        if !seen.insert((event.work, event.view)) {
            return Err(ProveError::Repeated { event: at });
        }
    }
    let backed = events.iter().map(|e| u64::from(e.backed)).sum();
    let receipted = receipts.iter().map(|r| u64::from(r.denomination.views())).sum();
    if backed == receipted { Ok(()) } else { Err(ProveError::Receipts { backed, receipted }) }
}

/// What the events are worth to the cap, in 2^-18 views.
pub fn value(context: &EpochContext, events: &[EventWitness]) -> u64 {
    events.iter().map(|e| context.params.event_value(e.view, e.quarters)).sum()
}

/// What the proof is made from, digit by digit. An honest device fills it by [`RawWitness::honest`]; tests and the
/// simulator's adversaries fill it with lies, to see them refused.
#[derive(Clone)]
pub struct RawWitness {
    /// `sk`.
    pub key: Scalar,
    /// For each event, the entries of its digits and the backed entry.
    pub events: Vec<(Vec<[Scalar; 4]>, Scalar)>,
    /// Tags, one an event.
    pub tags: Vec<RistrettoPoint>,
    /// The usage vector; `None` takes what the digits amount to.
    pub vector: Option<Vec<Scalar>>,
    /// What the bundle says it is worth.
    pub value: u64,
    /// What the range proof says is left of the cap; `None` says the truth.
    pub room: Option<u64>,
    /// Ephemerals to show in place of one's own; a thief does not know their exponents.
    pub foreign_ephemerals: [Option<WirePoint>; 3],
    /// A share to seal wrongly: what its holders read does not open its commitment.
    pub spoiled_share: Option<PartyId>,
    /// A share, and the one of its two holders that cannot read it.
    pub unreadable: Option<(PartyId, PartyId)>,
}

impl Drop for RawWitness {
    fn drop(&mut self) {
        self.key.zeroize();
        for (digits, backed) in &mut self.events {
            digits.iter_mut().for_each(Zeroize::zeroize);
            backed.zeroize();
        }
        self.vector.zeroize();
        self.value.zeroize();
    }
}

impl RawWitness {
    /// One-hot digits and right tags of `events`.
    pub fn honest(context: &EpochContext, key: &SubscriberKey, events: &[EventWitness]) -> Self {
        let layout = Layout::of(context);
        let key = *key.secret();
        let digits: Vec<_> =
            events.iter().map(|event| (one_hot_digits(layout, event), bit(event.backed))).collect();
        let tags = digits.iter().map(|(d, _)| tag(context, &key, &number(layout, d))).collect();
        Self {
            key,
            events: digits,
            tags,
            vector: None,
            value: value(context, events),
            room: None,
            foreign_ephemerals: [None; 3],
            spoiled_share: None,
            unreadable: None,
        }
    }
}

/// `lin` of the entries of an event's digits: its number m, if they are one-hot.
pub fn number(layout: Layout, digits: &[[Scalar; 4]]) -> Scalar {
    let residues: Vec<_> = digits.iter().map(|d| d.each_ref().map(Residue::from)).collect();
    lin(layout, &residues).into()
}

/// `T = (sk + m)^-1 Q`.
pub fn tag(context: &EpochContext, key: &Scalar, number: &Scalar) -> RistrettoPoint {
    (key + number).invert() * context.tag_base
}

fn bit(b: bool) -> Scalar {
    Scalar::conditional_select(&Scalar::ZERO, &Scalar::ONE, u8::from(b).into())
}

/// Entries of a one-hot digit, without branching on it.
fn one_hot(digit: u16) -> [Scalar; 4] {
    std::array::from_fn(|i| Scalar::conditional_select(&Scalar::ZERO, &Scalar::ONE, digit.ct_eq(&(i as u16))))
}

fn one_hot_digits(layout: Layout, event: &EventWitness) -> Vec<[Scalar; 4]> {
    let work = (0..layout.work_digits()).map(|d| one_hot(event.work.0 >> (2 * d) & 3));
    let view = (0..VIEW_DIGITS).map(|d| one_hot(event.view >> (2 * d) & 3));
    work.chain(view).chain([one_hot(u16::from(event.quarters) - 1)]).collect()
}
