//! The pool of a party: bundles whose proof holds, what they use up, and this party's shares of them.

mod archive;
mod early;
mod overdue;
mod owing;
mod parked;
mod sums;
mod used;

pub(crate) use archive::Past;
pub(super) use owing::FinalBatch;
pub(crate) use parked::Verified;
pub(super) use sums::{GroupSum, running_after};

use crate::{
    effect::Refusal,
    message::{Objection, OpenedEpoch},
    party::{PartySecrets, collect::Outcome, marks::MarkSets},
};
use archive::Archive;
pub(super) use archive::MAX_ARCHIVED;
use early::Early;
use owing::Owing;
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
    /// The bundle is in a final batch: it is too late to strike it.
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
    /// Subscribers one of whose bundles was taken in: another may go on from it.
    went_on: BTreeSet<WirePoint>,
    refused: BTreeMap<Digest, Objection>,
    /// Bundles in final batches: it is too late to complain of them.
    settled: BTreeSet<Digest>,
    /// Bundles of which a complaint holds, with that complaint.
    struck: BTreeMap<Digest, Complaint>,
    early: Early,
    /// The next position of each shard.
    positions: Vec<u64>,
    /// Bundles of each shard that were dropped at this position.
    aside: Vec<BTreeMap<Digest, (Arc<Bundle>, Accepted)>>,
    archive: Archive,
    owing: Owing,
}

impl Pool {
    /// A pool that keeps what is used up in `marks`, and so many bundles of final batches in memory.
    pub(super) fn new(party: PartyId, epoch: OpenedEpoch, (marks, archived): (MarkSets, usize)) -> Self {
        let archive = Archive::of(archived);
        Self {
            party,
            order: vec![VecDeque::new(); epoch.shards.len()],
            used: Used::new(epoch.room, marks),
            positions: vec![0; epoch.shards.len()],
            aside: vec![BTreeMap::new(); epoch.shards.len()],
            epoch,
            held: BTreeMap::new(),
            parked: Parked::default(),
            went_on: BTreeSet::new(),
            refused: BTreeMap::new(),
            settled: BTreeSet::new(),
            struck: BTreeMap::new(),
            early: Early::default(),
            archive,
            owing: Owing::default(),
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
        self.went_on.insert(envelope.key);
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
                let complaint = self.complain(secrets, &context, (id, &bundle, &accepted), error.share());
                self.struck.insert(id, complaint.clone());
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

    /// Hands out a bundle that waited for one that was taken in since.
    pub(super) fn unparked(&mut self) -> Option<Verified> {
        while let Some(key) = self.went_on.pop_first() {
            if let Some(next) = self.parked.next(key, self.used.spent(&key)) {
                return Some(next);
            }
        }
        None
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
        if self.settled.contains(&id) {
            return Judgement::Late;
        }
        if self.struck.contains_key(&id) {
            return Judgement::NotNow;
        }
        let Some(Held { bundle, accepted, .. }) = self.held.get(&id) else {
            if !self.refused.contains_key(&id) {
                self.early.keep(from, complaint);
            }
            return Judgement::NotNow;
        };
        // Proposals of another shard may hold it: there it is to be complained of.
        if bundle.envelope.shard != shard {
            return Judgement::False(ComplaintError::OtherBundle);
        }
        let context = &self.epoch.shards[shard.0 as usize];
        match complaint.verify(context, (id, bundle, accepted)) {
            Err(error) => Judgement::False(error),
            Ok(_) => {
                self.struck.insert(id, complaint.clone());
                Judgement::Holds
            }
        }
    }

    /// Another party complains of a share of a bundle in a final batch.
    pub(super) fn ask(&mut self, from: PartyId, shard: ShardIndex, complaint: Complaint) {
        self.owing.ask(self.party, (from, shard), complaint);
    }

    /// Serves peers that complained so. `find` knows in which final batch of a shard a bundle is.
    pub(super) fn serve<'a>(
        &mut self,
        secrets: &PartySecrets,
        find: impl Fn(ShardIndex, &Digest) -> Option<FinalBatch<'a>>,
    ) -> Outcome {
        self.owing.serve((secrets, &self.archive), find)
    }

    /// Bundles of a final batch are there, of which another party complained.
    pub(super) fn recalled(
        &mut self,
        secrets: &PartySecrets,
        batch: FinalBatch<'_>,
        complaint: &Complaint,
        found: Vec<Verified>,
    ) -> Outcome {
        self.owing.recalled((secrets, &self.archive), batch, complaint, found)
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        self.owing.tick();
    }

    /// Complaints that came before their bundle, and who showed them.
    pub(super) fn early_complaints(&mut self, id: &Digest) -> Vec<(PartyId, Complaint)> {
        self.early.take(id)
    }

    /// The complaint of a bundle that holds, if there is one.
    pub(super) fn complaint(&self, id: &Digest) -> Option<&Complaint> {
        self.struck.get(id)
    }

    /// Whose complaint of a bundle holds, if there is one.
    pub(super) fn struck_by(&self, id: &Digest) -> Option<PartyId> {
        self.complaint(id).map(|complaint| complaint.party)
    }

    /// Drops a bundle of which this party complains.
    fn strike(&mut self, complaint: &Complaint) {
        self.struck.insert(complaint.bundle, complaint.clone());
        self.remove(complaint.bundle, Objection::Share);
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
