//! Instructions of single operations, counted by callgrind where valgrind is installed.
//!
//! What runs here is this very program, as `one NAME COUNT`, once with some operations and once with more: the
//! difference is what the operations take, without preparations. It says nothing of caches and of how many
//! instructions run at a time, but it is the same whatever else the machine does.

use crate::{
    chain::{PRODUCTS, hash_all, multiply_all},
    economics::{Cases, Pairs},
    measure::Plan,
    power::Bases,
    proofs::{Bundles, EVENTS, Prio3, RangeProofs},
    report::{Topic, digits, grouped},
};
use clap::{Args, ValueEnum};
use primitives::PartyId;
use std::{
    env, fs,
    hint::black_box,
    path::PathBuf,
    process::{self, Command},
};

/// An operation to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    /// A device makes masks and proves a bundle of 32 events
    Prove,
    /// A device makes masks
    Masks,
    /// A device proves a range
    RangeProve,
    /// A device makes Prio3 reports of 32 events
    Prio3Shard,
    /// A party verifies a batch of bundles
    Verify,
    /// A party verifies as many range proofs
    RangeVerify,
    /// A party checks its sums of a batch
    Check,
    /// Two Prio3 aggregators verify 32 reports
    Prio3Verify,
    /// A party adds up its shares of a batch
    Sum,
    /// Their streams and products of words
    SumFloor,
    /// 1,000 powers in fixed point
    Power,
    /// 1,000 powers of the platform
    Powf,
    /// 100 Poseidon permutations
    Hash,
    /// The products of 100 permutations
    HashFloor,
    /// An economics run over 10,000 pairs
    Run,
    /// One pass over the same pairs
    RunFloor,
}

/// Performs one operation several times, for a profiler
#[derive(Args, Debug)]
pub(crate) struct One {
    /// What to perform
    operation: Operation,
    /// How often
    #[arg(default_value_t = 1)]
    count: usize,
    /// Bundles from an earlier call, in place of fresh ones with keys that take long to find
    #[arg(long, value_name = "FILE", hide = true)]
    bundles: Option<PathBuf>,
    /// Works of the shard
    #[arg(long, default_value_t = WORKS)]
    works: usize,
}

const POWERS: usize = 1_000;
const HASHES: usize = 100;
const PAIRS: usize = 10_000;
/// Bundles in a batch.
const BATCH: usize = 64;
/// The party whose shares are most work.
const PARTY: PartyId = PartyId::ALL[1];
/// Works of the shard.
const WORKS: usize = 4_096;

impl One {
    /// Performs it.
    pub(crate) fn perform(&self) {
        match self.operation {
            Operation::Prove => {
                let bundles = self.bundles();
                self.repeat(|| bundles.prove(bundles.masks()));
            }
            Operation::Masks => {
                let bundles = self.bundles();
                self.repeat(|| bundles.masks());
            }
            Operation::RangeProve => {
                let range = RangeProofs::new();
                self.repeat(|| range.prove());
            }
            Operation::RangeVerify => {
                let range = RangeProofs::new();
                self.repeat(|| range.verify(BATCH));
            }
            Operation::Verify => {
                let bundles = self.bundles();
                self.repeat(|| bundles.verify(BATCH));
            }
            Operation::Check => {
                let bundles = self.bundles();
                let accepted = bundles.unverified();
                let sums = bundles.sum(PARTY, &accepted, &bundles.open(PARTY, BATCH));
                self.repeat(|| bundles.check(PARTY, (&accepted, BATCH), &sums));
            }
            Operation::Prio3Shard => {
                let reports = self.reports();
                self.repeat(|| reports.shard_all());
            }
            Operation::Prio3Verify => {
                let reports = self.reports();
                self.repeat(|| reports.verify_all());
            }
            Operation::Sum => {
                let bundles = self.bundles();
                let (seeds, accepted) = (bundles.open(PARTY, BATCH), bundles.unverified());
                self.repeat(|| bundles.sum(PARTY, &accepted, &seeds));
            }
            Operation::SumFloor => {
                let bundles = self.bundles();
                self.repeat(|| bundles.share_floor(BATCH));
            }
            Operation::Power => {
                let bases = Bases::new(POWERS);
                self.repeat(|| bases.fixed());
            }
            Operation::Powf => {
                let bases = Bases::new(POWERS);
                self.repeat(|| bases.float());
            }
            Operation::Hash => self.repeat(|| hash_all(HASHES)),
            Operation::HashFloor => self.repeat(|| multiply_all(HASHES)),
            Operation::Run => {
                let cases = Cases::new(PAIRS);
                self.repeat(|| cases.run_table(1));
            }
            Operation::RunFloor => {
                let pairs = Pairs::new(&Cases::new(PAIRS).epoch);
                self.repeat(|| pairs.pass());
            }
        }
    }

    fn repeat<T>(&self, mut each: impl FnMut() -> T) {
        for _ in 0..self.count {
            black_box(each());
        }
    }

    fn bundles(&self) -> Bundles {
        let Some(path) = &self.bundles else { return Bundles::new(self.works, BATCH) };
        let bytes = fs::read(path).expect("the file of bundles is there");
        Bundles::read(&bytes).expect("bundles of this program")
    }

    fn reports(&self) -> Prio3 {
        let works: Vec<_> = (0..EVENTS).map(|at| 7 * at % self.works).collect();
        Prio3::new(2, &works, self.works)
    }
}

/// Instructions of the program's own runs.
struct Counter {
    bundles: PathBuf,
    works: usize,
}

