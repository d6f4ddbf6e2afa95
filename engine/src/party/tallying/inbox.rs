//! Messages that came before they are wanted: a fast peer may be ahead.

use super::TallyFault;
use mpc::session::{Abort, MAX_AHEAD, Message};
use primitives::PartyId;
use std::collections::VecDeque;

/// Messages of one round of the joint opening, from the next and the previous party.
pub(super) struct Inbox<M> {
    next: Option<M>,
    previous: Option<M>,
}

impl<M> Default for Inbox<M> {
    fn default() -> Self {
        Self { next: None, previous: None }
    }
}

impl<M> Inbox<M> {
    pub(super) fn put(&mut self, own: PartyId, from: PartyId, message: M) -> Result<(), TallyFault> {
        let slot = if from == own.next() { &mut self.next } else { &mut self.previous };
        if slot.replace(message).is_some() { Err(TallyFault::Twice { party: from }) } else { Ok(()) }
    }

    pub(super) fn take(&mut self) -> Option<(M, M)> {
        match (self.next.take(), self.previous.take()) {
            (Some(next), Some(previous)) => Some((next, previous)),
            (next, previous) => {
                (self.next, self.previous) = (next, previous);
                None
            }
        }
    }
}

/// Messages of the computation on shares that came before this party began it.
#[derive(Default)]
pub(super) struct Ahead(VecDeque<(PartyId, Message)>);

impl Ahead {
    pub(super) fn put(&mut self, from: PartyId, message: Message) -> Result<(), TallyFault> {
        if self.0.iter().filter(|(sender, _)| *sender == from).count() == MAX_AHEAD {
            return Err(Abort::Ahead { from }.into());
        }
        self.0.push_back((from, message));
        Ok(())
    }

    pub(super) fn take(&mut self) -> VecDeque<(PartyId, Message)> {
        std::mem::take(&mut self.0)
    }
}
