//! Wiring: starts every actor of an epoch on one arbiter, and hands the outside a handle.

use crate::{
    actor::{Seat, Shell, Surroundings},
    coordinator::Coordinator,
    effect::{Core, Event, Refusal},
    intake::Intake,
    message::{Address, Message},
    party::{Party, PartySecrets},
    settlement::{Office, Plan, Settlement},
    transport::{Switchboard, Transport},
    verifier::Verifier,
};
use actix::{Actor, Arbiter, ArbiterHandle, System};
use chain::node::Node;
use primitives::{Domain, PartyId, hash};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};

/// What an epoch needs.
pub struct Config {
    /// Keys of the three parties, in order.
    pub parties: [PartySecrets; 3],
    /// Opens the epoch.
    pub steward: Office,
    /// Reports revenue.
    pub treasury: Office,
    /// What is to be opened and reported.
    pub plan: Plan,
    /// Bundles in a batch.
    pub batch: usize,
    /// Seed of all randomness of the committee that reaches the public record: contributions to the beacon, nonces. A
    /// committee that is real draws it from its machines.
    pub seed: [u8; 32],
}

/// What is left when a system has finished.
pub struct Summary {
    /// The node, with the epoch on it.
    pub node: Node,
    /// Messages that each actor handled, by name.
    pub messages: BTreeMap<String, u64>,
}

/// A running system.
pub struct Running {
    seats: BTreeMap<Address, Arc<Seat>>,
    around: Surroundings,
    events: mpsc::Receiver<Event>,
    arbiter: ArbiterHandle,
    system: System,
    thread: JoinHandle<()>,
    node: Arc<Mutex<Node>>,
}

/// Starts every actor. Nothing happens until [`Running::begin`].
pub fn start(config: Config, node: Node) -> Running {
    let Config { parties, steward, treasury, plan, batch, seed } = config;
    let (chain, epoch) = (node.ledger().origin().chain, plan.epoch);
    let node = Arc::new(Mutex::new(node));
    let rng = |name: Address| {
        ChaCha20Rng::from_seed(hash::hash(Domain::Simulation, &[&seed, name.to_string().as_bytes()]).0)
    };

    let mut cores: Vec<(Address, Box<dyn Core>)> = Vec::new();
    for secrets in parties {
        let party = secrets.signer.party();
        let at = Address::Party(party);
        cores.push((Address::Intake(party), Box::new(Intake::new(party))));
        cores.push((Address::Verifier(party), Box::new(Verifier::new(party))));
        cores.push((at, Box::new(Party::new(chain, epoch, secrets, batch, rng(at)))));
    }
    let at = Address::Settlement;
    cores.push((Address::Coordinator, Box::new(Coordinator::new())));
    cores.push((at, Box::new(Settlement::new(node.clone(), steward, treasury, plan, rng(at)))));

    let (publish, events) = mpsc::channel();
    let around = Surroundings { board: Arc::new(Switchboard::default()), events: publish };
    let (ready, handles) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runner = System::new();
        // The receiver waits for exactly this.
        drop(ready.send((System::current(), Arbiter::current())));
        drop(runner.run());
    });
    let (system, arbiter) = handles.recv().expect("the system's thread says when it runs");
    let seats = cores.into_iter().map(|(at, core)| (at, Arc::new(Seat::new(core)))).collect();
    let running = Running { seats, around, events, arbiter, system, thread, node };
    running.seats.keys().for_each(|at| running.resume(*at));
    running
}

impl Running {
    /// Begins the epoch: the parties make the beacon, and the epoch opens.
    pub fn begin(&self) {
        self.send(Address::Coordinator, Message::Begin);
    }

    /// Hands a bundle to a party. What becomes of it comes as events.
    pub fn submit(&self, party: PartyId, bytes: Arc<[u8]>) {
        let submit = Message::Submit(bytes.clone());
        if !self.around.board.send(Address::Outside, Address::Intake(party), submit) {
            let (bundle, _) = crate::intake::read(&bytes);
            let event = Event::Refused { party, bundle, refusal: Refusal::Busy };
            drop(self.around.events.send(event));
        }
    }

    /// Ends the collection window. The epoch goes on by itself to its end.
    pub fn end_of_window(&self) {
        self.send(Address::Coordinator, Message::EndOfWindow);
    }

    /// What happens, as it happens.
    pub fn events(&self) -> &mpsc::Receiver<Event> {
        &self.events
    }

    fn send(&self, to: Address, message: Message) {
        // A coordinator that is away has room for the two words that it ever gets from outside.
        let _sent = self.around.board.send(Address::Outside, to, message);
    }

    /// Stops an actor after what it has in hand. Messages for it wait until it is back.
    pub fn stop(&self, at: Address) {
        self.around.board.disconnect(at);
    }

    /// Brings a stopped actor back.
    pub fn resume(&self, at: Address) {
        let (seat, around) = (self.seats[&at].clone(), self.around.clone());
        self.arbiter.spawn(async move {
            // An actor that was told to stop may still have messages in hand.
            let shell = loop {
                match Shell::new(at, seat.clone(), around.clone()) {
                    Some(shell) => break shell,
                    None => actix::clock::sleep(std::time::Duration::from_millis(1)).await,
                }
            };
            around.board.connect(at, shell.start().recipient());
        });
    }

    /// Stops every actor and gives the node back.
    pub fn finish(self) -> Summary {
        self.system.stop();
        // A panic of an actor has been printed; the node is what it was after the last block.
        drop(self.thread.join());
        let messages = self.seats.iter().map(|(at, seat)| (at.to_string(), seat.handled())).collect();
        drop(self.around);
        drop(self.seats);
        let node = Arc::into_inner(self.node).expect("every actor has gone with its thread");
        Summary { node: node.into_inner().expect("nobody panics while holding the node"), messages }
    }
}
