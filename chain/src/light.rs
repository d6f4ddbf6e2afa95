//! The public record of an epoch, and its check from scratch by anybody, offline (spec 11.3 "verifiable by light
//! clients"; chain notes, section 1).
//!
//! A record holds everything that an epoch's figures follow from. [`verify()`] recomputes every one of them: the
//! beacon key, the chain of headers with its signatures, the tally proof, weights, shares of revenue, payouts, splits,
//! the payout root, reputation, health, and the epoch's leaf in the state. What cannot be recomputed, such as
//! prices, is bound by that leaf.
//!
//! A record alone says that it is consistent. Whoever knows a state root from elsewhere, from L1 or from a node
//! that they trust, passes it in and learns that it is *this* chain's record; an attacker who makes up a committee, a
//! state and all figures gets as far as [`Anchoring::NotAnchored`] and no further.

pub mod audit;
mod decimal;
pub mod figures;
pub mod finding;
pub mod record;
mod restore;
pub mod signers;
pub mod verify;

pub use decimal::{Decimal128, Decimal256};
pub use finding::Finding;
pub use record::{EpochRecord, RecordError, record};
pub use signers::{ContextError, IssuerRecord, ReceiptSignerRecord, SignerKeys};
pub use verify::{Anchoring, Refused, Verdict, verify};
