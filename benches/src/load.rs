//! Three hosts as processes on this machine, with a sequencer's node, that take bundles in as fast as they can: every proof is
//! made by a device before, and checked by every party.

use crate::{
    measure::{Plan, on_all_threads},
    report::{Topic, digits, duration, grouped},
};
use engine::{client::http::operator::HttpOperator, host::Seat, telemetry::read::Samples};
use primitives::{PartyId, Preset};
use sim::{
    demo,
    hosts::{Hosts, Made, Options, Sites, Usage},
    progress::Silent,
    workload::{Workload, WorkloadOptions},
};
use std::{
    collections::BTreeMap,
    env,
    error::Error,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Events, unless somebody asks for others.
pub(crate) const EVENTS: usize = 20_000;
/// Events of a subscriber of the workload that bundles are made of.
const PLAYS: usize = 30;
/// Subscribers whose bundles are on their way at a time: a party takes 16 connections of one address.
const LANES: usize = 15;
/// Processor seconds that making the bundles of an event may take.
const MAKING: f64 = 0.004;
/// Processor seconds that taking it in may take, at three parties together.
const TAKING: f64 = 0.002;
/// Parts of the load, after each of which memory is looked at.
const PARTS: usize = 10;
/// How often a party is asked which phase it is in.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What threads are for, by their names.
const WORK: [(&str, &[&str]); 5] = [
    ("proofs", &["verify"]),
    ("shares, votes and their disk", &["actors"]),
    ("API", &["api", "actix-", "tokio"]),
    ("links", &["link"]),
    ("store, node and the rest", &[""]),
];

pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::default();
    match measured(plan, &mut topic) {
        Ok(()) => {}
        Err(error) => topic.paragraph(&format!("Not measured: {error}.")),
    }
    topic
}

/// Seconds that a machine with so many cores is given.
fn seconds(events: usize, each: f64) -> Duration {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Duration::from_secs_f64(10.0 + events as f64 * each / cores as f64)
}

fn workload(plan: &Plan) -> Workload {
    let subscribers = plan.events.div_ceil(PLAYS).max(4);
    let workload = WorkloadOptions { seed: 3, subscribers, works: 256, plays_scale: None, usage: None };
    let options = demo::Options { workload, ..demo::Options::default() };
    demo::prepare(&options).expect("the options are within bounds")
}

fn program() -> PathBuf {
    let own = env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new(".")).join("cwe")
}

fn measured(plan: &Plan, topic: &mut Topic) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let workload = workload(plan);
    let subscribers = workload.subscribers.len();
    let events: usize = workload.subscribers.iter().map(|one| one.events.len()).sum();
    let options = Options {
        program: program(),
        dir: dir.path().to_owned(),
        params: Preset::Spec.params(),
        shard_width: demo::DEFAULT_SHARD_WIDTH,
        window: seconds(events, MAKING + TAKING),
        batch: 128,
        tick: Duration::from_millis(500),
        patience: 600,
        sites: Sites::default(),
        cables: false,
    };
    let mut hosts = Hosts::start(options, workload, &Silent)?;
    let opened = hosts.opened(&Silent)?;
    let began = Instant::now();
    let everybody: Vec<usize> = (0..subscribers).collect();
    let mut made = on_all_threads(|| hosts.make(&opened, &everybody).map_err(Box::new))?;
    let making = began.elapsed();
    let (bundles, events) =
        made.iter().map(Made::count).fold((0, 0), |(b, e), (bundles, events)| (b + bundles, e + events));
    let bytes: usize = made.iter().map(Made::bytes).sum();
    let usage = |hosts: &mut Hosts| PartyId::ALL.map(|party| hosts.host(Seat::Party(party)).usage());
    let before = usage(&mut hosts);
    let began = Instant::now();
    let (part, mut parts, mut so_far) = (made.len().div_ceil(PARTS), Vec::new(), 0);
    while !made.is_empty() {
        let rest = made.split_off(part.min(made.len()));
        so_far += made.iter().map(|made| made.count().1).sum::<usize>();
        hosts.submit(made, LANES, &Silent)?;
        made = rest;
        parts.push((so_far, began.elapsed(), usage(&mut hosts)));
    }
    let taken = began.elapsed();
    let after = usage(&mut hosts);
    let (api, is_over) = (hosts.api(PartyId::ALL[0]), AtomicBool::new(false));
    let (settled, watched) = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&api, &is_over));
        let settled = hosts.settle(&Silent);
        is_over.store(true, Ordering::Relaxed);
        (settled, watching.join().expect("whoever watches does not panic"))
    });
    let settled = settled?;
    let same = settled.comparison.mismatches.is_empty();

    topic.paragraph(&format!(
        "{} events of {} subscribers in {} bundles, {} KB each, made by devices in {} before, each with a proof of its \
         own. Three parties, the sequencer's node and whoever hands in share this machine's {} cores. Every party checks every \
         proof. The totals are {} a plaintext count has.",
        grouped(events as u64),
        grouped(subscribers as u64),
        grouped(bundles as u64),
        digits(bytes as f64 / bundles.max(1) as f64 / 1024.0),
        duration(making.as_secs_f64()),
        thread::available_parallelism().map_or(1, usize::from),
        if same { "what" } else { "NOT what" },
    ));
    topic.paragraph(&format!(
        "All were taken in by all three, proved and on disk, in {}: **{} bundles a second, {} events a second**.",
        duration(taken.as_secs_f64()),
        digits(bundles as f64 / taken.as_secs_f64()),
        digits(events as f64 / taken.as_secs_f64()),
    ));
    let rows: Vec<_> = before.into_iter().zip(after).zip(PartyId::ALL).filter_map(row(bundles)).collect();
    let names = WORK.map(|(name, _)| name);
    let head = [
        "party",
        "processor time a bundle",
        names[0],
        names[1],
        names[2],
        names[3],
        names[4],
        "memory, at most",
    ];
    topic.table(head, &rows);
    topic.paragraph(
        "Memory of each party while the load comes in. Bundles, tags and receipts are on disk; what grows are the names of \
         bundles and of subscribers.",
    );
    let rows: Vec<_> = parts.iter().map(|(events, time, usage)| part_row(*events, *time, usage)).collect();
    topic.table(["events so far", "after", "party 1", "party 2", "party 3"], &rows);
    watched.show(topic);
    Ok(())
}

