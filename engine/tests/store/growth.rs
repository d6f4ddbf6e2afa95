//! A store stays small, however many epochs pass.

use super::*;
use std::fs;

/// One epoch as a party has it, shorter: votes with marks, bundles, shares that are carried over.
fn pass(store: &Store, epoch: u64) {
    let id = EpochId(epoch);
    store.write(&[Change::Beacon(id, digest(epoch)), Change::Phase(id, Phase::Announce)]).unwrap();
    store.write(&[Change::Phase(id, Phase::Collect)]).unwrap();
    for position in 0..8 {
        store.keep_bundles(id, &bundles(position * 10..position * 10 + 10)).unwrap();
        store.write(&[Change::Vote(id, vote(position, 300))]).unwrap();
    }
    let kept = vec![carried(1, 400), carried(2, 400)];
    store.write(&[Change::Keep(ShardIndex(2), kept), Change::Phase(id, Phase::Prove)]).unwrap();
    let before = EpochId(epoch.saturating_sub(1));
    store.write(&[Change::Phase(id, Phase::Done), Change::Forget(before)]).unwrap();
}

#[test]
fn fifty_epochs_take_no_more_room_than_a_few() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    // Every few epochs the tree is written again.
    let limits = Limits { compact_above: 1 << 20, ..SMALL };
    let (mut store, _) = Store::open_with(&path, owner(), limits).unwrap();
    let mut sizes = Vec::new();
    for epoch in 1..=50 {
        pass(&store, epoch);
        sizes.push(store.size().unwrap());
        if epoch % 20 == 0 {
            drop(store);
            store = Store::open_with(&path, owner(), limits).unwrap().0;
        }
    }
    let one = sizes[0];
    for (epoch, size) in (1..).zip(&sizes) {
        assert!(size.records <= limits.compact_above + (1 << 20), "epoch {epoch}: {size:?}");
        assert_eq!(
            (size.large, size.bundles / one.bundles <= 2),
            (one.large, true),
            "epoch {epoch}: {size:?}"
        );
    }
    // It says what is there.
    let size = store.size().unwrap();
    let on_disk: u64 = walk(&path);
    assert!(size.total() <= on_disk && on_disk < size.total() + 4096, "{size:?} {on_disk}");
}

fn walk(dir: &Path) -> u64 {
    let size = |entry: fs::DirEntry| match entry.metadata().unwrap() {
        metadata if metadata.is_dir() => walk(&entry.path()),
        metadata => metadata.len(),
    };
    fs::read_dir(dir).unwrap().map(|entry| size(entry.unwrap())).sum()
}

#[test]
fn what_is_destroyed_is_gone_and_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (store, _) = open(&path);
    for epoch in 1..=3 {
        store.write(&[Change::Phase(EpochId(epoch), Phase::Collect)]).unwrap();
        store.keep_bundles(EpochId(epoch), &bundles(0..9)).unwrap();
    }
    let before = store.size().unwrap().bundles;
    store.destroy(EpochId(2)).unwrap();
    assert_eq!(store.size().unwrap().bundles, before / 3);
    assert!(!path.join("bundles/1").exists() && !path.join("bundles/2").exists());
    assert!(read(&store, 2).is_empty() && !store.has_bundle(EpochId(2), &digest(0)));
    assert_eq!(read(&store, 3), bundles(0..9));
    let refused = store.keep_bundles(EpochId(2), &bundles(0..1)).unwrap_err();
    assert!(matches!(refused, StoreError::Over { epoch: EpochId(2), through: EpochId(2) }));
    // Its small records are there until it is forgotten.
    store.write(&[Change::Phase(EpochId(1), Phase::Done)]).unwrap();
    store.write(&[Change::Forget(EpochId(1))]).unwrap();
    let refused = store.write(&[Change::Attempt(EpochId(1), 200)]).unwrap_err();
    assert!(matches!(refused, StoreError::Over { epoch: EpochId(1), through: EpochId(1) }));
    drop(store);
    let (store, found) = open(&path);
    assert_eq!(found.epochs.keys().collect::<Vec<_>>(), [&EpochId(2), &EpochId(3)]);
    assert!(matches!(store.keep_bundles(EpochId(2), &bundles(0..1)), Err(StoreError::Over { .. })));
    assert_eq!(found.forgotten, Some(EpochId(1)));
}

/// The process died after the tree said that an epoch is over, and before its files were removed.
#[test]
fn what_a_crash_left_of_an_epoch_that_is_over_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (store, _) = open(&path);
    store.keep_bundles(EpochId(1), &bundles(0..9)).unwrap();
    let file = path.join("bundles/1/00000.log");
    let bytes = fs::read(&file).unwrap();
    store.destroy(EpochId(1)).unwrap();
    drop(store);
    fs::create_dir(path.join("bundles/1")).unwrap();
    fs::write(&file, bytes).unwrap();
    fs::write(path.join("large/77"), b"a value that nothing names").unwrap();
    fs::create_dir(path.join("records-9.part")).unwrap();
    let (store, found) = open(&path);
    assert!(found.findings.is_empty() && read(&store, 1).is_empty());
    assert!(!file.exists() && !path.join("large/77").exists() && !path.join("records-9.part").exists());
}
