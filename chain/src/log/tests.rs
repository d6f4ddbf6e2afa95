//! The log under truncation, damage and crashes.

use super::*;
use std::{fs, path::PathBuf};

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("blocks.log")
    }

    fn open(&self) -> Result<(BlockLog, Vec<Vec<u8>>), LogError> {
        BlockLog::open(self.path())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).expect("the log")
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).expect("the log");
    }
}

fn payload(height: u64) -> Vec<u8> {
    let length = 20 + 7 * height;
    (0..length).map(|i| (i * 31 + height).to_le_bytes()[0]).collect()
}

/// A log with blocks `0..n`, and where each record starts.
fn log_of(n: u64) -> (Dir, Vec<usize>) {
    let dir = Dir::new();
    let (mut log, _) = dir.open().expect("a new log");
    let starts = (0..n).map(|height| {
        let start = dir.bytes().len();
        log.append(height, &payload(height)).expect("appended");
        start
    });
    let starts = starts.collect();
    (dir, starts)
}

#[test]
fn blocks_survive_reopening() {
    let (dir, _) = log_of(5);
    let (mut log, blocks) = dir.open().expect("sound");
    assert_eq!(blocks, (0..5).map(payload).collect::<Vec<_>>());
    assert_eq!((log.torn(), log.head().map(|(height, _)| height)), (None, Some(4)));
    let digest = log.append(5, b"").expect("appended");
    assert_eq!(log.head(), Some((5, digest)));
    drop(log);
    let (log, blocks) = dir.open().expect("sound");
    assert_eq!((log.head(), blocks.len()), (Some((5, digest)), 6));
}

#[test]
fn a_log_may_start_at_any_height_and_has_no_gaps() {
    let dir = Dir::new();
    let (mut log, _) = dir.open().expect("a new log");
    log.append(7, b"seven").expect("the first");
    for found in [0, 7, 9] {
        let refused = log.append(found, b"");
        assert!(matches!(refused, Err(LogError::NotNext { expected: 8, found: f }) if f == found));
    }
    let long = vec![0; MAX_RECORD_BYTES + 1];
    assert!(matches!(log.append(8, &long), Err(LogError::TooLong { height: 8, .. })));
    log.append(8, b"eight").expect("refusals change nothing");
    drop(log);
    assert_eq!(dir.open().expect("sound").1, [b"seven".to_vec(), b"eight".to_vec()]);
}

/// A crash may leave any beginning of the last record.
#[test]
fn a_tail_torn_at_any_byte_is_cut_and_reported() {
    let (dir, starts) = log_of(3);
    let (whole, start) = (dir.bytes(), starts[2]);
    for end in start + 1..whole.len() {
        dir.put(&whole[..end]);
        let (mut log, blocks) = dir.open().expect("a torn tail is no damage");
        assert_eq!(blocks.len(), 2, "cut at {end}");
        let tail = TornTail { offset: start as u64, bytes: (end - start) as u64 };
        assert_eq!(log.torn(), Some(tail), "cut at {end}");
        log.append(2, &payload(2)).expect("goes on");
        assert_eq!(dir.bytes(), whole, "cut at {end}");
    }
    dir.put(&whole[..start]);
    assert_eq!(dir.open().expect("ends between records").0.torn(), None);
}

/// A file system may grow the file before the data arrives: any suffix of the last record is zeros or missing.
#[test]
fn a_tail_of_zeros_is_cut() {
    let (dir, starts) = log_of(3);
    let (whole, start) = (dir.bytes(), starts[2]);
    for written in [start, start + 3, start + 20, start + HEAD_BYTES, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[written..].fill(0);
        dir.put(&bytes);
        let (log, blocks) = dir.open().expect("a torn tail is no damage");
        assert_eq!((blocks.len(), log.torn().map(|t| t.offset)), (2, Some(start as u64)), "from {written}");
    }
}

/// Every byte before the last record, flipped in turn, is named and nothing is cut.
#[test]
fn damage_before_the_tail_is_an_error_that_names_the_block() {
    let (dir, starts) = log_of(4);
    let whole = dir.bytes();
    for at in starts[0]..starts[3] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        dir.put(&bytes);
        let block = starts.iter().rposition(|start| *start <= at).expect("in a record");
        match dir.open() {
            Err(LogError::Corrupt { offset, height }) => {
                assert_eq!((offset, height), (starts[block] as u64, block as u64), "byte {at}");
            }
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(dir.bytes(), bytes, "byte {at}: the file is left as it was");
    }
}

/// In the last record damage looks like a crash. The blocks before stay, and the index tells the owner of the loss.
#[test]
fn damage_in_the_last_record_costs_that_record_only() {
    let (dir, starts) = log_of(3);
    let whole = dir.bytes();
    for at in starts[2]..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        dir.put(&bytes);
        let (log, blocks) = dir.open().expect("like a torn tail");
        assert_eq!((blocks.len(), log.torn().map(|t| t.offset)), (2, Some(starts[2] as u64)), "byte {at}");
    }
}

