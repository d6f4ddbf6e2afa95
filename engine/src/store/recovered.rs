//! What a store gives a party that starts, and what it found wrong.

use super::{
    StoreError,
    change::KEPT,
    head::{HEAD, Head, META},
    key::{Damage, Place, RecordKey, decode_phase, unpack},
    large::Large,
    records::Entries,
};
use crate::{
    message::Phase,
    party::{Carried, voting::Record},
};
use primitives::{CodecError, Decode, Digest, EpochId, Reader, ShardIndex};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};
use zeroize::Zeroizing;

/// What is stored of an epoch, its bundles aside.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EpochState {
    /// The party's last vote of each shard.
    pub votes: BTreeMap<ShardIndex, Record>,
    /// Its contribution to the beacon. Secret until it is revealed.
    pub beacon: Option<Digest>,
    /// Number of its last attempt to open the totals. The next one needs a higher one.
    pub attempt: Option<u8>,
    /// How far the epoch was.
    pub phase: Option<Phase>,
}

impl fmt::Debug for EpochState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochState")
            .field("votes", &self.votes)
            .field("beacon", &self.beacon.map(|_| ".."))
            .field("attempt", &self.attempt)
            .field("phase", &self.phase)
            .finish()
    }
}

/// What a party had stored.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Recovered {
    /// What is stored of each epoch that is not forgotten.
    pub epochs: BTreeMap<EpochId, EpochState>,
    /// What the party carries over of each shard, the latest last. Secret.
    pub carried: BTreeMap<ShardIndex, Vec<Carried>>,
    /// How many bundles there are of each epoch that has any.
    pub bundles: BTreeMap<EpochId, usize>,
    /// The last epoch of which nothing is stored any more.
    pub forgotten: Option<EpochId>,
    /// The last epoch that the party has to sit out, because the store was restored from a copy.
    pub silent: Option<EpochId>,
    /// Transitions so far.
    pub sequence: u64,
    /// What was wrong, and is no more: whatever is missing is to be fetched from the other parties or from the chain.
    pub findings: Vec<Finding>,
}

impl Recovered {
    /// The epoch in hand: the latest that the party has entered.
    pub fn in_hand(&self) -> Option<(EpochId, &EpochState)> {
        self.epochs
            .iter()
            .rev()
            .find(|(_, state)| state.phase.is_some())
            .map(|(epoch, state)| (*epoch, state))
    }
}

/// Something that was wrong with a store and that a party can make good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The end of a file of bundles was being written when the process died, and was cut off. Nothing in it was
    /// acknowledged, unless the disk lost what it said it had.
    TornTail {
        /// The epoch.
        epoch: EpochId,
        /// The file's number.
        file: u32,
        /// Where it was cut.
        offset: u64,
        /// How much was cut off.
        bytes: u64,
    },
    /// A part of a file of bundles is damaged. What follows it is not.
    Bundles {
        /// The epoch.
        epoch: EpochId,
        /// The file's number.
        file: u32,
        /// Where the part begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// Bundles are missing in the order of acceptance: the party fetches them from the others.
    Missing {
        /// The epoch.
        epoch: EpochId,
        /// Place of the first that is missing, from 0.
        first: u64,
        /// How many are.
        count: u64,
    },
    /// A small record was of no use and was removed. The party rebuilds it from the chain.
    Record {
        /// Which.
        record: RecordKey,
        /// What was wrong.
        damage: Damage,
    },
    /// An entry of the tree has a name that no record has, and was removed.
    Stray,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { epoch, file, offset, bytes } => {
                let what = "an unfinished write was cut off";
                write!(f, "bundles of epoch {epoch}, file {file}: {what} at byte {offset}, {bytes} bytes")
            }
            Self::Bundles { epoch, file, offset, bytes } => {
                write!(
                    f,
                    "bundles of epoch {epoch}, file {file}: {bytes} bytes from byte {offset} on are damaged"
                )
            }
            Self::Missing { epoch, first, count } => {
                let next = "they are to be fetched from the other parties";
                write!(f, "bundles of epoch {epoch}: {count} are missing from number {first} on: {next}")
            }
            Self::Record { record, damage } => {
                write!(f, "{record}: {damage}; it was removed and is to be rebuilt from the chain")
            }
            Self::Stray => f.write_str("an entry that is no record was removed"),
        }
    }
}

