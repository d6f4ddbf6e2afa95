//! How connections of a peer begin and end, and how its address and key are replaced.

use super::{MOST_RETURNS, Peer, State, Ticket, draw};
use crate::link::{
    Endpoint,
    event::{LinkEvent, LinkState, Loss, Refusal},
    hello::{Hello, Incarnation, Mismatch, Received},
    host::Host,
    outbox::Outbox,
    peer::Identity,
    talk::Talk,
    waits::{STEP_ACKNOWLEDGE, STEP_ANSWER},
};
use primitives::Digest;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

impl Peer {
    /// Ends when connection `number` is no longer the present one.
    pub(in crate::link) async fn over(&self, number: u64) {
        let mut current = self.current.subscribe();
        // An error would mean that the sender is gone, and it is a part of this peer.
        let _always_there = current.wait_for(|current| *current != number).await;
    }

    /// This host's greeting.
    pub(in crate::link) fn greeting(&self) -> Hello {
        let inbox = self.inbox();
        self.hello(inbox.theirs, self.state().mine)
    }

    fn hello(&self, received: Option<Received>, incarnation: Incarnation) -> Hello {
        let Identity { me, versions, chain, genesis } = self.identity;
        Hello { versions, chain, genesis, from: me, to: self.host, incarnation, received }
    }

    /// What there is against a caller whose life came back too often, while the other one is linked: two processes have the
    /// key of this peer.
    pub(in crate::link) fn twin(&self, theirs: &Hello) -> Option<Mismatch> {
        let inbox = self.inbox();
        let is_back = inbox.before == Some(theirs.incarnation) && inbox.returns >= MOST_RETURNS;
        (is_back && inbox.live.is_some()).then_some(Mismatch::Twin { host: self.host })
    }

    /// Makes a connection the present one. `key` was proved on it, `theirs` is the peer's greeting, `ours` is this
    /// host's if it was sent already.
    ///
    /// # Errors
    /// If the key was replaced meanwhile, or the peer says to have payloads that it was never sent.
    pub(in crate::link) fn install(
        &self,
        key: &Digest,
        theirs: &Hello,
        ours: Option<&Hello>,
        version: u16,
    ) -> Result<Ticket, Refusal> {
        let mut inbox = self.inbox();
        let mut state = self.state();
        let pinned = state.endpoint.as_ref().is_some_and(|endpoint| endpoint.key == *key);
        if !pinned || ours.is_some_and(|hello| hello.incarnation != state.mine) {
            return Err(Refusal::Rekeyed);
        }
        let mut of_mine = theirs.received.filter(|received| received.incarnation == state.mine);
        let has_some = of_mine.is_some_and(|received| received.next > 0);
        if ours.is_none() && has_some && state.outbox.is_for_another_than(theirs.incarnation) {
            // This life of the peer has payloads, and another one called since: a process that is gone, whose call was
            // read late. How the numbers of this one go on is forgotten, so this end begins anew as well.
            state.mine = draw();
            of_mine = None;
        }
        state.outbox.resume(theirs.incarnation, of_mine.map(|received| received.next))?;
        let answer = self.hello(inbox.theirs, state.mine);
        let fresh = inbox.theirs.is_none_or(|received| received.incarnation != theirs.incarnation);
        if fresh {
            let old = inbox.theirs.replace(Received { incarnation: theirs.incarnation, next: 0 });
            inbox.returns += u32::from(inbox.before == Some(theirs.incarnation));
            inbox.before = old.map(|old| old.incarnation);
        }
        self.current.send_modify(|current| *current += 1);
        let number = *self.current.borrow();
        let (now, wake) = (Instant::now(), Arc::new(Notify::new()));
        let old = inbox.live.replace(number);
        state.live = Some(number);
        state.talk = Talk::new(now, self.timing.ping);
        state.wake = wake.clone();
        state.theirs = Some(theirs.incarnation);
        state.version = Some(version);
        state.stand(LinkState::Connected, now);
        state.waits.end(STEP_ANSWER, now);
        drop(state);
        if old.is_some() {
            self.handler.event(LinkEvent::Lost { peer: self.host, reason: Loss::Replaced });
        }
        self.handler.event(LinkEvent::Connected { peer: self.host, fresh });
        Ok(Ticket { number, wake, answer })
    }

    /// Connection `number` is over. Told of unless another took its place.
    pub(in crate::link) fn end(&self, number: u64, reason: Loss) {
        let mut inbox = self.inbox();
        if inbox.live != Some(number) {
            return;
        }
        inbox.live = None;
        let (mut state, now) = (self.state(), Instant::now());
        if let Loss::Silent { waited } = reason {
            let heard = now.checked_sub(waited).unwrap_or(now);
            state.waits.begin(STEP_ANSWER.into(), heard, Duration::ZERO);
        }
        self.rest(&mut state, now);
        drop(state);
        self.handler.event(LinkEvent::Lost { peer: self.host, reason });
    }

    fn rest(&self, state: &mut State, now: Instant) {
        (state.live, state.version) = (None, None);
        let standing = resting(self.identity.me, self.host, state.endpoint.as_ref());
        state.stand(standing, now);
    }

    /// The peer's address and key from now on. Another key is another holder: nothing that was for the holder of the old
    /// one waits for it, and both ends begin a new life.
    pub(in crate::link) fn set_endpoint(&self, endpoint: Option<Endpoint>) {
        let mut inbox = self.inbox();
        let (mut state, now) = (self.state(), Instant::now());
        if state.endpoint == endpoint {
            return;
        }
        let same_key = match (&state.endpoint, &endpoint) {
            (Some(old), Some(new)) => old.key == new.key,
            _ => false,
        };
        if !same_key {
            (inbox.theirs, inbox.before, inbox.returns) = (None, None, 0);
            (state.mine, state.theirs) = (draw(), None);
            state.outbox = Outbox::default();
            state.waits.end(STEP_ACKNOWLEDGE, now);
            state.waits.end(STEP_ANSWER, now);
        }
        state.endpoint = endpoint;
        let old = inbox.live.take();
        self.rest(&mut state, now);
        drop(state);
        self.current.send_modify(|current| *current += 1);
        if old.is_some() {
            self.handler.event(LinkEvent::Lost { peer: self.host, reason: Loss::Rekeyed });
        }
        self.redial.notify_one();
    }

    /// The peer is dialled.
    pub(in crate::link) fn dialling(&self, attempt: u32) {
        let mut state = self.state();
        if state.endpoint.is_some() {
            state.stand(LinkState::Dialling { attempt }, Instant::now());
        }
    }
}

impl State {
    /// Another attempt is no other standing: what is told is how long dialling lasts.
    pub(super) fn stand(&mut self, standing: LinkState, now: Instant) {
        if std::mem::discriminant(&self.standing) != std::mem::discriminant(&standing) {
            self.since = now;
        }
        self.standing = standing;
    }
}

/// Where a link stands without a connection.
pub(super) fn resting(me: Host, peer: Host, endpoint: Option<&Endpoint>) -> LinkState {
    match endpoint {
        None => LinkState::Unset,
        Some(_) if me.dials(peer) => LinkState::Dialling { attempt: 1 },
        Some(_) => LinkState::Waiting,
    }
}
