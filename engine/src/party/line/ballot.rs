//! The leader's side of a proposal: what the others answer.

use super::{Desk, Line, Proposal};
use crate::{
    effect::Effect,
    message::{Address, Message, Objection},
    party::collect::{FaultReason, Outcome},
};
use primitives::{Digest, PartyId, limits};
use proofs::{
    committee::{QUORUM, Signatures},
    tally::SignedHeader,
};
use std::collections::{BTreeMap, BTreeSet};

/// Answers to a proposal.
pub(super) struct Ballot {
    signatures: Signatures,
    answered: BTreeSet<PartyId>,
    objections: BTreeMap<Digest, (PartyId, Objection)>,
}

impl Ballot {
    /// Opens with the leader's own vote.
    pub(super) fn new(leader: PartyId, vote: [u8; 64]) -> Self {
        let mut signatures = Signatures::default();
        signatures.insert(leader, vote);
        Self { signatures, answered: BTreeSet::new(), objections: BTreeMap::new() }
    }

    /// The leader's own vote.
    pub(super) fn own(&self, leader: PartyId) -> [u8; 64] {
        let own = self.signatures.iter().find(|(party, _)| *party == leader);
        *own.expect("a ballot opens with the leader's own vote").1
    }

    /// Who has not answered.
    pub(super) fn missing(&self, leader: PartyId) -> Vec<PartyId> {
        let silent = |party: &PartyId| *party != leader && !self.answered.contains(party);
        PartyId::ALL.into_iter().filter(silent).collect()
    }
}

impl Line {
    /// The proposal of this leader that a message of this digest is about, while votes are counted.
    fn under_vote(&mut self, digest: &Digest) -> Option<(&Proposal, &mut Ballot)> {
        let proposal = self.proposal.as_ref().filter(|p| p.header.digest() == *digest)?;
        Some((proposal, self.ballot.as_mut()?))
    }

    /// Another party voted for this leader's proposal.
    pub(in crate::party) fn voted(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        digest: Digest,
        signature: [u8; 64],
    ) -> Outcome {
        let context = self.context.clone();
        let Some((proposal, ballot)) = self.under_vote(&digest) else { return Ok(Vec::new()) };
        let committee = &context.keys.committee;
        let checked = committee.verify(from, &proposal.header.signing_digest(), &signature);
        checked.map_err(|_| FaultReason::Vote.of(from))?;
        ballot.signatures.insert(from, signature);
        ballot.answered.insert(from);
        let header = proposal.header.clone();
        self.witness.see(from, &header, &signature)?;
        self.count_votes(desk, false)
    }

    /// Another party objected to bundles of this leader's proposal.
    pub(in crate::party) fn objected(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        digest: Digest,
        objections: Vec<(Digest, Objection)>,
    ) -> Outcome {
        let Some((proposal, ballot)) = self.under_vote(&digest) else { return Ok(Vec::new()) };
        if objections.is_empty() || objections.iter().any(|(id, _)| !proposal.ids.contains(id)) {
            return Err(FaultReason::Objection.of(from));
        }
        ballot.answered.insert(from);
        ballot.objections.extend(objections.into_iter().map(|(id, objection)| (id, (from, objection))));
        self.count_votes(desk, false)
    }

    /// Another party refuses this leader's proposal because it leaves out what that party has known for long. The leader
    /// gets what it lacks of it, and proposes it first, now or when it leads again.
    pub(in crate::party) fn omits(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        digest: Digest,
        ids: &[Digest],
    ) -> Outcome {
        let Some((_, ballot)) = self.under_vote(&digest) else { return Ok(Vec::new()) };
        ballot.answered.insert(from);
        let lacking: Vec<_> = ids.iter().filter(|id| self.lacks(desk, id)).copied().collect();
        let refused = |id: &&Digest| !lacking.contains(id) && desk.pool.objection(self.shard, id).is_some();
        let urgent: Vec<_> = ids.iter().filter(|id| !refused(id)).copied().collect();
        for id in urgent {
            if !self.urgent.contains(&id) && self.urgent.len() < self.batch {
                self.urgent.push(id);
            }
        }
        let mut effects = self.remind(desk, from, ids);
        effects.extend(self.ask_bundles(&[from], &lacking));
        effects.extend(self.count_votes(desk, false)?);
        Ok(effects)
    }

