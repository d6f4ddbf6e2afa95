//! What the bundles of an epoch use up, over all its shards together.

use crate::{effect::Refusal, message::OpenedEpoch, party::marks::MarkSets};
use primitives::{Digest, PartyId, Tier};
use proofs::{bundle::Bundle, epoch::EpochContext, wire::WirePoint};
use std::collections::{BTreeMap, BTreeSet};

/// What a bundle uses up.
pub(super) struct Uses {
    /// Tags, given back if it is left out.
    pseudonyms: Vec<Digest>,
    /// Receipts, given back if it is left out.
    receipts: Vec<Digest>,
    /// Its ephemerals and its place in its subscriber's chain, which nothing gives back.
    lasting: Vec<Digest>,
}

impl Uses {
    pub(super) fn of(context: &EpochContext, bundle: &Bundle) -> Self {
        let (pseudonyms, receipts) = (bundle.pseudonyms(context), bundle.spent_receipts());
        Self { pseudonyms, receipts, lasting: lasting(bundle).collect() }
    }
}

fn lasting(bundle: &Bundle) -> impl Iterator<Item = Digest> {
    bundle.ephemerals.map(|ephemeral| Digest(ephemeral.0)).into_iter().chain([bundle.branch()])
}

/// Where a bundle stands among those of its subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It goes on from the last one that came.
    Next,
    /// It goes on from one that has not come yet.
    Ahead,
}

/// State.
pub(super) struct Used {
    marks: MarkSets,
    /// Ephemerals, and places in chains of `Cum`, and whether it is a final bundle that has them.
    lasting: BTreeMap<Digest, bool>,
    /// `Cum` after each bundle of each subscriber that was ever in the pool, of whatever shard. None is taken back with
    /// a bundle that is dropped: a subscriber has one chain of values, and no second branch of it, and bad bundles take
    /// their place among the tier's.
    chains: BTreeMap<WirePoint, Vec<WirePoint>>,
    /// `Cum` after each bundle that is final.
    settled: BTreeSet<WirePoint>,
    /// Subscribers of each tier. A place is not given back with a bundle that is left out: who paid has a place.
    keys_of: BTreeMap<Tier, BTreeSet<WirePoint>>,
    /// Most subscribers of an epoch.
    capacity: u64,
}

impl Used {
    /// Nothing is used up, and there is room for so many subscribers.
    pub(super) fn new(capacity: u64, marks: MarkSets) -> Self {
        Self {
            marks,
            lasting: BTreeMap::new(),
            chains: BTreeMap::new(),
            settled: BTreeSet::new(),
            keys_of: BTreeMap::new(),
            capacity,
        }
    }

    /// Whether a bundle uses only what is not used up; `waiting` others of its subscriber wait for their place.
    pub(super) fn check(
        &self,
        epoch: &OpenedEpoch,
        bundle: &Bundle,
        uses: &Uses,
        waiting: usize,
    ) -> Result<Place, Refusal> {
        // "unique_events = unique(P_{w,j})" (spec 7.2): all events of a bundle are new, or none counts.
        if let Some(event) = uses.pseudonyms.iter().position(|p| self.marks.tags.contains(p)) {
            return Err(Refusal::Replay { event });
        }
        if let Some(receipt) = uses.receipts.iter().position(|r| self.marks.receipts.contains(r)) {
            return Err(Refusal::SpentReceipt { receipt });
        }
        let ephemerals = &bundle.ephemerals;
        if let Some(at) = ephemerals.iter().position(|e| self.lasting.contains_key(&Digest(e.0))) {
            return Err(Refusal::ReusedEphemeral { share: PartyId::ALL[at] });
        }
        let (tier, key) = (bundle.envelope.tier, &bundle.envelope.key);
        let chain = self.chains.get(key).map(Vec::as_slice).unwrap_or_default();
        let limit = epoch.max_bundles.get(&tier).copied().unwrap_or(0);
        if chain.len() + waiting >= usize::from(limit) {
            return Err(Refusal::TooManyBundles { limit });
        }
        // "The number of distinct subscriber keys Y accepted for a tier may not exceed the subscriptions its revenue
        // record reports" (protocol notes, section 2).
        let keys = self.keys_of.get(&tier);
        let sold = epoch.sold.get(&tier).copied().unwrap_or(0);
        let known = keys.is_some_and(|keys| keys.contains(key));
        if !known && keys.map_or(0, BTreeSet::len) as u64 >= sold {
            return Err(Refusal::Unsold { tier, sold });
        }
        // A total that held more pairs of a subscriber and an epoch could overflow a limb into the next.
        if chain.is_empty() && self.chains.len() as u64 >= self.capacity {
            return Err(Refusal::EpochFull);
        }
        // "Cum_n = Cum_(n-1) + C_val": a second branch could show the cap of one branch after the other.
        let passed = || [WirePoint::default()].into_iter().chain(chain.iter().copied());
        if self.lasting.contains_key(&bundle.branch()) {
            // A chain that comes back to where it was does not go on from there a second time.
            Err(Refusal::SpentElsewhere)
        } else if bundle.previous == self.spent(key) {
            Ok(Place::Next)
        } else if passed().any(|spent| spent == bundle.previous) {
            Err(Refusal::SpentElsewhere)
        } else {
            Ok(Place::Ahead)
        }
    }

