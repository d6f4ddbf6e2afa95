//! Records, and the scan that tells a torn tail from damage.

use super::{LogError, MAX_RECORD_BYTES, failed};
use primitives::{Digest, Domain, Encode, codec_struct, hash};
use std::io::Read;

/// Bytes of a record before its payload.
pub(super) const HEAD_BYTES: usize = 4 + 8 + 32 + CHECK_BYTES;
/// Bytes of the checksum over a record's head.
const CHECK_BYTES: usize = 4;

const _: () = assert!(MAX_RECORD_BYTES <= u32::MAX as usize, "a length has 32 bits");

/// What stands before a payload.
pub(super) struct Head {
    length: u32,
    height: u64,
    pub(super) digest: Digest,
}
codec_struct!(Head { length, height, digest });

impl Head {
    pub(super) fn of(height: u64, payload: &[u8]) -> Self {
        let length = u32::try_from(payload.len()).expect("payloads are bounded by MAX_RECORD_BYTES");
        Self { length, height, digest: digest(height, payload) }
    }

    pub(super) fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let fields = Encode::to_bytes(self);
        let check = hash::hash(Domain::LogRecord, &[b"head", &fields]);
        [&fields[..], &check.0[..CHECK_BYTES]].concat().try_into().expect("the fields have fixed widths")
    }

    /// The head at the front of `bytes`, if a whole and sound one stands there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEAD_BYTES)?;
        let head: Self = primitives::Decode::from_bytes(&bytes[..HEAD_BYTES - CHECK_BYTES]).ok()?;
        (head.length as usize <= MAX_RECORD_BYTES && head.to_bytes() == bytes).then_some(head)
    }
}

fn digest(height: u64, payload: &[u8]) -> Digest {
    hash::hash(Domain::LogRecord, &[&height.to_le_bytes(), payload])
}

/// The payload of the one record that `bytes` are, if it is sound and of this height.
pub(super) fn payload_of(bytes: &[u8], height: u64) -> Option<&[u8]> {
    let head = Head::read(bytes)?;
    let payload = &bytes[HEAD_BYTES..];
    let sound = head.height == height && head.length as usize == payload.len();
    (sound && digest(height, payload) == head.digest).then_some(payload)
}

/// Reads the records of a file one after the other: no more than one of them is in memory.
pub(super) struct Scan<'a, R> {
    file: &'a mut R,
    /// Length of the file.
    length: u64,
    /// Height and digest of the last sound record.
    pub(super) head: Option<(u64, Digest)>,
    /// Where the sound records end. What follows is a torn tail.
    pub(super) end: u64,
}

impl<'a, R: Read> Scan<'a, R> {
    /// Reads from here on, which is at `start` in a file of this length.
    pub(super) fn new(file: &'a mut R, start: usize, length: u64) -> Self {
        Self { file, length, head: None, end: start as u64 }
    }

    /// The next record, or `None` where they end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, LogError> {
        if self.end >= self.length {
            return Ok(None);
        }
        let next = self.head.map(|(height, _)| height.saturating_add(1));
        let Some((head, payload)) = self.whole_record(next)? else { return Ok(None) };
        let (offset, expected, found) = (self.end, next.unwrap_or(head.height), head.height);
        if found != expected {
            return Err(LogError::OutOfOrder { offset, expected, found });
        }
        self.head = Some((head.height, head.digest));
        self.end += (HEAD_BYTES + payload.len()) as u64;
        Ok(Some((head.height, payload)))
    }

    fn read(&mut self, into: &mut Vec<u8>, bytes: usize) -> Result<(), LogError> {
        self.file.by_ref().take(bytes as u64).read_to_end(into).map_err(failed("read"))?;
        Ok(())
    }

    /// The next record, or `None` if the rest of the file is what a crash left of the last append: it holds at most one
    /// record, and nothing sound behind the damage.
    fn whole_record(&mut self, next: Option<u64>) -> Result<Option<(Head, Vec<u8>)>, LogError> {
        let offset = self.end;
        let (corrupt, rest) = (|height| LogError::Corrupt { offset, height }, self.length - offset);
        let mut bytes = Vec::new();
        self.read(&mut bytes, HEAD_BYTES)?;
        let Some(head) = Head::read(&bytes) else {
            if rest > (HEAD_BYTES + MAX_RECORD_BYTES) as u64 {
                return Err(corrupt(next.unwrap_or(0)));
            }
            self.read(&mut bytes, MAX_RECORD_BYTES)?;
            return if a_later_record_follows(&bytes, next) {
                Err(corrupt(next.unwrap_or(0)))
            } else {
                Ok(None)
            };
        };
        let mut payload = Vec::with_capacity(head.length as usize);
        self.read(&mut payload, head.length as usize)?;
        if payload.len() < head.length as usize {
            return Ok(None);
        }
        if digest(head.height, &payload) == head.digest {
            Ok(Some((head, payload)))
        } else if rest == (HEAD_BYTES + payload.len()) as u64 {
            // The file grew to its new length before all of the record reached the disk.
            Ok(None)
        } else {
            Err(corrupt(head.height))
        }
    }
}

/// Whether the sound head of a later block stands anywhere in `rest`. A payload that contains one makes this err
/// towards refusing to cut.
fn a_later_record_follows(rest: &[u8], next: Option<u64>) -> bool {
    // So many records fit at most, which spares the hash at almost every offset.
    let most = (rest.len() / HEAD_BYTES) as u64;
    let heights = next.map_or(1..=u64::MAX, |next| next.saturating_add(1)..=next.saturating_add(most));
    (1..rest.len()).any(|at| {
        let height = rest.get(at + 4..at + 12).and_then(|bytes| bytes.first_chunk());
        height.is_some_and(|height| heights.contains(&u64::from_le_bytes(*height)))
            && Head::read(&rest[at..]).is_some()
    })
}
