//! A shard's chain of batches: proposals, votes, what the chain anchored, and this party's shares of the sums.
//!
//! The leader of a turn proposes the next bundles of its pool, in order. The others vote when they hold every one of
//! them, checked both their shares of each, and come to the same running commitments; otherwise they say what they
//! object to. Two votes suffice: the leader waits for the third for a while, and for no longer. What a party may sign
//! is [`Voting`]'s to say, and is stored before it leaves. A header with two signatures goes to the chain, and what the
//! chain has anchored is final, whatever this party thought of it.
//!
//! `proposals.rs` is proposing and voting, `ballot.rs` what a leader makes of the answers, `anchored.rs` what is final
//! and how a party gets what it lacks of it, `patience.rs` what happens when time passes, `witness.rs` evidence,
//! `complaints.rs` shares that are of no use, `opening.rs` those of them that are in a final batch.

mod anchored;
mod ballot;
mod complaints;
mod opening;
mod patience;
mod proposals;
mod witness;

use crate::{
    effect::{Effect, Event, Refusal},
    message::{Address, Message, Objection, Report},
    party::{
        PartySecrets,
        collect::{Fault, FaultReason, LEFT_OUT_PART, Outcome},
        pool::{GroupSum, Pool},
        voting::{Record, Turn, Vote, Voting, Weighed},
    },
};
use anchored::Behind;
pub(super) use anchored::handed;
use ballot::Ballot;
use mpc::share::ReplicatedTotals;
use opening::Owed;
use patience::Patience;
use primitives::{Digest, PartyId, ShardIndex, limits};
use proofs::{
    epoch::EpochContext,
    tally::{BatchHeader, EpochRoot, Group, Running, SignedHeader},
};
use std::{collections::BTreeMap, sync::Arc};
use witness::Witness;

/// Headers of a position whose bundles a party remembers by name: more than honest leaders propose.
const MAX_OFFERS: usize = 16;

/// What a leader proposes: a header, the bundles of its batch in order, and its signature.
pub(super) struct Offer {
    pub(super) header: BatchHeader,
    pub(super) ids: Vec<Digest>,
    pub(super) signature: [u8; 64],
}

impl Offer {
    fn vote(&self) -> Vote {
        vote_of(&self.header)
    }
}

/// A proposal that names bundles which this party lacks.
struct Deferred {
    offer: Offer,
    /// For so many ticks.
    waited: u32,
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
    /// Whether this party has taken in again, in every shard, all that it had before a restart. Until then it signs
    /// nothing: it could be what a final bundle of another shard uses too, for which it signed.
    pub(super) back: bool,
}

/// One shard's chain of batches, as a party sees it.
pub(super) struct Line {
    party: PartyId,
    context: Arc<EpochContext>,
    shard: ShardIndex,
    batch: usize,
    closed: bool,

    voting: Voting,
    last: Digest,
    running: Running,
    totals: ReplicatedTotals<Group>,
    proposal: Option<Proposal>,
    ballot: Option<Ballot>,
    deferred: Option<Deferred>,
    /// The last proposal of each other party for the next position, or for a term that this party has not entered.
    early: BTreeMap<PartyId, Offer>,
    /// Bundles of headers that were proposed for this position, by the header's digest.
    offers: BTreeMap<Digest, Vec<Digest>>,
    /// Those of headers that it signed before it was started.
    signed: SignedBatches,
    /// A header of this position that this party has two signatures of.
    quorum: Option<SignedHeader>,
    witness: Witness,
    behind: Behind,
    /// What other holders owe this party of the batch that it is about to take in.
    owed: Option<Owed>,
    patience: Patience,
    /// Bundles that another party has missed for long: this one proposes them first.
    urgent: Vec<Digest>,
    /// Bundles in final batches.
    counted: u64,
    /// Bundles that held for this party and were left out because of what others said.
    left_out: u64,
}

/// Bundles of each final batch, by shard and the digest of its header.
pub(super) type Names = BTreeMap<(ShardIndex, Digest), Vec<Digest>>;
/// Bundles of each header that a party signed before it was started, by its digest.
pub(super) type SignedBatches = Arc<BTreeMap<Digest, Vec<Digest>>>;

/// What is left of a shard when nothing more is taken: the frozen set, and this party's shares of its totals.
pub(crate) struct Frozen {
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
    /// Begins a shard, in batches of `batch` bundles or more. `record` is what the party stored of it before, `signed` are the bundles
    /// of what it signed then.
    pub(super) fn new(
        party: PartyId,
        context: Arc<EpochContext>,
        batch: usize,
        (record, signed): (Option<&Record>, SignedBatches),
    ) -> Self {
        let totals = ReplicatedTotals::new(party, context.shard.width());
        let shard = context.shard.index();
        let fresh = || Voting::new(party, shard);
        Self {
            voting: record.map_or_else(fresh, |record| Voting::restored(party, record)),
            party,
            shard,
            context,
            batch: batch.clamp(1, limits::MAX_BATCH),
            closed: false,
            last: Digest::default(),
            running: Running::default(),
            totals,
            proposal: None,
            ballot: None,
            deferred: None,
            early: BTreeMap::new(),
            offers: BTreeMap::new(),
            signed,
            quorum: None,
            witness: Witness::default(),
            behind: Behind::default(),
            owed: None,
            patience: Patience::default(),
            urgent: Vec::new(),
            counted: 0,
            left_out: 0,
        }
    }

