//! The pool of a party: bundles whose proof holds, what they use up, and this party's shares of them.

mod archive;
mod early;
mod overdue;
mod parked;
mod sums;
mod used;

pub(crate) use archive::Past;
pub(super) use parked::Verified;
pub(super) use sums::{GroupSum, running_after};

use crate::{
    effect::Refusal,
    message::{Objection, OpenedEpoch},
    party::{PartySecrets, marks::MarkSets},
};
use archive::Archive;
use early::Early;
use parked::Parked;
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, Published},
    epoch::EpochContext,
    sharing::{Accepted, Complaint, ComplaintError, ShareSeed},
    wire::WirePoint,
};
use rand_core::OsRng;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use used::{Place, Used, Uses};

/// Most refused bundles that are remembered. A leader that proposes one of the others hears that it is unknown.
const MAX_REFUSED: usize = 1 << 16;

/// A bundle that holds, until it is in a batch.
struct Held {
    bundle: Arc<Bundle>,
    accepted: Accepted,
    /// Seeds of this party's two shares, own and next. One that it cannot read is missing: only what the chain has anchored
    /// is taken in all the same.
    seeds: [Option<ShareSeed>; 2],
    uses: Uses,
    /// The position of its shard when it came.
    since: u64,
}

/// What has become of a bundle that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It is in the pool.
    Taken,
    /// It waits for the bundle that it goes on from.
    Parked,
}

/// Why a bundle is not taken in, and what the other parties are to be shown of it.
pub(super) struct Rejected {
    pub(super) refusal: Refusal,
    pub(super) complaint: Option<Box<Complaint>>,
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, complaint: None }
    }
}

/// What a party makes of another's complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It holds.
    Holds,
    /// There is nothing to judge: the bundle is struck or gone already, or has not come yet, and is judged when it does.
    NotNow,
    /// It holds, and the bundle is in a final batch.
    Late,
    /// It does not hold.
    False(ComplaintError),
}

/// State of a pool.
pub(super) struct Pool {
    party: PartyId,
    epoch: OpenedEpoch,
    /// Bundles that wait for a batch, of each shard.
    order: Vec<VecDeque<Digest>>,
    held: BTreeMap<Digest, Held>,
    used: Used,
    parked: Parked,
    refused: BTreeMap<Digest, Objection>,
    /// Bundles in final batches: it is too late to complain of them.
    settled: BTreeSet<Digest>,
    /// Bundles of which a complaint holds, and whose.
    struck: BTreeMap<Digest, PartyId>,
    early: Early,
    /// The next position of each shard.
    positions: Vec<u64>,
    /// Bundles of each shard that were dropped at this position.
    aside: Vec<BTreeMap<Digest, (Arc<Bundle>, Accepted)>>,
    archive: Archive,
}

impl Pool {
    pub(super) fn new(party: PartyId, epoch: OpenedEpoch, marks: MarkSets) -> Self {
        Self {
            party,
            order: vec![VecDeque::new(); epoch.shards.len()],
            used: Used::new(epoch.room(), marks),
            positions: vec![0; epoch.shards.len()],
            aside: vec![BTreeMap::new(); epoch.shards.len()],
            epoch,
            held: BTreeMap::new(),
            parked: Parked::default(),
            refused: BTreeMap::new(),
            settled: BTreeSet::new(),
            struck: BTreeMap::new(),
            early: Early::default(),
            archive: Archive::default(),
        }
    }

    /// Bundles of a shard that wait, in the order in which they came.
    pub(super) fn waiting(&self, shard: ShardIndex) -> &VecDeque<Digest> {
        &self.order[shard.0 as usize]
    }

    fn in_shard(&self, shard: ShardIndex, id: &Digest) -> Option<&Held> {
        self.held.get(id).filter(|held| held.bundle.envelope.shard == shard)
    }

    /// Why a bundle is not in the pool, or not in this shard; `None` if it is.
    pub(super) fn objection(&self, shard: ShardIndex, id: &Digest) -> Option<Objection> {
        if self.in_shard(shard, id).is_some() {
            None
        } else if self.held.contains_key(id) {
            // Its shares are of other works: it would add up to nothing here.
            Some(Objection::Refused)
        } else {
            Some(self.refused.get(id).copied().unwrap_or(Objection::Unknown))
        }
    }

    /// Takes a bundle in, or remembers why not. `pledged` says whether one of some marks is of a bundle of another shard that
    /// this party signed for and that may yet be counted.
    pub(super) fn admit(
        &mut self,
        secrets: &PartySecrets,
        (id, bundle, accepted): Verified,
        pledged: impl Fn(&[Digest]) -> bool,
    ) -> Result<Admitted, Rejected> {
        if self.held.contains_key(&id) || self.settled.contains(&id) {
            return Err(Refusal::TakenIn.into());
        }
        if self.parked.contains(&id, &bundle) {
            return Err(Refusal::Duplicate.into());
        }
        let envelope = &bundle.envelope;
        let shard = envelope.shard;
        let context = self.epoch.context(shard).ok_or(Refusal::UnknownShard { shard })?.clone();
        let uses = Uses::of(&context, &bundle);
        match self.used.check(&self.epoch, &bundle, &uses, self.parked.of(&envelope.key)) {
            Ok(_) if pledged(&bundle.marks()) => return Err(Refusal::MayBeCounted.into()),
            Ok(Place::Next) => {}
            Ok(Place::Ahead) => {
                let kept = self.parked.keep((id, bundle, accepted)).map(|()| Admitted::Parked);
                return kept.map_err(|refusal| self.refuse(id, refusal));
            }
            Err(refusal) => return Err(self.refuse(id, refusal)),
        }
        // Whether or not this party can read its share, the others take it in before they hear of it.
        self.used.go_on(&bundle, accepted.spent);
        match bundle.open(&context, self.party, &secrets.kem) {
            Ok(seeds) => {
                self.used.take(&uses);
                self.order[shard.0 as usize].push_back(id);
                let since = self.positions[shard.0 as usize];
                self.held.insert(id, Held { bundle, accepted, seeds: seeds.map(Some), uses, since });
                Ok(Admitted::Taken)
            }
            Err(error) => {
                self.early.take(&id);
                self.refused.insert(id, Objection::Share);
                self.struck.insert(id, self.party);
                let complaint = self.complain(secrets, &context, (id, &bundle, &accepted), error.share());
                self.aside[shard.0 as usize].insert(id, (bundle, accepted));
                Err(Rejected { refusal: error.into(), complaint: Some(Box::new(complaint)) })
            }
        }
    }

