//! Intake: the door of a party. Bounds, decoding, duplicates, back-pressure; nothing is remembered but the last hashes.

use crate::{
    effect::{Core, Effect, Event, Refusal},
    message::{Address, Message, OpenedEpoch, Phase},
};
use primitives::{Decode, Digest, Domain, PartyId, hash, limits};
use proofs::bundle::Bundle;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// Most bundles that wait for the verifier; one more is told to come back later.
pub const MAX_IN_FLIGHT: usize = 1024;

/// Most hashes that are remembered. A copy of an older bundle is checked once more, and refused behind the door.
const MAX_SEEN: usize = 1 << 16;

/// The last bundles that came.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Seen {
    fn insert(&mut self, id: Digest) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Its place in the order stays: should the bundle come again, that one is forgotten a little early.
    fn remove(&mut self, id: &Digest) {
        self.ids.remove(id);
    }
}

/// State of an intake.
pub struct Intake {
    party: PartyId,
    open: bool,
    epoch: Option<OpenedEpoch>,
    seen: Seen,
    in_flight: usize,
}

impl Intake {
    /// A closed door.
    pub fn new(party: PartyId) -> Self {
        Self { party, open: false, epoch: None, seen: Seen::default(), in_flight: 0 }
    }

    fn admit(&mut self, id: Digest, bundle: Result<Bundle, Refusal>) -> Result<Bundle, Refusal> {
        if !self.open {
            return Err(Refusal::Closed);
        }
        let bundle = bundle?;
        if self.seen.ids.contains(&id) {
            return Err(Refusal::Duplicate);
        }
        if self.in_flight == MAX_IN_FLIGHT {
            return Err(Refusal::Busy);
        }
        let shard = bundle.envelope.shard;
        if self.epoch.as_ref().and_then(|epoch| epoch.context(shard)).is_none() {
            return Err(Refusal::UnknownShard { shard });
        }
        self.seen.insert(id);
        self.in_flight += 1;
        Ok(bundle)
    }
}

/// The bundle that bytes are, with its identifier; bytes that are none go by a hash that no bundle has.
pub(crate) fn read(bytes: &[u8]) -> (Digest, Result<Bundle, Refusal>) {
    let bundle = if bytes.len() > limits::MAX_BUNDLE_BYTES {
        Err(Refusal::TooLong { bytes: bytes.len() })
    } else {
        Bundle::from_bytes(bytes).map_err(Refusal::from)
    };
    let id = match &bundle {
        Ok(bundle) => bundle.id(),
        Err(_) => hash::hash(Domain::Submission, &[bytes]),
    };
    (id, bundle)
}

