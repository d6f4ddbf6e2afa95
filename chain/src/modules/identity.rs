//! Who may do what: persons and organisations on record, their roles and status (chain spec 3.4).
//!
//! The module holds commitments and hashes only. What a credential says stays off the chain.

mod actions;
mod check;
mod rules;
mod types;
mod wallet;

pub use actions::{Register, Rotate, SetStatus};
pub use check::IdentityError;
pub(crate) use check::{acts_as, move_to, register, rotate, set_roles, set_status};
pub use rules::IdentityRules;
pub use types::{Identity, Nullifier, Roles, Status};
pub(crate) use wallet::bind_wallet;
pub use wallet::{BindWallet, WalletBinding};
