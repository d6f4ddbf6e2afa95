//! A party's store is killed at any moment, again and again, and loses nothing that it acknowledged.
//!
//! A process of its own writes under load: one thread makes the transitions of epoch after epoch, from the beacon to the
//! end; a second keeps bundles in groups while an epoch collects them; a third reads them back. After each call that
//! returned it says so on a pipe. This process kills it with SIGKILL at a random moment, opens the store, and holds what
//! is there against what was acknowledged:
//!
//! - All transitions that were acknowledged are there, and one more at most. What they wrote is what the plain model here
//!   comes to after as many: no transition is there in part.
//! - All bundles that were acknowledged are there, in their order, each once, and those of the group that was under way
//!   at most.
//!
//! Ten rounds go over one store, which is never made anew. `CWE_CRASH_ROUNDS=200` runs more of them, and `CWE_CRASH_SEED`
//! draws the same moments again. A killed process leaves to the system what it has written, so this says nothing of a
//! machine that loses its power.

#![cfg(unix)]

use engine::{
    Phase,
    party::{
        Carried,
        voting::{Record, Turn, Vote},
    },
    store::{Change, EpochState, Finding, Limits, Owner, Recovered, Store},
};
use primitives::{ChainId, Decode, Digest, Encode, EpochId, PartyId, ShardIndex};
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

/// Where the process that is killed finds its store. It is one of these tests, and does nothing without.
const STORE: &str = "CWE_CRASH_STORE";
/// Whether it writes the tree again whenever it may, and not only when it has grown.
const COMPACTS: &str = "CWE_CRASH_COMPACTS";
/// How many rounds there are.
const ROUNDS: &str = "CWE_CRASH_ROUNDS";
/// What draws the moments.
const SEED: &str = "CWE_CRASH_SEED";
/// Rounds without that variable.
const FEW: u64 = 10;
/// Transitions of one epoch.
const STEPS: u64 = 16;
/// Shards that a party votes in: their records must agree.
const SHARDS: u32 = 3;
/// Most bundles that are kept at once.
const GROUP: u64 = 16;
/// Small ones, so that files of bundles are full and the tree is written again all the time.
const LIMITS: Limits = Limits { bundle_file_bytes: 1 << 17, compact_above: 3 << 19 };

fn open(dir: &Path, compact_above: u64) -> (Store, Recovered) {
    let limits = Limits { compact_above, ..LIMITS };
    let owner = Owner { chain: ChainId(3), genesis: Digest([3; 32]) };
    Store::open_with(dir, owner, limits).expect("the store opens")
}

fn digest(epoch: u64, n: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&epoch.to_le_bytes());
    bytes[8..16].copy_from_slice(&n.to_le_bytes());
    Digest(bytes)
}

/// A bundle of an epoch: its length and bytes are its own.
fn bundle(epoch: u64, n: u64) -> (Digest, Vec<u8>) {
    let mut bytes = vec![0; 200 + (n * 7919 % 6000) as usize];
    ChaCha20Rng::seed_from_u64(epoch << 32 | n).fill_bytes(&mut bytes);
    (digest(epoch, n), bytes)
}

fn carried(mark: u64) -> Carried {
    let none = Carried::none(PartyId::ALL[0]).to_bytes();
    let names = vec![digest(mark, mark).0; 1 + (mark % 40) as usize];
    let bytes = [&(names.len() as u32).to_le_bytes(), names.concat().as_slice(), &none[4..]].concat();
    Carried::from_bytes(&bytes).expect("the same form")
}

/// Transition `t`: the epochs follow each other, and each goes through all phases.
fn script(t: u64) -> Vec<Change> {
    let (epoch, step) = (t / STEPS + 1, t % STEPS);
    let id = EpochId(epoch);
    let phase = |phase| Change::Phase(id, phase);
    // Some are so long that they have a file of their own.
    let vote = |shard, frozen| {
        let vote =
            Some(Vote { turn: Turn { position: step.min(9), view: 0 }, digest: digest(epoch, step.min(9)) });
        let pledged = (0..1 + t % 5 * 50).map(|n| digest(t, n)).collect();
        Change::Vote(id, Record { shard, position: step, term: 0, vote, frozen, pledged })
    };
    let shards = || (0..SHARDS).map(ShardIndex);
    let keep = || shards().map(|shard| Change::Keep(shard, vec![carried(t), carried(t + 1)]));
    match step {
        0 => vec![Change::Beacon(id, digest(epoch, t)), phase(Phase::Announce)],
        1 => vec![phase(Phase::Collect)],
        2..=9 => shards().map(|shard| vote(shard, None)).chain(keep()).collect(),
        10 => vec![phase(Phase::Close)],
        11 => shards().map(|shard| vote(shard, Some(Digest([7; 32])))).chain([phase(Phase::Sum)]).collect(),
        12 => vec![Change::Attempt(id, 1), phase(Phase::Open)],
        13 => keep().chain([Change::Attempt(id, 2), phase(Phase::Prove)]).collect(),
        14 => vec![phase(Phase::Settle), Change::Destroy(id)],
        _ => vec![phase(Phase::Done), Change::Forget(EpochId(epoch - 1))],
    }
}

