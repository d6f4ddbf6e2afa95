//! Long answers for readers: one that is made is shared by all who read it, and there are few at a time, however slowly
//! they are read.

use crate::api::Busy;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

/// For how long an answer is given again. A record is proved from the state after a block, and another one after the next; both
/// hold.
const FRESH: Duration = Duration::from_secs(60);

/// Of those that nobody has, the last so many stay for as long: whoever asks for a few in turns does not have them made anew.
const RECENT: usize = 4;

/// An answer that was made.
struct Made<K> {
    key: K,
    at: Instant,
    bytes: Weak<[u8]>,
}

struct Inner<K> {
    /// The last ones, which are likely to be asked for again, and when each was made.
    recent: VecDeque<(Instant, Arc<[u8]>)>,
    /// All that somebody still has, the oldest first.
    made: Vec<Made<K>>,
}

/// Answers that readers have, each under a key. A connection may hold one for minutes.
pub(super) struct Shared<K> {
    /// Most of them in memory.
    most: usize,
    inner: Mutex<Inner<K>>,
}

impl<K: Copy + PartialEq> Shared<K> {
    /// None yet, and never more than so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::new(Inner { recent: VecDeque::new(), made: Vec::new() }) }
    }

    /// The answer under a key: one that somebody reads just now, or else what `make` gives. One at a time is made.
    pub(super) fn get(
        &self,
        key: K,
        make: impl FnOnce() -> Result<Option<Vec<u8>>, Busy>,
    ) -> Result<Option<Arc<[u8]>>, Busy> {
        let mut inner = self.inner.lock().expect("nobody panics while making an answer");
        inner.recent.retain(|(at, _)| at.elapsed() < FRESH);
        inner.made.retain(|made| made.bytes.strong_count() > 0);
        let under = inner.made.iter().rev().find(|made| made.key == key);
        let known = under.and_then(|made| Some((made.at, made.bytes.upgrade()?)));
        if let Some((at, bytes)) = &known
            && (inner.made.len() >= self.most || at.elapsed() < FRESH)
        {
            return Ok(Some(bytes.clone()));
        }
        // What nobody has makes room.
        while inner.recent.len() >= RECENT || (inner.made.len() >= self.most && !inner.recent.is_empty()) {
            inner.recent.pop_front();
            inner.made.retain(|made| made.bytes.strong_count() > 0);
        }
        if inner.made.len() >= self.most {
            return Err(Busy);
        }
        let Some(bytes) = make()? else { return Ok(None) };
        let (at, bytes): (_, Arc<[u8]>) = (Instant::now(), bytes.into());
        inner.made.push(Made { key, at, bytes: Arc::downgrade(&bytes) });
        inner.recent.push_back((at, bytes.clone()));
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 8;

    #[test]
    fn readers_share_an_answer_and_slow_ones_do_not_fill_the_memory() {
        let (answers, mut made) = (Shared::new(MOST), 0);
        let mut get = |key: u8| {
            let answer = answers.get(key, || {
                made += 1;
                Ok(Some(vec![key]))
            });
            (answer, made)
        };
        // Two keys in turns, read slowly: each is made once.
        let held: Vec<_> = (0..20).map(|n| get(1 + n % 2)).collect();
        assert_eq!(held.last().map(|(_, made)| *made), Some(2));
        // Nobody has more than there is room for, and those that are there are still given.
        let more: Vec<_> = (3..=9).map(|key| get(key).0).collect();
        assert_eq!(more.iter().filter(|answer| answer.is_ok()).count(), MOST - 2);
        assert_eq!(more.last(), Some(&Err(Busy)));
        assert!(get(1).0.is_ok());
        drop((held, more));
        assert!(get(9).0.is_ok(), "there is room again");
    }

    #[test]
    fn who_asks_for_a_few_in_turns_does_not_have_them_made_anew() {
        let (answers, mut made) = (Shared::new(MOST), 0);
        for n in 0..40 {
            let key = n % RECENT;
            let answer = answers.get(key, || {
                made += 1;
                Ok(Some(vec![1]))
            });
            assert!(answer.is_ok_and(|answer| answer.is_some()));
        }
        assert_eq!(made, RECENT);
        // Many others make room for each other.
        assert!((0..100).all(|key| answers.get(key, || Ok(Some(vec![1]))).is_ok()));
    }

    #[test]
    fn what_there_is_not_takes_no_room() {
        let answers = Shared::new(MOST);
        assert!((0..20).all(|key| answers.get(key, || Ok(None)) == Ok(None)));
        assert_eq!(answers.get(1, || Err(Busy)), Err(Busy));
        assert!(answers.get(1, || Ok(Some(vec![1]))).is_ok());
    }
}
