//! From the frozen set to totals that this party signs: root, joint opening, proof.

use crate::{
    effect::Effect,
    message::{Address, Message, PeerMessage, Report},
    party::{PartySecrets, line::Frozen, relation::TallyRelation},
};
use chain::modules::usage::aggregate_digest;
use mpc::opening::{
    self, AwaitOpenings, AwaitResponses, AwaitReveals, OpeningError, OpeningsMessage, ResponseMessage,
    RevealMessage,
};
use primitives::PartyId;
use proofs::tally::{SignedRoot, TallyProof, prover::ShareBlindings, verifier};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::RngCore;
use std::sync::Arc;
use thiserror::Error;

/// Why the totals are not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(super) enum TallyFault {
    /// The joint opening failed.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A party sent a message of a round twice.
    #[error("party {party} sent a message of the joint opening twice")]
    Twice {
        /// Who.
        party: PartyId,
    },
    /// The root to open is not the one that this party froze, or no quorum signed it.
    #[error("the root to open is not the one that was frozen and signed")]
    Root,
    /// Every share was proved and yet the totals do not hold. Three honest checks contradict each other.
    #[error("the opened totals do not hold against the commitments")]
    Totals,
}

impl TallyFault {
    /// Who is to blame, if anybody.
    pub(super) fn culprit(self) -> Option<PartyId> {
        match self {
            Self::Opening(error) => error.culprit(),
            Self::Twice { party } => Some(party),
            Self::Root | Self::Totals => None,
        }
    }
}

/// The round of the joint opening.
enum Round {
    /// The root is signed; the opening has not begun.
    Before,
    Openings(Box<AwaitOpenings<TallyRelation>>),
    Reveals(Box<AwaitReveals<TallyRelation>>),
    Responses(Box<AwaitResponses<TallyRelation>>),
    After,
}

/// Messages of one round, from the next and the previous party. A fast peer may be a round ahead.
struct Inbox<M> {
    next: Option<M>,
    previous: Option<M>,
}

impl<M> Default for Inbox<M> {
    fn default() -> Self {
        Self { next: None, previous: None }
    }
}

impl<M> Inbox<M> {
    fn put(&mut self, own: PartyId, from: PartyId, message: M) -> Result<(), TallyFault> {
        let slot = if from == own.next() { &mut self.next } else { &mut self.previous };
        if slot.replace(message).is_some() { Err(TallyFault::Twice { party: from }) } else { Ok(()) }
    }

    fn take(&mut self) -> Option<(M, M)> {
        match (self.next.take(), self.previous.take()) {
            (Some(next), Some(previous)) => Some((next, previous)),
            (next, previous) => {
                (self.next, self.previous) = (next, previous);
                None
            }
        }
    }
}

/// State of a party that opens the totals of a shard.
pub(super) struct Tally {
    frozen: Arc<Frozen>,
    round: Round,
    openings: Inbox<OpeningsMessage>,
    reveals: Inbox<RevealMessage>,
    responses: Inbox<ResponseMessage>,
}

/// The state to go on with, or none once the totals are signed.
type Next = Result<(Option<Box<Tally>>, Vec<Effect>), TallyFault>;

impl Tally {
    /// Signs the root of the frozen set.
    pub(super) fn new(frozen: Frozen, secrets: &PartySecrets) -> (Self, Report) {
        let report = Report::Root(frozen.root.clone(), secrets.signer.sign(&frozen.root.digest()));
        let tally = Self {
            frozen: Arc::new(frozen),
            round: Round::Before,
            openings: Inbox::default(),
            reveals: Inbox::default(),
            responses: Inbox::default(),
        };
        (tally, report)
    }

