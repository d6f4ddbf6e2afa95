//! The pool of a party: bundles whose proof holds, what they use up, and this party's shares of them.

use crate::{
    effect::Refusal,
    message::{Objection, OpenedEpoch},
    party::PartySecrets,
};
use curve25519_dalek::scalar::Scalar;
use primitives::{Digest, PartyId, ShardIndex, Tier, limits};
use proofs::{
    bundle::Bundle,
    epoch::EpochContext,
    sharing::{
        Accepted, Complaint, ComplaintError, SHOWN_SHARE, SharePart, ShareSeed, check, held,
        share_commitments, sum_shares,
    },
    tally::{Group, Running},
    wire::WirePoint,
};
use rand_core::OsRng;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// Most complaints of one party that wait for their bundle. An honest party complains of what it has sent on to nobody but its own
/// pool, so that few wait; whoever sends more is not believed.
const MAX_EARLY_COMPLAINTS: usize = 1024;

/// What a bundle uses up: each of these counts once in an epoch.
struct Uses {
    pseudonyms: Vec<Digest>,
    receipts: Vec<Digest>,
    ephemerals: [WirePoint; 3],
    key: WirePoint,
}

/// A bundle that holds, until it is in a batch.
pub(super) struct Held {
    shard: ShardIndex,
    group: Group,
    bundle: Arc<Bundle>,
    accepted: Accepted,
    /// Seeds of this party's two shares, own and next.
    seeds: [ShareSeed; 2],
    opened: bool,
    uses: Uses,
}

impl Held {
    fn of<'a>(id: Digest, bundle: &'a Bundle, accepted: &'a Accepted) -> (Digest, &'a Bundle, &'a Accepted) {
        (id, bundle, accepted)
    }
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
    /// The bundle has not come yet: it is judged when it does.
    Later,
    /// The bundle is gone already, or too many complaints wait.
    Moot,
    /// It does not hold.
    False(ComplaintError),
}

/// State of a pool.
pub(super) struct Pool {
    party: PartyId,
    epoch: OpenedEpoch,
    /// Bundles that wait, of each shard. What they use up counts over all shards together.
    order: Vec<VecDeque<Digest>>,
    held: BTreeMap<Digest, Held>,
    refused: BTreeMap<Digest, Objection>,
    pseudonyms: BTreeSet<Digest>,
    receipts: BTreeSet<Digest>,
    ephemerals: BTreeSet<WirePoint>,
    bundles_of: BTreeMap<WirePoint, u16>,
    /// `Cum` after the last bundle of each subscriber that was ever in the pool, of whatever shard. It is not taken back
    /// with a bundle that is dropped: a subscriber has one chain of values, and no second branch of it.
    spent_of: BTreeMap<WirePoint, WirePoint>,
    /// Complaints of bundles that have not come yet, by who showed them.
    early: BTreeMap<(Digest, PartyId), Complaint>,
    /// Bundles in final batches: it is too late to complain of them.
    settled: BTreeSet<Digest>,
    /// Bundles of which a complaint holds.
    struck: BTreeSet<Digest>,
    /// Subscribers of each tier. A place is not given back with a bundle that is left out: who paid has a place.
    keys_of: BTreeMap<Tier, BTreeSet<WirePoint>>,
    /// Most subscribers of an epoch.
    capacity: u64,
}

impl Pool {
    pub(super) fn new(party: PartyId, epoch: OpenedEpoch) -> Self {
        Self {
            party,
            order: vec![VecDeque::new(); epoch.shards.len()],
            epoch,
            held: BTreeMap::new(),
            refused: BTreeMap::new(),
            pseudonyms: BTreeSet::new(),
            receipts: BTreeSet::new(),
            ephemerals: BTreeSet::new(),
            bundles_of: BTreeMap::new(),
            spent_of: BTreeMap::new(),
            early: BTreeMap::new(),
            settled: BTreeSet::new(),
            struck: BTreeSet::new(),
            keys_of: BTreeMap::new(),
            capacity: limits::MAX_SUBSCRIBER_EPOCHS,
        }
    }

    /// Bundles of a shard that wait, in the order in which they came.
    pub(super) fn waiting(&self, shard: ShardIndex) -> &VecDeque<Digest> {
        &self.order[shard.0 as usize]
    }

