//! What was written is there, and nothing takes it back.

use super::*;
use engine::store::RecordKey;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("party-2");
    let (store, found) = open(&dir);
    assert!(found.epochs.is_empty() && found.carried.is_empty() && found.bundles.is_empty());
    store.write(&whole(4)).unwrap();
    store.keep_bundles(EpochId(4), &bundles(0..20)).unwrap();
    store.keep_bundles(EpochId(5), &bundles(20..21)).unwrap();
    drop(store);
    let (store, found) = open(&dir);
    assert_eq!(found.findings, []);
    let (epoch, state) = found.in_hand().expect("an epoch is in hand");
    assert_eq!((epoch, state.phase), (EpochId(4), Some(Phase::Open)));
    assert_eq!(state.votes.values().collect::<Vec<_>>(), [&vote(3, 5)]);
    assert_eq!((state.beacon, state.attempt), (Some(digest(9)), Some(1)));
    assert_eq!(found.carried[&ShardIndex(2)], [carried(1, 1), carried(2, 2)]);
    assert_eq!((found.bundles[&EpochId(4)], found.bundles[&EpochId(5)]), (20, 1));
    assert_eq!((read(&store, 4), read(&store, 5)), (bundles(0..20), bundles(20..21)));
    assert_eq!(found.sequence, 1);
}

#[test]
fn a_long_vote_takes_the_place_of_a_short_one_and_the_other_way_round() {
    let dir = tempfile::tempdir().unwrap();
    for (position, marks) in [(0, 3), (1, 3_000), (2, 4_000), (3, 1)] {
        let (store, _) = open(&private(dir.path()));
        store.write(&[Change::Vote(EpochId(1), vote(position, marks))]).unwrap();
        drop(store);
        let (store, found) = open(dir.path());
        assert_eq!(found.epochs[&EpochId(1)].votes[&ShardIndex(2)], vote(position, marks));
        assert_eq!(store.size().unwrap().large > 0, marks > 1_000);
    }
}

/// The folder itself, closed to others: the system's own temporary folders may be open.
fn private(dir: &Path) -> std::path::PathBuf {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    dir.to_path_buf()
}

/// Whoever asks late what became of a bundle is answered from the names of its batch, until the epoch after is over too.
#[test]
fn names_of_batches_outlive_their_epoch_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let names: Vec<_> = (0..5).map(digest).collect();
    let epochs = [EpochId(1), EpochId(2)];
    let (store, _) = open(&path);
    for epoch in epochs {
        store.keep_signed(epoch, digest(90 + epoch.0), &names).unwrap();
        store.keep_bundles(epoch, &bundles(0..5)).unwrap();
        store.write(&[Change::Forget(epoch)]).unwrap();
        assert!(read(&store, epoch.0).is_empty());
        let late = store.keep_signed(epoch, digest(80), &names);
        assert!(matches!(late, Err(StoreError::Over { .. })), "{late:?}");
    }
    let check = |store: &Store| {
        assert!(store.signed(epochs[0]).is_empty());
        assert_eq!(store.signed(epochs[1]), [(digest(92), names.clone())].into());
    };
    check(&store);
    drop(store);
    check(&open(&path).0);
}

#[test]
fn bundles_keep_their_order_and_are_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("s"));
    let epoch = EpochId(1);
    store.keep_bundles(epoch, &bundles(10..15)).unwrap();
    store.keep_bundles(epoch, &bundles(0..12)).unwrap();
    let twice = [bundles(20..21), bundles(20..22)].concat();
    store.keep_bundles(epoch, &twice).unwrap();
    let expected = [bundles(10..15), bundles(0..10), bundles(20..22)].concat();
    assert_eq!(read(&store, 1), expected);
    drop(store);
    let (store, found) = open(&dir.path().join("s"));
    assert_eq!((read(&store, 1), found.bundles[&epoch]), (expected, 17));
    assert!(store.has_bundle(epoch, &digest(21)) && !store.has_bundle(epoch, &digest(16)));
    assert!(!store.has_bundle(EpochId(2), &digest(21)));
    assert_eq!(store.bundle(epoch, &digest(3)).unwrap(), Some(bundles(3..4)[0].1.clone()));
    assert_eq!(store.bundle(epoch, &digest(16)).unwrap(), None);
    store.keep_bundles(epoch, &bundles(30..31)).unwrap();
    assert_eq!(read(&store, 1).last(), bundles(30..31).last());
}