#[test]
fn a_record_that_was_taken_out_or_repeated_is_noticed() {
    let (dir, starts) = log_of(4);
    let whole = dir.bytes();
    dir.put(&[&whole[..starts[1]], &whole[starts[2]..]].concat());
    let offset = starts[1] as u64;
    assert!(
        matches!(dir.open(), Err(LogError::OutOfOrder { offset: o, expected: 1, found: 2 }) if o == offset)
    );
    dir.put(&[&whole[..starts[2]], &whole[starts[1]..]].concat());
    let offset = starts[2] as u64;
    assert!(
        matches!(dir.open(), Err(LogError::OutOfOrder { offset: o, expected: 2, found: 1 }) if o == offset)
    );
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let dir = Dir::new();
    dir.put(b"not a log at all");
    assert!(matches!(dir.open(), Err(LogError::NotALog)));
    assert_eq!(dir.bytes(), b"not a log at all");
    let mut newer = header();
    newer[MAGIC.len()] = 2;
    dir.put(&newer);
    assert!(matches!(dir.open(), Err(LogError::Version { found: 2 })));
}

#[test]
fn a_crash_at_creation_leaves_an_empty_log() {
    for end in 0..=FILE_HEADER_BYTES {
        let dir = Dir::new();
        dir.put(&header()[..end]);
        let (mut log, blocks) = dir.open().expect("an empty log");
        assert_eq!((blocks.len(), log.head()), (0, None));
        log.append(0, b"zero").expect("appended");
        drop(log);
        assert_eq!(dir.open().expect("sound").1, [b"zero".to_vec()], "header of {end} bytes");
    }
}

#[test]
fn a_log_is_open_once() {
    let (dir, _) = log_of(1);
    let (log, _) = dir.open().expect("sound");
    assert!(matches!(dir.open(), Err(LogError::InUse)));
    drop(log);
    assert!(dir.open().is_ok());
}

/// What a killed process leaves: the file as it is after an acknowledged append, copied while the log is open.
#[test]
fn what_was_acknowledged_is_in_a_copy_taken_at_once() {
    let dir = Dir::new();
    let (mut log, _) = dir.open().expect("a new log");
    for height in 0..20 {
        let digest = log.append(height, &payload(height)).expect("appended");
        let copy = Dir::new();
        copy.put(&dir.bytes());
        let (copied, blocks) = copy.open().expect("sound");
        assert_eq!(copied.head(), Some((height, digest)));
        assert_eq!(blocks, (0..=height).map(payload).collect::<Vec<_>>());
    }
}

#[test]
fn after_a_failed_write_nothing_is_appended() {
    let (dir, _) = log_of(2);
    let file = File::open(dir.path()).expect("read only");
    let head = Some((1, Digest::default()));
    let (path, places) = (dir.path(), Arc::default());
    let mut log = BlockLog { file, path, places, head, torn: None, poisoned: false };
    assert!(matches!(log.append(2, b"two"), Err(LogError::Io { .. })));
    assert!(matches!(log.append(2, b"two"), Err(LogError::Poisoned)));
}

/// Records are read by height while the log grows, and one that was damaged since it was opened is an error.
#[test]
fn records_are_read_while_the_log_is_open() {
    let (dir, starts) = log_of(3);
    let (mut log, _) = dir.open().expect("a sound log");
    let reader = log.reader().expect("a second handle");
    for height in 0..3 {
        assert_eq!(reader.read(height).expect("sound"), Some(payload(height)));
    }
    assert_eq!(reader.read(3).expect("nothing there"), None);
    log.append(3, &payload(3)).expect("appended");
    assert_eq!(reader.clone().read(3).expect("sound"), Some(payload(3)));
    let mut bytes = dir.bytes();
    bytes[starts[2] - 1] ^= 1;
    dir.put(&bytes);
    let offset = starts[1] as u64;
    assert!(matches!(reader.read(1), Err(LogError::Corrupt { offset: o, height: 1 }) if o == offset));
    assert_eq!(reader.read(2).expect("sound"), Some(payload(2)));
}

#[test]
fn a_log_may_begin_at_any_height() {
    let dir = Dir::new();
    let (mut log, _) = dir.open().expect("a new log");
    let reader = log.reader().expect("a second handle");
    assert_eq!(reader.read(0).expect("empty"), None);
    log.append(7, &payload(7)).expect("appended");
    log.append(8, &payload(8)).expect("appended");
    drop(log);
    let (log, _) = dir.open().expect("a sound log");
    for reader in [reader, log.reader().expect("a second handle")] {
        assert_eq!(reader.read(8).expect("sound"), Some(payload(8)));
        assert_eq!(reader.read(6).expect("before the first"), None);
    }
}
