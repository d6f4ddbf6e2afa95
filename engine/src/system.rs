//! Wiring: starts every actor of an epoch on one arbiter, and hands the outside a handle.

use crate::{
    actor::{Seat, Shell, Surroundings},
    coordinator::Coordinator,
    effect::{Core, Event, Refusal},
    intake::Intake,
    journal::{Journal, JournalError},
    message::{Address, Message},
    party::{Party, PartySecrets, Shelf, standby::Standby},
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
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// What an epoch needs.
pub struct Config {
    /// Keys of the three parties, in order.
    pub parties: [PartySecrets; 3],
    /// Keys of the party that stands by, if one does. They are those on record.
    pub standby: Option<PartySecrets>,
    /// Opens the epoch.
    pub steward: Office,
    /// Reports revenue.
    pub treasury: Office,
    /// Who attest the reserve.
    pub auditors: Vec<Office>,
    /// What is to be opened and reported.
    pub plan: Plan,
    /// What the parties carry over from the epoch before.
    pub carried: Shelf,
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
    /// What the parties carry to the next epoch, beside what they carried to this one.
    pub carried: Shelf,
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

/// How the shells run the actors: nothing of it reaches a record.
#[derive(Clone, Debug)]
pub struct Operation {
    /// How often parties are told that time passes: the unit of their patience.
    pub tick: Duration,
    /// Folder of the parties' votes, a file for each. Without one, votes are lost with the process: enough for a run
    /// whose parties all end with it.
    pub votes: Option<PathBuf>,
    /// What is put between a party's core and its shell. For runs that show what a party can do that cheats.
    pub disguise: Option<Disguise>,
}

/// Puts something in place of a party's core.
#[derive(Clone)]
pub struct Disguise(pub Arc<PutOn>);

type PutOn = dyn Fn(PartyId, Box<dyn Core>) -> Box<dyn Core> + Send + Sync;

impl std::fmt::Debug for Disguise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disguise(..)")
    }
}

impl Default for Operation {
    fn default() -> Self {
        Self { tick: Duration::from_secs(1), votes: None, disguise: None }
    }
}

/// Starts every actor. Nothing happens until [`Running::begin`].
pub fn start(config: Config, node: Node) -> Running {
    start_with(config, node, Operation::default())
        .expect("without a folder of votes there is nothing to open")
}

/// Starts every actor, with votes that outlive the process.
///
/// # Errors
/// If a file of votes cannot be opened.
pub fn start_with(config: Config, node: Node, operation: Operation) -> Result<Running, JournalError> {
    let Config { parties, standby, steward, treasury, auditors, plan, carried, batch, seed } = config;
    let (chain, epoch) = (node.ledger().origin().chain, plan.epoch);
    let node = Arc::new(Mutex::new(node));
    let rng = |name: Address| {
        ChaCha20Rng::from_seed(hash::hash(Domain::Simulation, &[&seed, name.to_string().as_bytes()]).0)
    };

    let mut cores: Vec<(Address, Box<dyn Core>)> = Vec::new();
    let mut seats = BTreeMap::new();
    for secrets in parties {
        let party = secrets.signer.party();
        let at = Address::Party(party);
        cores.push((Address::Intake(party), Box::new(Intake::new(party))));
        cores.push((Address::Verifier(party), Box::new(Verifier::new(party))));
        let held = carried.of(party);
        let core = Party::new((chain, epoch), secrets, (batch, held), rng(at));
        let disguised = |core: Party| -> Box<dyn Core> {
            match &operation.disguise {
                Some(Disguise(put_on)) => put_on(party, Box::new(core)),
                None => Box::new(core),
            }
        };
        let seat = match &operation.votes {
            Some(folder) => {
                let (journal, records) = Journal::open(folder.join(format!("votes-{epoch}-{party}")))?;
                Seat::with_journal(disguised(core.with_votes(&records)), journal)
            }
            None => Seat::new(disguised(core)),
        };
        seats.insert(at, Arc::new(seat));
    }
    if let Some(secrets) = standby {
        let at = Address::Standby;
        cores.push((at, Box::new(Standby::new((chain, epoch), secrets, rng(at)))));
    }
    let at = Address::Settlement;
    cores.push((Address::Coordinator, Box::new(Coordinator::new())));
    let settlement = Settlement::new(node.clone(), steward, treasury, auditors, plan, rng(at));
    cores.push((at, Box::new(settlement)));

    let (publish, events) = mpsc::channel();
    let (board, tick) = (Arc::new(Switchboard::default()), operation.tick);
    let around = Surroundings { board, events: publish, shelf: Arc::new(carried), tick };
    let (ready, handles) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runner = System::new();
        // The receiver waits for exactly this.
        drop(ready.send((System::current(), Arbiter::current())));
        drop(runner.run());
    });
    let (system, arbiter) = handles.recv().expect("the system's thread says when it runs");
    seats.extend(cores.into_iter().map(|(at, core)| (at, Arc::new(Seat::new(core)))));
    let running = Running { seats, around, events, arbiter, system, thread, node };
    running.seats.keys().for_each(|at| running.resume(*at));
    Ok(running)
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
        let Surroundings { shelf, .. } = self.around;
        drop(self.seats);
        let node = Arc::into_inner(self.node).expect("every actor has gone with its thread");
        let node = node.into_inner().expect("nobody panics while holding the node");
        let carried = Arc::into_inner(shelf).expect("every actor has gone with its thread");
        Summary { node, carried, messages }
    }
}