/// What a store holds after so many transitions, bundles aside.
#[derive(Default, Debug, PartialEq)]
struct Model {
    epochs: BTreeMap<EpochId, EpochState>,
    carried: BTreeMap<ShardIndex, Vec<Carried>>,
    forgotten: Option<EpochId>,
    destroyed: u64,
}

impl Model {
    fn after(transitions: u64) -> Self {
        let mut model = Self::default();
        // What was before the last epochs is forgotten or written again.
        let first = (transitions / STEPS).saturating_sub(3) * STEPS;
        (first..transitions).flat_map(script).for_each(|change| model.apply(change));
        model
    }

    fn of(&mut self, epoch: EpochId) -> &mut EpochState {
        self.epochs.entry(epoch).or_default()
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Vote(epoch, record) => drop(self.of(epoch).votes.insert(record.shard, record)),
            Change::Keep(shard, carried) => drop(self.carried.insert(shard, carried)),
            Change::Beacon(epoch, value) => self.of(epoch).beacon = Some(value),
            Change::Spent(_) => {}
            Change::Attempt(epoch, number) => self.of(epoch).attempt = Some(number),
            Change::Phase(epoch, phase) => self.of(epoch).phase = Some(phase),
            Change::Destroy(epoch) => self.destroyed = epoch.0,
            Change::Forget(epoch) => {
                self.epochs.retain(|of, _| *of > epoch);
                self.forgotten = Some(epoch);
            }
        }
    }
}

/// The process that is killed. As a test of its own it does nothing.
#[test]
fn the_process_that_is_killed() {
    let Some(dir) = env::var_os(STORE) else { return };
    let compact_above = if env::var_os(COMPACTS).is_some() { 0 } else { LIMITS.compact_above };
    let (store, found) = open(Path::new(&dir), compact_above);
    // The epoch that collects, while it does.
    let collecting = Mutex::new((found.sequence, found.bundles));
    thread::scope(|scope| {
        scope.spawn(|| write_transitions(&store, found.sequence, &collecting));
        scope.spawn(|| keep_bundles(&store, &collecting));
        scope.spawn(|| read_bundles(&store, &collecting));
    });
}

type Collecting = Mutex<(u64, BTreeMap<EpochId, usize>)>;

fn say(text: &str) {
    // One call for each line: a killed process says all of it or nothing.
    std::io::stdout().write_all(format!("\nack {text}\n").as_bytes()).expect("somebody listens");
    std::io::stdout().flush().expect("somebody listens");
}

fn write_transitions(store: &Store, from: u64, collecting: &Collecting) {
    for t in from.. {
        // Nobody keeps a bundle of an epoch that is about to close.
        let closing = (t % STEPS == 10).then(|| collecting.lock().expect("nobody panicked"));
        store.write(&script(t)).expect("written");
        say(&format!("transition {}", t + 1));
        match closing {
            Some(mut open) => open.0 = t + 1,
            None => collecting.lock().expect("nobody panicked").0 = t + 1,
        }
    }
}

/// The epoch that collects after so many transitions.
fn collects(transitions: u64) -> Option<u64> {
    (2..=10).contains(&(transitions % STEPS)).then_some(transitions / STEPS + 1)
}

