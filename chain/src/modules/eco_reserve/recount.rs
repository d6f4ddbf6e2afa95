//! The reserve computed again, from its journal and what epochs brought, by code that shares nothing with the actions.

use super::{Acquisition, AssetId, EcoAsset, EcoChange, EcoEvent, EcoStatus, Valuation};
use primitives::{Credits, Time};
use std::collections::BTreeMap;
use thiserror::Error;

/// The first thing in a journal that does not follow from what comes before it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// An entry is missing, or there are two.
    #[error("entry {found} stands where {expected} should")]
    Number {
        /// The next number.
        expected: u64,
        /// Number found.
        found: u64,
    },
    /// An entry is from before the one before it.
    #[error("entry {number} is from before the one before it")]
    Order {
        /// Its number.
        number: u64,
    },
    /// An entry is about an asset that was not bought, or not any more held.
    #[error("entry {number} is about asset {asset}, which is not held")]
    NotHeld {
        /// Its number.
        number: u64,
        /// The asset.
        asset: AssetId,
    },
    /// An asset is bought twice.
    #[error("entry {number} buys asset {asset} again")]
    BoughtTwice {
        /// Its number.
        number: u64,
        /// The asset.
        asset: AssetId,
    },
    /// An asset is offered while an offer stands, or an offer is taken back that nobody made.
    #[error("entry {number} offers asset {asset} again, or takes back an offer that nobody made")]
    Offer {
        /// Its number.
        number: u64,
        /// The asset.
        asset: AssetId,
    },
    /// An asset is sold otherwise than it was offered.
    #[error("entry {number} sells asset {asset} otherwise than it was offered")]
    Sale {
        /// Its number.
        number: u64,
        /// The asset.
        asset: AssetId,
    },
    /// A valuation is approved that nobody proposed.
    #[error("entry {number} approves a valuation of asset {asset} that nobody proposed")]
    Approval {
        /// Its number.
        number: u64,
        /// The asset.
        asset: AssetId,
    },
    /// More left the fund than epochs and sales brought to it.
    #[error("{out} units left the fund, and {received} came into it")]
    Overdrawn {
        /// Units that came into it.
        received: u128,
        /// Units that left it.
        out: u128,
    },
}

/// The reserve as its journal says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// Assets ever bought.
    pub assets: BTreeMap<AssetId, EcoAsset>,
    /// Balance of the fund.
    pub fund: u128,
}

/// Computes the reserve from its journal, in order of numbers, and what each settled epoch brought.
pub fn recount<'a>(
    journal: impl IntoIterator<Item = &'a EcoEvent>,
    epochs: impl IntoIterator<Item = Credits>,
) -> Result<Recount, JournalError> {
    let mut assets = BTreeMap::new();
    let mut received: u128 = epochs.into_iter().map(|brought| u128::from(brought.0)).sum();
    let mut out = 0;
    let mut last = Time(0);
    for (expected, event) in (0..).zip(journal) {
        let number = event.number;
        if number != expected {
            return Err(JournalError::Number { expected, found: number });
        }
        if event.at < last {
            return Err(JournalError::Order { number });
        }
        last = event.at;
        received += u128::from(event.what.credits_in().0);
        out += u128::from(event.what.credits_out().0);
        follow(&mut assets, event)?;
    }
    let fund = received.checked_sub(out).ok_or(JournalError::Overdrawn { received, out })?;
    Ok(Recount { assets, fund })
}

fn follow(assets: &mut BTreeMap<AssetId, EcoAsset>, event: &EcoEvent) -> Result<(), JournalError> {
    let number = event.number;
    let Some(id) = event.what.asset() else { return Ok(()) };
    if let EcoChange::Acquired(bought) = &event.what {
        return match assets.insert(id, bought_at(bought, event.at)) {
            None => Ok(()),
            Some(_) => Err(JournalError::BoughtTwice { number, asset: id }),
        };
    }
    let held = assets.get_mut(&id).filter(|asset| asset.is_held());
    let asset = held.ok_or(JournalError::NotHeld { number, asset: id })?;
    match &event.what {
        EcoChange::Acquired(_) | EcoChange::Spent(_) => {}
        EcoChange::Offered(offered) => {
            if matches!(&asset.status, EcoStatus::ForSale(before) if event.at <= before.until) {
                return Err(JournalError::Offer { number, asset: id });
            }
            asset.status = EcoStatus::ForSale(offered.offer.clone());
        }
        EcoChange::Withdrawn(_) if asset.status == EcoStatus::Held => {
            return Err(JournalError::Offer { number, asset: id });
        }
        EcoChange::Withdrawn(_) => asset.status = EcoStatus::Held,
        EcoChange::Sold(sold) => {
            let EcoStatus::ForSale(offer) = &asset.status else {
                return Err(JournalError::Sale { number, asset: id });
            };
            if (offer.buyer, offer.price) != (sold.buyer, sold.price) || event.at > offer.until {
                return Err(JournalError::Sale { number, asset: id });
            }
            asset.status = EcoStatus::Disposed { buyer: sold.buyer, proceeds: sold.price };
            asset.pending = None;
        }
        EcoChange::Valued(valued) => {
            asset.valuation = Valuation { figures: valued.figures, at: valued.oldest };
            asset.pending = None;
            asset.round += 1;
        }
        EcoChange::Proposed(valued) => {
            asset.pending = Some(Valuation { figures: valued.figures, at: valued.oldest });
            asset.round += 1;
        }
        EcoChange::Approved(_) => {
            let pending = asset.pending.take();
            asset.valuation = pending.ok_or(JournalError::Approval { number, asset: id })?;
        }
        EcoChange::Rejected(_) => {
            asset.pending = None;
            asset.round += 1;
        }
    }
    Ok(())
}

fn bought_at(bought: &Acquisition, at: Time) -> EcoAsset {
    EcoAsset {
        id: bought.title,
        kind: bought.kind,
        entity: bought.entity,
        seller: bought.seller,
        cost: bought.cost,
        acquired: at,
        valuation: Valuation { figures: bought.figures(), at },
        pending: None,
        round: 0,
        status: EcoStatus::Held,
    }
}
