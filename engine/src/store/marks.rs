//! Sets of marks in files, for a party whose memory must not grow with every event.
//!
//! A set is an open-addressing table in a file without a name: 16 bytes a place, linear probing, half of the places
//! empty at least. Marks are hashes, so 16 bytes of one tell it from every other. Where a mark belongs a keyed hash says whose key is
//! drawn when the process starts, so that nobody can choose marks that crowd together. In memory there is a Bloom filter of
//! [`FILTER_BITS`] bits a place, which answers nearly all questions after marks that are not there.
//!
//! Nothing of it survives the process, and nothing has to: a party that is started again takes its bundles in again.

use crate::party::marks::{MarkSets, Marks};
use primitives::Digest;
use std::{
    fs::File,
    hash::{BuildHasher, RandomState},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Bytes of a place.
const PLACE: usize = 16;
/// Places of a table that is new.
const FIRST: u64 = 1 << 16;
/// Bits of the filter for each place: twice as many for each mark, since no more than half of the places are taken.
const FILTER_BITS: u64 = 5;
/// Bits of the filter that a mark sets.
const FILTER_PROBES: u64 = 4;
/// Places that are read at once.
const STRETCH: usize = 16;

/// A place where a mark was, which may be taken again.
const REMOVED: [u8; PLACE] = [0xff; PLACE];
/// A place where there never was one.
const EMPTY: [u8; PLACE] = [0; PLACE];

/// What is at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Removed,
    Mark,
}

/// A set in a file.
struct MarksFile {
    file: File,
    key: RandomState,
    places: u64,
    /// Marks that are in it, and places where there never was one.
    marks: u64,
    empty: u64,
    filter: Vec<u64>,
    folder: Arc<Path>,
    broken: Arc<AtomicBool>,
}

/// Two sets in files without a name, in a folder. `broken` is set once one of them cannot be read or written: it then says of
/// every mark that it is there, and the party is to stop.
///
/// # Errors
/// If the files cannot be made.
pub(super) fn sets(folder: &Path, broken: &Arc<AtomicBool>) -> io::Result<MarkSets> {
    let new = || MarksFile::new(folder.into(), broken.clone(), FIRST);
    Ok(MarkSets { tags: Box::new(new()?), receipts: Box::new(new()?) })
}

fn short(mark: &Digest) -> [u8; PLACE] {
    let mut short = [0; PLACE];
    short.copy_from_slice(&mark.0[..PLACE]);
    // Two of 2^128 marks have the spelling of what is not one.
    if short == EMPTY || short == REMOVED {
        short[0] ^= 1;
    }
    short
}

impl MarksFile {
    fn new(folder: Arc<Path>, broken: Arc<AtomicBool>, places: u64) -> io::Result<Self> {
        let file = tempfile::tempfile_in(&folder)?;
        // A hole in the file reads as empty places.
        file.set_len(places * PLACE as u64)?;
        let filter = vec![0; (places * FILTER_BITS).div_ceil(64) as usize];
        Ok(Self { file, key: RandomState::new(), places, marks: 0, empty: places, filter, folder, broken })
    }

    fn bits(&self, short: &[u8; PLACE]) -> impl Iterator<Item = (usize, u64)> + use<> {
        let (hash, bits) = (self.key.hash_one(short), self.filter.len() as u64 * 64);
        // Two hashes make as many as are needed (Kirsch and Mitzenmacher, "Less Hashing, Same Performance").
        let step = hash.rotate_left(32) | 1;
        (0..FILTER_PROBES).map(move |at| {
            let bit = hash.wrapping_add(at.wrapping_mul(step)) % bits;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn may_contain(&self, short: &[u8; PLACE]) -> bool {
        self.bits(short).all(|(word, bit)| self.filter[word] & bit != 0)
    }

    /// The place of a mark, or the first one where it can be put, and what is there.
    fn find(&self, short: &[u8; PLACE]) -> io::Result<(u64, Held)> {
        let mut at = self.key.hash_one(short) % self.places;
        let (mut free, mut buffer) = (None, [0; STRETCH * PLACE]);
        loop {
            let count = (self.places - at).min(STRETCH as u64);
            let stretch = &mut buffer[..count as usize * PLACE];
            self.file.read_exact_at(stretch, at * PLACE as u64)?;
            for (place, held) in (at..).zip(stretch.chunks_exact(PLACE)) {
                if held == short {
                    return Ok((place, Held::Mark));
                }
                if held == REMOVED {
                    free.get_or_insert(place);
                }
                if held == EMPTY {
                    return Ok(free.map_or((place, Held::Nothing), |free| (free, Held::Removed)));
                }
            }
            at = (at + count) % self.places;
        }
    }

    fn put(&mut self, short: &[u8; PLACE]) -> io::Result<()> {
        let (place, held) = self.find(short)?;
        if held == Held::Mark {
            return Ok(());
        }
        self.file.write_all_at(short, place * PLACE as u64)?;
        self.marks += 1;
        self.empty -= u64::from(held == Held::Nothing);
        let bits: Vec<_> = self.bits(short).collect();
        bits.into_iter().for_each(|(word, bit)| self.filter[word] |= bit);
        if self.empty * 2 < self.places { self.make_anew() } else { Ok(()) }
    }

    /// Goes on in a table without what was removed, with four places for each mark.
    fn make_anew(&mut self) -> io::Result<()> {
        let places = (self.marks * 4).next_power_of_two();
        let mut anew = Self::new(self.folder.clone(), self.broken.clone(), places)?;
        let mut buffer = vec![0; STRETCH * PLACE * 64];
        let mut at = 0;
        while at < self.places {
            let count = ((self.places - at) as usize).min(buffer.len() / PLACE);
            let stretch = &mut buffer[..count * PLACE];
            self.file.read_exact_at(stretch, at * PLACE as u64)?;
            for held in stretch.chunks_exact(PLACE).filter(|held| *held != EMPTY && *held != REMOVED) {
                anew.put(held.try_into().expect("a place is as long as that"))?;
            }
            at += count as u64;
        }
        *self = anew;
        Ok(())
    }

    fn done<T>(&self, outcome: io::Result<T>) -> Option<T> {
        match outcome {
            Ok(done) => Some(done),
            Err(error) => {
                if !self.broken.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "what is used up cannot be read or written, and the party stops");
                }
                None
            }
        }
    }
}

impl Marks for MarksFile {
    fn contains(&self, mark: &Digest) -> bool {
        let short = short(mark);
        if self.broken.load(Ordering::Relaxed) {
            return true;
        }
        self.may_contain(&short) && self.done(self.find(&short)).is_none_or(|(_, held)| held == Held::Mark)
    }

