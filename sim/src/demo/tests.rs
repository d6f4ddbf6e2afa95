use super::*;
use crate::{
    progress::Silent,
    workload::{Columns, UsageFile},
};
use chain::light::audit::{audit, stream::Batches};
use primitives::{Decode, Encode, PartyId};
use proofs::bundle::Bundle;
use std::{sync::OnceLock, time::Duration};

/// A run of a few subscribers, small enough for a test.
fn small() -> Options {
    let workload = WorkloadOptions { seed: 3, subscribers: 12, works: 16, ..WorkloadOptions::default() };
    Options { workload, k_anonymity: Some(1), batch: 4, ..Options::default() }
}

/// A run of more subscribers, in which some works have enough listeners and some do not.
fn crowd() -> Options {
    let workload = WorkloadOptions { subscribers: 40, ..small().workload };
    Options { workload, k_anonymity: Some(3), ..small() }
}

/// A run, with the folder that what was published is in.
struct Kept {
    outcome: Outcome,
    _scratch: tempfile::TempDir,
}

impl std::ops::Deref for Kept {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

fn outcome(options: &Options) -> Kept {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let workload = prepare(options).expect("a workload");
    let outcome = run(options, workload, scratch.path(), &Silent).expect("a run");
    Kept { outcome, _scratch: scratch }
}

/// The same small run for every test that only looks at it.
fn shared() -> &'static Outcome {
    static OUTCOME: OnceLock<Kept> = OnceLock::new();
    OUTCOME.get_or_init(|| outcome(&small()))
}

/// What has to be the same whatever the number of threads, as it is written.
fn reproducible(outcome: &Outcome) -> (Vec<u8>, Vec<PayoutRow>, Vec<u8>) {
    let record = folder::record_json(&outcome.record).expect("plain data");
    (record, outcome.payouts.clone(), statements(outcome))
}

fn statements(outcome: &Outcome) -> Vec<u8> {
    let mut bytes = Vec::new();
    outcome.statements.write(&mut bytes).expect("the batches are there");
    bytes
}

/// Of one shard and of several, with an attack that was struck among the bundles of one subscriber.
#[test]
fn what_the_parties_published_passes_an_audit() {
    for width in [DEFAULT_SHARD_WIDTH, 6] {
        let outcome = outcome(&Options { shard_width: width, ..small() });
        let (record, bytes) = (&outcome.record, statements(&outcome));
        let batches = Batches::open(&bytes[..], (record.chain, record.epoch)).expect("a stream");
        let verdict = audit(record, &outcome.signers, Some(outcome.metrics.state_root), batches, |_| {});
        let verdict = verdict.expect("an honest run");
        assert_eq!(verdict.light.bundles, outcome.metrics.bundles_accepted);
        let counted: u64 = outcome.metrics.tiers.iter().map(|tier| tier.subscribers).sum();
        assert_eq!((verdict.subscribers, verdict.gaps.len()), (counted, 0));
        let receipts: u64 = outcome.metrics.regions.iter().map(|region| region.receipts).sum();
        assert_eq!(verdict.receipts, receipts);
        // No stretch of a ciphertext of the sample, which is among the accepted, is in it.
        let sample = Bundle::from_bytes(&outcome.sample).expect("a bundle");
        let sealed = sample.sealed().to_bytes();
        let found: std::collections::BTreeSet<_> = bytes.windows(16).collect();
        assert!(found.contains(&sample.sealed().digest().0[..16]), "the scan finds what is there");
        assert!(!sealed.chunks(16).any(|stretch| found.contains(stretch)));
    }
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
    assert_eq!((metrics.k_anonymity, metrics.k_anonymity_of_preset), (1, 5));
    assert_eq!(metrics.tiers.iter().map(|tier| tier.sold).sum::<u64>(), 12);
    let with_events = outcome.workload.subscribers.iter().filter(|s| !s.events.is_empty()).count() as u64;
    assert_eq!(metrics.tiers.iter().map(|tier| tier.subscribers).sum::<u64>(), with_events);
    assert!(metrics.tiers.iter().all(|tier| tier.subscribers <= tier.sold), "{:?}", metrics.tiers);
    assert_eq!(metrics.actors.len(), 12);
    assert!(metrics.actors.values().all(|actor| actor.messages > 0), "{:?}", metrics.actors);
}

