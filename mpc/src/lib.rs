//! Three-party computation over the scalars of ristretto255: synchronous cores without input or output.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`share`] | replicated shares of per-group totals, and how a party accumulates them |
//! | [`opening`] | the joint opening of totals, with a proof that names whoever opens wrongly |
//!
//! Any two of the three parties hold every share, one alone holds nothing that says anything (protocol notes, section
//! 4). A protocol is a chain of typestates: a transition consumes its state and returns the next one with the message
//! to send, so that a step taken out of order does not compile. The engine carries the messages.

pub mod opening;
pub mod share;
