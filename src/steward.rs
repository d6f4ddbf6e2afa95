//! `cwe steward`.

mod abandon;
mod asking;
mod issuers;
mod settings;

pub(crate) use abandon::abandon;

use crate::{
    cli::{Format, RunSteward},
    files::FileError,
    output::{self, Failure},
    stop::{self, STOP},
};
use asking::Asking;
use chain::{
    Ledger,
    node::{ClientError, Following, Mirror, RunError},
    wallet::keyfile::KeyFileError,
};
use engine::{
    Office,
    host::steward::{Awaited, Service, ServiceError, Told},
};
use proofs::committee::CommitteeError;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::OsRng;
use serde_json::{Value, json};
use settings::{Pilot, Setup};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};
use thiserror::Error;

/// How long the steward's own node may take to have all blocks.
const FOLLOWING: Duration = Duration::from_secs(3_600);
/// How often the steward looks whether its own node runs.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a node that is away is left alone before it is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Why a steward does not run, or stops.
#[derive(Debug, Error)]
pub(crate) enum StewardFailure {
    /// A file that it needs.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A key that is nobody's on the chain.
    #[error("{path}: the key of no account on the chain: it is of another chain than the genesis", path = .path.display())]
    NoAccount { path: PathBuf },
    /// The members are no committee.
    #[error("the members are no committee: {0}: give the file of `cwe party keys` of each party once")]
    Committee(#[from] CommitteeError),
    /// Its own node.
    #[error("the steward's own node: {0}")]
    Run(#[from] Box<RunError>),
    /// The node that its own follows.
    #[error(transparent)]
    Node(#[from] Box<ClientError>),
    /// Its own node stopped, or does not have all blocks in time.
    #[error(
        "the steward's own node does not get to the chain's last block: start again, or delete its folder"
    )]
    Behind,
    /// The chain does not take what is due.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StewardFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::Key(_) | Self::NoAccount { .. } | Self::Committee(_) => 2,
            Self::Service(ServiceError::Terms { .. }) => 2,
            Self::Service(_) => 1,
            Self::Run(error) if matches!(**error, RunError::Block { .. }) => 4,
            Self::Run(_) | Self::Node(_) | Self::Behind => 3,
        }
    }
}

/// Runs a steward.
pub(crate) fn run(arguments: &RunSteward) -> Result<(), Failure> {
    let setup = settings::read(&arguments.config)?;
    stop::heed_interrupts()?;
    let json = arguments.output == Format::Json;
    let config = arguments.config.display();
    let tell = |told: Told| {
        let mut line = if json { format!("{}\n", object(&told)) } else { line(&told) };
        if let (Told::Overdue { epoch, .. }, false) = (&told, json) {
            line += &format!("    `cwe steward abandon --config {config} --epoch {epoch}` gives it up\n");
        }
        // Whoever reads this may be gone; that is no reason to stop.
        drop(output::print(&line));
    };
    Ok(serve(setup, &tell)?)
}

fn serve(setup: Setup, tell: &dyn Fn(Told)) -> Result<(), StewardFailure> {
    let following =
        Following { dir: setup.dir.join("chain"), start: setup.start.clone(), url: setup.node.clone() };
    std::fs::create_dir_all(&following.dir)
        .map_err(|error| FileError::Unwritten { path: following.dir.clone(), error })?;
    let mirror = Arc::new(Mirror::start(following, |_| ()).map_err(Box::new)?);
    if !catch_up(&mirror, tell)? {
        return Ok(());
    }
    let office = |(path, key): (PathBuf, chain::signature::SecretKey)| {
        let public = key.public_key();
        let holder = |ledger: &Ledger| {
            ledger.state().accounts.iter().find(|account| account.key == public).map(|account| account.owner)
        };
        match mirror.read(holder) {
            Some(person) => Ok(Office { person, key }),
            None => Err(StewardFailure::NoAccount { path }),
        }
    };
    let Setup { keys, members, patience, times, file, .. } = setup;
    let registrar = office(keys.registrar)?;
    let offices = (
        office(keys.steward)?,
        office(keys.treasurer)?,
        keys.auditors.into_iter().map(office).collect::<Result<_, _>>()?,
    );
    let registration = engine::host::steward::Registration::new(registrar, members, patience)?;
    // The machine's randomness hedges signatures; what they are of follows from the chain.
    let rng = ChaCha20Rng::from_rng(OsRng).expect("the machine has randomness");
    let mut service = Service::new(registration, offices, rng, times);
    let (port, source) =
        (Awaited::new(mirror.clone()), Pilot { file, mirror: mirror.clone(), asking: Asking::default() });
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !STOP.load(Ordering::Relaxed) {
                // A block was wrong, or the disk is: without its node the steward sees nothing any more.
                if mirror.has_stopped() {
                    STOP.store(true, Ordering::Relaxed);
                }
                thread::sleep(LOOK_EVERY);
            }
        });
        let ended = service.run(&port, &source, tell, &STOP);
        STOP.store(true, Ordering::Relaxed);
        ended
    });
    drop((port, source));
    if let Some(mirror) = Arc::into_inner(mirror) {
        mirror.stop().map_err(Box::new)?;
    }
    Ok(ended?)
}

/// Waits until the steward's own node has every block; whether it came to that.
fn catch_up(mirror: &Mirror, tell: &dyn Fn(Told)) -> Result<bool, StewardFailure> {
    let mut told = false;
    while !STOP.load(Ordering::Relaxed) {
        match mirror.catch_up(FOLLOWING) {
            Ok(true) => return Ok(true),
            Ok(false) => return Err(StewardFailure::Behind),
            Err(error @ ClientError::Unreachable { .. }) => {
                if !std::mem::replace(&mut told, true) {
                    tell(Told::Waits { what: error.to_string() });
                }
                thread::sleep(AGAIN);
            }
            Err(error) => return Err(Box::new(error).into()),
        }
    }
    Ok(false)
}

fn line(told: &Told) -> String {
    match told {
        Told::OnRecord { what } => format!("on record: {what}\n"),
        Told::Rests { seconds } => format!("rests {seconds} seconds before the next epoch\n"),
        Told::Waits { what } => format!("waits: {what}\n"),
        Told::Epoch { epoch } => format!("epoch {epoch}\n"),
        Told::Open { epoch } => format!("epoch {epoch} is open\n"),
        Told::Over { epoch, settled: true } => format!("epoch {epoch} is settled\n"),
        Told::Over { epoch, settled: false } => format!("epoch {epoch} was given up\n"),
        Told::Overdue { epoch, seconds } => format!(
            "epoch {epoch} is overdue: its window is over, and for {seconds} seconds nothing of it has come on record; \
             unless its parties go on it has to be given up, which nobody takes back:\n"
        ),
        Told::Refused { reason } => format!("refused, and tried again: {reason}\n"),
    }
}

fn object(told: &Told) -> Value {
    match told {
        Told::OnRecord { what } => json!({ "event": "on-record", "what": what }),
        Told::Rests { seconds } => json!({ "event": "rests", "seconds": seconds }),
        Told::Waits { what } => json!({ "event": "waits", "for": what }),
        Told::Epoch { epoch } => json!({ "event": "epoch", "epoch": epoch }),
        Told::Open { epoch } => json!({ "event": "open", "epoch": epoch }),
        Told::Over { epoch, settled } => json!({ "event": "over", "epoch": epoch, "settled": settled }),
        Told::Overdue { epoch, seconds } => json!({ "event": "overdue", "epoch": epoch, "seconds": seconds }),
        Told::Refused { reason } => json!({ "event": "refused", "reason": reason }),
    }
}
