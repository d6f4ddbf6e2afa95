//! Links between actors.
//!
//! A [`Transport`] carries deliveries in order, and holds them for an actor that is away until it is back. What goes
//! from party to party is encoded, so that a link between hosts carries the same bytes as one inside a process.
//!
//! Where each organisation has a host of its own, [`ways`] says what leaves it: letters of its party, and what that reports,
//! which the coordinator of every host hears. Coordinator and settlement of a host speak to its own party alone.

use crate::message::{Address, Letter, Message, Parcel};
use actix::Recipient;
use primitives::{CodecError, Decode, Encode, PartyId};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Most deliveries that wait for an actor that is away. What actors tell each other in an epoch is far less; what comes
/// from outside is refused beyond it.
pub const MAX_WAITING: usize = 1 << 12;
/// Most letters of one party that wait in another's mailbox. Parties go on step by step, and hear from each other in each
/// step of each shard: an honest one is never this far ahead. What comes beyond is dropped, so that no party can fill the
/// memory of another.
pub const MAX_LETTERS: usize = 1 << 14;
/// Most bytes of them: several times what a party says in one step of the largest shards.
pub const MAX_LETTER_BYTES: usize = 1 << 28;

/// What an actor's mailbox takes.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub struct Delivery {
    /// From whom.
    pub from: Address,
    /// What.
    pub content: Content,
    /// The place that it takes up among those of its sender, until it is handled.
    room: Option<Room>,
}

impl Delivery {
    fn new(from: Address, content: Content) -> Self {
        Self { from, content, room: None }
    }
}

/// What waits to be handled of one sender.
#[derive(Default)]
struct Waiting {
    letters: AtomicUsize,
    bytes: AtomicUsize,
}

/// A letter's place in a mailbox. Given up when the letter is handled, or dropped.
struct Room {
    of: Arc<Waiting>,
    bytes: usize,
}

