//! The actors that carry an epoch, each a pure core in a thin shell.
//!
//! | Module | What it does |
//! |---|---|
//! | [`message`], [`effect`] | what actors tell each other, and what a core may ask for |
//! | [`intake`] | takes bundles from devices: bounds, decoding, duplicates, back-pressure |
//! | [`verifier`] | checks proofs in batches on a pool of threads |
//! | [`party`] | one aggregator: de-duplicates, holds shares, agrees on batches, opens totals |
//! | [`coordinator`] | moves the phases of an epoch |
//! | [`settlement`] | speaks to the chain: beacon, headers, root, totals, payouts |
//! | [`journal`] | a party's votes on disk |
//! | [`transport`], [`actor`], [`system`] | links, the actix shell, wiring |
//! | [`client`] | a subscriber's device: from a usage log to receipts of every bundle |
//! | [`issuer`] | services that sign tokens and bandwidth receipts blindly |
//!
//! A core is synchronous and deterministic: `(state, message) -> effects`. It has no clock, no socket and no randomness
//! but what it was given. The shells deliver messages and carry effects out.

pub mod actor;
pub mod client;
pub mod coordinator;
pub mod effect;
pub mod intake;
pub mod issuer;
pub mod journal;
pub mod message;
pub mod party;
mod private;
pub mod settlement;
pub mod system;
pub mod transport;
pub mod verifier;

pub use effect::{Core, Effect, Event, Refusal};
pub use message::{Address, Message, Phase};
pub use party::{PartySecrets, Shelf, ShelfError, evidence::Evidence};
pub use settlement::{Office, Plan};
pub use system::{Config, Disguise, Operation, Running, Summary, start, start_with};

#[cfg(test)]
mod tests;
