//! Names of small records, their place on disk, and what may be wrong with one.

use crate::message::Phase;
use primitives::{CodecError, Decode, Digest, Domain, Encode, EpochId, Reader, ShardIndex, Writer, hash};
use std::fmt;

/// Longest value that stands in the tree itself. A longer one has a file of its own: sled would write it again with
/// every change of its neighbours, and moves values beyond some length to files that it does not sync.
pub(super) const MAX_INLINE_BYTES: usize = 4096;

/// Which small record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// What the party signed and promised of a shard in an epoch.
    Vote(EpochId, ShardIndex),
    /// What the party carries over of a shard.
    Carried(ShardIndex),
    /// The party's contribution to an epoch's beacon.
    Beacon(EpochId),
    /// The number of the last attempt to open an epoch's totals.
    Attempt(EpochId),
    /// How far an epoch is.
    Phase(EpochId),
}

impl RecordKey {
    /// The epoch that the record is of. What is carried over is of none.
    pub fn epoch(self) -> Option<EpochId> {
        match self {
            Self::Vote(epoch, _) | Self::Beacon(epoch) | Self::Attempt(epoch) | Self::Phase(epoch) => {
                Some(epoch)
            }
            Self::Carried(_) => None,
        }
    }

    /// Whether a party has to stop when it is lost. Without its votes it may sign two headers for one turn, without the
    /// number of its last attempt it may use randomness twice, and its shares nobody else can give it. The phase and
    /// the outcome of the beacon are on the chain.
    pub fn is_vital(self) -> bool {
        matches!(self, Self::Vote(..) | Self::Carried(_) | Self::Attempt(_))
    }

    /// Whether the record binds the party in an epoch: a copy must not bring back an older one.
    pub(super) fn binds(self) -> bool {
        matches!(self, Self::Vote(..) | Self::Beacon(_) | Self::Attempt(_))
    }

    /// Whether the record always has a file of its own. Shares have, so that no log of sled's holds them after they were
    /// replaced.
    pub(super) fn is_apart(self) -> bool {
        matches!(self, Self::Carried(_))
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vote(epoch, shard) => write!(f, "votes of shard {shard} in epoch {epoch}"),
            Self::Carried(shard) => write!(f, "shares that are carried over of shard {shard}"),
            Self::Beacon(epoch) => write!(f, "contribution to the beacon of epoch {epoch}"),
            Self::Attempt(epoch) => write!(f, "number of the last attempt to open epoch {epoch}"),
            Self::Phase(epoch) => write!(f, "phase of epoch {epoch}"),
        }
    }
}

impl Encode for RecordKey {
    fn encode(&self, w: &mut Writer) {
        let kind: u8 = match self {
            Self::Vote(..) => 1,
            Self::Carried(_) => 2,
            Self::Beacon(_) => 3,
            Self::Attempt(_) => 4,
            Self::Phase(_) => 5,
        };
        kind.encode(w);
        match self {
            Self::Vote(epoch, shard) => (*epoch, *shard).encode(w),
            Self::Carried(shard) => shard.encode(w),
            Self::Beacon(epoch) | Self::Attempt(epoch) | Self::Phase(epoch) => epoch.encode(w),
        }
    }
}

impl Decode for RecordKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let kind = u8::decode(r)?;
        Self::of_kind(kind, r)
    }
}

