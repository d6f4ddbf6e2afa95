//! The index: what queries read, kept in sled as a cache over the block log.
//!
//! One tree with prefixed keys. [`Index::apply`] writes all changes of a block and the head marker in one batch and
//! flushes before it returns, so the index is always the state after some whole block. It is never trusted: the
//! owner compares [`Index::head`] with the end of the [`crate::log::BlockLog`] after reading both. Where the index is
//! behind, or where opening fails, it empties the index and applies the log's blocks again: sled 0.34 has known reports
//! of corruption on open, and this is the answer to them. Where the index is ahead, the log has lost a block.

use primitives::{CodecError, Decode, Digest, codec_struct};
use sled::{Batch, Db};
use std::{
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

/// First byte of the keys that callers write.
const DATA: u8 = b'd';
/// Where the head marker stands. Its first byte keeps it apart from every data key.
const HEAD: &[u8] = b"head";
/// Memory that sled may use for its cache: small beside the state tree, which is in memory anyway.
const CACHE_BYTES: u64 = 64 << 20;
/// How long opening waits for a lock that somebody holds. sled's background threads may keep the files for a moment
/// after the last handle is dropped; an index that another process has open stays locked much longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two attempts to take the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

const _: () = assert!(HEAD[0] != DATA, "no data key is the head marker");

/// Why the index fails. Where it [is damaged](IndexError::is_damage), the answer is [`Index::recreate`] and the log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// sled reports an error.
    #[error("the index store failed: {0}")]
    Store(#[from] sled::Error),
    /// sled panicked while it opened the directory, as it does on some corruptions.
    #[error("the index store broke down while it was opened")]
    BrokeDown,
    /// The head marker is not one.
    #[error("the index has a damaged head marker: {0}")]
    Head(CodecError),
    /// The directory could not be removed.
    #[error("the index could not be removed: {0}")]
    Remove(io::Error),
    /// A block is not the one after the head.
    #[error("block {found} cannot be applied: block {expected} is next")]
    NotNext {
        /// Height that follows the head.
        expected: u64,
        /// Height of the block.
        found: u64,
    },
}

impl IndexError {
    /// Whether the files are damaged, so that the answer is to make them anew. Anything else has to be seen to: a file that
    /// may not be read, no file left for this process, or somebody who has the index open.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::BrokeDown | Self::Head(_) => true,
            Self::Store(sled::Error::Io(error)) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            Self::Store(_) => true,
            Self::Remove(_) | Self::NotNext { .. } => false,
        }
    }
}

/// The last block that was applied.
struct Head {
    height: u64,
    digest: Digest,
}
codec_struct!(Head { height, digest });

/// An open index.
#[derive(Debug)]
pub struct Index(Db);

