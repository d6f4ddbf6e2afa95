//! `cwe client`.

mod print;
mod settings;

use crate::{
    cli::{Status, Submit, Whose},
    files::FileError,
    output::Failure,
    progress,
};
use chain::{
    modules::usage::Phase,
    node::{ClientError as NodeError, Following, Mirror, RunError},
};
use engine::{
    client::{
        BundleState, BundleStatus, Client, ClientError, Folder, JournalError, LinkError, LogError,
        MachineClock, Progress, UsageLog,
    },
    message::OpenedEpoch,
    opening::{EpochDocument, OpeningError},
};
use primitives::{EpochId, PartyId, Time};
use rand_core::OsRng;
use settings::Setup;
use sim::progress::Stage;
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

/// How long the client's own node may take to have all blocks: a chain of years, on a small machine.
const FOLLOWING: Duration = Duration::from_secs(3_600);
/// How often it is asked what became of bundles.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// What the folder of an epoch is called, before its number.
const EPOCH_FOLDER: &str = "epoch-";
/// The folder of the client's own node.
const CHAIN_FOLDER: &str = "chain";

/// Why a client does not go on.
#[derive(Debug, Error)]
pub(crate) enum ClientFailure {
    /// A file that it needs.
    #[error(transparent)]
    File(#[from] FileError),
    /// The log of plays.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its own node.
    #[error("the client's own node: {0}")]
    Run(#[from] Box<RunError>),
    /// The node that its own follows.
    #[error(transparent)]
    Node(#[from] Box<NodeError>),
    /// Its own node stopped, or has not all blocks in time.
    #[error("the client's own node in {dir} does not get to the chain's last block: start again, or delete the folder", dir = .dir.display())]
    Behind { dir: PathBuf },
    /// No epoch takes bundles in.
    #[error("no epoch takes bundles in: {what}")]
    NoEpoch { what: String },
    /// Nothing was handed in.
    #[error("{dir}: nothing was handed in from here: start with `cwe client submit`", dir = .dir.display())]
    Nothing { dir: PathBuf },
    /// The epoch's record is of no use.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A step of the client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Bundles that parties had promised are in no batch.
    #[error("{count} bundles that parties had promised are in no batch that they show; the promises are in {dir}", dir = .dir.display())]
    Missing { count: usize, dir: PathBuf },
}

impl From<JournalError> for ClientFailure {
    fn from(error: JournalError) -> Self {
        Self::Client(error.into())
    }
}

impl ClientFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::Log(_) | Self::Node(_) | Self::NoEpoch { .. } | Self::Nothing { .. } => 2,
            Self::Run(error) => {
                if matches!(**error, RunError::Block { .. }) {
                    4
                } else {
                    3
                }
            }
            Self::Behind { .. } | Self::Opening(_) => 3,
            Self::Missing { .. } => 1,
            Self::Client(error) => match error {
                ClientError::Refused { .. } | ClientError::Forged { .. } => 1,
                ClientError::UnknownTier { .. }
                | ClientError::UnknownRegion { .. }
                | ClientError::Window { .. }
                | ClientError::OtherFolder { .. }
                | ClientError::OtherLog
                | ClientError::NothingCounts { .. }
                | ClientError::Journal(JournalError::InUse { .. })
                | ClientError::Signer { error: LinkError::Refused { .. }, .. } => 2,
                _ => 3,
            },
        }
    }
}

/// A client with its own node, which has all blocks that there were when it started.
struct Desk {
    setup: Setup,
    mirror: Mirror,
}

impl Desk {
    fn open(whose: &Whose) -> Result<Self, Failure> {
        let setup = settings::read(whose)?;
        Ok(Self { mirror: follow(&setup)?, setup })
    }

    fn folder(&self, epoch: EpochId) -> PathBuf {
        self.setup.dir.join(format!("{EPOCH_FOLDER}{epoch}"))
    }

    /// What the chain has of an epoch.
    fn opened(&self, epoch: EpochId) -> Result<OpenedEpoch, OpeningError> {
        self.mirror.read(|ledger| EpochDocument::on_record(ledger.state(), epoch))?.opened()
    }

    fn client(&self, epoch: EpochId) -> Result<Client, ClientFailure> {
        let disk = Folder::open(self.folder(epoch))?;
        Ok(Client::open(Box::new(disk), self.opened(epoch)?, self.setup.own)?)
    }

    /// From when to when the epoch takes bundles in, if a party says so.
    fn window(&self) -> Option<(Time, Time)> {
        PartyId::ALL.into_iter().find_map(|party| self.setup.parties.window(party).ok().flatten())
    }

    /// The epoch that takes bundles in.
    fn open_epoch(&self) -> Result<EpochId, ClientFailure> {
        let found = self.mirror.read(|ledger| {
            let last = ledger.state().epochs.iter().next_back();
            last.map(|last| (last.epoch, last.phase))
        });
        match found {
            Some((epoch, Phase::Open)) => Ok(epoch),
            // Whoever began in time may still find out what parties answer.
            Some((epoch, Phase::Frozen)) if self.folder(epoch).is_dir() => Ok(epoch),
            Some((epoch, phase)) => {
                let phase = format!("{phase:?}").to_lowercase();
                Err(ClientFailure::NoEpoch {
                    what: format!("epoch {epoch} is {phase}, and the next is not open"),
                })
            }
            None => Err(ClientFailure::NoEpoch { what: "none has opened on this chain".into() }),
        }
    }
}