    /// Proposes anew with bundles that a party misses, once they are here, if nothing else brings this leader on.
    pub(super) fn hurry(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let Some(ballot) = &self.ballot else { return Ok(Vec::new()) };
        let stuck = ballot.missing(self.party).is_empty() && ballot.signatures.len() < QUORUM;
        let here = |id: &Digest| desk.pool.objection(self.shard, id).is_none();
        let waits = self.urgent.iter().any(here);
        if stuck && waits { self.propose_anew(desk) } else { Ok(Vec::new()) }
    }

    /// Goes on once all have answered, or, after waiting long enough, with the answers that came. Two signatures
    /// suffice: a bundle that the third party objects to without evidence is counted if the other two hold it.
    pub(super) fn count_votes(&mut self, desk: &mut Desk<'_>, patience_is_over: bool) -> Outcome {
        let (Some(ballot), Some(proposal)) = (&mut self.ballot, &self.proposal) else {
            return Ok(Vec::new());
        };
        let all = ballot.answered.len() + 1 == PartyId::ALL.len();
        let enough = patience_is_over && !ballot.answered.is_empty();
        if !all && !enough {
            return Ok(Vec::new());
        }
        // Evidence that came meanwhile outweighs a vote.
        let struck = |id: &Digest| Some((*id, (desk.pool.struck_by(id)?, Objection::Share)));
        let struck: Vec<_> = proposal.ids.iter().filter_map(struck).collect();
        if struck.is_empty() && ballot.signatures.len() >= QUORUM {
            let signatures = std::mem::take(&mut ballot.signatures);
            let signed = SignedHeader { header: proposal.header.clone(), signatures };
            self.ballot = None;
            self.quorum = Some(signed.clone());
            return Ok(vec![Effect::Send(Address::Settlement, Message::Anchor(signed))]);
        }
        ballot.objections.extend(struck);
        if ballot.objections.is_empty() {
            // Nothing is wrong with it but what it leaves out.
            return self.hurry(desk);
        }
        let objections = std::mem::take(&mut ballot.objections);
        let mut effects = Vec::new();
        for (id, (party, objection)) in objections {
            effects.extend(self.leave_out(desk, id, objection, party));
        }
        effects.extend(self.propose_anew(desk)?);
        Ok(effects)
    }

    /// Proposes what is left of the last proposal, in the next view, with what others miss before it.
    fn propose_anew(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let mut effects = Vec::new();
        self.ballot = None;
        let ids = self.proposal.take().map(|proposal| proposal.ids).unwrap_or_default();
        effects.extend(self.sweep(desk));
        let here = |id: &Digest| desk.pool.objection(self.shard, id).is_none();
        let first: Vec<_> = self.urgent.iter().filter(|id| here(id)).copied().collect();
        let rest = ids.iter().filter(|id| here(id) && !first.contains(id));
        let left: Vec<_> = first.iter().chain(rest).take(limits::MAX_BATCH).copied().collect();
        match desk.pool.sum_shares(desk.secrets, self.shard, &left) {
            Ok(sums) if !left.is_empty() => effects.extend(self.put_forward(desk, left, sums)),
            sums => {
                effects.extend(self.drop_with(&sums.err().unwrap_or_default()));
                effects.extend(self.move_on(desk)?);
            }
        }
        Ok(effects)
    }

    /// Somebody shows a header with two signatures: this party may bring it to the chain if its leader does not, and
    /// compares whose signatures are on it with what it saw.
    pub(in crate::party) fn quorum(&mut self, from: PartyId, signed: SignedHeader) -> Outcome {
        signed.verify(&self.context.keys.committee).map_err(|_| FaultReason::Vote.of(from))?;
        let header = &signed.header;
        let here = (header.chain, header.epoch, header.shard)
            == (self.context.chain, self.context.epoch, self.shard);
        if here && header.position == self.voting.position() {
            for (party, signature) in signed.signatures.iter() {
                self.witness.see(party, header, signature)?;
            }
            self.quorum.get_or_insert(signed);
        }
        Ok(Vec::new())
    }
}
