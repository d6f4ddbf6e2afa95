//! The figures of an epoch as the record shows them: works, money, health, and the scales of it all.

use super::decimal::{Decimal128, Decimal256};
use crate::modules::{
    dapr::{WorkFigures, discovery::DISCOVERY_SCALE_BITS, weight::WEIGHT_SCALE_BITS},
    usage::{ListedWork, Summary},
};
use primitives::{
    BasisPoints, CategoryId, Credits, EpochId, PersonId, ShardIndex, WorkId, fixed_point::Q32_BITS,
    limits::EVENT_VALUE_BITS,
};
use serde::{Deserialize, Serialize};

const _: () = {
    assert!(WEIGHT_SCALE_BITS == 82 && DISCOVERY_SCALE_BITS == 64, "the scales that the record states");
    assert!(EVENT_VALUE_BITS == 18 && Q32_BITS == 32, "the scales that the record states");
};

/// Units of the record's integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scales {
    /// Amounts of credits.
    pub credits: String,
    /// `weighted_usage` and `sum_of_weights`.
    pub weighted_usage: String,
    /// `raw_usage`, and `value` of a cell.
    pub raw_usage: String,
    /// `bandwidth`.
    pub bandwidth: String,
    /// `discovery_weight`.
    pub discovery_weight: String,
    /// `reputation` and `previous_reputation`.
    pub reputation: String,
    /// `price` of a work.
    pub price: String,
    /// Shares of a split, and of revenue.
    pub share: String,
    /// Ratios of `health`, and parameters that are not whole numbers.
    pub ratio: String,
}

impl Default for Scales {
    fn default() -> Self {
        Self {
            credits: "10^-6".into(),
            weighted_usage: "2^-82".into(),
            raw_usage: "2^-18".into(),
            bandwidth: "2^-32".into(),
            discovery_weight: "2^-64".into(),
            reputation: "2^-32".into(),
            price: "2^-32".into(),
            share: "10^-4".into(),
            ratio: "2^-32".into(),
        }
    }
}

/// A payee's part of a work's payout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitRecord {
    /// Who is paid.
    pub payee: PersonId,
    /// Share.
    pub share: BasisPoints,
    /// Amount.
    pub amount: Credits,
}

/// A work: first the fields of spec 7.5, then what they follow from and lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkRecord {
    /// Spec 7.5 `work_id`.
    pub work_id: WorkId,
    /// Spec 7.5 `weighted_usage`, `W`.
    pub weighted_usage: Decimal256,
    /// Spec 7.5 `raw_usage`, `U`.
    pub raw_usage: u64,
    /// Spec 7.5 `bandwidth`, `B`.
    pub bandwidth: u64,
    /// Spec 7.5 `epoch`.
    pub epoch: EpochId,
    /// The shard where the work is at home.
    pub shard: ShardIndex,
    /// Whether it takes no part in the epoch, and is listed for what is carried over of it.
    pub resting: bool,
    /// Payout.
    pub payout: Credits,
    /// Rank weight in search.
    pub discovery_weight: Decimal128,
    /// Reputation after the epoch.
    pub reputation: u64,
    /// Reputation before it.
    pub previous_reputation: u64,
    /// Category.
    pub category: CategoryId,
    /// Price multiplier.
    pub price: u64,
    /// Creator.
    pub creator: PersonId,
    /// Distinct subscribers who viewed it, summed over tiers.
    pub listeners: u64,
    /// Views.
    pub views: u64,
    /// Views that a receipt backs.
    pub backed: u64,
    /// Who gets what of the payout.
    pub splits: Vec<SplitRecord>,
}

impl WorkRecord {
    /// The record of a work.
    pub fn new(epoch: EpochId, listed: &ListedWork, figures: &WorkFigures) -> Self {
        let split =
            |(split, part): (&crate::modules::dapr::payout::Split, &crate::modules::dapr::SplitAmount)| {
                SplitRecord { payee: split.payee, share: split.share, amount: part.amount }
            };
        Self {
            work_id: listed.work,
            weighted_usage: Decimal256(figures.weight),
            raw_usage: figures.usage,
            bandwidth: figures.bandwidth,
            epoch,
            shard: listed.shard,
            resting: listed.resting,
            payout: figures.payout,
            discovery_weight: Decimal128(figures.discovery),
            reputation: figures.reputation,
            previous_reputation: figures.previous_reputation,
            category: listed.category,
            price: listed.price,
            creator: listed.creator,
            listeners: figures.listeners,
            views: figures.views,
            backed: figures.backed,
            splits: listed.splits.iter().zip(&figures.splits).map(split).collect(),
        }
    }
}

/// Where the epoch's money went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyRecord {
    /// Revenue of all tiers.
    pub revenue: Credits,
    /// Protocol fee.
    pub fee: Credits,
    /// Eco-Reserve share.
    pub eco: Credits,
    /// Share for node rewards.
    pub infra: Credits,
    /// Creators' share of the revenue.
    pub creators: Credits,
    /// What earlier epochs carried over to creators.
    pub carried_in: Credits,
    /// Sum of payouts.
    pub paid: Credits,
    /// Part of them that is owed to accounts on L1.
    pub on_layer1: Credits,
    /// What is carried to the next epoch.
    pub carried_out: Credits,
}

impl From<&Summary> for MoneyRecord {
    fn from(summary: &Summary) -> Self {
        Self {
            revenue: summary.revenue,
            fee: summary.fee,
            eco: summary.eco,
            infra: summary.infra,
            creators: summary.creators,
            carried_in: summary.carried_in,
            paid: summary.paid,
            on_layer1: summary.on_layer1,
            carried_out: summary.carried_out,
        }
    }
}
