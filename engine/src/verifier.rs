//! Verifier: checks proofs in batches. While one batch is on the pool the next one gathers, so that batches grow with
//! the load by themselves. Results leave in the order in which bundles came.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Message},
};
use primitives::{Digest, PartyId};
use proofs::{bundle::Bundle, epoch::EpochContext};
use std::{collections::VecDeque, sync::Arc};

/// Most bundles of one batch.
pub const MAX_VERIFY_BATCH: usize = 64;

/// State of a verifier.
pub struct Verifier {
    party: PartyId,
    context: Option<Arc<EpochContext>>,
    waiting: VecDeque<(Digest, Arc<Bundle>)>,
    on_pool: Vec<(Digest, Arc<Bundle>)>,
    no_more: bool,
}

impl Verifier {
    /// An idle verifier.
    pub fn new(party: PartyId) -> Self {
        Self { party, context: None, waiting: VecDeque::new(), on_pool: Vec::new(), no_more: false }
    }

    fn next(&mut self) -> Vec<Effect> {
        if !self.on_pool.is_empty() {
            return Vec::new();
        }
        let Some(context) = &self.context else { return Vec::new() };
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
        vec![Effect::Verify(context.clone(), bundles)]
    }
}

impl Core for Verifier {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        let mut effects = Vec::new();
        match message {
            Message::Opened(epoch) => self.context = Some(epoch.context),
            Message::Verify(id, bundle) => self.waiting.push_back((id, bundle)),
            Message::NoMore => self.no_more = true,
            Message::BatchVerified(results) if results.len() == self.on_pool.len() => {
                effects.push(Effect::Send(Address::Intake(self.party), Message::Checked(results.len())));
                for ((id, bundle), result) in self.on_pool.drain(..).zip(results) {
                    effects.push(match result {
                        Ok(()) => Effect::Send(Address::Party(self.party), Message::Verified(id, bundle)),
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
