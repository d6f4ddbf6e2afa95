//! Progress on standard error: bars with rate and time left on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use sim::progress::{Progress, Silent, Stage};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// Time between two lines of a stage.
const EVERY: Duration = Duration::from_secs(5);
/// A bar: what, how far, how fast, how long still.
const BAR: &str = "{msg:34} {bar:30} {pos:>6}/{len:6} {rate:>12}  {eta:>4} left";
/// A bar at its end.
const DONE: &str = "{msg:34} {bar:30} {pos:>6}/{len:6} in {elapsed}";

/// The progress that fits standard error, or none.
pub(crate) fn choose(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if io::stderr().is_terminal() {
        Box::new(Bars {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            bars: Mutex::default(),
        })
    } else {
        Box::new(Lines(Mutex::default()))
    }
}

struct Bars {
    all: MultiProgress,
    bars: Mutex<BTreeMap<Stage, ProgressBar>>,
}

impl Bars {
    fn with(&self, stage: Stage, act: impl FnOnce(&ProgressBar)) {
        let bars = self.bars.lock().expect("nobody panics while holding the bars");
        if let Some(bar) = bars.get(&stage) {
            act(bar);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // The bar goes without what cannot be written.
        let _ = write!(out, "{:.1}/s", state.per_sec());
    };
    let style = ProgressStyle::with_template(template).expect("the templates are valid");
    style.with_key("rate", rate).progress_chars("━╸ ")
}

impl Progress for Bars {
    fn begin(&self, stage: Stage, total: u64) {
        let bar = self.all.add(ProgressBar::new(total).with_style(style(BAR)).with_message(stage.name()));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bars.lock().expect("nobody panics while holding the bars").insert(stage, bar);
    }

    fn advance(&self, stage: Stage, by: u64) {
        self.with(stage, |bar| bar.inc(by));
    }

    fn end(&self, stage: Stage) {
        self.with(stage, |bar| {
            bar.set_style(style(DONE));
            bar.finish();
        });
    }
}

struct Count {
    begun: Instant,
    told: Instant,
    done: u64,
    total: u64,
}

#[derive(Default)]
struct Lines(Mutex<BTreeMap<Stage, Count>>);

impl Lines {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<Stage, Count>> {
        self.0.lock().expect("nobody panics while holding the counts")
    }
}

fn say(line: &str) {
    // A closed standard error is no reason to stop a run.
    drop(writeln!(io::stderr(), "{line}"));
}

impl Progress for Lines {
    fn begin(&self, stage: Stage, total: u64) {
        let now = Instant::now();
        self.counts().insert(stage, Count { begun: now, told: now, done: 0, total });
    }

    fn advance(&self, stage: Stage, by: u64) {
        let mut counts = self.counts();
        let Some(count) = counts.get_mut(&stage) else { return };
        count.done += by;
        if count.told.elapsed() >= EVERY && count.done < count.total {
            count.told = Instant::now();
            let Count { done, total, .. } = *count;
            let rate = done as f64 / count.begun.elapsed().as_secs_f64();
            let left = (total - done) as f64 / rate;
            // The first few say too little of the rest.
            let left = if done * 10 < total { String::new() } else { format!(", about {left:.0} s left") };
            say(&format!("{}: {done} of {total}, {rate:.1} a second{left}", stage.name()));
        }
    }

    fn end(&self, stage: Stage) {
        if let Some(count) = self.counts().get(&stage) {
            say(&stage.over(count.total, count.begun.elapsed()));
        }
    }
}
