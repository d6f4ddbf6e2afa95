//! What stands between people and the ledger: credentials, and the wallets that people have already.
//!
//! [`credential`] is for the edge: a registrar checks a credential before it signs a registration, and the ledger sees
//! a commitment and a nullifier only. [`typed`] is what an Ethereum wallet shows and signs, and the ledger accepts.
//! [`keyfile`] keeps an account's own key on a disk. [`manifest`] is what a creator says of a work, and [`address`]
//! how an account on L1 is written.

pub mod address;
pub mod credential;
pub mod keyfile;
pub mod manifest;
pub mod typed;
