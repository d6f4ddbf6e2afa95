//! One party's side of a computation in rounds.
//!
//! A protocol is an `async` function over a [`Session`]: each `.await` waits for a neighbour's message and for nothing
//! else. [`Computation`] runs it without a runtime, by hand: whoever carries messages gives it what came and is given
//! what to send. So protocols read from top to bottom, and are as pure as a function from messages to messages.

use crate::{
    prss::{Prss, Streams},
    step::{Name, Step},
};
use body::Carried;
use primitives::{CodecError, Decode, Encode, PartyId, Reader, Writer};
use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

mod abort;
mod attest;
pub(crate) mod body;

pub use abort::Abort;
pub use attest::{Attest, barrier_digest};

/// Most messages of one neighbour that wait. An honest one is at most two rounds ahead.
pub const MAX_AHEAD: usize = 4;
/// Longest body of a message in bytes. The longest that a round has are the checks of a lane's inputs.
pub const MAX_BODY: usize = 1 << 24;

/// What a party sends to a neighbour in a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Round.
    pub step: Step,
    /// Numbers, bits and elements, as many bytes as the round has.
    pub body: Vec<u8>,
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer) {
        self.step.encode(w);
        w.bytes(&self.body);
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let step = Step::decode(r)?;
        Ok(Self { step, body: r.bytes(MAX_BODY)?.to_vec() })
    }
}

#[derive(Default)]
struct Mail {
    came: BTreeMap<PartyId, VecDeque<Message>>,
    sent: Vec<(PartyId, Message)>,
}

fn open(mail: &Mutex<Mail>) -> MutexGuard<'_, Mail> {
    mail.lock().expect("nobody panics while holding the mail")
}

/// A party in a computation: its randomness, its signature key, and its neighbours. Several protocols may run in one
/// session, one after the other.
pub struct Session {
    prss: Prss,
    attest: Box<dyn Attest>,
    mail: Arc<Mutex<Mail>>,
    steps: BTreeMap<Name, u16>,
}

impl Session {
    /// Whose side this is.
    pub fn party(&self) -> PartyId {
        self.prss.party()
    }

    /// The next round of a name.
    pub(crate) fn step(&mut self, name: Name) -> Step {
        let number = self.steps.entry(name).or_default();
        let step = Step::new(name, *number);
        *number += 1;
        step
    }

    /// The last round of a name.
    pub(crate) fn last(&self, name: Name) -> Step {
        Step::new(name, self.steps.get(&name).map_or(0, |next| next - 1))
    }

    /// The streams of a round.
    pub(crate) fn streams(&mut self, step: Step) -> Result<Streams, Abort> {
        Ok(self.prss.draw(step)?)
    }

    /// Randomness for a round without messages.
    pub(crate) fn draw(&mut self, name: Name) -> Result<Streams, Abort> {
        let step = self.step(name);
        self.streams(step)
    }

    fn send(&mut self, to: PartyId, step: Step, body: Vec<u8>) {
        open(&self.mail).sent.push((to, Message { step, body }));
    }

    async fn receive(&mut self, from: PartyId, step: Step, expected: usize) -> Result<Vec<u8>, Abort> {
        let next = poll_fn(|_: &mut Context<'_>| {
            let message = open(&self.mail).came.get_mut(&from).and_then(VecDeque::pop_front);
            message.map_or(Poll::Pending, Poll::Ready)
        });
        let Message { step: found, body } = next.await;
        if found != step {
            return Err(Abort::Step { from, expected: step, found });
        }
        if body.len() != expected {
            return Err(Abort::Length { from, step, expected, found: body.len() });
        }
        Ok(body)
    }

    /// Sends a body to the party before, which holds second copies of this party's shares, and gives the one of as many
    /// bytes that comes from the party after.
    pub(crate) async fn pass(&mut self, step: Step, body: Vec<u8>) -> Result<Vec<u8>, Abort> {
        let expected = body.len();
        self.send(self.party().previous(), step, body);
        self.receive(self.party().next(), step, expected).await
    }

    /// The values of a body that `from` sent.
    pub(crate) fn read<T: Carried>(&self, from: PartyId, step: Step, body: &[u8]) -> Result<Vec<T>, Abort> {
        body::read(body).ok_or(Abort::Encoding { from, step })
    }

    /// Opens shares: each party is shown those that it lacks by both others, and compares. Gives those that it lacked.
    pub(crate) async fn show<T: Carried>(
        &mut self,
        name: Name,
        own: &[T],
        next: &[T],
    ) -> Result<Vec<T>, Abort> {
        let step = self.step(name);
        let neighbours = [self.party().next(), self.party().previous()];
        let length = own.len() * T::BYTES;
        for (to, shares) in neighbours.into_iter().zip([own, next]) {
            self.send(to, step, body::write(shares));
        }
        let mut copies = Vec::with_capacity(2);
        for from in neighbours {
            let body = self.receive(from, step, length).await?;
            copies.push(self.read(from, step, &body)?);
        }
        let copy = copies.swap_remove(1);
        if copies[0] == copy { Ok(copy) } else { Err(Abort::Copies { step }) }
    }

    /// Waits until both others have come as far: whoever has not sent everything yet learns nothing of what is opened
    /// next. Each signs that it has, so that nobody can later say that it was not asked.
    pub(crate) async fn barrier(&mut self) -> Result<(), Abort> {
        let step = self.step(Name::Barrier);
        let digest = |party| barrier_digest(self.prss.session(), step, party);
        let signature = self.attest.sign(&digest(self.party()));
        let neighbours = [self.party().next(), self.party().previous()];
        let expected = neighbours.map(|party| (party, digest(party)));
        for neighbour in neighbours {
            self.send(neighbour, step, signature.to_vec());
        }
        for (from, digest) in expected {
            let body = self.receive(from, step, signature.len()).await?;
            let signature = body.as_slice().try_into().expect("its length was compared");
            if !self.attest.verify(from, &digest, signature) {
                return Err(Abort::Barrier { from, step });
            }
        }
        Ok(())
    }
}

