//! What actors tell each other.
//!
//! Messages inside one organisation are plain values. What crosses from party to party is a [`Letter`], which names the
//! shard that its [`PeerMessage`] is about, has a canonical encoding, and travels as bytes on every transport, the one
//! inside a process included.

mod peer;
mod wire;

use chain::modules::usage::{CommitBeacon, RevealBeacon, SeatStandby, Seating};
pub use peer::{HandOver, Left, Letter, Objection, OpeningShare, PeerMessage, Sitting};
use primitives::{Digest, PartyId, ShardIndex, Tier, WorkIndex};
use proofs::{
    bundle::{Bundle, BundleError},
    committee::{Committee, Signatures},
    epoch::EpochContext,
    sharing::{Accepted, Complaint},
    tally::{EpochRoot, Residual, SignedHeader, SignedRoot, Tally, TallyProof},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
pub use wire::{Parcel, Wire};

/// Who a message is from or for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A device, or whoever runs the system.
    Outside,
    /// A party's intake.
    Intake(PartyId),
    /// A party's verifier.
    Verifier(PartyId),
    /// A party.
    Party(PartyId),
    /// The party that stands by. It keeps this address in the seat that it takes.
    Standby,
    /// The coordinator.
    Coordinator,
    /// The settlement actor.
    Settlement,
}

impl Address {
    /// The actors of the three parties.
    pub fn seats() -> impl Iterator<Item = Self> {
        PartyId::ALL.into_iter().flat_map(|p| [Self::Intake(p), Self::Verifier(p), Self::Party(p)])
    }

    /// Every actor.
    pub fn actors() -> impl Iterator<Item = Self> {
        Self::seats().chain([Self::Standby, Self::Coordinator, Self::Settlement])
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str("outside"),
            Self::Intake(p) => write!(f, "intake-{p}"),
            Self::Verifier(p) => write!(f, "verifier-{p}"),
            Self::Party(p) => write!(f, "party-{p}"),
            Self::Standby => f.write_str("standby"),
            Self::Coordinator => f.write_str("coordinator"),
            Self::Settlement => f.write_str("settlement"),
        }
    }
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Parties commit to the beacon and reveal it.
    Announce,
    /// Bundles are taken in.
    Collect,
    /// Nothing more is taken in; what is there is put into batches.
    Close,
    /// The set is frozen and signed.
    Sum,
    /// Totals are opened jointly.
    Open,
    /// The proof of the totals goes to the chain.
    Prove,
    /// Payouts are computed.
    Settle,
    /// The epoch is final.
    Done,
    /// The parties stopped: nothing was paid.
    Aborted,
}

impl Phase {
    /// Every phase, in order. Their places are their codes on disk.
    pub const ALL: [Self; 9] = [
        Self::Announce,
        Self::Collect,
        Self::Close,
        Self::Sum,
        Self::Open,
        Self::Prove,
        Self::Settle,
        Self::Done,
        Self::Aborted,
    ];

    /// The phase's name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Collect => "collect",
            Self::Close => "close",
            Self::Sum => "sum",
            Self::Open => "open",
            Self::Prove => "prove",
            Self::Settle => "settle",
            Self::Done => "done",
            Self::Aborted => "aborted",
        }
    }
}

/// What every actor is told when an epoch opens.
#[derive(Clone)]
pub struct OpenedEpoch {
    /// Public context of each shard of the epoch, in order; at least one. All but works and tag base is the same.
    pub shards: Arc<[Arc<EpochContext>]>,
    /// Most bundles of one subscriber, by tier, over all shards.
    pub max_bundles: Arc<BTreeMap<Tier, u16>>,
    /// Subscriptions sold, by tier: most subscribers that are taken in.
    pub sold: Arc<BTreeMap<Tier, u64>>,
    /// Works of each shard that take no part in the epoch, in order of shards: nothing of them is published.
    pub resting: Arc<[BTreeSet<WorkIndex>]>,
    /// Most subscribers that may be counted in whatever shard.
    pub room: u64,
    /// Who runs the parties, and who stands by.
    pub seating: Seating,
}

/// What a shard brings from earlier epochs, as it is on record.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Commitments to usage that was carried over.
    pub before: Residual,
    /// Works that take no part in the epoch: nothing of them is published.
    pub resting: BTreeSet<WorkIndex>,
}

impl OpenedEpoch {
    /// Public context of a shard, if the epoch has it.
    pub fn context(&self, shard: ShardIndex) -> Option<&Arc<EpochContext>> {
        self.shards.get(usize::try_from(shard.0).ok()?)
    }

    /// What a shard brings from earlier epochs, if the epoch has it, by what was taken over.
    pub fn book(&self, shard: ShardIndex, taken: &[Residual]) -> Option<Book> {
        let place = usize::try_from(shard.0).ok()?;
        Some(Book { before: taken.get(place)?.clone(), resting: self.resting.get(place)?.clone() })
    }