impl RecordKey {
    /// Reads what follows the kind of a record.
    pub(super) fn of_kind(kind: u8, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            1 => {
                let (epoch, shard) = Decode::decode(r)?;
                Self::Vote(epoch, shard)
            }
            2 => Self::Carried(Decode::decode(r)?),
            3 => Self::Beacon(Decode::decode(r)?),
            4 => Self::Attempt(Decode::decode(r)?),
            5 => Self::Phase(Decode::decode(r)?),
            _ => return Err(CodecError::Invalid { what: "key of a record" }),
        })
    }
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The store says that it has one, and it is not there.
    Missing,
    /// It is not what was written: its checksum does not hold.
    Changed,
    /// It is sound and not the one that was written last.
    Stale,
    /// It is there although it was removed.
    Risen,
    /// Its bytes are what was written and mean nothing.
    Meaningless(CodecError),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is missing"),
            Self::Changed => f.write_str("it was changed on disk"),
            Self::Stale => f.write_str("it is an older one than was written last"),
            Self::Risen => f.write_str("it is there although it was removed"),
            Self::Meaningless(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

/// Checksum of bytes under the name that they stand for: two values that changed places are found.
pub(super) fn checksum(key: &[u8], bytes: &[u8]) -> Digest {
    hash::hash(Domain::StoreRecord, &[key, bytes])
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// In the tree.
    Here(&'a [u8]),
    /// In a file of its own, with this number and checksum.
    Apart(u64, Digest),
}

/// What stands in the tree for a value: checksum, then where the value is.
pub(super) fn pack(key: &[u8], place: Place<'_>) -> (Digest, Vec<u8>) {
    let mut w = Writer::default();
    match place {
        Place::Here(bytes) => {
            0u8.encode(&mut w);
            w.raw(bytes);
        }
        Place::Apart(number, digest) => {
            1u8.encode(&mut w);
            number.encode(&mut w);
            digest.encode(&mut w);
        }
    }
    let body = w.finish();
    let sum = checksum(key, &body);
    (sum, [&sum.0, body.as_slice()].concat())
}

/// The checksum of what stands in the tree, and where the value is; nothing, if the checksum does not hold.
pub(super) fn unpack<'a>(key: &[u8], entry: &'a [u8]) -> Option<(Digest, Place<'a>)> {
    let (sum, body) = entry.split_first_chunk::<32>()?;
    let sum = Digest(*sum);
    if checksum(key, body) != sum {
        return None;
    }
    let place = match body.split_first()? {
        (0, bytes) => Place::Here(bytes),
        (1, rest) => {
            let (number, digest) = <(u64, Digest)>::from_bytes(rest).ok()?;
            Place::Apart(number, digest)
        }
        _ => return None,
    };
    Some((sum, place))
}

/// The phase as it is on disk: one byte.
pub(super) fn encode_phase(phase: Phase) -> Vec<u8> {
    let code: u8 = match phase {
        Phase::Announce => 0,
        Phase::Collect => 1,
        Phase::Close => 2,
        Phase::Sum => 3,
        Phase::Open => 4,
        Phase::Prove => 5,
        Phase::Settle => 6,
        Phase::Done => 7,
        Phase::Aborted => 8,
    };
    vec![code]
}

/// The phase that a byte stands for.
pub(super) fn decode_phase(bytes: &[u8]) -> Result<Phase, CodecError> {
    let code = u8::from_bytes(bytes)?;
    Phase::ALL.get(usize::from(code)).copied().ok_or(CodecError::Invalid { what: "phase" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_phases_survive_a_round_trip_and_have_one_spelling() {
        let (epoch, shard) = (EpochId(7), ShardIndex(3));
        let keys = [
            RecordKey::Vote(epoch, shard),
            RecordKey::Carried(shard),
            RecordKey::Beacon(epoch),
            RecordKey::Attempt(epoch),
            RecordKey::Phase(epoch),
        ];
        for key in keys {
            assert_eq!(RecordKey::from_bytes(&key.to_bytes()), Ok(key));
        }
        assert!(matches!(RecordKey::from_bytes(&[9; 9]), Err(CodecError::Invalid { .. })));
        for phase in Phase::ALL {
            assert_eq!(decode_phase(&encode_phase(phase)), Ok(phase));
        }
        assert!(matches!(decode_phase(&[9]), Err(CodecError::Invalid { .. })));
        assert!(matches!(decode_phase(&[1, 1]), Err(CodecError::Trailing { .. })));
    }

    #[test]
    fn a_changed_byte_or_another_name_is_found() {
        for place in [Place::Here(b"value"), Place::Apart(7, Digest([3; 32]))] {
            let (sum, entry) = pack(b"key", place);
            assert_eq!(unpack(b"key", &entry), Some((sum, place)));
            assert_eq!(unpack(b"kez", &entry), None);
            for at in 0..entry.len() {
                let mut changed = entry.clone();
                changed[at] ^= 1;
                assert_eq!(unpack(b"key", &changed), None, "byte {at}");
            }
        }
    }
}
