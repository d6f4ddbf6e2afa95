//! What was signed for whom. An answer is on disk before it is given: an issuer that forgot one could be asked twice.
//!
//! The file is that of the block log, with an answer where a block has its payload.

use super::{OpenError, codes::CodeHash};
use chain::log::{BlockLog, LogError};
use primitives::{CodecError, Decode, Digest, Domain, Encode, EpochId, Reader, Writer, hash, limits};
use proofs::blind::BlindSignature;
use std::{collections::BTreeMap, path::Path};

/// Most answers that are remembered, of all epochs that the issuer has keys for: some hundred bytes each, in memory.
pub(super) const MAX_ANSWERS: usize = 1 << 18;

/// An answer as it is on disk.
struct Entry {
    who: CodeHash,
    epoch: EpochId,
    what: u16,
    request: Digest,
    answer: BlindSignature,
}

impl Encode for Entry {
    fn encode(&self, w: &mut Writer) {
        self.who.0.encode(w);
        self.epoch.encode(w);
        self.what.encode(w);
        self.request.encode(w);
        w.raw(&self.answer);
    }
}

impl Decode for Entry {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (who, epoch, what) = (CodeHash(Decode::decode(r)?), Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { who, epoch, what, request: Decode::decode(r)?, answer: r.array()? })
    }
}

/// Answers to one asker in one epoch: by what they were asked to be (a tier, or a region and a number of views) and by the request.
pub(super) type Given = BTreeMap<(u16, Digest), BlindSignature>;

/// All answers of an issuer.
pub(super) struct Answers {
    log: BlockLog,
    next: u64,
    count: usize,
    given: BTreeMap<(CodeHash, EpochId), Given>,
}

/// A request as it is remembered, if it has the length of one.
pub(super) fn read(request: &[u8]) -> Option<(BlindSignature, Digest)> {
    let bytes: BlindSignature = request.try_into().ok()?;
    const { assert!(size_of::<BlindSignature>() == limits::RSA_BYTES) };
    Some((bytes, hash::hash(Domain::BlindRequest, &[request])))
}

impl Answers {
    /// Opens the file, or creates it. Answers of epochs that `is_of_use` does not name are left on disk.
    pub(super) fn open(path: &Path, is_of_use: impl Fn(EpochId) -> bool) -> Result<Self, OpenError> {
        let (log, payloads) = BlockLog::open(path)?;
        let next = log.head().map_or(0, |(last, _)| last + 1);
        let mut answers = Self { log, next, count: 0, given: BTreeMap::new() };
        for (at, bytes) in payloads.iter().enumerate() {
            let entry = Entry::from_bytes(bytes).map_err(|error| OpenError::Record { at, error })?;
            if is_of_use(entry.epoch) {
                answers.remember(entry);
            }
        }
        Ok(answers)
    }

    fn remember(&mut self, Entry { who, epoch, what, request, answer }: Entry) {
        self.given.entry((who, epoch)).or_default().insert((what, request), answer);
        self.count += 1;
    }

    /// What was answered to somebody in an epoch.
    pub(super) fn given(&self, who: CodeHash, epoch: EpochId) -> Option<&Given> {
        self.given.get(&(who, epoch))
    }

    /// Whether no more can be remembered.
    pub(super) fn is_full(&self) -> bool {
        self.count >= MAX_ANSWERS
    }

    /// Has an answer on disk.
    pub(super) fn add(
        &mut self,
        (who, epoch): (CodeHash, EpochId),
        (what, request): (u16, Digest),
        answer: BlindSignature,
    ) -> Result<(), LogError> {
        let entry = Entry { who, epoch, what, request, answer };
        self.log.append(self.next, &entry.to_bytes())?;
        self.next += 1;
        self.remember(entry);
        Ok(())
    }
}
