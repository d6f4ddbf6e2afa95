//! Proposing and voting: what a leader puts forward, and what the others make of it.

use super::{Deferred, Desk, Line, MAX_OFFERS, Offer, Proposal, ballot::Ballot, patience, vote_of};
use crate::{
    effect::Effect,
    message::{Objection, PeerMessage},
    party::{
        collect::{FaultReason, Outcome},
        pool::{GroupSum, running_after},
        voting::{Turn, Weighed},
    },
};
use primitives::{Digest, PartyId, limits};
use proofs::{
    committee::Signatures,
    inclusion::batch_root,
    tally::{BatchHeader, SignedHeader},
};
use std::collections::BTreeSet;

impl Line {
    /// Proposes the next batch, once enough for one wait or the door is closed: all that wait, as far as a batch has room. What
    /// others have missed for long goes first, then what came first.
    pub(super) fn propose(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        loop {
            let waiting = desk.pool.waiting(self.shard);
            self.urgent.retain(|id| waiting.contains(id));
            if waiting.is_empty() || (waiting.len() < self.batch && !self.closed && self.urgent.is_empty()) {
                return effects;
            }
            let rest = waiting.iter().filter(|id| !self.urgent.contains(id));
            let ids: Vec<_> = self.urgent.iter().chain(rest).take(limits::MAX_BATCH).copied().collect();
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
    pub(in crate::party) fn pass(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let idle = self.proposal.is_none() && desk.pool.waiting(self.shard).is_empty();
        let passes = self.closed && idle && !self.behind.is_behind();
        Ok(if passes { self.put_forward(desk, Vec::new(), Vec::new()) } else { Vec::new() })
    }

    /// Signs a header of these bundles and shows it to the others, if this party leads and has a turn left.
    pub(super) fn put_forward(
        &mut self,
        desk: &Desk<'_>,
        ids: Vec<Digest>,
        sums: Vec<GroupSum>,
    ) -> Vec<Effect> {
        let may_sign = desk.back && !self.behind.is_behind();
        let Some(Turn { position, view }) = self.voting.next_turn().filter(|_| may_sign) else {
            return Vec::new();
        };
        let context = &self.context;
        let header = BatchHeader {
            chain: context.chain,
            epoch: context.epoch,
            shard: self.shard,
            view,
            position,
            previous: self.last,
            batch_root: batch_root(&ids),
            count: ids.len() as u32,
            running: running_after(&self.running, &sums),
        };
        let marks = desk.pool.marks(&ids);
        let Some(record) = self.voting.sign(vote_of(&header), &marks) else { return Vec::new() };
        let signature = desk.secrets.signer.sign(&header.signing_digest());
        self.ballot = Some(Ballot::new(self.party, signature));
        self.remember(&header, &ids);
        let message = PeerMessage::Propose(header.clone(), ids.clone(), signature);
        let digest = header.digest();
        let hold = Effect::Hold(digest, desk.pool.bundles(&ids));
        self.proposal = Some(Proposal { header, ids, sums });
        self.patience.begin();
        [hold, Effect::Store(record)].into_iter().chain(self.to_peers(&message)).collect()
    }

    pub(super) fn to_peers(&self, message: &PeerMessage) -> [Effect; 2] {
        let shard = self.shard;
        [self.party.next(), self.party.previous()].map(|peer| Effect::peer(peer, shard, message.clone()))
    }

    fn remember(&mut self, header: &BatchHeader, ids: &[Digest]) {
        if self.offers.len() < MAX_OFFERS {
            self.offers.insert(header.digest(), ids.to_vec());
        }
    }

    /// Whether a header is of this chain, goes on from its last one, and is of these bundles.
    fn fits(&self, header: &BatchHeader, ids: &[Digest]) -> bool {
        let context = &self.context;
        let place = (header.chain, header.epoch, header.shard);
        place == (context.chain, context.epoch, self.shard)
            && ids.len() <= limits::MAX_BATCH
            && header.count as usize == ids.len()
            && header.batch_root == batch_root(ids)
            && ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
            && (header.position != self.voting.position() || header.previous == self.last)
    }

    /// A leader proposes a batch.
    pub(in crate::party) fn proposed(&mut self, desk: &mut Desk<'_>, from: PartyId, offer: Offer) -> Outcome {
        let header = &offer.header;
        if header.leader() != from {
            return Err(FaultReason::NotLeader.of(from));
        }
        if !self.fits(header, &offer.ids) {
            return Err(FaultReason::Header.of(from));
        }
        let committee = &self.context.keys.committee;
        let checked = committee.verify(from, &header.signing_digest(), &offer.signature);
        checked.map_err(|_| FaultReason::Vote.of(from))?;
        let Turn { position, .. } = offer.vote().turn;
        if position == self.voting.position() {
            self.witness.see(from, header, &offer.signature)?;
            self.voting.hear(from, position, offer.vote().turn.term());
        }
        if offer.ids.is_empty() && !self.closed {
            // A batch of nothing passes the lead on, once nothing more comes in. That is so for its leader already.
            return Ok(Vec::new());
        }
        match self.voting.weigh(from, &offer.vote()) {
            Weighed::Open => self.consider(desk, offer, 0),
            Weighed::Again => Ok(self.vote_for(desk, &offer)),
            Weighed::Early if position <= self.voting.position() + 1 => {
                // The next leader may have heard of the last anchor first, or lost its patience first.
                self.early.insert(from, offer);
                Ok(Vec::new())
            }
            // The first of two that clash may be one from before a restart, which this party cannot show any more.
            Weighed::Early | Weighed::Late | Weighed::Conflict | Weighed::NotLeader => Ok(Vec::new()),
        }
    }

    /// Looks at a proposal that this party may sign.
    pub(super) fn consider(&mut self, desk: &mut Desk<'_>, offer: Offer, waited: u32) -> Outcome {
        let Offer { header, ids, .. } = &offer;
        let (from, mut effects) = (header.leader(), Vec::new());
        self.remember(header, ids);
        if self.behind.is_behind() || !desk.back {
            // Its leader shows it again.
            return Ok(effects);
        }
        let unknown = |id: &&Digest| desk.pool.objection(self.shard, id) == Some(Objection::Unknown);
        let lacking: Vec<_> = ids.iter().filter(unknown).copied().collect();
        if !lacking.is_empty() && waited < patience::OBJECT_AFTER {
            // What this party lacks may be on its way. Once nothing more comes in, only peers have it.
            if self.closed && waited == 0 {
                effects.extend(self.ask_bundles(&[from], &lacking));
            }
            self.deferred = Some(Deferred { offer, waited });
            return Ok(effects);
        }
        let object = |desk: &Desk<'_>| -> Vec<_> {
            ids.iter().filter_map(|id| Some((*id, desk.pool.objection(self.shard, id)?))).collect()
        };
        // A header that is not signed anyway is not added up: its leader may show it as often as it likes.
        let (mut objections, mut sums) = (object(desk), Vec::new());
        if objections.is_empty() {
            match desk.pool.sum_shares(desk.secrets, self.shard, ids) {
                Ok(added) => sums = added,
                Err(complaints) => {
                    effects.extend(self.drop_with(&complaints));
                    objections = object(desk);
                }
            }
        }
        if !objections.is_empty() {
            // Before the objection, so that the leader knows what stands behind it.
            effects.extend(self.remind(desk, from, ids));
            effects.push(Effect::peer(from, self.shard, PeerMessage::Object(header.digest(), objections)));
            return Ok(effects);
        }
        if header.running != running_after(&self.running, &sums) {
            return Err(FaultReason::Running.of(from));
        }
        let omitted = desk.pool.omitted(self.shard, ids, self.batch);
        if !omitted.is_empty() {
            effects.push(Effect::peer(from, self.shard, PeerMessage::Omits(header.digest(), omitted)));
            return Ok(effects);
        }
        let marks = desk.pool.marks(ids);
        let Some(record) = self.voting.sign(offer.vote(), &marks) else { return Ok(effects) };
        effects.push(Effect::Hold(offer.header.digest(), desk.pool.bundles(ids)));
        effects.push(Effect::Store(record));
        effects.extend(self.vote_for(desk, &offer));
        let Offer { header, ids, .. } = offer;
        self.proposal = Some(Proposal { header, ids, sums });
        self.patience.begin();
        effects.extend(self.sweep(desk));
        Ok(effects)
    }

    /// Sends the signature on a header that was stored: to its leader, and with the leader's own to the third party, so
    /// that two signatures of one leader on two headers meet, and a leader that stops takes no batch with it.
    fn vote_for(&mut self, desk: &Desk<'_>, offer: &Offer) -> Vec<Effect> {
        let (header, leader) = (&offer.header, offer.header.leader());
        let signature = desk.secrets.signer.sign(&header.signing_digest());
        let mut signatures = Signatures::default();
        signatures.insert(leader, offer.signature);
        signatures.insert(self.party, signature);
        let signed = SignedHeader { header: header.clone(), signatures };
        self.quorum = Some(signed.clone());
        let third = PartyId::ALL.into_iter().find(|p| *p != leader && *p != self.party);
        let vote = Effect::peer(leader, self.shard, PeerMessage::Vote(header.digest(), signature));
        let shown = third.map(|to| Effect::peer(to, self.shard, PeerMessage::Quorum(signed)));
        [vote].into_iter().chain(shown).collect()
    }
}
