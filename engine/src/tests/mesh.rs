//! The cores in one queue: what the actors do, without threads, and with a hand in the mail.

use crate::{
    coordinator::Coordinator,
    effect::{Core, Effect, Event, Refusal},
    intake::Intake,
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage, Phase},
    party::Party,
    settlement::Settlement,
    tests::world::{EPOCH, World, world},
    verifier::Verifier,
    verifier::verify_all,
};
use chain::node::Node;
use primitives::{Decode, Digest, Encode, PartyId, ShardIndex};
use proofs::testing::TestSubscriber;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

/// May change a message between two parties, or drop it by `false`.
pub(super) type Tamper<'a> = Box<dyn FnMut(PartyId, PartyId, &mut PeerMessage) -> bool + 'a>;

pub(super) struct Mesh<'a> {
    cores: BTreeMap<Address, Box<dyn Core>>,
    queue: VecDeque<(Address, Address, Message)>,
    pub(super) node: Arc<Mutex<Node>>,
    pub(super) events: Vec<Event>,
    pub(super) tamper: Tamper<'a>,
    dir: tempfile::TempDir,
    held: Option<Vec<(Address, Address, Message)>>,
    proposals: usize,
}

impl<'a> Mesh<'a> {
    /// A mesh whose epoch is open, with one shard.
    pub(super) fn opened() -> (Self, OpenedEpoch) {
        Self::opened_over(world())
    }

    /// A mesh whose epoch is open over a world.
    pub(super) fn opened_over(world: World) -> (Self, OpenedEpoch) {
        let World { node, config, dir } = world;
        let chain = node.ledger().origin().chain;
        let node = Arc::new(Mutex::new(node));
        let mut cores: BTreeMap<Address, Box<dyn Core>> = BTreeMap::new();
        for secrets in config.parties {
            let p = secrets.signer.party();
            let rng = ChaCha20Rng::seed_from_u64(p.index() as u64);
            cores.insert(Address::Intake(p), Box::new(Intake::new(p)));
            cores.insert(Address::Verifier(p), Box::new(Verifier::new(p)));
            cores.insert(Address::Party(p), Box::new(Party::new(chain, EPOCH, secrets, config.batch, rng)));
        }
        cores.insert(Address::Coordinator, Box::new(Coordinator::new()));
        let rng = ChaCha20Rng::seed_from_u64(9);
        let settlement = Settlement::new(node.clone(), config.steward, config.treasury, config.plan, rng);
        cores.insert(Address::Settlement, Box::new(settlement));
        let (queue, events) = (VecDeque::new(), Vec::new());
        let mut mesh = Self {
            cores,
            queue,
            node,
            events,
            tamper: Box::new(|_, _, _| true),
            dir,
            held: None,
            proposals: 0,
        };
        mesh.tell(Address::Coordinator, Message::Begin);
        let opened = mesh.events.iter().find_map(|e| match e {
            Event::Opened(opened) => Some(opened.clone()),
            _ => None,
        });
        (mesh, opened.expect("the epoch opens"))
    }

    /// Sends a message from outside and lets everything run until nothing is left to do.
    pub(super) fn tell(&mut self, to: Address, message: Message) {
        self.queue.push_back((Address::Outside, to, message));
        self.run();
    }

    /// Puts a message into the mail in anybody's name.
    pub(super) fn forge(&mut self, from: Address, to: Address, message: Message) {
        self.queue.push_back((from, to, message));
        self.run();
    }

    /// Puts a message between parties into the mail that its sender never sent.
    pub(super) fn inject(&mut self, from: PartyId, to: PartyId, message: PeerMessage) {
        let letter = Letter { shard: ShardIndex(0), message };
        self.queue.push_back((Address::Party(from), Address::Party(to), Message::Peer(letter)));
        self.run();
    }