    /// Why a bundle is not in the pool, or not in this shard; `None` if it is.
    pub(super) fn objection(&self, shard: ShardIndex, id: &Digest) -> Option<Objection> {
        match self.held.get(id) {
            Some(held) if held.shard == shard => None,
            // Its shares are of other works: it would add up to nothing here.
            Some(_) => Some(Objection::Refused),
            None => Some(self.refused.get(id).copied().unwrap_or(Objection::Unknown)),
        }
    }

    /// Takes a bundle in, or remembers why not.
    pub(super) fn admit(
        &mut self,
        secrets: &PartySecrets,
        id: Digest,
        (bundle, accepted): (Arc<Bundle>, Accepted),
    ) -> Result<(), Rejected> {
        let (envelope, ephemerals) = (bundle.envelope.clone(), bundle.sealed.ephemerals);
        match self.check(secrets, id, bundle, accepted) {
            Ok(held) => {
                self.pseudonyms.extend(&held.uses.pseudonyms);
                self.receipts.extend(&held.uses.receipts);
                self.ephemerals.extend(held.uses.ephemerals);
                *self.bundles_of.entry(held.uses.key).or_default() += 1;
                self.spent_of.insert(held.uses.key, held.accepted.spent);
                self.keys_of.entry(held.group.tier).or_default().insert(held.uses.key);
                self.order[held.shard.0 as usize].push_back(id);
                self.held.insert(id, held);
                Ok(())
            }
            Err(rejected) => {
                let share = rejected.complaint.is_some();
                if share {
                    // The others took it in before they heard of it: the subscriber's chain goes on for all alike.
                    self.ephemerals.extend(ephemerals);
                    *self.bundles_of.entry(envelope.key).or_default() += 1;
                    self.keys_of.entry(envelope.tier).or_default().insert(envelope.key);
                    self.spent_of.insert(envelope.key, accepted.spent);
                }
                self.refused.insert(id, if share { Objection::Share } else { Objection::Refused });
                Err(rejected)
            }
        }
    }

    /// Checks what only a party can check: uses against what was used before, and that the shares can be read.
    fn check(
        &self,
        secrets: &PartySecrets,
        id: Digest,
        bundle: Arc<Bundle>,
        accepted: Accepted,
    ) -> Result<Held, Rejected> {
        let shard = bundle.envelope.shard;
        let context = self.epoch.context(shard).ok_or(Refusal::UnknownShard { shard })?;
        let uses = Uses {
            pseudonyms: bundle.pseudonyms(context),
            receipts: match bundle.envelope.region.0 {
                Some(region) => {
                    bundle.receipts.iter().map(|r| r.spent(region, &bundle.envelope.key)).collect()
                }
                None => Vec::new(),
            },
            ephemerals: bundle.sealed.ephemerals,
            key: bundle.envelope.key,
        };
        // "unique_events = unique(P_{w,j})" (spec 7.2): all events of a bundle are new, or none counts.
        if let Some(event) = uses.pseudonyms.iter().position(|p| self.pseudonyms.contains(p)) {
            return Err(Refusal::Replay { event }.into());
        }
        if let Some(receipt) = uses.receipts.iter().position(|r| self.receipts.contains(r)) {
            return Err(Refusal::SpentReceipt { receipt }.into());
        }
        if let Some(share) =
            PartyId::ALL.into_iter().find(|s| self.ephemerals.contains(&uses.ephemerals[s.index()]))
        {
            return Err(Refusal::ReusedEphemeral { share }.into());
        }
        let limit = self.epoch.max_bundles.get(&bundle.envelope.tier).copied().unwrap_or(0);
        if self.bundles_of.get(&uses.key).copied().unwrap_or(0) >= limit {
            return Err(Refusal::TooManyBundles { limit }.into());
        }
        // "Cum_n = Cum_(n-1) + C_val": what was spent before is what the pool knows, or a subscriber could show the cap of
        // one branch after the other.
        let spent = self.spent_of.get(&uses.key).copied().unwrap_or_default();
        if bundle.previous != spent {
            return Err(Refusal::SpentElsewhere.into());
        }
        // "The number of distinct subscriber keys Y accepted for a tier may not exceed the subscriptions its revenue
        // record reports" (protocol notes, section 2).
        let (tier, keys) = (bundle.envelope.tier, self.keys_of.get(&bundle.envelope.tier));
        let sold = self.epoch.sold.get(&tier).copied().unwrap_or(0);
        let known = keys.is_some_and(|keys| keys.contains(&uses.key));
        if !known && keys.map_or(0, BTreeSet::len) as u64 >= sold {
            return Err(Refusal::Unsold { tier, sold }.into());
        }
        // A total that held more pairs of a subscriber and an epoch could overflow a limb into the next.
        if !self.bundles_of.contains_key(&uses.key) && self.bundles_of.len() as u64 >= self.capacity {
            return Err(Refusal::EpochFull.into());
        }
        let sealing = context.sealing_context(&bundle.envelope);
        let (shard, group) = (bundle.envelope.shard, bundle.envelope.group());
        match bundle.sealed.open(self.party, &secrets.kem, &sealing) {
            Ok(seeds) => Ok(Held { shard, group, bundle, accepted, seeds, opened: false, uses }),
            Err(error) => {
                let about = Held::of(id, &bundle, &accepted);
                let complaint = self.complain(secrets, context, about, error.share());
                Err(Rejected { refusal: error.into(), complaint: Some(Box::new(complaint)) })
            }
        }
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
        let Some(held) = self.held.get(&id) else {
            let room = self.early.keys().filter(|(_, by)| *by == from).count() < MAX_EARLY_COMPLAINTS;
            let gone = [&self.struck, &self.settled].iter().any(|ids| ids.contains(&id));
            if self.refused.contains_key(&id) || gone || !room {
                return Judgement::Moot;
            }
            self.early.insert((id, from), complaint.clone());
            return Judgement::Later;
        };
        // Proposals of another shard may hold it: there it is to be complained of.
        if held.shard != shard {
            return Judgement::False(ComplaintError::OtherBundle);
        }
        let context = &self.epoch.shards[held.shard.0 as usize];
        match complaint.verify(context, Held::of(id, &held.bundle, &held.accepted)) {
            Ok(_) => {
                self.struck.insert(id);
                Judgement::Holds
            }
            Err(error) => Judgement::False(error),
        }
    }

