//! What an audit needs beside the record: what was published of every bundle, part by part, and the keys of the signers.

use super::{FetchFailure, write};
use crate::epoch::{bundles, headers};
use chain::light::EpochRecord;
use engine::{
    api::PART_BYTES,
    client::{
        LinkError,
        http::reader::{HttpReader, Index},
    },
};
use primitives::{EpochId, limits};
use sim::{
    demo::folder::{SIGNERS_FILE, STATEMENTS_FILE},
    progress::{Progress, Stage},
};
use std::{
    io::{self, Write},
    path::Path,
    thread,
    time::Duration,
};

/// Times in a row that a part may not be given: a party is busy for seconds, and closes a connection after minutes.
const ATTEMPTS: u32 = 30;
/// Pause between them, unless the party asks for another.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that it may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A party that is asked, and by what address.
pub(super) struct From<'a> {
    pub(super) reader: &'a HttpReader,
    pub(super) url: &'a str,
}

impl From<'_> {
    fn garbage(&self, epoch: EpochId, what: String) -> FetchFailure {
        FetchFailure::Garbage { url: self.url.into(), epoch, what }
    }

    /// What the party has for an audit of a record, if that can be so much.
    pub(super) fn index(&self, record: &EpochRecord) -> Result<Index, FetchFailure> {
        let epoch = record.epoch;
        let found = self.reader.statements(epoch)?;
        let index = found.ok_or_else(|| FetchFailure::NoBundles { url: self.url.into(), epoch })?;
        let most = most_bytes(bundles(record), headers(record).count() as u64);
        match index.bytes <= most {
            true => Ok(index),
            false => {
                let what =
                    format!("{} bytes are more than its bundles have, which is {most} at most", index.bytes);
                Err(self.garbage(epoch, what))
            }
        }
    }

    /// Fetches all parts, and writes what an audit needs. It is there once all of it is.
    pub(super) fn fetch(
        &self,
        (epoch, index): (EpochId, &Index),
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<(), FetchFailure> {
        let unwritten = |name: &str| {
            let path = dir.join(name);
            |error| FetchFailure::Unwritten { path, error }
        };
        progress.begin(Stage::Fetch, index.parts());
        let mut failed = None;
        let mut all = |out: &mut dyn Write| {
            for part in 0..index.parts() {
                let bytes = self.part((epoch, index), part).map_err(|failure| {
                    failed = Some(failure);
                    io::Error::other("not fetched")
                })?;
                out.write_all(&bytes)?;
                progress.advance(Stage::Fetch, 1);
            }
            Ok(())
        };
        let written = write(dir, STATEMENTS_FILE, &mut all);
        match failed {
            Some(failure) => return Err(failure),
            None => written.map_err(unwritten(STATEMENTS_FILE))?,
        }
        progress.end(Stage::Fetch);
        let signers = serde_json::to_vec_pretty(&index.signers).expect("texts and numbers have JSON");
        write(dir, SIGNERS_FILE, &mut |out| out.write_all(&signers)).map_err(unwritten(SIGNERS_FILE))
    }

    /// A part, however often the party has to be asked.
    fn part(&self, (epoch, index): (EpochId, &Index), part: u64) -> Result<Vec<u8>, FetchFailure> {
        let mut attempt = 1;
        let found = loop {
            match self.reader.statements_part(epoch, part) {
                Err(LinkError::Busy { retry_after, .. }) if attempt < ATTEMPTS => {
                    thread::sleep(retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE));
                }
                Err(LinkError::Unreachable { .. }) if attempt < ATTEMPTS => thread::sleep(PAUSE),
                found => break found?,
            }
            attempt += 1;
        };
        let bytes = found.ok_or_else(|| FetchFailure::NoBundles { url: self.url.into(), epoch })?;
        let expected = (index.bytes - part * PART_BYTES as u64).min(PART_BYTES as u64);
        match bytes.len() as u64 == expected {
            true => Ok(bytes),
            false => {
                Err(self.garbage(epoch, format!("part {part} has {} bytes, and not {expected}", bytes.len())))
            }
        }
    }
}

/// Most bytes that can be published of so many bundles in so many batches.
fn most_bytes(bundles: u64, batches: u64) -> u64 {
    /// What the stream begins with, and what stands before each batch and each bundle: more than each of them has.
    const AROUND: u64 = 64;
    let one = limits::MAX_BUNDLE_BYTES as u64 + AROUND;
    bundles.saturating_mul(one).saturating_add(batches.saturating_add(1).saturating_mul(AROUND))
}