    /// The three parties.
    ///
    /// # Panics
    ///
    /// If the epoch has no shard, which no ledger opens.
    pub fn committee(&self) -> &Committee {
        &self.shards[0].keys.committee
    }
}

/// A message between actors.
#[derive(Clone)]
pub enum Message {
    /// Outside to intake: the bytes of a bundle.
    Submit(Arc<[u8]>),
    /// Outside to coordinator: begin the epoch.
    Begin,
    /// Outside to coordinator: the collection window has ended.
    EndOfWindow,
    /// Coordinator to all: the epoch has entered a phase.
    Phase(Phase),
    /// Settlement to all: the epoch is open.
    Opened(OpenedEpoch),
    /// Settlement to all: commitments to what each shard takes over from the epochs before, in order. The one before may end
    /// while this one takes bundles in; nothing is frozen before it has.
    TakenOver(Arc<[Residual]>),

    /// Intake to verifier: a bundle to check.
    Verify(Digest, Arc<Bundle>),
    /// Intake to verifier, then verifier to party: nothing more will come.
    NoMore,
    /// A verifier's pool to the verifier: results of the batch in hand.
    BatchVerified(Vec<Result<Accepted, BundleError>>),
    /// Verifier to intake: so many bundles are off its hands.
    Checked(usize),
    /// Party to intake: there is no room for this bundle now, and it may come again.
    Forget(Digest),
    /// A party's pool to the party: bundles of a final batch that it asked for by [`crate::effect::Effect::Recall`], as far
    /// as they are on disk and hold.
    Recalled(ShardIndex, Box<Complaint>, Vec<(Digest, Arc<Bundle>, Accepted)>),
    /// Verifier to party: a bundle whose proof holds, and what it leaves behind.
    Verified(Digest, Arc<Bundle>, Accepted),

    /// A shell to its party: some time has passed.
    Tick,
    /// Party to party.
    Peer(Letter),
    /// Party to coordinator.
    Report(Report),

    /// Party to settlement: a commitment to the beacon.
    BeaconCommitment(CommitBeacon),
    /// Settlement to parties: all commitments are on record.
    BeaconCommitted,
    /// Party to settlement: a contribution to the beacon.
    BeaconReveal(RevealBeacon),
    /// Leader to settlement: a header to anchor.
    Anchor(SignedHeader),
    /// Settlement to parties and coordinator: the chain has anchored this header.
    Anchored(Arc<SignedHeader>),
    /// Coordinator to settlement: the root of a shard to anchor.
    AnchorRoot(SignedRoot),
    /// Settlement to coordinator: the root of this shard is anchored.
    RootAnchored(ShardIndex),
    /// A host to its own party: another host was started again. What was written to it in the sitting in hand may be lost.
    Restarted(Address),
    /// Standby to settlement: two parties seat it in the place of the third.
    SeatStandby(SeatStandby),
    /// Settlement to all: the standby has a seat.
    Seated(Arc<Seated>),
    /// Coordinator to parties: open the totals of the set that this root froze. Said once all shards are frozen.
    Open(Arc<SignedRoot>),
    /// Coordinator to a leader that has nothing to propose while others have: pass the lead of this shard
    /// on.
    Pass(ShardIndex),
    /// Coordinator to settlement: totals of a shard to put on record.
    Aggregate(Box<Aggregate>),
    /// Settlement to coordinator: totals of this shard are on record.
    AggregateRecorded(ShardIndex),
    /// Settlement to coordinator: payouts are final.
    Settled,
    /// Settlement to coordinator: the chain refused a transaction.
    ChainRefused(String),
}

/// Totals of a shard with their proof and the committee's signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Shard.
    pub shard: ShardIndex,
    /// What was published, and what is carried over.
    pub tally: Tally,
    /// Its proof.
    pub proof: TallyProof,
    /// Signatures over both.
    pub signatures: Signatures,
}

/// A standby that has a seat, and what the chain has frozen of the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seated {
    /// What seated it.
    pub by: SeatStandby,
    /// The root of each shard, in order, with the last header if there is one.
    pub frozen: Vec<(SignedRoot, Option<SignedHeader>)>,
}

/// What a party tells the coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Nothing more will come in, and so many bundles of a shard wait for a batch.
    Drained {
        /// Shard.
        shard: ShardIndex,
        /// Next position.
        position: u64,
        /// Bundles that wait.
        pending: usize,
    },
    /// The party's signature on the frozen root of a shard.
    Root(EpochRoot, [u8; 64]),
    /// The party's signature on the tally of a shard and its proof, as they came out of a sitting.
    Totals(ShardIndex, Sitting, Box<(Tally, TallyProof)>, [u8; 64]),
    /// The party stops, and says why.
    Stopped {
        /// Whom it blames, if anybody.
        culprit: Option<PartyId>,
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_actor_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Address::actors().map(|a| a.to_string()).collect();
        assert_eq!(names.len(), 12);
    }
}