/// What each party had in memory after a part of the load.
fn part_row(events: usize, time: Duration, usage: &[Option<Usage>; 3]) -> [String; 5] {
    let resident = |place: usize| {
        usage[place]
            .as_ref()
            .map_or("unknown".into(), |usage| format!("{} MB", grouped(usage.resident >> 20)))
    };
    [grouped(events as u64), duration(time.as_secs_f64()), resident(0), resident(1), resident(2)]
}

/// What a party told of itself while it closed the epoch.
#[derive(Default)]
struct Watched {
    /// Phases in order, and for how long it was seen in each.
    phases: Vec<(String, Duration)>,
    last: Samples,
}

/// Asks a party in which phase it is, until the epoch is over.
fn watch(api: &str, is_over: &AtomicBool) -> Watched {
    let mut watched = Watched::default();
    let Ok(operator) = HttpOperator::new(api) else { return watched };
    let mut before = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(LOOK_EVERY);
        let Ok(answer) = operator.ask("metrics") else { continue };
        let samples = Samples::read(&answer.body);
        let phase = samples.by("cwe_epoch_phase", "phase").into_iter().find(|(_, is_in)| *is_in > 0.5);
        let passed = before.elapsed();
        before = Instant::now();
        let Some((phase, _)) = phase else { continue };
        match watched.phases.last_mut() {
            Some((last, time)) if *last == phase => *time += passed,
            _ => watched.phases.push((phase, passed)),
        }
        watched.last = samples;
    }
    watched
}

impl Watched {
    fn show(&self, topic: &mut Topic) {
        topic.paragraph(&format!(
            "Then party 1 was seen in each phase for so long, looked at every {}. It collects until its window ends, which is \
             set long before.",
            duration(LOOK_EVERY.as_secs_f64())
        ));
        let rows: Vec<_> =
            self.phases.iter().map(|(phase, time)| [phase.clone(), duration(time.as_secs_f64())]).collect();
        topic.table(["phase", "time"], &rows);
        let megabytes = |bytes: f64| format!("{} MB", digits(bytes / f64::from(1 << 20)));
        let store = self.last.by("cwe_store_bytes", "store");
        let store: Vec<_> =
            store.into_iter().map(|(name, bytes)| format!("{name} {}", megabytes(bytes))).collect();
        topic.paragraph(&format!(
            "In the end it had on disk: {}. Over its links it had sent {} and received {}, and clients had handed {} in.",
            store.join(", "),
            megabytes(self.last.sum("cwe_link_sent_bytes_total")),
            megabytes(self.last.sum("cwe_link_received_bytes_total")),
            megabytes(self.last.sum("cwe_bundles_offered_bytes_total")),
        ));
    }
}

type Pair = ((Option<Usage>, Option<Usage>), PartyId);

/// What a party spent on a bundle, and on what.
fn row(bundles: usize) -> impl Fn(Pair) -> Option<[String; 8]> {
    move |((before, after), party)| {
        let (before, after) = (before?, after?);
        let of =
            |name: &str| WORK.iter().position(|(_, names)| names.iter().any(|known| name.starts_with(known)));
        let mut spent = BTreeMap::<usize, f64>::new();
        for (name, time) in &after.cpu {
            let time = time.saturating_sub(before.cpu.get(name).copied().unwrap_or_default());
            *spent.entry(of(name)?).or_default() += time.as_secs_f64();
        }
        let all: f64 = spent.values().sum();
        let share = |work: usize| {
            format!(
                "{} %",
                digits(100.0 * spent.get(&work).copied().unwrap_or(0.0) / all.max(f64::MIN_POSITIVE))
            )
        };
        let memory = format!("{} MB", grouped(after.peak >> 20));
        let each = duration(all / bundles.max(1) as f64);
        Some([party.to_string(), each, share(0), share(1), share(2), share(3), share(4), memory])
    }
}