/// Starts the client's own node, and waits until it has every block.
fn follow(setup: &Setup) -> Result<Mirror, ClientFailure> {
    let dir = setup.dir.join(CHAIN_FOLDER);
    let io = |error: io::Error| FileError::Unwritten { path: dir.clone(), error };
    fs::create_dir_all(&dir).map_err(io)?;
    let following = Following { dir: dir.clone(), start: setup.start.clone(), url: setup.node.clone() };
    let mirror = Mirror::start(following, |_| ()).map_err(Box::new)?;
    if mirror.catch_up(FOLLOWING).map_err(Box::new)? {
        return Ok(mirror);
    }
    match mirror.stop() {
        Err(error) => Err(Box::new(error).into()),
        Ok(()) => Err(ClientFailure::Behind { dir }),
    }
}

/// Hands the plays of a log in.
pub(crate) fn submit(arguments: &Submit) -> Result<(), Failure> {
    // First what can be wrong without anybody else.
    let log = UsageLog::read(&arguments.log, |_| ()).map_err(ClientFailure::from)?;
    let desk = Desk::open(&arguments.whose)?;
    let progress = progress::choose(arguments.quiet);
    let epoch = desk.open_epoch()?;
    let client = desk.client(epoch)?;
    let outside = desk.window().and_then(|window| Some((log.outside(window.0, window.1)?, window)));
    print::outside(&arguments.whose, epoch, outside);
    let (mut token, mut receipts, mut made, mut taken) = (None, None, None, None);
    let mut tell = |at: Progress| match at {
        Progress::Token => step(&*progress, Stage::Tokens, &mut token, (1, 1)),
        Progress::Receipts { done, of } => step(&*progress, Stage::Receipts, &mut receipts, (done, of)),
        Progress::Made { done, of } => step(&*progress, Stage::Bundles, &mut made, (done, of)),
        Progress::TakenIn { done, of } => step(&*progress, Stage::HandedIn, &mut taken, (done, of)),
        _ => {}
    };
    let Setup { parties, signers, .. } = &desk.setup;
    let clock = MachineClock::default();
    let report = client.run(&log, signers, (parties, &clock), &mut OsRng, &mut tell);
    let outside = outside.map(|(outside, _)| outside);
    print::report(&arguments.whose, epoch, (&report.map_err(ClientFailure::from)?, outside))
}

/// Shows how far a stage is, from what it was at before.
fn step(
    progress: &dyn sim::progress::Progress,
    stage: Stage,
    before: &mut Option<usize>,
    (done, of): (usize, usize),
) {
    let last = match *before {
        Some(last) => last,
        None => {
            progress.begin(stage, of as u64);
            0
        }
    };
    progress.advance(stage, done.saturating_sub(last) as u64);
    if done == of && (last < of || before.is_none()) {
        progress.end(stage);
    }
    *before = Some(done);
}

/// Shows what became of the bundles.
pub(crate) fn status(arguments: &Status) -> Result<(), Failure> {
    let desk = Desk::open(&arguments.whose)?;
    let epoch = match arguments.epoch {
        Some(epoch) if desk.folder(epoch).is_dir() => Some(epoch),
        Some(_) => None,
        None => last(&desk.setup.dir),
    };
    let nothing = || ClientFailure::Nothing { dir: desk.setup.dir.clone() };
    let epoch = epoch.ok_or_else(nothing)?;
    let client = desk.client(epoch)?;
    let (begun, patience) = (Instant::now(), Duration::from_secs(arguments.wait));
    let bundles = loop {
        let found = client.status(&desk.setup.parties, &desk.mirror).map_err(ClientFailure::from)?;
        if found.iter().all(is_decided) || begun.elapsed() >= patience {
            break found;
        }
        thread::sleep(ASK_EVERY);
    };
    print::bundles(&arguments.whose, epoch, &bundles)?;
    let missing = bundles.iter().filter(|bundle| matches!(bundle.state, BundleState::Missing { .. })).count();
    match missing {
        0 => Ok(()),
        count => Err(ClientFailure::Missing { count, dir: desk.folder(epoch) }.into()),
    }
}

/// Whether nothing more becomes of a bundle. One that is missing may be shown by a party that is away, or that hears of the
/// chain later than this client.
fn is_decided(bundle: &BundleStatus) -> bool {
    use BundleState::{Missing, Open, Provisional};
    !matches!(bundle.state, Open | Provisional { .. } | Missing { .. })
}

/// The last epoch that a folder has something of.
fn last(dir: &Path) -> Option<EpochId> {
    let names = fs::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_prefix(EPOCH_FOLDER)?.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_epoch_is_the_highest_number() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(last(dir.path()), None);
        for name in ["epoch-9", "epoch-10", "epoch-x", "chain"] {
            fs::create_dir(dir.path().join(name)).expect("made");
        }
        assert_eq!(last(dir.path()), Some(EpochId(10)));
    }
}
