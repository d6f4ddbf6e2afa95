use super::*;
use primitives::Preset;

fn demo(seed: u64) -> Workload {
    let options = WorkloadOptions { seed, ..WorkloadOptions::default() };
    build(&options, &Preset::Spec.params()).expect("the defaults work")
}

#[test]
fn the_defaults_meet_the_least_that_a_demo_needs() {
    for seed in [1, 2, 7, 42] {
        let workload = demo(seed);
        let active = workload.subscribers.iter().filter(|s| !s.events.is_empty()).count();
        println!(
            "seed {seed}: {active} active, {} events, largest {:?}, {:?}",
            workload.drawn.events,
            workload.subscribers.iter().map(|s| s.events.len()).max(),
            workload.notes
        );
        assert_eq!(workload.subscribers.len(), DEFAULT_SUBSCRIBERS);
        assert_eq!(workload.works.len(), DEFAULT_WORKS);
        assert!(active >= 100, "seed {seed}: {active} active subscribers");
        assert!(
            (3_000..4_500).contains(&workload.drawn.events),
            "seed {seed}: {} events",
            workload.drawn.events
        );
    }
}

#[test]
fn the_same_options_give_the_same_workload() {
    assert_eq!(demo(7), demo(7));
    assert_ne!(demo(7), demo(8));
    let text = serde_json::to_string(&demo(7)).expect("plain data");
    assert_eq!(text, serde_json::to_string(&demo(7)).expect("plain data"));
}

#[test]
fn what_is_built_is_consistent() {
    let params = Preset::Spec.params();
    let workload = demo(3);
    let names = |names: Vec<&String>| names.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(names(workload.subscribers.iter().map(|s| &s.name).collect()), workload.subscribers.len());
    assert_eq!(names(workload.creators.iter().map(|c| &c.name).collect()), workload.creators.len());
    let events = workload.subscribers.iter().flat_map(|s| &s.events);
    assert!(events.clone().all(|e| e.work < workload.works.len() && e.view < params.j_max));
    assert_eq!(events.count(), workload.drawn.events);
}

#[test]
fn a_file_takes_the_same_path() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("usage.tsv");
    std::fs::write(&path, "//userID\tartistID\tweight\n2\t51\t100\n2\t52\t10\n3\t51\t1\n").expect("written");
    let usage = Some(UsageFile { path, columns: Columns::default() });
    let options = WorkloadOptions {
        subscribers: 2,
        works: 2,
        plays_scale: Some(0.1),
        usage,
        ..WorkloadOptions::default()
    };
    let workload = build(&options, &Preset::Spec.params()).expect("built");
    let counts: Vec<_> = workload.subscribers.iter().map(|s| (s.name.as_str(), s.events.len())).collect();
    assert_eq!(counts, [("2", 11), ("3", 0)]);
    assert!(workload.notes.iter().any(|n| n.ends_with(": 1 of 2 subscribers")), "{:?}", workload.notes);
    let works: Vec<_> = workload.works.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(works, ["51", "52"]);
}

#[test]
fn options_that_make_no_workload_are_refused() {
    let params = Preset::Spec.params();
    let tried = |options: WorkloadOptions| build(&options, &params).expect_err("refused");
    let defaults = WorkloadOptions::default;
    assert!(matches!(
        tried(WorkloadOptions { works: 262_145, ..defaults() }),
        WorkloadError::TooManyWorks { asked: 262_145, max: 262_144 }
    ));
    assert!(matches!(tried(WorkloadOptions { works: 0, ..defaults() }), WorkloadError::NoWorks));
    assert!(matches!(tried(WorkloadOptions { subscribers: 0, ..defaults() }), WorkloadError::NoSubscribers));
    assert!(matches!(
        tried(WorkloadOptions { subscribers: MAX_SUBSCRIBERS + 1, ..defaults() }),
        WorkloadError::TooManySubscribers { .. }
    ));
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = WorkloadOptions { plays_scale: Some(scale), ..defaults() };
        assert!(matches!(tried(options), WorkloadError::BadScale { .. }));
    }
    let options = WorkloadOptions { plays_scale: Some(1e-12), ..defaults() };
    assert!(matches!(tried(options), WorkloadError::NoEvents { .. }));
    let usage = Some(UsageFile { path: "/nonexistent/usage.tsv".into(), columns: Columns::default() });
    assert!(matches!(
        tried(WorkloadOptions { usage, ..defaults() }),
        WorkloadError::Table(TableError::Open(..))
    ));
    let broken = GovernanceParams { j_max: 0, ..params.clone() };
    assert!(matches!(build(&defaults(), &broken), Err(WorkloadError::Params(_))));
}
