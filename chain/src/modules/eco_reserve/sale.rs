//! How an asset is sold.

use super::{BuyAsset, EcoChange, EcoError, EcoStatus, Sold, decide::held, journal::record};
use crate::{
    ledger::Context,
    modules::treasury::{self, Fund},
    state::Draft,
};
use primitives::PersonId;

/// Runs [`BuyAsset`]: the price goes to the Eco-Reserve's fund and the asset to the buyer, or neither.
pub(crate) fn buy_asset(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &BuyAsset,
) -> Result<(), EcoError> {
    let BuyAsset { asset, price } = *action;
    let mut sold = held(draft, asset)?;
    let EcoStatus::ForSale(offer) = sold.status else {
        return Err(EcoError::NotForSale { asset });
    };
    if signer != offer.buyer {
        return Err(EcoError::NotTheBuyer { asset, buyer: offer.buyer });
    }
    if at.now > offer.until {
        return Err(EcoError::OfferOver { asset, until: offer.until });
    }
    if price != offer.price {
        return Err(EcoError::Price { asset, expected: offer.price, found: price });
    }
    treasury::debit(draft, signer, price)?;
    treasury::fill(draft, Fund::Eco, price)?;
    (sold.status, sold.pending) = (EcoStatus::Disposed { buyer: signer, proceeds: price }, None);
    draft.put(sold);
    record(draft, at, EcoChange::Sold(Sold { asset, buyer: signer, price }));
    Ok(())
}
