//! Bundles of final batches, for a peer that lacks one; and what the chain has anchored, taken in whatever this party
//! thought of it before.

use super::{
    Held, Pool, Verified,
    owing::{FinalBatch, Owing},
    used::Used,
};
use crate::{
    effect::{Effect, Event, Refusal},
    message::{Letter, Objection, OpenedEpoch, PeerMessage},
    party::{
        PartySecrets,
        collect::distinct,
        collect::{FaultReason, Outcome},
        evidence::shown,
        line::{Names, handed},
        pool::used::Uses,
    },
};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, Published},
    sharing::{Accepted, Complaint, held},
    tally::Group,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Most bundles of final batches that are kept in memory. Where parties have a disk, older ones are there.
pub(in crate::party) const MAX_ARCHIVED: usize = 1 << 12;

/// State: the last bundles that became final.
pub(super) struct Archive {
    most: usize,
    bundles: BTreeMap<Digest, (Arc<Bundle>, Accepted)>,
    order: VecDeque<Digest>,
}

impl Archive {
    /// Room for so many.
    pub(super) fn of(most: usize) -> Self {
        Self { most, bundles: BTreeMap::new(), order: VecDeque::new() }
    }

    /// A bundle that is kept.
    pub(super) fn get(&self, id: &Digest) -> Option<&(Arc<Bundle>, Accepted)> {
        self.bundles.get(id)
    }

    /// Keeps a bundle, in place of the oldest if there are too many.
    pub(super) fn keep(&mut self, id: Digest, bundle: (Arc<Bundle>, Accepted)) {
        if self.bundles.insert(id, bundle).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.bundles.remove(&oldest);
        }
    }
}

/// What a party that has frozen the epoch still hands to a peer that is behind: bundles of final batches, their names, and
/// its sums of shares that the peer cannot read.
pub(crate) struct Past {
    epoch: OpenedEpoch,
    archive: Archive,
    owing: Owing,
    names: Names,
}

impl Past {
    /// What is left of a pool, with the names of all final batches.
    pub(in crate::party) fn new(pool: Pool, names: Names) -> Self {
        let Pool { epoch, archive, owing, .. } = pool;
        Self { epoch, archive, owing, names }
    }

    /// Answers a peer that asks, as far as there is an answer.
    pub(in crate::party) fn answer(
        &mut self,
        secrets: &PartySecrets,
        from: PartyId,
        letter: &Letter,
    ) -> Vec<Effect> {
        let shard = letter.shard;
        let bundle = |id: &Digest| {
            let kept = self.archive.get(id).filter(|(bundle, _)| bundle.envelope.shard == shard);
            kept.map(|(bundle, _)| bundle.clone()).ok_or(*id)
        };
        match &letter.message {
            PeerMessage::AskBatch(digest) => {
                let names = self.names.get(&(shard, *digest));
                let answer =
                    |ids: &Vec<Digest>| Effect::peer(from, shard, PeerMessage::Batch(*digest, ids.clone()));
                names.map(answer).into_iter().collect()
            }
            PeerMessage::AskBundles(ids) => handed((from, shard), distinct(ids.clone()).iter().map(bundle)),
            PeerMessage::Complaint(complaint) => {
                self.owing.ask(secrets.signer.party(), (from, shard), complaint.clone());
                self.serve(secrets)
            }
            _ => Vec::new(),
        }
    }

    /// Bundles of a final batch are there, of which a peer complained.
    pub(in crate::party) fn recalled(
        &mut self,
        secrets: &PartySecrets,
        (shard, complaint): (ShardIndex, &Complaint),
        found: Vec<Verified>,
    ) -> Vec<Effect> {
        let Self { epoch, archive, owing, names } = self;
        let batch = final_batch(epoch, names, shard, &complaint.bundle);
        let said = batch.map(|batch| owing.recalled((secrets, archive), batch, complaint, found));
        said.and_then(Result::ok).unwrap_or_default()
    }

    /// Some time has passed.
    pub(in crate::party) fn tick(&mut self, secrets: &PartySecrets) -> Vec<Effect> {
        self.owing.tick();
        self.serve(secrets)
    }

    /// Serves peers that complained of shares. Nothing hangs on a complaint that does not hold any more: it is not answered.
    fn serve(&mut self, secrets: &PartySecrets) -> Vec<Effect> {
        let Self { epoch, archive, owing, names } = self;
        let find = |shard, bundle: &Digest| final_batch(epoch, names, shard, bundle);
        owing.serve((secrets, archive), find).unwrap_or_default()
    }
}

