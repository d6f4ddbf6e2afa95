//! One party's side of a computation in rounds.
//!
//! A protocol is an `async` function over a [`Session`]: each `.await` waits for a neighbour's message and for nothing
//! else. [`Computation`] runs it without a runtime, by hand: whoever carries messages gives it what came and is given
//! what to send. So protocols read from top to bottom, and are as pure as a function from messages to messages.

use crate::{
    prss::{Prss, Reused, Streams},
    replicated::Share,
    step::{Name, Step},
};
use primitives::{
    CodecError, Decode, Encode, PartyId, Reader, Writer,
    field::{Plain, Residue},
};
use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};
use thiserror::Error;

/// Most messages of one neighbour that wait. An honest one is at most two rounds ahead.
pub const MAX_AHEAD: usize = 4;
/// Most numbers of one message.
pub const MAX_VALUES: usize = 1 << 20;

/// Why a computation stops. Nothing was opened that depends on what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Abort {
    /// A message is of another round than the one that is waited for.
    #[error("party {from} is at {found} where {expected} was to come")]
    Step {
        /// Who sent it.
        from: PartyId,
        /// Which round was waited for.
        expected: Step,
        /// Which came.
        found: Step,
    },
    /// A message has another number of values than its round has.
    #[error("party {from} sent {found} values at {step}, not {expected}")]
    Length {
        /// Who sent it.
        from: PartyId,
        /// Round.
        step: Step,
        /// How many there should be.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A party sends on although nobody answers.
    #[error("party {from} sent more than {MAX_AHEAD} messages ahead")]
    Ahead {
        /// Who.
        from: PartyId,
    },
    /// A message came from the party itself.
    #[error("a message came from the party itself")]
    Own,
    /// Two parties show different copies of the same share: one of the two lies, and nobody else knows which.
    #[error("the others show different copies of a share at {step}")]
    Copies {
        /// Round.
        step: Step,
    },
    /// A check failed: some party sent something else than it computed.
    #[error("a product was tampered with before {step}")]
    Product {
        /// The round in which it came out.
        step: Step,
    },
    /// Randomness would have been used twice.
    #[error(transparent)]
    Reused(#[from] Reused),
}

impl Abort {
    /// Whom it is the fault of, if that is known.
    pub fn culprit(&self) -> Option<PartyId> {
        match self {
            Self::Step { from, .. } | Self::Length { from, .. } | Self::Ahead { from } => Some(*from),
            _ => None,
        }
    }
}

/// What a party sends to a neighbour in a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Round.
    pub step: Step,
    /// Numbers, as many as the round has.
    pub values: Vec<Residue>,
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer) {
        self.step.encode(w);
        w.count(self.values.len());
        self.values.iter().for_each(|value| Plain::from(*value).encode(w));
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let step = Step::decode(r)?;
        let count = r.count(MAX_VALUES)?;
        let values = (0..count).map(|_| Plain::decode(r).map(Residue::from)).collect::<Result<_, _>>()?;
        Ok(Self { step, values })
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

/// A party in a computation: its randomness, and its neighbours.
pub struct Session {
    prss: Prss,
    mail: Arc<Mutex<Mail>>,
    steps: BTreeMap<Name, u16>,
}

impl Session {
    /// Whose side this is.
    pub fn party(&self) -> PartyId {
        self.prss.party()
    }

    /// The next round of a name.
    fn step(&mut self, name: Name) -> Step {
        let number = self.steps.entry(name).or_default();
        let step = Step::new(name, *number);
        *number += 1;
        step
    }

    /// The last round of a name.
    pub(crate) fn last(&self, name: Name) -> Step {
        Step::new(name, self.steps.get(&name).map_or(0, |next| next - 1))
    }

    /// Randomness for a round without messages.
    pub(crate) fn draw(&mut self, name: Name) -> Result<Streams, Abort> {
        let step = self.step(name);
        Ok(self.prss.draw(step)?)
    }

    fn send(&self, to: PartyId, step: Step, values: Vec<Residue>) {
        open(&self.mail).sent.push((to, Message { step, values }));
    }

    async fn receive(&self, from: PartyId, step: Step, expected: usize) -> Result<Vec<Residue>, Abort> {
        let next = poll_fn(|_: &mut Context<'_>| {
            let message = open(&self.mail).came.get_mut(&from).and_then(VecDeque::pop_front);
            message.map_or(Poll::Pending, Poll::Ready)
        });
        let Message { step: found, values } = next.await;
        if found != step {
            return Err(Abort::Step { from, expected: step, found });
        }
        if values.len() != expected {
            return Err(Abort::Length { from, step, expected, found: values.len() });
        }
        Ok(values)
    }

    /// Multiplies as many pairs as are given, in one round (Araki et al. 2016, section 3.2). A party that cheats adds a
    /// number of its choice to a product, and can do nothing else (Chida et al. 2018, section 3).
    pub(crate) async fn multiply(
        &mut self,
        name: Name,
        pairs: impl Iterator<Item = (Share, Share)>,
    ) -> Result<Vec<Share>, Abort> {
        let step = self.step(name);
        let mut streams = self.prss.draw(step)?;
        let own: Vec<_> = pairs.map(|(a, b)| a.product_part(b) + streams.zero()).collect();
        self.send(self.party().previous(), step, own.clone());
        let next = self.receive(self.party().next(), step, own.len()).await?;
        Ok(own.into_iter().zip(next).map(|(own, next)| Share { own, next }).collect())
    }

    /// Opens numbers: each party is shown the share that it lacks by both others, and compares.
    pub(crate) async fn open(&mut self, name: Name, shares: &[Share]) -> Result<Vec<Residue>, Abort> {
        let step = self.step(name);
        let (next, previous) = (self.party().next(), self.party().previous());
        self.send(next, step, shares.iter().map(|share| share.own).collect());
        self.send(previous, step, shares.iter().map(|share| share.next).collect());
        let lacking = self.receive(next, step, shares.len()).await?;
        let copy = self.receive(previous, step, shares.len()).await?;
        if lacking != copy {
            return Err(Abort::Copies { step });
        }
        Ok(shares.iter().zip(lacking).map(|(share, third)| share.own + share.next + third).collect())
    }

    /// Opens one number.
    pub(crate) async fn open_one(&mut self, name: Name, share: Share) -> Result<Residue, Abort> {
        Ok(self.open(name, &[share]).await?.swap_remove(0))
    }

    /// Waits until both others have come as far: whoever has not sent everything yet learns nothing of what is opened
    /// next.
    pub(crate) async fn barrier(&mut self) -> Result<(), Abort> {
        let step = self.step(Name::Barrier);
        for neighbour in [self.party().next(), self.party().previous()] {
            self.send(neighbour, step, Vec::new());
        }
        for neighbour in [self.party().next(), self.party().previous()] {
            self.receive(neighbour, step, 0).await?;
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
    /// Begins a protocol.
    ///
    /// # Errors
    /// If the protocol stops before it waits for anybody.
    pub fn start<F>(prss: Prss, protocol: impl FnOnce(Session) -> F) -> Result<(Self, Progress<T>), Abort>
    where
        F: Future<Output = Result<T, Abort>> + Send + 'static,
    {
        let (party, mail) = (prss.party(), Arc::<Mutex<Mail>>::default());
        let session = Session { prss, mail: mail.clone(), steps: BTreeMap::new() };
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
