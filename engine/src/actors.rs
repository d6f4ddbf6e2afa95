//! The actors of one process and epoch, on a thread of their own: started, stopped and brought back one by one, and ended
//! together.

use crate::{
    actor::{Seat, Shell, Surroundings},
    effect::{Core, Event},
    message::{Address, Message},
    transport::Transport,
};
use actix::{Actor, Arbiter, ArbiterHandle, System};
use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// Actors that run.
pub struct Actors {
    seats: BTreeMap<Address, Arc<Seat>>,
    around: Surroundings,
    arbiter: ArbiterHandle,
    system: System,
    thread: JoinHandle<()>,
}

impl Actors {
    /// Starts an actor for each core.
    pub fn start(cores: Vec<(Address, Box<dyn Core>)>, around: Surroundings) -> Self {
        let (ready, handles) = mpsc::channel();
        let run = move || {
            let runner = System::new();
            // The receiver waits for exactly this.
            drop(ready.send((System::current(), Arbiter::current())));
            drop(runner.run());
        };
        // Most of what it does is adding shares up.
        let thread = std::thread::Builder::new().name("actors".into()).spawn(run);
        let thread = thread.expect("the machine has room for a thread");
        let (system, arbiter) = handles.recv().expect("the system's thread says when it runs");
        let seats = cores.into_iter().map(|(at, core)| (at, Arc::new(Seat::new(core)))).collect();
        let actors = Self { seats, around, arbiter, system, thread };
        actors.seats.keys().for_each(|at| actors.resume(*at));
        actors
    }

    /// Sends a message in somebody's name. `false` if too many wait for an actor that is away.
    pub fn send(&self, from: Address, to: Address, message: Message) -> bool {
        self.around.board.send(from, to, message)
    }

    /// Tells whoever listens of an event.
    pub fn publish(&self, event: Event) {
        // Nobody may listen any more.
        drop(self.around.events.send(event));
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
                    None => actix::clock::sleep(Duration::from_millis(1)).await,
                }
            };
            around.board.connect(at, shell.start().recipient());
        });
    }

    /// Stops every actor, and gives how many messages each handled.
    pub fn finish(self) -> BTreeMap<String, u64> {
        self.system.stop();
        // A panic of an actor has been printed.
        drop(self.thread.join());
        self.seats.iter().map(|(at, seat)| (at.to_string(), seat.handled())).collect()
    }
}
