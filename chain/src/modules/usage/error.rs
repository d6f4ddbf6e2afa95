//! Rules of the usage module, one variant each.

use super::Phase;
use primitives::{ChainId, Digest, EpochId, PartyId, PersonId, Region, ShardIndex, Tier, WorkId, limits};
use proofs::{
    blind::BlindError,
    committee::CommitteeError,
    shard::ShardError,
    tally::{SquaresError, verifier::TallyError},
};
use thiserror::Error;

/// Which rule an action of the usage module breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UsageError {
    /// Somebody else than the steward signed.
    #[error("{signer} is not the steward")]
    NotSteward {
        /// Who signed.
        signer: PersonId,
    },
    /// Somebody else than the treasury signed.
    #[error("{signer} is not the treasury")]
    NotTreasury {
        /// Who signed.
        signer: PersonId,
    },
    /// The action speaks of another epoch than the next.
    #[error("epoch {found} is not the next, which is {expected}")]
    NotNextEpoch {
        /// The next epoch.
        expected: EpochId,
        /// Epoch named.
        found: EpochId,
    },
    /// A committee cannot change once two parties have revealed: the epoch can open with it, and who saw the beacon
    /// could otherwise have another.
    #[error("two parties have revealed for epoch {epoch}: its committee is fixed")]
    CommitteeFixed {
        /// The next epoch.
        epoch: EpochId,
    },
    /// Nobody waits for no time, or for longer than that.
    #[error("a patience of {patience} s is not between 1 s and {} s", limits::MAX_SEAT_PATIENCE)]
    SeatPatience {
        /// Seconds asked for.
        patience: u32,
    },
    /// Somebody runs two parties, or stands by for their own.
    #[error("{operator} has two places in one committee")]
    OperatorTwice {
        /// Who.
        operator: PersonId,
    },
    /// Somebody who holds shares of one seat would get those of another.
    #[error("{operator} holds shares of seat {seat} and may not take seat {party}")]
    SeatRule {
        /// Who.
        operator: PersonId,
        /// The seat whose shares they hold.
        seat: PartyId,
        /// The seat that they would take.
        party: PartyId,
    },
    /// A key is of a party that lost its seat.
    #[error("the keys of a party that lost its seat are void: signing key {signing}")]
    KeysVoid {
        /// The signing key that came with it.
        signing: Digest,
    },
    /// Nobody stands by.
    #[error("nobody stands by for epoch {epoch}")]
    NoStandby {
        /// The epoch.
        epoch: EpochId,
    },
    /// One seat of an epoch can be taken.
    #[error("a standby has a seat in epoch {epoch} already")]
    StandbySeated {
        /// The epoch.
        epoch: EpochId,
    },
    /// Not all that have to sign for a standby did.
    #[error("{count} of the two parties that stay and the standby signed")]
    SeatSignatures {
        /// How many did.
        count: usize,
    },
    /// No committee is seated.
    #[error("no committee is seated for epoch {epoch}")]
    NoCommittee {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch's keys are published.
    #[error("keys of epoch {epoch} are published")]
    KeysPublished {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch is open, with the keys that it has: another would be valid for bundles that nobody expects.
    #[error("epoch {epoch} is open: its keys are fixed")]
    KeysActive {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch is over, and its keys with it.
    #[error("epoch {epoch} is over: its keys have expired")]
    KeysExpired {
        /// The epoch.
        epoch: EpochId,
    },
    /// No tier has a key.
    #[error("no tier has a key")]
    NoTierKey,
    /// A tier has two keys, or tiers are not in order.
    #[error("key of tier {tier} is listed twice or out of order")]
    TierKeyOrder {
        /// The later.
        tier: Tier,
    },
    /// A region and denomination has two keys, or they are not in order.
    #[error("key of region {region} for {denomination} views is listed twice or out of order")]
    RegionKeyOrder {
        /// The later's region.
        region: Region,
        /// The later's denomination.
        denomination: u8,
    },
    /// No receipt is worth that.
    #[error("receipts do not stand for {denomination} views")]
    Denomination {
        /// Denomination named.
        denomination: u8,
    },
    /// A tier's key is not the canonical encoding of a key.
    #[error("key of tier {tier}: {error}")]
    TierKey {
        /// The tier.
        tier: Tier,
        /// What is wrong with it.
        error: BlindError,
    },
    /// A region's key is not the canonical encoding of a key.
    #[error("key of region {region} for {denomination} views: {error}")]
    RegionKey {
        /// The region.
        region: Region,
        /// The denomination.
        denomination: u8,
        /// What is wrong with it.
        error: BlindError,
    },
    /// Two purposes share a key. A blind signer could not tell them apart.
    #[error("one key serves two purposes")]
    KeyReused,
    /// A key served in an earlier epoch: what it signed then would count again, for whatever it stands for now.
    #[error("a key is on record for epoch {epoch}")]
    KeyOnRecord {
        /// The earlier epoch.
        epoch: EpochId,
    },
    /// The party has committed.
    #[error("party {party} has committed")]
    AlreadyCommitted {
        /// Who.
        party: PartyId,
    },
    /// The commitment was made before the committee was seated anew. What opens it may be known by now.
    #[error("the commitment of party {party} was made before the committee was seated anew")]
    CommitmentSpent {
        /// Who.
        party: PartyId,
    },
    /// A contribution was revealed: who commits now could choose theirs by it.
    #[error("reveals of epoch {epoch} have begun")]
    RevealsBegun {
        /// The epoch.
        epoch: EpochId,
    },
    /// A reveal before two parties have committed would let the second choose.
    #[error("{count} parties have committed, fewer than two")]
    TooFewCommitments {
        /// How many have.
        count: usize,
    },
    /// The party has not committed.
    #[error("party {party} has not committed")]
    NotCommitted {
        /// Who.
        party: PartyId,
    },
    /// The party has revealed.
    #[error("party {party} has revealed")]
    AlreadyRevealed {
        /// Who.
        party: PartyId,
    },
    /// The value is not what the party committed to.
    #[error("party {party} reveals something else than it committed to")]
    RevealMismatch {
        /// Who.
        party: PartyId,
    },
    /// Fewer than two parties revealed.
    #[error("{count} parties have revealed, fewer than two")]
    TooFewReveals {
        /// How many have.
        count: usize,
    },
    /// The epoch before takes bundles in.
    #[error("epoch {epoch} is open: the next can open once all its roots are on record")]
    PreviousOpen {
        /// The epoch before.
        epoch: EpochId,
    },
    /// Totals of the epoch before are not on record, and so nobody knows what is carried over.
    #[error("epoch {epoch} comes first: its totals are neither on record nor given up")]
    PreviousNotAggregated {
        /// The epoch before.
        epoch: EpochId,
    },
    /// An earlier epoch is neither settled nor given up.
    #[error("epoch {epoch} comes first: it is neither settled nor given up")]
    PreviousNotOver {
        /// The earlier epoch.
        epoch: EpochId,
    },
    /// An epoch needs a tier.
    #[error("an epoch needs a tier")]
    NoTier,
    /// More tiers than an epoch may have.
    #[error("{count} tiers are more than an epoch may have")]
    TooManyTiers {
        /// How many.
        count: usize,
    },
    /// A tier is listed twice, or tiers are not in order.
    #[error("tier {tier} is listed twice or out of order")]
    TierOrder {
        /// The later.
        tier: Tier,
    },
    /// A tier that allows no bundle.
    #[error("tier {tier} allows no bundle")]
    TierWithoutBundles {
        /// The tier.
        tier: Tier,
    },
    /// A tier whose cap is below one view or above the epoch's.
    #[error("tier {tier} caps a subscriber at {cap}, outside one view (2^18) to the epoch's {limit}")]
    TierCap {
        /// The tier.
        tier: Tier,
        /// Its cap, in 2^-18 views.
        cap: u64,
        /// The epoch's.
        limit: u64,
    },
    /// A tier without issuer key.
    #[error("tier {tier} has no issuer key in epoch {epoch}")]
    NoIssuerKey {
        /// The tier.
        tier: Tier,
        /// The epoch.
        epoch: EpochId,
    },
    /// Sales are not on record for each tier, in order, and for no other.
    #[error("sales of tier {tier} are missing or out of place")]
    Sales {
        /// The tier.
        tier: Tier,
    },
    /// Fewer subscriptions are reported than were on record when the epoch opened: subscribers were counted by them.
    #[error("{reported} subscriptions of tier {tier} are reported, {sold} were sold when the epoch opened")]
    FewerThanSold {
        /// The tier.
        tier: Tier,
        /// On record.
        sold: u64,
        /// Reported.
        reported: u64,
    },
    /// The works cannot be dealt to shards.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// There is no such epoch.
    #[error("epoch {epoch} has not opened")]
    UnknownEpoch {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch is past, or not yet in, the phase that this needs.
    #[error("epoch {epoch} is {found:?}, not {expected:?}")]
    WrongPhase {
        /// The epoch.
        epoch: EpochId,
        /// Phase that this needs.
        expected: Phase,
        /// Phase now.
        found: Phase,
    },
    /// The epoch is settled.
    #[error("epoch {epoch} is settled")]
    Settled {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch was given up.
    #[error("epoch {epoch} was abandoned")]
    Abandoned {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch has no such tier.
    #[error("epoch {epoch} has no tier {tier}")]
    UnknownTier {
        /// The epoch.
        epoch: EpochId,
        /// The tier.
        tier: Tier,
    },
    /// The tier's revenue is reported.
    #[error("revenue of tier {tier} in epoch {epoch} is reported")]
    RevenueReported {
        /// The epoch.
        epoch: EpochId,
        /// The tier.
        tier: Tier,
    },
    /// Price times subscriptions outgrows 64 bits.
    #[error("revenue of tier {tier} outgrows 64 bits")]
    RevenueOverflow {
        /// The tier.
        tier: Tier,
    },
    /// A header or root of another chain.
    #[error("chain {found}, not {expected}")]
    WrongChain {
        /// This chain.
        expected: ChainId,
        /// Chain named.
        found: ChainId,
    },
    /// A header, root or total of a shard that the epoch does not have.
    #[error("epoch has no shard {found}")]
    WrongShard {
        /// Shard named.
        found: ShardIndex,
    },
    /// The root of the shard is anchored: nothing is added to it.
    #[error("shard {shard} is frozen")]
    ShardFrozen {
        /// The shard.
        shard: ShardIndex,
    },
    /// The totals of the shard are on record; others of the epoch are not yet.
    #[error("totals of shard {shard} are on record")]
    ShardAggregated {
        /// The shard.
        shard: ShardIndex,
    },
    /// A header has been anchored at this position; the first valid one stays.
    #[error("position {position} is anchored")]
    AlreadyAnchored {
        /// The position.
        position: u64,
    },
    /// A header leaves positions out.
    #[error("position {found} is not the next, which is {expected}")]
    PositionGap {
        /// The next position.
        expected: u64,
        /// Position named.
        found: u64,
    },
    /// A header names another predecessor than the last anchored header.
    #[error("position {position} does not follow the anchored header before it")]
    Predecessor {
        /// The position.
        position: u64,
    },
    /// A batch is too large.
    #[error("a batch of {count} bundles")]
    BatchSize {
        /// Bundles that the header counts.
        count: u32,
    },
    /// A header without bundles has another batch root than that of nothing.
    #[error("position {position} holds no bundle, and has another batch root than that of nothing")]
    EmptyBatchRoot {
        /// The position.
        position: u64,
        /// Root over nothing.
        expected: Digest,
        /// Root named.
        found: Digest,
    },
    /// A header without bundles changes the running commitments.
    #[error("position {position} holds no bundle, and changes the running commitments")]
    EmptyBatchChanges {
        /// The position.
        position: u64,
    },
    /// The epoch has as many batches, or bundles, as one total may hold.
    #[error("the epoch is full")]
    EpochFull,
    /// A group of the header before is gone.
    #[error("the header drops group (tier {tier}, region {region})")]
    GroupDropped {
        /// Tier of the group.
        tier: Tier,
        /// Region of the group.
        region: u8,
    },
    /// A header without any group, though a batch has a bundle.
    #[error("the header has no running commitments")]
    NoGroups,
    /// A quorum's signature does not hold.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    /// The root counts other batches than are anchored.
    #[error("the root counts {found} batches, {expected} are anchored")]
    RootBatches {
        /// Batches anchored.
        expected: u64,
        /// Batches counted.
        found: u64,
    },
    /// The root ends in another header than the last anchored one.
    #[error("the root ends in {found}, not in {expected}")]
    RootLast {
        /// Digest of the last header.
        expected: Digest,
        /// Digest named.
        found: Digest,
    },
    /// The totals are not what was anchored.
    #[error("tally: {0}")]
    Tally(#[from] TallyError),
    /// A cell is published that has fewer listeners than the epoch asks for, with all that was carried to it.
    #[error("work {work} is published in tier {tier} with {found} listeners, fewer than {expected}")]
    TooFewListeners {
        /// The work.
        work: WorkId,
        /// The tier.
        tier: Tier,
        /// Listeners that the epoch asks for.
        expected: u32,
        /// Listeners of the total.
        found: u64,
    },
    /// A work is published that takes no part in the epoch.
    #[error("work {work} rests in this epoch, and is published")]
    RestingWork {
        /// The work.
        work: WorkId,
    },
    /// Sums over regions that no views have.
    #[error(transparent)]
    Squares(#[from] SquaresError),
    /// Credits would not be covered.
    #[error(transparent)]
    Treasury(#[from] crate::modules::treasury::TreasuryError),
    /// A module has a version that this program does not have.
    #[error(transparent)]
    Unsupported(#[from] crate::modules::governance::Unsupported),
}