/// What a step of a computation comes to: messages to send, and the outcome once there is one.
pub struct Progress<T> {
    /// Messages, in the order in which they are to be sent.
    pub send: Vec<(PartyId, Message)>,
    /// The outcome.
    pub outcome: Option<T>,
}

/// A protocol under way.
pub struct Computation<T> {
    party: PartyId,
    mail: Arc<Mutex<Mail>>,
    protocol: Pin<Box<dyn Future<Output = Result<T, Abort>> + Send>>,
}

impl<T> Computation<T> {
    /// Begins a protocol: `|mut session| async move { threshold(&mut session, cells, k).await }`.
    ///
    /// # Errors
    /// If the protocol stops before it waits for anybody.
    pub fn start<F>(
        prss: Prss,
        attest: Box<dyn Attest>,
        protocol: impl FnOnce(Session) -> F,
    ) -> Result<(Self, Progress<T>), Abort>
    where
        F: Future<Output = Result<T, Abort>> + Send + 'static,
    {
        let (party, mail) = (prss.party(), Arc::<Mutex<Mail>>::default());
        let session = Session { prss, attest, mail: mail.clone(), steps: BTreeMap::new() };
        let mut computation = Self { party, mail, protocol: Box::pin(protocol(session)) };
        let progress = computation.go_on()?;
        Ok((computation, progress))
    }

    /// A neighbour's message has come. After an outcome or an error no further message may be given.
    ///
    /// # Errors
    /// If somebody does not keep to the protocol.
    pub fn receive(&mut self, from: PartyId, message: Message) -> Result<Progress<T>, Abort> {
        if from == self.party {
            return Err(Abort::Own);
        }
        {
            let mut mail = open(&self.mail);
            let queue = mail.came.entry(from).or_default();
            if queue.len() == MAX_AHEAD {
                return Err(Abort::Ahead { from });
            }
            queue.push_back(message);
        }
        self.go_on()
    }

    fn go_on(&mut self) -> Result<Progress<T>, Abort> {
        let outcome = match self.protocol.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome?),
            Poll::Pending => None,
        };
        Ok(Progress { send: std::mem::take(&mut open(&self.mail).sent), outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_one_encoding() {
        for (number, name) in Name::ALL.iter().enumerate() {
            let message = Message { step: Step::new(*name, 7), body: vec![1, 2, 3] };
            let bytes = message.to_bytes();
            assert_eq!(Message::from_bytes(&bytes).as_ref(), Ok(&message));
            assert_eq!(usize::from(bytes[0]), number);
            assert!(Message::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        }
        let unknown = [Name::ALL.len() as u8, 0, 0, 0, 0, 0, 0];
        assert_eq!(Message::from_bytes(&unknown), Err(CodecError::Invalid { what: "name of a round" }));
        let long = [&[0, 0, 0][..], &(MAX_BODY as u32 + 1).to_le_bytes()].concat();
        assert_eq!(
            Message::from_bytes(&long),
            Err(CodecError::TooLong { count: MAX_BODY + 1, limit: MAX_BODY })
        );
    }
}
