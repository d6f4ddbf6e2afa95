//! The actix shell: decodes what is delivered, calls the core, carries its effects out. One shell serves every core.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Letter, Message, PeerMessage, Sitting},
    party::{Carried, voting::Record},
    transport::{Delivery, Switchboard, Transport},
    verifier::{recall, verify_all},
};
use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::bundle::Bundle;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

/// Where parties keep what they must not lose. What is kept is on disk when a function returns, if it goes there at all;
/// `false` says that it could not be kept, and the party stops there.
pub trait Memory: Send + Sync {
    /// A party's last vote of a shard.
    fn vote(&self, party: PartyId, record: &Record) -> bool;
    /// All that a party carries over of a shard.
    fn keep(&self, party: PartyId, shard: ShardIndex, carried: Vec<Carried>) -> bool;
    /// The sitting that a party begins.
    fn sit(&self, party: PartyId, sitting: Sitting) -> bool;
    /// What a party contributes to the beacon.
    fn contribute(&self, party: PartyId, value: Digest) -> bool;
    /// The bundles of a header, in their order.
    fn hold(&self, party: PartyId, header: Digest, bundles: &[Arc<Bundle>]) -> bool;
    /// A bundle that is on disk, for a peer that lacks it.
    fn bundle(&self, id: &Digest) -> Option<Bundle>;
}

/// Where an actor's core rests while the actor is away, and what it has counted.
#[derive(Default)]
pub struct Seat {
    core: Mutex<Option<Box<dyn Core>>>,
    handled: AtomicU64,
}

impl Seat {
    /// A seat with a core in it.
    pub fn new(core: Box<dyn Core>) -> Self {
        Self { core: Mutex::new(Some(core)), handled: AtomicU64::new(0) }
    }

    /// Takes the core, if nobody has it.
    pub fn take(&self) -> Option<Box<dyn Core>> {
        self.core.lock().expect("a seat is never held across a panic").take()
    }

    /// Messages handled so far.
    pub fn handled(&self) -> u64 {
        self.handled.load(Ordering::Relaxed)
    }
}

/// What every actor shares.
#[derive(Clone)]
pub struct Surroundings {
    /// Links.
    pub board: Arc<Switchboard>,
    /// Where events go.
    pub events: Sender<Event>,
    /// Where parties keep what they must not lose.
    pub memory: Arc<dyn Memory>,
    /// How often parties are told that time passes.
    pub tick: Duration,
}

/// An actor: a core at an address.
pub struct Shell {
    at: Address,
    core: Option<Box<dyn Core>>,
    seat: Arc<Seat>,
    around: Surroundings,
    /// Peers for whom bundles are being read from disk.
    lending: Arc<Mutex<BTreeSet<Address>>>,
}

impl Shell {
    /// An actor for the core in `seat`. `None` if the core is with another actor.
    pub fn new(at: Address, seat: Arc<Seat>, around: Surroundings) -> Option<Self> {
        let core = seat.take()?;
        Some(Self { at, core: Some(core), seat, around, lending: Arc::default() })
    }

    fn send(&self, to: Address, message: Message) {
        if !self.around.board.send(self.at, to, message) {
            let reason = "the actor is away and too much waits for it";
            self.carry_out(Effect::Publish(Event::Dropped { at: to, from: self.at, reason }));
        }
    }

    fn run(&mut self, actor: &mut Context<Self>, from: Address, message: Message) {
        let Some(core) = &mut self.core else { return };
        let effects = core.handle(from, message);
        // In their order, up to one that cannot be stored.
        if !effects.into_iter().all(|effect| self.carry_out(effect)) {
            // What this party signed is not on disk, and what its core believes is no longer true: it is over for it.
            self.core = None;
            self.carry_out(Effect::Publish(Event::Broken { at: self.at }));
            actor.stop();
        }
    }

