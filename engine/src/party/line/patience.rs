//! What a party does when time passes and nothing becomes final. A tick is as long as its shell makes it; no tick is
//! needed as long as everybody answers.

use super::{Deferred, Desk, Line};
use crate::{
    effect::Effect,
    message::{Address, Message, PeerMessage},
    party::collect::Outcome,
};
use primitives::{Digest, PartyId};
use proofs::tally::SignedHeader;
use std::collections::BTreeSet;

/// Ticks after which a party asks its peers for what it lacks: what is on its way from a device comes sooner.
pub(in crate::party) const ASK_AFTER: u32 = 3;
/// Ticks after which a party objects to what nobody gave it.
pub(in crate::party) const OBJECT_AFTER: u32 = 9;
/// Ticks for which a leader waits for the third party, once it has a second signature. Three signatures tell more than
/// two, and a record with all of them is the same whoever was quicker.
pub(in crate::party) const VOTE_PATIENCE: u32 = 15;
/// Ticks for which the others wait for a leader: longer than an honest one waits for the third party and for what it has
/// to propose anew.
pub(in crate::party) const LEADER_PATIENCE: u32 = 3 * VOTE_PATIENCE;
/// Ticks after which something that got no answer is said again: messages before a restart are lost.
const AGAIN_AFTER: u32 = 5;

const _: () = assert!(ASK_AFTER < OBJECT_AFTER && OBJECT_AFTER < VOTE_PATIENCE);

/// State.
#[derive(Default)]
pub(super) struct Patience {
    /// Ticks since the last step forward.
    ticks: u32,
    /// Parties that were waited for in vain and have not been heard of since. They are waited for less.
    slow: BTreeSet<PartyId>,
    /// Whether this party has brought the header that it holds to the chain.
    brought: bool,
}

impl Patience {
    /// A step forward: something was signed.
    pub(super) fn begin(&mut self) {
        self.ticks = 0;
    }

    /// The next position.
    pub(super) fn next(&mut self) {
        (self.ticks, self.brought) = (0, false);
    }
}

impl Line {
    /// A party that says anything is not away.
    pub(in crate::party) fn heard_from(&mut self, from: PartyId) {
        self.patience.slow.remove(&from);
    }

    /// Whether something should become final.
    fn is_pressed(&self, desk: &Desk<'_>) -> bool {
        let waiting = desk.pool.waiting(self.shard).len();
        waiting >= self.batch
            || (self.closed && waiting > 0)
            || self.proposal.is_some()
            || self.deferred.is_some()
            || self.quorum.is_some()
            || self.voting.term().max(self.voting.heard()) > 0
    }

    /// Some time has passed.
    pub(in crate::party) fn tick(&mut self, desk: &mut Desk<'_>) -> Outcome {
        if self.behind.is_behind() {
            self.patience.ticks += 1;
            let again = self.patience.ticks.is_multiple_of(ASK_AFTER);
            self.wait_for_openings()?;
            return if again { self.catch_up_by(desk, true) } else { Ok(Vec::new()) };
        }
        if !self.is_pressed(desk) {
            self.patience.ticks = 0;
            return Ok(Vec::new());
        }
        self.patience.ticks += 1;
        let again = self.patience.ticks.is_multiple_of(AGAIN_AFTER);
        let mut effects = self.wait_for_bundles(desk)?;
        effects.extend(self.wait_for_votes(desk, again)?);
        if again && self.voting.term() > 0 {
            let said = PeerMessage::Term(self.voting.position(), self.voting.term());
            effects.extend(self.to_peers(&said));
        }
        // A leader that was not back when its turn came may sign by now.
        if again && self.voting.leader() == self.party && self.proposal.is_none() {
            effects.extend(self.propose(desk));
        }
        effects.extend(self.wait_for_leader(desk)?);
        Ok(effects)
    }

    /// Asks for bundles of a proposal that have not come, and at last objects to them.
    fn wait_for_bundles(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let Some(Deferred { offer, waited }) = self.deferred.take() else { return Ok(Vec::new()) };
        let waited = waited + 1;
        let mut effects = Vec::new();
        if waited == ASK_AFTER {
            let lacking: Vec<_> = offer.ids.iter().filter(|id| self.lacks(desk, id)).copied().collect();
            effects.extend(self.ask_bundles(&[offer.header.leader()], &lacking));
        }
        effects.extend(self.consider(desk, offer, waited)?);
        Ok(effects)
    }

    /// A leader goes on with two signatures once it has waited for the third party long enough.
    fn wait_for_votes(&mut self, desk: &mut Desk<'_>, again: bool) -> Outcome {
        let Some(ballot) = &self.ballot else { return Ok(Vec::new()) };
        let missing = ballot.missing(self.party);
        let absent = missing.iter().all(|party| self.patience.slow.contains(party));
        let mut effects = Vec::new();
        if absent || self.patience.ticks >= VOTE_PATIENCE {
            self.patience.slow.extend(&missing);
            effects.extend(self.count_votes(desk, true)?);
        }
        if again && let (Some(ballot), Some(proposal)) = (&self.ballot, &self.proposal) {
            let (header, ids) = (proposal.header.clone(), proposal.ids.clone());
            let message = PeerMessage::Propose(header, ids, ballot.own(self.party));
            let shown = missing.into_iter().map(|to| Effect::peer(to, self.shard, message.clone()));
            effects.extend(shown);
        }
        Ok(effects)
    }

    /// Whoever holds a quorum's header may bring it to the chain. If that is not it, another party is to lead.
    fn wait_for_leader(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let leader = self.voting.leader();
        let slow = self.patience.slow.contains(&leader);
        if self.patience.ticks < if slow { VOTE_PATIENCE } else { LEADER_PATIENCE } {
            return Ok(Vec::new());
        }
        self.patience.ticks = 0;
        if let Some(signed) = self.quorum.clone().filter(|signed| self.may_bring(desk, signed)) {
            self.patience.brought = true;
            return Ok(vec![Effect::Send(Address::Settlement, Message::Anchor(signed))]);
        }
        let Some(record) = self.voting.give_up() else { return Ok(Vec::new()) };
        self.patience.slow.insert(leader);
        // What was signed may still be anchored. It is then taken from `offers`, like what others signed.
        (self.proposal, self.ballot, self.deferred) = (None, None, None);
        let mut effects = vec![Effect::Store(record)];
        let said = PeerMessage::Term(self.voting.position(), self.voting.term());
        effects.extend(self.to_peers(&said));
        effects.extend(self.sweep(desk));
        effects.extend(self.move_on(desk)?);
        Ok(effects)
    }

    /// Evidence that came meanwhile outweighs votes.
    fn may_bring(&self, desk: &Desk<'_>, signed: &SignedHeader) -> bool {
        let none = Vec::<Digest>::new();
        let ids = self.names_of(&signed.header).unwrap_or(&none);
        !self.patience.brought && ids.iter().all(|id| desk.pool.struck_by(id).is_none())
    }

    /// Another party says that it has lost its patience.
    pub(in crate::party) fn term(&mut self, from: PartyId, position: u64, term: u32) -> Vec<Effect> {
        self.voting.hear(from, position, term);
        Vec::new()
    }
}
