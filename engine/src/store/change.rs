//! What a party may write, and what it may never take back.

use super::{
    StoreError,
    head::{Head, MAX_EPOCHS},
    key::{RecordKey, encode_phase},
};
use crate::{
    message::Phase,
    party::{Carried, voting::Record},
};
use primitives::{Digest, Encode, EpochId, ShardIndex, Writer, limits};
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// How many epochs back a party can go with what it carries over: an epoch may be given up after its totals were signed
/// and before they were on record.
pub(super) const KEPT: usize = 2;

/// One thing that a transition writes.
#[derive(Clone)]
pub enum Change {
    /// The party's last vote of a shard. It takes the place of the one before, which it must not take back.
    Vote(EpochId, Record),
    /// All that the party carries over of a shard: at most two, the latest last. Secret.
    Keep(ShardIndex, Vec<Carried>),
    /// The party's contribution to the beacon, before its commitment leaves. There is one in an epoch. Secret until it is
    /// revealed.
    Beacon(EpochId, Digest),
    /// The contribution counts no longer, because the chain has spent its commitment: another one may take its place.
    Spent(EpochId),
    /// The number of the attempt to open the epoch's totals that is about to begin. Numbers grow.
    Attempt(EpochId, u8),
    /// The phase that the epoch entered. Phases do not go back.
    Phase(EpochId, Phase),
    /// The bundles of this epoch and of all before it are destroyed. Nothing of them is taken in any more.
    Destroy(EpochId),
    /// All that is stored of this epoch and of all before it is destroyed. Nothing of them is written any more.
    Forget(EpochId),
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vote(epoch, record) => write!(f, "Vote({epoch}, {record:?})"),
            Self::Keep(shard, carried) => write!(f, "Keep({shard}, {carried:?})"),
            Self::Beacon(epoch, _) => write!(f, "Beacon({epoch}, ..)"),
            Self::Spent(epoch) => write!(f, "Spent({epoch})"),
            Self::Attempt(epoch, number) => write!(f, "Attempt({epoch}, {number})"),
            Self::Phase(epoch, phase) => write!(f, "Phase({epoch}, {phase:?})"),
            Self::Destroy(epoch) => write!(f, "Destroy({epoch})"),
            Self::Forget(epoch) => write!(f, "Forget({epoch})"),
        }
    }
}

/// A record that is to be written, with its bytes, which may be secret.
pub(super) type Written = (RecordKey, Zeroizing<Vec<u8>>);

/// What of an epoch's records later ones are held against. It has the marks of no bundle, so it is small.
#[derive(Clone, Debug, Default)]
struct Standing {
    votes: BTreeMap<ShardIndex, Record>,
    beacon: Option<Digest>,
    attempt: Option<u8>,
    phase: Option<Phase>,
}

/// Holds changes against what was written before. It believes nobody: a party with a fault in it, or one that was
/// restored, is refused before it signs what it must not.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    epochs: BTreeMap<EpochId, Standing>,
}

impl Book {
    /// Takes a change in, if it may be made after those before it. `head` is brought up to what it says of epochs. Gives
    /// the record that is to be written, if one is.
    pub(super) fn admit(&mut self, head: &mut Head, change: &Change) -> Result<Option<Written>, StoreError> {
        let (key, bytes) = match change {
            Change::Destroy(epoch) => {
                head.destroyed = head.destroyed.max(Some(*epoch));
                return Ok(None);
            }
            Change::Forget(epoch) => {
                head.destroyed = head.destroyed.max(Some(*epoch));
                head.forgotten = head.forgotten.max(Some(*epoch));
                self.epochs.retain(|of, _| of > epoch);
                return Ok(None);
            }
            Change::Spent(epoch) => {
                // The old one stays on disk until there is a new one: whoever is killed in between finds it spent again.
                self.epochs.entry(*epoch).and_modify(|standing| standing.beacon = None);
                return Ok(None);
            }
            Change::Vote(epoch, record) => (RecordKey::Vote(*epoch, record.shard), record.to_bytes()),
            Change::Keep(shard, carried) => (RecordKey::Carried(*shard), keep(carried)),
            Change::Beacon(epoch, value) => (RecordKey::Beacon(*epoch), value.to_bytes()),
            Change::Attempt(epoch, number) => (RecordKey::Attempt(*epoch), number.to_bytes()),
            Change::Phase(epoch, phase) => (RecordKey::Phase(*epoch), encode_phase(*phase)),
        };
        let bytes = Zeroizing::new(bytes);
        if let RecordKey::Vote(_, shard) | RecordKey::Carried(shard) = key
            && shard.0 as usize >= limits::MAX_SHARDS
        {
            return Err(StoreError::TooMuch {
                record: key,
                found: shard.0 as usize,
                limit: limits::MAX_SHARDS - 1,
            });
        }
        match key.epoch() {
            Some(epoch) => self.admit_of(epoch, head, key, change)?,
            None => self.check_kept(key, change)?,
        }
        Ok(Some((key, bytes)))
    }

