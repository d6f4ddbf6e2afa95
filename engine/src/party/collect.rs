//! Collecting: the pool of bundles that hold, and a chain of batches for each shard.
//!
//! What a bundle uses up, and how many a subscriber hands in, counts over all shards: the pool is one. Batches, votes
//! and sums are each shard's own.

use crate::{
    effect::{Effect, Event, Refusal},
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage},
    party::{
        PartySecrets,
        evidence::{Counted, DoubleUse, Evidence, Signed},
        line::{Desk, Frozen, Line, Offer, SignedBatches},
        marks::MarkSets,
        pool::{Admitted, Past, Pool, Rejected, Verified},
        voting::Record,
    },
};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{self, Bundle, BundleError, Published},
    epoch::EpochContext,
    inclusion::Inclusion,
    sharing::{Complaint, ComplaintError},
    tally::SignedHeader,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use thiserror::Error;

/// The set of a shard is opened only if at most one bundle, and one more for every so many that are counted, was left
/// out though it held, on nothing but another party's word.
pub const LEFT_OUT_PART: u64 = 4;
/// Most bundles that a party takes in before they are in a batch. They are in memory, some 40 KB each: if clients are quicker
/// than the chain, or the chain stands still, they are told to come back.
pub const MAX_UNSETTLED: usize = 1 << 11;

/// A fault of another party that ends the epoch for this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who.
    pub culprit: Option<PartyId>,
    /// What it did.
    pub reason: FaultReason,
    /// What anybody can check it by, if there is that.
    pub evidence: Vec<Evidence>,
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
    /// Its complaint does not hold.
    #[error("a complaint does not hold: {0}")]
    Complaint(ComplaintError),
    /// It led a batch that the chain has anchored, and a bundle of it has a proof that does not hold.
    #[error("the chain anchored a bundle whose proof does not hold")]
    Invalid,
    /// A bundle that the chain has anchored uses the same as another. Whoever signed for both is to blame.
    #[error("the chain anchored two bundles that use the same")]
    CountedTwice {
        /// The one that came to this party later.
        bundle: Digest,
    },
    /// It signed a batch, and what it shows of its shares of it does not open what was committed to.
    #[error("an opening share does not open what was committed to")]
    OpeningShare,
    /// It signed a batch, and does not show what it holds of it to the other holder, who cannot read that.
    #[error("an opening share was not given")]
    OpeningShareWithheld,
    /// This party froze the set with another root before it was started again. The chain that it follows now is not the one
    /// that it followed then.
    #[error("the epoch was frozen with another root before")]
    OtherRoot,
    /// The chain has anchored batches that this party could not get.
    #[error("the chain anchored a batch that this party could not get")]
    Behind,
    /// It speaks of a shard that the epoch does not have.
    #[error("a message about a shard that the epoch does not have")]
    UnknownShard,
}

impl FaultReason {
    pub(super) fn of(self, culprit: PartyId) -> Fault {
        Fault { culprit: Some(culprit), reason: self, evidence: Vec::new() }
    }

    /// A fault of nobody that this party could name.
    pub(super) fn of_nobody(self) -> Fault {
        Fault { culprit: None, reason: self, evidence: Vec::new() }
    }
}

/// The set of each shard, with what is to be stored before its root is signed; the bundles that were not in any batch; and
/// what a peer that is behind may still ask for.
pub(crate) type FrozenSets = (Vec<(Record, Frozen)>, Vec<Digest>, Past);

/// What a step comes to.
pub(super) type Outcome = Result<Vec<Effect>, Fault>;

/// Names that a peer asks for, each once: nobody has the same bundle handed over as often as it likes.
pub(super) fn distinct(ids: Vec<Digest>) -> BTreeSet<Digest> {
    ids.into_iter().collect()
}

/// State of a party that collects.
pub struct Collect {
    party: PartyId,
    pool: Pool,
    lines: Vec<Line>,
}

