//! The sequencer: which transaction comes when (chain spec 4, "Receive transactions from users and nodes. Order and
//! include them into L2 blocks. Provide fast 'soft' confirmation.").
//!
//! A core without clock, disk or socket: [`Sequencer::submit`], [`Sequencer::turn`] and [`Sequencer::tick`] take what
//! happened and the time, and give [`Effect`]s that the shell carries out in their order.
//!
//! # The ordering rule
//!
//! - Priority operations of L1 come before everything else that is there, in the order of their numbers.
//! - Transactions that an account signs come in the order of their arrival, among those whose nonce is the account's
//!   next. One with a later nonce waits, and comes as soon as the one before it is taken.
//! - Transactions that no account signs come in the order of their arrival, one after each round of the others.
//!
//! Fees are fixed and taken by the ledger, so there is nothing to bid for a better place.
//!
//! # What a confirmation is worth
//!
//! A transaction is applied to the block in hand when its turn comes, so a confirmed one stands in the next block at the
//! place that the confirmation names. The shell writes it to a journal before it hands the confirmation out, and a
//! sequencer that comes back takes everything in the journal again, in the same places, before anything new. It can
//! still lie: two contradictory signatures are [`Evidence`].

mod effect;
mod evidence;
mod limits;
mod line;
mod mempool;
mod refusal;
mod seal;

pub use effect::{Answer, Effect, Taken};
pub use evidence::{Evidence, NoEvidence};
pub use limits::{
    Limits, LimitsError, MAX_AHEAD, MAX_LONG_BYTES, MAX_PRIORITIES, MAX_REPLACEMENTS, MAX_SIGNED_BYTES,
    PATIENCE,
};
pub use line::Priority;
pub use refusal::{Refusal, RestoreError};
pub use seal::{Author, BlockError, Confirmation, MAX_BLOCK_AHEAD, Promise, Seal, SealedBlock};

use crate::{
    Ledger, Transaction,
    ledger::TxError,
    transaction::{Authorisation, EnvelopeError},
};
use line::{OpenLine, Priorities};
use mempool::{Checked, Mempool};
use primitives::{Digest, Encode, Time};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeMap;

/// The sequencer.
pub struct Sequencer {
    ledger: Ledger,
    author: Author,
    limits: Limits,
    mempool: Mempool,
    open: OpenLine,
    priorities: Priorities,
    /// Confirmations of the block in hand.
    confirmed: BTreeMap<Digest, Confirmation>,
    /// When the block in hand is due, by our clock: set with its first transaction.
    due: Option<Time>,
    /// When the last block was made, by our clock.
    last: Option<Time>,
    /// The ledger after the last block, until somebody takes it.
    sealed: Option<Ledger>,
    effects: Vec<Effect>,
}

impl Sequencer {
    /// A sequencer on a ledger without pending transactions. The priority operation `next_priority` is the next.
    ///
    /// Errors: [`LimitsError`].
    pub fn new(
        ledger: Ledger,
        author: Author,
        limits: Limits,
        next_priority: u64,
    ) -> Result<Self, LimitsError> {
        limits.check()?;
        Ok(Self {
            ledger,
            author,
            limits,
            mempool: Mempool::default(),
            open: OpenLine::default(),
            priorities: Priorities::from(next_priority),
            confirmed: BTreeMap::new(),
            due: None,
            last: None,
            sealed: None,
            effects: Vec::new(),
        })
    }

