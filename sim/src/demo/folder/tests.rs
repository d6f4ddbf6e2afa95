use super::*;
use crate::workload::{Columns, UsageFile, WorkloadOptions};
use std::fs;

#[test]
fn only_nothing_an_empty_folder_or_a_run_folder_is_a_place() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let place = temporary.path().join("run");
    assert!(RUN.check_place(&place).is_ok(), "nothing");
    fs::create_dir(&place).expect("made");
    assert!(RUN.check_place(&place).is_ok(), "an empty folder");
    fs::write(place.join(MANIFEST_FILE), r#"{"kind":"cwe-run"}"#).expect("written");
    assert!(RUN.check_place(&place).is_ok(), "a run folder");
    fs::write(place.join("notes.txt"), "mine").expect("written");
    assert!(matches!(RUN.check_place(&place), Err(FolderError::Occupied { .. })), "a file that is not ours");
    fs::remove_file(place.join("notes.txt")).expect("removed");
    fs::write(place.join(MANIFEST_FILE), r#"{"name":"an app"}"#).expect("written");
    assert!(matches!(RUN.check_place(&place), Err(FolderError::Occupied { .. })), "somebody else's manifest");
    assert!(
        matches!(RUN.check_place(&place.join(MANIFEST_FILE)), Err(FolderError::Occupied { .. })),
        "a file"
    );
}

#[test]
fn a_staging_that_is_dropped_leaves_nothing() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("deep/run");
    let staging = Staging::new(&RUN, &out).expect("a free place");
    assert!(staging.scratch().is_dir());
    drop(staging);
    assert!(!out.exists());
    assert_eq!(fs::read_dir(temporary.path().join("deep")).expect("made on the way").count(), 0);
    assert!(matches!(Staging::new(&RUN, Path::new("/")), Err(FolderError::NoName { .. })));
}

#[test]
fn a_command_reads_back_as_it_was_given() {
    let columns = Columns { user: Some("who's".into()), ..Columns::default() };
    let usage = Some(UsageFile { path: "my data/plays.tsv".into(), columns });
    let workload = WorkloadOptions { seed: 7, usage, plays_scale: Some(0.5), ..WorkloadOptions::default() };
    let options = Options { workload, ..Options::default() };
    assert_eq!(
        command(&options),
        r"cwe demo --usage 'my data/plays.tsv' --user-column 'who'\''s' --subscribers 120 --works 256 --plays-scale 0.5 --seed 7 --preset spec"
    );
    assert_eq!(default_folder(&options), Path::new("runs/plays-seed-7"));
    assert_eq!(default_folder(&Options::default()), Path::new("runs/synthetic-seed-1"));
}
