//! What a sequencer signs: the place of a transaction before the block is made, and the block.
//!
//! Both are signed with the key of the sequencer's account. That key is on record, under the office that governance gives
//! and takes, so that whoever knows a state root can have the key proved to them; a key of another kind would need a
//! registry of its own. Signing costs about as much as checking one transaction.

use crate::{
    Block, Ledger,
    ledger::ReplayError,
    poseidon::{Felt, FeltDomain, hash_bytes},
    signature::{PublicKey, SecretKey, Signature},
};
use primitives::{ChainId, CodecError, Digest, Domain, Encode, PersonId, Time, codec_struct, hash};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Seconds by which the time of a block may be ahead of the clock of who checks it: clocks of servers that are kept differ
/// by less, and no period of the ledger is so short that this much of it matters.
pub const MAX_BLOCK_AHEAD: u32 = 30;

/// A sequencer and its key.
#[derive(Debug)]
pub struct Author {
    /// Who.
    pub person: PersonId,
    /// Key of their account.
    pub key: SecretKey,
}

/// One element to sign, of a digest in a domain of its own. Transactions are hashed in another domain of the sponge.
fn message(domain: Domain, parts: &[&[u8]]) -> [Felt; 1] {
    [hash_bytes(FeltDomain::Bytes, &hash::hash(domain, parts).0)]
}

/// Where a transaction will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The chain.
    pub chain: ChainId,
    /// Height of the block.
    pub height: u64,
    /// Place in the block, from 0.
    pub position: u32,
    /// Identifier of the transaction.
    pub transaction: Digest,
    /// Time of the block.
    pub time: Time,
}

codec_struct!(Promise { chain, height, position, transaction, time });

impl Promise {
    fn message(&self) -> [Felt; 1] {
        message(Domain::Confirmation, &[&self.to_bytes()])
    }
}

/// A soft confirmation: a sequencer's word on where a transaction will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// What is promised.
    pub promise: Promise,
    /// Who promises.
    pub signer: PersonId,
    /// Under the key of their account.
    pub signature: Signature,
}

codec_struct!(Confirmation { promise, signer, signature });

impl Confirmation {
    /// Promises.
    pub fn sign(promise: Promise, author: &Author, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let signature = author.key.sign(&promise.message(), rng);
        Self { promise, signer: author.person, signature }
    }

    /// Whether it was signed under this key.
    pub fn holds(&self, key: &PublicKey) -> bool {
        key.verify(&self.promise.message(), &self.signature).is_ok()
    }
}

/// A sequencer's signature under a block. It is no part of the block, whose digest is the same without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Who made the block.
    pub signer: PersonId,
    /// Under the key of their account.
    pub signature: Signature,
}

codec_struct!(Seal { signer, signature });

impl Seal {
    fn message(chain: ChainId, height: u64, block: &Digest) -> [Felt; 1] {
        message(Domain::BlockSeal, &[&chain.0.to_le_bytes(), &height.to_le_bytes(), &block.0])
    }

    /// Signs a block.
    pub fn sign(
        chain: ChainId,
        block: &Block,
        author: &Author,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let message = Self::message(chain, block.height, &block.digest());
        Self { signer: author.person, signature: author.key.sign(&message, rng) }
    }

    /// Whether it is under this block and key.
    pub fn holds(&self, chain: ChainId, block: &Block, key: &PublicKey) -> bool {
        key.verify(&Self::message(chain, block.height, &block.digest()), &self.signature).is_ok()
    }
}

/// A block, and who signed it. The blocks of a node that orders for itself alone have no seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlock {
    /// The block.
    pub block: Block,
    /// Its sequencer's signature.
    pub seal: Option<Seal>,
}

codec_struct!(SealedBlock { block, seal });

/// Which rule a block breaks that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BlockError {
    /// There is another block of this height on record.
    #[error("block {height} is {found} there, and {ours} on record here")]
    Other {
        /// Its height.
        height: u64,
        /// Digest of the one on record.
        ours: Digest,
        /// Digest of this one.
        found: Digest,
    },
    /// Nobody signed it.
    #[error("block {height} has no seal of a sequencer")]
    NoSeal {
        /// Its height.
        height: u64,
    },
    /// The signer does not hold the office in the state before the block.
    #[error("block {height} is sealed by {signer}, who is no sequencer")]
    NotASequencer {
        /// Its height.
        height: u64,
        /// Who signed.
        signer: PersonId,
    },
    /// The signature is not under this block and the signer's key.
    #[error("the seal of block {height} is not that of {signer}")]
    Seal {
        /// Its height.
        height: u64,
        /// Who is named.
        signer: PersonId,
    },
    /// The block is from a later time than it is.
    #[error("block {height} has time {time}, more than {MAX_BLOCK_AHEAD} seconds ahead of {now}")]
    Ahead {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// What the clock says.
        now: Time,
    },
    /// Its bytes are none of a block.
    #[error("block {height} does not decode: {error}")]
    Codec {
        /// Height that was asked for.
        height: u64,
        /// What is wrong with its bytes.
        error: CodecError,
    },
    /// It does not follow from the blocks before it.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl SealedBlock {
    /// Checks everything about a block of somebody else, at time `now`, and gives the ledger after it.
    ///
    /// Errors: every variant of [`BlockError`] but [`BlockError::Codec`].
    pub fn check(&self, ledger: Ledger, now: Time) -> Result<Ledger, BlockError> {
        self.check_seal(&ledger)?;
        self.check_time(now)?;
        Ok(ledger.replay(&self.block)?)
    }

    /// Checks everything about a block that was taken before. Its time was checked then.
    ///
    /// Errors: every variant of [`BlockError`] but [`BlockError::Codec`] and [`BlockError::Ahead`].
    pub fn repeat(&self, ledger: Ledger) -> Result<Ledger, BlockError> {
        self.check_seal(&ledger)?;
        Ok(ledger.replay(&self.block)?)
    }

    /// Checks that the block is not from a later time than it is.
    ///
    /// Errors: [`BlockError::Ahead`].
    pub fn check_time(&self, now: Time) -> Result<(), BlockError> {
        let (height, time) = (self.block.height, self.block.time);
        if time > now.after(MAX_BLOCK_AHEAD) { Err(BlockError::Ahead { height, time, now }) } else { Ok(()) }
    }

    /// Checks who made the block, and gives their key.
    ///
    /// Errors: [`BlockError::NoSeal`], [`BlockError::NotASequencer`], [`BlockError::Seal`].
    pub fn check_seal(&self, ledger: &Ledger) -> Result<PublicKey, BlockError> {
        let Self { block, seal } = self;
        let height = block.height;
        let Seal { signer, .. } = seal.ok_or(BlockError::NoSeal { height })?;
        let key = ledger.sequencer_key(&signer).ok_or(BlockError::NotASequencer { height, signer })?;
        if !seal.is_some_and(|seal| seal.holds(ledger.origin().chain, block, &key)) {
            return Err(BlockError::Seal { height, signer });
        }
        Ok(key)
    }
}