fn keep_bundles(store: &Store, collecting: &Collecting) {
    for size in (0..).map(|n: u64| 1 + n * 7 % GROUP) {
        let mut open = collecting.lock().expect("nobody panicked");
        let Some(epoch) = collects(open.0) else {
            drop(open);
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        let kept = open.1.entry(EpochId(epoch)).or_default();
        let next = *kept as u64;
        let group: Vec<_> = (next..next + size).map(|n| bundle(epoch, n)).collect();
        store.keep_bundles(EpochId(epoch), &group).expect("kept");
        say(&format!("bundles {epoch} {}", next + size));
        *kept += group.len();
    }
}

fn read_bundles(store: &Store, collecting: &Collecting) {
    loop {
        let transitions = collecting.lock().expect("nobody panicked").0;
        let epoch = transitions / STEPS + 1;
        // The epoch may be destroyed meanwhile, and its files are then gone: what is read is right or an error.
        for (n, read) in store.bundles(EpochId(epoch)).enumerate() {
            assert!(read.is_err() || read.is_ok_and(|read| read == bundle(epoch, n as u64)));
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    transitions: u64,
    bundles: BTreeMap<u64, u64>,
}

impl Acknowledged {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        match words[..] {
            ["ack", "transition", _] => self.transitions = number(2),
            ["ack", "bundles", _, _] => drop(self.bundles.insert(number(2), number(3))),
            _ => {}
        }
    }

    /// Holds what is there against what was acknowledged.
    fn check(&mut self, store: &Store, found: &Recovered) {
        let torn = |finding: &Finding| matches!(finding, Finding::TornTail { .. });
        assert!(found.findings.iter().all(torn), "{:?}", found.findings);
        let there = self.transitions..=self.transitions + 1;
        assert!(there.contains(&found.sequence), "{} of {there:?} transitions", found.sequence);
        self.transitions = found.sequence;
        let model = Model::after(found.sequence);
        assert_eq!(found.epochs, model.epochs);
        assert_eq!((&found.carried, found.forgotten), (&model.carried, model.forgotten));
        self.bundles.retain(|epoch, _| *epoch > model.destroyed);
        let latest = collects(found.sequence).or(collects(found.sequence.saturating_sub(1)));
        for epoch in self.bundles.keys().copied().chain(latest).collect::<Vec<_>>() {
            let acknowledged = self.bundles.entry(epoch).or_default();
            let read: Vec<_> = store.bundles(EpochId(epoch)).map(|read| read.expect("sound")).collect();
            let count = read.len() as u64;
            assert!((*acknowledged..=*acknowledged + GROUP).contains(&count), "{count} of {acknowledged}");
            assert!((0..).zip(&read).all(|(n, read)| *read == bundle(epoch, n)), "each once and in order");
            *acknowledged = count;
        }
        self.bundles.retain(|_, count| *count > 0);
        let counts: BTreeMap<u64, u64> =
            found.bundles.iter().map(|(epoch, n)| (epoch.0, *n as u64)).collect();
        assert_eq!(counts, self.bundles, "no epoch that is over has any");
    }
}

/// Begins a process that writes.
fn begin(dir: &Path, compacts: bool) -> (Child, ChildStdout) {
    let mut child = Command::new(env::current_exe().expect("this test is a program"))
        .envs(compacts.then_some((COMPACTS, "1")))
        .args(["--exact", "the_process_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(STORE, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let pipe = child.stdout.take().expect("asked for");
    (child, pipe)
}

/// One round: gives how many acknowledgements came.
fn round(dir: &Path, rng: &mut ChaCha20Rng, acknowledged: &mut Acknowledged) -> usize {
    let (mut child, pipe) = begin(dir, rng.next_u32().is_multiple_of(2));
    let (first, heard) = mpsc::channel();
    let listener = thread::spawn(move || {
        let mut lines = Vec::new();
        // A last line without an end is none.
        let mut reader = BufReader::new(pipe);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            if line.starts_with("ack") {
                let _gone = first.send(());
                lines.push(line.trim_end().to_owned());
            }
            line.clear();
        }
        lines
    });
    // One round in four is killed while it opens the store, or soon after.
    if rng.next_u32().is_multiple_of(4) {
        thread::sleep(Duration::from_micros((rng.next_u32() % 150_000).into()));
    } else {
        heard.recv_timeout(Duration::from_secs(120)).expect("something is acknowledged");
        thread::sleep(Duration::from_micros((rng.next_u32() % 800_000).into()));
    }
    child.kill().expect("it can be killed");
    assert_eq!(child.wait().expect("it ended").signal(), Some(9), "it ended by itself");
    let lines = listener.join().expect("it listened");
    lines.iter().for_each(|line| acknowledged.hear(line));
    lines.len()
}

#[test]
fn nothing_that_was_acknowledged_is_lost_and_nothing_is_there_twice() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let rounds = number(ROUNDS).unwrap_or(FEW);
    let seed = number(SEED).unwrap_or_else(|| OsRng.next_u64());
    println!("{rounds} rounds; {SEED}={seed} draws the same moments");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path().join("store");
    let mut acknowledged = Acknowledged::default();
    let (mut lines, mut torn) = (0, 0);
    for _ in 0..rounds {
        lines += round(&dir, &mut rng, &mut acknowledged);
        let (store, found) = open(&dir, u64::MAX);
        acknowledged.check(&store, &found);
        torn += usize::from(!found.findings.is_empty());
        let size = store.size().expect("measured");
        assert!(size.records < 2 * LIMITS.compact_above, "{size:?}");
    }
    let (epochs, phases) = (acknowledged.transitions / STEPS, acknowledged.transitions);
    println!("{lines} acknowledgements, {phases} transitions, {epochs} whole epochs, {torn} torn tails");
}
