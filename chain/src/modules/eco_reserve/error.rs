//! Why the Eco-Reserve refuses.

use super::{AssetId, EcoKind};
use crate::modules::treasury::TreasuryError;
use primitives::{BasisPoints, Credits, PersonId, Time};
use thiserror::Error;

/// Which rule of the Eco-Reserve is broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EcoError {
    /// There is no such asset.
    #[error("there is no asset {asset}")]
    Unknown {
        /// The asset.
        asset: AssetId,
    },
    /// Something was bought on this title before.
    #[error("asset {asset} was bought before")]
    AlreadyAcquired {
        /// The asset.
        asset: AssetId,
    },
    /// The haircut is below what the rules ask for.
    #[error(
        "a haircut of {found} basis points on an asset of kind {kind:?}, for which {least} are the least"
    )]
    Haircut {
        /// Kind of the asset.
        kind: EcoKind,
        /// Least haircut of its kind.
        least: BasisPoints,
        /// Haircut found.
        found: BasisPoints,
    },
    /// The asset was sold.
    #[error("asset {asset} was sold")]
    Disposed {
        /// The asset.
        asset: AssetId,
    },
    /// The asset is offered to somebody, and the offer is not over.
    #[error("asset {asset} is offered to {buyer} already")]
    OfferStands {
        /// The asset.
        asset: AssetId,
        /// To whom it is offered.
        buyer: PersonId,
    },
    /// The asset is not for sale.
    #[error("asset {asset} is not for sale")]
    NotForSale {
        /// The asset.
        asset: AssetId,
    },
    /// The offer is over.
    #[error("the offer of asset {asset} is over since {until}")]
    OfferOver {
        /// The asset.
        asset: AssetId,
        /// Until when it stands.
        until: Time,
    },
    /// The offer would stand too long.
    #[error("asset {asset} would be offered until {until}, and no offer stands longer than until {latest}")]
    OfferTooLong {
        /// The asset.
        asset: AssetId,
        /// Until when it would stand.
        until: Time,
        /// Until when an offer of now may stand.
        latest: Time,
    },
    /// The asset is offered to somebody else.
    #[error("asset {asset} is offered to {buyer}, who did not sign")]
    NotTheBuyer {
        /// The asset.
        asset: AssetId,
        /// To whom it is offered.
        buyer: PersonId,
    },
    /// The asset is offered at another price.
    #[error("asset {asset} is offered at {expected}, not at {found}")]
    Price {
        /// The asset.
        asset: AssetId,
        /// Price of the offer.
        expected: Credits,
        /// Price named.
        found: Credits,
    },
    /// Somebody else than an oracle reports.
    #[error("{signer} is no oracle")]
    NotOracle {
        /// Who signed.
        signer: PersonId,
    },
    /// The oracle sold the asset or may buy it.
    #[error("{signer} sold asset {asset} or may buy it, and cannot value it")]
    Interested {
        /// The asset.
        asset: AssetId,
        /// Who signed.
        signer: PersonId,
    },
    /// The asset was valued a short while ago.
    #[error("asset {asset} is not valued anew before {earliest}")]
    TooSoon {
        /// The asset.
        asset: AssetId,
        /// When reports count again.
        earliest: Time,
    },
    /// Too few reports count.
    #[error("{found} reports of asset {asset} count, but {expected} have to")]
    TooFewReports {
        /// The asset.
        asset: AssetId,
        /// Reports that have to count.
        expected: usize,
        /// Reports that do.
        found: usize,
    },
    /// A valuation of the asset waits for governance.
    #[error("a valuation of asset {asset} from round {round} waits for governance")]
    AwaitsGovernance {
        /// The asset.
        asset: AssetId,
        /// Round of the valuation that waits.
        round: u32,
    },
    /// No valuation of the asset waits.
    #[error("no valuation of asset {asset} waits")]
    NothingPending {
        /// The asset.
        asset: AssetId,
    },
    /// Governance approves another valuation than the one that waits.
    #[error("the valuation of asset {asset} that waits is from round {expected}, not {found}")]
    OtherRound {
        /// The asset.
        asset: AssetId,
        /// Round of the valuation that waits.
        expected: u32,
        /// Round named.
        found: u32,
    },
    /// The valuation that waits is too old by now.
    #[error("the valuation of asset {asset} that waits was too old after {until}")]
    Lapsed {
        /// The asset.
        asset: AssetId,
        /// Until when it could be approved.
        until: Time,
    },
    /// A movement of credits fails, or a document has served before.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
}