impl Counter {
    /// Instructions of one operation; `None` where callgrind does not run.
    fn count(&self, operation: Operation) -> Option<f64> {
        let name = operation.to_possible_value().expect("no operation is hidden").get_name().to_owned();
        eprintln!("  instructions of {name}");
        let total = |times: usize| {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
            command.arg(env::current_exe().ok()?).args(["one", &name, &times.to_string(), "--bundles"]);
            command.arg(&self.bundles).args(["--works", &self.works.to_string()]);
            collected(&String::from_utf8_lossy(&command.output().ok()?.stderr))
        };
        Some(total(2)? - total(1)?)
    }
}

/// The number in callgrind's line `==1== Collected : 123`.
fn collected(report: &str) -> Option<f64> {
    let line = report.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.trim().parse().ok()
}

impl Drop for Counter {
    fn drop(&mut self) {
        // A file that stays behind in a temporary folder harms nobody.
        let _ = fs::remove_file(&self.bundles);
    }
}

/// An operation, and how many things it does at once.
type Part = (Operation, usize);

/// What is counted beside what: a name, and two parts.
type Pair = (&'static str, Part, Part);

/// Bundles beside Prio3.
const PROOFS: [Pair; 7] = [
    ("device, per event: bundle / Prio3", (Operation::Prove, EVENTS), (Operation::Prio3Shard, EVENTS)),
    ("- masks ahead of time / Prio3", (Operation::Masks, EVENTS), (Operation::Prio3Shard, EVENTS)),
    ("- the cap's range proof / Prio3", (Operation::RangeProve, EVENTS), (Operation::Prio3Shard, EVENTS)),
    (
        "one party, per event: batch / one Prio3 aggregator",
        (Operation::Verify, BATCH * EVENTS),
        (Operation::Prio3Verify, 2 * EVENTS),
    ),
    (
        "- beside it: the cap's range proof, by its crate / one Prio3 aggregator",
        (Operation::RangeVerify, BATCH * EVENTS),
        (Operation::Prio3Verify, 2 * EVENTS),
    ),
    (
        "- share check / one Prio3 aggregator",
        (Operation::Check, BATCH * EVENTS),
        (Operation::Prio3Verify, 2 * EVENTS),
    ),
    ("sums of shares, per bundle / floor", (Operation::Sum, BATCH), (Operation::SumFloor, BATCH)),
];

/// Everything else.
const OTHERS: [Pair; 3] = [
    ("`pow_q32` / `f64::powf`", (Operation::Power, POWERS), (Operation::Powf, POWERS)),
    ("a Poseidon permutation / its products", (Operation::Hash, HASHES), (Operation::HashFloor, HASHES)),
    ("an economics run / one pass, per pair", (Operation::Run, PAIRS), (Operation::RunFloor, PAIRS)),
];

/// Counts what does not belong to bundle proofs.
pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::default();
    let about = format!(
        "Economics over {} pairs with the plays of the table; a permutation is {PRODUCTS} products of field elements.",
        grouped(PAIRS as u64)
    );
    count(plan, &mut topic, &OTHERS, &about);
    topic
}

/// Counts bundle proofs beside Prio3, in the widest shard.
pub(crate) fn proofs(plan: &Plan, topic: &mut Topic) {
    let about = format!("{} works, batches of {BATCH} bundles.", grouped(WORKS as u64));
    count(plan, topic, &PROOFS, &about);
}

/// Counts both sides of every pair. Nothing is counted in a quick run, or where valgrind is missing.
fn count(plan: &Plan, topic: &mut Topic, pairs: &[Pair], about: &str) {
    if plan.quick || !is_there() {
        topic.paragraph("Instructions were not counted: this was a quick run, or valgrind is not installed.");
        return;
    }
    eprintln!("instructions");
    let counter = Counter { bundles: bundles_file(), works: WORKS };
    if pairs.iter().any(|(_, (ours, _), _)| *ours == Operation::Verify) {
        let prepared = fs::write(&counter.bundles, Bundles::new(counter.works, BATCH).write());
        prepared.expect("the temporary folder can be written");
    }
    let mut counted: Vec<(Operation, Option<f64>)> = Vec::new();
    let mut each = |(operation, parts): Part| {
        let known = counted.iter().find(|(other, _)| *other == operation).map(|(_, n)| *n);
        let total = known.unwrap_or_else(|| counter.count(operation));
        counted.push((operation, total));
        total.map(|n| n / parts as f64)
    };
    let row = |(what, ours, peer): &Pair| {
        let shown = |n: Option<f64>| n.map_or("-".into(), |n| grouped(n.round() as u64));
        let (ours, peer) = (each(*ours), each(*peer));
        let over = ours.zip(peer).map_or("-".into(), |(ours, peer)| digits(ours / peer));
        [(*what).into(), shown(ours), shown(peer), over]
    };
    let rows: Vec<_> = pairs.iter().map(row).collect();
    topic.paragraph(&format!(
        "What single operations take in instructions, counted by callgrind. They do not depend on what else \
         the machine does; instructions are not time, and vector instructions do the work of several. {about}",
    ));
    topic.table(["for one", "ours", "other side", "ratio"], &rows);
}

fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|out| out.status.success())
}

fn bundles_file() -> PathBuf {
    env::temp_dir().join(format!("benches-{}.bundles", process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_that_were_written_verify_when_they_are_read() {
        let bundles = Bundles::read(&Bundles::new(16, 2).write()).expect("bundles of this program");
        bundles.verify(2);
        assert_eq!(bundles.len(), 2);
        bundles.prove(bundles.masks());
    }

    #[test]
    fn the_number_is_found_in_what_callgrind_says() {
        let report = "==7== Events    : Ir\n==7== Collected : 30449\n==7==\n";
        assert_eq!(collected(report).map(f64::to_bits), Some(30_449f64.to_bits()));
        assert_eq!(collected("valgrind: no such tool").map(f64::to_bits), None);
    }
}
