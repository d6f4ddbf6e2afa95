//! Stores of earlier schemas are read; those of later ones are not.

use super::*;
use engine::store::{Damage, RecordKey, SCHEMA};
use primitives::{Domain, Time, Writer, hash};
use std::{fs, os::unix::fs::PermissionsExt};

/// What stands in the tree for a value: a checksum over name and value, and that the value follows.
fn entry(name: &[u8], value: &[u8]) -> Vec<u8> {
    let body = [&[0], value].concat();
    [&hash::hash(Domain::StoreRecord, &[name, &body]).0, body.as_slice()].concat()
}

/// A store as schema 1 had it: its head says how many transitions there were and which epochs are over, and no more.
fn first_schema(dir: &Path, schema: u32, records: &[(RecordKey, Vec<u8>)]) {
    fs::create_dir(dir).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    let tree = sled::open(dir.join("records-0")).unwrap();
    let whose = (owner().chain, owner().genesis);
    let meta = [schema.to_bytes(), whose.to_bytes()].concat();
    let head = (41u64, (Some(EpochId(3)), Some(EpochId(3)))).to_bytes();
    tree.insert(b"meta", entry(b"meta", &meta)).unwrap();
    tree.insert(b"head", entry(b"head", &head)).unwrap();
    for (key, value) in records {
        tree.insert(key.to_bytes(), entry(&key.to_bytes(), value)).unwrap();
    }
    tree.flush().unwrap();
}

fn records() -> Vec<(RecordKey, Vec<u8>)> {
    let epoch = EpochId(4);
    vec![
        (RecordKey::Vote(epoch, ShardIndex(2)), vote(3, 5).to_bytes()),
        (RecordKey::Attempt(epoch), vec![1]),
        (RecordKey::Phase(epoch), vec![1]),
    ]
}

#[test]
fn a_store_of_the_first_schema_is_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    first_schema(&dir, 1, &records());
    for sequence in 41..43 {
        let (store, found) = open(&dir);
        let state = &found.epochs[&EpochId(4)];
        assert_eq!(state.votes[&ShardIndex(2)], vote(3, 5));
        assert_eq!((state.phase, found.forgotten), (Some(Phase::Collect), Some(EpochId(3))));
        assert_eq!((found.sequence, found.findings), (sequence, vec![]));
        assert!(!dir.join("records-0").exists() && dir.join("records-1").exists());
        store.write(&[Change::Phase(EpochId(4), Phase::Collect)]).unwrap();
        // What held in the first schema still binds.
        assert!(matches!(store.write(&[Change::Attempt(EpochId(4), 1)]), Err(StoreError::Backwards { .. })));
    }
}

/// Schema 2 had a record of when a window opened, and listed it.
#[test]
fn a_store_of_the_second_schema_loses_nothing_but_its_windows() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    first_schema(&dir, 2, &records());
    let tree = sled::open(dir.join("records-0")).unwrap();
    let window = [&[6], EpochId(4).to_bytes().as_slice()].concat();
    tree.insert(window.clone(), entry(&window, &Time(12).to_bytes())).unwrap();
    let mut names: Vec<_> = records().iter().map(|(key, _)| key.to_bytes()).collect();
    names.push(window);
    let mut head = Writer::default();
    (41u64, (Some(EpochId(3)), Some(EpochId(3)))).encode(&mut head);
    (None::<EpochId>, (Some(EpochId(4)), false)).encode(&mut head);
    head.count(names.len());
    for name in &names {
        head.raw(name);
        head.raw(&tree.get(name).unwrap().unwrap()[..32]);
    }
    tree.insert(b"head", entry(b"head", &head.finish())).unwrap();
    tree.flush().unwrap();
    drop(tree);
    for _ in 0..2 {
        let (_store, found) = open(&dir);
        let state = &found.epochs[&EpochId(4)];
        assert_eq!((&state.votes[&ShardIndex(2)], state.phase), (&vote(3, 5), Some(Phase::Collect)));
        assert_eq!((state.attempt, found.forgotten), (Some(1), Some(EpochId(3))));
        assert_eq!((found.sequence, found.findings), (41, vec![]));
    }
}

/// The process died while it wrote the new tree, or before it removed the old one.
#[test]
fn a_migration_that_was_interrupted_is_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    first_schema(&old, 1, &records());
    first_schema(&new, 1, &records());
    fs::create_dir(old.join("records-1.part")).unwrap();
    drop(open(&old));
    drop(open(&new));
    fs::create_dir(new.join("records-0")).unwrap();
    let (_store, found) = open(&new);
    assert_eq!(found.epochs[&EpochId(4)].attempt, Some(1));
    assert!(!new.join("records-0").exists() && !old.join("records-1.part").exists());
}

#[test]
fn damage_from_before_a_migration_is_found_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    first_schema(&dir, 1, &records());
    let tree = sled::open(dir.join("records-0")).unwrap();
    let key = RecordKey::Vote(EpochId(4), ShardIndex(2));
    let mut value = tree.get(key.to_bytes()).unwrap().unwrap().to_vec();
    value[40] ^= 1;
    tree.insert(key.to_bytes(), value).unwrap();
    tree.flush().unwrap();
    drop(tree);
    let error = try_open(&dir).unwrap_err();
    assert!(
        matches!(error, StoreError::Lost { record, damage: Damage::Changed, .. } if record == key),
        "{error}"
    );
}

#[test]
fn a_later_schema_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    first_schema(&dir, SCHEMA + 1, &records());
    let error = try_open(&dir).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 4, known: 3, .. }), "{error}");
    assert!(dir.join("records-0").exists() && !dir.join("records-1").exists());
    first_schema(&dir.with_file_name("zero"), 0, &records());
    assert!(matches!(try_open(&dir.with_file_name("zero")), Err(StoreError::Head { .. })));
}