impl Core for Intake {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        match message {
            Message::Submit(bytes) => {
                let (id, bundle) = read(&bytes);
                match self.admit(id, bundle) {
                    Ok(bundle) => {
                        vec![Effect::Send(
                            Address::Verifier(self.party),
                            Message::Verify(id, Arc::new(bundle)),
                        )]
                    }
                    Err(refusal) => {
                        vec![Effect::Publish(Event::Refused { party: self.party, bundle: id, refusal })]
                    }
                }
            }
            Message::Checked(count) => {
                self.in_flight = self.in_flight.saturating_sub(count);
                Vec::new()
            }
            Message::Forget(id) => {
                self.seen.remove(&id);
                Vec::new()
            }
            Message::Opened(epoch) => {
                self.epoch = Some(epoch);
                Vec::new()
            }
            Message::Phase(Phase::Collect) => {
                self.open = true;
                Vec::new()
            }
            Message::Phase(Phase::Close) => {
                self.open = false;
                vec![Effect::Send(Address::Verifier(self.party), Message::NoMore)]
            }
            Message::Phase(_) => Vec::new(),
            _ => {
                let reason = "not a message for an intake";
                vec![Effect::Publish(Event::Dropped { at: Address::Intake(self.party), from, reason })]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::seating;
    use primitives::{CodecError, Encode, ShardIndex};
    use proofs::{
        epoch::EpochContext,
        testing::{TestSubscriber, event, small},
    };

    fn refusal(effects: &[Effect]) -> Option<Refusal> {
        effects.iter().find_map(|e| match e {
            Effect::Publish(Event::Refused { refusal, .. }) => Some(refusal.clone()),
            _ => None,
        })
    }

    fn submit(intake: &mut Intake, bytes: &[u8]) -> Option<Refusal> {
        refusal(&intake.handle(Address::Outside, Message::Submit(bytes.into())))
    }

    /// An intake that knows of an epoch of this one shard.
    fn intake(context: EpochContext) -> Intake {
        let mut intake = Intake::new(PartyId::ALL[0]);
        let shards = Arc::new([Arc::new(context)]);
        let (max_bundles, sold) = Default::default();
        let epoch = OpenedEpoch {
            shards,
            max_bundles,
            sold,
            resting: Arc::new([]),
            room: 1 << 10,
            seating: seating(),
        };
        intake.handle(Address::Settlement, Message::Opened(epoch));
        intake
    }

    #[test]
    fn a_bundle_is_taken_once_and_only_while_the_door_is_open() {
        let (_, context) = small();
        let bytes = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]).to_bytes();
        let mut intake = intake(context);
        assert_eq!(submit(&mut intake, &bytes), Some(Refusal::Closed));
        intake.handle(Address::Coordinator, Message::Phase(Phase::Collect));
        assert_eq!(submit(&mut intake, &bytes), None);
        assert_eq!(submit(&mut intake, &bytes), Some(Refusal::Duplicate));
        let mut longer = bytes.clone();
        longer.push(0);
        let trailing = Refusal::Malformed(CodecError::Trailing { extra: 1 });
        assert_eq!(submit(&mut intake, &longer), Some(trailing));
        let long = vec![0; limits::MAX_BUNDLE_BYTES + 1];
        assert_eq!(submit(&mut intake, &long), Some(Refusal::TooLong { bytes: long.len() }));
        intake.handle(Address::Coordinator, Message::Phase(Phase::Close));
        assert_eq!(submit(&mut intake, &bytes), Some(Refusal::Closed));
    }

    /// What is published of a bundle hashes to its identifier. Nobody can have a refusal put down to a bundle by handing
    /// that in.
    #[test]
    fn bytes_that_are_no_bundle_do_not_go_by_the_name_of_one() {
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]);
        assert_eq!(read(&bundle.to_bytes()).0, bundle.id());
        let (name, refused) = read(&bundle.published().to_bytes());
        assert!(name != bundle.id() && matches!(refused, Err(Refusal::Malformed(_))), "{refused:?}");
    }

    #[test]
    fn a_full_intake_says_so_and_recovers() {
        let (_, context) = small();
        let bytes = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]).to_bytes();
        let mut intake = intake(context);
        intake.handle(Address::Coordinator, Message::Phase(Phase::Collect));
        intake.in_flight = MAX_IN_FLIGHT;
        assert_eq!(submit(&mut intake, &bytes), Some(Refusal::Busy));
        intake.handle(Address::Verifier(PartyId::ALL[0]), Message::Checked(1));
        assert_eq!(submit(&mut intake, &bytes), None, "a busy answer is not remembered against the bundle");
    }

    #[test]
    fn no_more_hashes_are_remembered_than_there_is_room_for() {
        let mut seen = Seen::default();
        let id = |n: usize| hash::hash(Domain::Bundle, &[&n.to_le_bytes()]);
        (0..=MAX_SEEN).for_each(|n| seen.insert(id(n)));
        seen.insert(id(MAX_SEEN));
        assert_eq!((seen.ids.len(), seen.order.len()), (MAX_SEEN, MAX_SEEN));
        assert!(!seen.ids.contains(&id(0)) && seen.ids.contains(&id(1)));
    }

    #[test]
    fn a_bundle_for_a_shard_that_the_epoch_does_not_have_is_refused() {
        let (_, context) = small();
        let mut bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]);
        bundle.envelope.shard = ShardIndex(1);
        let mut intake = intake(context);
        intake.handle(Address::Coordinator, Message::Phase(Phase::Collect));
        let unknown = Refusal::UnknownShard { shard: ShardIndex(1) };
        assert_eq!(submit(&mut intake, &bundle.to_bytes()), Some(unknown));
    }
}
