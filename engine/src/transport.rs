//! Links between actors.
//!
//! A [`Transport`] carries deliveries in order, and holds them for an actor that is away until it is back. What goes
//! from party to party is encoded, so that a link between hosts carries the same bytes as one inside a process.

use crate::message::{Address, Letter, Message};
use actix::Recipient;
use primitives::{CodecError, Decode, Encode};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

/// Most deliveries that wait for an actor that is away. What actors tell each other in an epoch is far less; what comes
/// from outside is refused beyond it.
pub const MAX_WAITING: usize = 1 << 12;

/// What an actor's mailbox takes.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub struct Delivery {
    /// From whom.
    pub from: Address,
    /// What.
    pub parcel: Parcel,
}

/// What is delivered.
pub enum Parcel {
    /// A message inside one organisation.
    Local(Message),
    /// A message from party to party, as bytes.
    Wire(Vec<u8>),
    /// The last delivery before the actor stops. For whoever runs the system.
    Stop,
}

impl Parcel {
    /// Packs a message as its way demands.
    pub fn pack(message: Message) -> Self {
        match message {
            Message::Peer(letter) => Self::Wire(letter.to_bytes()),
            local => Self::Local(local),
        }
    }

    /// Unpacks a message; `None` for a stop.
    pub fn unpack(self) -> Option<Result<Message, CodecError>> {
        match self {
            Self::Local(message) => Some(Ok(message)),
            Self::Wire(bytes) => Some(Letter::from_bytes(&bytes).map(Message::Peer)),
            Self::Stop => None,
        }
    }
}

/// Carries messages between actors, in order between any two.
pub trait Transport: Send + Sync {
    /// Sends a message, or keeps it until the actor is back. `false` if too many wait already: it is not sent.
    #[must_use]
    fn send(&self, from: Address, to: Address, message: Message) -> bool;
}

/// The transport inside one process: a switchboard of mailboxes.
#[derive(Default)]
pub struct Switchboard(Mutex<BTreeMap<Address, Line>>);

#[derive(Default)]
struct Line {
    mailbox: Option<Recipient<Delivery>>,
    waiting: VecDeque<Delivery>,
}

impl Switchboard {
    fn lines(&self) -> MutexGuard<'_, BTreeMap<Address, Line>> {
        self.0.lock().expect("no actor panics while it holds the switchboard")
    }

    /// Connects an actor, and hands it what waited.
    pub fn connect(&self, at: Address, mailbox: Recipient<Delivery>) {
        let mut lines = self.lines();
        let line = lines.entry(at).or_default();
        line.waiting.drain(..).for_each(|delivery| mailbox.do_send(delivery));
        line.mailbox = Some(mailbox);
    }

    /// Disconnects an actor: it handles what it has and stops; what comes later waits.
    pub fn disconnect(&self, at: Address) {
        if let Some(mailbox) = self.lines().get_mut(&at).and_then(|line| line.mailbox.take()) {
            mailbox.do_send(Delivery { from: Address::Outside, parcel: Parcel::Stop });
        }
    }
}

impl Transport for Switchboard {
    fn send(&self, from: Address, to: Address, message: Message) -> bool {
        let delivery = Delivery { from, parcel: Parcel::pack(message) };
        let mut lines = self.lines();
        let line = lines.entry(to).or_default();
        match &line.mailbox {
            Some(mailbox) => mailbox.do_send(delivery),
            None if line.waiting.len() == MAX_WAITING => return false,
            None => line.waiting.push_back(delivery),
        }
        true
    }
}
