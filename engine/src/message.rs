//! What actors tell each other.
//!
//! Messages inside one organisation are plain values. What crosses from party to party is a [`Letter`], which names the
//! shard that its [`PeerMessage`] is about, has a canonical encoding, and travels as bytes on every transport, the one
//! inside a process included.

use chain::modules::usage::{CommitBeacon, RevealBeacon};
use mpc::{
    opening::{OpeningsMessage, ResponseMessage, RevealMessage},
    prss::PrssKey,
};
use primitives::{
    CodecError, Decode, Digest, Encode, PartyId, Reader, ShardIndex, Tier, WorkIndex, Writer, codec_struct,
    limits,
};
use proofs::{
    bundle::{Bundle, BundleError},
    committee::{Committee, Signatures},
    epoch::EpochContext,
    sharing::{Accepted, Complaint},
    tally::{BatchHeader, EpochRoot, Residual, SignedHeader, SignedRoot, Tally, TallyProof},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

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
        Self::seats().chain([Self::Coordinator, Self::Settlement])
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str("outside"),
            Self::Intake(p) => write!(f, "intake-{p}"),
            Self::Verifier(p) => write!(f, "verifier-{p}"),
            Self::Party(p) => write!(f, "party-{p}"),
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
    /// What each shard brings from earlier epochs, in order.
    pub books: Arc<[Book]>,
}

/// What a shard brings from earlier epochs, as it is on record.
#[derive(Clone, Debug)]
pub struct Book {
    /// Commitments to usage that was carried over.
    pub before: Residual,
    /// Works that take no part in the epoch: nothing of them is published.
    pub resting: BTreeSet<WorkIndex>,
    /// Most subscribers that may be counted.
    pub room: u64,
}

impl Default for Book {
    fn default() -> Self {
        let (before, resting) = (Residual::default(), BTreeSet::new());
        Self { before, resting, room: limits::MAX_SUBSCRIBER_EPOCHS }
    }
}

impl OpenedEpoch {
    /// Public context of a shard, if the epoch has it.
    pub fn context(&self, shard: ShardIndex) -> Option<&Arc<EpochContext>> {
        self.shards.get(usize::try_from(shard.0).ok()?)
    }

    /// What a shard brings from earlier epochs, if the epoch has it.
    pub fn book(&self, shard: ShardIndex) -> Option<&Book> {
        self.books.get(usize::try_from(shard.0).ok()?)
    }

    /// Most subscribers that may be counted in whatever shard.
    pub fn room(&self) -> u64 {
        self.books.iter().map(|book| book.room).min().unwrap_or(limits::MAX_SUBSCRIBER_EPOCHS)
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
    /// Settlement to parties: the chain has anchored this header.
    Anchored(Arc<SignedHeader>),
    /// Coordinator to settlement: the root of a shard to anchor.
    AnchorRoot(SignedRoot),
    /// Settlement to coordinator: the root of this shard is anchored.
    RootAnchored(ShardIndex),
    /// Coordinator to parties: open the totals of the set that this root froze. Said once all shards are frozen.
    Open(Arc<SignedRoot>),
    /// Coordinator to a leader that has nothing to propose while others have: pass the lead of this shard
    /// on.
    Pass(ShardIndex),
    /// Coordinator to settlement: totals of a shard to put on record.
    Aggregate(Box<Aggregate>),
    /// Settlement to coordinator: totals of this shard are on record.
    AggregateRecorded(ShardIndex),
    /// Coordinator to settlement: compute payouts.
    Settle,
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
    /// The party's signature on the tally of a shard and its proof.
    Totals(ShardIndex, Box<(Tally, TallyProof)>, [u8; 64]),
    /// The party stops, and says why.
    Stopped {
        /// Whom it blames, if anybody.
        culprit: Option<PartyId>,
        /// Why.
        reason: String,
    },
}

/// Why a party does not accept a bundle that a leader proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It never got the bundle.
    Unknown,
    /// Its proof, tags or receipts do not hold for this party.
    Refused,
    /// A share sealed to this party cannot be read or does not open its commitment.
    Share,
}

