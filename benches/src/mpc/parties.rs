//! Three parties on shares of cells, by turns on one thread or on a thread each.

use ::mpc::{
    prss::{Prss, PrssKey},
    replicated::Share,
    session::{Abort, Attest, Computation, Message, Session},
    step::Name,
};
use primitives::{
    Digest, PartyId,
    field::{Plain, Residue},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::mpsc,
    thread,
};

/// Bytes of a number.
const NUMBER: usize = 32;

/// What one party sends in the rounds of one name: how many rounds, and how many bytes.
pub(super) type Traffic = BTreeMap<Name, (usize, usize)>;

/// Signs nothing: two signatures for every lane and party are nothing beside the rest.
struct Unsigned;

impl Attest for Unsigned {
    fn sign(&self, _: &Digest) -> [u8; 64] {
        [0; 64]
    }

    fn verify(&self, _: PartyId, _: &Digest, _: &[u8; 64]) -> bool {
        true
    }
}

/// Shares of cells, and the keys of three parties.
pub(super) struct Cells {
    shares: [Vec<Share>; 3],
    keys: [PrssKey; 3],
}

fn number(rng: &mut ChaCha20Rng) -> Residue {
    let mut bytes = [0; NUMBER];
    rng.fill_bytes(&mut bytes);
    Plain::from_252_bits(&bytes).into()
}

impl Cells {
    /// Cells of which a limb, at its lowest bit, is 0 to 9 in turn.
    pub(super) fn new(count: usize, limb: u32) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(count as u64);
        let limb = (0..limb).fold(Residue::ONE, |power, _| power + power);
        let mut shares = [(); 3].map(|()| Vec::with_capacity(count));
        for at in 0..count as u64 {
            let cell = limb * Residue::from(at % 10) + Residue::from(at);
            let (first, second) = (number(&mut rng), number(&mut rng));
            let parts = [first, second, cell - first - second];
            for party in PartyId::ALL {
                let (own, next) = (parts[party.index()], parts[party.next().index()]);
                shares[party.index()].push(Share { own, next });
            }
        }
        Self { shares, keys: [(); 3].map(|()| PrssKey::generate(&mut rng)) }
    }

    /// A party begins.
    fn start<T, F>(
        &self,
        party: PartyId,
        protocol: impl FnOnce(Session, Vec<Share>) -> F,
    ) -> (Computation<T>, Vec<(PartyId, Message)>)
    where
        F: Future<Output = Result<T, Abort>> + Send + 'static,
    {
        let keys = [party, party.next()].map(|key| self.keys[key.index()].clone());
        let cells = self.shares[party.index()].clone();
        let prss = Prss::new(party, keys, Digest([1; 32]));
        let started = Computation::start(prss, Box::new(Unsigned), |session| protocol(session, cells));
        let (computation, progress) = started.expect("fresh randomness");
        (computation, progress.send)
    }

    /// All three parties by turns on this thread. Gives the outcome, and what one party sent.
    pub(super) fn by_turns<T, F>(&self, protocol: impl Fn(Session, Vec<Share>) -> F) -> (T, Traffic)
    where
        F: Future<Output = Result<T, Abort>> + Send + 'static,
    {
        let (mut mail, mut traffic, mut outcome) = (VecDeque::new(), Traffic::new(), None);
        let mut parties = PartyId::ALL.map(|party| {
            let (computation, send) = self.start(party, &protocol);
            mail.extend(send.into_iter().map(|(to, message)| (party, to, message)));
            computation
        });
        let [one, ..] = PartyId::ALL;
        while let Some((from, to, message)) = mail.pop_front() {
            if from == one {
                let (rounds, bytes) = traffic.entry(message.step.name).or_default();
                // Rounds in which both neighbours are sent something count once.
                *rounds += usize::from(to == one.previous());
                *bytes += message.body.len();
            }
            let progress = parties[to.index()].receive(from, message).expect("honest parties");
            mail.extend(progress.send.into_iter().map(|(next, message)| (to, next, message)));
            outcome = progress.outcome.or(outcome);
        }
        (outcome.expect("an outcome"), traffic)
    }

    /// All three parties, each on a thread.
    pub(super) fn on_threads<T, F>(&self, protocol: impl Fn(Session, Vec<Share>) -> F + Sync)
    where
        F: Future<Output = Result<T, Abort>> + Send + 'static,
    {
        let mut inboxes = Vec::new();
        let mail = PartyId::ALL.map(|party| {
            let (sender, inbox) = mpsc::channel();
            inboxes.push((party, inbox));
            sender
        });
        thread::scope(|scope| {
            for (party, inbox) in inboxes {
                let (mail, protocol) = (mail.clone(), &protocol);
                scope.spawn(move || {
                    let (mut computation, mut send) = self.start(party, protocol);
                    let mut done = false;
                    while !done {
                        for (to, message) in send.drain(..) {
                            // Who has its outcome listens no more.
                            let _ = mail[to.index()].send((party, message));
                        }
                        let (from, message) = inbox.recv().expect("the others have not ended");
                        let progress = computation.receive(from, message).expect("honest parties");
                        (done, send) = (progress.outcome.is_some(), progress.send);
                    }
                });
            }
        });
    }
}
