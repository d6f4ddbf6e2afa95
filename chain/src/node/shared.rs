//! What the part of a node that makes or follows blocks shows to the part that answers queries.

use super::Archive;
use crate::{
    Ledger,
    poseidon::Felt,
    sequencer::{Answer, Confirmation, Refusal, SealedBlock, Taken},
};
use primitives::{Digest, PersonId, Time};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use tokio::sync::{broadcast, watch};

/// Refused transactions that are remembered, so that whoever asks learns why.
const REMEMBERED: usize = 4096;
/// Heads or changes of a status that a subscriber may lag behind before it is told so and cut off.
const LAG: usize = 1024;

/// The ledger after the last block.
pub(super) struct View {
    /// The ledger. Proofs need it writable, since a tree hashes what it has not hashed yet.
    pub(super) ledger: RwLock<Ledger>,
    pub(super) head: Head,
}

/// The last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its height.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its time.
    pub time: Time,
    /// State root after it.
    pub state_root: Felt,
}

impl Head {
    /// The last block of a ledger without pending transactions.
    pub(super) fn of(ledger: &mut Ledger) -> Self {
        let state_root = ledger.state_root();
        Self { height: ledger.height(), digest: ledger.head(), time: ledger.now(), state_root }
    }
}

impl View {
    fn of(mut ledger: Ledger) -> Arc<Self> {
        let head = Head::of(&mut ledger);
        Arc::new(Self { ledger: RwLock::new(ledger), head })
    }

    /// Reads the ledger.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&self.ledger.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes proofs.
    pub(super) fn prove<T>(&self, prove: impl FnOnce(&mut Ledger) -> T) -> T {
        prove(&mut self.ledger.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a transaction stands that is in no block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Confirmed(Confirmation),
    Waits { signer: PersonId, nonce: u64, next: u64 },
    Refused(Refusal),
}

impl From<Answer> for Standing {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Confirmed(confirmation) => Self::Confirmed(confirmation),
            Answer::Waits { signer, nonce, next } => Self::Waits { signer, nonce, next },
            Answer::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

#[derive(Default)]
struct Standings {
    of: BTreeMap<Digest, Standing>,
    /// The refused ones, the oldest first.
    refused: VecDeque<Digest>,
    /// Nonces of accounts with transactions in the block in hand.
    nonces: BTreeMap<PersonId, u64>,
}

/// What queries read.
pub(super) struct Shared {
    view: watch::Sender<Arc<View>>,
    standings: Mutex<Standings>,
    heads: broadcast::Sender<Arc<SealedBlock>>,
    changes: broadcast::Sender<Digest>,
    pub(super) archive: Archive,
}

impl Shared {
    pub(super) fn new(ledger: Ledger, archive: Archive) -> Arc<Self> {
        Arc::new(Self {
            view: watch::Sender::new(View::of(ledger)),
            standings: Mutex::default(),
            heads: broadcast::Sender::new(LAG),
            changes: broadcast::Sender::new(LAG),
            archive,
        })
    }

    /// The ledger after the last block.
    pub(super) fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Where a transaction stands that is in no block, as far as it is known.
    pub(super) fn standing(&self, transaction: &Digest) -> Option<Standing> {
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.of.get(transaction).cloned()
    }

    pub(super) fn heads(&self) -> broadcast::Receiver<Arc<SealedBlock>> {
        self.heads.subscribe()
    }

    /// Identifiers of transactions that stand elsewhere than before.
    pub(super) fn changes(&self) -> broadcast::Receiver<Digest> {
        self.changes.subscribe()
    }

    /// A transaction stands somewhere.
    pub(super) fn stands(&self, transaction: Digest, standing: Standing) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = matches!(standing, Standing::Refused(_));
        let before = standings.of.insert(transaction, standing);
        if refused && !matches!(before, Some(Standing::Refused(_))) {
            standings.refused.push_back(transaction);
            if standings.refused.len() > REMEMBERED {
                let oldest = standings.refused.pop_front();
                // It may have been taken since.
                if let Some(oldest) = oldest
                    && matches!(standings.of.get(&oldest), Some(Standing::Refused(_)))
                {
                    standings.of.remove(&oldest);
                }
            }
        }
        drop(standings);
        // Nobody may be listening.
        drop(self.changes.send(transaction));
    }

    /// The nonce of an account's next transaction, if it has transactions in the block in hand.
    pub(super) fn next_nonce(&self, person: &PersonId) -> Option<u64> {
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.nonces.get(person).copied()
    }

    /// These have their places in the block in hand.
    pub(super) fn count(&self, taken: &[Taken]) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        for authorisation in taken.iter().filter_map(|taken| taken.transaction.authorisation.as_ref()) {
            standings.nonces.insert(authorisation.signer, authorisation.nonce + 1);
        }
    }

    /// Blocks are in the log, and this is the ledger after the last of them.
    pub(super) fn advance(&self, blocks: Vec<SealedBlock>, ledger: Ledger) {
        let view = View::of(ledger);
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.nonces.retain(|person, next| view.read(|ledger| ledger.nonce(person)) < Some(*next));
        drop(standings);
        self.view.send_replace(view);
        for sealed in blocks {
            let ids: Vec<Digest> = sealed.block.transactions.iter().map(|tx| tx.id()).collect();
            let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
            for id in &ids {
                standings.of.remove(id);
            }
            drop(standings);
            for id in ids {
                drop(self.changes.send(id));
            }
            drop(self.heads.send(Arc::new(sealed)));
        }
    }
}
