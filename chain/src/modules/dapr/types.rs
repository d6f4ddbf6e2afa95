//! Records of the payout engine.

use super::discovery::{CategoryShare, Health};
use crate::modules::work_registry::MAX_SPLITS;
use crate::poseidon::{Felt, FeltDomain, hash_many};
use crate::state::{Fields, Leaf, TableId, ToFelts, fields::record, leaf};
use primitives::{
    CodecError, Credits, Decode, Encode, EpochId, PersonId, Reader, WorkId, Writer, codec_struct, limits,
};
use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

/// Most categories of an epoch: as many as identifiers have.
const MAX_CATEGORIES: usize = 1 << 16;

/// A collaborator's part of a work's payout, in micro-credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitAmount {
    /// Who is paid.
    pub payee: PersonId,
    /// How much.
    pub amount: Credits,
}

record!(SplitAmount { payee, amount });

/// All figures of a work in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFigures {
    /// The work.
    pub work: WorkId,
    /// Usage, in 2^-18 views.
    pub usage: u64,
    /// Views.
    pub views: u64,
    /// Listeners.
    pub listeners: u64,
    /// Views that a receipt backs.
    pub backed: u64,
    /// Bandwidth credibility `B`, Q32.
    pub bandwidth: u64,
    /// Weight `W`, in units of 2^-82.
    pub weight: U256,
    /// Payout.
    pub payout: Credits,
    /// What each payee gets of it, in the order of the splits.
    pub splits: Vec<SplitAmount>,
    /// Reputation before the epoch, Q32.
    pub previous_reputation: u64,
    /// Reputation after it, Q32.
    pub reputation: u64,
    /// Rank weight in search, in units of 2^-64.
    pub discovery: u128,
}

impl Encode for WorkFigures {
    fn encode(&self, w: &mut Writer) {
        self.work.encode(w);
        for n in [self.usage, self.views, self.listeners, self.backed, self.bandwidth] {
            n.encode(w);
        }
        w.raw(&self.weight.to_le_bytes::<32>());
        self.payout.encode(w);
        w.seq(&self.splits);
        self.previous_reputation.encode(w);
        self.reputation.encode(w);
        self.discovery.encode(w);
    }
}

impl Decode for WorkFigures {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            work: Decode::decode(r)?,
            usage: Decode::decode(r)?,
            views: Decode::decode(r)?,
            listeners: Decode::decode(r)?,
            backed: Decode::decode(r)?,
            bandwidth: Decode::decode(r)?,
            weight: U256::from_le_bytes(r.array::<32>()?),
            payout: Decode::decode(r)?,
            splits: r.seq(MAX_SPLITS)?,
            previous_reputation: Decode::decode(r)?,
            reputation: Decode::decode(r)?,
            discovery: Decode::decode(r)?,
        })
    }
}

impl ToFelts for WorkFigures {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.work).push(&self.usage).push(&self.views).push(&self.listeners).push(&self.backed);
        out.push(&self.bandwidth).push(&self.weight).push(&self.payout).push(&self.splits);
        out.push(&self.previous_reputation).push(&self.reputation).push(&self.discovery);
    }
}

/// Figures of a settled epoch: its works by ascending identifier, and its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Epoch.
    pub epoch: EpochId,
    /// Every work that took part.
    pub works: Vec<WorkFigures>,
    /// Health of the epoch.
    pub health: Health,
}

impl Settlement {
    /// Leaves of the payout tree, by work and payee. Payouts of nothing have none.
    pub fn leaves(&self) -> impl Iterator<Item = PayoutLeaf> {
        self.works.iter().flat_map(|work| {
            let paid = work.splits.iter().filter(|split| split.amount != Credits::ZERO);
            paid.map(|split| PayoutLeaf {
                epoch: self.epoch,
                work: work.work,
                payee: split.payee,
                amount: split.amount,
            })
        })
    }

    /// What binds all figures.
    pub fn commitment(&self) -> Felt {
        hash_many(FeltDomain::StateValue, &self.to_felts())
    }
}

