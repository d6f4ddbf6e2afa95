//! The pool of a party: bundles whose proof holds, what they use up, and this party's shares of them.

use crate::{
    effect::Refusal,
    message::{Objection, OpenedEpoch},
    party::PartySecrets,
};
use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity};
use primitives::{Digest, PartyId, ShardIndex, Tier, limits};
use proofs::{
    bundle::Bundle,
    sharing::{ShareOpening, check, held},
    tally::{Group, Running},
    wire::WirePoint,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    pub(super) group: Group,
    commitments: [RistrettoPoint; 3],
    /// This party's two shares, own and next.
    pub(super) openings: [ShareOpening; 2],
    opened: bool,
    uses: Uses,
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
        bundle: &Bundle,
    ) -> Result<(), Refusal> {
        match self.check(secrets, bundle) {
            Ok(held) => {
                self.pseudonyms.extend(&held.uses.pseudonyms);
                self.receipts.extend(&held.uses.receipts);
                self.ephemerals.extend(held.uses.ephemerals);
                *self.bundles_of.entry(held.uses.key).or_default() += 1;
                self.keys_of.entry(held.group.tier).or_default().insert(held.uses.key);
                self.order[held.shard.0 as usize].push_back(id);
                self.held.insert(id, held);
                Ok(())
            }
            Err(refusal) => {
                let share = matches!(refusal, Refusal::Sealed(_));
                self.refused.insert(id, if share { Objection::Share } else { Objection::Refused });
                Err(refusal)
            }
        }
    }

    /// Checks what only a party can check: uses against what was used before, and that the shares can be read.
    fn check(&self, secrets: &PartySecrets, bundle: &Bundle) -> Result<Held, Refusal> {
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
            return Err(Refusal::Replay { event });
        }
        if let Some(receipt) = uses.receipts.iter().position(|r| self.receipts.contains(r)) {
            return Err(Refusal::SpentReceipt { receipt });
        }
        if let Some(share) =
            PartyId::ALL.into_iter().find(|s| self.ephemerals.contains(&uses.ephemerals[s.index()]))
        {
            return Err(Refusal::ReusedEphemeral { share });
        }
        let limit = self.epoch.max_bundles.get(&bundle.envelope.tier).copied().unwrap_or(0);
        if self.bundles_of.get(&uses.key).copied().unwrap_or(0) >= limit {
            return Err(Refusal::TooManyBundles { limit });
        }
        // "The number of distinct subscriber keys Y accepted for a tier may not exceed the subscriptions its revenue
        // record reports" (protocol notes, section 2).
        let (tier, keys) = (bundle.envelope.tier, self.keys_of.get(&bundle.envelope.tier));
        let sold = self.epoch.sold.get(&tier).copied().unwrap_or(0);
        let known = keys.is_some_and(|keys| keys.contains(&uses.key));
        if !known && keys.map_or(0, BTreeSet::len) as u64 >= sold {
            return Err(Refusal::Unsold { tier, sold });
        }
        // A total that held more pairs of a subscriber and an epoch could overflow a limb into the next.
        if !self.bundles_of.contains_key(&uses.key) && self.bundles_of.len() as u64 >= self.capacity {
            return Err(Refusal::EpochFull);
        }
        let sealing = context.sealing_context(&bundle.envelope);
        let openings = bundle.sealed.open(self.party, &secrets.kem, &sealing, context.shard.width())?;
        let mut commitments = [RistrettoPoint::identity(); 3];
        for (point, wire) in commitments.iter_mut().zip(&bundle.commitments) {
            *point = wire.decompress().expect("a verified bundle has commitments that are group elements");
        }
        Ok(Held { shard, group: bundle.envelope.group(), commitments, openings, opened: false, uses })
    }

    /// Drops a bundle that will not be counted, and gives back what it used: an honest one may come again. Its place
    /// among the subscriber's bundles is not given back, or bad ones would cost nothing.
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
        for ephemeral in &held.uses.ephemerals {
            self.ephemerals.remove(ephemeral);
        }
        true
    }

    /// Takes a bundle out that is final. What it used stays used.
    pub(super) fn settle(&mut self, id: &Digest) -> Option<Held> {
        let held = self.held.remove(id)?;
        self.order[held.shard.0 as usize].retain(|other| other != id);
        Some(held)
    }

    /// Checks this party's shares of those bundles of a shard that were not checked yet. Drops those whose share does not open
    /// its commitment, and names the share.
    pub(super) fn check_shares(&mut self, shard: ShardIndex, ids: &[Digest]) -> Vec<(Digest, PartyId)> {
        let (mut dropped, own) = (Vec::new(), held(self.party));
        let works = &self.epoch.shards[shard.0 as usize].clone().works;
        loop {
            let unchecked: Vec<_> = ids
                .iter()
                .filter(|id| self.held.get(id).is_some_and(|h| h.shard == shard && !h.opened))
                .collect();
            let list: Vec<_> = unchecked
                .iter()
                .flat_map(|id| {
                    let held = &self.held[id];
                    own.iter()
                        .zip(&held.openings)
                        .map(|(share, opening)| (held.commitments[share.index()], opening))
                })
                .collect();
            match check::check(works, &list, &mut rand_core::OsRng) {
                Ok(()) => {
                    for id in unchecked {
                        self.held.get_mut(id).expect("it was just there").opened = true;
                    }
                    return dropped;
                }
                Err(error) => {
                    let (id, share) = (*unchecked[error.place / 2], own[error.place % 2]);
                    self.remove(id, Objection::Share);
                    dropped.push((id, share));
                }
            }
        }
    }

    /// Running commitments after these bundles, all of which are in the pool.
    pub(super) fn running_after(&self, before: &Running, ids: &[Digest]) -> Running {
        let mut running = before.clone();
        for id in ids {
            let held = &self.held[id];
            running.add(held.group, &held.commitments);
        }
        running
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
            pool.admit(&secrets, bundle.id(), &bundle)
        };
        let mut first = TestSubscriber::new(1);
        assert_eq!(admit(&mut first, 1), Ok(()));
        assert_eq!(admit(&mut TestSubscriber::new(2), 1), Err(Refusal::EpochFull));
        assert_eq!(admit(&mut first, 2), Ok(()), "a known subscriber goes on");
    }
}
