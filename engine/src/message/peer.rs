//! What crosses from party to party, and its canonical encoding.

use curve25519_dalek::ristretto::RistrettoPoint;
use mpc::{
    opening::{OpeningsMessage, ResponseMessage, RevealMessage},
    prss::PrssKey,
    share::ShareSum,
};
use primitives::{
    CodecError, Decode, Digest, Encode, PartyId, Reader, ShardIndex, Writer, codec_struct, limits,
};
use proofs::{
    bundle::Bundle,
    sharing::{BatchShare, Complaint},
    tally::{BatchHeader, Group, Running, SignedHeader},
    wire,
};
use std::collections::BTreeMap;

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

/// How often what is computed has begun anew: because the standby took a seat, or because a party was started again and
/// had lost what it had computed so far. Nothing of a sitting fits into another. A later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sitting {
    /// Seats that the standby had taken.
    pub seats: u8,
    /// Attempts before this one, with or without that seat.
    pub attempt: u8,
}

impl Encode for Sitting {
    fn encode(&self, w: &mut Writer) {
        self.seats.encode(w);
        self.attempt.encode(w);
    }
}

impl Decode for Sitting {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let sitting = Self { seats: Decode::decode(r)?, attempt: Decode::decode(r)? };
        match sitting.seats <= 1 && sitting.attempt < Self::ROOM {
            true => Ok(sitting),
            false => Err(CodecError::Invalid { what: "sitting" }),
        }
    }
}

impl Sitting {
    /// Attempts of one seating that a number leaves room for.
    const ROOM: u8 = 1 << 7;

    /// The sitting as one number: a later one has a higher.
    ///
    /// # Panics
    /// If it has more seats or attempts than an epoch can.
    pub fn number(self) -> u8 {
        assert!(
            self.seats <= 1 && self.attempt < Self::ROOM,
            "an epoch has one seat to give, and few attempts"
        );
        self.seats * Self::ROOM + self.attempt
    }

    /// The sitting of a number.
    pub fn of_number(number: u8) -> Self {
        Self { seats: number / Self::ROOM, attempt: number % Self::ROOM }
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
    /// The sitting to which it belongs, if it is about what is computed.
    pub sitting: Sitting,
    /// The message.
    pub message: PeerMessage,
}

codec_struct!(Letter { shard, sitting, message });

/// One share of everything that a shard counted, by group: what one of two holders hands to whoever takes the seat of the
/// other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Of this epoch's bundles.
    pub fresh: BTreeMap<Group, ShareSum>,
    /// Of these and of what was carried to them.
    pub all: BTreeMap<Group, ShareSum>,
    /// Commitments to all three shares of what was carried, as the parties agreed on them.
    pub carried: Running,
}

/// What the sender's two shares of each group commit to, of what is carried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left(pub BTreeMap<Group, [RistrettoPoint; 2]>);

impl Encode for Left {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, wire::put_points);
    }
}

impl Decode for Left {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.map(limits::MAX_GROUPS, "order of groups", wire::points)?))
    }
}

impl Encode for HandOver {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.fresh, ShareSum::encode);
        w.map(&self.all, ShareSum::encode);
        self.carried.encode(w);
    }
}

impl Decode for HandOver {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut sums = || r.map(limits::MAX_GROUPS, "order of groups", ShareSum::decode);
        let (fresh, all) = (sums()?, sums()?);
        Ok(Self { fresh, all, carried: Running::decode(r)? })
    }
}

/// A sum of one share over the bundles of one group of a final batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningShare {
    /// Digest of the batch's header.
    pub header: Digest,
    /// The group.
    pub group: Group,
    /// The share: sender and receiver are its two holders.
    pub share: PartyId,
    /// The sum, which opens the commitment that the bundles of the group add up to.
    pub sum: BatchShare,
}

codec_struct!(OpeningShare { header, group, share, sum });

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
    /// What the sender's signature on a final batch says that it holds, for the other holder, who complained.
    OpeningShare(OpeningShare),
    /// Bundles that the sender has known for long, and that the header of this digest leaves out.
    Omits(Digest, Vec<Digest>),
    /// What the sender's shares of what is carried on commit to.
    Left(Left),
    /// The sender is there, whether it has something to say or not.
    Here,
    /// The sender seats the standby in this seat, and signs for it.
    SeatVote(PartyId, [u8; 64]),
    /// The sender's shares that whoever takes a seat needs of it.
    HandOver(Box<HandOver>),
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
        proposal || change || fetch || matches!(self, Self::OpeningShare(_))
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
            Self::Here => w.raw(&[16]),
            Self::Left(left) => {
                w.raw(&[19]);
                left.encode(w);
            }
            Self::SeatVote(seat, signature) => {
                w.raw(&[17]);
                seat.encode(w);
                w.raw(signature);
            }
            Self::HandOver(shares) => {
                w.raw(&[18]);
                shares.encode(w);
            }
            Self::OpeningShare(shown) => {
                w.raw(&[24]);
                shown.encode(w);
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
            16 => Self::Here,
            17 => Self::SeatVote(PartyId::decode(r)?, r.array()?),
            18 => Self::HandOver(Box::new(Decode::decode(r)?)),
            19 => Self::Left(Decode::decode(r)?),
            24 => Self::OpeningShare(Decode::decode(r)?),
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
            let letter = Letter { shard: ShardIndex(2), sitting: Sitting { seats: 1, attempt: 2 }, message };
            let bytes = letter.to_bytes();
            assert_eq!(Letter::from_bytes(&bytes), Ok(letter));
            for end in 0..bytes.len() {
                assert!(Letter::from_bytes(&bytes[..end]).is_err());
            }
        }
        assert_eq!(
            PeerMessage::from_bytes(&[20]),
            Err(CodecError::Invalid { what: "message between parties" })
        );
    }
}