/// The records of a tree, read and held against its list.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) epochs: BTreeMap<EpochId, EpochState>,
    pub(super) carried: BTreeMap<ShardIndex, Vec<Carried>>,
    /// The file of each record that has one.
    pub(super) apart: BTreeMap<RecordKey, u64>,
    pub(super) findings: Vec<Finding>,
    /// Names of entries that are to be removed.
    pub(super) useless: BTreeSet<Vec<u8>>,
}

/// Reads the records. One that is damaged becomes a finding; one that the party may not go on without is an error.
pub(super) fn read(path: &Path, entries: &Entries, head: &Head, large: &Large) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for (key, listed) in &head.manifest {
        let name = primitives::Encode::to_bytes(key);
        let damage = match read_one(&name, entries.get(&name), *listed, large)? {
            Ok((bytes, apart)) => {
                found.apart.extend(apart.map(|number| (*key, number)));
                found.take(*key, &bytes).err().map(Damage::Meaningless)
            }
            Err(damage) => Some(damage),
        };
        let Some(damage) = damage else { continue };
        if key.is_vital() {
            return Err(StoreError::Lost { path: path.into(), record: *key, damage });
        }
        found.apart.remove(key);
        found.findings.push(Finding::Record { record: *key, damage });
        found.useless.insert(name);
    }
    for name in entries.keys().filter(|name| *name != HEAD && *name != META) {
        let finding = match RecordKey::from_bytes(name) {
            Ok(key) if head.manifest.contains_key(&key) => continue,
            Ok(record) => Finding::Record { record, damage: Damage::Risen },
            Err(_) => Finding::Stray,
        };
        found.findings.push(finding);
        found.useless.insert(name.clone());
    }
    Ok(found)
}

/// A record's bytes, which may be secret, and the file that they are in if there is one.
type Value = (Zeroizing<Vec<u8>>, Option<u64>);

/// Reads a record. The inner error says what is wrong with it.
pub(super) fn read_one(
    name: &[u8],
    entry: Option<&Vec<u8>>,
    listed: Digest,
    large: &Large,
) -> Result<Result<Value, Damage>, StoreError> {
    let Some(entry) = entry else { return Ok(Err(Damage::Missing)) };
    let Some((sum, place)) = unpack(name, entry) else { return Ok(Err(Damage::Changed)) };
    if sum != listed {
        return Ok(Err(Damage::Stale));
    }
    Ok(match place {
        Place::Here(bytes) => Ok((Zeroizing::new(bytes.to_vec()), None)),
        Place::Apart(number, digest) => large.read(name, number, digest)?.map(|bytes| (bytes, Some(number))),
    })
}

impl Found {
    fn take(&mut self, key: RecordKey, bytes: &[u8]) -> Result<(), CodecError> {
        match key {
            RecordKey::Carried(shard) => {
                let mut reader = Reader::new(bytes);
                let carried = reader.seq(KEPT)?;
                reader.finish()?;
                self.carried.insert(shard, carried);
            }
            RecordKey::Vote(epoch, shard) => {
                let record = Record::from_bytes(bytes)?;
                if record.shard != shard {
                    return Err(CodecError::Invalid { what: "vote of its shard" });
                }
                self.of(epoch).votes.insert(shard, record);
            }
            RecordKey::Beacon(epoch) => self.of(epoch).beacon = Some(Digest::from_bytes(bytes)?),
            RecordKey::Attempt(epoch) => self.of(epoch).attempt = Some(u8::from_bytes(bytes)?),
            RecordKey::Phase(epoch) => self.of(epoch).phase = Some(decode_phase(bytes)?),
        }
        Ok(())
    }

    fn of(&mut self, epoch: EpochId) -> &mut EpochState {
        self.epochs.entry(epoch).or_default()
    }
}
