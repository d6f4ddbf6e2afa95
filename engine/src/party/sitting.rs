//! A party while totals are opened: sittings, which begin anew when a host does, and seats, one of which the standby may take
//! (protocol notes, section 7).

use super::{Input, Party, Stage, attendance::From, tallying::Tallying};
use crate::{
    effect::{Core, Effect},
    message::{Address, Letter, Message, PeerMessage, Seated, Sitting},
};
use chain::modules::usage::seat_digest;
use primitives::ShardIndex;
use std::sync::Arc;

/// Most attempts of one sitting: each time a party is started again while totals are opened, all begin anew.
pub(super) const MAX_ATTEMPTS: u8 = 100;

impl Party {
    pub(super) fn tallying(&mut self, from: Address, input: Input) -> Vec<Effect> {
        let Stage::Tallying(tallies) = &mut self.stage else {
            return self.dropped(from, "totals are not opened now");
        };
        let Some(tally) = tallies.get_mut(&input.shard()) else {
            return self.dropped(from, "totals of this shard are not opened");
        };
        let next = match input {
            Input::Root(root) => tally.begin(&root, &mut self.rng, &self.secrets),
            Input::Peer(peer, letter) => tally.receive(peer, letter.message, &mut self.rng, &self.secrets),
        };
        next.unwrap_or_else(|error| self.stop(error.culprit(), error.to_string()))
    }

    pub(super) fn is_tallying(&self) -> bool {
        matches!(self.stage, Stage::Tallying(_))
    }

    /// Says that this party is there, and signs for the standby once another has been silent for too long.
    pub(super) fn attend(&mut self) -> Vec<Effect> {
        let mut effects: Vec<_> = self.attendance.here().into();
        let seating = self.opened.as_ref().map(|opened| &opened.seating);
        let Some((standby, patience)) = seating.and_then(|s| Some((s.standby.as_ref()?, s.patience))) else {
            return effects;
        };
        if let Some(gone) = self.attendance.tick(patience) {
            let digest = seat_digest(self.chain, self.epoch, gone, standby);
            let message = PeerMessage::SeatVote(gone, self.secrets.signer.sign(&digest));
            let letter = Letter { shard: ShardIndex(0), sitting: Sitting::default(), message };
            effects.push(Effect::Send(Address::Standby, Message::Peer(letter)));
        }
        effects
    }

    /// The standby has a seat: it gets its shares, and whatever was being opened begins anew.
    pub(super) fn seated(&mut self, seated: Arc<Seated>) -> Vec<Effect> {
        let Some(opened) = &self.opened else {
            return self.dropped(Address::Settlement, "no epoch is open");
        };
        let gone = seated.by.party;
        let after = opened.seating.committee_after((self.chain, opened.committee()), &seated.by);
        let committee = match after {
            Ok(committee) if seated.by.epoch == self.epoch => committee,
            Ok(_) => return self.dropped(Address::Settlement, "a seat of another epoch"),
            Err(error) => return self.stop(None, error.to_string()),
        };
        if gone == self.party && !self.attendance.is_taken() {
            // Whatever it was at.
            self.attendance.take(gone);
            self.stage = Stage::Left;
            return self.dropped(Address::Settlement, "this party lost its seat");
        }
        if self.attendance.is_taken() {
            return self.dropped(Address::Settlement, "a seat was taken before");
        }
        let tallies = match &mut self.stage {
            Stage::Tallying(tallies) => tallies,
            // It has to be that far first.
            Stage::Collecting(_) => {
                self.seat = Some(seated);
                return Vec::new();
            }
            _ => return self.dropped(Address::Settlement, "a seat was taken while nothing is opened"),
        };
        let mut effects = Vec::new();
        for (shard, tally) in tallies {
            let shares = Box::new(tally.hand_over(gone));
            effects.push(Effect::peer(gone, *shard, PeerMessage::HandOver(shares)));
            tally.again_with(committee.clone());
        }
        let early = self.attendance.take(gone);
        match self.sit_anew() {
            Ok(sits) => effects.push(sits),
            Err(stops) => return stops,
        }
        let sitting = self.attendance.sitting();
        if let Stage::Tallying(tallies) = &mut self.stage {
            tallies.values_mut().for_each(|tally| tally.again(sitting));
        }
        effects.extend(self.begin(&seated));
        effects.extend(early.into_iter().flat_map(|(from, letter)| self.handle(from, Message::Peer(letter))));
        effects
    }

    /// Begins to open what the chain has frozen.
    pub(super) fn begin(&mut self, seated: &Seated) -> Vec<Effect> {
        let roots = seated.frozen.iter().map(|(root, _)| Input::Root(Arc::new(root.clone())));
        roots.flat_map(|root| self.tallying(Address::Settlement, root)).collect()
    }

    /// Goes on to the first attempt of the sitting in hand that this party has not begun, also in an earlier run; or stops, if
    /// there were too many.
    pub(super) fn sit_anew(&mut self) -> Result<Effect, Vec<Effect>> {
        let seats = self.attendance.sitting().seats;
        let attempt =
            self.sat.filter(|sat| sat.seats == seats).map_or(0, |sat| sat.attempt.saturating_add(1));
        match attempt > MAX_ATTEMPTS {
            true => Err(self.stop(None, format!("it was started again more than {MAX_ATTEMPTS} times"))),
            false => Ok(self.sit(attempt)),
        }
    }

    /// Goes on to an attempt of the sitting in hand.
    fn sit(&mut self, attempt: u8) -> Effect {
        self.attendance.attempt(attempt);
        let sitting = self.attendance.sitting();
        self.sat = Some(sitting);
        Effect::Sit(sitting)
    }

    /// Another host was started again: what this party wrote to it in the sitting in hand may be lost, so all begin anew. Who
    /// has no seat, or lost it, is no reason to.
    pub(super) fn restarted(&mut self, host: Address) -> Vec<Effect> {
        let From::Known(Address::Party(peer)) = self.attendance.seat_of(host) else { return Vec::new() };
        match self.is_tallying() && peer != self.party {
            true => self.again(self.attendance.sitting().attempt.saturating_add(1)),
            false => Vec::new(),
        }
    }

    /// Another party begins anew: it was started again, and has lost what it had computed. Nothing can be computed without
    /// it, so all begin anew, over the same set. Where that was too often nobody is named: numbers of attempts pass from one
    /// to the next, and who began to raise them cannot be told.
    pub(super) fn again(&mut self, attempt: u8) -> Vec<Effect> {
        if attempt > MAX_ATTEMPTS {
            return self.stop(None, format!("the sitting was begun anew more than {MAX_ATTEMPTS} times"));
        }
        let mut effects = vec![self.sit(attempt)];
        let sitting = self.attendance.sitting();
        let Stage::Tallying(tallies) = &mut self.stage else { return Vec::new() };
        tallies.values_mut().for_each(|tally| tally.again(sitting));
        let begun: Vec<_> = tallies.values().filter_map(Tallying::begun).cloned().collect();
        for root in begun {
            effects.extend(self.tallying(Address::Coordinator, Input::Root(Arc::new(root))));
        }
        effects
    }
}
