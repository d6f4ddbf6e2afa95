//! The actix shell: decodes what is delivered, calls the core, carries its effects out. One shell serves every core.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Message},
    transport::{Delivery, Switchboard, Transport},
    verifier::verify_all,
};
use actix::{Actor, ActorContext, Context, Handler};

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
    mpsc::Sender,
};

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
}

/// An actor: a core at an address.
pub struct Shell {
    at: Address,
    core: Option<Box<dyn Core>>,
    seat: Arc<Seat>,
    around: Surroundings,
}

impl Shell {
    /// An actor for the core in `seat`. `None` if the core is with another actor.
    pub fn new(at: Address, seat: Arc<Seat>, around: Surroundings) -> Option<Self> {
        let core = seat.take()?;
        Some(Self { at, core: Some(core), seat, around })
    }

    fn send(&self, to: Address, message: Message) {
        if !self.around.board.send(self.at, to, message) {
            let reason = "the actor is away and too much waits for it";
            self.carry_out(Effect::Publish(Event::Dropped { at: to, from: self.at, reason }));
        }
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Send(to, message) => self.send(to, message),
            // Nobody may listen any more; that is no reason to stop.
            Effect::Publish(event) => drop(self.around.events.send(event)),
            Effect::Verify(epoch, bundles) => {
                let (at, board) = (self.at, self.around.board.clone());
                rayon::spawn(move || {
                    // Fresh randomness of the machine: the weights must be unknown to whoever made the bundles.
                    let results = verify_all(&epoch, &bundles, &mut rand_core::OsRng);
                    // A verifier that is away has room for its own results: it waits for one batch at a time.
                    let _sent = board.send(at, at, Message::BatchVerified(results));
                });
            }
        }
    }
}

impl Actor for Shell {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        *self.seat.core.lock().expect("a seat is never held across a panic") = self.core.take();
    }
}

impl Handler<Delivery> for Shell {
    type Result = ();

    fn handle(&mut self, delivery: Delivery, actor: &mut Self::Context) {
        let from = delivery.from;
        match (delivery.parcel.unpack(), &mut self.core) {
            (None, _) => actor.stop(),
            (Some(Ok(message)), Some(core)) => {
                self.seat.handled.fetch_add(1, Ordering::Relaxed);
                core.handle(from, message).into_iter().for_each(|effect| self.carry_out(effect));
            }
            (Some(Err(_)), _) => {
                let reason = "bytes that are no message between parties";
                self.carry_out(Effect::Publish(Event::Dropped { at: self.at, from, reason }));
            }
            (_, None) => {}
        }
    }
}
