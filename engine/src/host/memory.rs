//! What a party must not lose, in its store.

use crate::{
    actor::Memory,
    message::Sitting,
    party::{Carried, CarriedOver, voting::Record},
    store::{Change, Store, StoreError},
};
use primitives::{Decode, Digest, Encode, EpochId, PartyId, ShardIndex};
use proofs::bundle::Bundle;
use std::sync::Arc;

/// A party's store, for one epoch.
pub(super) struct OnDisk {
    pub(super) store: Arc<Store>,
    pub(super) epoch: EpochId,
    pub(super) carried: CarriedOver,
}

impl OnDisk {
    fn write(&self, changes: &[Change]) -> bool {
        self.is_written(self.store.write(changes))
    }

    fn is_written(&self, written: Result<(), StoreError>) -> bool {
        match written {
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
        self.carried.put(shard, carried);
        written
    }

    fn sit(&self, _: PartyId, sitting: Sitting) -> bool {
        self.write(&[Change::Attempt(self.epoch, sitting.number())])
    }

    fn contribute(&self, _: PartyId, value: Digest) -> bool {
        self.write(&[Change::Beacon(self.epoch, value)])
    }

    fn hold(&self, _: PartyId, header: Digest, bundles: &[Arc<Bundle>]) -> bool {
        let ids: Vec<_> = bundles.iter().map(|bundle| bundle.id()).collect();
        let lacking = ids.iter().zip(bundles).filter(|(id, _)| !self.store.has_bundle(self.epoch, id));
        let lacking: Vec<_> = lacking.map(|(id, bundle)| (*id, bundle.to_bytes())).collect();
        let bundles = || self.store.keep_bundles(self.epoch, &lacking);
        self.is_written(bundles().and_then(|()| self.store.keep_signed(self.epoch, header, &ids)))
    }

    fn bundle(&self, id: &Digest) -> Option<Bundle> {
        match self.store.bundle(self.epoch, id) {
            Ok(bytes) => Bundle::from_bytes(&bytes?).ok(),
            Err(error) => {
                tracing::warn!(%error, "a bundle cannot be read, and a peer asks for it");
                None
            }
        }
    }
}
