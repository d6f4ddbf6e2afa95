//! What a party carries from epoch to epoch: its shares of usage that was not published (protocol notes, section 6.5).

use crate::party::line::Frozen;
use curve25519_dalek::ristretto::RistrettoPoint;
use mpc::share::{ReplicatedTotals, ShareSum};
use primitives::{CodecError, Decode, Encode, PartyId, Reader, ShardIndex, Tier, WorkId, Writer, limits};
use proofs::{
    epoch::EpochContext,
    shard::Shard,
    tally::{
        Group, Residual, Running,
        statement::{Cells, TierCells},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

/// A party's shares of what one shard carries over, by group. Commitments to their sums are on record.
#[derive(Clone, PartialEq, Eq)]
pub struct Carried {
    pub(super) works: Vec<WorkId>,
    pub(super) totals: ReplicatedTotals<Group>,
    /// Commitments to all three shares of each group, as the parties agreed on them.
    pub(super) commitments: Running,
}

/// What a party carries over, by shard, where its host keeps it. The epoch before may add to it while the next one takes
/// bundles in.
#[derive(Clone, Debug, Default)]
pub struct CarriedOver(Arc<Mutex<BTreeMap<ShardIndex, Vec<Carried>>>>);

impl From<BTreeMap<ShardIndex, Vec<Carried>>> for CarriedOver {
    fn from(carried: BTreeMap<ShardIndex, Vec<Carried>>) -> Self {
        Self(Arc::new(Mutex::new(carried)))
    }
}

impl CarriedOver {
    /// What is kept of a shard.
    pub fn of(&self, shard: ShardIndex) -> Vec<Carried> {
        self.lock().get(&shard).cloned().unwrap_or_default()
    }

    /// Whoever's shares are among what is kept.
    pub fn parties(&self) -> BTreeSet<PartyId> {
        self.lock().values().flatten().map(Carried::party).collect()
    }

    /// Keeps what is carried of a shard, in place of what was.
    pub fn put(&self, shard: ShardIndex, carried: Vec<Carried>) {
        self.lock().insert(shard, carried);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ShardIndex, Vec<Carried>>> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

impl Encode for Carried {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.works);
        self.totals.encode(w);
        self.commitments.encode(w);
    }
}

impl Decode for Carried {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (works, totals) = (r.seq(limits::MAX_SHARD_WIDTH)?, ReplicatedTotals::decode(r)?);
        Ok(Self { works, totals, commitments: Running::decode(r)? })
    }
}

impl Carried {
    /// The party in whose seat the shares are.
    pub fn party(&self) -> PartyId {
        self.totals.party()
    }

    /// What is on record, among what a party kept of a shard; nothing, if it has none of it.
    pub(super) fn on_record(
        party: PartyId,
        kept: &[Self],
        context: &EpochContext,
        before: &Residual,
    ) -> Self {
        let found = kept.iter().rev().find(|carried| carried.opens(context, before));
        found.cloned().unwrap_or_else(|| Self::none(party))
    }

    /// Nothing is carried.
    pub fn none(party: PartyId) -> Self {
        let totals = ReplicatedTotals::new(party, 0);
        Self { works: Vec::new(), totals, commitments: Running::default() }
    }

    /// The shares with one entry for each index of the shard as it is in this epoch: works keep their shard, and others
    /// may have come between them.
    pub(super) fn laid_out(&self, shard: &Shard) -> ReplicatedTotals<Group> {
        let from = |index: usize| self.works.binary_search(shard.works().get(index)?).ok();
        self.totals.laid_out(&(0..shard.width()).map(from).collect::<Vec<_>>())
    }

    /// Whether the shares open what is on record of the shard, in every tier.
    pub(super) fn opens(&self, context: &EpochContext, before: &Residual) -> bool {
        let totals = self.laid_out(&context.shard);
        // Of a tier that is not on record nothing was kept, or it is of an epoch that was given up.
        self.totals.groups().all(|group| before.iter().any(|(tier, _)| tier == group.tier))
            && before.iter().all(|(tier, commitments)| tier_opens(context, &totals, tier, commitments))
    }

    /// What is left of all shares when cells were opened: of the tiers in which bundles were counted, those that stay
    /// closed; of others everything.
    pub(super) fn after(
        frozen: &Frozen,
        mut all: ReplicatedTotals<Group>,
        tiers: &[(TierCells, Cells)],
    ) -> Self {
        for (tier, cells) in tiers {
            all.clear(|group| group.tier == tier.tier, &cells.opened);
        }
        let works = frozen.context.shard.works().to_vec();
        Self { works, totals: all, commitments: Running::default() }
    }
}

/// Which of a party's two shares of some groups together does not open the commitment to it, if one does not.
pub(super) fn unopened(
    context: &EpochContext,
    totals: &ReplicatedTotals<Group>,
    of: impl Fn(&Group) -> bool,
    commitments: &[RistrettoPoint; 3],
) -> Option<PartyId> {
    let shares = [totals.party(), totals.party().next()].into_iter().zip(totals.sum(of));
    let opens = |(share, sum): &(PartyId, ShareSum)| {
        context.works.commit(&sum.entries, &sum.blinding) == commitments[share.index()]
    };
    shares.into_iter().find(|share| !opens(share)).map(|(share, _)| share)
}

/// Whether both of a party's shares of a tier, over its regions, open the commitments to them.
pub(super) fn tier_opens(
    context: &EpochContext,
    totals: &ReplicatedTotals<Group>,
    tier: Tier,
    commitments: &[RistrettoPoint; 3],
) -> bool {
    unopened(context, totals, |group| group.tier == tier, commitments).is_none()
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carried({} works)", self.works.len())
    }
}
