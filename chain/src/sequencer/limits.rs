//! What a sequencer bounds, and why.

use crate::{
    block::{MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS},
    transaction::Payload,
};
use thiserror::Error;

/// How many transactions of one account may wait for an earlier one: what a program sends ahead of answers.
pub const MAX_AHEAD: u64 = 64;
/// How often a transaction that waits may be replaced by another of the same nonce. Replacing costs nothing, so without a
/// bound it would make the sequencer check signatures for nothing.
pub const MAX_REPLACEMENTS: u8 = 3;
/// Seconds after which a transaction that still waits is dropped: whoever left the gap has had time to fill it.
pub const PATIENCE: u32 = 900;
/// Longest transaction that an account signs. A work with 64 payees takes less than 4 KiB, a proposal with a whole set of
/// parameters less than 16.
pub const MAX_SIGNED_BYTES: usize = 64 << 10;
/// Longest of those that are long by nature: answers to audits, lists of keys, lists of works. Only offices and operators
/// send them.
pub const MAX_LONG_BYTES: usize = MAX_BLOCK_BYTES / 4 + MAX_SIGNED_BYTES;
/// Priority operations that wait for one that came before them.
pub const MAX_PRIORITIES: usize = 1024;

/// Longest transaction with this payload that an account signs.
pub(super) fn longest(payload: &Payload) -> usize {
    match payload {
        Payload::AnswerAudit(_)
        | Payload::CommitMetrics(_)
        | Payload::PublishKeys(_)
        | Payload::PublishVoucherKeys(_) => MAX_LONG_BYTES,
        _ => MAX_SIGNED_BYTES,
    }
}

/// What an operator may set, inside bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds from the first transaction of a block to its end.
    pub interval: u32,
    /// Seconds after which a block without transactions is made, so that the ledger's time goes on.
    pub heartbeat: u32,
    /// Transactions with which a block is full.
    pub block_transactions: usize,
    /// Bytes with which a block is full.
    pub block_bytes: usize,
    /// Transactions that wait for earlier ones, of all accounts.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Bytes of those of one account.
    pub account_bytes: usize,
    /// Transactions that no account signs and that nobody has looked at yet.
    pub open: usize,
    /// Their bytes.
    pub open_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            interval: 2,
            heartbeat: 60,
            block_transactions: 4096,
            block_bytes: MAX_BLOCK_BYTES,
            waiting: 8192,
            waiting_bytes: 32 << 20,
            account_bytes: 256 << 10,
            open: 256,
            open_bytes: 2 * MAX_BLOCK_BYTES,
        }
    }
}

/// A limit outside its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name} is {found}, outside {min} to {max}")]
pub struct LimitsError {
    /// Its name.
    pub name: &'static str,
    /// What was set.
    pub found: u64,
    /// Smallest value allowed.
    pub min: u64,
    /// Largest value allowed.
    pub max: u64,
}

impl Limits {
    /// Checks every bound.
    ///
    /// Errors: [`LimitsError`] names the first that is broken.
    pub fn check(&self) -> Result<(), LimitsError> {
        let sizes = [
            // A confirmation that is not in a block for longer than this is worth little.
            ("interval", u64::from(self.interval), 1, 60),
            // The ledger's shortest periods are hours.
            ("heartbeat", u64::from(self.heartbeat), 1, 3600),
            ("block_transactions", self.block_transactions as u64, 1, MAX_BLOCK_TRANSACTIONS as u64),
            // One transaction of every size has to fit.
            ("block_bytes", self.block_bytes as u64, MAX_LONG_BYTES as u64, MAX_BLOCK_BYTES as u64),
            ("waiting", self.waiting as u64, 0, 1 << 20),
            ("waiting_bytes", self.waiting_bytes as u64, 0, 1 << 30),
            ("account_bytes", self.account_bytes as u64, 0, 1 << 24),
            ("open", self.open as u64, 1, 1 << 14),
            ("open_bytes", self.open_bytes as u64, MAX_BLOCK_BYTES as u64, 1 << 30),
        ];
        for (name, found, min, max) in sizes {
            if !(min..=max).contains(&found) {
                return Err(LimitsError { name, found, min, max });
            }
        }
        Ok(())
    }
}
