use super::{
    file::{FileError, SIDECAR, SweepFile},
    *,
};
use crate::economics::GridError;
use primitives::params::q32;
use std::{fs, path::Path};

fn grids(texts: &[&str]) -> Vec<Grid> {
    texts.iter().map(|text| text.parse().expect("a grid")).collect()
}

fn plan(texts: &[&str], seeds: u64) -> Plan {
    Plan::new(Preset::Spec, Some("40".parse().expect("plays")), grids(texts), 3, seeds).expect("a plan")
}

fn market() -> Arc<Market> {
    Arc::new(Market::synthetic(1, 30))
}

/// All lines of a sweep on so many threads.
fn lines(market: &Arc<Market>, plan: &Plan, threads: usize) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let mut text = plan.header();
    let sink = |rows: &[Row]| {
        text.extend(rows.iter().map(|row| plan.line(row)));
        Ok::<_, ()>(())
    };
    pool.install(|| run(market, plan, 0, &AtomicBool::new(false), sink)).expect("evaluated");
    text
}

/// Runs what is left of a sweep into a file, until `stop_after` rows are there.
fn into_file(path: &Path, market: &Arc<Market>, plan: &Plan, stop_after: u64) -> Result<u64, FileError> {
    let mut file = SweepFile::open(path, plan, market)?;
    let stop = AtomicBool::new(false);
    let done = file.done();
    let ended = run(market, plan, done, &stop, |rows| {
        file.write(plan, rows)?;
        stop.store(file.done() >= stop_after, Ordering::Relaxed);
        Ok(())
    });
    match ended {
        Ok(()) => Ok(done),
        Err(SweepError::Sink(error)) => Err(error),
        Err(SweepError::Economics(error)) => panic!("{error}"),
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let (market, plan) = (market(), plan(&["k=0,0.25,1", "alpha=0.9,1", "plays_per_subscriber=10,20"], 3));
    let one = lines(&market, &plan, 1);
    assert_eq!(one.lines().count(), 1 + 36);
    assert_eq!(one, lines(&market, &plan, 2));
    assert_eq!(one, lines(&market, &plan, 5));
    assert!(one.starts_with("k,alpha,plays_per_subscriber,seed,gini,top1_share,cross_subsidy,"), "{one}");
    assert!(one.lines().nth(2).is_some_and(|line| line.starts_with("0,0.9,20,3,")), "{one}");
}

#[test]
fn a_row_is_what_a_single_run_gives() {
    let (market, plan) = (market(), plan(&["beta=0,35%", "fee=2%,9%"], 2));
    let sink = |rows: &[Row]| {
        for row in rows {
            let alone = crate::economics::run(&market, &plan.scenario(&row.places), row.seed);
            assert_eq!(alone.expect("evaluated"), row.metrics);
        }
        Ok::<_, ()>(())
    };
    run(&market, &plan, 0, &AtomicBool::new(false), sink).expect("evaluated");
}

#[test]
fn a_sweep_goes_on_where_it_stopped_even_in_the_middle_of_a_line() {
    let (market, plan) = (market(), plan(&["k=0,0.25,1"], 8));
    let folder = tempfile::tempdir().expect("a folder");
    let whole = lines(&market, &plan, 2);
    let path = folder.path().join("sweep.csv");
    into_file(&path, &market, &plan, 5).expect("begun");
    let begun = fs::read_to_string(&path).expect("written");
    assert!(whole.starts_with(&begun) && begun.lines().count() > 5, "{begun}");
    // As a kill may leave it: at any byte.
    for cut in [0, 3, plan.header().len(), plan.header().len() + 1, begun.len() - 1, begun.len()] {
        fs::write(&path, &begun[..cut]).expect("cut");
        let done = into_file(&path, &market, &plan, u64::MAX).expect("resumed");
        assert_eq!(done, (begun[..cut].matches('\n').count() as u64).saturating_sub(1));
        assert_eq!(fs::read_to_string(&path).expect("written"), whole, "cut at {cut}");
    }
    assert_eq!(into_file(&path, &market, &plan, u64::MAX).expect("nothing to do"), 24);
}

#[test]
fn another_configuration_and_strange_files_are_refused() {
    let (market, first) = (market(), plan(&["k=0,1"], 2));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sweep.csv");
    into_file(&path, &market, &first, u64::MAX).expect("swept");
    let others = [plan(&["k=0,2"], 2), plan(&["k=0,1"], 3), plan(&["k=1,0"], 2), plan(&["beta=0,1"], 2)];
    for other in others {
        let refused = SweepFile::open(&path, &other, &market).expect_err("another sweep");
        assert!(matches!(refused, FileError::OtherConfiguration { .. }), "{refused}");
    }
    let refused = SweepFile::open(&path, &first, &Market::synthetic(2, 30)).expect_err("another market");
    assert!(matches!(refused, FileError::OtherConfiguration { .. }));
    let text = fs::read_to_string(&path).expect("written");
    for changed in [text.replace("0,3,", "7,3,"), text.clone() + "1,9,0\n", text.replace("seed", "sead")] {
        fs::write(&path, &changed).expect("changed");
        let refused = SweepFile::open(&path, &first, &market).expect_err("changed");
        assert!(matches!(refused, FileError::Line { .. }), "{refused}");
        assert_eq!(fs::read_to_string(&path).expect("left alone"), changed);
    }
    fs::write(&path, &text).expect("restored");
    let open = SweepFile::open(&path, &first, &market).expect("free");
    assert!(matches!(SweepFile::open(&path, &first, &market), Err(FileError::Busy(_))));
    drop(open);
    fs::remove_file(folder.path().join(format!("sweep.csv{SIDECAR}"))).expect("there");
    assert!(matches!(SweepFile::open(&path, &first, &market), Err(FileError::Foreign(_))));
}

#[test]
fn grids_are_read_exactly_and_into_the_right_parameter() {
    let texts = [
        "alpha=1.1",
        "beta=35%",
        "k=0.25",
        "b_min=0.9",
        "delta=10%",
        "price_min=0.98",
        "price_max=1.02",
        "price_normalised=true",
        "eco=5.5%",
        "infra=0.0801",
        "fee=0",
        "k_anonymity=7",
        "j_max=40",
        "value_cap=200.5",
        "replay_scope=creator",
        "plays_per_subscriber=599.5",
    ];
    let plan = plan(&texts, 1);
    let Scenario { rules, plays_per_subscriber } = plan.scenario(&[0; 16]);
    let p = &rules.params;
    assert_eq!([p.alpha, p.beta, p.k], [q32(11, 10), q32(35, 100), q32(1, 4)]);
    assert_eq!(
        [p.b_min, p.delta, p.price_min, p.price_max],
        [q32(9, 10), q32(1, 10), q32(98, 100), q32(102, 100)]
    );
    assert_eq!([p.eco_share, p.infra_share, p.fee_share].map(|share| share.get()), [550, 801, 0]);
    assert_eq!((p.k_anonymity, p.j_max, p.value_cap), (7, 40, 401 << 17));
    assert!(p.price_normalised && rules.limits_views && rules.caps_value);
    assert_eq!(rules.replay_scope, crate::economics::ReplayScope::Creator);
    assert_eq!(plays_per_subscriber.map(|x| x.to_string()), Some("599.5".into()));
    let off = Plan::new(Preset::Spec, None, grids(&["j_max=none", "value_cap=none"]), 1, 1).expect("a plan");
    let off = off.scenario(&[0, 0]).rules;
    assert_eq!((off.j_max(), off.value_cap()), (None, None));
    assert_eq!(crate::economics::grid_names().len(), 18);
}

#[test]
fn bad_grids_are_refused_with_their_name_and_bound() {
    let parse = |text: &str| text.parse::<Grid>().expect_err("refused");
    for text in ["k", "=1", "k=", "k=1,,2"] {
        assert!(matches!(parse(text), GridError::Form(_)), "{text}");
    }
    assert!(matches!(parse("gamma=1"), GridError::Unknown { .. }));
    for text in [
        "k=x",
        "k=-1",
        "k=1e3",
        "k=1.2.3",
        "k=0.1234567890123",
        "fee=0.00001",
        "k_anonymity=1.5",
        "j_max=-1",
        "replay_scope=user",
        "price_normalised=maybe",
        "plays_per_subscriber=0",
        "alpha=none",
        "k=99999999999999999999",
    ] {
        assert!(matches!(parse(text), GridError::Value { .. }), "{text}");
    }
    assert!(matches!(parse("k=0.5,50%"), GridError::RepeatedValue { .. }));
    let plan =
        |texts: &[&str], seeds| Plan::new(Preset::Spec, None, grids(texts), 1, seeds).expect_err("refused");
    for (text, min, max) in [
        ("alpha=0.4", "0.5", "1.5"),
        ("k=0,17", "0", "16"),
        ("b_min=0", "0.01", "1"),
        ("j_max=64", "1", "63"),
        ("j_max=99999999", "1", "63"),
        ("price_max=0.9", "1", "100"),
        ("fee=100%", "0", "0.9999"),
        ("eco=7.5", "0", "0.9999"),
        ("value_cap=20000", "1", "16384"),
        ("k_anonymity=2000000", "0", "1048576"),
    ] {
        let PlanError::Grid(GridError::OutOfBounds { name, min: a, max: b, .. }) = plan(&[text], 1) else {
            panic!("{text}: {}", plan(&[text], 1));
        };
        assert_eq!(
            (name.as_str(), a.as_str(), b.as_str()),
            (text.split('=').next().expect("a name"), min, max)
        );
    }
    assert!(matches!(plan(&["k=1", "k=2"], 1), PlanError::Grid(GridError::RepeatedGrid(_))));
    assert!(matches!(plan(&["eco=50%", "infra=10%,50%"], 1), PlanError::Combination { .. }));
    assert!(matches!(plan(&[], 0), PlanError::Seeds { .. }));
    assert!(matches!(plan(&["k=0,1"], MAX_ROWS), PlanError::TooManyRows));
}