/// The final batch of a shard with a bundle.
fn final_batch<'a>(
    epoch: &'a OpenedEpoch,
    names: &'a Names,
    shard: ShardIndex,
    bundle: &Digest,
) -> Option<FinalBatch<'a>> {
    let mut of_shard = names.iter().filter(|((of, _), _)| *of == shard);
    let ((_, header), ids) = of_shard.find(|(_, ids)| ids.contains(bundle))?;
    Some((epoch.shards.get(usize::try_from(shard.0).ok()?)?, *header, ids))
}

impl Pool {
    /// A bundle of a shard that this party can hand to a peer.
    pub(in crate::party) fn copy_of(&self, shard: ShardIndex, id: &Digest) -> Option<Arc<Bundle>> {
        let held = self.held.get(id).map(|held| &held.bundle);
        let aside = || self.aside[shard.0 as usize].get(id).map(|(bundle, _)| bundle);
        let found = held.or_else(aside).or_else(|| self.archive.get(id).map(|(bundle, _)| bundle));
        found.filter(|bundle| bundle.envelope.shard == shard).cloned()
    }

    /// A bundle that is not in the pool and whose proof holds, to be counted all the same: one that waits for the one before
    /// it, or that was dropped at this position.
    pub(in crate::party) fn spare(&mut self, shard: ShardIndex, id: &Digest) -> Option<Verified> {
        let dropped = self.aside[shard.0 as usize].get(id);
        let dropped = dropped.map(|(bundle, accepted)| (*id, bundle.clone(), *accepted));
        dropped.or_else(|| self.parked.take(id))
    }

    /// The group of a bundle of the pool.
    pub(in crate::party) fn group_of(&self, id: &Digest) -> Option<Group> {
        self.held.get(id).map(|held| held.bundle.envelope.group())
    }

    /// Final bundles that show something which this one shows too, as far as they are kept.
    pub(in crate::party) fn rivals(&self, bundle: &Published) -> Vec<Digest> {
        let what = shown(bundle);
        let kept = self.archive.bundles.iter();
        kept.filter(|(_, (other, _))| !shown(other).is_disjoint(&what)).map(|(id, _)| *id).collect()
    }

    /// A peer gave a bundle whose proof does not hold.
    pub(in crate::party) fn remember_refused(&mut self, id: Digest) {
        self.refused.insert(id, Objection::Refused);
    }

    /// Takes in a bundle of a batch that the chain has anchored under a header of `leader`. What waits here and cannot
    /// be counted beside it is dropped: the chain has decided.
    pub(in crate::party) fn adopt(
        &mut self,
        secrets: &PartySecrets,
        (id, bundle, accepted): Verified,
        leader: PartyId,
    ) -> Outcome {
        if self.held.contains_key(&id) {
            return Ok(Vec::new());
        }
        let (envelope, key) = (&bundle.envelope, bundle.envelope.key);
        let shard = envelope.shard;
        let context = self.epoch.shards[shard.0 as usize].clone();
        let uses = Uses::of(&context, &bundle);
        let open = |share| bundle.open_one(&context, (self.party, &secrets.kem), share).ok();
        let seeds = held(self.party).map(open);
        let one_chain = self.used.adopt(&bundle, accepted.spent);
        self.went_on.insert(key);
        let off = |held: &Held| {
            held.bundle.envelope.key == key && !self.used.on_chain(&key, &held.accepted.spent)
                || Used::clash(&held.uses, &uses)
        };
        let gone: Vec<_> = self.held.iter().filter(|(_, held)| off(held)).map(|(id, _)| *id).collect();
        let party = self.party;
        let mut effects = Vec::new();
        for other in gone {
            self.remove(other, Objection::Refused);
            let refusal = Refusal::Objected { party: leader };
            effects.push(Effect::Publish(Event::Refused { party, bundle: other, refusal }));
        }
        if !one_chain || self.used.any_final(&uses) {
            self.aside[shard.0 as usize].insert(id, (bundle, accepted));
            return Err(FaultReason::CountedTwice { bundle: id }.of_nobody());
        }
        self.used.take(&uses);
        self.refused.remove(&id);
        // It is too late to strike it.
        self.struck.remove(&id);
        let since = self.positions[shard.0 as usize];
        self.order[shard.0 as usize].push_back(id);
        self.held.insert(id, Held { bundle, accepted, seeds, uses, since });
        Ok(effects)
    }
}