#[test]
fn nothing_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("s"));
    let epoch = EpochId(4);
    store.write(&whole(4)).unwrap();
    let other = Record { vote: vote(3, 0).vote.map(|v| Vote { digest: digest(99), ..v }), ..vote(3, 0) };
    let frozen = Record { frozen: Some(digest(7)), ..vote(4, 0) };
    let back = [
        Change::Vote(epoch, vote(2, 0)),
        Change::Vote(epoch, other),
        Change::Vote(epoch, Record { vote: None, ..vote(5, 0) }),
        Change::Beacon(epoch, digest(10)),
        Change::Attempt(epoch, 1),
        Change::Attempt(epoch, 0),
        Change::Phase(epoch, Phase::Sum),
    ];
    for change in back {
        // Nothing of the transition is written, what would have been allowed neither.
        let refused = store.write(&[Change::Attempt(EpochId(5), 1), change.clone()]).unwrap_err();
        assert!(matches!(refused, StoreError::Backwards { .. }), "{change:?}: {refused}");
    }
    // The same again is nothing new, and what goes on from it is welcome.
    assert_eq!(store.contribution(epoch), Some(digest(9)));
    store.write(&[Change::Vote(epoch, vote(3, 0)), Change::Beacon(epoch, digest(9))]).unwrap();
    store.write(&[Change::Vote(epoch, frozen.clone()), Change::Attempt(epoch, 2)]).unwrap();
    store.write(&[Change::Phase(epoch, Phase::Open), Change::Phase(epoch, Phase::Aborted)]).unwrap();
    drop(store);
    let (store, found) = open(&dir.path().join("s"));
    assert_eq!(found.epochs[&epoch].votes[&ShardIndex(2)], frozen);
    assert_eq!((found.epochs.len(), found.epochs[&epoch].attempt), (1, Some(2)));
    // What was read from disk counts as well.
    let refused = store.write(&[Change::Vote(epoch, vote(4, 0))]).unwrap_err();
    assert!(matches!(refused, StoreError::Backwards { record: RecordKey::Vote(..), .. }));
    let other = Record { frozen: Some(digest(8)), ..frozen };
    let refused = store.write(&[Change::Vote(epoch, other)]).unwrap_err();
    assert!(matches!(refused, StoreError::Backwards { record: RecordKey::Vote(..), .. }));
}

#[test]
fn limits_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("s"));
    let three = vec![carried(1, 1); 3];
    let refused = store.write(&[Change::Keep(ShardIndex(0), three)]).unwrap_err();
    assert!(matches!(refused, StoreError::TooMuch { found: 3, limit: 2, .. }));
    let refused = store.write(&[Change::Keep(ShardIndex(64), vec![])]).unwrap_err();
    assert!(matches!(refused, StoreError::TooMuch { found: 64, limit: 63, .. }));
    let long = vec![0; primitives::limits::MAX_BUNDLE_BYTES + 1];
    let refused = store.keep_bundles(EpochId(1), &[(digest(1), long)]).unwrap_err();
    assert!(matches!(refused, StoreError::BundleTooLong { .. }));
    for epoch in 1..=16 {
        store.write(&[Change::Phase(EpochId(epoch), Phase::Collect)]).unwrap();
    }
    let refused = store.write(&[Change::Phase(EpochId(17), Phase::Collect)]).unwrap_err();
    assert!(matches!(refused, StoreError::TooManyEpochs { epoch: EpochId(17), limit: 16 }));
    store.write(&[Change::Forget(EpochId(1)), Change::Phase(EpochId(17), Phase::Collect)]).unwrap();
}

#[test]
fn a_store_is_of_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    drop(open(&dir));
    let with = |change: fn(&mut Owner)| {
        let mut other = owner();
        change(&mut other);
        Store::open(&dir, other).unwrap_err()
    };
    let error = with(|owner| owner.chain = ChainId(8));
    assert!(matches!(error, StoreError::OtherChain { found: ChainId(7), expected: ChainId(8), .. }));
    assert!(matches!(with(|owner| owner.genesis = Digest([2; 32])), StoreError::OtherGenesis { .. }));
    drop(open(&dir));
}

#[test]
fn a_store_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("s"));
    assert!(matches!(try_open(&dir.path().join("s")), Err(StoreError::InUse { .. })));
    drop(store);
    drop(open(&dir.path().join("s")));
}