    /// Whose actor it is. The standby keeps what it has under the first party's name, and has no other.
    fn party(&self) -> PartyId {
        match self.at {
            Address::Party(party) | Address::Intake(party) | Address::Verifier(party) => party,
            _ => PartyId::ALL[0],
        }
    }

    /// Carries an effect out. `false` if it has to be on disk and is not.
    fn carry_out(&self, effect: Effect) -> bool {
        match effect {
            Effect::Store(record) => return self.around.memory.vote(self.party(), &record),
            Effect::Sit(sitting) => return self.around.memory.sit(self.party(), sitting),
            Effect::Contribute(value) => return self.around.memory.contribute(self.party(), value),
            Effect::Hold(header, bundles) => return self.around.memory.hold(self.party(), header, &bundles),
            // The disk is read on the pool: the party goes on meanwhile.
            Effect::Lend(to, shard, ids) => {
                // One answer to each at a time. Who asks for more meanwhile asks again.
                let lending = self.lending.clone();
                if !lending.lock().expect("nobody panics while holding it").insert(to) {
                    return true;
                }
                let (at, board, memory) = (self.at, self.around.board.clone(), self.around.memory.clone());
                rayon::spawn(move || {
                    for bundle in ids.iter().filter_map(|id| memory.bundle(id)) {
                        let message = PeerMessage::Bundle(Box::new(bundle));
                        let letter = Letter { shard, sitting: Sitting::default(), message };
                        // A peer that is away asks again.
                        let _sent = board.send(at, to, Message::Peer(letter));
                    }
                    lending.lock().expect("nobody panics while holding it").remove(&to);
                });
            }
            Effect::Recall(context, ids, complaint) => {
                let (at, board, memory) = (self.at, self.around.board.clone(), self.around.memory.clone());
                rayon::spawn(move || {
                    let found = recall(&context, ids.iter().filter_map(|id| memory.bundle(id)));
                    let message = Message::Recalled(context.shard.index(), complaint, found);
                    // A party that is away has room for its own.
                    let _sent = board.send(at, at, message);
                });
            }
            Effect::Send(to, message) => self.send(to, message),
            Effect::Keep(party, shard, carried) => {
                return self.around.memory.keep(party, shard, carried);
            }
            // Nobody may listen any more; that is no reason to stop.
            Effect::Publish(event) => drop(self.around.events.send(event)),
            Effect::Verify(epoch, bundles) => {
                let (at, board, events) = (self.at, self.around.board.clone(), self.around.events.clone());
                rayon::spawn(move || {
                    let begun = Instant::now();
                    // Fresh randomness of the machine: the weights must be unknown to whoever made the bundles.
                    let results = verify_all(&epoch, &bundles, &mut rand_core::OsRng);
                    drop(events.send(Event::Verified { bundles: bundles.len(), took: begun.elapsed() }));
                    // A verifier that is away has room for its own results: it waits for one batch at a time.
                    let _sent = board.send(at, at, Message::BatchVerified(results));
                });
            }
        }
        true
    }
}

impl Actor for Shell {
    type Context = Context<Self>;

    fn started(&mut self, actor: &mut Self::Context) {
        if matches!(
            self.at,
            Address::Party(_) | Address::Standby | Address::Coordinator | Address::Settlement
        ) {
            let at = self.at;
            actor.run_interval(self.around.tick, move |shell, actor| shell.run(actor, at, Message::Tick));
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        *self.seat.core.lock().expect("a seat is never held across a panic") = self.core.take();
    }
}

impl Handler<Delivery> for Shell {
    type Result = ();

    fn handle(&mut self, delivery: Delivery, actor: &mut Self::Context) {
        let from = delivery.from;
        match delivery.content.unpack() {
            None => actor.stop(),
            Some(Ok(message)) => {
                self.seat.handled.fetch_add(1, Ordering::Relaxed);
                self.run(actor, from, message);
            }
            Some(Err(_)) => {
                let reason = "bytes that are no message between parties";
                self.carry_out(Effect::Publish(Event::Dropped { at: self.at, from, reason }));
            }
        }
    }
}