    /// Complaints that came before their bundle, and who showed them.
    pub(super) fn early_complaints(&mut self, id: &Digest) -> Vec<(PartyId, Complaint)> {
        let shown = |party: PartyId| Some((party, self.early.remove(&(*id, party))?));
        PartyId::ALL.into_iter().filter_map(shown).collect()
    }

    /// Whether a complaint of a bundle holds.
    pub(super) fn is_struck(&self, id: &Digest) -> bool {
        self.struck.contains(id)
    }

    /// Drops a bundle that will not be counted, and gives back its tags and receipts: an honest device may hand them in
    /// again. Its ephemerals stay used, as a complaint may have shown their secrets, and its place among the
    /// subscriber's bundles is not given back, or bad ones would cost nothing.
    pub(super) fn remove(&mut self, id: Digest, objection: Objection) -> bool {
        let Some(held) = self.held.remove(&id) else { return false };
        self.order[held.shard.0 as usize].retain(|other| *other != id);
        self.refused.insert(id, objection);
        for pseudonym in &held.uses.pseudonyms {
            self.pseudonyms.remove(pseudonym);
        }
        for receipt in &held.uses.receipts {
            self.receipts.remove(receipt);
        }
        true
    }

    /// Checks this party's shares of those bundles of a shard that were not checked yet. Drops those whose share does
    /// not open its commitment, with a complaint of each.
    pub(super) fn check_shares(
        &mut self,
        secrets: &PartySecrets,
        shard: ShardIndex,
        ids: &[Digest],
    ) -> Vec<Complaint> {
        let (mut dropped, own) = (Vec::new(), held(self.party));
        let context = self.epoch.shards[shard.0 as usize].clone();
        loop {
            let unchecked: Vec<_> = ids
                .iter()
                .filter(|id| self.held.get(id).is_some_and(|h| h.shard == shard && !h.opened))
                .collect();
            let pairs = |held: &'_ Held| own.map(|share| held.accepted.masks[share.index()]);
            let list: Vec<_> = unchecked
                .iter()
                .map(|id| &self.held[id])
                .flat_map(|held| pairs(held).into_iter().zip(&held.seeds))
                .collect();
            match check::check(&context.works, &list, &mut OsRng) {
                Ok(()) => {
                    for id in unchecked {
                        self.held.get_mut(id).expect("it was just there").opened = true;
                    }
                    return dropped;
                }
                Err(error) => {
                    let (id, share) = (*unchecked[error.place / 2], own[error.place % 2]);
                    let held = &self.held[&id];
                    let about = Held::of(id, &held.bundle, &held.accepted);
                    dropped.push(self.complain(secrets, &context, about, share));
                    self.struck.insert(id);
                    self.remove(id, Objection::Share);
                }
            }
        }
    }

