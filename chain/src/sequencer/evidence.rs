//! Evidence that a sequencer broke its word, which anybody can check who knows its key.

use super::{Confirmation, SealedBlock};
use crate::{signature::PublicKey, state::fields::codec_enum};
use primitives::{ChainId, PersonId};
use thiserror::Error;

/// Two things that one sequencer signed, and that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two confirmations: of two transactions for one place, or of one transaction for two places or times.
    TwoPromises((Confirmation, Confirmation)),
    /// A confirmation, and a block of that height that has another transaction there, none, or another time.
    BrokenPromise((Confirmation, SealedBlock)),
    /// Two blocks of one height.
    TwoBlocks((SealedBlock, SealedBlock)),
}

codec_enum!(Evidence("evidence") {
    0 => TwoPromises,
    1 => BrokenPromise,
    2 => TwoBlocks,
});

/// Why something is no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoEvidence {
    /// Two persons signed.
    #[error("{first} signed one part and {second} the other")]
    TwoSigners {
        /// Who signed the first part.
        first: PersonId,
        /// Who signed the second.
        second: PersonId,
    },
    /// A part has no signature, or not one under the key.
    #[error("part {part} is not signed under the key")]
    Signature {
        /// Which, from 0.
        part: usize,
    },
    /// A part is about another chain.
    #[error("part {part} is about chain {found}, not {expected}")]
    OtherChain {
        /// Which, from 0.
        part: usize,
        /// The chain that was asked about.
        expected: ChainId,
        /// The chain of the part.
        found: ChainId,
    },
    /// Both may be true.
    #[error("the two parts do not contradict each other")]
    NoContradiction,
}

impl Evidence {
    /// Checks that whoever holds `key` broke their word on this chain, and says who it was.
    ///
    /// Errors: every variant of [`NoEvidence`].
    pub fn check(&self, chain: ChainId, key: &PublicKey) -> Result<PersonId, NoEvidence> {
        let signers = match self {
            Self::TwoPromises((first, second)) => {
                check_promise(0, first, chain, key)?;
                check_promise(1, second, chain, key)?;
                [first.signer, second.signer]
            }
            Self::BrokenPromise((promise, block)) => {
                check_promise(0, promise, chain, key)?;
                [promise.signer, check_block(1, block, chain, key)?]
            }
            Self::TwoBlocks((first, second)) => {
                [check_block(0, first, chain, key)?, check_block(1, second, chain, key)?]
            }
        };
        let [first, second] = signers;
        if first != second {
            return Err(NoEvidence::TwoSigners { first, second });
        }
        if self.contradicts() { Ok(first) } else { Err(NoEvidence::NoContradiction) }
    }

    /// Whether the parts cannot both be true. A transaction has one place, a place has one transaction, and a block has
    /// one time.
    fn contradicts(&self) -> bool {
        match self {
            Self::TwoPromises((Confirmation { promise: a, .. }, Confirmation { promise: b, .. })) => {
                let one_place = (a.height, a.position) == (b.height, b.position);
                let one_transaction = a.transaction == b.transaction;
                one_place != one_transaction || (a.height == b.height && a.time != b.time)
            }
            Self::BrokenPromise((Confirmation { promise, .. }, SealedBlock { block, .. })) => {
                let stands = block.transactions.get(promise.position as usize).map(|tx| tx.id());
                promise.height == block.height
                    && (stands != Some(promise.transaction) || promise.time != block.time)
            }
            Self::TwoBlocks((SealedBlock { block: a, .. }, SealedBlock { block: b, .. })) => {
                a.height == b.height && a.digest() != b.digest()
            }
        }
    }
}

fn check_promise(
    part: usize,
    confirmation: &Confirmation,
    expected: ChainId,
    key: &PublicKey,
) -> Result<(), NoEvidence> {
    let found = confirmation.promise.chain;
    if found != expected {
        return Err(NoEvidence::OtherChain { part, expected, found });
    }
    if confirmation.holds(key) { Ok(()) } else { Err(NoEvidence::Signature { part }) }
}

/// A block of another chain has no seal that holds here, since the seal names the chain.
fn check_block(
    part: usize,
    block: &SealedBlock,
    chain: ChainId,
    key: &PublicKey,
) -> Result<PersonId, NoEvidence> {
    let seal = block.seal.filter(|seal| seal.holds(chain, &block.block, key));
    seal.map(|seal| seal.signer).ok_or(NoEvidence::Signature { part })
}
