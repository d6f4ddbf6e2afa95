//! What one connection says beside payloads: acknowledgements, pings and answers. Each is one pending value and no queue,
//! so that a peer that asks without end makes nothing grow.

use super::{
    frame::Frame,
    limits::{ACK_BYTES, ACK_DELAY, ACK_FRAMES},
};
use std::time::{Duration, Instant};

pub(super) struct Talk {
    /// The last question of the peer, unanswered.
    pong: Option<u64>,
    acknowledge: Option<Owed>,
    every: Duration,
    ping_at: Instant,
    /// The last question of this end.
    nonce: u64,
    /// Since when it is unanswered.
    since: Option<Instant>,
    round_trip: Option<Duration>,
}

/// An acknowledgement that is owed.
struct Owed {
    next: u64,
    frames: u64,
    bytes: usize,
    by: Instant,
}

impl Owed {
    fn full(&self) -> bool {
        self.frames >= ACK_FRAMES || self.bytes >= ACK_BYTES
    }
}

impl Talk {
    /// The talk of a new connection, which pings at once and then every so often.
    pub(super) fn new(now: Instant, every: Duration) -> Self {
        let (pong, acknowledge, since, round_trip) = (None, None, None, None);
        Self { pong, acknowledge, every, ping_at: now, nonce: 0, since, round_trip }
    }

    /// The peer's payloads below `next` are here. Gives whether whoever writes must know.
    pub(super) fn heard(&mut self, next: u64, length: usize, now: Instant) -> bool {
        let first = self.acknowledge.is_none();
        let owed = self.acknowledge.get_or_insert(Owed { next, frames: 0, bytes: 0, by: now + ACK_DELAY });
        owed.next = next;
        owed.frames += 1;
        owed.bytes += length;
        first || owed.full()
    }

    /// The peer asks.
    pub(super) fn asked(&mut self, nonce: u64) {
        self.pong = Some(nonce);
    }

    /// The peer answers. An answer to nothing says nothing.
    pub(super) fn answered(&mut self, nonce: u64, now: Instant) {
        if let Some(since) = self.since.filter(|_| nonce == self.nonce) {
            self.round_trip = Some(now - since);
            self.since = None;
        }
    }

    /// What is to be written now. An acknowledgement waits for others, unless this host is leaving.
    pub(super) fn next(&mut self, now: Instant, leaving: bool) -> Option<Frame> {
        if let Some(nonce) = self.pong.take() {
            return Some(Frame::Pong { nonce });
        }
        if let Some(owed) = self.acknowledge.take_if(|owed| leaving || owed.full() || now >= owed.by) {
            return Some(Frame::Ack { next: owed.next });
        }
        if now < self.ping_at {
            return None;
        }
        self.ping_at = now + self.every;
        // An unanswered question is repeated: the time to its answer counts from when it was asked first.
        if self.since.is_none() {
            self.nonce += 1;
            self.since = Some(now);
        }
        Some(Frame::Ping { nonce: self.nonce })
    }

    /// When there may be something to write, if nothing happens before.
    pub(super) fn wakes(&self) -> Instant {
        self.acknowledge.as_ref().map_or(self.ping_at, |owed| owed.by.min(self.ping_at))
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(3);

    fn begun(now: Instant) -> Talk {
        let mut talk = Talk::new(now, EVERY);
        assert_eq!(talk.next(now, false), Some(Frame::Ping { nonce: 1 }));
        assert_eq!(talk.next(now, false), None);
        talk
    }

    #[test]
    fn acknowledgements_wait_for_each_other_but_not_for_long() {
        let now = Instant::now();
        let mut talk = begun(now);
        assert!(talk.heard(1, 10, now));
        assert!(!talk.heard(2, 10, now));
        assert_eq!(talk.next(now, false), None);
        assert_eq!(talk.wakes(), now + ACK_DELAY);
        assert_eq!(talk.next(now + ACK_DELAY, false), Some(Frame::Ack { next: 2 }));
        assert_eq!(talk.wakes(), now + EVERY);
        (3..3 + ACK_FRAMES).for_each(|next| _ = talk.heard(next, 1, now));
        assert_eq!(talk.next(now, false), Some(Frame::Ack { next: 2 + ACK_FRAMES }));
        assert!(talk.heard(100, ACK_BYTES, now));
        assert_eq!(talk.next(now, false), Some(Frame::Ack { next: 100 }));
        assert!(talk.heard(101, 1, now));
        assert_eq!(talk.next(now, true), Some(Frame::Ack { next: 101 }));
    }

    #[test]
    fn questions_are_repeated_until_they_are_answered_and_answers_do_not_pile_up() {
        let now = Instant::now();
        let mut talk = begun(now);
        assert_eq!(talk.next(now + EVERY, false), Some(Frame::Ping { nonce: 1 }));
        talk.answered(7, now + EVERY);
        assert_eq!(talk.round_trip(), None);
        talk.answered(1, now + EVERY);
        assert_eq!(talk.round_trip(), Some(EVERY));
        assert_eq!(talk.next(now + EVERY * 2, false), Some(Frame::Ping { nonce: 2 }));
        (0..1000).for_each(|nonce| talk.asked(nonce));
        assert_eq!(talk.next(now + EVERY * 2, false), Some(Frame::Pong { nonce: 999 }));
        assert_eq!(talk.next(now + EVERY * 2, false), None);
    }
}
