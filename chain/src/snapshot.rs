//! The form of a snapshot on disk: magic, version, length, contents, checksum.
//!
//! A snapshot is a cache and an export. It is never the truth: a node that cannot read one repeats its block log.

use primitives::{Digest, Domain, hash};
use thiserror::Error;

/// First bytes of a snapshot. The last ones are not text.
const MAGIC: [u8; 8] = *b"CWESNAP\0";
/// Version of the format.
const VERSION: u32 = 1;
/// Bytes before the contents.
#[cfg(test)]
const HEADER_BYTES: usize = MAGIC.len() + 4 + 8;
/// Bytes after them.
const CHECKSUM_BYTES: usize = 32;

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// They begin like something else.
    #[error("the file is not a snapshot")]
    NotASnapshot,
    /// Another version of the format.
    #[error("the snapshot has version {found}, this program reads {VERSION}")]
    Version {
        /// Version found.
        found: u32,
    },
    /// More or fewer bytes than it says.
    #[error("the snapshot is cut off, or something is behind it")]
    Length,
    /// The checksum does not match.
    #[error("the snapshot is damaged: its checksum does not match")]
    Checksum,
}

fn checksum(contents: &[u8]) -> Digest {
    hash::hash(Domain::Snapshot, &[&VERSION.to_le_bytes(), contents])
}

/// Contents as a snapshot.
pub fn seal(contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u64).to_le_bytes();
    [&MAGIC[..], &VERSION.to_le_bytes(), &length, contents, &checksum(contents).0].concat()
}

/// Contents of a snapshot.
///
/// Errors: every variant of [`FormatError`].
pub fn open(bytes: &[u8]) -> Result<&[u8], FormatError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(FormatError::NotASnapshot)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(FormatError::Length)?;
    let found = u32::from_le_bytes(*version);
    if found != VERSION {
        return Err(FormatError::Version { found });
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(FormatError::Length)?;
    let (contents, sum) = rest.split_last_chunk::<CHECKSUM_BYTES>().ok_or(FormatError::Length)?;
    if u64::from_le_bytes(*length) != contents.len() as u64 {
        return Err(FormatError::Length);
    }
    if checksum(contents).0 == *sum { Ok(contents) } else { Err(FormatError::Checksum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_a_snapshot_can_change_and_none_can_be_missing() {
        let sealed = seal(b"contents");
        assert_eq!(open(&sealed), Ok(&b"contents"[..]));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            let expected = match place {
                0..8 => FormatError::NotASnapshot,
                8..12 => FormatError::Version { found: VERSION ^ 1 << (8 * (place - 8)) },
                12..HEADER_BYTES => FormatError::Length,
                _ => FormatError::Checksum,
            };
            assert_eq!(open(&changed), Err(expected), "byte {place}");
            assert!(open(&sealed[..place]).is_err(), "cut at {place}");
        }
        assert_eq!(open(&[&sealed[..], &[0]].concat()), Err(FormatError::Length));
    }
}