    /// Remembers a bundle that is refused for good, with whatever was said of it. What may come again is left alone.
    fn refuse(&mut self, id: Digest, refusal: Refusal) -> Rejected {
        if refusal != Refusal::TooFarAhead {
            self.early.take(&id);
            if self.refused.len() < MAX_REFUSED {
                self.refused.insert(id, Objection::Refused);
            }
        }
        refusal.into()
    }

    /// Hands out the bundle that goes on from what a subscriber has spent by now, if it waits.
    pub(super) fn next_of(&mut self, key: WirePoint) -> Option<Verified> {
        self.parked.next(key, self.used.spent(&key))
    }

    /// Nothing more comes: gives up what waits for bundles that have not come.
    pub(super) fn close(&mut self) -> Vec<Digest> {
        self.parked.drain()
    }

    fn complain(
        &self,
        secrets: &PartySecrets,
        context: &EpochContext,
        about: (Digest, &Bundle, &Accepted),
        share: PartyId,
    ) -> Complaint {
        let made = Complaint::new(context, about, (self.party, &secrets.kem), share, &mut OsRng);
        made.expect("an accepted bundle has ephemerals that are group elements")
    }

    /// Judges another party's complaint. The bundle stays where it is.
    pub(super) fn judge(&mut self, shard: ShardIndex, from: PartyId, complaint: &Complaint) -> Judgement {
        let id = complaint.bundle;
        let settled = self.archive.get(&id);
        let known = self.held.get(&id).map(|held| (&held.bundle, &held.accepted));
        let Some((bundle, accepted)) = known.or(settled.map(|(bundle, accepted)| (bundle, accepted))) else {
            let gone = self.struck.contains_key(&id) || self.settled.contains(&id);
            if !gone && !self.refused.contains_key(&id) {
                self.early.keep(from, complaint);
            }
            return Judgement::NotNow;
        };
        if settled.is_none() && self.struck.contains_key(&id) {
            return Judgement::NotNow;
        }
        // Proposals of another shard may hold it: there it is to be complained of.
        if bundle.envelope.shard != shard {
            return Judgement::False(ComplaintError::OtherBundle);
        }
        let context = &self.epoch.shards[shard.0 as usize];
        match complaint.verify(context, (id, bundle, accepted)) {
            Err(error) => Judgement::False(error),
            Ok(_) if settled.is_some() => Judgement::Late,
            Ok(_) => {
                self.struck.insert(id, complaint.party);
                Judgement::Holds
            }
        }
    }

    /// Complaints that came before their bundle, and who showed them.
    pub(super) fn early_complaints(&mut self, id: &Digest) -> Vec<(PartyId, Complaint)> {
        self.early.take(id)
    }

    /// Whose complaint of a bundle holds, if there is one.
    pub(super) fn struck_by(&self, id: &Digest) -> Option<PartyId> {
        self.struck.get(id).copied()
    }

    /// Drops a bundle of which this party complains.
    fn strike(&mut self, id: Digest) {
        self.struck.insert(id, self.party);
        self.remove(id, Objection::Share);
    }

    /// Drops a bundle that will not be counted, and gives back its tags and receipts. It stays at hand as long as a header
    /// that names it may become final.
    pub(super) fn remove(&mut self, id: Digest, objection: Objection) -> bool {
        let Some(held) = self.held.remove(&id) else { return false };
        let shard = held.bundle.envelope.shard.0 as usize;
        self.order[shard].retain(|other| *other != id);
        self.refused.insert(id, objection);
        self.used.give_back(&held.uses);
        self.aside[shard].insert(id, (held.bundle, held.accepted));
        true
    }

    /// Marks of bundles that are in the pool.
    pub(super) fn marks(&self, ids: &[Digest]) -> Vec<Digest> {
        ids.iter().filter_map(|id| self.held.get(id)).flat_map(|held| held.bundle.marks()).collect()
    }

    /// Bundles of the pool, in this order.
    pub(super) fn bundles(&self, ids: &[Digest]) -> Vec<Arc<Bundle>> {
        ids.iter().filter_map(|id| self.held.get(id)).map(|held| held.bundle.clone()).collect()
    }

    /// Takes the bundles of a batch out, which is final, and gives what is published of them, in their order. What they
    /// used stays used.
    pub(super) fn settle(&mut self, ids: &[Digest]) -> Vec<Arc<Published>> {
        let (mut gone, mut published) = (BTreeSet::new(), Vec::new());
        for id in ids {
            if let Some(held) = self.held.remove(id) {
                self.used.settle(&held.uses, held.accepted.spent);
                published.push(held.bundle.published().clone());
                self.archive.keep(*id, (held.bundle, held.accepted));
                gone.insert(*id);
            }
        }
        self.order.iter_mut().for_each(|order| order.retain(|id| !gone.contains(id)));
        self.settled.extend(gone);
        published
    }
}

#[cfg(test)]
mod tests;