    fn run(&mut self) {
        while let Some((from, to, message)) = self.queue.pop_front() {
            if let (Message::Anchor(_), Some(held)) = (&message, &mut self.held) {
                held.push((from, to, message));
                continue;
            }
            let Some(message) = self.carry(from, to, message) else { continue };
            let effects = self.cores.get_mut(&to).expect("an actor").handle(from, message);
            for effect in effects {
                match effect {
                    Effect::Send(next, message) => self.queue.push_back((to, next, message)),
                    Effect::Publish(event) => self.events.push(event),
                    Effect::Verify(epoch, bundles) => {
                        let results = verify_all(&epoch, &bundles, &mut rand_core::OsRng);
                        self.queue.push_back((to, to, Message::BatchVerified(results)));
                    }
                }
            }
        }
    }

    fn carry(&mut self, from: Address, to: Address, message: Message) -> Option<Message> {
        match (from, to, message) {
            (Address::Party(from), Address::Party(to), Message::Peer(letter)) => {
                let proposal = matches!(letter.message, PeerMessage::Propose(..));
                self.proposals += usize::from(proposal && to == from.next());
                let mut letter = Letter::from_bytes(&letter.to_bytes()).expect("letters survive the wire");
                (self.tamper)(from, to, &mut letter.message).then_some(Message::Peer(letter))
            }
            (_, _, message) => Some(message),
        }
    }

    /// Hands a bundle to every party.
    pub(super) fn submit(&mut self, bytes: &[u8]) {
        for party in PartyId::ALL {
            self.tell(Address::Intake(party), Message::Submit(bytes.into()));
        }
    }

    /// Honest bundles of `count` subscribers, an event of works 0 to 9 each.
    pub(super) fn submit_honest(&mut self, opened: &OpenedEpoch, count: u64) {
        for seed in 0..count {
            let events = vec![proofs::testing::event((seed % 10) as u16, 0, seed % 2 == 0)];
            let bundle = TestSubscriber::new(100 + seed).bundle(&opened.shards[0], events);
            self.submit(&bundle.to_bytes());
        }
    }

    /// Holds headers back on their way to the chain, or lets them go.
    pub(super) fn hold_anchors(&mut self, hold: bool) {
        self.queue.extend(self.held.take().unwrap_or_default());
        self.held = hold.then(Vec::new);
        self.run();
    }

    /// Number of proposals, repeated ones included.
    pub(super) fn proposals(&self) -> usize {
        self.proposals
    }

    /// Where the node keeps its files.
    pub(super) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(super) fn close(&mut self) {
        self.tell(Address::Coordinator, Message::EndOfWindow);
    }

    /// The last phase that was entered.
    pub(super) fn phase(&self) -> Phase {
        let mut phases = self.events.iter().filter_map(|e| match e {
            Event::Phase(phase) => Some(*phase),
            _ => None,
        });
        phases.next_back().expect("a phase was entered")
    }

    /// The epoch came to its end.
    pub(super) fn assert_done(&self) {
        assert_eq!((self.phase(), self.aborted()), (Phase::Done, None));
    }

    /// Refusals of one bundle, party by party.
    pub(super) fn refusals(&self, id: Digest) -> Vec<(PartyId, Refusal)> {
        let of = |e: &Event| match e {
            Event::Refused { party, bundle, refusal } if *bundle == id => Some((*party, refusal.clone())),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// Bundles that are final, in order.
    /// Provisional receipts that all parties together gave.
    pub(super) fn provisional(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Provisional { .. })).count()
    }

    pub(super) fn batches(&self) -> Vec<Vec<Digest>> {
        let of = |e: &Event| match e {
            Event::Batch { bundles, .. } => Some(bundles.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// Whom the abort blames, if there was one.
    pub(super) fn aborted(&self) -> Option<(Option<PartyId>, String)> {
        self.events.iter().find_map(|e| match e {
            Event::Aborted { culprit, reason, .. } => Some((*culprit, reason.clone())),
            _ => None,
        })
    }
}