impl Encode for Objection {
    fn encode(&self, w: &mut Writer) {
        (*self as u8).encode(w);
    }
}

impl Decode for Objection {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => Ok(Self::Unknown),
            1 => Ok(Self::Refused),
            2 => Ok(Self::Share),
            _ => Err(CodecError::Invalid { what: "objection" }),
        }
    }
}

/// What crosses from party to party.
///
/// The shard says which of its chains of batches a party is to look at. Everything that is signed or opened is bound to
/// the shard by itself, so a letter that was turned over to another shard fits nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The shard that the message is about.
    pub shard: ShardIndex,
    /// The message.
    pub message: PeerMessage,
}

codec_struct!(Letter { shard, message });

/// What a party says to another about a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "letters are few at a time")]
pub enum PeerMessage {
    /// The leader proposes a batch: header, identifiers of its bundles in order, and its signature on the header.
    Propose(BatchHeader, Vec<Digest>, [u8; 64]),
    /// A vote: the signature on the header of this digest.
    Vote(Digest, [u8; 64]),
    /// Objections to bundles of the header of this digest.
    Object(Digest, Vec<(Digest, Objection)>),
    /// Evidence that a share of a bundle is of no use to a holder of it.
    Complaint(Complaint),
    /// The sender's key for randomness in common with the party before it, which is the receiver.
    Key(PrssKey),
    /// A round of the computation on shares.
    Compute(mpc::session::Message),
    /// A header that the sender has two signatures of, for a party that may have neither.
    Quorum(SignedHeader),
    /// The sender has lost its patience with a leader: at this position it is in this term.
    Term(u64, u32),
    /// The sender asks for the bundles of the header of this digest, by name.
    AskBatch(Digest),
    /// The bundles of the header of this digest, in order, by name.
    Batch(Digest, Vec<Digest>),
    /// The sender asks for bundles.
    AskBundles(Vec<Digest>),
    /// A bundle that was asked for.
    Bundle(Box<Bundle>),
    /// Bundles that the sender has known for long, and that the header of this digest leaves out.
    Omits(Digest, Vec<Digest>),
    /// Joint opening, round one.
    Openings(OpeningsMessage),
    /// Joint opening, round two.
    Reveal(RevealMessage),
    /// Joint opening, round three.
    Response(ResponseMessage),
}

impl PeerMessage {
    /// Whether this is of the agreement on batches.
    pub fn is_agreement(&self) -> bool {
        let proposal =
            matches!(self, Self::Propose(..) | Self::Vote(..) | Self::Object(..) | Self::Complaint(_));
        let change = matches!(self, Self::Quorum(_) | Self::Term(..) | Self::Omits(..));
        let fetch =
            matches!(self, Self::AskBatch(_) | Self::Batch(..) | Self::AskBundles(_) | Self::Bundle(_));
        proposal || change || fetch
    }
}

