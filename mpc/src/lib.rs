//! Three-party computation over the scalars of ristretto255: synchronous cores without input or output.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`prss`] | randomness in common without a message |
//! | [`replicated`] | shares in F_l, and what is linear in them |
//! | [`session`] | protocols in rounds, and how they are run without a runtime |
//! | [`checked`] | numbers that carry a check, verified before anything is opened |
//! | `binary`, `element` | bits that carry a check in the field of 2^128, the same |
//! | `masked`, `adder`, `convert` | from numbers to bits and back |
//! | [`threshold`] | which cells have enough listeners |
//! | [`diversity`] | sums of squares over regions |
//! | [`share`] | replicated shares of per-group totals, and how a party accumulates them |
//! | [`opening`] | the joint opening of totals, with a proof that names whoever opens wrongly |
//! | `views` | for tests: whether views tell two inputs apart |
//!
//! Any two of the three parties hold every share, one alone holds nothing that says anything (protocol notes, section
//! 4). A protocol is a chain of typestates: a transition consumes its state and returns the next one with the message
//! to send, so that a step taken out of order does not compile; one of many rounds is an `async` function that is run by
//! hand. The engine carries the messages.

mod adder;
mod binary;
pub mod checked;
mod convert;
pub mod diversity;

mod element;
mod masked;
pub mod opening;
pub mod prss;
pub mod replicated;
pub mod session;
pub mod share;
pub mod step;
#[cfg(test)]
mod testing;
pub mod threshold;
#[cfg(any(test, feature = "testing"))]
pub mod views;
