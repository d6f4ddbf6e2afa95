//! Bundles that a party acknowledged before it was started again: they are checked once more, a few at a time, so that a long
//! epoch takes no more memory after a restart than before.

use crate::{
    effect::Event,
    intake,
    message::Message,
    store::{Bundles, StoreError},
};
use primitives::Digest;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// Most bundles that are on their way at a time: what the verifier takes together, twice.
const AT_ONCE: usize = 256;
/// How long nothing may be heard of them before the next ones are sent: what a party drops it says nothing of.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is left to check again.
pub(super) struct Replay {
    left: Bundles,
    on_their_way: BTreeSet<Digest>,
    heard: Instant,
    began: Instant,
    count: u64,
}

impl Replay {
    /// Of all these.
    pub(super) fn new(left: Bundles) -> Self {
        let now = Instant::now();
        Self { left, on_their_way: BTreeSet::new(), heard: now, began: now, count: 0 }
    }

    /// Something was heard of a bundle.
    pub(super) fn event(&mut self, event: &Event) {
        let (Event::Provisional { bundle, .. }
        | Event::Refused { bundle, .. }
        | Event::Parked { bundle, .. }) = event
        else {
            return;
        };
        if self.on_their_way.remove(bundle) {
            self.heard = Instant::now();
        }
    }

    /// Sends as many as there is room for to the verifier. Whether all are checked.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn go_on(&mut self, send: impl Fn(Message)) -> Result<bool, StoreError> {
        if self.heard.elapsed() > PATIENCE {
            self.on_their_way.clear();
        }
        while self.on_their_way.len() < AT_ONCE {
            let Some(kept) = self.left.next() else { break };
            let (id, bundle) = intake::read(&kept?.1);
            // What cannot be read is damaged: the others have it.
            if let Ok(bundle) = bundle {
                self.on_their_way.insert(id);
                self.heard = Instant::now();
                self.count += 1;
                send(Message::Verify(id, Arc::new(bundle)));
            }
        }
        let is_done = self.on_their_way.is_empty();
        if is_done && self.count > 0 {
            let (count, elapsed) = (self.count, self.began.elapsed());
            tracing::info!(count, ?elapsed, "bundles that were acknowledged were checked again");
        }
        Ok(is_done)
    }
}
