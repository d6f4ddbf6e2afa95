//! A committee member's part on L1: repeat the chain block by block, and sign only what follows.
//!
//! The attester holds its own ledger and takes nothing on trust: it repeats a block, cuts it into batches itself, and
//! signs those. A proposer has no say in how the stream is cut, so all members sign the same batches. Which block it
//! signed at each height is on disk before the signature is given, so that it never signs another one, whatever happens
//! to it. Until validity proofs replace them, two such signatures are what L1 goes by.

use super::{
    batch::{Batch, batches, root_on_layer1},
    contracts::rollup::IAttestedRollup,
};
use crate::{
    block::Block,
    ledger::{Ledger, ReplayError},
    log::{BlockLog, LogError},
};
use alloy::{
    primitives::{Address, B256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{Eip712Domain, SolStruct, eip712_domain},
};
use primitives::{Digest, PartyId};
use std::path::Path;
use thiserror::Error;

/// Why an attester does not sign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttestError {
    /// Another block is next.
    #[error("block {found} is out of order: {expected} is next")]
    OutOfOrder {
        /// The next height.
        expected: u64,
        /// The block's.
        found: u64,
    },
    /// The attester signed another block of this height. It never signs two.
    #[error("another block {height} was signed before")]
    Equivocation {
        /// The height.
        height: u64,
    },
    /// The block does not follow from the chain.
    #[error(transparent)]
    Replay(Box<ReplayError>),
    /// The record of what was signed fails.
    #[error("the record of attested blocks: {0}")]
    Log(#[from] LogError),
    /// The record of what was signed holds something else.
    #[error("record {record} of attested blocks is none")]
    NoRecord {
        /// Place in the file, from 0.
        record: usize,
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

/// A batch and what one member says of it.
pub type Attested = (Batch, Attestation);

/// A member of the committee with its own copy of the chain.
pub struct Attester {
    member: PartyId,
    key: PrivateKeySigner,
    domain: Eip712Domain,
    ledger: Ledger,
    /// Root of the ledger.
    root: B256,
    /// Number of the next batch.
    next: u64,
    /// The last block that was repeated, with its batches.
    last: Option<(u64, Vec<Attested>)>,
    /// Digests of the blocks that were ever signed, from height 1 on.
    signed: Vec<Digest>,
    log: BlockLog,
}

impl Attester {
    /// An attester at the genesis of a chain, with its record of what it signed in a file. One that starts again
    /// repeats the chain from there, and signs the same blocks again or none.
    ///
    /// Errors: [`AttestError::Log`], [`AttestError::NoRecord`].
    pub fn open(
        member: PartyId,
        key: PrivateKeySigner,
        domain: Eip712Domain,
        mut genesis: Ledger,
        record: impl AsRef<Path>,
    ) -> Result<Self, AttestError> {
        let (log, payloads) = BlockLog::open(record)?;
        let digest = |(record, bytes): (usize, Vec<u8>)| {
            bytes.try_into().map(Digest).map_err(|_| AttestError::NoRecord { record })
        };
        let signed = payloads.into_iter().enumerate().map(digest).collect::<Result<_, _>>()?;
        let root = root_on_layer1(&genesis.state_root());
        Ok(Self { member, key, domain, ledger: genesis, root, next: 1, last: None, signed, log })
    }

    /// The account that L1 knows the member by.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// Repeats the next block and signs the batches that it is cut into. The same block again gets the same
    /// signatures; another one of its height gets none. A refusal changes nothing but, where signing itself fails, the
    /// record.
    pub fn attest(&mut self, block: &Block) -> Result<Vec<Attested>, AttestError> {
        let (height, digest) = (block.height, block.digest());
        let place = height.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let before = place.and_then(|place| self.signed.get(place));
        if before.is_some_and(|signed| *signed != digest) {
            return Err(AttestError::Equivocation { height });
        }
        if let Some((_, attested)) = self.last.as_ref().filter(|(last, _)| *last == height) {
            return Ok(attested.clone());
        }
        let expected = self.ledger.height() + 1;
        if height != expected {
            return Err(AttestError::OutOfOrder { expected, found: height });
        }
        let ledger =
            self.ledger.clone().replay(block).map_err(|error| AttestError::Replay(Box::new(error)))?;
        if self.ledger.height() == self.signed.len() as u64 {
            // On disk before anybody has the signature.
            self.log.append(height, &digest.0)?;
            self.signed.push(digest);
        }
        let cut = batches(self.next, self.root, block);
        let sign = |batch: Batch| {
            let signature = self.key.sign_hash_sync(&signing_hash(&self.domain, &batch));
            let signature = signature.map_err(|error| AttestError::Signer(error.to_string()))?;
            Ok((batch, Attestation { member: self.member, signature: signature.as_bytes().to_vec() }))
        };
        let attested = cut.into_iter().map(sign).collect::<Result<Vec<_>, AttestError>>()?;
        self.next += attested.len() as u64;
        self.root = root_on_layer1(&block.state_root);
        self.ledger = ledger;
        self.last = Some((height, attested.clone()));
        Ok(attested)
    }
}
