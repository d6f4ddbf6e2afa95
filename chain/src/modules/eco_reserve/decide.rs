//! What governance decides of assets. It calls these functions for a proposal that passed, and nobody else does.

use super::{
    Acquisition, AssetId, EcoAsset, EcoChange, EcoError, EcoStatus, Offer, Offered, Valuation,
    journal::record,
};
use crate::{
    ledger::Context,
    modules::{
        governance::DAY,
        treasury::{self, Account, Fund, TreasuryError},
    },
    state::Draft,
};

/// Longest time for which an asset is offered: nothing else is done with it meanwhile, and a price that was fair a year
/// ago is none.
pub const MAX_OFFER_SECONDS: u32 = 366 * DAY;

/// An asset on record.
pub(super) fn known(draft: &Draft<'_>, asset: AssetId) -> Result<EcoAsset, EcoError> {
    draft.get::<EcoAsset>(&asset).cloned().ok_or(EcoError::Unknown { asset })
}

/// An asset that belongs to the reserve.
pub(crate) fn held(draft: &Draft<'_>, asset: AssetId) -> Result<EcoAsset, EcoError> {
    let record = known(draft, asset)?;
    if record.is_held() { Ok(record) } else { Err(EcoError::Disposed { asset }) }
}

/// Buys an asset from the Eco-Reserve's fund (chain spec 6.5: "Governance: decides on large acquisitions").
pub(crate) fn acquire(draft: &mut Draft<'_>, at: &Context<'_>, action: &Acquisition) -> Result<(), EcoError> {
    let Acquisition { title, kind, entity, seller, cost, haircut, .. } = *action;
    if draft.has::<EcoAsset>(&title) {
        return Err(EcoError::AlreadyAcquired { asset: title });
    }
    // Chain spec 3.7: "governance-controlled policies for [...] risk haircuts and valuations".
    let least = draft.base().in_force(at.genesis).rules.eco.haircuts.of(kind);
    if haircut < least {
        return Err(EcoError::Haircut { kind, least, found: haircut });
    }
    treasury::drain(draft, Fund::Eco, cost)?;
    treasury::credit(draft, seller, cost)?;
    draft.put(EcoAsset {
        id: title,
        kind,
        entity,
        seller,
        cost,
        acquired: at.now,
        valuation: Valuation { figures: action.figures(), at: at.now },
        pending: None,
        round: 0,
        status: EcoStatus::Held,
    });
    record(draft, at, EcoChange::Acquired(action.clone()));
    Ok(())
}

/// Offers an asset to one buyer, who pays by [`super::BuyAsset`].
pub(crate) fn offer(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    asset: AssetId,
    offer: &Offer,
) -> Result<(), EcoError> {
    let mut record_of = held(draft, asset)?;
    // What is offered to one is not offered to another before that is over.
    if let EcoStatus::ForSale(before) = &record_of.status
        && at.now <= before.until
    {
        return Err(EcoError::OfferStands { asset, buyer: before.buyer });
    }
    if offer.until < at.now {
        return Err(EcoError::OfferOver { asset, until: offer.until });
    }
    let latest = at.now.after(MAX_OFFER_SECONDS);
    if offer.until > latest {
        return Err(EcoError::OfferTooLong { asset, until: offer.until, latest });
    }
    if !draft.has::<Account>(&offer.buyer) {
        return Err(TreasuryError::NoAccount { person: offer.buyer }.into());
    }
    record_of.status = EcoStatus::ForSale(offer.clone());
    draft.put(record_of);
    record(draft, at, EcoChange::Offered(Offered { asset, offer: offer.clone() }));
    Ok(())
}

/// Takes an offer back.
pub(crate) fn withdraw_offer(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    asset: AssetId,
) -> Result<(), EcoError> {
    let mut record_of = held(draft, asset)?;
    if record_of.status == EcoStatus::Held {
        return Err(EcoError::NotForSale { asset });
    }
    record_of.status = EcoStatus::Held;
    draft.put(record_of);
    record(draft, at, EcoChange::Withdrawn(asset));
    Ok(())
}

/// Approves the valuation that waits (chain spec 6.5: "approves or rejects oracle updates"). The round says which: what
/// was voted on is what is approved, and nothing that was reported since.
pub(crate) fn approve_valuation(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    asset: AssetId,
    round: u32,
) -> Result<(), EcoError> {
    let mut record_of = held(draft, asset)?;
    let pending = record_of.pending.take().ok_or(EcoError::NothingPending { asset })?;
    if round != record_of.round {
        return Err(EcoError::OtherRound { asset, expected: record_of.round, found: round });
    }
    let until = pending.at.after(draft.base().in_force(at.genesis).rules.eco.report_age);
    if at.now > until {
        return Err(EcoError::Lapsed { asset, until });
    }
    record_of.valuation = pending;
    draft.put(record_of);
    record(draft, at, EcoChange::Approved(asset));
    Ok(())
}

/// Drops what oracles reported of an asset, and the valuation that waits if one does.
pub(crate) fn reject_valuation(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    asset: AssetId,
) -> Result<(), EcoError> {
    let mut record_of = held(draft, asset)?;
    record_of.pending = None;
    record_of.round += 1;
    draft.put(record_of);
    record(draft, at, EcoChange::Rejected(asset));
    Ok(())
}
