//! Records, and the scan that tells a torn tail from damage.

use super::{LogError, MAX_RECORD_BYTES};
use primitives::{Digest, Domain, Encode, codec_struct, hash};

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

/// What a scan found.
pub(super) struct Scan {
    pub(super) payloads: Vec<Vec<u8>>,
    /// Height and digest of the last sound record.
    pub(super) head: Option<(u64, Digest)>,
    /// Where the sound records end. What follows is a torn tail.
    pub(super) end: usize,
}

/// Reads the records from `start` on.
pub(super) fn scan(bytes: &[u8], start: usize) -> Result<Scan, LogError> {
    let mut scan = Scan { payloads: Vec::new(), head: None, end: start };
    while scan.end < bytes.len() {
        let next = scan.head.map(|(height, _)| height.saturating_add(1));
        let Some((head, payload)) = whole_record(&bytes[scan.end..], scan.end, next)? else { break };
        let expected = next.unwrap_or(head.height);
        if head.height != expected {
            return Err(LogError::OutOfOrder { offset: scan.end as u64, expected, found: head.height });
        }
        scan.payloads.push(payload.to_vec());
        scan.head = Some((head.height, head.digest));
        scan.end += HEAD_BYTES + payload.len();
    }
    Ok(scan)
}

/// The record at the front of `rest`, or `None` if `rest` is what a crash left of the last append: it holds at most
/// one record, and nothing sound behind the damage.
fn whole_record(rest: &[u8], offset: usize, next: Option<u64>) -> Result<Option<(Head, &[u8])>, LogError> {
    let corrupt = |height| LogError::Corrupt { offset: offset as u64, height };
    let Some(head) = Head::read(rest) else {
        let one_record = rest.len() <= HEAD_BYTES + MAX_RECORD_BYTES;
        return if one_record && !a_later_record_follows(rest, next) {
            Ok(None)
        } else {
            Err(corrupt(next.unwrap_or(0)))
        };
    };
    let behind = &rest[HEAD_BYTES..];
    let Some((payload, after)) = behind.split_at_checked(head.length as usize) else {
        return Ok(None);
    };
    if digest(head.height, payload) == head.digest {
        Ok(Some((head, payload)))
    } else if after.is_empty() {
        // The file grew to its new length before all of the record reached the disk.
        Ok(None)
    } else {
        Err(corrupt(head.height))
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