    /// Takes what was written down before a crash, in its places, before anything new. Its block is due from now, whatever
    /// the clock said when it was written down.
    ///
    /// Errors: [`RestoreError`]; what was written down is then of another chain, or was changed.
    pub fn restore(
        &mut self,
        now: Time,
        taken: Vec<Taken>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Effect>, RestoreError> {
        for Taken { height, time, position, transaction } in taken {
            let (next, place) = (self.ledger.height() + 1, self.ledger.pending().len() as u32);
            if (height, position) != (next, place) {
                let (expected, found) = ((next, place), (height, position));
                return Err(RestoreError::Place { expected, found });
            }
            self.ledger.begin(time);
            if self.ledger.now() != time {
                return Err(RestoreError::Time { height, expected: self.ledger.now(), found: time });
            }
            let applied = self.ledger.apply(&transaction);
            applied.map_err(|error| RestoreError::Refused { height, position, error })?;
            self.due.get_or_insert(now.after(self.limits.interval));
            self.confirm(transaction.id(), rng);
        }
        Ok(std::mem::take(&mut self.effects))
    }

    /// The ledger with the block in hand.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger after the last block, without what came since; `None` if no block was made since this was asked.
    pub fn sealed(&mut self) -> Option<Ledger> {
        self.sealed.take()
    }

    /// Whether transactions that no account signs stand in line.
    pub fn has_line(&self) -> bool {
        !self.open.is_empty()
    }

    /// How many transactions wait for earlier ones.
    pub fn waiting(&self) -> usize {
        self.mempool.len()
    }

    /// A transaction came.
    pub fn submit(
        &mut self,
        now: Time,
        transaction: Transaction,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Vec<Effect> {
        let id = transaction.id();
        if let Err(refusal) = self.arrive(now, id, transaction, rng) {
            self.tell(id, Answer::Refused(refusal));
        }
        std::mem::take(&mut self.effects)
    }

    /// A priority operation came.
    pub fn prioritise(
        &mut self,
        now: Time,
        priority: Priority,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Vec<Effect> {
        let id = priority.transaction.id();
        if let Err(refusal) = self.priorities.push(priority) {
            self.tell(id, Answer::Refused(refusal));
        }
        while let Some(Priority { transaction, deadline, .. }) = self.priorities.pop() {
            // One that the ledger refuses is told so and passed over: it must not keep the later ones waiting.
            self.take_or_tell(now, transaction, rng);
            self.due = self.due.map(|due| due.min(deadline));
        }
        self.tick(now, rng)
    }

    /// Takes one of the transactions that no account signs, if one is there: after each round of the others.
    pub fn turn(&mut self, now: Time, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        if let Some((_, transaction)) = self.open.pop() {
            self.take_or_tell(now, transaction, rng);
        }
        std::mem::take(&mut self.effects)
    }

    /// Time went on.
    pub fn tick(&mut self, now: Time, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        for id in self.mempool.expire(now) {
            self.tell(id, Answer::Refused(Refusal::Expired { patience: PATIENCE }));
        }
        // A clock that went back must not keep a block waiting until it is there again.
        let last = *self.last.insert(self.last.map_or(now, |last| last.min(now)));
        self.due = self.due.map(|due| due.min(now.after(self.limits.interval)));
        let due = match self.due {
            Some(due) => due <= now,
            None => last.after(self.limits.heartbeat) <= now && self.check_author().is_ok(),
        };
        if due {
            self.ledger.begin(now);
            self.seal(now, rng);
        }
        std::mem::take(&mut self.effects)
    }

    /// Ends the block in hand, if it has transactions.
    pub fn finish(&mut self, now: Time, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        if !self.ledger.pending().is_empty() {
            self.seal(now, rng);
        }
        std::mem::take(&mut self.effects)
    }

    fn tell(&mut self, transaction: Digest, answer: Answer) {
        self.effects.push(Effect::Tell { transaction, answer });
    }

    fn arrive(
        &mut self,
        now: Time,
        id: Digest,
        transaction: Transaction,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), Refusal> {
        if let Some(confirmation) = self.confirmed.get(&id) {
            let answer = Answer::Confirmed(*confirmation);
            self.tell(id, answer);
            return Ok(());
        }
        if let Some((signer, nonce)) = self.mempool.find(&id) {
            let next = self.ledger.nonce(&signer).unwrap_or(nonce);
            self.tell(id, Answer::Waits { signer, nonce, next });
            return Ok(());
        }
        if self.open.has(&id) {
            // It is told when its turn comes.
            return Ok(());
        }
        let bytes = transaction.to_bytes().len();
        let Some(&Authorisation { signer, nonce, .. }) = transaction.authorisation.as_ref() else {
            if transaction.payload.needs_account() {
                return Err(TxError::from(EnvelopeError::Unsigned).into());
            }
            return self.open.push(&self.limits, id, transaction, bytes);
        };
        let limit = limits::longest(&transaction.payload);
        if bytes > limit {
            return Err(Refusal::TooLong { bytes, limit });
        }
        match self.ledger.nonce(&signer) {
            // The ledger judges it at once.
            next if next.is_none_or(|next| nonce <= next) => self.take(now, id, transaction, rng)?,
            _ => {
                let ahead = self.ledger.check_ahead(&transaction).map_err(TxError::from)?;
                let next = nonce - ahead;
                let new = Checked { transaction, id, bytes, signer, nonce, next };
                let replaced = self.mempool.insert(&self.limits, now, new)?;
                if let Some(old) = replaced {
                    self.tell(old, Answer::Refused(Refusal::Replaced { by: id }));
                }
                self.tell(id, Answer::Waits { signer, nonce, next });
            }
        }
        Ok(())
    }

    fn take_or_tell(&mut self, now: Time, transaction: Transaction, rng: &mut (impl RngCore + CryptoRng)) {
        let id = transaction.id();
        if let Err(refusal) = self.take(now, id, transaction, rng) {
            self.tell(id, Answer::Refused(refusal));
        }
    }

    /// Gives a transaction its place in the block in hand, and after it those that waited for it.
    fn take(
        &mut self,
        now: Time,
        id: Digest,
        transaction: Transaction,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), Refusal> {
        let signer = transaction.authorisation.as_ref().map(|authorisation| authorisation.signer);
        self.place(now, id, transaction, rng)?;
        while let Some(signer) = signer {
            let Some(nonce) = self.ledger.nonce(&signer) else { break };
            let Some(next) = self.mempool.take(signer, nonce) else { break };
            let id = next.id();
            if let Err(refusal) = self.place(now, id, next, rng) {
                self.tell(id, Answer::Refused(refusal));
            }
        }
        Ok(())
    }

    fn place(
        &mut self,
        now: Time,
        id: Digest,
        transaction: Transaction,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), Refusal> {
        let bytes = transaction.to_bytes().len();
        if !self.ledger.pending().is_empty() && self.ledger.pending_bytes() + bytes > self.limits.block_bytes
        {
            self.seal(now, rng);
        }
        if self.ledger.pending().is_empty() {
            // Whoever holds the office in the state before a block may seal it, whatever the block does.
            self.check_author()?;
            self.ledger.begin(now);
        }
        self.ledger.apply(&transaction)?;
        self.due.get_or_insert(now.after(self.limits.interval));
        let promise = self.confirm(id, rng);
        let Promise { height, position, time, .. } = promise;
        // Before the answer: nobody is told of a place that is not on disk.
        let told = self.effects.len() - 1;
        self.effects.insert(told, Effect::Write(Taken { height, time, position, transaction }));
        if self.ledger.pending().len() >= self.limits.block_transactions {
            self.seal(now, rng);
        }
        Ok(())
    }

    /// Confirms the last transaction of the block in hand.
    fn confirm(&mut self, transaction: Digest, rng: &mut (impl RngCore + CryptoRng)) -> Promise {
        let promise = Promise {
            chain: self.ledger.origin().chain,
            height: self.ledger.height() + 1,
            position: (self.ledger.pending().len() - 1) as u32,
            transaction,
            time: self.ledger.now(),
        };
        let confirmation = Confirmation::sign(promise, &self.author, rng);
        self.confirmed.insert(transaction, confirmation);
        self.tell(transaction, Answer::Confirmed(confirmation));
        promise
    }

    fn check_author(&self) -> Result<(), Refusal> {
        let person = self.author.person;
        match self.ledger.sequencer_key(&person) {
            Some(key) if key == self.author.key.public_key() => Ok(()),
            _ => Err(Refusal::NoOffice { person }),
        }
    }

    fn seal(&mut self, now: Time, rng: &mut (impl RngCore + CryptoRng)) {
        let chain = self.ledger.origin().chain;
        let block = self.ledger.seal();
        let seal = Some(Seal::sign(chain, &block, &self.author, rng));
        self.sealed = Some(self.ledger.clone());
        self.confirmed.clear();
        (self.due, self.last) = (None, Some(now));
        self.effects.push(Effect::Append(Box::new(SealedBlock { block, seal })));
    }
}

#[cfg(test)]
mod tests;
