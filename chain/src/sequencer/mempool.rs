//! Transactions that wait for earlier ones of their account, in order of their nonces.
//!
//! Only what has a valid signature of its account waits, so that nobody fills the room of another. Fees are fixed, so
//! there is nothing to outbid: who comes when there is no room is refused, and nobody is pushed out.

use super::{Limits, MAX_AHEAD, MAX_REPLACEMENTS, PATIENCE, Refusal};
use crate::transaction::Transaction;
use primitives::{Digest, PersonId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// One that waits.
#[derive(Clone, Debug)]
struct Waiting {
    transaction: Transaction,
    id: Digest,
    bytes: usize,
    since: Time,
    replaced: u8,
}

/// Those of one account.
#[derive(Clone, Debug, Default)]
struct Queue {
    by_nonce: BTreeMap<u64, Waiting>,
    bytes: usize,
}

/// Those of all accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Mempool {
    accounts: BTreeMap<PersonId, Queue>,
    ids: BTreeMap<Digest, (PersonId, u64)>,
    arrivals: BTreeSet<(Time, Digest)>,
    bytes: usize,
}

/// A transaction that may wait: its signature holds.
pub(super) struct Checked {
    pub(super) transaction: Transaction,
    pub(super) id: Digest,
    pub(super) bytes: usize,
    pub(super) signer: PersonId,
    pub(super) nonce: u64,
    /// The account's next nonce.
    pub(super) next: u64,
}

impl Mempool {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The nonce of one that waits.
    pub(super) fn find(&self, id: &Digest) -> Option<(PersonId, u64)> {
        self.ids.get(id).copied()
    }

    /// Lets a transaction wait, and gives the one whose place it takes, if it takes one.
    pub(super) fn insert(
        &mut self,
        limits: &Limits,
        now: Time,
        new: Checked,
    ) -> Result<Option<Digest>, Refusal> {
        let Checked { transaction, id, bytes, signer, nonce, next } = new;
        // A replacement takes no more places, and its bytes instead of the other's.
        let queue = self.accounts.get(&signer);
        let old = queue.and_then(|queue| queue.by_nonce.get(&nonce));
        let replaced = match old {
            Some(old) if old.replaced == MAX_REPLACEMENTS => {
                return Err(Refusal::ReplacedTooOften { signer, nonce, limit: MAX_REPLACEMENTS });
            }
            Some(old) => old.replaced + 1,
            None => 0,
        };
        if nonce - next > MAX_AHEAD {
            return Err(Refusal::TooFarAhead { signer, next, found: nonce, limit: MAX_AHEAD });
        }
        let (old_id, old_bytes) = old.map_or((None, 0), |old| (Some(old.id), old.bytes));
        let of_account = queue.map_or(0, |queue| queue.bytes) - old_bytes + bytes;
        if of_account > limits.account_bytes {
            return Err(Refusal::AccountFull { signer, bytes: of_account, limit: limits.account_bytes });
        }
        if old_id.is_none() && self.len() >= limits.waiting {
            return Err(Refusal::Full { what: "transactions", limit: limits.waiting });
        }
        if self.bytes - old_bytes + bytes > limits.waiting_bytes {
            return Err(Refusal::Full { what: "bytes", limit: limits.waiting_bytes });
        }
        if old_id.is_some() {
            self.remove(signer, nonce);
        }
        let queue = self.accounts.entry(signer).or_default();
        queue.by_nonce.insert(nonce, Waiting { transaction, id, bytes, since: now, replaced });
        queue.bytes += bytes;
        self.bytes += bytes;
        self.ids.insert(id, (signer, nonce));
        self.arrivals.insert((now, id));
        Ok(old_id)
    }

    /// Takes the transaction of an account with this nonce.
    pub(super) fn take(&mut self, signer: PersonId, nonce: u64) -> Option<Transaction> {
        self.remove(signer, nonce).map(|waiting| waiting.transaction)
    }

    /// Drops what has waited for too long.
    pub(super) fn expire(&mut self, now: Time) -> Vec<Digest> {
        let mut dropped = Vec::new();
        while let Some((since, id)) = self.arrivals.first().copied() {
            if since.after(PATIENCE) > now {
                break;
            }
            let (signer, nonce) = self.ids[&id];
            self.remove(signer, nonce);
            dropped.push(id);
        }
        dropped
    }

    fn remove(&mut self, signer: PersonId, nonce: u64) -> Option<Waiting> {
        let queue = self.accounts.get_mut(&signer)?;
        let waiting = queue.by_nonce.remove(&nonce)?;
        queue.bytes -= waiting.bytes;
        if queue.by_nonce.is_empty() {
            self.accounts.remove(&signer);
        }
        self.bytes -= waiting.bytes;
        self.ids.remove(&waiting.id);
        self.arrivals.remove(&(waiting.since, waiting.id));
        Some(waiting)
    }

    /// Sums that are kept beside what they sum, for tests.
    #[cfg(test)]
    pub(super) fn adds_up(&self) -> bool {
        let all = || self.accounts.values().flat_map(|queue| queue.by_nonce.values());
        let one_by_one =
            self.accounts.values().all(|q| q.bytes == q.by_nonce.values().map(|w| w.bytes).sum::<usize>());
        one_by_one
            && self.bytes == all().map(|w| w.bytes).sum::<usize>()
            && all().count() == self.ids.len()
            && self.arrivals.len() == self.ids.len()
    }
}
