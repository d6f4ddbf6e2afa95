//! Steps from one schema of the tree to the next.
//!
//! A step is a pure function of all entries of the tree. What comes out is written as the next generation, so that a
//! crash leaves the old tree or the new one. Files beside the tree are as they were in every schema so far.
//!
//! | Schema | Since |
//! |---|---|
//! | 1 | records with checksums, and a head that says how far epochs are over |
//! | 2 | the head lists every record with its checksum, so that a lost or stale one is found; copies; epochs that are sat out |
//! | 3 | no record of when a window opened: the chain says so |

use super::{
    StoreError,
    head::{HEAD, Head, MAX_EPOCHS, MAX_RECORDS, META, Owner, SCHEMA, entry, meta_entry, value},
    key::{RecordKey, unpack},
    records::Entries,
};
use primitives::{CodecError, Decode, Digest, Encode, EpochId, Reader, codec_struct};
use std::{collections::BTreeMap, path::Path};

/// Most records of schema 2.
const MAX_SECOND_RECORDS: usize = MAX_RECORDS + MAX_EPOCHS;

/// One step: it takes the entries of a schema to those of the next, or says nothing if it cannot read them.
type Step = fn(Entries) -> Option<Entries>;

/// The step from each schema to the next, from the first on.
const STEPS: [Step; SCHEMA as usize - 1] = [list_records, forget_windows];

/// Takes entries of an earlier schema to this one.
pub(super) fn migrate(
    path: &Path,
    from: u32,
    owner: &Owner,
    mut entries: Entries,
) -> Result<Entries, StoreError> {
    let damaged = || StoreError::Head { path: path.into() };
    let done = (from as usize).checked_sub(1).ok_or_else(damaged)?;
    for step in STEPS.iter().skip(done) {
        entries = step(entries).ok_or_else(damaged)?;
    }
    entries.insert(META.to_vec(), meta_entry(SCHEMA, owner));
    Ok(entries)
}

/// The head as it was in schema 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstHead {
    pub(super) sequence: u64,
    pub(super) forgotten: Option<EpochId>,
    pub(super) destroyed: Option<EpochId>,
}

codec_struct!(FirstHead { sequence, forgotten, destroyed });

/// From 1 to 2: lists the records that are there. What was lost before nobody can tell. A damaged one is listed under its
/// name with a checksum that it does not have, so that opening finds it.
fn list_records(mut entries: Entries) -> Option<Entries> {
    let FirstHead { sequence, forgotten, destroyed } = FirstHead::from_bytes(value(&entries, HEAD)?).ok()?;
    let mut head = Head { sequence, forgotten, destroyed, ..Head::default() };
    for (name, bytes) in entries.iter().filter(|(name, _)| *name != HEAD && *name != META) {
        let Ok(key) = RecordKey::from_bytes(name) else { continue };
        let checksum = unpack(name, bytes).map(|(checksum, _)| checksum);
        head.manifest.insert(key, checksum.unwrap_or_default());
        head.latest = head.latest.max(key.epoch());
    }
    entries.insert(HEAD.to_vec(), entry(HEAD, &head.to_bytes()));
    Some(entries)
}

/// The name of a record in schema 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SecondKey {
    Known(RecordKey),
    /// When the window of an epoch opened.
    Window(EpochId),
}

impl Decode for SecondKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            6 => Ok(Self::Window(Decode::decode(r)?)),
            kind => RecordKey::of_kind(kind, r).map(Self::Known),
        }
    }
}

/// The head of schema 2, without those records that are no more.
fn second_head(bytes: &[u8]) -> Result<Head, CodecError> {
    let mut r = Reader::new(bytes);
    let FirstHead { sequence, forgotten, destroyed } = Decode::decode(&mut r)?;
    let (silent, (latest, is_copy)) = Decode::decode(&mut r)?;
    let listed: BTreeMap<SecondKey, Digest> = r.map(MAX_SECOND_RECORDS, "list of records", Digest::decode)?;
    r.finish()?;
    let known = listed.into_iter().filter_map(|(key, checksum)| match key {
        SecondKey::Known(key) => Some((key, checksum)),
        SecondKey::Window(_) => None,
    });
    Ok(Head { sequence, forgotten, destroyed, silent, latest, is_copy, manifest: known.collect() })
}

/// From 2 to 3: drops the records of when windows opened.
fn forget_windows(mut entries: Entries) -> Option<Entries> {
    let head = second_head(value(&entries, HEAD)?).ok()?;
    entries.retain(|name, _| !matches!(SecondKey::from_bytes(name), Ok(SecondKey::Window(_))));
    entries.insert(HEAD.to_vec(), head.entry());
    Some(entries)
}