    fn insert(&mut self, mark: &Digest) {
        let put = self.put(&short(mark));
        self.done(put);
    }

    fn remove(&mut self, mark: &Digest) {
        let short = short(mark);
        let removed = self.find(&short).and_then(|(place, held)| {
            if held != Held::Mark {
                return Ok(0);
            }
            self.file.write_all_at(&REMOVED, place * PLACE as u64).map(|()| 1)
        });
        self.marks -= self.done(removed).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Domain, hash};
    use rand_chacha::{
        ChaCha20Rng,
        rand_core::{RngCore, SeedableRng},
    };
    use std::collections::BTreeSet;

    fn mark(number: u64) -> Digest {
        hash::hash(Domain::Simulation, &[&number.to_le_bytes()])
    }

    fn set(places: u64) -> MarksFile {
        MarksFile::new(std::env::temp_dir().into(), Arc::default(), places).expect("a file")
    }

    /// Beside a set in memory, through growth, removals and marks that come back.
    #[test]
    fn a_set_in_a_file_is_a_set() {
        let (mut file, mut memory) = (set(16), BTreeSet::new());
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for _ in 0..20_000 {
            let mark = mark(rng.next_u64() % 3_000);
            let sets: [&mut dyn Marks; 2] = [&mut file, &mut memory];
            match rng.next_u32() % 3 {
                0 => sets.map(|set| set.remove(&mark)),
                _ => sets.map(|set| set.insert(&mark)),
            };
            let asked = self::mark(rng.next_u64() % 6_000);
            assert_eq!(Marks::contains(&file, &asked), memory.contains(&asked));
            assert_eq!(file.marks, memory.len() as u64);
        }
        assert!(file.places > 2 * file.marks && file.places <= 8_192 && memory.len() > 1_000);
    }

    #[test]
    fn what_was_put_in_is_there_and_what_was_taken_out_is_not() {
        let mut file = set(16);
        for number in 0..5_000 {
            file.insert(&mark(number));
            file.insert(&mark(number));
        }
        assert!((0..5_000).all(|number| Marks::contains(&file, &mark(number))));
        assert!((5_000..10_000).all(|number| !Marks::contains(&file, &mark(number))));
        (0..5_000).step_by(2).for_each(|number| Marks::remove(&mut file, &mark(number)));
        assert!((0..5_000).all(|number| Marks::contains(&file, &mark(number)) == (number % 2 == 1)));
    }

    #[test]
    fn the_filter_answers_for_nearly_all_marks_that_are_not_there() {
        let mut file = set(FIRST);
        (0..FIRST / 2 - 1).for_each(|number| file.insert(&mark(number)));
        let asked = 20_000;
        let wrong = (0..asked).filter(|n| file.may_contain(&short(&mark(1 << 40 | n)))).count();
        assert!(wrong < 1_000, "{wrong} of {asked}");
    }

    #[test]
    fn a_set_that_cannot_be_read_counts_nothing() {
        let mut file = set(16);
        file.insert(&mark(1));
        file.file.set_len(0).expect("it is cut");
        assert!(Marks::contains(&file, &mark(1)));
        assert!(file.broken.load(Ordering::Relaxed));
        assert!(Marks::contains(&file, &mark(2)));
    }
}
