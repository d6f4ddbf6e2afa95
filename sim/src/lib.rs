//! Multi-party simulator: the workload of an epoch, a world to run it in, a whole epoch from devices to claims, the
//! checks of its outcome, and the report of a run.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`workload`] | who subscribes, what they play, who made it |
//! | [`world`] | what a workload lacks to happen: keys, accounts, registered works |
//! | [`device`], [`adversary`] | honest bundles, and those that must be refused |
//! | [`demo`] | one epoch through the real actors, and its run folder |
//! | [`hosts`] | one epoch across processes, each party a host of its own |
//! | [`economics`] | one epoch on paper, many times: payouts, fairness and attacks under other parameters |
//! | [`impact`] | what a change of parameters would do, as a page |
//! | [`check`] | a plaintext count by other code |
//! | [`report`] | the run as a page |
//! | [`folder`] | folders that are there as a whole or not at all |
//!
//! Everything is drawn from one seed, and nothing that is written depends on the number of threads.

pub mod adversary;
pub mod check;
pub mod demo;
pub mod device;
pub mod economics;
pub mod folder;
pub mod hosts;
pub mod impact;
pub mod progress;
pub mod report;
pub mod rogue;
pub mod workload;
pub mod world;
