//! Ecological assets, and what oracles report of them.

use super::Offer;
use crate::state::{
    Fields, ToFelts,
    fields::{number_enum, record},
    key_part, leaf,
};
use primitives::{BasisPoints, CodecError, Credits, Decode, Digest, Encode, PersonId, Reader, Time, Writer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of an asset: the hash of the document that gives title to it, so that nothing is bought twice on one title.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetId(pub Digest);

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Encode for AssetId {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for AssetId {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Digest::decode(r).map(Self)
    }
}

impl ToFelts for AssetId {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0);
    }
}

key_part!(Identifier: AssetId);

number_enum! {
    /// Kinds of ecological assets (chain spec 3.7).
    EcoKind("kind of ecological asset") {
        /// Land.
        Land = 0,
        /// A right that keeps land from being used up.
        Conservation = 1,
        /// A contract for the removal of carbon dioxide.
        Carbon = 2,
        /// A right to water.
        Water = 3,
        /// A right that protects species.
        Biodiversity = 4,
        /// Something else that was vetted.
        Other = 5,
    }
}

/// What monitoring, reporting and verification say that an asset protects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mrv {
    /// Thousandths of a hectare that are protected.
    pub hectares: u64,
    /// Thousandths of a tonne of carbon dioxide that were removed.
    pub tonnes: u64,
}

record!(Mrv { hectares, tonnes });

/// What an asset is worth, at what risk, and what it protects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Its value.
    pub value: Credits,
    /// What is taken off it for risk.
    pub haircut: BasisPoints,
    /// What it protects.
    pub mrv: Mrv,
}

record!(Figures { value, haircut, mrv });

impl Figures {
    /// What is left of the value after the haircut.
    pub fn after_haircut(&self) -> Credits {
        let kept = BasisPoints::new(BasisPoints::WHOLE.get() - self.haircut.get());
        self.value.share(kept.expect("a haircut is at most the whole"))
    }
}

/// Figures, and the moment that they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valuation {
    /// The figures.
    pub figures: Figures,
    /// When the oldest of the reports behind them was made.
    pub at: Time,
}

record!(Valuation { figures, at });

/// What has become of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EcoStatus {
    /// It belongs to the reserve.
    Held,
    /// It belongs to the reserve and is offered.
    ForSale(Offer),
    /// It was sold.
    Disposed {
        /// To whom.
        buyer: PersonId,
        /// What it brought.
        proceeds: Credits,
    },
}

impl Encode for EcoStatus {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Held => w.raw(&[0]),
            Self::ForSale(offer) => {
                w.raw(&[1]);
                offer.encode(w);
            }
            Self::Disposed { buyer, proceeds } => {
                w.raw(&[2]);
                buyer.encode(w);
                proceeds.encode(w);
            }
        }
    }
}

impl Decode for EcoStatus {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match r.array::<1>()?[0] {
            0 => Ok(Self::Held),
            1 => Decode::decode(r).map(Self::ForSale),
            2 => Ok(Self::Disposed { buyer: Decode::decode(r)?, proceeds: Decode::decode(r)? }),
            _ => Err(CodecError::Invalid { what: "status of an asset" }),
        }
    }
}

impl ToFelts for EcoStatus {
    fn felts(&self, out: &mut Fields) {
        match self {
            Self::Held => out.push(&0u8),
            Self::ForSale(offer) => out.push(&1u8).push(offer),
            Self::Disposed { buyer, proceeds } => out.push(&2u8).push(buyer).push(proceeds),
        };
    }
}

/// An ecological asset that was bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcoAsset {
    /// Its name, the hash of the document that gives title to it.
    pub id: AssetId,
    /// What kind it is.
    pub kind: EcoKind,
    /// Hash of the reference to the legal entity that holds it.
    pub entity: Digest,
    /// Who sold it.
    pub seller: PersonId,
    /// What it cost.
    pub cost: Credits,
    /// When it was bought.
    pub acquired: Time,
    /// What counts of it.
    pub valuation: Valuation,
    /// What oracles report and governance has not approved yet.
    pub pending: Option<Valuation>,
    /// How often reports were taken together or dropped. A report counts in the round that it was made in.
    pub round: u32,
    /// What has become of it.
    pub status: EcoStatus,
}

record!(EcoAsset { id, kind, entity, seller, cost, acquired, valuation, pending, round, status });

impl EcoAsset {
    /// Whether it belongs to the reserve.
    pub fn is_held(&self) -> bool {
        !matches!(self.status, EcoStatus::Disposed { .. })
    }

    /// Whether its valuation is older than valuations may be.
    pub fn is_stale(&self, now: Time, report_age: u32) -> bool {
        now > self.valuation.at.after(report_age)
    }

    /// Whether somebody gains by what is said of it: who sold it, or whom it is offered to.
    pub(super) fn concerns(&self, person: PersonId) -> bool {
        let offered = matches!(&self.status, EcoStatus::ForSale(offer) if offer.buyer == person);
        offered || self.seller == person
    }
}

leaf!(EcoAsset by id: AssetId);

/// What an oracle last reported of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcoReport {
    /// The asset.
    pub asset: AssetId,
    /// Who reports.
    pub oracle: PersonId,
    /// What.
    pub figures: Figures,
    /// Hash of the document that says so.
    pub document: Digest,
    /// Round of the asset in which it was made.
    pub round: u32,
    /// When.
    pub at: Time,
}

record!(EcoReport { asset, oracle, figures, document, round, at });

leaf!(EcoReport by asset: AssetId, oracle: PersonId);
