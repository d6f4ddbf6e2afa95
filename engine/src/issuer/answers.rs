//! What was signed for whom. A request is on disk before its answer is given: an issuer that forgot one could be asked twice.
//!
//! Each epoch has a file, which is deleted when the epoch is over. It is that of the block log, with a request where a block
//! has its payload. Answers are not kept: a blind signature follows from key and request, so that whoever asks again is
//! answered under the key that there is, and never with a number that does not hold under it.

use super::{OpenError, codes::CodeHash};
use chain::log::{BlockLog, LogError, TornTail};
use primitives::{CodecError, Decode, Digest, Domain, Encode, EpochId, Reader, Writer, hash, limits};
use proofs::blind::BlindSignature;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Most requests that are remembered, of all epochs that are not over: some 64 MiB in memory. A hundred thousand subscribers
/// have room, each with its token, or with ten receipts.
pub(super) const MAX_ANSWERS: usize = 1 << 20;
/// End of a file's name.
const EXTENSION: &str = ".log";

/// A request that was signed, as it is on disk.
struct Entry {
    who: CodeHash,
    epoch: EpochId,
    what: u16,
    request: Digest,
}

impl Encode for Entry {
    fn encode(&self, w: &mut Writer) {
        self.who.0.encode(w);
        self.epoch.encode(w);
        self.what.encode(w);
        self.request.encode(w);
    }
}

impl Decode for Entry {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (who, epoch, what) = (CodeHash(Decode::decode(r)?), Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { who, epoch, what, request: Decode::decode(r)? })
    }
}

/// Requests of one asker in one epoch: what they were asked to be (a tier, or a region and a number of views) and their digests.
pub(super) type Given = BTreeSet<(u16, Digest)>;

/// What was signed in one epoch.
struct Signed {
    log: BlockLog,
    next: u64,
    given: BTreeMap<CodeHash, Given>,
}

/// All that an issuer has signed in epochs that are not over.
pub(super) struct Answers {
    folder: PathBuf,
    /// Begin of the files' names.
    name: &'static str,
    epochs: BTreeMap<EpochId, Signed>,
    count: usize,
    torn: Vec<TornTail>,
}

/// A request as it is remembered, if it has the length of one.
pub(super) fn read(request: &[u8]) -> Option<(BlindSignature, Digest)> {
    let bytes: BlindSignature = request.try_into().ok()?;
    const { assert!(size_of::<BlindSignature>() == limits::RSA_BYTES) };
    Some((bytes, hash::hash(Domain::BlindRequest, &[request])))
}

impl Answers {
    /// Reads the files of a folder, and deletes those of epochs that are over.
    pub(super) fn open(
        folder: &Path,
        name: &'static str,
        is_over: impl Fn(EpochId) -> bool,
    ) -> Result<Self, OpenError> {
        let (epochs, torn) = (BTreeMap::new(), Vec::new());
        let mut answers = Self { folder: folder.into(), name, epochs, count: 0, torn };
        let unread = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        let mut found = Vec::<EpochId>::new();
        for entry in fs::read_dir(folder).map_err(unread)? {
            let entry = entry.map_err(unread)?.file_name();
            let number = entry.to_str().and_then(|file| {
                file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(EXTENSION)?.parse::<EpochId>().ok()
            });
            found.extend(number);
        }
        for epoch in found {
            let path = answers.path(epoch);
            match is_over(epoch) {
                // A second spelling of a number names no file.
                _ if !path.is_file() => {}
                true => fs::remove_file(path).map_err(unread)?,
                false => drop(answers.of(epoch)?),
            }
        }
        answers.take_over(&is_over)?;
        Ok(answers)
    }

    fn path(&self, epoch: EpochId) -> PathBuf {
        self.folder.join(format!("{}-{epoch}{EXTENSION}", self.name))
    }

