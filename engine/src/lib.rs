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
//! | [`transport`], [`actor`], [`actors`] | mailboxes and what leaves a host, the actix shell, all shells of a process |
//! | [`system`] | three parties in one process |
//! | [`link`] | TLS between the hosts of the parties: what is sent arrives once, in order, across breaks |
//! | [`store`] | all that a party has on disk, and how it is found again after a crash |
//! | [`opening`] | what an epoch opened with, for settlement and for devices |
//! | [`api`] | a party's HTTP API |
//! | [`telemetry`] | what an operator sees of a party |
//! | [`host`] | one party's process: its actors, links, store, API and node |
//! | [`doctor`] | what is wrong with a host, or will be |
//! | [`client`] | a subscriber's device: from a usage log to receipts of every bundle |
//! | [`issuer`] | services that sign tokens and bandwidth receipts blindly |
//!
//! A core is synchronous and deterministic: `(state, message) -> effects`. It has no clock, no socket and no randomness
//! but what it was given. The shells deliver messages and carry effects out.

pub mod actor;
pub mod actors;
pub mod api;
pub mod client;
pub mod coordinator;
pub mod doctor;
pub mod effect;
pub mod host;
pub mod intake;
pub mod issuer;
pub mod link;
pub mod message;
pub mod opening;
pub mod party;
mod private;
pub mod settlement;
pub mod store;
pub mod system;
pub mod telemetry;
pub mod transport;
pub mod verifier;

pub use effect::{Core, Effect, Event, Refusal};
pub use message::{Address, Message, Phase};
pub use party::{PartySecrets, Shelf, ShelfError, evidence::Evidence};
pub use settlement::{Office, Offices, Plan};
pub use system::{Config, Disguise, Operation, Running, Summary, start};

#[cfg(test)]
mod tests;