impl Collect {
    /// Begins to collect for an epoch, in batches of `batch` bundles or more. `votes` is what the party stored before, `signed` are the
    /// bundles of what it signed then; what is used up it keeps in `marks`, and
    /// in memory so many bundles of final batches.
    pub fn new(
        party: PartyId,
        room: (MarkSets, usize),
        epoch: OpenedEpoch,
        batch: usize,
        (votes, signed): (&BTreeMap<ShardIndex, Record>, &SignedBatches),
    ) -> Self {
        // Bundles that wait in every shard for a batch to fill must not be all that there is room for.
        let batch = batch.min((MAX_UNSETTLED / 2 / epoch.shards.len().max(1)).max(1));
        let line = |context: &Arc<EpochContext>| {
            let record = votes.get(&context.shard.index());
            Line::new(party, context.clone(), batch, (record, signed.clone()))
        };
        let lines = epoch.shards.iter().map(line).collect();
        Self { party, pool: Pool::new(party, epoch, room), lines }
    }

    /// The chain of batches of a shard, if the epoch has it.
    fn at<'a>(
        &'a mut self,
        shard: ShardIndex,
        secrets: &'a PartySecrets,
    ) -> Option<(&'a mut Line, Desk<'a>)> {
        let back = self.is_back();
        let line = self.lines.get_mut(usize::try_from(shard.0).ok()?)?;
        Some((line, Desk { pool: &mut self.pool, secrets, back }))
    }

    /// Whether this party has taken in again, in every shard, all that it had before a restart.
    fn is_back(&self) -> bool {
        self.lines.iter().all(Line::is_back)
    }

    /// Takes a bundle whose proof holds into the pool, with those that waited for it, or refuses it. One whose share
    /// cannot be read is shown to the others, and one that another party complained of before it came is judged now.
    pub fn receive(&mut self, secrets: &PartySecrets, verified: Verified) -> Outcome {
        let mut effects = self.receive_one(secrets, verified)?;
        effects.extend(self.unpark(secrets)?);
        Ok(effects)
    }

    /// Takes in what waited for bundles that are here by now.
    fn unpark(&mut self, secrets: &PartySecrets) -> Outcome {
        let mut effects = Vec::new();
        while let Some(verified) = self.pool.unparked() {
            effects.extend(self.receive_one(secrets, verified)?);
        }
        Ok(effects)
    }

    fn receive_one(&mut self, secrets: &PartySecrets, verified: Verified) -> Outcome {
        let (party, id, shard) = (self.party, verified.0, verified.1.envelope.shard);
        let refused = |refusal| Effect::Publish(Event::Refused { party, bundle: id, refusal });
        let others = || self.lines.iter().filter(|line| line.context().shard.index() != shard);
        let pledged = |marks: &[Digest]| others().any(|line| line.has_pledged(marks));
        let admitted = self.pool.admit(secrets, verified, pledged);
        let early = match admitted {
            Ok(Admitted::Parked) => {
                return Ok(vec![Effect::Publish(Event::Parked { party, bundle: id })]);
            }
            Ok(Admitted::Taken) => self.pool.early_complaints(&id),
            Err(_) => Vec::new(),
        };
        let Some((line, mut desk)) = self.at(shard, secrets) else {
            return Ok(vec![refused(Refusal::UnknownShard { shard })]);
        };
        let mut effects = Vec::new();
        match admitted {
            Ok(_) => {
                effects.push(Effect::Publish(Event::Provisional { party, bundle: id }));
                for (from, complaint) in early {
                    effects.extend(line.complained(&mut desk, from, complaint)?);
                }
            }
            Err(Rejected { refusal, complaint }) => {
                if matches!(refusal, Refusal::TooFarAhead | Refusal::MayBeCounted) {
                    effects.push(Effect::Send(Address::Intake(party), Message::Forget(id)));
                }
                effects.push(refused(refusal));
                effects.extend(complaint.iter().flat_map(|complaint| line.complain(complaint)));
            }
        }
        effects.extend(line.move_on(&mut desk)?);
        Ok(effects)
    }

    /// Nothing more will come from the verifier: what waits for an earlier bundle waits in vain.
    pub fn close(&mut self, secrets: &PartySecrets) -> Outcome {
        let (party, refusal) = (self.party, Refusal::SpentElsewhere);
        let in_vain = |bundle| Effect::Publish(Event::Refused { party, bundle, refusal: refusal.clone() });
        // What is final and not here yet may be what a bundle waits for.
        let level = self.lines.iter().all(Line::is_level);
        let waits_in_vain = if level { self.pool.close() } else { Vec::new() };
        let mut effects: Vec<_> = waits_in_vain.into_iter().map(in_vain).collect();
        let mut desk = Desk { back: self.is_back(), pool: &mut self.pool, secrets };
        for line in &mut self.lines {
            effects.extend(line.close(&mut desk)?);
        }
        Ok(effects)
    }

    /// Another party proposes a batch of a shard, or answers a proposal. Blames it if there is no such shard.
    pub fn letter(&mut self, secrets: &PartySecrets, from: PartyId, letter: Letter) -> Outcome {
        let Letter { shard, message, .. } = letter;
        let (line, mut desk) = self.at(shard, secrets).ok_or(FaultReason::UnknownShard.of(from))?;
        line.heard_from(from);
        match message {
            PeerMessage::Propose(header, ids, signature) => {
                line.proposed(&mut desk, from, Offer { header, ids, signature })
            }
            PeerMessage::Vote(digest, signature) => line.voted(&mut desk, from, digest, signature),
            PeerMessage::Object(digest, objections) => line.objected(&mut desk, from, digest, objections),
            PeerMessage::Complaint(complaint) => {
                let mut effects = line.complained(&mut desk, from, complaint)?;
                effects.extend(self.serve(secrets)?);
                Ok(effects)
            }
            PeerMessage::Quorum(signed) => line.quorum(from, signed),
            PeerMessage::Term(position, term) => Ok(line.term(from, position, term)),
            PeerMessage::Omits(digest, ids) => line.omits(&mut desk, from, digest, &ids),
            PeerMessage::AskBatch(digest) => Ok(line.asked_batch(from, digest)),
            PeerMessage::Batch(digest, ids) => line.batch(&mut desk, digest, ids),
            PeerMessage::AskBundles(ids) => Ok(line.asked_bundles(&desk, from, &distinct(ids))),
            PeerMessage::Bundle(bundle) => self.fetched(secrets, (from, shard), *bundle),
            PeerMessage::OpeningShare(shown) => {
                let (owed, effects) = line.opening_share(&mut desk, from, shown)?;
                self.lines.iter_mut().filter(|_| owed).for_each(|line| line.paid_by(from));
                Ok(effects)
            }
            // The party gives these to the tally.
            _ => Ok(Vec::new()),
        }
    }

    /// Bundles of a final batch are there, of which another party complained.
    pub(super) fn recalled(
        &mut self,
        secrets: &PartySecrets,
        (shard, complaint): (ShardIndex, &Complaint),
        found: Vec<Verified>,
    ) -> Outcome {
        let line = usize::try_from(shard.0).ok().and_then(|shard| self.lines.get(shard));
        match line.and_then(|line| line.final_batch(&complaint.bundle)) {
            Some(batch) => self.pool.recalled(secrets, batch, complaint, found),
            None => Ok(Vec::new()),
        }
    }

    /// Serves peers that complained of shares of final bundles.
    fn serve(&mut self, secrets: &PartySecrets) -> Outcome {
        let (pool, lines) = (&mut self.pool, &self.lines);
        let line = |shard: ShardIndex| lines.get(usize::try_from(shard.0).ok()?);
        pool.serve(secrets, |shard, bundle| line(shard)?.final_batch(bundle))
    }

    /// A peer sends a bundle. One that this party asked for is checked like any other; what the chain has anchored is
    /// taken in whatever this party thinks of it, the rest as if it had come from a device.
    fn fetched(
        &mut self,
        secrets: &PartySecrets,
        (from, shard): (PartyId, ShardIndex),
        bundle: Bundle,
    ) -> Outcome {
        let (id, party) = (bundle.id(), self.party);
        let (line, mut desk) = self.at(shard, secrets).ok_or(FaultReason::UnknownShard.of(from))?;
        if !line.wanted(&id) {
            let (at, from) = (Address::Party(party), Address::Party(from));
            let reason = "a bundle that was not asked for";
            return Ok(vec![Effect::Publish(Event::Dropped { at, from, reason })]);
        }
        let checked = match bundle.envelope.shard == shard {
            true => bundle::verify(line.context(), &bundle),
            false => Err(BundleError::OtherContext),
        };
        match (checked, line.anchored_by(&id)) {
            (Ok(accepted), Some(leader)) => {
                let mut effects = desk.pool.adopt(secrets, (id, Arc::new(bundle), accepted), leader)?;
                effects.extend(line.catch_up(&mut desk)?);
                effects.extend(self.unpark(secrets)?);
                Ok(effects)
            }
            (Ok(accepted), None) => self.receive(secrets, (id, Arc::new(bundle), accepted)),
            (Err(_), Some(leader)) => Err(FaultReason::Invalid.of(leader)),
            (Err(error), None) => {
                desk.pool.remember_refused(id);
                let refused = Event::Refused { party, bundle: id, refusal: error.into() };
                let mut effects = vec![Effect::Publish(refused)];
                effects.extend(line.move_on(&mut desk)?);
                Ok(effects)
            }
        }
    }

    /// Some time has passed.
    pub fn tick(&mut self, secrets: &PartySecrets) -> Outcome {
        self.pool.tick();
        let mut effects = self.serve(secrets)?;
        let mut desk = Desk { back: self.is_back(), pool: &mut self.pool, secrets };
        for line in &mut self.lines {
            effects.extend(line.tick(&mut desk)?);
        }
        Ok(effects)
    }

    /// Names whoever signed for two final bundles that use the same, if that is what happened.
    pub(super) fn convict(&self, fault: Fault) -> Fault {
        let FaultReason::CountedTwice { bundle } = fault.reason else { return fault };
        let counted = |id: &Digest, last: bool| {
            let shown = self.lines.iter().find_map(|line| line.counted(&self.pool, id, last));
            shown.map(|(signed, place, bundle)| (signed, place, bundle.as_ref().clone()))
        };
        let Some(second) = counted(&bundle, true) else { return fault };
        let rivals = self.pool.rivals(&second.2);
        let Some(first) = rivals.iter().find_map(|id| counted(id, false)) else { return fault };
        let by = |(signed, place, bundle): &(Arc<SignedHeader>, Inclusion, Published), party| {
            let (_, signature) = signed.signatures.iter().find(|(signer, _)| *signer == party)?;
            let signed = Signed { header: signed.header.clone(), signature: *signature };
            Some(Counted { signed, place: place.clone(), bundle: bundle.clone() })
        };
        let against = |party| {
            let (first, second) = (by(&first, party)?, by(&second, party)?);
            Some(Evidence::DoubleUse(Box::new(DoubleUse { party, first, second })))
        };
        let evidence: Vec<_> = PartyId::ALL.into_iter().filter_map(against).collect();
        Fault { culprit: evidence.first().map(Evidence::party), evidence, ..fault }
    }

    /// The coordinator asks this party to pass the lead of a shard on.
    pub fn pass(&mut self, secrets: &PartySecrets, shard: ShardIndex) -> Outcome {
        match self.at(shard, secrets) {
            Some((line, mut desk)) => line.pass(&mut desk),
            None => Ok(Vec::new()),
        }
    }

    /// The chain anchored a header: its batch is final.
    pub fn anchored(&mut self, secrets: &PartySecrets, signed: &SignedHeader) -> Outcome {
        match self.at(signed.header.shard, secrets) {
            Some((line, mut desk)) => {
                let mut effects = line.anchored(&mut desk, signed)?;
                effects.extend(self.unpark(secrets)?);
                Ok(effects)
            }
            None => {
                let (at, from) = (Address::Party(self.party), Address::Settlement);
                let reason = "an anchored header of a shard that the epoch does not have";
                Ok(vec![Effect::Publish(Event::Dropped { at, from, reason })])
            }
        }
    }

    /// Whether this party has taken in all that is final, in every shard.
    pub fn is_level(&self) -> bool {
        self.lines.iter().all(Line::is_level)
    }

    /// Freezes the sets of all shards.
    ///
    /// Fails if too many bundles of a shard that held for this party are not in its set.
    pub(crate) fn freeze(self, secrets: &PartySecrets) -> Result<FrozenSets, Fault> {
        let Self { mut pool, lines, .. } = self;
        let desk = Desk { pool: &mut pool, secrets, back: true };
        let (mut frozen, mut late, mut names) = (Vec::new(), Vec::new(), BTreeMap::new());
        for line in lines {
            let (record, set, left, of_shard) = line.freeze(&desk)?;
            frozen.push((record, set));
            late.extend(left);
            names.extend(of_shard);
        }
        late.extend(pool.close());
        Ok((frozen, late, Past::new(pool, names)))
    }
}
