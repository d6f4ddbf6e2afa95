use super::*;
use crate::{
    progress::Silent,
    workload::{Columns, UsageFile},
};
use std::{sync::OnceLock, time::Duration};

/// A run of a few subscribers, small enough for a test.
fn small() -> Options {
    let workload = WorkloadOptions { seed: 3, subscribers: 12, works: 16, ..WorkloadOptions::default() };
    Options { workload, batch: 4, ..Options::default() }
}

fn outcome(options: &Options) -> Outcome {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let workload = prepare(options).expect("a workload");
    run(options, workload, scratch.path(), &Silent).expect("a run")
}

/// The same small run for every test that only looks at it.
fn shared() -> &'static Outcome {
    static OUTCOME: OnceLock<Outcome> = OnceLock::new();
    OUTCOME.get_or_init(|| outcome(&small()))
}

/// What has to be the same whatever the number of threads, as it is written.
fn reproducible(outcome: &Outcome) -> (Vec<u8>, Vec<PayoutRow>) {
    (folder::record_json(&outcome.record).expect("plain data"), outcome.payouts.clone())
}

#[test]
fn a_small_epoch_holds_in_every_respect() {
    let outcome = shared();
    for verdict in &outcome.verdicts {
        assert!(verdict.holds, "{verdict:?} {:?}", outcome.attacks);
    }
    let metrics = &outcome.metrics;
    assert_eq!(metrics.events_accepted, outcome.workload.drawn.events as u64);
    assert!(metrics.events_submitted > metrics.events_accepted, "attacks carry events too");
    assert_eq!(metrics.bundles_submitted, metrics.bundles_accepted + adversary::ATTACKS as u64);
    assert_eq!((metrics.duplicates_rejected, metrics.forged_rejected), (2, 2));
    let refusals = [("duplicate", 1), ("proof", 2), ("replay", 1), ("share", 1)];
    assert_eq!(metrics.refusals, refusals.map(|(kind, n)| (kind.to_owned(), n)).into());
    assert_eq!((metrics.pool, metrics.paid_total), (outcome.record.revenue.creators.0, metrics.pool));
    assert_eq!(metrics.claims_ok, outcome.payouts.len() as u64);
    assert_eq!((metrics.double_claims_tried, metrics.double_claims_rejected), (3, 3));
    assert_eq!((metrics.k_anonymity, metrics.k_anonymity_of_preset), (0, 5));
    assert_eq!(metrics.tiers.iter().map(|tier| tier.sold).sum::<u64>(), 12);
    let with_events = outcome.workload.subscribers.iter().filter(|s| !s.events.is_empty()).count() as u64;
    assert_eq!(metrics.tiers.iter().map(|tier| tier.subscribers).sum::<u64>(), with_events);
    assert!(metrics.tiers.iter().all(|tier| tier.subscribers <= tier.sold), "{:?}", metrics.tiers);
    assert_eq!(metrics.actors.len(), 11);
    assert!(metrics.actors.values().all(|actor| actor.messages > 0), "{:?}", metrics.actors);
}

