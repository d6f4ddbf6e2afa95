//! `cwe sim sweep`.

mod print;

use crate::{
    cli::{Sweep, SweepFormat},
    output::{self, Failure},
    progress,
};
use ::sim::{
    economics::{
        EconomicsError, Grid, GridError, MAX_SYNTHETIC, Market,
        sweep::{
            self, Plan, PlanError, Row, SweepError,
            file::{FileError, SweepFile},
        },
    },
    progress::{Progress, Stage},
    report::thousands,
    workload::{TableError, table},
};
use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use thiserror::Error;

/// Set by an interrupt, and by a reader of standard output who has seen enough.
static STOP: AtomicBool = AtomicBool::new(false);
/// Exit code after an interrupt: 128 and the number of the signal, as shells have it.
const INTERRUPTED: u8 = 130;

/// Why there is no sweep, or not all of it.
#[derive(Debug, Error)]
pub(crate) enum SweepFailure {
    /// Another mode than there is.
    #[error("there is no sweep with cryptography: give --economics, for one epoch on paper in each row")]
    NoEconomics,
    /// No market of that size.
    #[error("--synthetic {asked}: give a number of subscribers from 1 to {MAX_SYNTHETIC}")]
    Subscribers {
        /// Subscribers asked for.
        asked: usize,
    },
    /// The usage file cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A grid is wrong.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// Grids and seeds make no sweep.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A row cannot be evaluated.
    #[error(transparent)]
    Economics(#[from] EconomicsError),
    /// The file cannot take the rows.
    #[error(transparent)]
    File(#[from] FileError),
    /// Interrupted, with everything that is done in a file.
    #[error("interrupted: {done} of {rows} rows are in {file}: run the same command again to go on", file = .file.display())]
    Interrupted {
        /// Rows done.
        done: u64,
        /// Rows in all.
        rows: u64,
        /// The file.
        file: PathBuf,
    },
    /// Interrupted, and nothing to resume from.
    #[error("interrupted: nothing is kept: with --out FILE a sweep can be resumed")]
    InterruptedWithoutFile,
}

impl SweepFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Interrupted { .. } | Self::InterruptedWithoutFile => INTERRUPTED,
            Self::File(FileError::Io { .. }) | Self::Economics(_) => 3,
            _ => 2,
        }
    }

    /// What to do about it, where the error itself does not say.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::File(
                FileError::Foreign(_) | FileError::OtherConfiguration { .. } | FileError::Line { .. },
            ) => Some("give another --out, or remove the file and the .sweep.json beside it"),
            _ => None,
        }
    }
}

/// Runs a sweep.
pub(crate) fn sweep(arguments: &Sweep) -> Result<(), Failure> {
    let (market, plan) = prepare(arguments)?;
    let market = Arc::new(market);
    if !arguments.quiet {
        announce(&market, &plan);
    }
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            // Asked twice: rows that count as done are on disk.
            std::process::exit(INTERRUPTED.into());
        }
    })?;
    let progress = progress::choose(arguments.quiet);
    let text = match &arguments.out {
        Some(path) => {
            let mut file = SweepFile::open(path, &plan, &market)?;
            let done = file.done();
            evaluate(&market, &plan, done, progress.as_ref(), |rows| Ok(file.write(&plan, rows)?))?;
            if file.done() < plan.rows() {
                let (done, rows, file) = (file.done(), plan.rows(), path.clone());
                return Err(SweepFailure::Interrupted { done, rows, file }.into());
            }
            file.text()?
        }
        None => {
            let stream = arguments.output == SweepFormat::Csv;
            let (mut text, mut rows_done) = (plan.header(), 0);
            let mut readers = !stream || written(&text)?;
            evaluate(&market, &plan, 0, progress.as_ref(), |rows| {
                let lines: String = rows.iter().map(|row| plan.line(row)).collect();
                rows_done += rows.len() as u64;
                if stream {
                    readers = readers && written(&lines)?;
                    STOP.fetch_or(!readers, Ordering::Relaxed);
                } else {
                    text += &lines;
                }
                Ok(())
            })?;
            if stream && !readers {
                return Ok(());
            }
            if rows_done < plan.rows() {
                return Err(SweepFailure::InterruptedWithoutFile.into());
            }
            if stream {
                return Ok(());
            }
            text
        }
    };
    match arguments.output {
        SweepFormat::Csv => output::print(&text),
        SweepFormat::Table => output::print(&print::table(&plan, &text)),
        SweepFormat::Json => output::json(&print::object(&market, &plan, &text)),
    }
}

/// Writes to standard output, at once; `false` if nobody reads any more.
fn written(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads what to sweep. Grids first: a wrong one is told before a large file is read.
fn prepare(arguments: &Sweep) -> Result<(Market, Plan), SweepFailure> {
    if !arguments.economics {
        return Err(SweepFailure::NoEconomics);
    }
    let grids = arguments.grid.iter().map(|grid| grid.parse()).collect::<Result<Vec<Grid>, _>>()?;
    let Sweep { preset, plays_per_subscriber, seed, seeds, .. } = *arguments;
    let plan = Plan::new(preset, plays_per_subscriber, grids, seed, seeds)?;
    let market = match arguments.usage.file() {
        Some(file) => Market::new(&table::read(&file)?, arguments.market_seed),
        None if (1..=MAX_SYNTHETIC).contains(&arguments.synthetic) => {
            Market::synthetic(arguments.market_seed, arguments.synthetic)
        }
        None => return Err(SweepFailure::Subscribers { asked: arguments.synthetic }),
    };
    Ok((market, plan))
}

/// Evaluates all rows from `from` on, with progress.
fn evaluate(
    market: &Arc<Market>,
    plan: &Plan,
    from: u64,
    progress: &dyn Progress,
    mut sink: impl FnMut(&[Row]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    progress.begin(Stage::Rows, plan.rows() - from);
    let ended = sweep::run(market, plan, from, &STOP, |rows| {
        sink(rows)?;
        progress.advance(Stage::Rows, rows.len() as u64);
        Ok(())
    });
    match ended {
        Ok(()) => {}
        Err(SweepError::Economics(error)) => return Err(SweepFailure::from(error).into()),
        Err(SweepError::Sink(failure)) => return Err(failure),
    }
    if !STOP.load(Ordering::Relaxed) {
        progress.end(Stage::Rows);
    }
    Ok(())
}

/// Says what is about to be swept.
fn announce(market: &Market, plan: &Plan) {
    let (first, seeds) = plan.seeds();
    let lines = format!(
        "{} subscribers, {} works, {} pairs; {}; preset {}\n{} rows: {} combinations, {} seeds from {first} on\n",
        thousands(market.subscribers() as u64),
        thousands(market.works() as u64),
        thousands(market.pairs() as u64),
        market.source(),
        plan.preset(),
        thousands(plan.rows()),
        thousands(plan.combinations()),
        thousands(seeds),
    );
    // A closed standard error is no reason to stop a run.
    drop(io::stderr().write_all(lines.as_bytes()));
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        SweepFailure::from(error).into()
    }
}
