//! The ledger's modules. Each owns its records, its actions with their guards, and its queries (chain spec 3).
//!
//! An action runs against a [`crate::state::Draft`]: it reads through the draft, checks, and writes into the draft.
//! The state changes only when a draft is committed, so a refused action leaves no trace.

pub mod dapr;
pub mod eco_reserve;
pub mod governance;
pub mod identity;
pub mod node_rewards;
pub mod treasury;
pub mod usage;
pub mod work_registry;
