//! What may be wrong with a record, one variant for each rule.

use super::record::FORMAT;
use crate::{
    merkle::MerkleError,
    modules::{
        dapr::{SettleError, payout::SplitError},
        usage::UsageError,
    },
    state::tree::TreeError,
};
use primitives::{Credits, Digest, ShardIndex, Tier, WorkId, WorkIndex, params::ParamsError};
use proofs::{committee::CommitteeError, shard::ShardError};
use thiserror::Error;

/// Something in a record that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Finding {
    /// The record is of another format.
    #[error("format {found}, this program reads {FORMAT}")]
    Format {
        /// Format of the record.
        found: u32,
    },
    /// The record states other units.
    #[error("scales: the units are not those of format {FORMAT}")]
    Scales,
    /// Fewer than two parties revealed, or reveals are out of order.
    #[error("beacon: reveals are fewer than two, repeated or out of order")]
    Reveals,
    /// `K_epoch` is not the hash of block and reveals.
    #[error("beacon: the epoch key is not the hash of block and reveals")]
    BeaconKey,
    /// The list of skipped parties is not who revealed nothing.
    #[error("beacon: the skipped parties are not those that revealed nothing")]
    Skipped,
    /// The committee's keys are invalid.
    #[error("committee: {0}")]
    Committee(CommitteeError),
    /// The standby that answers for the totals has no seat.
    #[error("replacement: {0}")]
    Replacement(UsageError),
    /// A parameter is outside its bounds.
    #[error("params: {0}")]
    Params(ParamsError),
    /// Tiers are missing, too many, repeated, out of order, or allow no bundle.
    #[error("tiers: missing, too many, repeated, out of order or without bundles")]
    Tiers,
    /// The works cannot be dealt to shards of this width.
    #[error("works: {0}")]
    Shard(ShardError),
    /// A work's splits are not a division of the whole.
    #[error("works: splits of {work}: {error}")]
    Splits {
        /// The work.
        work: WorkId,
        /// What is wrong.
        error: SplitError,
    },
    /// Groups of a header are repeated or out of order.
    #[error("headers: groups of header {position} of shard {shard} are repeated or out of order")]
    RunningOrder {
        /// The shard.
        shard: ShardIndex,
        /// Position of the header.
        position: u64,
    },
    /// A running commitment is no group element.
    #[error("headers: a running commitment of header {position} of shard {shard} is no group element")]
    RunningPoint {
        /// The shard.
        shard: ShardIndex,
        /// Position of the header.
        position: u64,
    },
    /// A header does not follow the one before it, or its signatures do not hold.
    #[error("headers: header {position} of shard {shard}: {error}")]
    Header {
        /// The shard.
        shard: ShardIndex,
        /// Position of the header.
        position: u64,
        /// The rule that it breaks.
        error: UsageError,
    },
    /// The root does not close the headers, or its signatures do not hold.
    #[error("root of shard {shard}: {error}")]
    Root {
        /// The shard.
        shard: ShardIndex,
        /// The rule that it breaks.
        error: UsageError,
    },
    /// The record has more or fewer shards than the works make.
    #[error("shards: {found} in the record, {expected} by the works")]
    Shards {
        /// Shards of the works.
        expected: usize,
        /// Shards of the record.
        found: usize,
    },
    /// What a shard carries over is not three group elements a tier, in order.
    #[error(
        "shard {shard} carries usage of tier {tier} over that is repeated, out of order or no group elements"
    )]
    Carried {
        /// The shard.
        shard: ShardIndex,
        /// The tier.
        tier: Tier,
    },
    /// Sums of squares are zero, repeated or out of order.
    #[error("squares of shard {shard} are zero, repeated or out of order")]
    Squares {
        /// The shard.
        shard: ShardIndex,
    },
    /// A cell of the totals is of no tier of the headers, zero, too large, repeated or out of order.
    #[error(
        "totals of shard {shard}: cell of tier {tier}, index {index} is zero, too large, repeated or out of order"
    )]
    Cell {
        /// The shard.
        shard: ShardIndex,
        /// Tier.
        tier: Tier,
        /// Index.
        index: WorkIndex,
    },
    /// The committee did not sign the totals.
    #[error("aggregate_signatures of shard {shard}: {error}")]
    AggregateSignatures {
        /// The shard.
        shard: ShardIndex,
        /// What is wrong.
        error: CommitteeError,
    },
    /// The commitments do not open to the totals.
    #[error("proof of shard {shard}: {error}")]
    Tally {
        /// The shard.
        shard: ShardIndex,
        /// The rule that it breaks.
        error: UsageError,
    },
    /// No figures follow from revenue and totals.
    #[error("figures: {0}")]
    Settle(SettleError),
    /// A figure of a work is not what follows from the totals.
    #[error("works: {field} of {work} is not what follows from the record")]
    Work {
        /// The work.
        work: WorkId,
        /// The figure.
        field: &'static str,
    },
    /// An amount is not what follows from the revenue.
    #[error("revenue: {field} is {found}, not {expected}")]
    Money {
        /// The amount.
        field: &'static str,
        /// What follows.
        expected: Credits,
        /// What the record says.
        found: Credits,
    },
    /// The sum of weights is wrong.
    #[error("sum_of_weights is not the sum of the weights")]
    SumOfWeights,
    /// The payout root is wrong.
    #[error("payout_root is not the root over the payouts")]
    PayoutRoot,
    /// An indicator of health is wrong.
    #[error("health: {field} is not what follows from the record")]
    Health {
        /// The indicator.
        field: &'static str,
    },
    /// The epoch's leaf does not bind this record.
    #[error("state: the epoch's leaf is not that of this record: {0}")]
    Leaf(TreeError),
    /// The table of epochs does not stand under the state root.
    #[error("state: the table of epochs does not stand under the state root")]
    Table,
    /// The path of the table has no valid shape.
    #[error("state: {0}")]
    TablePath(MerkleError),
    /// The state root is not the one that is trusted.
    #[error("state: root {found} is not the trusted root {expected}")]
    TrustedRoot {
        /// The trusted root.
        expected: Digest,
        /// The record's.
        found: Digest,
    },
}