#[test]
fn a_check_that_had_nothing_to_check_says_so() {
    let metrics = shared().metrics.clone();
    let claims = |ok, tried| {
        let metrics = Metrics {
            claims_ok: ok,
            double_claims_tried: tried,
            double_claims_rejected: tried,
            ..metrics.clone()
        };
        verdicts::claims(&metrics)
    };
    assert_eq!(claims(1, 1), "1 claim paid, 1 of 1 second claim refused");
    assert_eq!(claims(30, 3), "30 claims paid, 3 of 3 second claims refused");
    assert!(claims(0, 0).contains("nothing to check"), "{}", claims(0, 0));
    assert_eq!(verdicts::refused_of(5, 5, "attacks"), "5 of 5 attacks");
    assert!(verdicts::refused_of(0, 0, "attacks").contains("nothing to check"));
}

#[test]
fn what_the_cap_left_out_is_said_where_bundles_are_counted() {
    let mut metrics = shared().metrics.clone();
    (metrics.bundles_accepted, metrics.events_accepted) = (1, 20);
    assert_eq!(verdicts::counted(&metrics), "1 bundle, 20 events; the cap left out none");
    metrics.capped = crate::workload::Capped { subscribers: 1, events: 7 };
    let said = verdicts::counted(&metrics);
    assert_eq!(
        said,
        "1 bundle, 20 events; the cap left out 7 events of 1 subscriber, which were not handed in"
    );
    assert_eq!(metrics.cap_in_words(), "Capped subscribers: 1 of 12, 7 events beyond the cap.");
}

#[test]
fn a_complaint_is_said_to_be_about_the_attack() {
    let mut metrics = shared().metrics.clone();
    assert_eq!((metrics.complaints, metrics.complaints_about_attacks), (1, 1));
    let said = metrics.complaints_in_words();
    assert_eq!(
        said,
        "Complaints handled: 1, about the attack with a share that does not open its commitment."
    );
    metrics.complaints = 3;
    assert_eq!(metrics.complaints_in_words(), "Complaints handled: 3, 1 of them about attacks.");
}

#[test]
fn the_page_has_the_tables_of_the_terminal() {
    let outcome = shared();
    let (data, metrics) = (page::data(outcome), &outcome.metrics);
    assert_eq!(data.tiers.iter().map(|tier| tier.sold).sum::<u64>(), 12);
    assert_eq!(data.regions.len(), metrics.regions.len());
    assert!(!data.regions.is_empty() && data.regions.iter().all(|region| region.views >= region.receipts));
    let counting = [metrics.carried_in_words(), metrics.cap_in_words(), metrics.complaints_in_words()];
    assert_eq!(data.counting, counting);
    let drawn = data.remarks.iter().any(|remark| remark.label == "subscribers with receipts, by region");
    assert!(drawn, "{:?}", data.remarks);
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
    assert!(metrics.batches >= metrics.shards as u64, "a batch for each shard");
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
    let outcome = outcome(&crowd());
    let mut rows = outcome.rows.clone();
    let compare = |rows: &[TruthRow]| check::compare(rows, &outcome.record, &CarriedOver::default());
    let (comparison, carried) = compare(&rows);
    assert!(comparison.holds() && comparison.works_carried > 0, "{comparison:?}");
    assert_ne!(carried, CarriedOver::default());
    let cell = outcome.record.shards[0].totals[0].clone();
    let work = outcome.record.works[usize::from(cell.index.0)].work_id;
    let published = |row: &TruthRow| (row.tier, row.work_id) == (cell.tier.0, work);
    let at = rows.iter().position(published).expect("a row of a published cell");
    rows[at].value += 1;
    let found = compare(&rows).0.mismatches;
    assert!(matches!(
        found[..],
        [check::Mismatch::Cell { count: "value", .. }, check::Mismatch::Work { count: "value", .. }]
    ));
    rows.remove(at);
    assert!(!compare(&rows).0.holds());
    // What was carried in counts with the rest.
    let (again, _) = check::compare(&outcome.rows, &outcome.record, &carried);
    assert_eq!(again.value_carried, 2 * comparison.value_carried);
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
    assert!(undisturbed.metrics.batches > 1, "{} batches", undisturbed.metrics.batches);
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
    assert_eq!(rows.lines().next(), Some("epoch,subscriber,tier,region,work_id,view,quarters,backed,value"));
}

