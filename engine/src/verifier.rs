//! Verifier: checks proofs in batches. While one batch is on the pool the next one gathers, so that batches grow with
//! the load by themselves. A batch is of one shard; the results of each shard leave in the order in which its bundles
//! came.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Message, OpenedEpoch},
};
use primitives::{Digest, PartyId};
use proofs::bundle::Bundle;
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
        let Some((_, first)) = self.waiting.front() else {
            let last = std::mem::take(&mut self.no_more);
            return if last {
                vec![Effect::Send(Address::Party(self.party), Message::NoMore)]
            } else {
                Vec::new()
            };
        };
        let shard = first.envelope.shard;
        let context = epoch.context(shard).expect("the intake refuses bundles of other shards").clone();
        let (mut batch, mut rest) = (Vec::new(), VecDeque::new());
        for (id, bundle) in self.waiting.drain(..) {
            if bundle.envelope.shard == shard && batch.len() < MAX_VERIFY_BATCH {
                batch.push((id, bundle));
            } else {
                rest.push_back((id, bundle));
            }
        }
        (self.on_pool, self.waiting) = (batch, rest);
        let bundles = self.on_pool.iter().map(|(_, bundle)| bundle.clone()).collect();
        vec![Effect::Verify(context, bundles)]
    }
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
