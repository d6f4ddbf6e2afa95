//! One peer: what it sent, what waits for it, and which connection is the present one.
//!
//! There are two locks, taken in this order. Under `inbox` the handler is called, so that what it is told of one peer is
//! told in order: a life begins before its payloads, and a connection is lost before the next one is there. `state` is
//! held for moments only and never while the handler is called, so that the handler may send.
//!
//! Connections are numbered. Whoever acts for a connection names its number, and nothing happens if another one took its
//! place: a peer that dials anew need not wait until this host has noticed that the old connection is dead.

use super::{
    Endpoint,
    event::{Breach, Count, Handler, LinkEvent, LinkState, LinkStatus, Loss, Refusal},
    frame::Frame,
    hello::{Hello, Incarnation, Received, Versions},
    host::Host,
    limits::Timing,
    outbox::Outbox,
    talk::Talk,
    waits::{Notice, STEP_ACKNOWLEDGE, STEP_ANSWER, Step, Waits},
};
use primitives::{ChainId, Digest};
use rand_core::{OsRng, RngCore};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};

/// What this host says of itself in every greeting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) me: Host,
    pub(super) versions: Versions,
    pub(super) chain: ChainId,
    pub(super) genesis: Digest,
}

/// A peer.
pub(super) struct Peer {
    pub(super) host: Host,
    identity: Identity,
    timing: Timing,
    handler: Arc<dyn Handler>,
    inbox: Mutex<Inbox>,
    state: Mutex<State>,
    /// The number of the present connection; grows when one takes the place of another, or has to go.
    current: watch::Sender<u64>,
    /// Told when the peer should be dialled now.
    pub(super) redial: Notify,
}

/// What came.
#[derive(Default)]
struct Inbox {
    /// The peer's life, and the number of the payload that comes next.
    theirs: Option<Received>,
    /// The present connection.
    live: Option<u64>,
}

struct State {
    endpoint: Option<Endpoint>,
    /// This end's life.
    mine: Incarnation,
    live: Option<u64>,
    outbox: Outbox,
    talk: Talk,
    waits: Waits,
    /// Wakes what writes to the present connection.
    wake: Arc<Notify>,
    standing: LinkState,
    since: Instant,
    sent: Count,
    received: Count,
    theirs: Option<Incarnation>,
    version: Option<u16>,
}

/// The right to act for a connection.
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) wake: Arc<Notify>,
    /// What the accepting end answers.
    pub(super) answer: Hello,
}

/// What is to be written next.
pub(super) enum Outgoing {
    Frame(Frame),
    /// Nothing before this moment, unless woken.
    Wait(Instant),
    /// Everything was written and acknowledged, and this host stops.
    Done,
    /// The connection is no longer the present one.
    Over,
}

fn draw() -> Incarnation {
    Incarnation(OsRng.next_u64())
}

impl Peer {
    pub(super) fn new(
        host: Host,
        endpoint: Option<Endpoint>,
        identity: Identity,
        timing: Timing,
        handler: Arc<dyn Handler>,
    ) -> Self {
        let state = State {
            standing: resting(identity.me, host, endpoint.as_ref()),
            endpoint,
            mine: draw(),
            live: None,
            outbox: Outbox::default(),
            talk: Talk::new(Instant::now(), timing.ping),
            waits: Waits::default(),
            wake: Arc::default(),
            since: Instant::now(),
            sent: Count::default(),
            received: Count::default(),
            theirs: None,
            version: None,
        };
        Self {
            host,
            identity,
            timing,
            handler,
            inbox: Mutex::default(),
            state: Mutex::new(state),
            current: watch::Sender::new(0),
            redial: Notify::new(),
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("handlers do not panic, as they promise")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state of a peer")
    }

    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.state().endpoint.clone()
    }

    /// Ends when connection `number` is no longer the present one.
    pub(super) async fn over(&self, number: u64) {
        let mut current = self.current.subscribe();
        // An error would mean that the sender is gone, and it is a part of this peer.
        let _always_there = current.wait_for(|current| *current != number).await;
    }

    /// This host's greeting.
    pub(super) fn greeting(&self) -> Hello {
        let inbox = self.inbox();
        self.hello(inbox.theirs, self.state().mine)
    }

    fn hello(&self, received: Option<Received>, incarnation: Incarnation) -> Hello {
        let Identity { me, versions, chain, genesis } = self.identity;
        Hello { versions, chain, genesis, from: me, to: self.host, incarnation, received }
    }

