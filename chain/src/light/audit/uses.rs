//! What the bundles of an epoch use up, over all its shards together: everything that may be there once.
//!
//! Parties check the same as bundles come (`engine/src/party/pool/used.rs`). Here they come by shard and batch, which is
//! another order, and without those that were left out.

use super::{super::record::TierRecord, At, Finding};
use primitives::{Digest, PartyId, Tier};
use proofs::{bundle::Published, epoch::EpochContext, sharing::Accepted, wire::WirePoint};
use std::collections::{BTreeMap, BTreeSet};

/// A bundle as a step of its subscriber's chain of values, from `Cum` before it to `Cum` after it.
struct Step {
    at: At,
    id: Digest,
    tier: Tier,
    previous: WirePoint,
    spent: WirePoint,
}

/// State.
#[derive(Default)]
pub(super) struct Uses {
    pseudonyms: BTreeMap<Digest, At>,
    receipts: BTreeMap<Digest, At>,
    ephemerals: BTreeMap<WirePoint, At>,
    /// Steps of each subscriber.
    chains: BTreeMap<WirePoint, Vec<Step>>,
    /// Subscribers of each tier.
    keys_of: BTreeMap<Tier, BTreeSet<WirePoint>>,
}

impl Uses {
    /// Uses up what a bundle that holds uses up, and notes what was used before: of each kind the first.
    pub(super) fn take(
        &mut self,
        context: &EpochContext,
        (at, id): (At, Digest),
        (bundle, accepted): (&Published, &Accepted),
        findings: &mut Vec<Finding>,
    ) {
        let envelope = &bundle.envelope;
        // "unique_events = unique(P_{w,j})" (spec 7.2).
        if let Some((event, first)) = use_up(&mut self.pseudonyms, at, bundle.pseudonyms(context)) {
            findings.push(Finding::Replay { at, id, event, first });
        }
        if let Some((receipt, first)) = use_up(&mut self.receipts, at, bundle.spent_receipts()) {
            findings.push(Finding::SpentReceipt { at, id, receipt, first });
        }
        if let Some((share, first)) = use_up(&mut self.ephemerals, at, bundle.ephemerals.into()) {
            findings.push(Finding::ReusedEphemeral { at, id, share: PartyId::ALL[share], first });
        }
        self.keys_of.entry(envelope.tier).or_default().insert(envelope.key);
        let (tier, previous, spent) = (envelope.tier, bundle.previous, accepted.spent);
        self.chains.entry(envelope.key).or_default().push(Step { at, id, tier, previous, spent });
    }

    /// Events, receipts and subscribers so far.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        (self.pseudonyms.len() as u64, self.receipts.len() as u64, self.chains.len() as u64)
    }

    /// Looks at what can be told only when all bundles are there: chains of values, and how many there are of what. Gives
    /// the bundles that go on from one that is not there.
    pub(super) fn conclude<'a>(
        &self,
        terms: &impl Fn(Tier) -> Option<&'a TierRecord>,
        findings: &mut Vec<Finding>,
    ) -> Vec<(At, Digest)> {
        for (tier, keys) in &self.keys_of {
            let (tier, sold, found) = (*tier, terms(*tier).map_or(0, |terms| terms.sold), keys.len());
            if found as u64 > sold {
                findings.push(Finding::Unsold { tier, sold, found });
            }
        }
        let mut gaps = Vec::new();
        for (key, steps) in &self.chains {
            let allowed = |step: &Step| (terms(step.tier).map_or(0, |terms| terms.max_bundles), step.tier);
            let (limit, tier) = steps.iter().map(allowed).max().expect("a subscriber has a bundle");
            let found = steps.len();
            if found > usize::from(limit) {
                findings.push(Finding::TooManyBundles { key: *key, tier, limit, found });
            }
            follow(steps, &mut gaps, findings);
        }
        gaps.sort_unstable();
        gaps
    }
}

/// Notes where things are used; gives the place among them of the first that was used before, and where.
fn use_up<K: Ord>(used: &mut BTreeMap<K, At>, at: At, things: Vec<K>) -> Option<(usize, At)> {
    let before = things.iter().enumerate().find_map(|(place, thing)| Some((place, *used.get(thing)?)));
    for thing in things {
        used.entry(thing).or_insert(at);
    }
    before
}

/// Holds a subscriber's steps together. "Cum_n = Cum_(n-1) + C_val": no sum is gone on from more often than it is come to,
/// at the beginning once. A sum that nothing leads to is that of a bundle which was left out, and which its subscriber's
/// later ones go on from all the same.
fn follow(steps: &[Step], gaps: &mut Vec<(At, Digest)>, findings: &mut Vec<Finding>) {
    let mut from: BTreeMap<WirePoint, Vec<&Step>> = BTreeMap::new();
    steps.iter().for_each(|step| from.entry(step.previous).or_default().push(step));
    for (previous, leaving) in from {
        let start = usize::from(previous == WirePoint::default());
        let arriving = start + steps.iter().filter(|step| step.spent == previous).count();
        if arriving == 0 {
            gaps.push((leaving[0].at, leaving[0].id));
        }
        let branches = leaving.iter().skip(arriving.max(1));
        findings.extend(branches.map(|step| Finding::Branch {
            at: step.at,
            id: step.id,
            first: leaving[0].at,
        }));
    }
}