    fn check_kept(&self, record: RecordKey, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Keep(_, carried) if carried.len() > KEPT => {
                Err(StoreError::TooMuch { record, found: carried.len(), limit: KEPT })
            }
            _ => Ok(()),
        }
    }

    fn admit_of(
        &mut self,
        epoch: EpochId,
        head: &mut Head,
        record: RecordKey,
        change: &Change,
    ) -> Result<(), StoreError> {
        if let Some(through) = head.forgotten.filter(|through| epoch <= *through) {
            return Err(StoreError::Over { epoch, through });
        }
        if let Some(through) = head.silent.filter(|through| epoch <= *through && record.binds()) {
            return Err(StoreError::Silent { epoch, through });
        }
        if self.epochs.len() >= MAX_EPOCHS && !self.epochs.contains_key(&epoch) {
            return Err(StoreError::TooManyEpochs { epoch, limit: MAX_EPOCHS });
        }
        head.latest = head.latest.max(Some(epoch));
        let standing = self.epochs.entry(epoch).or_default();
        standing.advance(change).map_err(|rule| StoreError::Backwards { record, rule })
    }

    /// The contribution to the beacon of an epoch that stands.
    pub(super) fn contribution(&self, epoch: EpochId) -> Option<Digest> {
        self.epochs.get(&epoch)?.beacon
    }

    /// Takes in what was read from disk.
    pub(super) fn restore(&mut self, epoch: EpochId, state: &super::EpochState) {
        let standing = self.epochs.entry(epoch).or_default();
        standing.votes = state.votes.iter().map(|(shard, record)| (*shard, without_marks(record))).collect();
        (standing.beacon, standing.attempt, standing.phase) = (state.beacon, state.attempt, state.phase);
    }
}

impl Standing {
    /// Takes a change in, or says which rule it breaks.
    fn advance(&mut self, change: &Change) -> Result<(), &'static str> {
        match change {
            Change::Vote(_, new) => {
                if let Some(old) = self.votes.get(&new.shard) {
                    follows(old, new)?;
                }
                self.votes.insert(new.shard, without_marks(new));
            }
            Change::Beacon(_, value) => match self.beacon {
                Some(old) if old != *value => return Err("the party has another one, which it committed to"),
                _ => self.beacon = Some(*value),
            },
            Change::Attempt(_, number) => {
                if self.attempt.is_some_and(|old| old >= *number) {
                    return Err("this number or a later one was used");
                }
                self.attempt = Some(*number);
            }
            Change::Phase(_, phase) => {
                if self.phase.is_some_and(|old| old > *phase) {
                    return Err("the epoch is in a later phase");
                }
                self.phase = Some(*phase);
            }
            Change::Keep(..) | Change::Spent(_) | Change::Destroy(_) | Change::Forget(_) => {}
        }
        Ok(())
    }
}

fn without_marks(record: &Record) -> Record {
    Record { pledged: Vec::new(), ..record.clone() }
}

/// Whether a vote says no less than the one before (`voting.rs`: turns and promises only grow, and a frozen set stays so).
fn follows(old: &Record, new: &Record) -> Result<(), &'static str> {
    if (new.position, new.term) < (old.position, old.term) {
        return Err("the party has promised a later term");
    }
    if old.frozen.is_some() && new.frozen != old.frozen {
        return Err("the party has frozen the set");
    }
    match (old.vote, new.vote) {
        (Some(_), None) => Err("the party has signed a header"),
        (Some(old), Some(new)) if new.turn < old.turn => Err("the party has signed a header of a later turn"),
        (Some(old), Some(new)) if new.turn == old.turn && new.digest != old.digest => {
            Err("the party has signed another header of this turn")
        }
        _ => Ok(()),
    }
}

fn keep(carried: &[Carried]) -> Vec<u8> {
    let mut w = Writer::default();
    w.seq(carried);
    w.finish()
}
