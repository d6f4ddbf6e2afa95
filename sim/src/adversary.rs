//! Bundles that must be refused, each with the refusal that is expected of each party. A run hands all of them in, and
//! one that is not refused as expected makes the run fail.
//!
//! The attacker is a paying subscriber with a valid token, so that nothing but the rule under attack stops a bundle.

use crate::{
    device::{Device, DeviceError, Parcel, parcel},
    workload::EventSpec,
};
use curve25519_dalek::scalar::Scalar;
use engine::Refusal;
use primitives::PartyId;
use primitives::field::Plain;
use proofs::bundle::{Bundle, BundleError, RawWitness, digits::Layout, number, tag};
use std::collections::{BTreeMap, BTreeSet};

/// The share that the attacker seals wrongly.
const SPOILED: PartyId = PartyId::ALL[1];
/// Most digits that the bundle of many votes bends: six give 64 votes.
const BENT_DIGITS: usize = 6;
/// Attacks of a run.
pub const ATTACKS: usize = 5;
/// Padding events that the attacker needs beyond those of an honest device.
pub const EXTRA_PADDING: usize = 4 * 7;

/// What is to become of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every party refuses it for this reason.
    Everywhere(Refusal),
    /// A holder of this share finds that it does not open its commitment, and the bundle is in no batch: the other
    /// parties hear of it from a holder, or are left with it when the epoch closes.
    ByHolder(PartyId),
}

impl Expected {
    /// Whether what was seen is what was expected.
    pub fn met(&self, seen: &BTreeMap<PartyId, Refusal>) -> bool {
        let all = PartyId::ALL.iter().all(|party| seen.contains_key(party));
        match self {
            Self::Everywhere(expected) => all && seen.values().all(|refusal| refusal == expected),
            Self::ByHolder(share) => {
                let found = Refusal::Share { share: *share };
                let told = |r: &Refusal| matches!(r, Refusal::Objected { .. } | Refusal::NotInTime);
                all && seen.values().any(|r| *r == found) && seen.values().all(|r| *r == found || told(r))
            }
        }
    }

    /// The refusal that names the reason.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Everywhere(refusal) => refusal.clone(),
            Self::ByHolder(share) => Refusal::Share { share: *share },
        }
    }
}

/// An attack.
pub struct Attack {
    /// What is tried, in a few words.
    pub name: String,
    /// What is handed in.
    pub parcel: Parcel,
    /// Events in it, padding left out.
    pub events: u64,
    /// What is to become of it.
    pub expected: Expected,
}

/// Every attack of a run, by the holder of `device`, whose honest bundles are `honest` (at least one).
pub fn attacks(
    device: &mut Device<'_>,
    honest: &[Parcel],
    window: u16,
) -> Result<[Attack; ATTACKS], DeviceError> {
    let everywhere = Expected::Everywhere;
    let first = &honest[0];
    let duplicate = Attack {
        name: "the same bundle twice".into(),
        parcel: first.clone(),
        events: first.events.len() as u64,
        expected: everywhere(Refusal::Duplicate),
    };

    let counted = EventSpec { backed: false, ..device.subscriber().events[first.events[0]] };
    let replay = Attack {
        name: "an event of an accepted bundle in another one".into(),
        parcel: parcel(&device.bundle_as_if_unspent(&counted, window)?, vec![0]),
        events: 1,
        expected: everywhere(Refusal::Replay { event: 0 }),
    };

    let fresh = fresh_events(device);
    let event = |n: usize| fresh.get(n..=n).unwrap_or_default();
    let forged = forged(device.lying_bundle(event(0), window, |_| {})?);
    let forgery = Attack {
        name: "a forged proof (one response changed)".into(),
        parcel: parcel(&forged, (0..event(0).len()).collect()),
        events: event(0).len() as u64,
        expected: everywhere(Refusal::Proof(BundleError::Digits)),
    };

    let (votes, bent) = many_votes(device, event(1), window)?;
    let votes = Attack {
        name: format!("{votes} votes in one event"),
        parcel: parcel(&bent, (0..event(1).len()).collect()),
        events: event(1).len() as u64,
        expected: everywhere(Refusal::Proof(BundleError::Amount)),
    };

    let spoil = |witness: &mut RawWitness| witness.spoiled_share = Some(SPOILED);
    // All but the share must hold. Where the cap leaves no room for an event there is padding alone.
    let fitting = if device.has_room(event(2)) { event(2) } else { &[] };
    let spoiled = device.lying_bundle(fitting, window, spoil)?;
    let share = Attack {
        name: "a share that does not open its commitment".into(),
        parcel: parcel(&spoiled, (0..fitting.len()).collect()),
        events: fitting.len() as u64,
        expected: Expected::ByHolder(SPOILED),
    };
    Ok([duplicate, replay, forgery, votes, share])
}

/// Up to three events that the subscriber has not had: they would count if they were accepted.
fn fresh_events(device: &Device<'_>) -> Vec<EventSpec> {
    let had: BTreeSet<_> = device.subscriber().events.iter().map(|e| (e.work, e.view)).collect();
    let (works, views) = (device.works(), device.params().j_max);
    let every = (0..views).flat_map(|view| (0..works).map(move |work| (work, view)));
    let fresh = every.filter(|event| !had.contains(event)).take(3);
    fresh.map(|(work, view)| EventSpec { work, view, quarters: 4, backed: false }).collect()
}

/// Changes one response of an honest proof.
fn forged(mut bundle: Bundle) -> Bundle {
    bundle.proof.responses[0] += Plain::from(1u128);
    bundle
}

/// The bundle of the protocol notes that gives one work many votes: a digit (-2, 1, 1, 1) sums to one, and if entry 0
/// went unchecked, an even number `n` of them would weigh `2^n` for the work and view whose digits are zero. Its tag is
/// made to fit, so that nothing but the check of entry 0 stops it.
fn many_votes(
    device: &mut Device<'_>,
    events: &[EventSpec],
    window: u16,
) -> Result<(u64, Bundle), DeviceError> {
    let context = device.context(events)?;
    let layout = Layout::of(context);
    let bent = BENT_DIGITS.min(layout.fraction()) / 2 * 2;
    let lie = |witness: &mut RawWitness| {
        let digits = &mut witness.events[0].0;
        digits[..bent].fill([-Scalar::from(2u8), Scalar::ONE, Scalar::ONE, Scalar::ONE]);
        // The view's other digits name view 0, so that the votes would be of listeners.
        digits[bent.max(layout.work_digits())..layout.fraction()].fill([
            Scalar::ONE,
            Scalar::ZERO,
            Scalar::ZERO,
            Scalar::ZERO,
        ]);
        witness.tags[0] = tag(context, &witness.key, &number(layout, digits));
    };
    Ok((1 << bent, device.lying_bundle(events, window, lie)?))
}
