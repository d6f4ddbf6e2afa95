//! The Eco-Reserve: ecological assets, what they cost, what they are worth, and what they protect (chain spec 3.7).
//!
//! Governance buys and offers assets. Oracles report what they are worth and protect; the lower median of enough of
//! them counts, and a change that is too large waits for governance. Whatever happens to an asset is in a journal from
//! which anybody can compute the whole reserve again.

mod actions;
mod assets;
mod decide;
mod error;
mod journal;
mod recount;
mod rules;
mod sale;
mod totals;
mod valuation;

pub use actions::{AcceptValuation, Acquisition, BuyAsset, Offer, PushValuation};
pub use assets::{AssetId, EcoAsset, EcoKind, EcoReport, EcoStatus, Figures, Mrv, Valuation};
pub use decide::MAX_OFFER_SECONDS;
pub(crate) use decide::{acquire, approve_valuation, held, offer, reject_valuation, withdraw_offer};
pub use error::EcoError;
pub(crate) use journal::record_spending;
pub use journal::{EcoChange, EcoEvent, Offered, Sold, Spent, Valued};
pub use recount::{JournalError, Recount, recount};
pub use rules::{EcoRules, Haircuts};
pub(crate) use sale::buy_asset;
pub use totals::{EcoTotals, totals};
pub(crate) use valuation::{accept_valuation, push_valuation};

#[cfg(test)]
mod tests;
