//! What governance, oracles and buyers do with ecological assets.

use super::{AssetId, EcoKind, Figures, Mrv};
use crate::state::fields::record;
use primitives::{BasisPoints, Credits, Digest, PersonId, Time, codec_struct};

/// An asset that governance buys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// Hash of the document that gives title to it. It becomes the asset's name.
    pub title: AssetId,
    /// What kind of asset it is.
    pub kind: EcoKind,
    /// Hash of the reference to the legal entity that holds it.
    pub entity: Digest,
    /// Who sells it.
    ///
    /// Sellers are paid on the ledger, to an account like any other, and redeem from there: so there is one way out of
    /// the ledger, and whoever is paid from the reserve is on record.
    pub seller: PersonId,
    /// What it costs. It counts as worth that until oracles say otherwise; of what is given for nothing, nothing.
    pub cost: Credits,
    /// What is taken off its value for risk.
    pub haircut: BasisPoints,
    /// What it protects.
    pub mrv: Mrv,
}

codec_struct!(Acquisition { title, kind, entity, seller, cost, haircut, mrv });

impl Acquisition {
    /// What counts of the asset until oracles say otherwise.
    pub(super) fn figures(&self) -> Figures {
        Figures { value: self.cost, haircut: self.haircut, mrv: self.mrv }
    }
}

/// To whom governance offers an asset, and at what price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who may buy it.
    pub buyer: PersonId,
    /// At what price.
    pub price: Credits,
    /// Until when. An offer without an end would be an option that costs nothing.
    pub until: Time,
}

record!(Offer { buyer, price, until });

/// Reports what an asset is worth and protects. Signed by an oracle; the latest of each counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushValuation {
    /// The asset.
    pub asset: AssetId,
    /// What it is worth, at what risk, and what it protects.
    pub figures: Figures,
    /// Hash of the document that says so. It serves an oracle once.
    pub document: Digest,
}

codec_struct!(PushValuation { asset, figures, document });

/// Takes what enough oracles report of an asset. Nobody signs it: the result is the same whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptValuation {
    /// The asset.
    pub asset: AssetId,
    /// Its round. A later acceptance is another transaction, with an identifier of its own.
    pub round: u32,
}

codec_struct!(AcceptValuation { asset, round });

/// Buys an asset. Signed by the buyer that it is offered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyAsset {
    /// The asset.
    pub asset: AssetId,
    /// The price, so that a buyer pays what they saw and nothing else.
    pub price: Credits,
}

codec_struct!(BuyAsset { asset, price });