    /// The root is anchored: opens this party's share. Nothing is opened over any other set, before or after this.
    pub(super) fn begin(
        mut self: Box<Self>,
        signed: &SignedRoot,
        rng: &mut ChaCha20Rng,
        secrets: &PartySecrets,
    ) -> Next {
        if !matches!(self.round, Round::Before) {
            return Ok((Some(self), Vec::new()));
        }
        let committee = &self.frozen.context.keys.committee;
        if signed.root != self.frozen.root || signed.verify(committee).is_err() {
            return Err(TallyFault::Root);
        }
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let relation = TallyRelation { frozen: self.frozen.clone(), rng: ChaCha20Rng::from_seed(seed) };
        let (mut rows, mut blindings) = (Vec::new(), Vec::new());
        for (_, sum) in self.frozen.totals.own() {
            rows.push(sum.entries.clone());
            blindings.push(sum.blinding);
        }
        let context = self.frozen.root.digest();
        let (state, message) =
            opening::start(context, self.frozen.party, relation, rows, ShareBlindings(blindings));
        self.round = Round::Openings(Box::new(state));
        let effects = self.broadcast(PeerMessage::Openings(message));
        self.advance(effects, secrets)
    }

    /// Takes a peer's message of any round, and goes as far as the messages allow.
    pub(super) fn receive(
        mut self: Box<Self>,
        from: PartyId,
        message: PeerMessage,
        secrets: &PartySecrets,
    ) -> Next {
        let own = self.frozen.party;
        match message {
            PeerMessage::Openings(m) => self.openings.put(own, from, m)?,
            PeerMessage::Reveal(m) => self.reveals.put(own, from, m)?,
            PeerMessage::Response(m) => self.responses.put(own, from, m)?,
            PeerMessage::Propose(..)
            | PeerMessage::Vote(..)
            | PeerMessage::Object(..)
            | PeerMessage::Complaint(..) => {}
        }
        self.advance(Vec::new(), secrets)
    }

    fn broadcast(&self, message: PeerMessage) -> Vec<Effect> {
        let own = self.frozen.party;
        let shard = self.frozen.root.shard;
        [own.next(), own.previous()].map(|peer| Effect::peer(peer, shard, message.clone())).into()
    }

    fn advance(mut self: Box<Self>, mut effects: Vec<Effect>, secrets: &PartySecrets) -> Next {
        loop {
            match std::mem::replace(&mut self.round, Round::After) {
                Round::Openings(state) => match self.openings.take() {
                    Some((next, previous)) => {
                        let (state, message) = state.receive(next, previous)?;
                        self.round = Round::Reveals(Box::new(state));
                        effects.extend(self.broadcast(PeerMessage::Reveal(message)));
                    }
                    None => {
                        self.round = Round::Openings(state);
                        return Ok((Some(self), effects));
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
                        return Ok((Some(self), effects));
                    }
                },
                Round::Responses(state) => match self.responses.take() {
                    Some((next, previous)) => {
                        effects.push(self.finish(*state, next, previous, secrets)?);
                        return Ok((None, effects));
                    }
                    None => {
                        self.round = Round::Responses(state);
                        return Ok((Some(self), effects));
                    }
                },
                other => {
                    self.round = other;
                    return Ok((Some(self), effects));
                }
            }
        }
    }

    /// Checks every share, then the sums as a light client would, and signs them.
    fn finish(
        &self,
        state: AwaitResponses<TallyRelation>,
        next: ResponseMessage,
        previous: ResponseMessage,
        secrets: &PartySecrets,
    ) -> Result<Effect, TallyFault> {
        let opened = state.receive(next, previous)?;
        let relation = TallyRelation { frozen: self.frozen.clone(), rng: ChaCha20Rng::from_seed([0; 32]) };
        let totals = relation.counts(&opened.totals).ok_or(TallyFault::Totals)?;
        let proof = TallyProof {
            openings: relation.digests(&opened.openings),
            announcement: opened.announcement.into(),
            response: opened.response.into(),
        };
        let works = &self.frozen.context.works;
        verifier::verify(works, &relation.statement(&totals), &proof).map_err(|_| TallyFault::Totals)?;
        let signature = secrets.signer.sign(&aggregate_digest(&self.frozen.root, &totals, &proof));
        let report = Report::Totals(self.frozen.root.shard, Box::new((totals, proof)), signature);
        Ok(Effect::Send(Address::Coordinator, Message::Report(report)))
    }
}
