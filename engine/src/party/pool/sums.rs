//! A party's two shares of what the bundles of a batch add up to.

use super::{Held, Pool};
use crate::party::PartySecrets;
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    sharing::{
        BatchShare, Complaint, SHOWN_SHARE, SharePart, held, share_commitments, sums_open, wrong_seeds,
    },
    tally::{Group, Running},
};
use rand_core::OsRng;
use std::collections::BTreeMap;

/// What the bundles of one group add to the totals.
pub(in crate::party) struct GroupSum {
    pub(in crate::party) group: Group,
    /// Commitments to the three shares.
    commitments: [RistrettoPoint; 3],
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
        let context = self.epoch.shards[shard.0 as usize].clone();
        let (own, mut groups) = (held(self.party), BTreeMap::<_, Vec<_>>::new());
        for held in ids.iter().filter_map(|id| self.in_shard(shard, id)) {
            groups.entry(held.bundle.envelope.group()).or_default().push(held);
        }
        let sum = |(group, bundles): (Group, Vec<&Held>)| {
            let accepted: Vec<_> = bundles.iter().map(|held| &held.accepted).collect();
            let shares = [0, 1].map(|at| {
                let parts: Vec<_> = bundles.iter().map(|held| held.part(own[at], at)).collect();
                BatchShare::of(context.shard.width(), &parts)
            });
            GroupSum { group, commitments: share_commitments(&accepted), shares }
        };
        let sums: Vec<_> = groups.into_iter().map(sum).collect();
        let committed = |sum: &GroupSum| own.map(|share| sum.commitments[share.index()]);
        let pairs: Vec<_> = sums.iter().flat_map(|sum| committed(sum).into_iter().zip(&sum.shares)).collect();
        if sums_open(&context.works, &pairs, &mut OsRng) {
            return Ok(sums);
        }
        let complaints = self.drop_wrong_shares(secrets, shard, ids);
        assert!(!complaints.is_empty(), "shares that open add up to sums that open");
        Err(complaints)
    }

    /// Drops the bundles whose shares do not open, each with a complaint.
    fn drop_wrong_shares(
        &mut self,
        secrets: &PartySecrets,
        shard: ShardIndex,
        ids: &[Digest],
    ) -> Vec<Complaint> {
        let (context, own) = (self.epoch.shards[shard.0 as usize].clone(), held(self.party));
        let ids: Vec<_> = ids.iter().filter(|id| self.in_shard(shard, id).is_some()).collect();
        let pairs = |held: &'_ Held| own.map(|share| held.accepted.masks[share.index()]);
        let seeds = ids.iter().map(|id| &self.held[id]);
        let seeds: Vec<_> = seeds.flat_map(|held| pairs(held).into_iter().zip(&held.seeds)).collect();
        // Of a bundle with two wrong shares one is enough to complain of.
        let wrong: BTreeMap<_, _> = wrong_seeds(&context.works, &seeds, &mut OsRng)
            .into_iter()
            .rev()
            .map(|place| (*ids[place / 2], own[place % 2]))
            .collect();
        let complain = |(id, share): (&Digest, &PartyId)| {
            let held = &self.held[id];
            self.complain(secrets, &context, (*id, &held.bundle, &held.accepted), *share)
        };
        let complaints: Vec<_> = wrong.iter().map(complain).collect();
        wrong.into_keys().for_each(|id| self.strike(id));
        complaints
    }
}

impl Held {
    /// What the bundle adds to a share, whose seed is this party's own or the next.
    fn part(&self, share: PartyId, at: usize) -> SharePart<'_> {
        let proof = &self.bundle.proof;
        let response =
            (share == SHOWN_SHARE).then_some((&proof.vector_response[..], proof.blinding_response));
        SharePart { seed: &self.seeds[at], challenge: self.accepted.challenge, response }
    }
}