#[test]
fn nobody_else_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("s");
    let (store, _) = open(&dir);
    store.write(&whole(1)).unwrap();
    store.keep_bundles(EpochId(1), &bundles(0..3)).unwrap();
    check_modes(&dir);
    drop(store);
    let open_to_others = |path: &str, mode, closed| {
        let path = dir.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = try_open(&dir).unwrap_err();
        assert!(matches!(error, StoreError::OthersMayRead { mode: m, .. } if m == mode), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(closed)).unwrap();
    };
    open_to_others("", 0o750, 0o700);
    open_to_others("large", 0o701, 0o700);
    open_to_others("large/0", 0o640, 0o600);
    open_to_others("bundles/1", 0o755, 0o700);
    open_to_others("bundles/1/00000.log", 0o604, 0o600);
    drop(open(&dir));
}

fn check_modes(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, mode) = (entry.path(), entry.metadata().unwrap().permissions().mode() & 0o777);
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            check_modes(&path);
        }
    }
}

#[test]
fn secrets_do_not_show() {
    let beacon = digest(0x5ec2e7);
    let change = Change::Beacon(EpochId(1), beacon);
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("s"));
    store.write(std::slice::from_ref(&change)).unwrap();
    drop(store);
    let (_, found) = open(&dir.path().join("s"));
    assert_eq!(found.epochs[&EpochId(1)].beacon, Some(beacon));
    let shown = format!("{change:?} {found:?}");
    assert!(!shown.contains(&beacon.to_string()[..12]), "{shown}");
}

#[test]
fn after_a_write_that_failed_nothing_is_written_until_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (store, _) = open(&path);
    store.write(&[Change::Phase(EpochId(1), Phase::Collect)]).unwrap();
    store.keep_bundles(EpochId(1), &bundles(0..3)).unwrap();
    // Where the next files would go is nothing.
    fs::remove_dir_all(path.join("large")).unwrap();
    fs::rename(path.join("bundles/1"), path.join("bundles/away")).unwrap();
    let failed = store.write(&whole(1)).unwrap_err();
    assert!(matches!(failed, StoreError::Io { .. }), "{failed}");
    let refused = store.write(&[Change::Phase(EpochId(1), Phase::Close)]).unwrap_err();
    assert!(matches!(refused, StoreError::Poisoned { .. }));
    let failed = store.keep_bundles(EpochId(1), &bundles(3..20)).unwrap_err();
    assert!(matches!(failed, StoreError::Io { .. }), "{failed}");
    let refused = store.keep_bundles(EpochId(2), &bundles(0..1)).unwrap_err();
    assert!(matches!(refused, StoreError::Poisoned { .. }));
    drop(store);
    fs::rename(path.join("bundles/away"), path.join("bundles/1")).unwrap();
    let (store, found) = open(&path);
    assert_eq!(found.epochs[&EpochId(1)].phase, Some(Phase::Collect));
    let kept = read(&store, 1);
    assert!(kept.len() >= 3 && kept == bundles(0..kept.len() as u64));
    store.write(&whole(1)).unwrap();
    store.keep_bundles(EpochId(1), &bundles(0..20)).unwrap();
    assert_eq!(read(&store, 1), bundles(0..20));
}

/// A committee that is replaced begins its beacon anew, and only then does another contribution take the place of one.
#[test]
fn a_contribution_that_is_spent_makes_room_for_another() {
    let (dir, epoch) = (tempfile::tempdir().unwrap(), EpochId(4));
    let at = dir.path().join("s");
    let (store, _) = open(&at);
    store.write(&[Change::Beacon(epoch, digest(1))]).unwrap();
    store.write(&[Change::Spent(epoch)]).unwrap();
    assert_eq!(store.contribution(epoch), None);
    drop(store);
    // Until there is another one it is found on disk, and found spent again.
    let (store, found) = open(&at);
    assert_eq!(found.epochs[&epoch].beacon, Some(digest(1)));
    assert!(store.write(&[Change::Beacon(epoch, digest(2))]).is_err());
    store.write(&[Change::Spent(epoch), Change::Beacon(epoch, digest(2))]).unwrap();
    drop(store);
    assert_eq!(open(&at).1.epochs[&epoch].beacon, Some(digest(2)));
}
