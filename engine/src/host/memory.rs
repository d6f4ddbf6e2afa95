//! What a party must not lose, in its store.

use crate::{
    actor::Memory,
    message::Sitting,
    party::{Carried, voting::Record},
    store::{Change, Store},
};
use primitives::{Digest, EpochId, PartyId, ShardIndex};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What a party carries from one epoch to the next, by shard.
pub(super) type CarriedShares = Arc<Mutex<BTreeMap<ShardIndex, Vec<Carried>>>>;

/// A party's store, for one epoch.
pub(super) struct OnDisk {
    pub(super) store: Arc<Store>,
    pub(super) epoch: EpochId,
    pub(super) carried: CarriedShares,
}

impl OnDisk {
    fn write(&self, changes: &[Change]) -> bool {
        match self.store.write(changes) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the party's store cannot be written, and the party stops");
                false
            }
        }
    }
}

impl Memory for OnDisk {
    fn vote(&self, _: PartyId, record: &Record) -> bool {
        self.write(&[Change::Vote(self.epoch, record.clone())])
    }

    fn keep(&self, _: PartyId, shard: ShardIndex, carried: Vec<Carried>) -> bool {
        let written = self.write(&[Change::Keep(shard, carried.clone())]);
        self.carried.lock().expect("nobody panics while holding it").insert(shard, carried);
        written
    }

    fn sit(&self, _: PartyId, sitting: Sitting) -> bool {
        self.write(&[Change::Attempt(self.epoch, sitting.number())])
    }

    fn contribute(&self, _: PartyId, value: Digest) -> bool {
        self.write(&[Change::Beacon(self.epoch, value)])
    }
}