#[test]
fn an_epoch_of_several_shards_holds_in_every_respect() {
    let outcome = outcome(&Options { shard_width: 6, ..small() });
    for verdict in &outcome.verdicts {
        assert!(verdict.holds, "{verdict:?} {:?}", outcome.attacks);
    }
    let (metrics, one) = (&outcome.metrics, &shared().metrics);
    assert_eq!((metrics.shards, one.shards), (3, 1));
    assert_eq!(metrics.events_accepted, outcome.workload.drawn.events as u64);
    assert!(metrics.bundles_accepted > one.bundles_accepted, "a bundle for each shard");
    // Which bundle an event is in decides whether its row names a region. Nothing else of it depends on shards.
    let played = |outcome: &Outcome| {
        let row = |row: &check::TruthRow| check::TruthRow { region: 0, ..row.clone() };
        outcome.rows.iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(played(&outcome), played(shared()));
    assert_eq!(metrics.paid_total, one.paid_total);
    let command = &outcome.manifest.command;
    assert!(command.ends_with("--shard-width 6"), "{command}");
}

/// Whoever the attacker is, the cap leaves it no room.
#[test]
fn an_epoch_in_which_the_cap_cuts_everybody_holds_in_every_respect() {
    let mut table = tempfile::NamedTempFile::new().expect("a temporary file");
    let plays = (0..4).flat_map(|user| (0..32).map(move |work| format!("u{user}\tw{work}\t20\n")));
    let text: String = std::iter::once("user\twork\tplays\n".to_owned()).chain(plays).collect();
    std::io::Write::write_all(&mut table, text.as_bytes()).expect("room for a small file");
    let usage = Some(UsageFile { path: table.path().into(), columns: Columns::default() });
    let workload =
        WorkloadOptions { subscribers: 4, works: 32, plays_scale: Some(1.0), usage, ..small().workload };
    let outcome = outcome(&Options { workload, preset: Preset::Guarded, ..small() });
    for verdict in &outcome.verdicts {
        assert!(verdict.holds, "{verdict:?} {:?}", outcome.attacks);
    }
    assert_eq!(outcome.metrics.capped.subscribers, 4);
}

#[test]
fn a_count_that_is_off_by_one_is_noticed() {
    let outcome = shared();
    let mut rows = outcome.rows.clone();
    assert!(check::compare(&rows, &outcome.record).holds());
    rows[0].value += 1;
    let found = check::compare(&rows, &outcome.record).mismatches;
    assert!(matches!(
        found[..],
        [check::Mismatch::Cell { count: "value", .. }, check::Mismatch::Work { count: "value", .. }]
    ));
    let missing = check::compare(&outcome.rows[1..], &outcome.record);
    assert!(!missing.holds());
}

#[test]
fn the_number_of_threads_changes_nothing_that_is_on_record() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let in_shards = Options { shard_width: 6, ..small() };
        pool.install(|| (reproducible(&outcome(&small())), reproducible(&outcome(&in_shards))))
    };
    let ((one, in_shards), two) = (with(1), with(2));
    assert!(one == two.0, "the record or the payouts depend on the number of threads");
    assert!(in_shards == two.1, "with several shards they depend on the number of threads");
    let other = small();
    let workload = WorkloadOptions { seed: 4, ..other.workload };
    assert!(reproducible(&outcome(&Options { workload, ..other })) != one, "another seed is another epoch");
}

/// The actors carry the run: without one party there is no new batch and no end, and with it back all is as ever.
#[test]
fn an_epoch_waits_for_a_party_that_is_away_and_then_ends_the_same() {
    let options = Options { batch: 1, ..small() };
    let undisturbed = outcome(&options);
    assert!(undisturbed.metrics.batches > 4, "{} batches", undisturbed.metrics.batches);
    let actor = engine::Address::Party(PartyId::ALL[1]);
    let outage = Some(Outage { actor, after_batches: 1, lasting: Duration::from_secs(2) });
    let disturbed = outcome(&Options { outage, ..options });
    let away = disturbed.away.expect("the outage took place");
    // A vote that was on its way when the party went may complete one batch.
    assert!(away.batches <= 1 && !away.ended, "{away:?}");
    assert!(disturbed.holds(), "{:?}", disturbed.verdicts);
    assert!(reproducible(&disturbed) == reproducible(&undisturbed));
}

#[test]
fn a_world_with_too_little_padding_is_refused_before_it_is_made() {
    let workload = WorkloadOptions { subscribers: 4, works: 4, ..WorkloadOptions::default() };
    let options = Options { workload, preset: Preset::Flat, ..Options::default() };
    assert!(matches!(prepare(&options), Err(DemoError::Padding { available: 4, works: 4, views: 63, .. })));
}

#[test]
fn a_run_folder_holds_every_file_and_replaces_an_earlier_one() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("runs/small");
    let outcome = shared();
    for _ in 0..2 {
        let staging = crate::folder::Staging::new(&folder::RUN, &out).expect("a place");
        folder::commit(staging, outcome).expect("written");
        let names: std::collections::BTreeSet<_> = std::fs::read_dir(&out)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("plain names"))
            .collect();
        assert_eq!(names, folder::FILES.map(String::from).into());
    }
    assert_eq!(std::fs::read_dir(out.parent().expect("inside")).expect("a folder").count(), 1);
    let rows = std::fs::read_to_string(out.join(folder::WORKLOAD_FILE)).expect("readable");
    assert_eq!(rows.lines().count() as u64, outcome.metrics.events_accepted + 1);
    assert_eq!(rows.lines().next(), Some("subscriber,tier,region,work_id,view,quarters,backed,value"));
}
