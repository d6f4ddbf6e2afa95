//! Collecting: the pool of bundles that hold, batches, votes, and shares that add up.
//!
//! The leader of a position proposes the next bundles of its pool, in order. The others vote when they hold every one
//! of them, checked both their shares of each, and come to the same running commitments; otherwise they say which
//! bundle they object to, and the leader proposes again without it. A header with its signatures goes to the chain, and
//! what the chain has anchored is final.
//!
//! For now the leader waits for both other parties: one that is away halts the epoch until it is back.

use crate::{
    effect::{Effect, Event, Refusal},
    message::{Address, Message, Objection, OpenedEpoch, PeerMessage, Report},
    party::{PartySecrets, pool::Pool},
};
use mpc::share::ReplicatedTotals;
use primitives::{Digest, PartyId, limits, merkle};
use proofs::{
    bundle::Bundle,
    committee::Signatures,
    tally::{BatchHeader, EpochRoot, Group, Running, SignedHeader, header::leader},
};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// A set is opened only if at most one bundle, and one more for every so many that are counted, was left out though it
/// held.
pub const LEFT_OUT_PART: u64 = 4;

/// A fault of another party that ends the epoch for this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who.
    pub culprit: Option<PartyId>,
    /// What it did.
    pub reason: FaultReason,
}

/// What a party did that an honest one never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultReason {
    /// It proposed though it does not lead the position.
    #[error("a header came from a party that does not lead its position")]
    NotLeader,
    /// Its header does not follow the last one, or does not fit its bundles.
    #[error("a header does not follow the last one or does not fit its bundles")]
    Header,
    /// Its running commitments are not the sums of the bundles.
    #[error("running commitments are not the sums of the bundles")]
    Running,
    /// It proposed twice for one position and view.
    #[error("two headers for one position and view")]
    Equivocation,
    /// Its vote does not verify.
    #[error("a vote does not verify")]
    Vote,
    /// It objected to a bundle that was not proposed.
    #[error("an objection to a bundle that was not proposed")]
    Objection,
    /// Too many bundles that held for this party were left out: who chooses the set could single somebody out.
    #[error("{left_out} bundles that hold were left out of a set of {counted}")]
    LeftOut {
        /// Bundles that held and are not in the set.
        left_out: u64,
        /// Bundles in the set.
        counted: u64,
    },
    /// The chain anchored a batch that this party did not vote for.
    #[error("the chain anchored a batch that this party does not know")]
    UnknownBatch,
}

impl FaultReason {
    fn of(self, culprit: PartyId) -> Fault {
        Fault { culprit: Some(culprit), reason: self }
    }
}

type Outcome = Result<Vec<Effect>, Fault>;

/// A proposal that this party voted for, or made.
struct Proposal {
    header: BatchHeader,
    ids: Vec<Digest>,
}

/// The leader's side of a proposal.
struct Ballot {
    signatures: Signatures,
    answered: BTreeSet<PartyId>,
    objections: BTreeMap<Digest, (PartyId, Objection)>,
}

/// State of a party that collects.
pub struct Collect {
    party: PartyId,
    epoch: OpenedEpoch,
    batch: usize,
    closed: bool,

    pool: Pool,

    position: u64,
    view: u32,
    last: Digest,
    running: Running,
    totals: ReplicatedTotals<Group>,
    proposal: Option<Proposal>,
    ballot: Option<Ballot>,
    /// A proposal that names bundles which are still on their way.
    deferred: Option<Proposal>,
    /// A proposal for the next position, from a leader that heard of the last anchor first.
    early: Option<Proposal>,
    /// Bundles in final batches.
    counted: u64,
    /// Bundles that held for this party and were left out because of what others said.
    left_out: u64,
}

/// What is left when nothing more is taken: the frozen set, and this party's shares of its totals.
pub struct Frozen {
    /// The epoch.
    pub epoch: OpenedEpoch,
    /// The party.
    pub party: PartyId,
    /// The root.
    pub root: EpochRoot,
    /// Running commitments.
    pub running: Running,
    /// Shares of the totals.
    pub totals: ReplicatedTotals<Group>,
}

