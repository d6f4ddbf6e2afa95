//! How the bundles of an epoch stand, and how many of them in which way.

use crate::effect::Refusal;
use primitives::Digest;
use proofs::inclusion::{FinalBatch, Inclusion};
use std::{collections::BTreeMap, sync::Arc};

/// How a bundle stands.
pub(super) enum Standing {
    /// It is in hand, with its bytes until they are on disk.
    Waiting(Arc<[u8]>),
    /// Its proof holds, and it waits for the one that it goes on from: with its bytes, and in nobody's hand.
    Parked(Arc<[u8]>),
    /// It is in the pool and on disk, and waits for a batch.
    Taken,
    /// It is in a batch that the chain has anchored.
    Final(Place),
    /// It is not counted.
    Refused(Refusal),
}

/// A place in a batch that the chain has anchored. All bundles of a batch share it: none has its receipt in memory, since
/// one that is asked for follows from the batch.
#[derive(Clone)]
pub(super) struct Place {
    batch: Arc<FinalBatch>,
    index: u32,
}

impl Place {
    /// The places of a batch, each with the name of its bundle.
    pub(super) fn all_of(batch: Arc<FinalBatch>) -> impl Iterator<Item = (Digest, Self)> {
        (0..).map_while(move |index| {
            let id = batch.bundles().get(index as usize)?;
            Some((*id, Self { batch: batch.clone(), index }))
        })
    }

    /// The final receipt of the bundle there.
    pub(super) fn receipt(&self) -> Inclusion {
        self.batch.receipt(self.index as usize).expect("every place of a batch has a bundle")
    }
}

/// Bundles by their identifiers.
#[derive(Default)]
pub(super) struct Standings {
    of: BTreeMap<Digest, Standing>,
    waiting: usize,
    taken: usize,
    is_final: usize,
}

impl Standings {
    /// The bundles of an epoch that were on disk when it was gone on with.
    pub(super) fn on_disk(ids: impl IntoIterator<Item = Digest>) -> Self {
        let mut standings = Self::default();
        for id in ids {
            standings.put(id, Standing::Taken);
        }
        standings
    }

    /// Those that are final alone.
    pub(super) fn finals(places: BTreeMap<Digest, Place>) -> Self {
        let mut standings = Self::default();
        for (id, place) in places {
            standings.put(id, Standing::Final(place));
        }
        standings
    }

    /// How a bundle stands, if it was seen.
    pub(super) fn get(&self, id: &Digest) -> Option<&Standing> {
        self.of.get(id)
    }

    /// A bundle stands otherwise from now on; how it stood before.
    pub(super) fn put(&mut self, id: Digest, standing: Standing) -> Option<Standing> {
        self.count(&standing, 1);
        let before = self.of.insert(id, standing);
        self.uncount(before)
    }

    /// Forgets a bundle; how it stood.
    pub(super) fn remove(&mut self, id: &Digest) -> Option<Standing> {
        let before = self.of.remove(id);
        self.uncount(before)
    }

    /// Bundles whose proof is not checked yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Bundles that are in the pool and in no batch yet: the party has them in memory.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Bundles that are in the pool or in a batch.
    pub(super) fn taken_in(&self) -> usize {
        self.taken + self.is_final
    }

    /// Where the final ones are.
    pub(super) fn into_finals(self) -> BTreeMap<Digest, Place> {
        let of = self.of.into_iter();
        of.filter_map(|(id, standing)| match standing {
            Standing::Final(place) => Some((id, place)),
            _ => None,
        })
        .collect()
    }

    fn uncount(&mut self, before: Option<Standing>) -> Option<Standing> {
        before.iter().for_each(|before| self.count(before, -1));
        before
    }

    fn count(&mut self, standing: &Standing, by: isize) {
        let count = match standing {
            Standing::Waiting(_) => &mut self.waiting,
            Standing::Taken => &mut self.taken,
            Standing::Final(_) => &mut self.is_final,
            Standing::Parked(_) | Standing::Refused(_) => return,
        };
        *count = count.checked_add_signed(by).expect("what is counted out was counted in");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{ChainId, EpochId, ShardIndex};
    use proofs::{inclusion::batch_root, tally::BatchHeader};

    #[test]
    fn the_receipt_of_every_place_holds_for_the_batch() {
        let bundles: Vec<_> = (0..5).map(|n| Digest([n; 32])).collect();
        let header = BatchHeader {
            chain: ChainId(5),
            epoch: EpochId(1),
            shard: ShardIndex(2),
            view: 0,
            position: 3,
            previous: Digest::default(),
            batch_root: batch_root(&bundles),
            count: 5,
            running: Default::default(),
        };
        let mut standings = Standings::on_disk([Digest([9; 32])]);
        for (id, place) in Place::all_of(Arc::new(FinalBatch::new(&header, bundles.clone()))) {
            standings.put(id, Standing::Final(place));
        }
        let finals = standings.into_finals();
        assert_eq!(finals.keys().copied().collect::<Vec<_>>(), bundles);
        for (id, place) in finals {
            assert_eq!(place.receipt().bundle, id);
            assert_eq!(place.receipt().verify(&header), Ok(()));
        }
    }

    #[test]
    fn every_bundle_is_counted_as_it_stands() {
        let id = |n| Digest([n; 32]);
        let bytes = || Arc::from(&[1u8][..]);
        let mut standings = Standings::on_disk([id(1), id(2)]);
        assert_eq!((standings.waiting(), standings.taken()), (0, 2));
        assert!(standings.put(id(3), Standing::Waiting(bytes())).is_none());
        assert!(standings.put(id(4), Standing::Waiting(bytes())).is_none());
        assert_eq!((standings.waiting(), standings.taken()), (2, 2));
        assert!(matches!(standings.put(id(3), Standing::Parked(bytes())), Some(Standing::Waiting(_))));
        assert!(matches!(standings.put(id(4), Standing::Taken), Some(Standing::Waiting(_))));
        assert_eq!((standings.waiting(), standings.taken()), (0, 3));
        assert!(matches!(standings.remove(&id(1)), Some(Standing::Taken)));
        assert!(matches!(standings.put(id(2), Standing::Refused(Refusal::NotInTime)), Some(Standing::Taken)));
        assert!(standings.remove(&id(9)).is_none());
        assert_eq!((standings.waiting(), standings.taken()), (0, 1));
    }
}