impl Encode for Settlement {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        w.seq(&self.works);
        let Health {
            active_works,
            published_works,
            creators_paid,
            subscribers,
            events,
            gini,
            top_percent_share,
            effective_works,
            backed_share,
            categories,
        } = &self.health;
        for n in [
            active_works,
            published_works,
            creators_paid,
            subscribers,
            events,
            gini,
            top_percent_share,
            effective_works,
            backed_share,
        ] {
            n.encode(w);
        }
        w.seq(categories);
    }
}

impl Decode for Settlement {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            works: r.seq(limits::MAX_WORKS)?,
            health: Health {
                active_works: Decode::decode(r)?,
                published_works: Decode::decode(r)?,
                creators_paid: Decode::decode(r)?,
                subscribers: Decode::decode(r)?,
                events: Decode::decode(r)?,
                gini: Decode::decode(r)?,
                top_percent_share: Decode::decode(r)?,
                effective_works: Decode::decode(r)?,
                backed_share: Decode::decode(r)?,
                categories: r.seq::<CategoryShare>(MAX_CATEGORIES)?,
            },
        })
    }
}

impl ToFelts for Health {
    fn felts(&self, out: &mut Fields) {
        let Self {
            active_works,
            published_works,
            creators_paid,
            subscribers,
            events,
            gini,
            top_percent_share,
            effective_works,
            backed_share,
            categories,
        } = self;
        for n in [
            active_works,
            published_works,
            creators_paid,
            subscribers,
            events,
            gini,
            top_percent_share,
            effective_works,
            backed_share,
        ] {
            out.push(n);
        }
        out.push(&(categories.len() as u64));
        for part in categories {
            out.push(&part.category).push(&part.share);
        }
    }
}

impl ToFelts for Settlement {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.epoch).push(&self.works).push(&self.health);
    }
}

leaf!(Settlement by epoch: EpochId);

/// A leaf of an epoch's payout tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutLeaf {
    /// Epoch.
    pub epoch: EpochId,
    /// Work.
    pub work: WorkId,
    /// Who is paid.
    pub payee: PersonId,
    /// How much.
    pub amount: Credits,
}

record!(PayoutLeaf { epoch, work, payee, amount });

impl PayoutLeaf {
    /// Its hash.
    pub fn hash(&self) -> Felt {
        hash_many(FeltDomain::PayoutLeaf, &self.to_felts())
    }
}

/// What a work was paid. Spec 9: "Contracts MUST record: work ID, weighted usage, payout amount, epoch number."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Epoch.
    pub epoch: EpochId,
    /// Work.
    pub work: WorkId,
    /// Weight, in units of 2^-82.
    pub weight: U256,
    /// Payout.
    pub amount: Credits,
}

impl Encode for Payout {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.work.encode(w);
        w.raw(&self.weight.to_le_bytes::<32>());
        self.amount.encode(w);
    }
}

impl Decode for Payout {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, work) = (Decode::decode(r)?, Decode::decode(r)?);
        let weight = U256::from_le_bytes(r.array::<32>()?);
        Ok(Self { epoch, work, weight, amount: Decode::decode(r)? })
    }
}

impl Leaf for Payout {
    type Key = (EpochId, WorkId);
    const TABLE: TableId = TableId::Payout;
    fn key(&self) -> Self::Key {
        (self.epoch, self.work)
    }
    fn value(&self) -> Vec<Felt> {
        let mut out = Fields::default();
        out.push(&self.epoch).push(&self.work).push(&self.weight).push(&self.amount);
        out.into_vec()
    }
}

/// A payout that was claimed. There is no second one under this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNullifier {
    /// Epoch.
    pub epoch: EpochId,
    /// Work.
    pub work: WorkId,
    /// Who was paid.
    pub payee: PersonId,
}

codec_struct!(ClaimNullifier { epoch, work, payee });

impl Leaf for ClaimNullifier {
    type Key = (EpochId, WorkId, PersonId);
    const TABLE: TableId = TableId::ClaimNullifier;
    fn key(&self) -> Self::Key {
        (self.epoch, self.work, self.payee)
    }
    fn value(&self) -> Vec<Felt> {
        vec![Felt::from(1u64)]
    }
}

/// Reputation of a work, carried from epoch to epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reputation {
    /// The work.
    pub work: WorkId,
    /// Reputation, Q32.
    pub reputation: u64,
}

record!(Reputation { work, reputation });

leaf!(Reputation by work: WorkId);
