//! Every kind of damage is found, and is answered as it should be.

use super::*;
use engine::store::{Damage, Finding, RecordKey};
use std::{collections::BTreeMap, fs, path::PathBuf};

const EPOCH: EpochId = EpochId(4);

/// A store with one record of each kind, as it is on disk.
fn stored() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    open(&path).0.write(&whole(EPOCH.0)).unwrap();
    (dir, path)
}

/// Everything that is in the tree.
fn entries(store: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    tree(store).iter().map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn tree(store: &Path) -> sled::Db {
    loop {
        match sled::Config::default().path(store.join("records-0")).flush_every_ms(None).open() {
            Err(sled::Error::Io(_)) => std::thread::sleep(std::time::Duration::from_millis(2)),
            opened => break opened.unwrap(),
        }
    }
}

fn set(store: &Path, key: &[u8], value: Option<&[u8]>) {
    let tree = tree(store);
    match value {
        Some(value) => tree.insert(key, value).unwrap(),
        None => tree.remove(key).unwrap(),
    };
    tree.flush().unwrap();
}

/// Whether opening answers damage of a record as it should; nothing if it found none. The record is then put back.
fn answered(store: &Path, key: &[u8], damage: &Damage) -> bool {
    let Ok(record) = RecordKey::from_bytes(key) else {
        return matches!(try_open(store), Err(StoreError::Head { .. }));
    };
    match try_open(store) {
        Err(StoreError::Lost { record: r, damage: d, .. }) => {
            record.is_vital() && r == record && d == *damage
        }
        Ok((open, found)) => {
            drop(open);
            // It is told once, and is gone.
            let told = found.findings == [Finding::Record { record, damage: damage.clone() }];
            told && !record.is_vital() && try_open(store).is_ok_and(|(_, again)| again.findings.is_empty())
        }
        Err(_) => false,
    }
}

#[test]
fn a_changed_byte_of_any_value_is_found() {
    let (_dir, store) = stored();
    let before = entries(&store);
    assert_eq!(before.len(), 7, "five records, the list, and whose they are");
    for (key, value) in &before {
        // Some bytes of each, for each costs openings. `store/key.rs` tries all.
        for at in (0..value.len()).step_by(1 + value.len() / 6) {
            let mut changed = value.clone();
            changed[at] ^= 1 << (at % 8);
            set(&store, key, Some(&changed));
            assert!(answered(&store, key, &Damage::Changed), "byte {at} of {key:?}");
            restore(&store, &before);
        }
        set(&store, key, Some(&value[..value.len() - 1]));
        assert!(answered(&store, key, &Damage::Changed), "{key:?} cut");
        restore(&store, &before);
        set(&store, key, None);
        assert!(answered(&store, key, &Damage::Missing), "{key:?} lost");
        restore(&store, &before);
    }
    assert_eq!(open(&store).1.findings, []);
}

/// Puts the tree back as it was.
fn restore(store: &Path, before: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let tree = tree(store);
    for (key, value) in before {
        tree.insert(key.as_slice(), value.as_slice()).unwrap();
    }
    tree.flush().unwrap();
}

#[test]
fn values_that_changed_places_and_old_ones_are_found() {
    let (_dir, store) = stored();
    let before = entries(&store);
    let key = |key: RecordKey| key.to_bytes();
    let phase = key(RecordKey::Phase(EPOCH));
    set(&store, &phase, Some(&before[&key(RecordKey::Attempt(EPOCH))]));
    assert!(answered(&store, &phase, &Damage::Changed));
    restore(&store, &before);
    open(&store).0.write(&[Change::Vote(EPOCH, vote(4, 5)), Change::Phase(EPOCH, Phase::Prove)]).unwrap();
    let later = entries(&store);
    for record in [RecordKey::Vote(EPOCH, ShardIndex(2)), RecordKey::Phase(EPOCH)] {
        set(&store, &key(record), Some(&before[&key(record)]));
        assert!(answered(&store, &key(record), &Damage::Stale), "{record}");
        restore(&store, &later);
    }
}

#[test]
fn what_was_removed_and_is_there_again_is_removed() {
    let (_dir, store) = stored();
    let before = entries(&store);
    open(&store).0.write(&[Change::Forget(EPOCH)]).unwrap();
    let record = RecordKey::Vote(EPOCH, ShardIndex(2));
    set(&store, &record.to_bytes(), Some(&before[&record.to_bytes()]));
    set(&store, b"what", Some(b"ever"));
    let findings = open(&store).1.findings;
    assert_eq!(findings.len(), 2);
    assert!(findings.contains(&Finding::Record { record, damage: Damage::Risen }));
    assert!(findings.contains(&Finding::Stray));
    let found = open(&store).1;
    assert!(found.findings.is_empty() && found.epochs.is_empty());
}

#[test]
fn a_changed_byte_of_carried_shares_stops_the_party() {
    let (_dir, store) = stored();
    let file = store.join("large/0");
    let whole = fs::read(&file).unwrap();
    let lost = |expected: Damage| match try_open(&store) {
        Err(error @ StoreError::Lost { record: RecordKey::Carried(ShardIndex(2)), .. }) => {
            let text = error.to_string();
            assert!(text.contains("restore the last copy") && text.contains("standby"), "{text}");
            assert!(text.contains(&expected.to_string()), "{text}");
        }
        other => panic!("{other:?}"),
    };
    for at in (0..whole.len()).step_by(3) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(&file, &changed).unwrap();
        lost(Damage::Changed);
    }
    fs::write(&file, &whole[1..]).unwrap();
    lost(Damage::Changed);
    fs::remove_file(&file).unwrap();
    lost(Damage::Missing);
}

