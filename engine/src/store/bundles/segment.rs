//! The format of one file of bundles.
//!
//! ```text
//! file    magic 8 | version u32 | epoch u64 | number u32 | first u64 | salt 32 | check 32 | record*
//! record  mark 4 | length u32 | place u64 | id 32 | checksum 32 | check 8 | bundle
//! ```
//!
//! Numbers are little-endian. `checksum` is over place, id and bundle, `check` over the fields before it. Without `check` a
//! damaged length in the middle would look like a crash at the end, and everything behind it would be cut.
//!
//! Where a record is damaged, the next one is looked for byte by byte. Devices choose what is in bundles, so one of them
//! could hold what looks like a record. Every check is therefore over the file's `salt` too, which is drawn when the
//! file is made and which no device knows.

use primitives::{Digest, Domain, Encode, EpochId, Reader, Writer, hash, limits};

/// First bytes of a file.
const MAGIC: [u8; 8] = *b"CWEBDL\r\0";
/// Version of the format.
const VERSION: u32 = 1;
/// First bytes of a record. The first is no text.
const MARK: [u8; 4] = *b"\xb5BDL";
/// Bytes before the first record.
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 4 + 8 + 4 + 8 + 32 + 32;
/// Bytes of a record before its bundle.
pub(super) const HEAD_BYTES: usize = MARK.len() + 4 + 8 + 32 + 32 + 8;
/// Longest bundle that is kept: the longest that intake reads.
pub(super) const MAX_BUNDLE_BYTES: usize = limits::MAX_BUNDLE_BYTES;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) epoch: EpochId,
    /// Its place among the files of the epoch.
    pub(super) number: u32,
    /// The place of its first bundle.
    pub(super) first: u64,
    pub(super) salt: [u8; 32],
}

impl Header {
    /// The bytes that a file of this owner begins with.
    pub(super) fn to_bytes(self, owner: &Digest) -> Vec<u8> {
        let mut w = Writer::default();
        w.raw(&MAGIC);
        VERSION.encode(&mut w);
        (self.epoch, self.number).encode(&mut w);
        (self.first, self.salt).encode(&mut w);
        let body = w.finish();
        let check = hash::hash(Domain::StoredBundle, &[&owner.0, &body]);
        [&body, check.0.as_slice()].concat()
    }

    /// Reads the beginning of a file of this owner. Nothing, if it is not sound.
    pub(super) fn read(bytes: &[u8], owner: &Digest) -> Option<Self> {
        let mut r = Reader::new(bytes.get(MAGIC.len() + 4..)?);
        let (epoch, number) = read(&mut r)?;
        let (first, salt) = read(&mut r)?;
        let header = Self { epoch, number, first, salt };
        bytes.starts_with(&header.to_bytes(owner)).then_some(header)
    }
}

/// What a record says of its bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    /// Place among all bundles of the epoch.
    pub(super) place: u64,
    pub(super) id: Digest,
    checksum: Digest,
}

impl Head {
    /// What is said of a bundle. It must be no longer than [`MAX_BUNDLE_BYTES`].
    pub(super) fn of(salt: &[u8; 32], place: u64, id: Digest, bundle: &[u8]) -> Self {
        let length = u32::try_from(bundle.len()).expect("the caller refuses longer bundles");
        let checksum = hash::hash(Domain::StoredBundle, &[salt, &place.to_le_bytes(), &id.0, bundle]);
        Self { length, place, id, checksum }
    }

    /// The record before its bundle.
    pub(super) fn to_bytes(self, salt: &[u8; 32]) -> Vec<u8> {
        let mut w = Writer::default();
        w.raw(&MARK);
        (self.length, self.place).encode(&mut w);
        (self.id, self.checksum).encode(&mut w);
        let body = w.finish();
        let check = hash::hash(Domain::StoredBundle, &[salt, b"head", &body]);
        [&body, &check.0[..8]].concat()
    }

    /// Reads the beginning of a record. Nothing, if it is not sound.
    pub(super) fn read(bytes: &[u8], salt: &[u8; 32]) -> Option<Self> {
        let mut r = Reader::new(bytes.strip_prefix(&MARK)?);
        let (length, place) = read(&mut r)?;
        let (id, checksum) = read(&mut r)?;
        let head = Self { length, place, id, checksum };
        (length as usize <= MAX_BUNDLE_BYTES && bytes.starts_with(&head.to_bytes(salt))).then_some(head)
    }

    /// Whether these bytes are the bundle.
    pub(super) fn holds(&self, salt: &[u8; 32], bundle: &[u8]) -> bool {
        bundle.len() == self.length as usize && *self == Self::of(salt, self.place, self.id, bundle)
    }
}

