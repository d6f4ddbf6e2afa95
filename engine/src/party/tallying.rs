//! From the frozen set to a tally that this party signs: root, decision on shares, joint opening, proof.

mod fault;
mod inbox;
mod left;

use crate::{
    effect::Effect,
    message::{Address, Book, HandOver, Left, Message, PeerMessage, Report, Sitting},
    party::{
        Carried, PartySecrets,
        carried::tier_opens,
        decide::{Barriers, Decision, Question},
        line::Frozen,
        relation::{Ground, TallyRelation, responses},
    },
};
use chain::modules::usage::aggregate_digest;
pub(super) use fault::TallyFault;
use inbox::{Ahead, Inbox};
use mpc::{
    opening::{
        self, AwaitOpenings, AwaitResponses, AwaitReveals, OpeningsMessage, ResponseMessage, RevealMessage,
    },
    prss::{Prss, PrssKey},
    session::{Computation, Progress},
    share::{ReplicatedTotals, ShareSum},
};
use primitives::{PartyId, WorkIndex};
use proofs::{
    committee::Committee,
    tally::{
        Group, Residual, SignedRoot, Squares, Tally, TallyProof,
        prover::{ShareSecrets, TierSecrets},
        statement::{Cells, TierCells, TierProof},
        verifier,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::RngCore;
use std::sync::Arc;

/// How far the party is.
enum Round {
    /// The root is signed; nothing was computed yet.
    Before,
    /// Waits for the next party's key, with its own.
    Keys(PrssKey),
    Deciding(Box<Computation<Decision>>),
    Openings(Box<AwaitOpenings<TallyRelation>>),
    Reveals(Box<AwaitReveals<TallyRelation>>),
    Responses(Box<AwaitResponses<TallyRelation>>),
    /// The totals hold; what is carried on is to be agreed on.
    Left(Box<Opened>),
    After,
}

/// Totals that hold, with their proof, and what this party carries on and says of it.
struct Opened {
    tally: Tally,
    proof: TallyProof,
    carried: Carried,
    left: Left,
}

/// State of a party that opens the totals of a shard. It stays until the totals are agreed on: a standby that takes the
/// seat of another party needs shares of it, and all begin anew then.
pub(super) struct Tallying {
    frozen: Arc<Frozen>,
    book: Book,
    /// Who answers for the totals.
    committee: Committee,
    /// Shares of what was carried, as it is on record.
    carried: Carried,
    /// Shares of this epoch's totals and of what was carried to them.
    all: ReplicatedTotals<Group>,
    sitting: Sitting,
    /// The root whose set is opened, once that has begun.
    begun: Option<SignedRoot>,
    round: Round,
    squares: Squares,
    ground: Option<Arc<Ground>>,
    key: Option<PrssKey>,
    ahead: Ahead,
    openings: Inbox<OpeningsMessage>,
    reveals: Inbox<RevealMessage>,
    responses: Inbox<ResponseMessage>,
    left: Inbox<Left>,
}

/// What is to be done.
type Outcome = Result<Vec<Effect>, TallyFault>;

impl Tallying {
    /// Signs the root of the frozen set. `book` is what is on record of what was carried, and `carried` this party's
    /// shares of it.
    pub(super) fn new(
        frozen: Frozen,
        (book, carried): (Book, &Carried),
        secrets: &PartySecrets,
    ) -> (Self, Report) {
        let report = Report::Root(frozen.root.clone(), secrets.signer.sign(&frozen.root.digest()));
        let mut all = carried.laid_out(&frozen.context.shard);
        all.merge(&frozen.totals).expect("both are as wide as the shard");
        let committee = frozen.context.keys.committee.clone();
        (Self::over(frozen, book, (carried.clone(), all), committee), report)
    }

    /// Keeps what was carried, which a standby was handed a moment ago.
    pub(super) fn keep(&self) -> Effect {
        Effect::Keep(self.frozen.party, self.frozen.root.shard, vec![self.carried.clone()])
    }

    /// Waits for the word to begin. `all` is the party's shares of all that may be opened.
    pub(super) fn over(
        frozen: Frozen,
        book: Book,
        (carried, all): (Carried, ReplicatedTotals<Group>),
        committee: Committee,
    ) -> Self {
        Self {
            frozen: Arc::new(frozen),
            book,
            committee,
            carried,
            all,
            sitting: Sitting::default(),
            begun: None,
            round: Round::Before,
            squares: Squares::default(),
            ground: None,
            key: None,
            ahead: Ahead::default(),
            openings: Inbox::default(),
            reveals: Inbox::default(),
            responses: Inbox::default(),
            left: Inbox::default(),
        }
    }

    /// Begins anew with a standby in a seat: the same set, the same shares, other randomness and another committee.
    pub(super) fn again_with(&mut self, committee: Committee) {
        self.committee = committee;
        self.begun = None;
    }

    /// Begins anew: the same set, the same shares, and other randomness.
    pub(super) fn again(&mut self, sitting: Sitting) {
        self.sitting = sitting;
        self.round = Round::Before;
        (self.squares, self.ground, self.key) = (Squares::default(), None, None);
        (self.ahead, self.openings) = (Ahead::default(), Inbox::default());
        (self.reveals, self.responses, self.left) = Default::default();
    }

    /// The root whose set is opened, if that has begun, in whatever sitting.
    pub(super) fn begun(&self) -> Option<&SignedRoot> {
        self.begun.as_ref()
    }

    /// What whoever takes the seat of `gone` needs of this party: of the two shares of that seat, the one that this
    /// party holds as well.
    pub(super) fn hand_over(&self, gone: PartyId) -> HandOver {
        let of = |totals: &ReplicatedTotals<Group>| {
            let copy = |(group, sum): (Group, &ShareSum)| (group, sum.clone());
            match self.frozen.party == gone.next() {
                true => totals.own().map(copy).collect(),
                false => totals.next().map(copy).collect(),
            }
        };
        let carried = self.carried.commitments.clone();
        HandOver { fresh: of(&self.frozen.totals), all: of(&self.all), carried }
    }

    /// The root is anchored: begins to decide. Nothing is opened over any other set, before or after this.
    pub(super) fn begin(
        &mut self,
        signed: &SignedRoot,
        rng: &mut ChaCha20Rng,
        secrets: &PartySecrets,
    ) -> Outcome {
        if !matches!(self.round, Round::Before) {
            return Ok(Vec::new());
        }
        // What froze the set was signed by those who collected it.
        let committee = &self.frozen.context.keys.committee;
        if signed.root != self.frozen.root || signed.verify(committee).is_err() {
            return Err(TallyFault::Root);
        }
        self.check_shares()?;
        self.begun = Some(signed.clone());
        // Fresh for every attempt, so that no randomness is drawn twice whatever is repeated.
        let key = PrssKey::generate(rng);
        let (own, shard) = (self.frozen.party, self.frozen.root.shard);
        self.round = Round::Keys(key.clone());
        let effects = vec![Effect::peer(own.previous(), shard, PeerMessage::Key(key))];
        self.advance(effects, rng, secrets)
    }

    /// Whether this party's shares open what is on record. What it carried, it may have lost.
    fn check_shares(&self) -> Result<(), TallyFault> {
        let Frozen { context, running, .. } = self.frozen.as_ref();
        for TierCells { tier, commitments } in TierCells::of(running, &self.book.before) {
            if !tier_opens(context, &self.all, tier, &commitments) {
                return Err(TallyFault::Carried { tier });
            }
        }
        Ok(())
    }

    /// Takes a peer's message of any round, and goes as far as the messages allow.
    pub(super) fn receive(
        &mut self,
        from: PartyId,
        message: PeerMessage,
        rng: &mut ChaCha20Rng,
        secrets: &PartySecrets,
    ) -> Outcome {
        let own = self.frozen.party;
        let mut effects = Vec::new();
        match message {
            PeerMessage::Key(_) if from != own.next() => return Err(TallyFault::Key { party: from }),
            PeerMessage::Key(key) => {
                let wanted = matches!(self.round, Round::Before | Round::Keys(_));
                if !wanted || self.key.replace(key).is_some() {
                    return Err(TallyFault::Twice { party: from });
                }
            }
            PeerMessage::Compute(message) => match &mut self.round {
                Round::Before | Round::Keys(_) => self.ahead.put(from, message)?,
                Round::Deciding(computation) => {
                    let progress = computation.receive(from, message)?;
                    effects.extend(self.go_on(progress, rng)?);
                }
                // The decision is made: whatever else is said of it changes nothing.
                _ => {}
            },
            PeerMessage::Openings(m) => self.openings.put(own, from, m)?,
            PeerMessage::Reveal(m) => self.reveals.put(own, from, m)?,
            PeerMessage::Response(m) => self.responses.put(own, from, m)?,
            PeerMessage::Left(m) => self.left.put(own, from, m)?,
            // Of the agreement, which is over.
            _ => {}
        }
        self.advance(effects, rng, secrets)
    }

    fn broadcast(&self, message: PeerMessage) -> Vec<Effect> {
        let own = self.frozen.party;
        let shard = self.frozen.root.shard;
        [own.next(), own.previous()].map(|peer| Effect::peer(peer, shard, message.clone())).into()
    }

    /// Begins to compute on shares, with everything that came ahead.
    fn decide(
        &mut self,
        keys: [PrssKey; 2],
        rng: &mut ChaCha20Rng,
        secrets: &PartySecrets,
    ) -> Result<Vec<Effect>, TallyFault> {
        let Frozen { context, party, root, running, totals } = self.frozen.as_ref();
        let tiers = running.by_tier().into_keys().collect();
        let works = (0..context.works.works()).map(|at| WorkIndex(at as u16));
        let works = works.filter(|work| !self.book.resting.contains(work)).collect();
        let question = Question::new((tiers, works), (totals, &self.all), &context.params);
        let prss = Prss::new(*party, keys, root.digest());
        let (signer, committee) = (secrets.signer.clone(), self.committee.clone());
        let barriers = Box::new(Barriers { signer, committee });
        let (mut computation, mut progress) =
            Computation::start(prss, barriers, |session| question.decide(session))?;
        for (from, message) in self.ahead.take() {
            if progress.outcome.is_none() {
                let more = computation.receive(from, message)?;
                progress.send.extend(more.send);
                progress.outcome = more.outcome;
            }
        }
        self.round = Round::Deciding(Box::new(computation));
        self.go_on(progress, rng)
    }

    /// Sends what the computation sends; with its outcome, opens this party's share of what is published.
    fn go_on(
        &mut self,
        Progress { send, outcome }: Progress<Decision>,
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<Effect>, TallyFault> {
        let shard = self.frozen.root.shard;
        let compute = |(to, message)| Effect::peer(to, shard, PeerMessage::Compute(message));
        let mut effects: Vec<_> = send.into_iter().map(compute).collect();
        let Some(Decision { published, squares }) = outcome else { return Ok(effects) };
        self.squares = squares;
        let works = &self.frozen.context.works;
        let part = |tier: TierCells| {
            let of_tier = published.get(&tier.tier);
            let cells = Cells::part(works, |work| of_tier.is_some_and(|works| works.contains(&work)));
            (tier, cells)
        };
        let before = self.book.before.clone();
        let tiers: Vec<_> = TierCells::of(&self.frozen.running, &before).into_iter().map(part).collect();
        let (mut rows, mut secrets) = (Vec::new(), Vec::new());
        for (tier, Cells { opened, carried }) in &tiers {
            let [own, _] = self.all.sum(|group| group.tier == tier.tier);
            let entries = |at: &Vec<usize>| at.iter().map(|at| own.entries[*at]).collect::<Vec<_>>();
            rows.push(entries(opened));
            secrets.push(TierSecrets { carried: entries(carried), blinding: own.blinding });
        }
        let ground = Arc::new(Ground { frozen: self.frozen.clone(), before, tiers });
        self.ground = Some(ground.clone());
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let relation = TallyRelation { ground, rng: ChaCha20Rng::from_seed(seed) };
        let context = self.frozen.root.digest();
        let (state, message) =
            opening::start(context, self.frozen.party, relation, rows, ShareSecrets(secrets));
        self.round = Round::Openings(Box::new(state));
        effects.extend(self.broadcast(PeerMessage::Openings(message)));
        Ok(effects)
    }

    fn advance(
        &mut self,
        mut effects: Vec<Effect>,
        rng: &mut ChaCha20Rng,
        secrets: &PartySecrets,
    ) -> Outcome {
        loop {
            match std::mem::replace(&mut self.round, Round::After) {
                Round::Keys(own) => match self.key.take() {
                    Some(next) => effects.extend(self.decide([own, next], rng, secrets)?),
                    None => {
                        self.round = Round::Keys(own);
                        return Ok(effects);
                    }
                },
                Round::Openings(state) => match self.openings.take() {
                    Some((next, previous)) => {
                        let (state, message) = state.receive(next, previous)?;
                        self.round = Round::Reveals(Box::new(state));
                        effects.extend(self.broadcast(PeerMessage::Reveal(message)));
                    }
                    None => {
                        self.round = Round::Openings(state);
                        return Ok(effects);
                    }
                },
                Round::Reveals(state) => match self.reveals.take() {
                    Some((next, previous)) => {
                        let (state, message) = state.receive(next, previous)?;
                        self.round = Round::Responses(Box::new(state));
                        effects.extend(self.broadcast(PeerMessage::Response(message)));
                    }
                    None => {
                        self.round = Round::Reveals(state);
                        return Ok(effects);
                    }
                },
                Round::Responses(state) => match self.responses.take() {
                    Some((next, previous)) => {
                        let opened = self.check(*state, next, previous)?;
                        effects.extend(self.broadcast(PeerMessage::Left(opened.left.clone())));
                        self.round = Round::Left(Box::new(opened));
                    }
                    None => {
                        self.round = Round::Responses(state);
                        return Ok(effects);
                    }
                },
                Round::Left(opened) => match self.left.take() {
                    Some((next, previous)) => {
                        effects.extend(self.finish(*opened, &next, &previous, secrets)?);
                    }
                    None => {
                        self.round = Round::Left(opened);
                        return Ok(effects);
                    }
                },
                other => {
                    self.round = other;
                    return Ok(effects);
                }
            }
        }
    }

    /// Checks every share, then the sums as a light client would.
    fn check(
        &self,
        state: AwaitResponses<TallyRelation>,
        next: ResponseMessage,
        previous: ResponseMessage,
    ) -> Result<Opened, TallyFault> {
        let opened = state.receive(next, previous)?;
        let ground = self.ground.as_ref().expect("what is opened was decided");
        let totals = ground.counts(&opened.totals).ok_or(TallyFault::Totals)?;
        let shown = opened.responses.each_ref().map(|rows| responses(rows).expect("each share was checked"));
        let proof = TallyProof {
            openings: ground.digests(&opened.openings),
            tiers: TierProof::sum(&opened.announcements, &shown),
        };
        let after = carried_on(ground, &opened.openings);
        verifier::verify(&ground.statement(&totals), &after, &proof).map_err(|_| TallyFault::Totals)?;
        let context = &self.frozen.context;
        let by_tier = context.params.pool_by_tier;
        let fits = self.squares.check(&totals, context.works.works(), by_tier);
        fits.map_err(|_| TallyFault::Squares)?;
        let tally = Tally { totals, squares: self.squares.clone(), after };
        let carried = Carried::after(&self.frozen, self.all.clone(), &ground.tiers);
        let left = carried.left(context);
        Ok(Opened { tally, proof, carried, left })
    }

    /// Signs the totals, once all agree on what is carried on, and keeps that.
    fn finish(
        &self,
        opened: Opened,
        next: &Left,
        previous: &Left,
        secrets: &PartySecrets,
    ) -> Result<[Effect; 2], TallyFault> {
        let Opened { tally, proof, carried, left } = opened;
        let Frozen { root, party, .. } = self.frozen.as_ref();
        let carried = carried.agreed(&left, next, previous)?;
        let signature = secrets.signer.sign(&aggregate_digest(root, &tally, &proof));
        let report = Report::Totals(root.shard, self.sitting, Box::new((tally, proof)), signature);
        let keep = Effect::Keep(*party, root.shard, vec![self.carried.clone(), carried]);
        Ok([keep, Effect::Send(Address::Coordinator, Message::Report(report))])
    }
}

/// Commitments to what is carried on: of tiers in which bundles were counted, what their shares leave over.
fn carried_on(ground: &Ground, openings: &[opening::Rows; 3]) -> Residual {
    let left = PartyId::ALL.map(|share| {
        let left = ground.carried(share, &openings[share.index()]);
        left.expect("each share was checked")
    });
    let mut after = ground.before.clone();
    for (at, (tier, _)) in ground.tiers.iter().enumerate() {
        after.set(tier.tier, left.each_ref().map(|share| share[at]));
    }
    after
}

#[cfg(test)]
mod tests;