#[test]
fn what_is_carried_over_three_epochs_is_published_with_what_comes() {
    let outcome = outcome(&Options { epochs: 3, ..crowd() });
    for verdict in &outcome.verdicts {
        assert!(verdict.holds, "{verdict:?} {:?}", outcome.attacks);
    }
    let epochs = &outcome.metrics.epochs;
    assert_eq!(epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(
        epochs.iter().all(|epoch| epoch.totals_match_plaintext && epoch.works_published > 0),
        "{epochs:?}"
    );
    assert_eq!(outcome.earlier.len(), 2);
    // A total of the last epoch holds more than the epoch's own rows: what was carried is in it.
    let own: u64 = outcome.rows.iter().filter(|row| row.epoch == 3).map(|row| row.value).sum();
    let published: u64 = outcome.record.works.iter().map(|work| work.raw_usage).sum();
    let all: u64 = outcome.rows.iter().map(|row| row.value).sum();
    let before: u64 = outcome.earlier.iter().flat_map(|e| &e.record.works).map(|work| work.raw_usage).sum();
    assert!(published + before <= all && own > 0);
    let command = &outcome.manifest.command;
    assert!(command.ends_with("--k-anonymity 3 --epochs 3"), "{command}");
}

/// How a run ends in which a party cheats.
fn cheated(kind: &str) -> Result<Outcome, Stopped> {
    let adversary = Some(format!("party:2:{kind}").parse().expect("a kind"));
    let options = Options { adversary, ..small() };
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let workload = prepare(&options).expect("a workload");
    run(&options, workload, scratch.path(), &Silent).map_err(|error| match error {
        DemoError::Aborted(stopped) => *stopped,
        other => panic!("{kind}: {other}"),
    })
}

#[test]
fn a_party_that_cheats_is_named_or_nothing_is_opened() {
    let two = Some(PartyId::ALL[1]);
    for kind in
        ["wrong-open", "equivocate", "early-key-open", "false-complaint", "tamper:vote", "tamper:barrier"]
    {
        let stopped = cheated(kind).err().unwrap_or_else(|| panic!("{kind} changes nothing"));
        assert_eq!(stopped.named(), two, "{kind}: {stopped:?}");
        assert_eq!(stopped.evidence.is_empty(), kind != "equivocate", "{kind}");
    }
    for kind in ["wrong-share", "tamper:key", "tamper:carry", "tamper:openings"] {
        let stopped = cheated(kind).err().unwrap_or_else(|| panic!("{kind} changes nothing"));
        assert!(stopped.named().is_none_or(|named| Some(named) == two), "{kind}: {stopped:?}");
    }
    let without = cheated("drop-batch").unwrap_or_else(|stopped| panic!("{stopped:?}"));
    assert!(without.holds() && !without.metrics.aborted && without.metrics.named_party.is_none());
}

#[test]
fn a_party_that_leaves_is_replaced_and_the_next_epoch_goes_on_from_there() {
    let adversary = Some("party:2:leave".parse().expect("a kind"));
    let options = Options { adversary, epochs: 2, k_anonymity: Some(3), ..small() };
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let workload = prepare(&options).expect("a workload");
    let outcome = run(&options, workload, scratch.path(), &Silent).expect("it comes to its end");
    assert!(outcome.holds());
    let replaced: Vec<_> = outcome.metrics.epochs.iter().map(|epoch| epoch.replaced_party).collect();
    assert_eq!((replaced, outcome.metrics.replaced_party), (vec![Some(2), None], Some(2)));
    assert!(outcome.metrics.epochs.iter().all(|epoch| epoch.totals_match_plaintext));
}

#[test]
fn the_folder_of_an_aborted_run_says_why_and_whom_it_names() {
    let stopped = cheated("equivocate").err().expect("it stops");
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("aborted");
    let options = Options { adversary: Some("party:2:equivocate".parse().expect("a kind")), ..small() };
    let workload = prepare(&options).expect("a workload");
    let staging = crate::folder::Staging::new(&folder::RUN, &out).expect("a place");
    stopped::commit(staging, &options, &workload, &stopped).expect("written");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(out.join(name)).expect("a file")).expect("JSON")
    };
    let metrics = read(folder::METRICS_FILE);
    assert_eq!((&metrics["aborted"], &metrics["named_party"]), (&true.into(), &2.into()));
    assert!(metrics["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    let evidence = read(stopped::EVIDENCE_FILE);
    assert_eq!((&evidence[0]["kind"], &evidence[0]["party"]), (&"equivocation".into(), &2.into()));
    let bytes = primitives::ids::from_hex(evidence[0]["bytes"].as_str().expect("digits")).expect("digits");
    let shown = engine::Evidence::from_bytes(&bytes).expect("evidence");
    assert_eq!(shown.party(), PartyId::ALL[1]);
}
