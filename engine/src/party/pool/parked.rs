//! Bundles that came before the one that they go on from.

use crate::effect::Refusal;
use primitives::Digest;
use proofs::{bundle::Bundle, sharing::Accepted, wire::WirePoint};
use std::{collections::BTreeMap, sync::Arc};

/// Most bundles that wait for the one before. Bundles hardly ever overtake each other on their way; whoever holds a
/// token can make some that wait in vain.
const MAX_PARKED: usize = 1024;
/// Most of one subscriber.
const MAX_PARKED_EACH: usize = 2;

/// A bundle whose proof holds, with its identifier and what its proof leaves behind.
pub(crate) type Verified = (Digest, Arc<Bundle>, Accepted);

/// State: bundles by subscriber, and by what was spent before.
#[derive(Default)]
pub(super) struct Parked(BTreeMap<(WirePoint, WirePoint), Verified>);

fn place(bundle: &Bundle) -> (WirePoint, WirePoint) {
    (bundle.envelope.key, bundle.previous)
}

impl Parked {
    /// How many bundles of a subscriber wait.
    pub(super) fn of(&self, key: &WirePoint) -> usize {
        self.0.range((*key, WirePoint([0; 32]))..=(*key, WirePoint([u8::MAX; 32]))).count()
    }

    /// Whether this bundle waits.
    pub(super) fn contains(&self, id: &Digest, bundle: &Bundle) -> bool {
        self.0.get(&place(bundle)).is_some_and(|(waits, ..)| waits == id)
    }

    /// Keeps a bundle.
    ///
    /// # Errors
    /// If another waits for the same place, or there is no room.
    pub(super) fn keep(&mut self, verified: Verified) -> Result<(), Refusal> {
        let place = place(&verified.1);
        if self.0.contains_key(&place) {
            return Err(Refusal::SpentElsewhere);
        }
        if self.0.len() >= MAX_PARKED || self.of(&place.0) >= MAX_PARKED_EACH {
            return Err(Refusal::TooFarAhead);
        }
        self.0.insert(place, verified);
        Ok(())
    }

    /// The bundle that goes on from what its subscriber has spent now.
    pub(super) fn next(&mut self, key: WirePoint, spent: WirePoint) -> Option<Verified> {
        self.0.remove(&(key, spent))
    }

    /// Takes a bundle out, if it waits.
    pub(super) fn take(&mut self, id: &Digest) -> Option<Verified> {
        let place = self.0.iter().find(|(_, (waits, ..))| waits == id).map(|(place, _)| *place)?;
        self.0.remove(&place)
    }

    /// All that still wait, when nothing more comes.
    pub(super) fn drain(&mut self) -> Vec<Digest> {
        std::mem::take(&mut self.0).into_values().map(|(id, ..)| id).collect()
    }
}