    /// Makes a connection the present one. `key` was proved on it, `theirs` is the peer's greeting, `ours` is this
    /// host's if it was sent already.
    ///
    /// # Errors
    /// If the key was replaced meanwhile, or the peer says to have payloads that it was never sent.
    pub(super) fn install(
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
        let of_mine = theirs.received.filter(|received| received.incarnation == state.mine);
        state.outbox.resume(theirs.incarnation, of_mine.map(|received| received.next))?;
        let answer = self.hello(inbox.theirs, state.mine);
        let fresh = inbox.theirs.is_none_or(|received| received.incarnation != theirs.incarnation);
        if fresh {
            inbox.theirs = Some(Received { incarnation: theirs.incarnation, next: 0 });
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
    pub(super) fn end(&self, number: u64, reason: Loss) {
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
    pub(super) fn set_endpoint(&self, endpoint: Option<Endpoint>) {
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
            inbox.theirs = None;
            (state.mine, state.theirs) = (draw(), None);
            state.outbox = Outbox::default();
            state.waits.end(STEP_ACKNOWLEDGE, now);
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
    pub(super) fn dialling(&self, attempt: u32) {
        self.state().stand(LinkState::Dialling { attempt }, Instant::now());
    }

    /// Takes a payload for the peer. `Err` if there is no room: what waits already.
    pub(super) fn push(&self, bytes: Vec<u8>) -> Result<(), Count> {
        let mut state = self.state();
        if !state.outbox.push(bytes) {
            return Err(state.outbox.waiting());
        }
        // Unless it is awaited already.
        state.waits.begin(STEP_ACKNOWLEDGE.into(), Instant::now(), self.timing.unacknowledged);
        state.wake.notify_one();
        Ok(())
    }

    /// A payload came. The handler has it when this returns.
    pub(super) fn deliver(&self, number: u64, seq: u64, bytes: Arc<Vec<u8>>) -> Result<(), Loss> {
        let mut inbox = self.inbox();
        let live = inbox.live == Some(number);
        let Some(theirs) = inbox.theirs.as_mut().filter(|_| live) else {
            return Err(Loss::Replaced);
        };
        if seq > theirs.next {
            return Err(Breach::Gap { expected: theirs.next, found: seq }.into());
        }
        let (new, length) = (seq == theirs.next, bytes.len());
        // One that was here before is only acknowledged again.
        if new {
            theirs.next += 1;
            self.handler.received(self.host, Arc::unwrap_or_clone(bytes));
        }
        let next = theirs.next;
        let mut state = self.state();
        if new {
            state.received.add(length);
        }
        if state.talk.heard(next, length, Instant::now()) {
            state.wake.notify_one();
        }
        Ok(())
    }

    /// The peer has every payload below `next`.
    pub(super) fn acknowledged(&self, number: u64, next: u64) -> Result<(), Loss> {
        let mut state = self.state();
        if state.live != Some(number) {
            return Err(Loss::Replaced);
        }
        if state.outbox.acknowledge(next)? {
            let now = Instant::now();
            state.waits.end(STEP_ACKNOWLEDGE, now);
            if state.outbox.waiting().frames > 0 {
                state.waits.begin(STEP_ACKNOWLEDGE.into(), now, self.timing.unacknowledged);
            }
            // A stop may have waited for this.
            state.wake.notify_one();
        }
        Ok(())
    }

    /// The peer asks for a sign of life.
    pub(super) fn pinged(&self, number: u64, nonce: u64) {
        let mut state = self.state();
        if state.live == Some(number) {
            state.talk.asked(nonce);
            state.wake.notify_one();
        }
    }

    /// The peer answers.
    pub(super) fn ponged(&self, number: u64, nonce: u64) {
        let mut state = self.state();
        if state.live == Some(number) {
            state.talk.answered(nonce, Instant::now());
        }
    }

    /// What is to be written next to connection `number`. What paces the peer comes before payloads.
    pub(super) fn outgoing(&self, number: u64, leaving: bool) -> Outgoing {
        let (mut state, now) = (self.state(), Instant::now());
        if state.live != Some(number) {
            return Outgoing::Over;
        }
        if let Some(frame) = state.talk.next(now, leaving) {
            return Outgoing::Frame(frame);
        }
        if let Some((seq, bytes)) = state.outbox.next() {
            state.sent.add(bytes.len());
            return Outgoing::Frame(Frame::Data { seq, bytes });
        }
        if leaving && state.outbox.waiting().frames == 0 {
            return Outgoing::Done;
        }
        Outgoing::Wait(state.talk.wakes())
    }

    pub(super) fn awaiting(&self, step: Step) {
        self.state().waits.begin(step, Instant::now(), self.timing.patience);
    }

    pub(super) fn arrived(&self, step: Option<&str>) {
        let (mut state, now) = (self.state(), Instant::now());
        match step {
            Some(step) => state.waits.end(step, now),
            None => state.waits.end_all(now),
        }
    }

    /// Tells of what stalls and of what goes on.
    pub(super) fn tell_stalls(&self) {
        let notices = self.state().waits.due(Instant::now());
        let peer = self.host;
        for notice in notices {
            self.handler.event(match notice {
                Notice::Stalled { step, waited } => {
                    LinkEvent::Stalled { peer, step: step.into_owned(), waited }
                }
                Notice::Moving { step, waited } => {
                    LinkEvent::Moving { peer, step: step.into_owned(), waited }
                }
            });
        }
    }

    pub(super) fn status(&self) -> LinkStatus {
        let state = self.state();
        LinkStatus {
            peer: self.host,
            address: state.endpoint.as_ref().map(|endpoint| endpoint.address.clone()),
            state: state.standing,
            since: state.since.elapsed(),
            round_trip: state.talk.round_trip().filter(|_| state.live.is_some()),
            sent: state.sent,
            received: state.received,
            unacknowledged: state.outbox.waiting(),
            incarnation: state.theirs,
            version: state.version,
        }
    }
}

impl State {
    /// Another attempt is no other standing: what is told is how long dialling lasts.
    fn stand(&mut self, standing: LinkState, now: Instant) {
        if std::mem::discriminant(&self.standing) != std::mem::discriminant(&standing) {
            self.since = now;
        }
        self.standing = standing;
    }
}

/// Where a link stands without a connection.
fn resting(me: Host, peer: Host, endpoint: Option<&Endpoint>) -> LinkState {
    match endpoint {
        None => LinkState::Unset,
        Some(_) if me.dials(peer) => LinkState::Dialling { attempt: 1 },
        Some(_) => LinkState::Waiting,
    }
}
