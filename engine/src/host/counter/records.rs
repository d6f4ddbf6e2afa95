//! Public records for readers: one that is made is shared by all who read it, and there are few at a time, however slowly
//! they are read.

use crate::api::Busy;
use primitives::EpochId;
use std::{
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

/// For how long a record is given again. It is proved from the state after a block, and another one after the next; both hold.
const FRESH: Duration = Duration::from_secs(60);
/// Most records in memory: each may have tens of megabytes, and a connection may hold one for minutes.
const MAX_RECORDS: usize = 8;

/// A record that was made.
struct Made {
    epoch: EpochId,
    at: Instant,
    bytes: Weak<[u8]>,
}

#[derive(Default)]
struct Inner {
    /// The last one, which is likely to be asked for again.
    last: Option<Arc<[u8]>>,
    /// All that somebody still has, the oldest first.
    made: Vec<Made>,
}

/// Records that readers have.
#[derive(Default)]
pub(super) struct Records(Mutex<Inner>);

impl Records {
    /// The record of an epoch: one that somebody reads just now, or else what `make` gives. One at a time is made.
    pub(super) fn get(
        &self,
        epoch: EpochId,
        make: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<Option<Arc<[u8]>>, Busy> {
        let mut inner = self.0.lock().expect("nobody panics while making a record");
        inner.made.retain(|made| made.bytes.strong_count() > 0);
        let of_epoch = inner.made.iter().rev().find(|made| made.epoch == epoch);
        let known = of_epoch.and_then(|made| Some((made.at, made.bytes.upgrade()?)));
        let is_full = inner.made.len() >= MAX_RECORDS;
        match known {
            Some((at, bytes)) if is_full || at.elapsed() < FRESH => return Ok(Some(bytes)),
            _ if is_full => return Err(Busy),
            _ => {}
        }
        let Some(bytes) = make() else { return Ok(None) };
        let bytes: Arc<[u8]> = bytes.into();
        inner.made.push(Made { epoch, at: Instant::now(), bytes: Arc::downgrade(&bytes) });
        inner.last = Some(bytes.clone());
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_a_record_and_slow_ones_do_not_fill_the_memory() {
        let (records, mut made) = (Records::default(), 0);
        let mut get = |epoch| {
            let record = records.get(EpochId(epoch), || {
                made += 1;
                Some(vec![epoch as u8])
            });
            (record, made)
        };
        // Two epochs in turns, read slowly: each is made once.
        let held: Vec<_> = (0..20).map(|n| get(1 + n % 2)).collect();
        assert_eq!(held.last().map(|(_, made)| *made), Some(2));
        // Nobody has more than there is room for, and those that are there are still given.
        let more: Vec<_> = (3..=9).map(|epoch| get(epoch).0).collect();
        assert_eq!(more.iter().filter(|record| record.is_ok()).count(), MAX_RECORDS - 2);
        assert_eq!(more.last(), Some(&Err(Busy)));
        assert!(get(1).0.is_ok());
        drop((held, more));
        assert!(get(9).0.is_ok(), "there is room again");
    }

    #[test]
    fn what_there_is_not_takes_no_room() {
        let records = Records::default();
        assert!((0..20).all(|epoch| records.get(EpochId(epoch), || None) == Ok(None)));
        assert!(records.get(EpochId(1), || Some(vec![1])).is_ok());
    }
}
