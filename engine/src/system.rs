//! Three parties in one process: starts every actor of an epoch, and hands the outside a handle. For the simulator; where
//! each party is somebody else's, each has a host of its own.

use crate::{
    actor::Surroundings,
    actors::Actors,
    coordinator::Coordinator,
    effect::{Core, Event, Refusal},
    intake::Intake,
    message::{Address, Message},
    party::{Party, PartySecrets, Shelf, standby::Standby},
    settlement::{Office, Offices, Plan, Settlement},
    transport::Switchboard,
    verifier::Verifier,
};
use chain::node::Node;
use primitives::{Domain, PartyId, hash};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, mpsc},
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
    /// Fewest bundles of a batch while the window lasts.
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
    actors: Actors,
    carried: Arc<Shelf>,
    events: mpsc::Receiver<Event>,
    node: Arc<Mutex<Node>>,
}

/// How the shells run the actors: nothing of it reaches a record.
#[derive(Clone, Debug)]
pub struct Operation {
    /// How often parties are told that time passes: the unit of their patience.
    pub tick: Duration,
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
        Self { tick: Duration::from_secs(1), disguise: None }
    }
}

/// Starts every actor. Nothing happens until [`Running::begin`].
pub fn start(config: Config, node: Node, operation: Operation) -> Running {
    let Config { parties, standby, steward, treasury, auditors, plan, carried, batch, seed } = config;
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
        let held = carried.of(party).into();
        let core = Box::new(Party::new((chain, epoch), secrets, (batch, held), rng(at)));
        let core = match &operation.disguise {
            Some(Disguise(put_on)) => put_on(party, core),
            None => core,
        };
        cores.push((at, core));
    }
    if let Some(secrets) = standby {
        let at = Address::Standby;
        cores.push((at, Box::new(Standby::new((chain, epoch), secrets, rng(at)))));
    }
    let at = Address::Settlement;
    cores.push((Address::Coordinator, Box::new(Coordinator::new())));
    let offices = Offices { steward, treasury, auditors, plan, rng: rng(at) };
    cores.push((at, Box::new(Settlement::new(node.clone(), epoch, Some(offices)))));

    let (publish, events) = mpsc::channel();
    let (board, carried) = (Arc::new(Switchboard::default()), Arc::new(carried));
    let around = Surroundings { board, events: publish, memory: carried.clone(), tick: operation.tick };
    Running { actors: Actors::start(cores, around), carried, events, node }
}

impl Running {
    /// Begins the epoch: the parties make the beacon, and the epoch opens.
    pub fn begin(&self) {
        self.send(Address::Coordinator, Message::Begin);
    }

    /// Hands a bundle to a party. What becomes of it comes as events.
    pub fn submit(&self, party: PartyId, bytes: Arc<[u8]>) {
        let submit = Message::Submit(bytes.clone());
        if !self.actors.send(Address::Outside, Address::Intake(party), submit) {
            let (bundle, _) = crate::intake::read(&bytes);
            self.actors.publish(Event::Refused { party, bundle, refusal: Refusal::Busy });
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
        let _sent = self.actors.send(Address::Outside, to, message);
    }

    /// Stops an actor after what it has in hand. Messages for it wait until it is back.
    pub fn stop(&self, at: Address) {
        self.actors.stop(at);
    }

    /// Brings a stopped actor back.
    pub fn resume(&self, at: Address) {
        self.actors.resume(at);
    }

    /// Stops every actor and gives the node back.
    pub fn finish(self) -> Summary {
        let messages = self.actors.finish();
        let node = Arc::into_inner(self.node).expect("every actor has gone with its thread");
        // A panic of an actor has been printed; the node is what it was after the last block.
        let node = node.into_inner().expect("nobody panics while holding the node");
        let carried = Arc::into_inner(self.carried).expect("every actor has gone with its thread");
        Summary { node, carried, messages }
    }
}
