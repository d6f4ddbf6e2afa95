//! Who is there while totals are opened, and who took a seat (protocol notes, section 7).

use super::ahead::Ahead;
use crate::{
    effect::Effect,
    message::{Address, Letter, Message, PeerMessage, Sitting},
};
use primitives::PartyId;
use std::{collections::BTreeSet, mem};

/// Letters of a sitting to come that a party keeps of each other one: more than honest ones write before it has heard of
/// the seat.
const MAX_EARLY: usize = 1 << 10;

/// What a party knows of who is there.
pub(super) struct Attendance {
    party: PartyId,
    /// Where this party is itself.
    at: Address,
    /// Ticks since each party was heard of.
    silence: [u32; 3],
    /// Who said that it is there since the last tick.
    owed: BTreeSet<PartyId>,
    /// The seat that this party signed for last. The chain gives one an epoch, whatever was signed.
    voted: Option<PartyId>,
    /// The seat that the standby has.
    taken: Option<PartyId>,
    /// Attempts of this sitting before the one in hand.
    attempt: u8,
    early: Ahead,
}

/// Whom a message is from.
pub(super) enum From {
    /// This address, as parties know each other.
    Known(Address),
    /// A party that lost its seat: its keys are void.
    Void,
}

impl Attendance {
    pub(super) fn new(party: PartyId) -> Self {
        let at = Address::Party(party);
        let (silence, owed) = ([0; 3], BTreeSet::new());
        Self { party, at, silence, owed, voted: None, taken: None, attempt: 0, early: Ahead::default() }
    }

    /// Of the standby, in the seat that it has.
    pub(super) fn in_seat(party: PartyId) -> Self {
        Self { at: Address::Standby, taken: Some(party), ..Self::new(party) }
    }

    /// The sitting in hand.
    pub(super) fn sitting(&self) -> Sitting {
        Sitting { seats: u8::from(self.taken.is_some()), attempt: self.attempt }
    }

    /// Goes on to an attempt.
    pub(super) fn attempt(&mut self, attempt: u8) {
        self.attempt = attempt;
    }

    /// The seat of whoever is at an address.
    pub(super) fn seat_of(&self, from: Address) -> From {
        match (from, self.taken) {
            _ if from == self.at => From::Known(Address::Party(self.party)),
            (Address::Standby, Some(seat)) => From::Known(Address::Party(seat)),
            (Address::Party(party), Some(seat)) if party == seat => From::Void,
            _ => From::Known(from),
        }
    }

    /// Keeps a letter of a sitting to come, or of the opening if this party is not that `far`; whether this is one.
    pub(super) fn keep_early(&mut self, from: Address, letter: &Letter, far: bool) -> bool {
        let of_opening = !letter.message.is_agreement() && letter.message != PeerMessage::Here;
        let early = letter.sitting.seats > self.sitting().seats || (of_opening && !far);
        if early {
            self.early.keep(from, letter.clone(), MAX_EARLY);
        }
        early
    }

    /// Whether a letter is of a sitting that is over.
    pub(super) fn is_stale(&self, letter: &Letter) -> bool {
        letter.sitting < self.sitting()
    }

    pub(super) fn heard(&mut self, party: PartyId) {
        self.silence[party.index()] = 0;
    }

    /// A party says that it is there.
    pub(super) fn heard_here(&mut self, party: PartyId) {
        self.heard(party);
        self.owed.insert(party);
    }

    /// Who said so since this was asked last. Each is answered once a tick at most: two that answered each other at once
    /// would never end.
    pub(super) fn owed(&mut self) -> BTreeSet<PartyId> {
        mem::take(&mut self.owed)
    }

    /// Some time has passed. The party that is gone, if one is and this party has not signed for its seat yet: it was
    /// silent for longer than `patience`, and the third party was not.
    pub(super) fn tick(&mut self, patience: u32) -> Option<PartyId> {
        self.silence.iter_mut().for_each(|ticks| *ticks = ticks.saturating_add(1));
        let silent = |party: &PartyId| self.silence[party.index()] > patience;
        let [one, other] = [self.party.next(), self.party.previous()];
        let gone = match (silent(&one), silent(&other)) {
            (true, false) => Some(one),
            (false, true) => Some(other),
            _ => None,
        };
        let gone = gone.filter(|gone| self.voted != Some(*gone) && self.taken.is_none());
        self.voted = gone.or(self.voted);
        gone
    }

    /// This party opens totals now. Gives the letters that came ahead of that.
    pub(super) fn early(&mut self) -> Vec<(Address, Letter)> {
        self.early.take()
    }

    /// The standby has a seat. Gives the letters that came ahead of that.
    pub(super) fn take(&mut self, seat: PartyId) -> Vec<(Address, Letter)> {
        self.taken = Some(seat);
        self.attempt = 0;
        self.heard(seat);
        self.early.take()
    }

    /// Writes the sitting into letters that leave, and sends those for a taken seat to who has it.
    pub(super) fn addressed(&self, mut effects: Vec<Effect>) -> Vec<Effect> {
        for effect in &mut effects {
            if let Effect::Lend(to, ..) = effect
                && self.taken.map(Address::Party) == Some(*to)
            {
                *to = Address::Standby;
            }
            if let Effect::Send(to @ Address::Party(_), Message::Peer(letter)) = effect {
                if !letter.message.is_agreement() {
                    letter.sitting = self.sitting();
                }
                if self.taken.map(Address::Party) == Some(*to) {
                    *to = Address::Standby;
                }
            }
        }
        effects
    }

    /// Whether the standby has a seat.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.is_some()
    }

    /// What tells the others that this party is there.
    pub(super) fn here(&self) -> [Effect; 2] {
        [self.party.next(), self.party.previous()].map(Self::here_to)
    }

    /// What tells another that this party is there.
    pub(super) fn here_to(to: PartyId) -> Effect {
        Effect::peer(to, primitives::ShardIndex(0), PeerMessage::Here)
    }
}