impl Index {
    /// Opens the index in `dir`, or creates an empty one. Waits five seconds for whoever has it open.
    ///
    /// Errors: [`IndexError::Store`], [`IndexError::BrokeDown`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, IndexError> {
        // Nothing is flushed in the background: what is durable is decided by `apply` alone.
        let config = sled::Config::default().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match panic::catch_unwind(AssertUnwindSafe(|| config.open()))
                .map_err(|_| IndexError::BrokeDown)?
            {
                Err(error) if is_lock_held(&error) && Instant::now() < deadline => thread::sleep(LOCK_PAUSE),
                opened => return Ok(Self(opened?)),
            }
        }
    }

    /// Removes `dir` with all that is in it and opens an empty index there. For an index that cannot be opened.
    ///
    /// Errors: [`IndexError::Remove`], and those of [`Self::open`].
    pub fn recreate(dir: impl AsRef<Path>) -> Result<Self, IndexError> {
        match std::fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(IndexError::Remove(e)),
            _ => Self::open(dir),
        }
    }

    /// Height and digest of the last block applied, as the caller gave them; `None` for an empty index.
    ///
    /// Errors: [`IndexError::Store`], [`IndexError::Head`].
    pub fn head(&self) -> Result<Option<(u64, Digest)>, IndexError> {
        let Some(bytes) = self.0.get(HEAD)? else { return Ok(None) };
        let Head { height, digest } = Head::from_bytes(&bytes).map_err(IndexError::Head)?;
        Ok(Some((height, digest)))
    }

    /// Applies what one block changes: all of it or nothing, and on disk when this returns. A key that is put and
    /// deleted is gone afterwards. The first block may have any height.
    ///
    /// Errors: [`IndexError::NotNext`], [`IndexError::Store`], [`IndexError::Head`].
    pub fn apply(
        &self,
        height: u64,
        digest: Digest,
        puts: Vec<(Vec<u8>, Vec<u8>)>,
        deletes: Vec<Vec<u8>>,
    ) -> Result<(), IndexError> {
        match self.head()? {
            Some((last, _)) if last.checked_add(1) != Some(height) => {
                return Err(IndexError::NotNext { expected: last.saturating_add(1), found: height });
            }
            _ => {}
        }
        let mut batch = Batch::default();
        for (key, value) in puts {
            batch.insert(data_key(&key), value);
        }
        for key in deletes {
            batch.remove(data_key(&key));
        }
        batch.insert(HEAD, primitives::Encode::to_bytes(&Head { height, digest }));
        self.0.apply_batch(batch)?;
        self.0.flush()?;
        Ok(())
    }

    /// The value of a key.
    ///
    /// Errors: [`IndexError::Store`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.0.get(data_key(key))?.map(|value| value.to_vec()))
    }

    /// Removes everything, the head marker first: a crash in between leaves an index without a head, which its owner
    /// wipes again.
    ///
    /// Errors: [`IndexError::Store`].
    pub fn wipe(&self) -> Result<(), IndexError> {
        self.0.remove(HEAD)?;
        self.0.flush()?;
        self.0.clear()?;
        self.0.flush()?;
        Ok(())
    }
}

/// Whether sled could not open the files because they are locked: it gives that error, and that one alone, the kind
/// `Other`.
fn is_lock_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.kind() == io::ErrorKind::Other)
}

