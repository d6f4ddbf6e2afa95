//! A committee member's part on L1: repeat the chain from the batches themselves, and sign only what follows.
//!
//! The attester holds its own ledger and takes nothing on trust: it reads a batch's data as the next part of the stream,
//! repeats every block that is complete in it, and signs if that leads to the batch's new root. Until validity proofs
//! replace them, two such signatures are what L1 goes by.

use super::{
    batch::{Batch, LENGTH_BYTES, MAX_DATA_BYTES, MAX_STREAMED_BLOCK, root_on_layer1},
    contracts::rollup::IAttestedRollup,
};
use crate::{
    block::Block,
    ledger::{Ledger, ReplayError},
};
use alloy::{
    primitives::{Address, B256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{Eip712Domain, SolStruct, eip712_domain},
};
use primitives::{CodecError, Decode, PartyId};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why an attester does not sign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttestError {
    /// Another batch is next.
    #[error("batch {found} is out of order: {expected} is next")]
    OutOfOrder {
        /// The next number.
        expected: u64,
        /// The batch's.
        found: u64,
    },
    /// The attester signed another batch of this number. It never signs two.
    #[error("another batch {number} was signed before")]
    Equivocation {
        /// The number.
        number: u64,
    },
    /// The batch does not start where the one before ended.
    #[error("batch {number} starts at root {found}, and the chain is at {expected}")]
    OldRoot {
        /// The batch.
        number: u64,
        /// Root of the attester's ledger.
        expected: B256,
        /// Root that the batch names.
        found: B256,
    },
    /// A batch without data, or with more than L1 takes.
    #[error("batch {number} has {bytes} bytes of data, not 1 to {MAX_DATA_BYTES}")]
    Data {
        /// The batch.
        number: u64,
        /// Length of its data.
        bytes: usize,
    },
    /// The data do not lead where the batch says.
    #[error("batch {number} claims root {found}, and its data lead to {expected}")]
    NewRoot {
        /// The batch.
        number: u64,
        /// Root after repeating its data.
        expected: B256,
        /// Root that the batch names.
        found: B256,
    },
    /// The data run on after a block's end: every block's root has to be on L1.
    #[error("batch {number} runs on after the end of a block")]
    RunsOn {
        /// The batch.
        number: u64,
    },
    /// A length that no block has.
    #[error("batch {number} announces a block of {bytes} bytes")]
    Length {
        /// The batch.
        number: u64,
        /// The announced length.
        bytes: usize,
    },
    /// What should be a block is none.
    #[error("batch {number} ends a block that is none: {error}")]
    Codec {
        /// The batch.
        number: u64,
        /// What is wrong with its bytes.
        error: CodecError,
    },
    /// A block does not follow from the chain.
    #[error("batch {number}: {error}")]
    Replay {
        /// The batch.
        number: u64,
        /// What is wrong with the block.
        error: Box<ReplayError>,
    },
    /// The key does not sign.
    #[error("the key does not sign: {0}")]
    Signer(String),
}

/// The EIP-712 domain of a rollup's signatures: of one contract on one chain.
pub fn domain(chain: u64, rollup: Address) -> Eip712Domain {
    eip712_domain! {
        name: "CWE AttestedRollup",
        version: "1",
        chain_id: chain,
        verifying_contract: rollup,
    }
}

/// What a member signs for a batch.
pub fn signing_hash(domain: &Eip712Domain, batch: &Batch) -> B256 {
    bound(batch).eip712_signing_hash(domain)
}

/// The batch as the contract takes it.
pub(super) fn bound(batch: &Batch) -> IAttestedRollup::Batch {
    IAttestedRollup::Batch {
        number: batch.number,
        oldRoot: batch.old_root,
        newRoot: batch.new_root,
        data: batch.data.clone(),
    }
}

/// A member's signature on a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The member.
    pub member: PartyId,
    /// Signature of 65 bytes: r, s, v.
    pub signature: Vec<u8>,
}

