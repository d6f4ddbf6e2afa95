//! What a subscriber proves and anybody verifies.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`shard`], [`generators`], [`epoch`] | the public context of an epoch: works, bases, keys |
//! | [`token`], [`receipt`] | RFC 9474 blind signatures: subscription tokens and bandwidth receipts |
//! | [`bundle`] | the usage proof: statement, prover, single and batch verifier |
//! | [`cap`] | the range proof that a subscriber's value stays below the cap |
//! | [`sharing`] | the additive shares of a usage vector, sealed to the parties that hold them; complaints |
//! | [`inclusion`] | final receipts: a bundle is in an anchored batch |
//! | [`tally`] | batch headers with running commitments, and the proof of the totals |
//!
//! Verifiers never import provers. Nothing here performs input or output; randomness enters through arguments.

pub mod blind;
pub mod bundle;
pub mod cap;
pub mod committee;
pub mod epoch;
pub mod generators;
mod halving;
pub mod inclusion;
pub mod possession;
pub mod receipt;
pub mod shard;
pub mod sharing;
pub mod tally;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod token;
pub mod transcript;
pub mod wire;
