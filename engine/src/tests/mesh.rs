//! The cores in one queue: what the actors do, without threads, and with a hand in the mail.

use crate::{
    coordinator::Coordinator,
    effect::{Core, Effect, Event, Refusal},
    intake::Intake,
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage, Phase, Sitting},
    party::{Party, PartySecrets, Shelf, evidence::Evidence, standby::Standby, voting::Record},
    settlement::{Offices, Settlement},
    tests::world::{EPOCH, World, world},
    verifier::Verifier,
    verifier::verify_all,
};
use chain::node::Node;
use primitives::{Decode, Digest, Encode, PartyId, ShardIndex};
use proofs::{
    inclusion::Inclusion,
    tally::{BatchHeader, Residual},
    testing::{TestSubscriber, committee},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

/// May change a message between two parties, or drop it by `false`.
pub(super) type Tamper<'a> = Box<dyn FnMut(PartyId, PartyId, &mut PeerMessage) -> bool + 'a>;
/// Is shown every message, with its sender and its receiver.
pub(super) type Overhear<'a> = Box<dyn FnMut(Address, Address, &Message) + 'a>;

pub(super) struct Mesh<'a> {
    cores: BTreeMap<Address, Box<dyn Core>>,
    queue: VecDeque<(Address, Address, Message)>,
    pub(super) node: Arc<Mutex<Node>>,
    pub(super) events: Vec<Event>,
    pub(super) tamper: Tamper<'a>,
    pub(super) overhear: Overhear<'a>,
    dir: tempfile::TempDir,
    held: Option<Vec<(Address, Address, Message)>>,
    proposals: usize,
    /// What the parties carry over.
    pub(super) shelf: Shelf,
    /// What parties had on disk, in order.
    stored: BTreeMap<Address, Vec<Record>>,
    /// The last sitting that each party began.
    sat: BTreeMap<Address, Sitting>,
    /// Parties that are away: what is sent to them is lost.
    away: BTreeSet<Address>,
    /// A party that is killed once so many of its effects were carried out, and starts again at once.
    pub(super) kill: Option<(PartyId, usize)>,
    opened: Option<OpenedEpoch>,
    batch: usize,
    /// For whom the word that a seat is taken is held back, and what is held; copies of all such words.
    pub(super) hold_seated: Option<Address>,
    held_seated: Vec<(Address, Address, Message)>,
    pub(super) said_seated: Vec<Message>,
    /// Who kept shares, and for which party.
    pub(super) kept_by: Vec<(Address, PartyId)>,
}

/// A party's signature on a header, as a party may give it that keeps to no rule.
pub(super) fn sign(party: PartyId, header: &BatchHeader) -> [u8; 64] {
    committee(11).signers[party.index()].sign(&header.signing_digest())
}

impl<'a> Mesh<'a> {
    /// A mesh whose epoch is open, with one shard.
    pub(super) fn opened() -> (Self, OpenedEpoch) {
        Self::opened_over(world())
    }

    /// A mesh whose epoch is open over a world.
    pub(super) fn opened_over(world: World) -> (Self, OpenedEpoch) {
        Self::opened_with(world, 0)
    }

    /// The same with parties whose randomness is that of a seed.
    pub(super) fn opened_with(world: World, seed: u64) -> (Self, OpenedEpoch) {
        let World { node, config, dir } = world;
        let chain = node.ledger().origin().chain;
        let node = Arc::new(Mutex::new(node));
        let mut cores: BTreeMap<Address, Box<dyn Core>> = BTreeMap::new();
        for secrets in config.parties {
            let p = secrets.signer.party();
            let rng = ChaCha20Rng::seed_from_u64(3 * seed + p.index() as u64);
            cores.insert(Address::Intake(p), Box::new(Intake::new(p)));
            cores.insert(Address::Verifier(p), Box::new(Verifier::new(p)));
            let held = (config.batch, config.carried.of(p).into());
            cores.insert(Address::Party(p), Box::new(Party::new((chain, EPOCH), secrets, held, rng)));
        }
        let standby = config.standby.expect("somebody stands by");
        let rng = ChaCha20Rng::seed_from_u64(8);
        cores.insert(Address::Standby, Box::new(Standby::new((chain, EPOCH), standby, rng)));
        cores.insert(Address::Coordinator, Box::new(Coordinator::new()));
        let rng = ChaCha20Rng::seed_from_u64(9);
        let (steward, treasury, auditors, plan) =
            (config.steward, config.treasury, config.auditors, config.plan);
        let offices = Offices { steward, treasury, auditors, plan, rng };
        let settlement = Settlement::new(node.clone(), EPOCH, Some(offices));
        cores.insert(Address::Settlement, Box::new(settlement));
        let (queue, events, batch) = (VecDeque::new(), Vec::new(), config.batch);
        let mut mesh = Self {
            cores,
            queue,
            node,
            events,
            tamper: Box::new(|_, _, _| true),
            overhear: Box::new(|_, _, _| ()),
            dir,
            held: None,
            proposals: 0,
            shelf: Shelf::default(),
            stored: BTreeMap::new(),
            sat: BTreeMap::new(),
            away: BTreeSet::new(),
            kill: None,
            opened: None,
            batch,
            hold_seated: None,
            held_seated: Vec::new(),
            said_seated: Vec::new(),
            kept_by: Vec::new(),
        };
        mesh.tell(Address::Coordinator, Message::Begin);
        let opened = mesh.events.iter().find_map(|e| match e {
            Event::Opened(opened) => Some(opened.clone()),
            _ => None,
        });
        mesh.opened = opened.clone();
        (mesh, opened.expect("the epoch opens"))
    }

