//! What a core may ask its shell for.

use crate::{
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage, Phase, Sitting},
    party::{Carried, evidence::Evidence, voting::Record},
};
use primitives::{CodecError, Digest, PartyId, ShardIndex, Tier};
use proofs::{
    bundle::{Bundle, BundleError, Published},
    epoch::EpochContext,
    inclusion::FinalBatch,
    sharing::{Complaint, SealError},
};
use std::{sync::Arc, time::Duration};
use thiserror::Error;

/// A pure core: takes a message and says what is to be done.
pub trait Core: Send {
    /// Handles one message. Messages that make no sense now are dropped, and said to be by an event.
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect>;
}

/// What a core asks for.
pub enum Effect {
    /// Send a message.
    Send(Address, Message),
    /// Check these bundles of one shard on the pool, and come back with [`Message::BatchVerified`].
    Verify(OpenedEpoch, Vec<Arc<Bundle>>),
    /// Keep these shares of what a shard carries over, and no others of that shard: those that are on record, and those
    /// that will be if the totals are. As with [`Effect::Store`], what comes
    /// later rests on it.
    Keep(PartyId, ShardIndex, Vec<Carried>),
    /// Have it on disk that this sitting begins. As with [`Effect::Store`], what comes later rests on it: nothing is computed
    /// twice in one sitting.
    Sit(Sitting),
    /// Have this contribution to the beacon on disk, before its commitment leaves: it is to be revealed after a restart too.
    Contribute(Digest),
    /// Tell the outside.
    Publish(Event),
    /// Have the bundles of a header on disk, in their order, before a signature on it leaves: what the chain anchors can be
    /// taken in again even if all parties are started anew. As with [`Effect::Store`], what comes later rests on it.
    Hold(Digest, Vec<Arc<Bundle>>),
    /// Hand a peer those of these bundles that are on disk: they are no longer in memory.
    Lend(Address, ShardIndex, Vec<Digest>),
    /// Read these bundles of a shard from disk and check their proofs on the pool, and come back with [`Message::Recalled`]:
    /// a share of one of the batch is complained of.
    Recall(Arc<EpochContext>, Vec<Digest>, Box<Complaint>),
    /// Have this on disk before any later effect of the same list is carried out. If that fails, the actor stops there:
    /// what comes after rests on it.
    Store(Record),
}

impl Effect {
    /// Sends a message about a shard to a peer. A party writes its sitting into it when it leaves.
    pub fn peer(to: PartyId, shard: ShardIndex, message: PeerMessage) -> Self {
        Self::Send(Address::Party(to), Message::Peer(Letter { shard, sitting: Sitting::default(), message }))
    }
}

/// Why a bundle is not counted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It came outside the collection phase.
    #[error("no bundles are taken in now")]
    Closed,
    /// It is longer than any bundle.
    #[error("{bytes} bytes are more than a bundle has")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is not the encoding of a bundle.
    #[error("not a bundle: {0}")]
    Malformed(#[from] CodecError),
    /// It is for a shard that the epoch does not have.
    #[error("the epoch has no shard {shard}")]
    UnknownShard {
        /// The shard.
        shard: ShardIndex,
    },
    /// The same bytes came before; they are counted once.
    #[error("the same bundle came before")]
    Duplicate,
    /// The party has it already: from a peer, or from before it was started.
    #[error("the party has the bundle already")]
    TakenIn,
    /// Too many bundles wait to be checked. Come back later.
    #[error("too many bundles wait to be checked; come back later")]
    Busy,
    /// A check of the proof failed.
    #[error("{0}")]
    Proof(#[from] BundleError),
    /// An event of it was counted before: a replay.
    #[error("event {event} was counted before")]
    Replay {
        /// Place of the event.
        event: usize,
    },
    /// A receipt of it was spent before.
    #[error("receipt {receipt} was spent before")]
    SpentReceipt {
        /// Place of the receipt.
        receipt: usize,
    },
    /// An ephemeral of it was seen before.
    #[error("ephemeral of share {share} was seen before")]
    ReusedEphemeral {
        /// Which share.
        share: PartyId,
    },
    /// Its subscriber has handed in as many bundles as the tier allows.
    #[error("the tier allows {limit} bundles")]
    TooManyBundles {
        /// The tier's limit.
        limit: u16,
    },
    /// Its subscriber has spent another value before it than it says, or it came out of order.
    #[error("it does not go on from what its subscriber has spent so far")]
    SpentElsewhere,
    /// It goes on from a bundle that has not come, and there is no room for it to wait. Come back later.
    #[error("it overtook too many bundles; come back when they have come")]
    TooFarAhead,
    /// Something that it uses up is used by a bundle of another shard, which was dropped but may yet be counted. Come back
    /// later.
    #[error("what it uses may yet be counted in another shard; come back later")]
    MayBeCounted,
    /// It is the first of a subscriber of whose tier as many were seen as subscriptions were sold: an issuer signed more
    /// tokens than were paid for.
    #[error("{sold} subscriptions of tier {tier} were sold, and as many subscribers were seen")]
    Unsold {
        /// The tier.
        tier: Tier,
        /// Subscriptions on record.
        sold: u64,
    },
    /// The epoch has as many subscribers as its totals can hold.
    #[error("the epoch has as many subscribers as its totals can hold")]
    EpochFull,
    /// A share that was sealed to this party cannot be read.
    #[error("{0}")]
    Sealed(#[from] SealError),
    /// A share does not open its commitment.
    #[error("share {share} does not open its commitment")]
    Share {
        /// Which share.
        share: PartyId,
    },
    /// Another party objected to it.
    #[error("party {party} objected")]
    Objected {
        /// Who.
        party: PartyId,
    },
    /// The epoch closed before all parties had it.
    #[error("the epoch closed before it was in a batch")]
    NotInTime,
}

impl Refusal {
    /// A short name for counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::TooLong { .. } => "too-long",
            Self::Malformed(_) => "malformed",
            Self::UnknownShard { .. } => "unknown-shard",
            Self::Duplicate => "duplicate",
            Self::TakenIn => "taken-in",
            Self::Busy => "busy",
            Self::Proof(BundleError::OtherContext) => "other-epoch",
            Self::Proof(_) => "proof",
            Self::Replay { .. } => "replay",
            Self::SpentReceipt { .. } => "spent-receipt",
            Self::ReusedEphemeral { .. } => "reused-ephemeral",
            Self::TooManyBundles { .. } => "too-many-bundles",
            Self::SpentElsewhere => "spent-elsewhere",
            Self::TooFarAhead => "too-far-ahead",
            Self::MayBeCounted => "may-be-counted",
            Self::Unsold { .. } => "unsold",
            Self::EpochFull => "epoch-full",
            Self::Sealed(_) => "sealed",
            Self::Share { .. } => "share",
            Self::Objected { .. } => "objected",
            Self::NotInTime => "not-in-time",
        }
    }
}