    /// The bundles of a batch, all of which are in the pool, by their groups.
    fn by_group(&self, ids: &[Digest]) -> BTreeMap<Group, Vec<&Held>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for id in ids {
            let held = &self.held[id];
            groups.entry(held.group).or_default().push(held);
        }
        groups
    }

    /// Running commitments after these bundles, all of which are in the pool.
    pub(super) fn running_after(&self, before: &Running, ids: &[Digest]) -> Running {
        let mut running = before.clone();
        for (group, held) in self.by_group(ids) {
            let accepted: Vec<_> = held.iter().map(|held| &held.accepted).collect();
            running.add(group, &share_commitments(&accepted));
        }
        running
    }

    /// Takes the bundles of a batch out, which is final, and gives this party's two shares of their sums, by group.
    /// What they used stays used.
    pub(super) fn settle(&mut self, ids: &[Digest]) -> Vec<(Group, [ShareSum; 2])> {
        let own = held(self.party);
        let sum = |(group, held): (Group, Vec<&Held>)| {
            let width = held[0].bundle.proof.vector_response.len();
            let sums = [0, 1].map(|at| {
                let parts: Vec<_> = held.iter().map(|held| held.part(own[at], at)).collect();
                sum_shares(width, &parts)
            });
            (group, sums)
        };
        let sums = self.by_group(ids).into_iter().map(sum).collect();
        for id in ids {
            if let Some(held) = self.held.remove(id) {
                self.settled.insert(*id);
                self.order[held.shard.0 as usize].retain(|other| other != id);
            }
        }
        sums
    }
}

/// One share of a sum: entries, and blinding factor.
type ShareSum = (Vec<Scalar>, Scalar);

impl Held {
    /// What the bundle adds to a share, whose seed is this party's own or the next.
    fn part(&self, share: PartyId, at: usize) -> SharePart<'_> {
        let proof = &self.bundle.proof;
        let response =
            (share == SHOWN_SHARE).then_some((&proof.vector_response[..], proof.blinding_response));
        SharePart { seed: &self.seeds[at], challenge: self.accepted.challenge, response }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofs::testing::{TestSubscriber, committee, context, event};
    use std::sync::Arc;

    #[test]
    fn intake_stops_at_the_bound_that_keeps_limbs_apart() {
        let keys = committee(11);
        let context = context(&keys, 10, primitives::Preset::Spec.params());
        let [signer, ..] = keys.signers;
        let [kem, ..] = keys.kem;
        let secrets = PartySecrets { signer, kem };
        let max_bundles = [(Tier(1), 2)].into();
        let shards = Arc::new([Arc::new(context)]);
        let sold = [(Tier(1), 9)].into();
        let epoch = OpenedEpoch { shards, max_bundles: Arc::new(max_bundles), sold: Arc::new(sold) };
        let mut pool = Pool::new(PartyId::ALL[0], epoch.clone());
        pool.capacity = 1;
        let mut admit = |subscriber: &mut TestSubscriber, work| {
            let bundle = subscriber.bundle(&epoch.shards[0], vec![event(work, 0, false)]);
            let accepted = proofs::bundle::verify(&epoch.shards[0], &bundle).expect("an honest bundle");
            pool.admit(&secrets, bundle.id(), (Arc::new(bundle), accepted)).map_err(|r| r.refusal)
        };
        let mut first = TestSubscriber::new(1);
        assert_eq!(admit(&mut first, 1), Ok(()));
        assert_eq!(admit(&mut TestSubscriber::new(2), 1), Err(Refusal::EpochFull));
        assert_eq!(admit(&mut first, 2), Ok(()), "a known subscriber goes on");
    }
}
