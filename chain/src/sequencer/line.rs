//! Lines that stand beside the mempool: transactions that no account signs, and priority operations.

use super::{Limits, MAX_PRIORITIES, Refusal};
use crate::transaction::{Payload, Transaction};
use primitives::{Digest, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One part in so many of the line is kept for what parties of a committee sign.
const KEPT_FOR_PARTIES: usize = 4;

/// Whether parties of a committee sign this with keys of their own.
fn is_signed_by_parties(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::CommitBeacon(_)
            | Payload::RevealBeacon(_)
            | Payload::AnchorHeader(_)
            | Payload::AnchorRoot(_)
            | Payload::SubmitAggregate(_)
            | Payload::SeatStandby(_)
    )
}

/// Transactions that no account signs, in order of arrival. Nobody pays for what is wrong with them, and some take long to
/// check, so they stand in a line of their own that can neither grow nor keep the others waiting.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenLine {
    line: VecDeque<(Digest, Transaction, usize)>,
    ids: BTreeSet<Digest>,
    bytes: usize,
}

impl OpenLine {
    pub(super) fn has(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(super) fn push(
        &mut self,
        limits: &Limits,
        id: Digest,
        tx: Transaction,
        bytes: usize,
    ) -> Result<(), Refusal> {
        // An epoch does not end without what its parties sign. Claims may come by the thousand, and can wait.
        let of_parties = is_signed_by_parties(&tx.payload);
        let part = |whole: usize| if of_parties { whole } else { whole - whole / KEPT_FOR_PARTIES };
        let limit = part(limits.open);
        if self.line.len() >= limit {
            return Err(Refusal::OpenFull { what: "transactions", limit });
        }
        let limit = part(limits.open_bytes);
        if self.bytes + bytes > limit {
            return Err(Refusal::OpenFull { what: "bytes", limit });
        }
        self.ids.insert(id);
        self.bytes += bytes;
        self.line.push_back((id, tx, bytes));
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<(Digest, Transaction)> {
        let (id, tx, bytes) = self.line.pop_front()?;
        self.ids.remove(&id);
        self.bytes -= bytes;
        Some((id, tx))
    }
}

/// An operation that was asked for on L1 and may not be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priority {
    /// Its number there. They are taken in this order, without a gap.
    pub number: u64,
    /// What the ledger is given for it.
    pub transaction: Transaction,
    /// When the block that has it must be made at the latest.
    pub deadline: Time,
}

/// Priority operations that wait for one that came before them.
#[derive(Clone, Debug)]
pub(super) struct Priorities {
    next: u64,
    waiting: BTreeMap<u64, Priority>,
}

impl Priorities {
    pub(super) fn from(next: u64) -> Self {
        Self { next, waiting: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, priority: Priority) -> Result<(), Refusal> {
        let (number, next) = (priority.number, self.next);
        if number < next {
            return Err(Refusal::PriorityTaken { number, next });
        }
        if number - next >= MAX_PRIORITIES as u64 {
            return Err(Refusal::Full { what: "priority operations", limit: MAX_PRIORITIES });
        }
        self.waiting.entry(number).or_insert(priority);
        Ok(())
    }

    /// The next, if it is there.
    pub(super) fn pop(&mut self) -> Option<Priority> {
        let priority = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(priority)
    }
}