/// A member of the committee with its own copy of the chain.
pub struct Attester {
    member: PartyId,
    key: PrivateKeySigner,
    domain: Eip712Domain,
    ledger: Ledger,
    /// Root of the ledger.
    root: B256,
    /// What of the next block the batches held so far.
    partial: Vec<u8>,
    signed: BTreeMap<u64, (B256, Attestation)>,
}

impl Attester {
    /// An attester at the genesis of a chain.
    pub fn new(member: PartyId, key: PrivateKeySigner, domain: Eip712Domain, mut genesis: Ledger) -> Self {
        let root = root_on_layer1(&genesis.state_root());
        Self { member, key, domain, ledger: genesis, root, partial: Vec::new(), signed: BTreeMap::new() }
    }

    /// The account that L1 knows the member by.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// Checks the next batch and signs it. The same batch again gets the same signature; another one of its number
    /// gets none. A refusal changes nothing.
    pub fn attest(&mut self, batch: &Batch) -> Result<Attestation, AttestError> {
        let hash = signing_hash(&self.domain, batch);
        let number = batch.number;
        match self.signed.get(&number) {
            Some((signed, attestation)) if *signed == hash => return Ok(attestation.clone()),
            Some(_) => return Err(AttestError::Equivocation { number }),
            None => {}
        }
        let (followed, partial) = self.follow(batch)?;
        let signature =
            self.key.sign_hash_sync(&hash).map_err(|error| AttestError::Signer(error.to_string()))?;
        let attestation = Attestation { member: self.member, signature: signature.as_bytes().to_vec() };
        if let Some(ledger) = followed {
            (self.ledger, self.root) = (ledger, batch.new_root);
        }
        self.partial = partial;
        self.signed.insert(number, (hash, attestation.clone()));
        Ok(attestation)
    }

    /// The ledger after the batch, if a block ends in it, and what of a block is not complete.
    fn follow(&self, batch: &Batch) -> Result<(Option<Ledger>, Vec<u8>), AttestError> {
        let number = batch.number;
        let next = self.signed.last_key_value().map_or(1, |(last, _)| last + 1);
        if number != next {
            return Err(AttestError::OutOfOrder { expected: next, found: number });
        }
        if batch.data.is_empty() || batch.data.len() > MAX_DATA_BYTES {
            return Err(AttestError::Data { number, bytes: batch.data.len() });
        }
        let expected = self.root;
        if batch.old_root != expected {
            return Err(AttestError::OldRoot { number, expected, found: batch.old_root });
        }
        let stream = [&self.partial[..], &batch.data].concat();
        let Some((block, rest)) = first_block(number, &stream)? else {
            return unchanged(batch, expected).map(|()| (None, stream));
        };
        if !rest.is_empty() {
            return Err(AttestError::RunsOn { number });
        }
        let block = Block::from_bytes(block).map_err(|error| AttestError::Codec { number, error })?;
        let mut ledger = self
            .ledger
            .clone()
            .replay(&block)
            .map_err(|error| AttestError::Replay { number, error: error.into() })?;
        unchanged(batch, root_on_layer1(&ledger.state_root()))?;
        Ok((Some(ledger), Vec::new()))
    }
}

/// Whether the batch claims the root that it leads to.
fn unchanged(batch: &Batch, expected: B256) -> Result<(), AttestError> {
    let (number, found) = (batch.number, batch.new_root);
    if found == expected { Ok(()) } else { Err(AttestError::NewRoot { number, expected, found }) }
}

/// A block's bytes, and what follows them in the stream.
type Split<'a> = (&'a [u8], &'a [u8]);

/// The stream's first block; `None` while it is not complete.
fn first_block(number: u64, stream: &[u8]) -> Result<Option<Split<'_>>, AttestError> {
    let Some((length, rest)) = stream.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let bytes = u32::from_le_bytes(*length) as usize;
    if bytes == 0 || bytes > MAX_STREAMED_BLOCK {
        return Err(AttestError::Length { number, bytes });
    }
    Ok(rest.split_at_checked(bytes))
}
