//! The leader's side of a proposal: what the others answer.

use super::{Desk, Line, Proposal};
use crate::{
    effect::Effect,
    message::{Address, Message, Objection},
    party::collect::{FaultReason, Outcome},
};
use primitives::{Digest, PartyId};
use proofs::{committee::Signatures, tally::SignedHeader};
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
        self.count_votes(desk)
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
        self.count_votes(desk)
    }

    fn count_votes(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let Some(mut ballot) = self.ballot.take_if(|b| b.answered.len() + 1 == PartyId::ALL.len()) else {
            return Ok(Vec::new());
        };
        let proposal = self.proposal.as_ref().expect("a ballot is about a proposal");
        // Evidence that came meanwhile outweighs a vote.
        let struck = |id: &Digest| Some((*id, (desk.pool.struck_by(id)?, Objection::Share)));
        ballot.objections.extend(proposal.ids.iter().filter_map(struck));
        if ballot.objections.is_empty() {
            let signed = SignedHeader { header: proposal.header.clone(), signatures: ballot.signatures };
            return Ok(vec![Effect::Send(Address::Settlement, Message::Anchor(signed))]);
        }
        let mut effects = Vec::new();
        for (id, (party, objection)) in &ballot.objections {
            effects.extend(self.leave_out(desk, *id, *objection, *party));
        }
        self.view += 1;
        let ids = self.proposal.take().expect("a ballot is about a proposal").ids;
        let left: Vec<_> =
            ids.into_iter().filter(|id| desk.pool.objection(self.shard, id).is_none()).collect();
        match desk.pool.sum_shares(desk.secrets, self.shard, &left) {
            Ok(sums) if !left.is_empty() => effects.extend(self.put_forward(desk, left, sums)),
            sums => {
                effects.extend(self.drop_with(&sums.err().unwrap_or_default()));
                effects.extend(self.move_on(desk)?);
            }
        }
        Ok(effects)
    }
}