    /// What a subscriber has spent by now.
    pub(super) fn spent(&self, key: &WirePoint) -> WirePoint {
        self.chains.get(key).and_then(|chain| chain.last()).copied().unwrap_or_default()
    }

    /// A bundle has come that every party takes in: its subscriber's chain goes on to `spent`, and its ephemerals are
    /// used, as a complaint may show their secrets.
    pub(super) fn go_on(&mut self, bundle: &Bundle, spent: WirePoint) {
        let (tier, key) = (bundle.envelope.tier, bundle.envelope.key);
        lasting(bundle).for_each(|mark| {
            self.lasting.entry(mark).or_insert(false);
        });
        self.chains.entry(key).or_default().push(spent);
        self.keys_of.entry(tier).or_default().insert(key);
    }

    /// What the chain has anchored goes on its subscriber's chain, whatever this party had there: the branch that it
    /// had seen instead ends where the two part. `false` if bundles of that branch are final too.
    pub(super) fn adopt(&mut self, bundle: &Bundle, spent: WirePoint) -> bool {
        let chain = self.chains.entry(bundle.envelope.key).or_default();
        if chain.contains(&spent) {
            return true;
        }
        let start = bundle.previous == WirePoint::default();
        let before = chain.iter().position(|passed| *passed == bundle.previous).map(|at| at + 1);
        let mut other_is_final = false;
        if let Some(parted) = before.or(start.then_some(0)) {
            other_is_final = chain.drain(parted..).any(|passed| self.settled.contains(&passed));
        }
        self.go_on(bundle, spent);
        !other_is_final
    }

    /// A bundle is final, after which its subscriber had spent this.
    pub(super) fn settle(&mut self, uses: &Uses, spent: WirePoint) {
        self.settled.insert(spent);
        self.lasting.extend(uses.lasting.iter().map(|mark| (*mark, true)));
    }

    /// Whether what a subscriber had spent after some bundle is on its chain still.
    pub(super) fn on_chain(&self, key: &WirePoint, spent: &WirePoint) -> bool {
        self.chains.get(key).is_some_and(|chain| chain.contains(spent))
    }

    /// Whether two bundles use up the same.
    pub(super) fn clash(one: &Uses, other: &Uses) -> bool {
        one.pseudonyms.iter().any(|p| other.pseudonyms.contains(p))
            || one.receipts.iter().any(|r| other.receipts.contains(r))
            || one.lasting.iter().any(|mark| other.lasting.contains(mark))
    }

    /// Whether something that a bundle uses up is used up by bundles that are final, once no other bundle that waits
    /// clashes with it.
    pub(super) fn any_final(&self, uses: &Uses) -> bool {
        uses.pseudonyms.iter().any(|p| self.marks.tags.contains(p))
            || uses.receipts.iter().any(|r| self.marks.receipts.contains(r))
            || uses.lasting.iter().any(|mark| self.lasting.get(mark) == Some(&true))
    }

    /// Uses up what a bundle uses up.
    pub(super) fn take(&mut self, uses: &Uses) {
        uses.pseudonyms.iter().for_each(|tag| self.marks.tags.insert(tag));
        uses.receipts.iter().for_each(|receipt| self.marks.receipts.insert(receipt));
        uses.lasting.iter().for_each(|mark| {
            self.lasting.entry(*mark).or_insert(false);
        });
    }

    /// Gives tags and receipts back: an honest device may hand them in again.
    pub(super) fn give_back(&mut self, uses: &Uses) {
        uses.pseudonyms.iter().for_each(|tag| self.marks.tags.remove(tag));
        uses.receipts.iter().for_each(|receipt| self.marks.receipts.remove(receipt));
    }
}
