//! What was signed for L1, on disk before it is sent.
//!
//! A crash between sending and the receipt leaves a transaction that may still be taken. The journal says which: the
//! same step is then sent again with the same nonce, and L1 takes one of the two at most.

use crate::log::{BlockLog, LogError};
use alloy::primitives::{B256, keccak256};
use primitives::{CodecError, Decode, Digest, Domain, Encode, Reader, Writer, codec_struct, hash};
use std::{collections::BTreeMap, path::Path};
use thiserror::Error;

/// Longest signed transaction: what the pools of nodes take.
pub const MAX_TRANSACTION_BYTES: usize = 128 << 10;

/// Why the journal cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file fails.
    #[error("the journal of L1 transactions: {0}")]
    Log(#[from] LogError),
    /// A record is none.
    #[error("record {record} of the journal of L1 transactions: {error}")]
    Record {
        /// Place in the file, from 0.
        record: usize,
        /// What is wrong with its bytes.
        error: CodecError,
    },
    /// The journal is of another chain or account.
    #[error(
        "the journal of L1 transactions is of another L1 or another account: keep it, and use another folder"
    )]
    OtherOrigin,
    /// A transaction is longer than nodes take.
    #[error("a transaction of {bytes} bytes, more than the {MAX_TRANSACTION_BYTES} that L1 nodes take")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Where the journal's transactions belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Chain number of L1.
    pub chain: u64,
    /// Its first block.
    pub genesis: Digest,
    /// The account that signs.
    pub account: [u8; 20],
}

codec_struct!(Origin { chain, genesis, account });

/// One signed transaction of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Digest of the step's name.
    pub step: Digest,
    /// Nonce. Attempts of a step that only differ in fees share it.
    pub nonce: u64,
    /// Bytes, as they are sent. Without any, the step is forgotten: what was signed for it before counts no longer.
    pub raw: Vec<u8>,
}

impl Attempt {
    /// Hash under which L1 knows it.
    pub fn hash(&self) -> B256 {
        keccak256(&self.raw)
    }
}

impl Encode for Attempt {
    fn encode(&self, w: &mut Writer) {
        self.step.encode(w);
        self.nonce.encode(w);
        w.bytes(&self.raw);
    }
}

impl Decode for Attempt {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            step: Decode::decode(r)?,
            nonce: Decode::decode(r)?,
            raw: r.bytes(MAX_TRANSACTION_BYTES)?.to_vec(),
        })
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    log: BlockLog,
    attempts: BTreeMap<Digest, Vec<Attempt>>,
    next_nonce: u64,
}

/// Digest of a step's name.
pub fn step_digest(step: &str) -> Digest {
    hash::hash(Domain::Layer1Step, &[step.as_bytes()])
}

impl Journal {
    /// Opens the journal in a file, or starts one for this origin.
    ///
    /// Errors: [`JournalError::Log`], [`JournalError::Record`], [`JournalError::OtherOrigin`].
    pub fn open(path: impl AsRef<Path>, origin: &Origin) -> Result<Self, JournalError> {
        let (found, payloads) = BlockLog::find(path)?;
        let mut records = payloads.iter().enumerate();
        let first = records.next().map(|(record, bytes)| {
            Origin::from_bytes(bytes).map_err(|error| JournalError::Record { record, error })
        });
        let first = first.transpose()?;
        if first.as_ref().is_some_and(|first| first != origin) {
            return Err(JournalError::OtherOrigin);
        }
        let mut attempts = BTreeMap::<Digest, Vec<Attempt>>::new();
        let mut next_nonce = 0;
        for (record, bytes) in records {
            let attempt =
                Attempt::from_bytes(bytes).map_err(|error| JournalError::Record { record, error })?;
            next_nonce = next_nonce.max(attempt.nonce.saturating_add(1));
            attempts.entry(attempt.step).or_default().push(attempt);
        }
        let mut log = found.accept()?;
        if first.is_none() {
            log.append(0, &origin.to_bytes())?;
        }
        Ok(Self { log, attempts, next_nonce })
    }

    /// Attempts of a step that share the latest nonce it was given, the oldest first. None after it was forgotten.
    pub fn attempts(&self, step: &Digest) -> &[Attempt] {
        let all = self.history(step);
        let forgotten = all.iter().rposition(|attempt| attempt.raw.is_empty()).map_or(0, |place| place + 1);
        let rest = &all[forgotten..];
        let latest = rest.last().map(|attempt| attempt.nonce);
        let first = rest.iter().position(|attempt| Some(attempt.nonce) == latest).unwrap_or(0);
        &rest[first..]
    }

    /// Every attempt of a step, the oldest first.
    pub fn history(&self, step: &Digest) -> &[Attempt] {
        self.attempts.get(step).map_or(&[][..], Vec::as_slice)
    }

    /// The latest attempt of every nonce from `nonce` on, in their order.
    pub fn open_from(&self, nonce: u64) -> Vec<Vec<u8>> {
        let latest: BTreeMap<u64, &Attempt> =
            self.attempts.values().flatten().map(|attempt| (attempt.nonce, attempt)).collect();
        let signed = latest.range(nonce..).map(|(_, attempt)| attempt.raw.clone());
        signed.filter(|raw| !raw.is_empty()).collect()
    }

    /// The nonce after every one that was given to a step.
    pub fn next_nonce(&self) -> u64 {
        self.next_nonce
    }

    /// Writes an attempt; it is on disk when this returns.
    ///
    /// Errors: [`JournalError::TooLong`], which changes nothing; [`JournalError::Log`].
    pub fn record(&mut self, attempt: Attempt) -> Result<(), JournalError> {
        if attempt.raw.len() > MAX_TRANSACTION_BYTES {
            return Err(JournalError::TooLong { bytes: attempt.raw.len() });
        }
        let (last, _) = self.log.head().expect("the origin is the first record");
        self.log.append(last + 1, &attempt.to_bytes())?;
        self.next_nonce = self.next_nonce.max(attempt.nonce.saturating_add(1));
        self.attempts.entry(attempt.step).or_default().push(attempt);
        Ok(())
    }
}
