//! A shard's chain of batches: proposals, votes, what the chain anchored, and this party's shares of the sums.
//!
//! The leader of a position proposes the next bundles of its pool, in order. The others vote when they hold every one
//! of them, checked both their shares of each, and come to the same running commitments; otherwise they say which
//! bundle they object to, and the leader proposes again without it. A header with its signatures goes to the chain, and
//! what the chain has anchored is final.
//!
//! For now the leader waits for both other parties: one that is away halts the epoch until it is back.

mod ballot;
mod complaints;

use crate::{
    effect::{Effect, Event, Refusal},
    message::{Address, Message, Objection, PeerMessage, Report},
    party::{
        PartySecrets,
        collect::{Fault, FaultReason, LEFT_OUT_PART, Outcome},
        pool::{GroupSum, Pool, running_after},
    },
};
use ballot::Ballot;
use mpc::share::ReplicatedTotals;
use primitives::{Digest, PartyId, ShardIndex, limits};
use proofs::{
    epoch::EpochContext,
    tally::{
        BatchHeader, EpochRoot, Group, Running, SignedHeader,
        header::{batch_root, leader},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// What a leader proposes: a header, and the bundles of its batch in order.
struct Offer {
    header: BatchHeader,
    ids: Vec<Digest>,
}

/// A proposal that this party voted for, or made, with its shares of what the batch adds up to.
struct Proposal {
    header: BatchHeader,
    ids: Vec<Digest>,
    sums: Vec<GroupSum>,
}

/// What all shards of a party share: the pool, and its keys.
pub(super) struct Desk<'a> {
    pub(super) pool: &'a mut Pool,
    pub(super) secrets: &'a PartySecrets,
}

/// One shard's chain of batches, as a party sees it.
pub(super) struct Line {
    party: PartyId,
    context: Arc<EpochContext>,
    shard: ShardIndex,
    batch: usize,
    closed: bool,

    position: u64,
    view: u32,
    last: Digest,
    running: Running,
    totals: ReplicatedTotals<Group>,
    proposal: Option<Proposal>,
    ballot: Option<Ballot>,
    /// A proposal that names bundles which are still on their way.
    deferred: Option<Offer>,
    /// A proposal for the next position, from a leader that heard of the last anchor first.
    early: Option<Offer>,
    /// Bundles in final batches.
    counted: u64,
    /// Bundles that held for this party and were left out because of what others said.
    left_out: u64,
}

/// What is left of a shard when nothing more is taken: the frozen set, and this party's shares of its totals.
pub struct Frozen {
    /// Public context of the shard.
    pub context: Arc<EpochContext>,
    /// The party.
    pub party: PartyId,
    /// The root.
    pub root: EpochRoot,
    /// Running commitments.
    pub running: Running,
    /// Shares of the totals.
    pub totals: ReplicatedTotals<Group>,
}

impl Line {
    /// Begins a shard, in batches of `batch` bundles.
    pub(super) fn new(party: PartyId, context: Arc<EpochContext>, batch: usize) -> Self {
        let totals = ReplicatedTotals::new(party, context.shard.width());
        Self {
            party,
            shard: context.shard.index(),
            context,
            batch: batch.clamp(1, limits::MAX_BATCH),
            closed: false,
            position: 0,
            view: 0,
            last: Digest::default(),
            running: Running::default(),
            totals,
            proposal: None,
            ballot: None,
            deferred: None,
            early: None,
            counted: 0,
            left_out: 0,
        }
    }

    /// Nothing more will come from the verifier.
    pub(super) fn close(&mut self, desk: &mut Desk<'_>) -> Outcome {
        self.closed = true;
        self.move_on(desk)
    }

    fn refuse(&self, bundle: Digest, refusal: Refusal) -> Effect {
        Effect::Publish(Event::Refused { party: self.party, bundle, refusal })
    }

    /// Leaves out a bundle that held for this party, because of what another said.
    fn leave_out(
        &mut self,
        desk: &mut Desk<'_>,
        id: Digest,
        objection: Objection,
        party: PartyId,
    ) -> Option<Effect> {
        if !desk.pool.remove(id, objection) {
            return None;
        }
        // Evidence needs no bound: nobody can have an honest bundle left out by it.
        self.left_out += u64::from(desk.pool.struck_by(&id).is_none());
        Some(self.refuse(id, Refusal::Objected { party }))
    }

    /// Whatever can be done now: answer a proposal that waited, propose, or report that nothing waits.
    pub(super) fn move_on(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let mut effects = Vec::new();
        for Offer { header, ids } in [self.deferred.take(), self.early.take()].into_iter().flatten() {
            effects.extend(self.proposed(desk, header.leader(), (header, ids))?);
        }
        // One proposal a position: the votes may all be in while the chain has not answered yet.
        if leader(self.position) == self.party && self.proposal.is_none() {
            effects.extend(self.propose(desk));
        }
        // A leader with a proposal under way still has its bundles in the pool, so it says that they wait.
        if self.closed {
            let report = Report::Drained {
                shard: self.shard,
                position: self.position,
                pending: desk.pool.waiting(self.shard).len(),
            };
            effects.push(Effect::Send(Address::Coordinator, Message::Report(report)));
        }
        Ok(effects)
    }

    /// Proposes the next full batch, or the last one once the door is closed.
    fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        loop {
            let waiting = desk.pool.waiting(self.shard);
            if waiting.is_empty() || (waiting.len() < self.batch && !self.closed) {
                return effects;
            }
            let ids: Vec<_> = waiting.iter().take(self.batch).copied().collect();
            match desk.pool.sum_shares(desk.secrets, self.shard, &ids) {
                Ok(sums) => {
                    effects.extend(self.put_forward(desk, ids, sums));
                    return effects;
                }
                Err(complaints) => effects.extend(self.drop_with(&complaints)),
            }
        }
    }

    /// Passes the lead on by a batch of nothing: others still have bundles to propose, and this leader has none.
    pub(super) fn pass(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let idle = self.proposal.is_none() && desk.pool.waiting(self.shard).is_empty();
        let passes = self.closed && idle && leader(self.position) == self.party;
        Ok(if passes { self.put_forward(desk, Vec::new(), Vec::new()) } else { Vec::new() })
    }

    fn put_forward(&mut self, desk: &Desk<'_>, ids: Vec<Digest>, sums: Vec<GroupSum>) -> Vec<Effect> {
        let context = &self.context;
        let header = BatchHeader {
            chain: context.chain,
            epoch: context.epoch,
            shard: self.shard,
            view: self.view,
            position: self.position,
            previous: self.last,
            batch_root: batch_root(&ids),
            count: ids.len() as u32,
            running: running_after(&self.running, &sums),
        };
        self.ballot = Some(Ballot::new(self.party, desk.secrets.signer.sign(&header.signing_digest())));
        let message = PeerMessage::Propose(header.clone(), ids.clone());
        self.proposal = Some(Proposal { header, ids, sums });
        let shard = self.shard;
        [self.party.next(), self.party.previous()]
            .map(|peer| Effect::peer(peer, shard, message.clone()))
            .into()
    }

    /// Whether a header is of this chain, goes on from its last one, and is of these bundles.
    fn fits(&self, header: &BatchHeader, ids: &[Digest]) -> bool {
        let context = &self.context;
        let place = (header.chain, header.epoch, header.shard);
        // A batch of nothing passes the lead on, once nothing more comes in.
        let sizes = usize::from(!self.closed)..=limits::MAX_BATCH;
        place == (context.chain, context.epoch, self.shard)
            && sizes.contains(&ids.len())
            && header.count as usize == ids.len()
            && header.batch_root == batch_root(ids)
            && ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
            && (header.position != self.position || header.previous == self.last)
    }

    /// A leader proposes a batch.
    pub(super) fn proposed(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        (header, ids): (BatchHeader, Vec<Digest>),
    ) -> Outcome {
        if header.leader() != from {
            return Err(FaultReason::NotLeader.of(from));
        }
        if !self.fits(&header, &ids) {
            return Err(FaultReason::Header.of(from));
        }
        if header.position != self.position {
            // The next leader may have heard of the last anchor first. Whatever else is of no use.
            if header.position == self.position + 1 {
                self.early = Some(Offer { header, ids });
            }
            return Ok(Vec::new());
        }
        let mut effects = Vec::new();
        if let Some(before) = &self.proposal {
            if before.header == header {
                return Ok(effects);
            }
            // An honest leader proposes anew at one position only with a larger view.
            if header.view <= before.header.view {
                return Err(FaultReason::Equivocation.of(from));
            }
        }
        let unknown = |id: &Digest| desk.pool.objection(self.shard, id) == Some(Objection::Unknown);
        if !self.closed && ids.iter().any(unknown) {
            self.deferred = Some(Offer { header, ids });
            return Ok(effects);
        }
        let sums = desk.pool.sum_shares(desk.secrets, self.shard, &ids).unwrap_or_else(|complaints| {
            effects.extend(self.drop_with(&complaints));
            Vec::new()
        });
        let objections: Vec<_> =
            ids.iter().filter_map(|id| Some((*id, desk.pool.objection(self.shard, id)?))).collect();
        if !objections.is_empty() {
            effects.push(Effect::peer(from, self.shard, PeerMessage::Object(header.digest(), objections)));
            return Ok(effects);
        }
        if header.running != running_after(&self.running, &sums) {
            return Err(FaultReason::Running.of(from));
        }
        let signature = desk.secrets.signer.sign(&header.signing_digest());
        effects.push(Effect::peer(from, self.shard, PeerMessage::Vote(header.digest(), signature)));
        // What the last proposal held is dropped only now that another takes its place: until then the chain may anchor
        // the one that this party signed.
        let before = self.proposal.replace(Proposal { header, ids, sums });
        let now = self.proposal.as_ref().map(|p| p.ids.as_slice()).unwrap_or_default();
        let gone = before.into_iter().flat_map(|p| p.ids).filter(|id| !now.contains(id)).collect::<Vec<_>>();
        effects.extend(gone.into_iter().filter_map(|id| self.leave_out(desk, id, Objection::Refused, from)));
        Ok(effects)
    }

    /// The chain anchored a header: its batch is final.
    pub(super) fn anchored(&mut self, desk: &mut Desk<'_>, signed: &SignedHeader) -> Outcome {
        // The word of the settlement actor is not enough: shares are added for what a quorum signed, for nothing else.
        if signed.verify(&self.context.keys.committee).is_err() {
            let (at, from) = (Address::Party(self.party), Address::Settlement);
            let reason = "an anchored header without a quorum";
            return Ok(vec![Effect::Publish(Event::Dropped { at, from, reason })]);
        }
        let unknown = Fault { culprit: None, reason: FaultReason::UnknownBatch };
        let proposal = self.proposal.take().filter(|p| p.header == signed.header).ok_or(unknown)?;
        if proposal.ids.iter().any(|id| desk.pool.objection(self.shard, id).is_some()) {
            let gone = FaultReason::SignedTwice;
            return Err(gone.of(signed.header.leader()));
        }
        let published = desk.pool.settle(&proposal.ids);
        for sum in &proposal.sums {
            let shares = sum.shares.each_ref().map(|share| (&share.entries[..], share.blinding));
            let added = self.totals.add(sum.group, shares);
            added.expect("shares were expanded to the width of the shard");
        }
        self.last = proposal.header.digest();
        self.running = proposal.header.running;
        let mut effects = Vec::new();
        if leader(self.position) == self.party {
            let (shard, position, bundles) = (self.shard, self.position, proposal.ids);
            effects.push(Effect::Publish(Event::Batch { shard, position, bundles, published }));
        }
        self.ballot = None;
        self.counted += u64::from(signed.header.count);
        self.position += 1;
        self.view = 0;
        effects.extend(self.move_on(desk)?);
        Ok(effects)
    }

    /// Freezes the set, and names the bundles that were not in any batch.
    ///
    /// Fails if too many bundles that held for this party are not in it. As long as an objection needs no proof, one
    /// party could otherwise have everybody left out but one subscriber, and read that one's usage off the totals. The
    /// bound is one for each shard: a bound over all would let that party spend everything it allows on one of them.
    pub(super) fn freeze(self, desk: &Desk<'_>) -> Result<(Frozen, Vec<Digest>), Fault> {
        let late: Vec<_> = desk.pool.waiting(self.shard).iter().copied().collect();
        let (left_out, counted) = (self.left_out + late.len() as u64, self.counted);
        if left_out > counted / LEFT_OUT_PART + 1 {
            return Err(Fault { culprit: None, reason: FaultReason::LeftOut { left_out, counted } });
        }
        let context = &self.context;
        let root = EpochRoot {
            chain: context.chain,
            epoch: context.epoch,
            shard: self.shard,
            batches: self.position,
            last: self.last,
        };
        let (context, party, running, totals) = (self.context, self.party, self.running, self.totals);
        Ok((Frozen { context, party, root, running, totals }, late))
    }
}
