//! Long answers for readers: one that is made is shared by all who read it, and there are few at a time, however slowly
//! they are read.

use crate::api::Busy;
use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

/// For how long an answer is given again. A record is proved from the state after a block, and another one after the next; both
/// hold.
const FRESH: Duration = Duration::from_secs(60);

/// An answer that was made.
struct Made<K> {
    key: K,
    at: Instant,
    bytes: Weak<[u8]>,
}

struct Inner<K> {
    /// The last one, which is likely to be asked for again.
    last: Option<Arc<[u8]>>,
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
        Self { most, inner: Mutex::new(Inner { last: None, made: Vec::new() }) }
    }

    /// The answer under a key: one that somebody reads just now, or else what `make` gives. One at a time is made.
    pub(super) fn get(
        &self,
        key: K,
        make: impl FnOnce() -> Result<Option<Vec<u8>>, Busy>,
    ) -> Result<Option<Arc<[u8]>>, Busy> {
        let mut inner = self.inner.lock().expect("nobody panics while making an answer");
        inner.made.retain(|made| made.bytes.strong_count() > 0);
        let under = inner.made.iter().rev().find(|made| made.key == key);
        let known = under.and_then(|made| Some((made.at, made.bytes.upgrade()?)));
        let is_full = inner.made.len() >= self.most;
        match known {
            Some((at, bytes)) if is_full || at.elapsed() < FRESH => return Ok(Some(bytes)),
            _ if is_full => return Err(Busy),
            _ => {}
        }
        let Some(bytes) = make()? else { return Ok(None) };
        let bytes: Arc<[u8]> = bytes.into();
        inner.made.push(Made { key, at: Instant::now(), bytes: Arc::downgrade(&bytes) });
        inner.last = Some(bytes.clone());
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
    fn what_there_is_not_takes_no_room() {
        let answers = Shared::new(MOST);
        assert!((0..20).all(|key| answers.get(key, || Ok(None)) == Ok(None)));
        assert_eq!(answers.get(1, || Err(Busy)), Err(Busy));
        assert!(answers.get(1, || Ok(Some(vec![1]))).is_ok());
    }
}