impl Encode for PeerMessage {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Propose(header, ids, signature) => {
                w.raw(&[0]);
                header.encode(w);
                w.seq(ids);
                w.raw(signature);
            }
            Self::Vote(digest, signature) => {
                w.raw(&[1]);
                digest.encode(w);
                w.raw(signature);
            }
            Self::Object(digest, objections) => {
                w.raw(&[2]);
                digest.encode(w);
                w.count(objections.len());
                for (id, objection) in objections {
                    id.encode(w);
                    objection.encode(w);
                }
            }
            Self::Key(key) => {
                w.raw(&[14]);
                key.encode(w);
            }
            Self::Compute(message) => {
                w.raw(&[15]);
                message.encode(w);
            }
            Self::Complaint(complaint) => {
                w.raw(&[6]);
                complaint.encode(w);
            }
            Self::Quorum(signed) => {
                w.raw(&[7]);
                signed.encode(w);
            }
            Self::Term(position, term) => {
                w.raw(&[8]);
                position.encode(w);
                term.encode(w);
            }
            Self::AskBatch(digest) => {
                w.raw(&[9]);
                digest.encode(w);
            }
            Self::Batch(digest, ids) => {
                w.raw(&[10]);
                digest.encode(w);
                w.seq(ids);
            }
            Self::AskBundles(ids) => {
                w.raw(&[11]);
                w.seq(ids);
            }
            Self::Bundle(bundle) => {
                w.raw(&[12]);
                bundle.encode(w);
            }
            Self::Omits(digest, ids) => {
                w.raw(&[13]);
                digest.encode(w);
                w.seq(ids);
            }
            Self::Openings(message) => {
                w.raw(&[3]);
                message.encode(w);
            }
            Self::Reveal(message) => {
                w.raw(&[4]);
                message.encode(w);
            }
            Self::Response(message) => {
                w.raw(&[5]);
                message.encode(w);
            }
        }
    }
}

impl Decode for PeerMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match u8::decode(r)? {
            0 => Self::Propose(BatchHeader::decode(r)?, r.seq(limits::MAX_BATCH)?, r.array()?),
            1 => Self::Vote(Digest::decode(r)?, r.array()?),
            2 => {
                let digest = Digest::decode(r)?;
                let count = r.count(limits::MAX_BATCH)?;
                let pairs = (0..count).map(|_| Ok((Digest::decode(r)?, Objection::decode(r)?)));
                Self::Object(digest, pairs.collect::<Result<_, _>>()?)
            }
            3 => Self::Openings(Decode::decode(r)?),
            4 => Self::Reveal(Decode::decode(r)?),
            5 => Self::Response(Decode::decode(r)?),
            6 => Self::Complaint(Decode::decode(r)?),
            7 => Self::Quorum(Decode::decode(r)?),
            8 => Self::Term(Decode::decode(r)?, Decode::decode(r)?),
            9 => Self::AskBatch(Digest::decode(r)?),
            10 => Self::Batch(Digest::decode(r)?, r.seq(limits::MAX_BATCH)?),
            11 => Self::AskBundles(r.seq(limits::MAX_BATCH)?),
            12 => Self::Bundle(Box::new(Decode::decode(r)?)),
            13 => Self::Omits(Digest::decode(r)?, r.seq(limits::MAX_BATCH)?),
            14 => Self::Key(Decode::decode(r)?),
            15 => Self::Compute(Decode::decode(r)?),
            _ => return Err(CodecError::Invalid { what: "message between parties" }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_between_parties_survive_the_wire_and_nothing_else_does() {
        let messages = [
            PeerMessage::Vote(Digest([1; 32]), [2; 64]),
            PeerMessage::Object(Digest([1; 32]), vec![(Digest([3; 32]), Objection::Share)]),
            PeerMessage::Term(7, 1),
            PeerMessage::AskBatch(Digest([1; 32])),
            PeerMessage::Batch(Digest([1; 32]), vec![Digest([4; 32])]),
            PeerMessage::AskBundles(vec![Digest([4; 32]), Digest([5; 32])]),
            PeerMessage::Omits(Digest([1; 32]), vec![Digest([4; 32])]),
        ];
        for message in messages {
            let letter = Letter { shard: ShardIndex(2), message };
            let bytes = letter.to_bytes();
            assert_eq!(Letter::from_bytes(&bytes), Ok(letter));
            for end in 0..bytes.len() {
                assert!(Letter::from_bytes(&bytes[..end]).is_err());
            }
        }
        assert_eq!(
            PeerMessage::from_bytes(&[16]),
            Err(CodecError::Invalid { what: "message between parties" })
        );
    }

    #[test]
    fn every_actor_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Address::actors().map(|a| a.to_string()).collect();
        assert_eq!(names.len(), 11);
    }
}
