//! The journal: whatever happens to an asset, in order, with the credits that it moves (chain spec 6.5, "how they
//! evolved over time").

use super::{Acquisition, AssetId, Figures, Offer};
use crate::{
    ledger::Context,
    poseidon::Felt,
    state::{
        Draft, Leaf, TableId, ToFelts,
        fields::{Bytes, codec_enum},
    },
};
use primitives::{CodecError, Credits, Decode, Digest, Encode, PersonId, Reader, Time, Writer, codec_struct};

/// Most reports that one valuation is made of: as many as there are offices at most.
pub(super) const MAX_REPORTS: usize = 256;

/// An asset was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The asset.
    pub asset: AssetId,
    /// To whom, and at what price.
    pub offer: Offer,
}

codec_struct!(Offered { asset, offer });

/// An asset was sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The asset.
    pub asset: AssetId,
    /// To whom.
    pub buyer: PersonId,
    /// What it brought.
    pub price: Credits,
}

codec_struct!(Sold { asset, buyer, price });

/// Reports of an asset were taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valued {
    /// The asset.
    pub asset: AssetId,
    /// What they come to.
    pub figures: Figures,
    /// When the oldest of them was made.
    pub oldest: Time,
    /// Who reported, by which document.
    pub reports: Vec<(PersonId, Digest)>,
}

impl Encode for Valued {
    fn encode(&self, w: &mut Writer) {
        self.asset.encode(w);
        self.figures.encode(w);
        self.oldest.encode(w);
        w.seq(&self.reports);
    }
}

impl Decode for Valued {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            asset: Decode::decode(r)?,
            figures: Decode::decode(r)?,
            oldest: Decode::decode(r)?,
            reports: r.seq(MAX_REPORTS)?,
        })
    }
}

/// Governance paid from the Eco-Reserve's fund for something that is no asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// To whom.
    pub to: PersonId,
    /// How much.
    pub amount: Credits,
}

codec_struct!(Spent { to, amount });

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EcoChange {
    /// An asset was bought.
    Acquired(Acquisition),
    /// It was offered.
    Offered(Offered),
    /// The offer was taken back.
    Withdrawn(AssetId),
    /// It was sold.
    Sold(Sold),
    /// It was valued anew.
    Valued(Valued),
    /// A valuation waits for governance.
    Proposed(Valued),
    /// Governance approved the valuation that waited.
    Approved(AssetId),
    /// Governance dropped what was reported.
    Rejected(AssetId),
    /// Governance paid for something else.
    Spent(Spent),
}

codec_enum!(EcoChange("event of the Eco-Reserve") {
    0 => Acquired,
    1 => Offered,
    2 => Withdrawn,
    3 => Sold,
    4 => Valued,
    5 => Proposed,
    6 => Approved,
    7 => Rejected,
    8 => Spent,
});

impl EcoChange {
    /// Credits that left the Eco-Reserve's fund.
    pub fn credits_out(&self) -> Credits {
        match self {
            Self::Acquired(acquisition) => acquisition.cost,
            Self::Spent(spent) => spent.amount,
            _ => Credits::ZERO,
        }
    }

    /// Credits that came into it. What epochs bring is in their own records.
    pub fn credits_in(&self) -> Credits {
        match self {
            Self::Sold(sold) => sold.price,
            _ => Credits::ZERO,
        }
    }

    /// The asset that it happened to, if it did to one.
    pub fn asset(&self) -> Option<AssetId> {
        match self {
            Self::Acquired(acquisition) => Some(acquisition.title),
            Self::Offered(offered) => Some(offered.asset),
            Self::Sold(sold) => Some(sold.asset),
            Self::Valued(valued) | Self::Proposed(valued) => Some(valued.asset),
            Self::Withdrawn(asset) | Self::Approved(asset) | Self::Rejected(asset) => Some(*asset),
            Self::Spent(_) => None,
        }
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcoEvent {
    /// Its number. They grow by one, from 0.
    pub number: u64,
    /// When.
    pub at: Time,
    /// What happened.
    pub what: EcoChange,
}

codec_struct!(EcoEvent { number, at, what });

impl Leaf for EcoEvent {
    type Key = u64;
    const TABLE: TableId = TableId::EcoEvent;
    fn key(&self) -> u64 {
        self.number
    }
    fn value(&self) -> Vec<Felt> {
        Bytes(&self.to_bytes()).to_felts()
    }
}

/// Writes the next entry.
pub(super) fn record(draft: &mut Draft<'_>, at: &Context<'_>, what: EcoChange) {
    // One transaction may write several: governance enacts all of a proposal at once.
    let mut number = draft.base().eco_events.len() as u64;
    while draft.has::<EcoEvent>(&number) {
        number += 1;
    }
    draft.put(EcoEvent { number, at: at.now, what });
}

/// Writes that governance paid from the fund for something that is no asset.
pub(crate) fn record_spending(draft: &mut Draft<'_>, at: &Context<'_>, to: PersonId, amount: Credits) {
    record(draft, at, EcoChange::Spent(Spent { to, amount }));
}