    /// Whether this party has taken in all that it had before a restart.
    pub(super) fn is_back(&self) -> bool {
        self.voting.is_back()
    }

    /// Whether this party has taken in all that is final.
    pub(super) fn is_level(&self) -> bool {
        self.is_back() && !self.behind.is_behind()
    }

    /// Whether a header that this party signed, and that may yet become final, has a bundle with one of these marks.
    pub(super) fn has_pledged(&self, marks: &[Digest]) -> bool {
        self.voting.has_pledged(marks)
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

    /// Drops bundles that evidence has struck, but for those of a batch that the chain has anchored, and of one that this
    /// party signed and that may yet be: they leave with it.
    fn sweep(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        let signed = |id: &Digest| self.proposal.as_ref().is_some_and(|p| p.ids.contains(id));
        let stays = |id: &Digest| signed(id) || self.anchored_by(id).is_some();
        let struck = |id: &Digest| Some((*id, desk.pool.struck_by(id).filter(|_| !stays(id))?));
        let gone: Vec<_> = desk.pool.waiting(self.shard).iter().filter_map(struck).collect();
        gone.into_iter().filter_map(|(id, by)| self.leave_out(desk, id, Objection::Share, by)).collect()
    }

    /// Whatever can be done now: answer a proposal that waited, propose, or report that nothing waits.
    pub(super) fn move_on(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let mut effects = Vec::new();
        if self.behind.is_behind() {
            return Ok(effects);
        }
        for (from, offer) in std::mem::take(&mut self.early) {
            effects.extend(self.proposed(desk, from, offer)?);
        }
        if let Some(Deferred { offer, waited }) = self.deferred.take()
            && self.voting.weigh(offer.header.leader(), &offer.vote()) == Weighed::Open
        {
            effects.extend(self.consider(desk, offer, waited)?);
        }
        // One proposal a term: the votes may all be in while the chain has not answered yet.
        if self.voting.leader() == self.party && self.proposal.is_none() {
            effects.extend(self.propose(desk));
        }
        effects.extend(self.hurry(desk)?);
        // A leader with a proposal under way still has its bundles in the pool, so it says that they wait.
        if self.closed {
            let report = Report::Drained {
                shard: self.shard,
                position: self.voting.position(),
                pending: desk.pool.waiting(self.shard).len(),
            };
            effects.push(Effect::Send(Address::Coordinator, Message::Report(report)));
        }
        Ok(effects)
    }

    /// Freezes the set, and names the bundles that were not in any batch. What is to be stored has to be on disk before
    /// the root is signed.
    ///
    /// Fails if too many bundles that held for this party are not in it. As long as an objection needs no proof, one
    /// party could otherwise have everybody left out but one subscriber, and read that one's usage off the totals. The
    /// bound is one for each shard: a bound over all would let that party spend everything it allows on one of them.
    pub(super) fn freeze(mut self, desk: &Desk<'_>) -> Result<(Record, Frozen, Vec<Digest>, Names), Fault> {
        // A root that is shorter than what this party signed would be evidence against it.
        if !self.is_level() {
            return Err(FaultReason::Behind.of_nobody());
        }
        let late: Vec<_> = desk.pool.waiting(self.shard).iter().copied().collect();
        let (left_out, counted) = (self.left_out + late.len() as u64, self.counted);
        if left_out > counted / LEFT_OUT_PART + 1 {
            return Err(FaultReason::LeftOut { left_out, counted }.of_nobody());
        }
        let context = &self.context;
        let root = EpochRoot {
            chain: context.chain,
            epoch: context.epoch,
            shard: self.shard,
            batches: self.voting.position(),
            last: self.last,
        };
        let record = self.voting.freeze(root.digest()).ok_or_else(|| FaultReason::OtherRoot.of_nobody())?;
        let names = self.behind.names().map(|(digest, ids)| ((self.shard, digest), ids)).collect();
        let (context, party, running, totals) = (self.context, self.party, self.running, self.totals);
        Ok((record, Frozen { context, party, root, running, totals }, late, names))
    }
}

fn vote_of(header: &BatchHeader) -> Vote {
    let turn = Turn { position: header.position, view: header.view };
    Vote { turn, digest: header.digest() }
}