impl Room {
    /// A place for so many bytes, if there is one.
    fn take(of: &Arc<Waiting>, bytes: usize) -> Option<Self> {
        let letters = of.letters.fetch_add(1, Ordering::Relaxed);
        let before = of.bytes.fetch_add(bytes, Ordering::Relaxed);
        let room = Self { of: of.clone(), bytes };
        (letters < MAX_LETTERS && before.saturating_add(bytes) <= MAX_LETTER_BYTES).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.letters.fetch_sub(1, Ordering::Relaxed);
        self.of.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What is delivered.
pub enum Content {
    /// A message inside one organisation.
    Local(Message),
    /// A message from party to party, as bytes.
    Wire(Vec<u8>),
    /// The last delivery before the actor stops. For whoever runs the system.
    Stop,
}

impl Content {
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

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Ways {
    /// To an actor of the same host.
    pub here: bool,
    /// To other hosts, each by the address of its party.
    pub abroad: Vec<Address>,
}

/// Where a message goes that an actor sends on the host of party `own`, where each party has a host.
pub fn ways(own: Address, from: Address, to: Address, message: &Message) -> Ways {
    let parties = PartyId::ALL.map(Address::Party);
    let hosts = || parties.into_iter().chain([Address::Standby]).filter(move |host| *host != own);
    match (to, message) {
        (Address::Coordinator, Message::Report(_)) if from == own => {
            Ways { here: true, abroad: hosts().collect() }
        }
        (Address::Party(_) | Address::Standby, Message::Peer(_)) if to != own => {
            Ways { here: false, abroad: vec![to] }
        }
        (Address::Party(_) | Address::Standby, _) => Ways { here: to == own, abroad: Vec::new() },
        (Address::Intake(party) | Address::Verifier(party), _) => {
            Ways { here: Address::Party(party) == own, abroad: Vec::new() }
        }
        _ => Ways { here: true, abroad: Vec::new() },
    }
}

/// Carries what leaves a host.
pub trait Exterior: Send + Sync {
    /// Takes something for another host. It gets there, however long that takes, or the exterior says to its owner why not.
    fn carry(&self, to: Address, parcel: Parcel);
}

/// The transport inside one process: a switchboard of mailboxes, and a way out if the process is one of several hosts.
#[derive(Default)]
pub struct Switchboard {
    lines: Mutex<BTreeMap<Address, Line>>,
    abroad: Option<(Address, Arc<dyn Exterior>)>,
    /// Letters that wait, by sender and receiver.
    waiting: Mutex<BTreeMap<(Address, Address), Arc<Waiting>>>,
}

#[derive(Default)]
struct Line {
    mailbox: Option<Recipient<Delivery>>,
    waiting: VecDeque<Delivery>,
}

impl Switchboard {
    /// The switchboard of the host of party `own`.
    pub fn with_exterior(own: Address, exterior: Arc<dyn Exterior>) -> Self {
        Self { abroad: Some((own, exterior)), ..Self::default() }
    }

    /// The address of the party whose host this is.
    ///
    /// # Panics
    /// If all parties are in this process.
    pub fn own(&self) -> Address {
        self.abroad.as_ref().expect("it is the switchboard of one host of several").0
    }

    fn waiting_of(&self, from: Address, to: Address) -> Arc<Waiting> {
        let mut waiting = self.waiting.lock().expect("no actor panics while it counts letters");
        waiting.entry((from, to)).or_default().clone()
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<Address, Line>> {
        self.lines.lock().expect("no actor panics while it holds the switchboard")
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
            mailbox.do_send(Delivery::new(Address::Outside, Content::Stop));
        }
    }
}

impl Switchboard {
    /// Takes what came from another host, `bytes` long, and was decoded at the door: it takes up room among what waits of that host. `false` if there is
    /// none.
    #[must_use]
    pub fn deliver(&self, from: Address, to: Address, message: Message, bytes: usize) -> bool {
        let Some(room) = Room::take(&self.waiting_of(from, to), bytes) else { return false };
        self.put(to, Delivery { from, content: Content::Local(message), room: Some(room) })
    }

    /// Puts a delivery into a mailbox, or keeps it for an actor that is away.
    fn put(&self, to: Address, delivery: Delivery) -> bool {
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

impl Transport for Switchboard {
    fn send(&self, from: Address, to: Address, message: Message) -> bool {
        if let Some((own, exterior)) = &self.abroad {
            let Ways { here, abroad } = ways(*own, from, to, &message);
            let parcel = match &message {
                Message::Peer(letter) => Some(Parcel::Letter(letter.clone())),
                Message::Report(report) => Some(Parcel::Report(report.clone())),
                _ => None,
            };
            if let (Some(parcel), false) = (parcel, abroad.is_empty()) {
                abroad.into_iter().for_each(|host| exterior.carry(host, parcel.clone()));
            }
            if !here {
                return true;
            }
        }
        let mut delivery = Delivery::new(from, Content::pack(message));
        if let Content::Wire(bytes) = &delivery.content {
            match Room::take(&self.waiting_of(from, to), bytes.len()) {
                Some(room) => delivery.room = Some(room),
                None => return false,
            }
        }
        self.put(to, delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::PeerMessage;
    use primitives::ShardIndex;

    #[test]
    fn what_waits_of_one_sender_is_bounded_and_room_comes_back() {
        let of = Arc::new(Waiting::default());
        let half = MAX_LETTER_BYTES / 2;
        let (one, two) = (Room::take(&of, half), Room::take(&of, half));
        assert!(one.is_some() && two.is_some());
        assert!(Room::take(&of, 1).is_none(), "no more bytes");
        drop(one);
        let rooms: Vec<_> = (0..MAX_LETTERS).map(|_| Room::take(&of, 0)).collect();
        assert_eq!(
            rooms.iter().filter(|room| room.is_some()).count(),
            MAX_LETTERS - 1,
            "one is there already"
        );
        drop((two, rooms));
        assert_eq!((of.letters.load(Ordering::Relaxed), of.bytes.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn a_party_that_floods_another_is_not_taken_any_more_and_takes_no_room_from_others() {
        let [one, two, three] = PartyId::ALL.map(Address::Party);
        let board = Switchboard::default();
        // Whoever is away keeps fewer than a mailbox holds: this one is full of letters that wait to be handled.
        let full: Vec<_> = (0..MAX_LETTERS).map(|_| Room::take(&board.waiting_of(one, three), 0)).collect();
        let here = || {
            Message::Peer(Letter {
                shard: ShardIndex(0),
                sitting: crate::message::Sitting::default(),
                message: PeerMessage::Here,
            })
        };
        assert!(!board.send(one, three, here()));
        assert!(board.send(two, three, here()));
        drop(full);
        assert!(board.send(one, three, here()));
    }
}
