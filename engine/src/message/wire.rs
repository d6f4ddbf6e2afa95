//! What goes from host to host: letters of parties, and what each says to the coordinators of all.

use super::{Letter, Report, Sitting};
use primitives::{CodecError, Decode, Encode, EpochId, PartyId, Reader, ShardIndex, Writer, codec_struct};

/// Longest reason of a party that stops, in bytes.
const MAX_REASON: usize = 1 << 10;

/// What crosses between two hosts, of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The epoch.
    pub epoch: EpochId,
    /// What.
    pub parcel: Parcel,
}

codec_struct!(Wire { epoch, parcel });

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "parcels are few at a time")]
pub enum Parcel {
    /// From party to party.
    Letter(Letter),
    /// From a party to a coordinator.
    Report(Report),
}

impl Encode for Parcel {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Letter(letter) => {
                w.raw(&[0]);
                letter.encode(w);
            }
            Self::Report(report) => {
                w.raw(&[1]);
                report.encode(w);
            }
        }
    }
}

impl Decode for Parcel {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => Ok(Self::Letter(Decode::decode(r)?)),
            1 => Ok(Self::Report(Decode::decode(r)?)),
            _ => Err(CodecError::Invalid { what: "what crosses between hosts" }),
        }
    }
}

impl Encode for Report {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Drained { shard, position, pending } => {
                w.raw(&[0]);
                shard.encode(w);
                position.encode(w);
                (*pending as u64).encode(w);
            }
            Self::Root(root, signature) => {
                w.raw(&[1]);
                root.encode(w);
                w.raw(signature);
            }
            Self::Totals(shard, sitting, totals, signature) => {
                w.raw(&[2]);
                shard.encode(w);
                sitting.encode(w);
                totals.0.encode(w);
                totals.1.encode(w);
                w.raw(signature);
            }
            Self::Stopped { culprit, reason } => {
                w.raw(&[3]);
                culprit.encode(w);
                // Cut where a character ends.
                let end = (0..=MAX_REASON.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at));
                w.bytes(&reason.as_bytes()[..end.unwrap_or(0)]);
            }
        }
    }
}

impl Decode for Report {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => {
                let (shard, position) = (ShardIndex::decode(r)?, u64::decode(r)?);
                let pending = usize::try_from(u64::decode(r)?);
                let pending = pending.map_err(|_| CodecError::Invalid { what: "number of bundles" })?;
                Ok(Self::Drained { shard, position, pending })
            }
            1 => Ok(Self::Root(Decode::decode(r)?, r.array()?)),
            2 => {
                let (shard, sitting) = (ShardIndex::decode(r)?, Sitting::decode(r)?);
                let totals = Box::new((Decode::decode(r)?, Decode::decode(r)?));
                Ok(Self::Totals(shard, sitting, totals, r.array()?))
            }
            3 => {
                let culprit = Option::<PartyId>::decode(r)?;
                let reason = std::str::from_utf8(r.bytes(MAX_REASON)?);
                let reason = reason.map_err(|_| CodecError::Invalid { what: "reason" })?.to_owned();
                Ok(Self::Stopped { culprit, reason })
            }
            _ => Err(CodecError::Invalid { what: "report" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::PeerMessage;
    use primitives::Digest;
    use proofs::tally::EpochRoot;

    #[test]
    fn what_crosses_between_hosts_survives_and_nothing_else_does() {
        let shard = ShardIndex(1);
        let root = EpochRoot {
            chain: primitives::ChainId(5),
            epoch: EpochId(1),
            shard,
            batches: 3,
            last: Digest([4; 32]),
        };
        let letter = Letter { shard, sitting: Sitting { seats: 1, attempt: 7 }, message: PeerMessage::Here };
        let parcels = [
            Parcel::Letter(letter),
            Parcel::Report(Report::Drained { shard, position: 7, pending: 2 }),
            Parcel::Report(Report::Root(root, [9; 64])),
            Parcel::Report(Report::Stopped { culprit: Some(PartyId::ALL[1]), reason: "why".into() }),
        ];
        for parcel in parcels {
            let wire = Wire { epoch: EpochId(1), parcel };
            let bytes = wire.to_bytes();
            assert_eq!(Wire::from_bytes(&bytes), Ok(wire));
            for end in 0..bytes.len() {
                assert!(Wire::from_bytes(&bytes[..end]).is_err());
            }
            assert!(Wire::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
        let long = Report::Stopped { culprit: None, reason: "é".repeat(MAX_REASON) };
        let back = Report::from_bytes(&long.to_bytes()).expect("it is cut");
        assert!(matches!(back, Report::Stopped { reason, .. } if reason.len() == MAX_REASON));
    }
}