fn data_key(key: &[u8]) -> Vec<u8> {
    [&[DATA], key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::PathBuf};
    use tempfile::TempDir;

    fn dir() -> TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    fn digest(height: u64) -> Digest {
        Digest([height.to_le_bytes()[0]; 32])
    }

    /// Block `n` sets a key of its own, counts in a common one, and removes what the block before set.
    fn apply(index: &Index, n: u64) {
        let own = |n: u64| format!("block {n}").into_bytes();
        let puts = vec![(own(n), b"here".to_vec()), (b"count".to_vec(), n.to_le_bytes().to_vec())];
        let deletes = n.checked_sub(1).map(own).into_iter().collect();
        index.apply(n, digest(n), puts, deletes).expect("applied");
    }

    /// The index is the state after its head's block.
    fn check(index: &Index, n: u64) {
        assert_eq!(index.head().expect("readable"), Some((n, digest(n))));
        assert_eq!(index.get(b"count").expect("readable"), Some(n.to_le_bytes().to_vec()));
        for i in 0..=n {
            let expected = (i == n).then(|| b"here".to_vec());
            assert_eq!(index.get(format!("block {i}").as_bytes()).expect("readable"), expected);
        }
    }

    #[test]
    fn blocks_survive_reopening() {
        let dir = dir();
        for n in 0..5 {
            let index = Index::open(dir.path()).expect("opens");
            apply(&index, n);
            check(&index, n);
        }
        check(&Index::open(dir.path()).expect("opens"), 4);
    }

    #[test]
    fn opening_waits_for_the_one_who_has_it_open() {
        let dir = dir();
        let index = Index::open(dir.path()).expect("opens");
        apply(&index, 0);
        let closing = thread::spawn(move || {
            thread::sleep(LOCK_PAUSE * 5);
            drop(index);
        });
        check(&Index::open(dir.path()).expect("opens once it is free"), 0);
        closing.join().expect("closed");
    }

    #[test]
    fn an_index_is_open_once() {
        let dir = dir();
        let _open = Index::open(dir.path()).expect("opens");
        assert!(matches!(Index::open(dir.path()), Err(IndexError::Store(error)) if is_lock_held(&error)));
    }

    #[test]
    fn blocks_follow_each_other() {
        let dir = dir();
        let index = Index::open(dir.path()).expect("opens");
        index.apply(7, digest(7), vec![], vec![]).expect("the first may have any height");
        for found in [0, 7, 9] {
            let refused = index.apply(found, digest(found), vec![(b"k".to_vec(), vec![])], vec![]);
            assert!(matches!(refused, Err(IndexError::NotNext { expected: 8, found: f }) if f == found));
        }
        assert_eq!(index.get(b"k").expect("readable"), None);
    }

    #[test]
    fn a_data_key_is_never_the_head_marker() {
        let dir = dir();
        let index = Index::open(dir.path()).expect("opens");
        index.apply(0, digest(0), vec![(HEAD.to_vec(), b"mine".to_vec())], vec![]).expect("applied");
        assert_eq!(index.head().expect("readable"), Some((0, digest(0))));
        assert_eq!(index.get(HEAD).expect("readable"), Some(b"mine".to_vec()));
        index.apply(1, digest(1), vec![], vec![HEAD.to_vec()]).expect("applied");
        assert_eq!(index.head().expect("readable"), Some((1, digest(1))));
    }

    #[test]
    fn a_wiped_index_is_empty_and_takes_any_block() {
        let dir = dir();
        let index = Index::open(dir.path()).expect("opens");
        apply(&index, 0);
        index.wipe().expect("wiped");
        assert_eq!((index.head().expect("readable"), index.get(b"count").expect("readable")), (None, None));
        apply(&index, 3);
        drop(index);
        assert_eq!(Index::open(dir.path()).expect("opens").head().expect("readable"), Some((3, digest(3))));
    }

    #[test]
    fn a_damaged_head_marker_is_an_error() {
        let dir = dir();
        let index = Index::open(dir.path()).expect("opens");
        index.0.insert(HEAD, b"short").expect("written");
        assert!(matches!(index.head(), Err(IndexError::Head(CodecError::Truncated { .. }))));
    }

    fn copy_all(from: &std::path::Path, to: &std::path::Path) {
        fs::create_dir_all(to).expect("a directory");
        for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
            let target: PathBuf = to.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                copy_all(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).expect("copied");
            }
        }
    }

    /// What a killed process leaves: the files after an acknowledged block, copied while the index is open.
    #[test]
    fn what_was_acknowledged_is_in_a_copy_taken_at_once() {
        let dir = dir();
        let index = Index::open(dir.path().join("live")).expect("opens");
        for n in 0..8 {
            apply(&index, n);
            let copy = dir.path().join(format!("copy {n}"));
            copy_all(&dir.path().join("live"), &copy);
            check(&Index::open(&copy).expect("opens"), n);
        }
    }

    /// Whatever happened to the files, opening returns, and the index can be made anew.
    #[test]
    fn a_damaged_index_is_recreated() {
        let dir = dir();
        let path = dir.path().join("index");
        apply(&Index::open(&path).expect("opens"), 0);
        for name in ["conf", "db"] {
            let file = path.join(name);
            let mut bytes = fs::read(&file).expect("a file of sled's");
            for byte in bytes.iter_mut().step_by(3) {
                *byte ^= 0x55;
            }
            fs::write(&file, bytes).expect("written");
            drop(Index::open(&path));
            let index = Index::recreate(&path).expect("anew");
            assert_eq!(index.head().expect("readable"), None);
            apply(&index, 0);
            check(&index, 0);
        }
    }
}