impl Collect {
    /// Begins to collect for an epoch, in batches of `batch` bundles.
    pub fn new(party: PartyId, epoch: OpenedEpoch, batch: usize) -> Self {
        let totals = ReplicatedTotals::new(party, epoch.context.shard.width());
        let pool = Pool::new(party, epoch.clone());
        Self {
            party,
            epoch,
            batch: batch.clamp(1, limits::MAX_BATCH),
            closed: false,
            pool,
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

    /// Takes a bundle whose proof holds into the pool, or refuses it.
    pub fn receive(&mut self, secrets: &PartySecrets, id: Digest, bundle: &Bundle) -> Outcome {
        let party = self.party;
        let event = match self.pool.admit(secrets, id, bundle) {
            Ok(()) => Event::Provisional { party, bundle: id },
            Err(refusal) => Event::Refused { party, bundle: id, refusal },
        };
        let mut effects = vec![Effect::Publish(event)];
        effects.extend(self.move_on(secrets)?);
        Ok(effects)
    }

    /// Nothing more will come from the verifier.
    pub fn close(&mut self, secrets: &PartySecrets) -> Outcome {
        self.closed = true;
        self.move_on(secrets)
    }

    fn refuse(&self, bundle: Digest, refusal: Refusal) -> Effect {
        Effect::Publish(Event::Refused { party: self.party, bundle, refusal })
    }

    /// Leaves out a bundle that held for this party, because of what another said.
    fn leave_out(&mut self, id: Digest, objection: Objection, party: PartyId) -> Option<Effect> {
        if !self.pool.remove(id, objection) {
            return None;
        }
        self.left_out += 1;
        Some(self.refuse(id, Refusal::Objected { party }))
    }

    /// Drops those of the bundles whose shares do not open, and says so.
    fn check_shares(&mut self, ids: &[Digest]) -> Vec<Effect> {
        let dropped = self.pool.check_shares(ids);
        dropped.into_iter().map(|(id, share)| self.refuse(id, Refusal::Share { share })).collect()
    }

    /// Whatever can be done now: answer a proposal that waited, propose, or report that nothing waits.
    fn move_on(&mut self, secrets: &PartySecrets) -> Outcome {
        let mut effects = Vec::new();
        for Proposal { header, ids } in [self.deferred.take(), self.early.take()].into_iter().flatten() {
            effects.extend(self.proposed(secrets, header.leader(), header, ids)?);
        }
        // One proposal a position: the votes may all be in while the chain has not answered yet.
        if leader(self.position) == self.party && self.proposal.is_none() {
            effects.extend(self.propose(secrets));
        }
        // A leader with a proposal under way still has its bundles in the pool, so it says that they wait.
        if self.closed {
            let report = Report::Drained { position: self.position, pending: self.pool.waiting().len() };
            effects.push(Effect::Send(Address::Coordinator, Message::Report(report)));
        }
        Ok(effects)
    }

    /// Proposes the next full batch, or the last one once the door is closed.
    fn propose(&mut self, secrets: &PartySecrets) -> Vec<Effect> {
        let mut effects = Vec::new();
        loop {
            let waiting = self.pool.waiting();
            if waiting.is_empty() || (waiting.len() < self.batch && !self.closed) {
                return effects;
            }
            let ids: Vec<_> = waiting.iter().take(self.batch).copied().collect();
            let refused = self.check_shares(&ids);
            if refused.is_empty() {
                effects.extend(self.put_forward(secrets, ids));
                return effects;
            }
            effects.extend(refused);
        }
    }

    /// Passes the lead on by a batch of nothing: others still have bundles to propose, and this leader has none.
    pub fn pass(&mut self, secrets: &PartySecrets) -> Outcome {
        let idle = self.proposal.is_none() && self.pool.waiting().is_empty();
        let passes = self.closed && idle && leader(self.position) == self.party;
        Ok(if passes { self.put_forward(secrets, Vec::new()) } else { Vec::new() })
    }

    fn put_forward(&mut self, secrets: &PartySecrets, ids: Vec<Digest>) -> Vec<Effect> {
        let context = &self.epoch.context;
        let header = BatchHeader {
            chain: context.chain,
            epoch: context.epoch,
            shard: context.shard.index(),
            view: self.view,
            position: self.position,
            previous: self.last,
            batch_root: batch_root(&ids),
            count: ids.len() as u32,
            running: self.pool.running_after(&self.running, &ids),
        };
        let mut signatures = Signatures::default();
        signatures.insert(self.party, secrets.signer.sign(&header.signing_digest()));
        self.ballot = Some(Ballot { signatures, answered: BTreeSet::new(), objections: BTreeMap::new() });
        let message = PeerMessage::Propose(header.clone(), ids.clone());
        self.proposal = Some(Proposal { header, ids });
        [self.party.next(), self.party.previous()].map(|peer| Effect::peer(peer, message.clone())).into()
    }

    /// A leader proposes a batch.
    pub fn proposed(
        &mut self,
        secrets: &PartySecrets,
        from: PartyId,
        header: BatchHeader,
        ids: Vec<Digest>,
    ) -> Outcome {
        let context = &self.epoch.context;
        if header.leader() != from {
            return Err(FaultReason::NotLeader.of(from));
        }
        let place = (header.chain, header.epoch, header.shard);
        // A batch of nothing passes the lead on, once nothing more comes in.
        let sizes = usize::from(!self.closed)..=limits::MAX_BATCH;
        let fits = place == (context.chain, context.epoch, context.shard.index())
            && sizes.contains(&ids.len())
            && header.count as usize == ids.len()
            && header.batch_root == batch_root(&ids)
            && ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
        let follows = header.position != self.position || header.previous == self.last;
        if !fits || !follows {
            return Err(FaultReason::Header.of(from));
        }
        if header.position != self.position {
            // The next leader may have heard of the last anchor first. Whatever else is of no use.
            if header.position == self.position + 1 {
                self.early = Some(Proposal { header, ids });
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
            let gone: Vec<_> = before.ids.iter().filter(|id| !ids.contains(id)).copied().collect();
            effects.extend(gone.into_iter().filter_map(|id| self.leave_out(id, Objection::Refused, from)));
        }
        let unknown = |id: &Digest| self.pool.objection(id) == Some(Objection::Unknown);
        if !self.closed && ids.iter().any(unknown) {
            self.deferred = Some(Proposal { header, ids });
            return Ok(effects);
        }
        effects.extend(self.check_shares(&ids));
        let objections: Vec<_> = ids.iter().filter_map(|id| Some((*id, self.pool.objection(id)?))).collect();
        if !objections.is_empty() {
            effects.push(Effect::peer(from, PeerMessage::Object(header.digest(), objections)));
            return Ok(effects);
        }
        if header.running != self.pool.running_after(&self.running, &ids) {
            return Err(FaultReason::Running.of(from));
        }
        let signature = secrets.signer.sign(&header.signing_digest());
        effects.push(Effect::peer(from, PeerMessage::Vote(header.digest(), signature)));
        self.proposal = Some(Proposal { header, ids });
        Ok(effects)
    }

    /// Another party voted for this leader's proposal.
    pub fn voted(
        &mut self,
        secrets: &PartySecrets,
        from: PartyId,
        digest: Digest,
        signature: [u8; 64],
    ) -> Outcome {
        let (Some(proposal), Some(ballot)) = (&self.proposal, &mut self.ballot) else {
            return Ok(Vec::new());
        };
        if proposal.header.digest() != digest {
            return Ok(Vec::new());
        }
        let committee = &self.epoch.context.keys.committee;
        let checked = committee.verify(from, &proposal.header.signing_digest(), &signature);
        checked.map_err(|_| FaultReason::Vote.of(from))?;
        ballot.signatures.insert(from, signature);
        ballot.answered.insert(from);
        self.count_votes(secrets)
    }

    /// Another party objected to bundles of this leader's proposal.
    pub fn objected(
        &mut self,
        secrets: &PartySecrets,
        from: PartyId,
        digest: Digest,
        objections: Vec<(Digest, Objection)>,
    ) -> Outcome {
        let (Some(proposal), Some(ballot)) = (&self.proposal, &mut self.ballot) else {
            return Ok(Vec::new());
        };
        if proposal.header.digest() != digest {
            return Ok(Vec::new());
        }
        if objections.is_empty() || objections.iter().any(|(id, _)| !proposal.ids.contains(id)) {
            return Err(FaultReason::Objection.of(from));
        }
        ballot.answered.insert(from);
        ballot.objections.extend(objections.into_iter().map(|(id, objection)| (id, (from, objection))));
        self.count_votes(secrets)
    }

    fn count_votes(&mut self, secrets: &PartySecrets) -> Outcome {
        let Some(ballot) = self.ballot.take_if(|b| b.answered.len() + 1 == PartyId::ALL.len()) else {
            return Ok(Vec::new());
        };
        if ballot.objections.is_empty() {
            let proposal = self.proposal.as_ref().expect("a ballot is about a proposal");
            let signed = SignedHeader { header: proposal.header.clone(), signatures: ballot.signatures };
            return Ok(vec![Effect::Send(Address::Settlement, Message::Anchor(signed))]);
        }
        let mut effects = Vec::new();
        for (id, (party, objection)) in &ballot.objections {
            effects.extend(self.leave_out(*id, *objection, *party));
        }
        self.view += 1;
        let ids = self.proposal.take().expect("a ballot is about a proposal").ids;
        let left: Vec<_> = ids.into_iter().filter(|id| self.pool.objection(id).is_none()).collect();
        if left.is_empty() {
            effects.extend(self.move_on(secrets)?);
        } else {
            effects.extend(self.put_forward(secrets, left));
        }
        Ok(effects)
    }

    /// The chain anchored a header: its batch is final.
    pub fn anchored(&mut self, secrets: &PartySecrets, signed: &SignedHeader) -> Outcome {
        // The word of the settlement actor is not enough: shares are added for what a quorum signed, for nothing else.
        if signed.verify(&self.epoch.context.keys.committee).is_err() {
            let (at, from) = (Address::Party(self.party), Address::Settlement);
            let reason = "an anchored header without a quorum";
            return Ok(vec![Effect::Publish(Event::Dropped { at, from, reason })]);
        }
        let unknown = Fault { culprit: None, reason: FaultReason::UnknownBatch };
        let proposal = self.proposal.take().filter(|p| p.header == signed.header).ok_or(unknown)?;
        let width = self.epoch.context.shard.width();
        for id in &proposal.ids {
            let held = self.pool.settle(id).expect("a party votes for what it holds");
            let [own, next] = held.openings.each_ref().map(|opening| opening.to_vector(width));
            let added = self.totals.add(held.group, [(&own.0, own.1), (&next.0, next.1)]);
            added.expect("shares were read at the width of the shard");
        }
        self.last = proposal.header.digest();
        self.running = proposal.header.running;
        let mut effects = Vec::new();
        if leader(self.position) == self.party {
            let batch = Event::Batch { position: self.position, bundles: proposal.ids };
            effects.push(Effect::Publish(batch));
        }
        self.ballot = None;
        self.counted += u64::from(signed.header.count);
        self.position += 1;
        self.view = 0;
        effects.extend(self.move_on(secrets)?);
        Ok(effects)
    }

    /// Freezes the set, and names the bundles that were not in any batch.
    ///
    /// Fails if too many bundles that held for this party are not in it. As long as an objection needs no proof, one
    /// party could otherwise have everybody left out but one subscriber, and read that one's usage off the totals.
    pub fn freeze(self) -> Result<(Frozen, Vec<Digest>), Fault> {
        let late: Vec<_> = self.pool.waiting().iter().copied().collect();
        let (left_out, counted) = (self.left_out + late.len() as u64, self.counted);
        if left_out > counted / LEFT_OUT_PART + 1 {
            return Err(Fault { culprit: None, reason: FaultReason::LeftOut { left_out, counted } });
        }
        let context = &self.epoch.context;
        let root = EpochRoot {
            chain: context.chain,
            epoch: context.epoch,
            shard: context.shard.index(),
            batches: self.position,
            last: self.last,
        };
        let (epoch, party, running, totals) = (self.epoch.clone(), self.party, self.running, self.totals);
        Ok((Frozen { epoch, party, root, running, totals }, late))
    }
}

fn batch_root(ids: &[Digest]) -> Digest {
    let leaves: Vec<_> = ids.iter().map(|id| merkle::leaf(&id.0)).collect();
    merkle::root(&leaves)
}