    /// Lets time pass for every party that is there.
    pub(super) fn tick(&mut self, ticks: u32) {
        for _ in 0..ticks {
            let clocks = [Address::Coordinator, Address::Standby];
            for at in PartyId::ALL.map(Address::Party).into_iter().chain(clocks) {
                self.queue.push_back((at, at, Message::Tick));
                self.run();
            }
        }
    }

    /// Takes a party away, with all that it had in memory.
    pub(super) fn stop(&mut self, party: PartyId) {
        self.away.insert(Address::Party(party));
    }

    /// Starts a party anew: it has what it stored, and hears from the chain what is anchored.
    pub(super) fn start(&mut self, party: PartyId) {
        let at = Address::Party(party);
        let keys = committee(11);
        let ([one, two, three], [a, b, c]) = (keys.signers, keys.kem);
        let secrets = [(one, a), (two, b), (three, c)].into_iter().nth(party.index());
        let (signer, kem) = secrets.expect("three parties");
        let opened = self.opened.clone().expect("the epoch is open");
        let chain = opened.shards[0].chain;
        let taken = self.taken();
        let rng = ChaCha20Rng::seed_from_u64(party.index() as u64);
        let held = (self.batch, self.shelf.of(party).into());
        let fresh = Party::new((chain, EPOCH), PartySecrets { signer, kem }, held, rng);
        let mut fresh = fresh
            .with_votes(self.stored.get(&at).map_or(&[], Vec::as_slice))
            .with_sitting(self.sat.get(&at).copied());
        let mut effects = fresh.rejoin(opened.clone(), self.phase() > Phase::Collect);
        effects.extend(fresh.handle(Address::Settlement, Message::TakenOver(taken)));
        self.cores.insert(at, Box::new(fresh));
        self.away.remove(&at);
        self.carry_out(at, effects);
        let node = self.node.lock().expect("nobody panics while holding the node");
        for context in opened.shards.iter() {
            for header in node.ledger().state().anchors_of(EPOCH, context.shard.index()) {
                let message = Message::Anchored(Arc::new(header.clone()));
                self.queue.push_back((Address::Settlement, at, message));
            }
        }
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
        self.inject_in(ShardIndex(0), (from, to), message);
    }

    /// The same about any shard.
    pub(super) fn inject_in(
        &mut self,
        shard: ShardIndex,
        (from, to): (PartyId, PartyId),
        message: PeerMessage,
    ) {
        let letter = Letter { shard, sitting: Sitting::default(), message };
        self.queue.push_back((Address::Party(from), Address::Party(to), Message::Peer(letter)));
        self.run();
    }

    fn run(&mut self) {
        while let Some((from, to, message)) = self.queue.pop_front() {
            if let (Message::Anchor(_), Some(held)) = (&message, &mut self.held) {
                held.push((from, to, message));
                continue;
            }
            if let Message::Seated(_) = &message {
                self.said_seated.push(message.clone());
                if self.hold_seated == Some(to) {
                    self.held_seated.push((from, to, message));
                    continue;
                }
            }
            let Some(message) = self.carry(from, to, message) else { continue };
            if self.away.contains(&to) {
                continue;
            }
            let effects = self.cores.get_mut(&to).expect("an actor").handle(from, message);
            self.carry_out(to, effects);
        }
    }