#[test]
fn a_store_without_its_records_is_not_begun_anew() {
    let (_dir, store) = stored();
    fs::remove_dir_all(store.join("records-0")).unwrap();
    assert!(matches!(try_open(&store), Err(StoreError::NoRecords { .. })));
}

#[test]
fn whatever_happened_to_the_trees_files_opening_returns() {
    for name in ["conf", "db"] {
        let (_dir, store) = stored();
        let file = store.join("records-0").join(name);
        let mut bytes = fs::read(&file).unwrap();
        bytes.iter_mut().step_by(3).for_each(|byte| *byte ^= 0x55);
        fs::write(&file, bytes).unwrap();
        let error = try_open(&store).unwrap_err();
        assert!(matches!(error, StoreError::Records { .. } | StoreError::Head { .. }), "{name}: {error}");
    }
}

/// A store with bundles in several files, and the bytes of one of them.
fn with_bundles() -> (tempfile::TempDir, PathBuf, PathBuf, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("s");
    open(&store).0.keep_bundles(EPOCH, &bundles(0..12)).unwrap();
    let file = store.join("bundles/4/00001.log");
    let bytes = fs::read(&file).unwrap();
    assert!(store.join("bundles/4/00002.log").exists());
    (dir, store, file, bytes)
}

#[test]
fn a_changed_byte_of_a_file_of_bundles_is_found_and_costs_what_it_is_in() {
    let (_dir, store, file, whole) = with_bundles();
    for at in (0..whole.len()).step_by(61) {
        let mut changed = whole.clone();
        changed[at] ^= 0x80;
        fs::write(&file, &changed).unwrap();
        let (store, found) = open(&store);
        assert!(matches!(found.findings[0], Finding::Bundles { epoch: EPOCH, file: 1, .. }), "byte {at}");
        let Some(Finding::Missing { first, count, .. }) =
            found.findings.iter().find(|f| matches!(f, Finding::Missing { .. }))
        else {
            panic!("byte {at}: {:?}", found.findings);
        };
        // One record, or all of a file whose header is damaged.
        assert!(*count == 1 || at < 100, "byte {at}: {count}");
        let missing = *first..*first + *count;
        let kept: Vec<_> =
            bundles(0..12).into_iter().filter(|(id, _)| !missing.clone().any(|n| digest(n) == *id)).collect();
        assert_eq!(read(&store, 4), kept, "byte {at}");
    }
    // What is missing is fetched from the others, and counts once even if the damage heals.
    let (open_store, _) = open(&store);
    open_store.keep_bundles(EPOCH, &bundles(0..12)).unwrap();
    assert_eq!(read(&open_store, 4).len(), 12);
    drop(open_store);
    fs::write(&file, &whole).unwrap();
    let (open_store, found) = open(&store);
    assert_eq!((found.findings, read(&open_store, 4)), (vec![], bundles(0..12)));
}

#[test]
fn a_torn_tail_is_cut_and_the_rest_is_kept() {
    let (_dir, store, _, _) = with_bundles();
    let files: Vec<_> = fs::read_dir(store.join("bundles/4")).unwrap().map(|e| e.unwrap().path()).collect();
    let last = files.iter().max().unwrap();
    let whole = fs::read(last).unwrap();
    for end in (0..whole.len()).rev().step_by(101) {
        fs::write(last, &whole[..end]).unwrap();
        let (open_store, found) = open(&store);
        assert!(matches!(found.findings[..], [] | [Finding::TornTail { .. }]), "{:?}", found.findings);
        let left = read(&open_store, 4);
        assert_eq!(left, bundles(0..left.len() as u64));
        // It goes on from there.
        open_store.keep_bundles(EPOCH, &bundles(0..12)).unwrap();
        drop(open_store);
        let (open_store, found) = open(&store);
        assert_eq!((found.findings, read(&open_store, 4)), (vec![], bundles(0..12)));
        drop(open_store);
    }
}

#[test]
fn a_file_of_bundles_that_is_gone_or_of_another_store_is_found() {
    let (_dir, store, file, _) = with_bundles();
    let (_other_dir, _, other, _) = with_bundles();
    fs::copy(file.with_file_name("00002.log"), &file).unwrap();
    assert!(matches!(open(&store).1.findings[0], Finding::Bundles { file: 1, offset: 0, .. }));
    fs::copy(&other, &file).unwrap();
    let (open_store, found) = open(&store);
    // The same party on the same chain: its file is as good.
    assert_eq!((found.findings, read(&open_store, 4)), (vec![], bundles(0..12)));
    drop(open_store);
    fs::remove_file(&file).unwrap();
    let (open_store, found) = open(&store);
    let [Finding::Missing { epoch: EPOCH, first, count }] = found.findings[..] else {
        panic!("{:?}", found.findings);
    };
    assert_eq!(read(&open_store, 4), [bundles(0..first), bundles(first + count..12)].concat());
}

#[test]
fn a_bundle_that_is_damaged_while_the_store_is_open_is_an_error_and_the_others_follow() {
    let (_dir, store, file, whole) = with_bundles();
    let (store, _) = open(&store);
    let mut changed = whole.clone();
    changed[300] ^= 1;
    fs::write(&file, changed).unwrap();
    let read: Vec<_> = store.bundles(EPOCH).collect();
    let bad: Vec<_> = read.iter().filter(|bundle| bundle.is_err()).collect();
    assert!(matches!(bad[..], [Err(StoreError::Bundle { epoch: EPOCH, .. })]), "{bad:?}");
    assert_eq!(read.len(), 12);
}
