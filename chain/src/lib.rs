//! The ledger of the Clean Web Economy: a deterministic state machine with one Poseidon state root.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`poseidon`], [`merkle`], [`signature`] | what a circuit recomputes: hash, trees, Schnorr over Baby Jubjub |
//! | [`state`] | typed tables, an indexed tree each, and the one root over them |
//! | [`modules`] | identity, work registry, usage, DAPR, treasury: records, actions and their guards |
//! | [`transaction`], [`block`], [`ledger`] | what is applied, in what order, with what result |
//! | [`sequencer`] | which transaction comes when: mempool, confirmations, seals |
//! | [`log`], [`index`], [`node`] | the shell: an append-only log as the truth, an index as a cache; nodes and their RPC |
//! | [`bridge`] | the rollup on L1: batches, final epochs, payouts there |
//! | [`light`] | the public record of an epoch, and its check from scratch |
//! | [`wallet`] | credentials, which registrars check, and what Ethereum wallets sign |
//!
//! The core reads no clock, draws no randomness and performs no input or output. Ordered maps and integers only, so
//! that every node reaches the same root.

pub mod block;
pub mod bridge;
pub mod index;
pub mod ledger;
pub mod light;
pub mod log;
pub mod merkle;
pub mod modules;
pub mod node;
pub mod poseidon;
pub mod sequencer;
pub mod signature;
pub mod snapshot;
pub mod state;
pub mod transaction;
pub mod wallet;

pub use block::Block;
pub use ledger::{Genesis, Ledger, TxError};
pub use node::Node;
pub use transaction::{Payload, Transaction};
