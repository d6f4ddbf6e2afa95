//! The drill: a copy is made, the disk dies, the copy is restored, and the party cannot sign what it may have signed.

use super::*;
use engine::store::{RecordKey, restore};
use std::fs;

#[test]
fn a_party_that_lost_its_disk_goes_on_with_the_next_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let (live, copy, new) = (dir.path().join("live"), dir.path().join("copy"), dir.path().join("new"));
    let (store, _) = open(&live);
    store.write(&whole(4)).unwrap();
    store.keep_bundles(EpochId(4), &bundles(0..5)).unwrap();
    store.backup_to(&copy).unwrap();
    // It goes on, and signs what the copy knows nothing of.
    store.write(&[Change::Vote(EpochId(5), vote(7, 0)), Change::Phase(EpochId(5), Phase::Collect)]).unwrap();
    drop(store);
    fs::remove_dir_all(&live).unwrap();

    let error = try_open(&copy).unwrap_err();
    assert!(matches!(error, StoreError::Copy { epoch: EpochId(4), .. }), "{error}");
    restore(&copy, &new, owner(), EpochId(5)).unwrap();
    let (store, found) = open(&new);
    assert_eq!((found.silent, &found.findings[..]), (Some(EpochId(5)), &[][..]));
    assert_eq!(found.carried[&ShardIndex(2)], [carried(1, 1), carried(2, 2)]);
    let state = &found.epochs[&EpochId(4)];
    assert_eq!((state.votes.len(), state.beacon, state.attempt), (0, None, None));
    assert_eq!((state.phase, found.bundles.len()), (Some(Phase::Open), 0));
    for epoch in [4, 5].map(EpochId) {
        let binding =
            [Change::Vote(epoch, vote(9, 0)), Change::Attempt(epoch, 9), Change::Beacon(epoch, digest(1))];
        for change in binding {
            let refused = store.write(std::slice::from_ref(&change)).unwrap_err();
            assert!(
                matches!(refused, StoreError::Silent { through: EpochId(5), .. }),
                "{change:?}: {refused}"
            );
        }
        let refused = store.keep_bundles(epoch, &bundles(0..1)).unwrap_err();
        assert!(matches!(refused, StoreError::Silent { .. }));
        // Where the epoch is, it may note.
        store.write(&[Change::Phase(epoch, Phase::Done)]).unwrap();
    }
    store.write(&whole(6)).unwrap();
    store.keep_bundles(EpochId(6), &bundles(0..5)).unwrap();
    drop(store);
    // It stays so, in a copy of what was restored as well.
    let (store, found) = open(&new);
    assert_eq!(found.silent, Some(EpochId(5)));
    store.backup_to(dir.path().join("second")).unwrap();
    restore(dir.path().join("second"), dir.path().join("third"), owner(), EpochId(1)).unwrap();
    assert_eq!(
        open(&dir.path().join("third")).1.silent,
        Some(EpochId(6)),
        "the latest that the copy knows of"
    );
}

#[test]
fn a_copy_has_nothing_that_binds_and_is_as_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("live"));
    store.write(&whole(4)).unwrap();
    let copy = dir.path().join("copy");
    store.backup_to(&copy).unwrap();
    let tree = sled::Config::default().path(copy.join("records-0")).open();
    let keys: Vec<_> = tree.unwrap().iter().keys().map(|key| key.unwrap().to_vec()).collect();
    let keys: Vec<_> = keys.iter().filter_map(|key| RecordKey::from_bytes(key).ok()).collect();
    let expected = [RecordKey::Carried(ShardIndex(2)), RecordKey::Phase(EpochId(4))];
    assert_eq!(keys, expected);
    let mode = |path: &str| {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(copy.join(path)).unwrap().permissions())
    };
    assert_eq!((mode("") & 0o777, mode("large/0") & 0o777), (0o700, 0o600));
}

#[test]
fn nothing_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let (live, copy) = (dir.path().join("live"), dir.path().join("copy"));
    let (store, _) = open(&live);
    store.backup_to(&copy).unwrap();
    assert!(matches!(store.backup_to(&copy), Err(StoreError::NotEmpty { .. })));
    assert!(matches!(store.backup_to(&live), Err(StoreError::NotEmpty { .. })));
    drop(store);
    assert!(matches!(restore(&copy, &live, owner(), EpochId(1)), Err(StoreError::NotEmpty { .. })));
    let new = dir.path().join("new");
    assert!(matches!(restore(&live, &new, owner(), EpochId(1)), Err(StoreError::NotACopy { .. })));
    let other = Owner { chain: ChainId(8), ..owner() };
    assert!(matches!(restore(&copy, &new, other, EpochId(1)), Err(StoreError::OtherChain { .. })));
}

#[test]
fn a_damaged_copy_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let (store, _) = open(&dir.path().join("live"));
    store.write(&whole(4)).unwrap();
    store.backup_to(&copy).unwrap();
    let file = copy.join("large/0");
    let mut bytes = fs::read(&file).unwrap();
    bytes[5] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = restore(&copy, dir.path().join("new"), owner(), EpochId(4)).unwrap_err();
    assert!(matches!(error, StoreError::Lost { record: RecordKey::Carried(_), .. }), "{error}");
}