    fn carry_out(&mut self, of: Address, effects: Vec<Effect>) {
        for effect in effects {
            if self.is_killed(of) {
                let Address::Party(party) = of else { unreachable!("parties are killed") };
                return self.start(party);
            }
            match effect {
                Effect::Send(next, message) => self.queue.push_back((of, next, message)),
                Effect::Publish(event) => self.events.push(event),
                Effect::Keep(party, shard, carried) => {
                    self.kept_by.push((of, party));
                    self.shelf.put(party, shard, carried).unwrap();
                }
                Effect::Contribute(_) | Effect::Hold(..) | Effect::Lend(..) | Effect::Recall(..) => {}
                Effect::Sit(sitting) => drop(self.sat.insert(of, sitting)),
                Effect::Store(record) => self.stored.entry(of).or_default().push(record),
                Effect::Verify(epoch, bundles) => {
                    let results = verify_all(&epoch, &bundles, &mut rand_core::OsRng);
                    self.queue.push_back((of, of, Message::BatchVerified(results)));
                }
            }
        }
    }

    /// Whether a party is to be killed before its next effect.
    fn is_killed(&mut self, of: Address) -> bool {
        match &mut self.kill {
            Some((party, left)) if Address::Party(*party) == of => {
                if *left == 0 {
                    self.kill = None;
                    return true;
                }
                *left -= 1;
                false
            }
            _ => false,
        }
    }

    fn carry(&mut self, from: Address, to: Address, message: Message) -> Option<Message> {
        (self.overhear)(from, to, &message);
        match (from, to, message) {
            (Address::Party(from), Address::Party(to), Message::Peer(letter)) => {
                let proposal = matches!(letter.message, PeerMessage::Propose(..));
                self.proposals += usize::from(proposal && to == from.next());
                let mut letter = Letter::from_bytes(&letter.to_bytes()).expect("letters survive the wire");
                (self.tamper)(from, to, &mut letter.message).then_some(Message::Peer(letter))
            }
            // What gives a seat away and fills it, as if it went to the seat.
            (Address::Party(from), Address::Standby, Message::Peer(mut letter)) => {
                let seat = match letter.message {
                    PeerMessage::SeatVote(seat, _) => Some(seat),
                    PeerMessage::HandOver(_) => self.seated(),
                    _ => None,
                };
                let carried = seat.is_none_or(|seat| (self.tamper)(from, seat, &mut letter.message));
                carried.then_some(Message::Peer(letter))
            }
            (_, _, message) => Some(message),
        }
    }

    /// The seat that the standby took.
    pub(super) fn seated(&self) -> Option<PartyId> {
        self.events.iter().find_map(|event| match event {
            Event::Seated { party } => Some(*party),
            _ => None,
        })
    }

    /// Lets go of what was held back.
    pub(super) fn release_seated(&mut self) {
        self.hold_seated = None;
        self.queue.extend(std::mem::take(&mut self.held_seated));
        self.run();
    }

    /// Hands a bundle to every party.
    pub(super) fn submit(&mut self, bytes: &[u8]) {
        for party in PartyId::ALL {
            self.tell(Address::Intake(party), Message::Submit(bytes.into()));
        }
    }

    /// Hands bundles to every party, which has them all before it looks at any.
    pub(super) fn submit_all(&mut self, bundles: &[Vec<u8>]) {
        for party in PartyId::ALL {
            let submit = |bundle: &Vec<u8>| Message::Submit(bundle.as_slice().into());
            let to = |message| (Address::Outside, Address::Intake(party), message);
            self.queue.extend(bundles.iter().map(submit).map(to));
        }
        self.run();
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
    /// What is on record of what the epoch takes over.
    fn taken(&self) -> Arc<[Residual]> {
        let node = self.node.lock().expect("nobody panics while holding the node");
        let carried = node.ledger().state().carried_into(EPOCH).expect("the epoch before is over");
        carried.into_iter().map(|carried| carried.commitments).collect()
    }

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

    /// Provisional receipts that all parties together gave.
    pub(super) fn provisional(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Provisional { .. })).count()
    }

    /// Bundles that are final, in order.
    pub(super) fn batches(&self) -> Vec<Vec<Digest>> {
        let of = |e: &Event| match e {
            Event::Batch { bundles, .. } => Some(bundles.clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// Evidence that parties showed.
    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let of = |e: &Event| match e {
            Event::Evidence { evidence, .. } => Some(evidence.as_ref().clone()),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// Final receipts that a party gave.
    pub(super) fn receipts(&self, of: PartyId) -> Vec<Inclusion> {
        let of = |e: &Event| match e {
            Event::Final { party, batch } if *party == of => Some(batch.clone()),
            _ => None,
        };
        let batches = self.events.iter().filter_map(of);
        batches.flat_map(|batch| (0..).map_while(move |index| batch.receipt(index))).collect()
    }

    /// Whom the abort blames, if there was one.
    pub(super) fn aborted(&self) -> Option<(Option<PartyId>, String)> {
        self.events.iter().find_map(|e| match e {
            Event::Aborted { culprit, reason, .. } => Some((*culprit, reason.clone())),
            _ => None,
        })
    }
}
