//! What waits for a peer: numbered, kept until acknowledged, sent again after a break.
//!
//! A number means something between one life of this end and one life of the other. If the other end begins a new life,
//! what it did not acknowledge in the old one is numbered anew, from 0, in the same order.

use super::{
    event::{Breach, Count},
    hello::Incarnation,
    limits::{MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES},
};
use std::{collections::VecDeque, sync::Arc};

/// Payloads for one peer.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Arc<Vec<u8>>>,
    /// Bytes in the queue.
    bytes: usize,
    /// Number of the first payload of the queue.
    first: u64,
    /// Number of the next payload to write to the present connection.
    next: u64,
    /// Payloads below this number were written to some connection with this life of the peer.
    reached: u64,
    /// What was written once more to the same life of the peer.
    again: Count,
    /// The life of the peer that numbers are for.
    toward: Option<Incarnation>,
}

impl Outbox {
    /// Takes a payload. `false` if there is no room for it: then it is not taken.
    #[must_use]
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> bool {
        if self.queue.len() == MAX_QUEUED_FRAMES || self.bytes + bytes.len() > MAX_QUEUED_BYTES {
            return false;
        }
        self.bytes += bytes.len();
        self.queue.push_back(Arc::new(bytes));
        true
    }

    /// Whether this life of the peer is not the one that numbers are for.
    pub(super) fn is_for_another_than(&self, peer: Incarnation) -> bool {
        self.toward != Some(peer)
    }

    /// Begins a connection with this life of the peer, which expects payload `next` of this life of this end, or has
    /// none of it.
    ///
    /// # Errors
    /// If it expects more than it was ever sent.
    pub(super) fn resume(&mut self, peer: Incarnation, next: Option<u64>) -> Result<(), Breach> {
        let (next, reached) = match next {
            Some(next) if self.toward == Some(peer) => (next, self.reached),
            // It has none: the first of a new numbering is the first that waits.
            other => (other.unwrap_or(0), 0),
        };
        if next > reached {
            return Err(Breach::Unsent { next, sent: reached });
        }
        if reached == 0 {
            (self.first, self.reached) = (0, 0);
        }
        self.toward = Some(peer);
        self.drop_below(next);
        self.next = self.first;
        Ok(())
    }

    /// The next payload to write, with its number. It stays in the queue.
    pub(super) fn next(&mut self) -> Option<(u64, Arc<Vec<u8>>)> {
        let seq = self.next;
        let at = usize::try_from(seq - self.first).ok()?;
        let bytes = self.queue.get(at)?.clone();
        if seq < self.reached {
            self.again.add(bytes.len());
        }
        self.next = seq + 1;
        self.reached = self.reached.max(self.next);
        Some((seq, bytes))
    }

    /// The peer has everything below `next`. Gives whether that is more than before.
    ///
    /// # Errors
    /// If that much was not written to the present connection.
    pub(super) fn acknowledge(&mut self, next: u64) -> Result<bool, Breach> {
        if next > self.next {
            return Err(Breach::Unsent { next, sent: self.next });
        }
        Ok(self.drop_below(next))
    }

    fn drop_below(&mut self, next: u64) -> bool {
        let before = self.first;
        while self.first < next
            && let Some(bytes) = self.queue.pop_front()
        {
            self.bytes -= bytes.len();
            self.first += 1;
        }
        self.first > before
    }

    /// What was written once more, after a break.
    pub(super) fn again(&self) -> Count {
        self.again
    }

    /// What waits for an acknowledgement.
    pub(super) fn waiting(&self) -> Count {
        Count { frames: self.queue.len() as u64, bytes: self.bytes as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::limits::MAX_PAYLOAD, *};

    const ONE: Incarnation = Incarnation(1);
    const TWO: Incarnation = Incarnation(2);

    fn filled(count: u8) -> Outbox {
        let mut outbox = Outbox::default();
        (0..count).for_each(|n| assert!(outbox.push(vec![n])));
        outbox
    }

    /// What is written from now on: numbers and first bytes.
    fn rest(outbox: &mut Outbox) -> Vec<(u64, u8)> {
        std::iter::from_fn(|| outbox.next()).map(|(seq, bytes)| (seq, bytes[0])).collect()
    }

    #[test]
    fn a_break_goes_on_where_the_peer_says() {
        let mut outbox = filled(4);
        outbox.resume(ONE, None).unwrap();
        assert_eq!(rest(&mut outbox), [(0, 0), (1, 1), (2, 2), (3, 3)]);
        assert_eq!(outbox.acknowledge(1), Ok(true));
        assert_eq!(outbox.acknowledge(1), Ok(false));
        assert_eq!(outbox.waiting(), Count { frames: 3, bytes: 3 });
        outbox.resume(ONE, Some(2)).unwrap();
        assert_eq!(rest(&mut outbox), [(2, 2), (3, 3)]);
        // An older number than an acknowledged one: what it had acknowledged is not sent again.
        outbox.resume(ONE, Some(1)).unwrap();
        assert_eq!(rest(&mut outbox), [(2, 2), (3, 3)]);
        assert_eq!(outbox.acknowledge(4), Ok(true));
        assert_eq!(outbox.waiting(), Count::default());
    }

    #[test]
    fn a_new_life_gets_what_the_old_one_did_not_acknowledge_numbered_anew() {
        let mut outbox = filled(4);
        outbox.resume(ONE, None).unwrap();
        assert_eq!(rest(&mut outbox).len(), 4);
        assert_eq!(outbox.acknowledge(2), Ok(true));
        outbox.resume(TWO, None).unwrap();
        assert_eq!(rest(&mut outbox), [(0, 2), (1, 3)]);
        assert!(outbox.push(vec![9]));
        assert_eq!(rest(&mut outbox), [(2, 9)]);
    }

    #[test]
    fn nobody_acknowledges_what_was_not_sent() {
        let mut outbox = filled(2);
        assert_eq!(outbox.resume(ONE, Some(1)), Err(Breach::Unsent { next: 1, sent: 0 }));
        outbox.resume(ONE, Some(0)).unwrap();
        assert_eq!(outbox.acknowledge(1), Err(Breach::Unsent { next: 1, sent: 0 }));
        assert_eq!(rest(&mut outbox).len(), 2);
        assert_eq!(outbox.acknowledge(3), Err(Breach::Unsent { next: 3, sent: 2 }));
        assert_eq!(outbox.resume(ONE, Some(3)), Err(Breach::Unsent { next: 3, sent: 2 }));
        // Another life that claims payloads of this one.
        assert_eq!(outbox.resume(TWO, Some(2)), Err(Breach::Unsent { next: 2, sent: 0 }));
        assert_eq!(outbox.resume(ONE, Some(2)), Ok(()));
    }

    #[test]
    fn a_full_queue_takes_no_more_and_keeps_what_it_has() {
        let mut outbox = Outbox::default();
        assert!((0..MAX_QUEUED_FRAMES).all(|_| outbox.push(vec![1])));
        assert!(!outbox.push(vec![]));
        assert_eq!(outbox.waiting().frames, MAX_QUEUED_FRAMES as u64);
        let mut outbox = Outbox::default();
        assert!((0..4).all(|_| outbox.push(vec![0; MAX_PAYLOAD])));
        assert!(!outbox.push(vec![1]));
        assert_eq!(outbox.waiting().bytes, MAX_QUEUED_BYTES as u64);
    }
}
