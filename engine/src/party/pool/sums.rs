//! A party's two shares of what the bundles of a batch add up to.

use super::{Held, Pool};
use crate::party::PartySecrets;
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::Bundle,
    sharing::{
        Accepted, BatchShare, Complaint, SHOWN_SHARE, SharePart, ShareSeed, held, share_commitments,
        sums_open, wrong_seeds,
    },
    tally::{Group, Running},
};
use rand_core::OsRng;
use std::collections::BTreeMap;

/// What the bundles of one group add to the totals.
pub(in crate::party) struct GroupSum {
    pub(in crate::party) group: Group,
    /// Commitments to the three shares.
    pub(in crate::party) commitments: [RistrettoPoint; 3],
    /// This party's shares, own and next.
    pub(in crate::party) shares: [BatchShare; 2],
}

/// Running commitments after a batch.
pub(in crate::party) fn running_after(before: &Running, sums: &[GroupSum]) -> Running {
    let mut running = before.clone();
    sums.iter().for_each(|sum| running.add(sum.group, &sum.commitments));
    running
}

impl Pool {
    /// This party's sums over those of the bundles that are in the pool of a shard. What it cannot read is not in them.
    fn add_up(&self, shard: ShardIndex, ids: &[Digest]) -> Vec<GroupSum> {
        let (width, own) = (self.epoch.shards[shard.0 as usize].shard.width(), held(self.party));
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for held in ids.iter().filter_map(|id| self.in_shard(shard, id)) {
            groups.entry(held.bundle.envelope.group()).or_default().push(held);
        }
        let sum = |(group, bundles): (Group, Vec<&Held>)| {
            let accepted: Vec<_> = bundles.iter().map(|held| &held.accepted).collect();
            let shares = [0, 1].map(|at| {
                let parts: Vec<_> = bundles.iter().filter_map(|held| held.part(own[at], at)).collect();
                BatchShare::of(width, &parts)
            });
            GroupSum { group, commitments: share_commitments(&accepted), shares }
        };
        groups.into_iter().map(sum).collect()
    }

    /// Whether all sums open what was committed to.
    fn all_open(&self, shard: ShardIndex, sums: &[GroupSum]) -> bool {
        let own = held(self.party);
        let committed = |sum: &GroupSum| own.map(|share| sum.commitments[share.index()]);
        let pairs: Vec<_> = sums.iter().flat_map(|sum| committed(sum).into_iter().zip(&sum.shares)).collect();
        sums_open(&self.epoch.shards[shard.0 as usize].works, &pairs, &mut OsRng)
    }

    /// Adds up this party's shares of those of the bundles that are in the pool of a shard, and checks that the sums
    /// open what was committed to.
    ///
    /// # Errors
    /// If they do not, those bundles are dropped whose shares are to blame, with a complaint of each.
    pub(in crate::party) fn sum_shares(
        &mut self,
        secrets: &PartySecrets,
        shard: ShardIndex,
        ids: &[Digest],
    ) -> Result<Vec<GroupSum>, Vec<Complaint>> {
        let sums = self.add_up(shard, ids);
        if self.all_open(shard, &sums) {
            return Ok(sums);
        }
        // Of a bundle with two wrong shares one is enough to complain of.
        let wrong: BTreeMap<_, _> = self.wrong_shares(shard, ids).into_iter().rev().collect();
        assert!(!wrong.is_empty(), "shares that open add up to sums that open");
        let complaints: Vec<_> = wrong.iter().map(|about| self.complain_of(secrets, about)).collect();
        complaints.iter().for_each(|complaint| self.strike(complaint));
        Err(complaints)
    }

    /// The same over bundles of a batch that is final: nothing is dropped. For each sum that does not open there is a
    /// complaint of one share in it.
    pub(in crate::party) fn sum_final(
        &self,
        secrets: &PartySecrets,
        shard: ShardIndex,
        ids: &[Digest],
    ) -> (Vec<GroupSum>, Vec<Complaint>) {
        let sums = self.add_up(shard, ids);
        if self.all_open(shard, &sums) {
            return (sums, Vec::new());
        }
        let works = &self.epoch.shards[shard.0 as usize].works;
        let mut complaints = Vec::new();
        for GroupSum { group, commitments, shares } in &sums {
            for (share, sum) in held(self.party).into_iter().zip(shares) {
                if !sum.opens(works, &commitments[share.index()], &mut OsRng) {
                    let of_group = |id: &&Digest| self.held[*id].bundle.envelope.group() == *group;
                    let ids: Vec<_> = ids.iter().filter(of_group).copied().collect();
                    let wrong = self.wrong_shares(shard, &ids).into_iter().find(|(_, of)| *of == share);
                    let about = wrong.expect("shares that open add up to sums that open");
                    complaints.push(self.complain_of(secrets, (&about.0, &about.1)));
                }
            }
        }
        (sums, complaints)
    }

    /// Shares of bundles of the pool that this party cannot read or that do not open, in their order.
    fn wrong_shares(&self, shard: ShardIndex, ids: &[Digest]) -> Vec<(Digest, PartyId)> {
        let (mut wrong, mut pairs, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let ids = ids.iter().filter_map(|id| Some((*id, self.in_shard(shard, id)?)));
        for (place, (id, bundle)) in ids.enumerate() {
            for (share, seed) in held(self.party).into_iter().zip(&bundle.seeds) {
                match seed {
                    Some(seed) => {
                        pairs.push((bundle.accepted.masks[share.index()], seed));
                        places.push((place, id, share));
                    }
                    None => wrong.push((place, id, share)),
                }
            }
        }
        let works = &self.epoch.shards[shard.0 as usize].works;
        wrong.extend(wrong_seeds(works, &pairs, &mut OsRng).into_iter().map(|at| places[at]));
        wrong.sort_by_key(|(place, ..)| *place);
        wrong.into_iter().map(|(_, id, share)| (id, share)).collect()
    }

    fn complain_of(&self, secrets: &PartySecrets, (id, share): (&Digest, &PartyId)) -> Complaint {
        let held = &self.held[id];
        let context = &self.epoch.shards[held.bundle.envelope.shard.0 as usize];
        self.complain(secrets, context, (*id, &held.bundle, &held.accepted), *share)
    }
}

/// What a bundle adds to a share, of which this is the seed.
pub(super) fn part<'a>(
    bundle: &'a Bundle,
    accepted: &Accepted,
    (share, seed): (PartyId, &'a ShareSeed),
) -> SharePart<'a> {
    let proof = &bundle.proof;
    let response = (share == SHOWN_SHARE).then_some((&proof.vector_response[..], proof.blinding_response));
    SharePart { seed, challenge: accepted.challenge, response }
}

impl Held {
    /// What the bundle adds to a share, whose seed is this party's own or the next.
    fn part(&self, share: PartyId, at: usize) -> Option<SharePart<'_>> {
        Some(part(&self.bundle, &self.accepted, (share, self.seeds[at].as_ref()?)))
    }
}