    /// Takes over the one file that there was for all epochs, with answers beside requests.
    fn take_over(&mut self, is_over: impl Fn(EpochId) -> bool) -> Result<(), OpenError> {
        let path = self.folder.join(format!("{}{EXTENSION}", self.name));
        if !path.is_file() {
            return Ok(());
        }
        let (log, payloads) = BlockLog::open(&path)?;
        self.torn.extend(log.torn());
        for (at, bytes) in payloads.iter().enumerate() {
            let request = &bytes[..bytes.len().saturating_sub(limits::RSA_BYTES)];
            let entry = Entry::from_bytes(request).map_err(|error| OpenError::Record { at, error })?;
            let asked = (entry.what, entry.request);
            // It may be there already: the machine died in the middle of this.
            let is_known = |given: Option<&Given>| given.is_some_and(|given| given.contains(&asked));
            if !is_over(entry.epoch) && !is_known(self.of(entry.epoch)?.get(&entry.who)) {
                self.add((entry.who, entry.epoch), asked)?;
            }
        }
        fs::remove_file(&path)
            .map_err(|error| OpenError::Folder { folder: path.display().to_string(), error })
    }

    /// What was signed in an epoch, by who asked. Its file is opened, or made.
    pub(super) fn of(&mut self, epoch: EpochId) -> Result<&BTreeMap<CodeHash, Given>, OpenError> {
        if !self.epochs.contains_key(&epoch) {
            let (log, payloads) = BlockLog::open(self.path(epoch))?;
            self.torn.extend(log.torn());
            let next = log.head().map_or(0, |(last, _)| last + 1);
            let mut given = BTreeMap::<_, Given>::new();
            for (at, bytes) in payloads.iter().enumerate() {
                let entry = Entry::from_bytes(bytes).map_err(|error| OpenError::Record { at, error })?;
                if entry.epoch != epoch {
                    let error = CodecError::Invalid { what: "epoch" };
                    return Err(OpenError::Record { at, error });
                }
                given.entry(entry.who).or_default().insert((entry.what, entry.request));
            }
            self.count += given.values().map(Given::len).sum::<usize>();
            self.epochs.insert(epoch, Signed { log, next, given });
        }
        Ok(&self.epochs[&epoch].given)
    }

    /// Whether no more can be remembered.
    pub(super) fn is_full(&self) -> bool {
        self.count >= MAX_ANSWERS
    }

    /// Has a request on disk.
    pub(super) fn add(
        &mut self,
        (who, epoch): (CodeHash, EpochId),
        (what, request): (u16, Digest),
    ) -> Result<(), OpenError> {
        self.of(epoch)?;
        let Signed { log, next, given } = self.epochs.get_mut(&epoch).expect("it was opened just now");
        // A log that failed says so again until it is opened anew, and by then what is on disk is read again.
        let appended = log.append(*next, &Entry { who, epoch, what, request }.to_bytes());
        if let Err(error) = appended {
            return Err(self.close(epoch, error));
        }
        *next += 1;
        given.entry(who).or_default().insert((what, request));
        self.count += 1;
        Ok(())
    }

    /// Closes a file that failed. The next request opens it again.
    fn close(&mut self, epoch: EpochId, error: LogError) -> OpenError {
        self.drop_epoch(epoch);
        error.into()
    }

    fn drop_epoch(&mut self, epoch: EpochId) {
        if let Some(signed) = self.epochs.remove(&epoch) {
            self.count -= signed.given.values().map(Given::len).sum::<usize>();
        }
    }

    /// Forgets what was signed in epochs that are over by now; which.
    pub(super) fn forget(&mut self, is_over: impl Fn(EpochId) -> bool) -> Vec<EpochId> {
        let over: Vec<EpochId> = self.epochs.keys().copied().filter(|epoch| is_over(*epoch)).collect();
        for epoch in &over {
            self.drop_epoch(*epoch);
            // What cannot be deleted now is deleted at the next start.
            drop(fs::remove_file(self.path(*epoch)));
        }
        over
    }

    /// What crashes had left of requests that they interrupted, which were not answered.
    pub(super) fn torn(&self) -> &[TornTail] {
        &self.torn
    }
}
