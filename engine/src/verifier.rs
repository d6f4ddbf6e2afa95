//! Verifier: checks proofs in batches. While one batch is on the pool the next one gathers, so that batches grow with
//! the load by themselves. Results leave in the order in which bundles came, of whatever shard they are: a subscriber's
//! bundles go on from each other.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Message, OpenedEpoch},
    party::Verified,
};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, BundleError, verify_batch},
    epoch::EpochContext,
    sharing::Accepted,
};
use rand_core::{CryptoRng, RngCore};
use std::{collections::VecDeque, sync::Arc};

/// Most bundles of one batch.
pub const MAX_VERIFY_BATCH: usize = 64;

/// State of a verifier.
pub struct Verifier {
    party: PartyId,
    epoch: Option<OpenedEpoch>,
    waiting: VecDeque<(Digest, Arc<Bundle>)>,
    on_pool: Vec<(Digest, Arc<Bundle>)>,
    no_more: bool,
}

impl Verifier {
    /// An idle verifier.
    pub fn new(party: PartyId) -> Self {
        Self { party, epoch: None, waiting: VecDeque::new(), on_pool: Vec::new(), no_more: false }
    }

    fn next(&mut self) -> Vec<Effect> {
        if !self.on_pool.is_empty() {
            return Vec::new();
        }
        let Some(epoch) = &self.epoch else { return Vec::new() };
        if self.waiting.is_empty() {
            let last = std::mem::take(&mut self.no_more);
            return if last {
                vec![Effect::Send(Address::Party(self.party), Message::NoMore)]
            } else {
                Vec::new()
            };
        }
        let count = self.waiting.len().min(MAX_VERIFY_BATCH);
        self.on_pool = self.waiting.drain(..count).collect();
        let bundles = self.on_pool.iter().map(|(_, bundle)| bundle.clone()).collect();
        vec![Effect::Verify(epoch.clone(), bundles)]
    }
}

/// Those of these bundles of one shard that hold: they were checked before they went to disk, and what their proofs leave
/// behind is in memory no longer.
pub(crate) fn recall(context: &EpochContext, bundles: impl Iterator<Item = Bundle>) -> Vec<Verified> {
    let bundles: Vec<_> = bundles.map(Arc::new).collect();
    let mut found = Vec::new();
    for some in bundles.chunks(MAX_VERIFY_BATCH) {
        let these: Vec<_> = some.iter().map(|bundle| bundle.published().as_ref()).collect();
        let checked = verify_batch(context, &these, &mut rand_core::OsRng);
        let held = |(bundle, accepted): (&Arc<Bundle>, Result<_, _>)| {
            Some((bundle.id(), bundle.clone(), accepted.ok()?))
        };
        found.extend(some.iter().zip(checked).filter_map(held));
    }
    found
}

/// Checks bundles of any shards of an epoch, those of a shard together; the results are in the order of the bundles.
///
/// # Panics
/// If the epoch does not have the shard of a bundle, which the intake refuses.
pub(crate) fn verify_all(
    epoch: &OpenedEpoch,
    bundles: &[Arc<Bundle>],
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<Accepted, BundleError>> {
    let mut results = vec![None; bundles.len()];
    for (shard, context) in (0u32..).zip(epoch.shards.iter()) {
        let of_shard = |at: &usize| bundles[*at].envelope.shard == ShardIndex(shard);
        let places: Vec<_> = (0..bundles.len()).filter(of_shard).collect();
        let batch: Vec<_> = places.iter().map(|at| bundles[*at].published().as_ref()).collect();
        for (at, result) in places.into_iter().zip(verify_batch(context, &batch, rng)) {
            results[at] = Some(result);
        }
    }
    results.into_iter().map(|result| result.expect("the intake refuses bundles of other shards")).collect()
}

impl Core for Verifier {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        let mut effects = Vec::new();
        match message {
            Message::Opened(epoch) => self.epoch = Some(epoch),
            Message::Verify(id, bundle) => self.waiting.push_back((id, bundle)),
            Message::NoMore => self.no_more = true,
            Message::BatchVerified(results) if results.len() == self.on_pool.len() => {
                effects.push(Effect::Send(Address::Intake(self.party), Message::Checked(results.len())));
                for ((id, bundle), result) in self.on_pool.drain(..).zip(results) {
                    effects.push(match result {
                        Ok(accepted) => {
                            Effect::Send(Address::Party(self.party), Message::Verified(id, bundle, accepted))
                        }
                        Err(error) => Effect::Publish(Event::Refused {
                            party: self.party,
                            bundle: id,
                            refusal: error.into(),
                        }),
                    });
                }
            }
            Message::Phase(_) => {}
            _ => {
                let reason = "not a message for a verifier";
                effects.push(Effect::Publish(Event::Dropped {
                    at: Address::Verifier(self.party),
                    from,
                    reason,
                }));
            }
        }
        effects.extend(self.next());
        effects
    }
}
