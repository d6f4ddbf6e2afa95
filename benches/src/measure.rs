//! Measuring by turns.
//!
//! A time taken by itself says little on a machine that others use: it moves with their load, with the clock rate and
//! with the state of the caches. Two times taken one after the other move together, so what is reported here are
//! **ratios**: in each round every side runs once, in an order that turns from round to round, and a ratio is the
//! median over the rounds of one side's time over the other's in the same round. That is why this crate does not use a
//! framework such as criterion, which measures one function to the end before it begins the next, and so compares a
//! quiet minute with a busy one.
//!
//! Times are processor time of the measuring thread where the kernel tells it (Linux), so that being interrupted does
//! not count, and wall time elsewhere. What runs on several threads is always measured in wall time.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    fs,
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rounds; every side runs once in each.
    pub(crate) rounds: usize,
    /// What a side fills in a round by repeating itself.
    pub(crate) slice: Duration,
    /// Whether workloads are tiny: to see that they run, not to learn from them.
    pub(crate) quick: bool,
    /// Events of the run under load.
    pub(crate) events: usize,
}

impl Plan {
    /// For figures worth writing down.
    pub(crate) const FULL: Self =
        Self { rounds: 11, slice: Duration::from_millis(60), quick: false, events: crate::load::EVENTS };
    /// For seeing that everything runs.
    pub(crate) const QUICK: Self = Self { rounds: 3, slice: Duration::ZERO, quick: true, events: 400 };

    /// `full`, or `tiny` in a quick run.
    pub(crate) fn size(&self, full: usize, tiny: usize) -> usize {
        if self.quick { tiny } else { full }
    }
}

/// Processor time that this thread has used. Yielding first makes the kernel bring its account up to date.
fn processor_time() -> Option<Duration> {
    thread::yield_now();
    let account = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = account.split(' ').next()?.parse().ok()?;
    (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
}

/// Whether times are processor time.
pub(crate) fn has_processor_time() -> bool {
    processor_time().is_some()
}

/// A stopwatch: what a side does outside of [`Watch::time`] does not count.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    wall: bool,
    total: Duration,
}

impl Watch {
    /// Runs `work` and adds the time that it takes.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = if self.wall { None } else { processor_time() };
        let start = Instant::now();
        let result = black_box(work());
        let wall = start.elapsed();
        self.total += match (before, before.and_then(|_| processor_time())) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => wall,
        };
        result
    }
}

type Calls<'a> = Box<dyn FnMut(u32, &mut Watch) + 'a>;

/// Something to measure: a name, the operations that one call stands for, and a function that calls so many times.
pub(crate) struct Side<'a> {
    name: &'a str,
    operations: usize,
    wall: bool,
    calls: Calls<'a>,
}

impl<'a> Side<'a> {
    /// A side whose calls count from the beginning of the first to the end of the last.
    pub(crate) fn new<T>(name: &'a str, operations: usize, mut call: impl FnMut() -> T + 'a) -> Self {
        let repeat = move |calls: u32, watch: &mut Watch| {
            watch.time(|| {
                for _ in 0..calls {
                    black_box(call());
                }
            });
        };
        Self { name, operations, wall: false, calls: Box::new(repeat) }
    }

    /// A side that says itself what of each call counts.
    pub(crate) fn with_setup(
        name: &'a str,
        operations: usize,
        mut call: impl FnMut(&mut Watch) + 'a,
    ) -> Self {
        let repeat = move |calls: u32, watch: &mut Watch| (0..calls).for_each(|_| call(watch));
        Self { name, operations, wall: false, calls: Box::new(repeat) }
    }

    /// The same side, measured in wall time because it uses several threads.
    pub(crate) fn on_many_threads(self) -> Self {
        Self { wall: true, ..self }
    }

    fn run(&mut self, calls: u32) -> Duration {
        let mut watch = Watch { wall: self.wall, ..Watch::default() };
        (self.calls)(calls, &mut watch);
        watch.total
    }
}

/// Seconds for one operation of a side, round by round.
#[derive(Clone, Debug)]
pub(crate) struct Samples(Vec<f64>);

/// The middle of several figures, and the range that holds the middle half of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Median.
    pub(crate) median: f64,
    /// First quartile.
    pub(crate) low: f64,
    /// Third quartile.
    pub(crate) high: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let last = figures.len() - 1;
        Self { median: figures[last / 2], low: figures[last / 4], high: figures[last - last / 4] }
    }
}

impl Samples {
    /// Seconds for one operation.
    pub(crate) fn seconds(&self) -> Spread {
        Spread::of(self.0.clone())
    }

    /// This side's time over another's, round by round.
    pub(crate) fn over(&self, other: &Self) -> Spread {
        Spread::of(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// The sum of several sides, each so many times, round by round.
    pub(crate) fn sum(parts: &[(f64, &Self)]) -> Self {
        let rounds = parts.iter().map(|(_, part)| part.0.len()).min().unwrap_or_default();
        let round = |at: usize| parts.iter().map(|(factor, part)| factor * part.0[at]).sum();
        Self((0..rounds).map(round).collect())
    }
}

/// Runs all sides by turns, and gives their samples in the order of the sides.
pub(crate) fn by_turns<const N: usize>(plan: &Plan, mut sides: [Side<'_>; N]) -> [Samples; N] {
    // The first call of each side warms it up and says how often it fits into a slice.
    let calls: [u32; N] = std::array::from_fn(|at| {
        let side = &mut sides[at];
        eprintln!("  {}", side.name);
        let once = side.run(1).max(Duration::from_nanos(100));
        (plan.slice.as_secs_f64() / once.as_secs_f64()).ceil().clamp(1.0, 1e6) as u32
    });
    let mut samples: [Samples; N] = std::array::from_fn(|_| Samples(Vec::with_capacity(plan.rounds)));
    for round in 0..plan.rounds {
        for turn in 0..N {
            let at = (round + turn) % N;
            let time = sides[at].run(calls[at]).as_secs_f64();
            samples[at].0.push(time / f64::from(calls[at]) / sides[at].operations as f64);
        }
    }
    samples
}

/// So many threads, or as many as there are cores for 0.
pub(crate) fn threads(count: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(count).build().expect("threads can be started")
}

/// Runs `work` on one thread, whatever it would spread over several.
pub(crate) fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    threads(1).install(work)
}

/// Runs `work` on all cores: for preparations, which are not measured.
pub(crate) fn on_all_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    threads(0).install(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_side_runs_once_a_round_in_turning_order() {
        let log = std::cell::RefCell::new(Vec::new());
        let log_of = &log;
        let sides = ["a", "b", "c"].map(|name| Side::new(name, 1, move || log_of.borrow_mut().push(name)));
        let samples = by_turns(&Plan::QUICK, sides);
        assert_eq!(log.borrow().concat(), ["abc", "abc", "bca", "cab"].concat());
        assert!(samples.iter().all(|s| s.0.len() == Plan::QUICK.rounds));
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds() {
        // The second round was twice as slow for both, which a ratio does not show.
        let (a, b) = (Samples(vec![2.0, 4.0, 2.0, 9.0, 2.0]), Samples(vec![1.0, 2.0, 1.0, 1.0, 1.0]));
        let ratio = a.over(&b);
        assert_eq!((ratio.median.to_bits(), ratio.low.to_bits()), (2f64.to_bits(), 2f64.to_bits()));
        assert_eq!(Samples::sum(&[(1.0, &a), (2.0, &b)]).0[1].to_bits(), 8f64.to_bits());
    }
}
