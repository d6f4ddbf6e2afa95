//! One peer: what it sent, what waits for it, and which connection is the present one.
//!
//! There are two locks, taken in this order. Under `inbox` the handler is called, so that what it is told of one peer is
//! told in order: a life begins before its payloads, and a connection is lost before the next one is there. `state` is
//! held for moments only and never while the handler is called, so that the handler may send.
//!
//! Connections are numbered. Whoever acts for a connection names its number, and nothing happens if another one took its
//! place: a peer that dials anew need not wait until this host has noticed that the old connection is dead.
//! `peer/standing.rs` has how they begin and end.

mod standing;

use super::{
    Endpoint,
    event::{Breach, Count, Handler, LinkEvent, LinkState, LinkStatus, Loss},
    frame::Frame,
    hello::{Hello, Incarnation, Received, Versions},
    host::Host,
    limits::Timing,
    outbox::Outbox,
    talk::Talk,
    waits::{Notice, STEP_ACKNOWLEDGE, Step, Waits},
};
use primitives::{ChainId, Digest};
use rand_core::{OsRng, RngCore};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
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
    /// The life that this one took the place of.
    before: Option<Incarnation>,
    /// How often a life came back in whose place there was another.
    returns: u32,
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

/// How often a life may come back that another took the place of. Once is a call of a dead process that was read late.
const MOST_RETURNS: u32 = 1;

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
            standing: standing::resting(identity.me, host, endpoint.as_ref()),
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
            resent: state.outbox.again(),
            received: state.received,
            unacknowledged: state.outbox.waiting(),
            incarnation: state.theirs,
            version: state.version,
        }
    }
}