/// What the outside learns. Nothing here links a bundle to a device.
#[derive(Clone)]
pub enum Event {
    /// The epoch is open: devices may make bundles for it.
    Opened(OpenedEpoch),
    /// The epoch entered a phase.
    Phase(Phase),
    /// A party refused a bundle. The identifier is the hash of the bytes that came.
    Refused {
        /// Who refused.
        party: PartyId,
        /// What.
        bundle: Digest,
        /// Why.
        refusal: Refusal,
    },
    /// A party's pool accepted a bundle's proof, tags and receipts: a provisional receipt.
    Provisional {
        /// Who.
        party: PartyId,
        /// What.
        bundle: Digest,
    },
    /// A bundle's proof holds, and it waits for the one that it goes on from.
    Parked {
        /// At whom.
        party: PartyId,
        /// What.
        bundle: Digest,
    },
    /// A party complains of a share that is of no use to it, with evidence: the bundle is struck.
    Complaint {
        /// Who.
        party: PartyId,
        /// Of what.
        bundle: Digest,
        /// Of which share.
        share: PartyId,
    },
    /// The proofs of some bundles were checked together.
    Verified {
        /// How many.
        bundles: usize,
        /// How long it took.
        took: Duration,
    },
    /// A batch is final.
    Batch {
        /// Its shard.
        shard: ShardIndex,
        /// Its position in it.
        position: u64,
        /// Its bundles.
        bundles: Vec<Digest>,
        /// What is published of them, in the same order, for whoever audits the epoch.
        published: Vec<Arc<Published>>,
    },
    /// The chain has anchored a batch: from it follow final receipts, which devices can check against the record.
    Final {
        /// Who says so.
        party: PartyId,
        /// The batch.
        batch: Arc<FinalBatch>,
    },
    /// A party did what no honest one does, and here is what anybody can check it by.
    Evidence {
        /// Who found it.
        by: Address,
        /// The evidence.
        evidence: Box<Evidence>,
    },
    /// A party has been silent for as long as the committee waits. The others go on, up to the opening.
    Silent {
        /// Who.
        party: PartyId,
    },
    /// The standby has a seat. Its holder's keys are void.
    Seated {
        /// The seat.
        party: PartyId,
    },
    /// An actor could not have on disk what it rests on, and has stopped.
    Broken {
        /// Which.
        at: Address,
    },
    /// An actor dropped a message that makes no sense in its state.
    Dropped {
        /// Who.
        at: Address,
        /// From whom.
        from: Address,
        /// Why.
        reason: &'static str,
    },
    /// The epoch stopped without a result.
    Aborted {
        /// Who stopped it, if it was a party.
        accuser: Option<PartyId>,
        /// Whom it blames, if anybody. One party's word, until evidence goes with it.
        culprit: Option<PartyId>,
        /// Why.
        reason: String,
    },
}