fn read<T: primitives::Decode>(r: &mut Reader<'_>) -> Option<T> {
    T::decode(r).ok()
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Sound records, with the offset of each.
    pub(super) bundles: Vec<(u64, Head)>,
    /// Offset and length of what cannot be read between them.
    pub(super) damaged: Vec<(u64, u64)>,
    /// End of the last sound record.
    pub(super) end: u64,
}

/// Reads a whole file, with its header.
pub(super) fn scan(file: &[u8], header: &Header) -> Contents {
    let mut contents = Contents { end: HEADER_BYTES as u64, ..Contents::default() };
    let (mut at, mut next) = (HEADER_BYTES, header.first);
    while at < file.len() {
        let Some((found, head)) = find(file, at, header, next) else { break };
        if found > at {
            contents.damaged.push((at as u64, (found - at) as u64));
        }
        contents.bundles.push((found as u64, head));
        at = found + HEAD_BYTES + head.length as usize;
        next = head.place + 1;
        contents.end = at as u64;
    }
    contents
}

/// The first sound record from an offset on, of this place in the epoch or a later one.
fn find(file: &[u8], from: usize, header: &Header, place: u64) -> Option<(usize, Head)> {
    let mut at = from;
    loop {
        if let Some(head) = sound(&file[at..], &header.salt).filter(|head| head.place >= place) {
            return Some((at, head));
        }
        let rest = file.get(at + 1..)?;
        at += 1 + rest.windows(MARK.len()).position(|window| window == MARK)?;
    }
}

fn sound(bytes: &[u8], salt: &[u8; 32]) -> Option<Head> {
    let head = Head::read(bytes, salt)?;
    let bundle = bytes.get(HEAD_BYTES..HEAD_BYTES + head.length as usize)?;
    head.holds(salt, bundle).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Digest = Digest([7; 32]);

    fn header() -> Header {
        Header { epoch: EpochId(3), number: 1, first: 5, salt: [9; 32] }
    }

    fn file(bundles: &[&[u8]]) -> Vec<u8> {
        let mut file = header().to_bytes(&OWNER);
        for (place, bundle) in (header().first..).zip(bundles) {
            let head = Head::of(&header().salt, place, Digest([place.to_le_bytes()[0]; 32]), bundle);
            file.extend(head.to_bytes(&header().salt));
            file.extend_from_slice(bundle);
        }
        file
    }

    fn places(contents: &Contents) -> Vec<u64> {
        contents.bundles.iter().map(|(_, head)| head.place).collect()
    }

    #[test]
    fn sizes_are_what_the_format_says() {
        assert_eq!(header().to_bytes(&OWNER).len(), HEADER_BYTES);
        assert_eq!(file(&[b""]).len(), HEADER_BYTES + HEAD_BYTES);
        assert_eq!(Header::read(&file(&[]), &OWNER), Some(header()));
        assert_eq!(Header::read(&file(&[]), &Digest([8; 32])), None);
    }

    #[test]
    fn every_changed_byte_costs_the_bundle_that_it_is_in_and_no_other() {
        let whole = file(&[b"first", b"second", b"third"]);
        assert_eq!(places(&scan(&whole, &header())), [5, 6, 7]);
        let second = HEADER_BYTES + HEAD_BYTES + 5;
        let third = second + HEAD_BYTES + 6;
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            if at < HEADER_BYTES {
                assert_eq!(Header::read(&changed, &OWNER), None, "byte {at}");
                continue;
            }
            let contents = scan(&changed, &header());
            let (left, end) = match at {
                at if at < second => (vec![6, 7], whole.len()),
                at if at < third => (vec![5, 7], whole.len()),
                _ => (vec![5, 6], third),
            };
            assert_eq!((places(&contents), contents.end), (left, end as u64), "byte {at}");
            assert_eq!(contents.damaged.len(), usize::from(at < third), "byte {at}");
        }
    }

    #[test]
    fn a_tail_that_was_torn_is_no_bundle() {
        let whole = file(&[b"first", b"second"]);
        let second = HEADER_BYTES + HEAD_BYTES + 5;
        for end in second..whole.len() {
            let contents = scan(&whole[..end], &header());
            assert_eq!((places(&contents), contents.end), (vec![5], second as u64), "cut at {end}");
            assert_eq!(contents.damaged, []);
        }
    }

    /// A device that knows the format, and not the salt, writes a record into its bundle; then the record around it is
    /// damaged.
    #[test]
    fn a_record_inside_a_bundle_is_not_found() {
        let inside = Head::of(&[0; 32], 6, Digest([66; 32]), b"x");
        let bundle = [inside.to_bytes(&[0; 32]), b"x".to_vec()].concat();
        let mut changed = file(&[&bundle, b"second"]);
        changed[HEADER_BYTES + 4] ^= 1;
        let contents = scan(&changed, &header());
        assert_eq!(contents.bundles.iter().map(|(_, head)| head.id).collect::<Vec<_>>(), [Digest([6; 32])]);
    }
}
