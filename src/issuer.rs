//! `cwe issuer`.

pub(crate) mod admission;
mod settings;

use crate::{
    cli::{Format, RunIssuer},
    files::FileError,
    node,
    output::{self, Failure},
    progress,
    stop::{self, STOP},
};
use chain::{
    Ledger,
    node::{Following, Mirror, Notice, RunError},
};
use engine::issuer::{
    CodesError, KeysError, OpenError, ReceiptIssuer, Record, ServiceError, Signs, Standing, TokenIssuer,
    codes,
    keys::{self, Purpose},
    serve,
};
use primitives::{Digest, EpochId};
use rand_core::OsRng;
use serde_json::json;
use settings::{Kind, Settings};
use sim::{progress::Stage, report::several};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, SystemTime},
};
use thiserror::Error;

/// How often the list of codes, and the chain, are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long its own node may take to have all blocks before it is looked whether this is to stop.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Why an issuer does not run, or a code is not made.
#[derive(Debug, Error)]
pub(crate) enum IssuerFailure {
    /// A file that it needs.
    #[error(transparent)]
    File(#[from] FileError),
    /// The list of codes.
    #[error(transparent)]
    Codes(#[from] CodesError),
    /// Its keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What it has on disk.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its own node.
    #[error("the issuer's own node: {0}")]
    Run(#[from] Box<RunError>),
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A code for what this issuer does not sign.
    #[error("{path}: an issuer of {signs}: give {flag}", path = .path.display())]
    OtherKind { path: PathBuf, signs: &'static str, flag: &'static str },
    /// The code of a file is on no list.
    #[error("{path}: the code in {file} is nobody's; its hash is {hash}", path = .path.display(), file = .file.display())]
    Nobodys { path: PathBuf, file: PathBuf, hash: Digest },
    /// A tier for which there are no keys.
    #[error("{path}: has no tier {tier}; its tiers are {tiers}", path = .path.display())]
    NoTier { path: PathBuf, tier: u8, tiers: String },
}

impl IssuerFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::Keys(KeysError::OnRecord { .. }) | Self::Open(OpenError::OtherKey { .. }) => 2,
            Self::Codes(CodesError::Unwritten { .. }) | Self::Keys(_) | Self::Open(_) => 3,
            Self::Run(error) if matches!(**error, RunError::Block { .. }) => 4,
            Self::Run(_) => 3,
            Self::Codes(_) | Self::OtherKind { .. } | Self::Nobodys { .. } | Self::NoTier { .. } => 2,
            Self::Service(ServiceError::Listen(_)) => 2,
            Self::Service(_) => 3,
        }
    }
}

/// Runs an issuer.
pub(crate) fn run(arguments: &RunIssuer) -> Result<(), Failure> {
    stop::heed_interrupts()?;
    let settings = Settings::read(&arguments.config).map_err(IssuerFailure::from)?;
    let start = node::read_start(&settings.genesis)?;
    let json = arguments.output == Format::Json;
    let mirror = Arc::new(follow(&settings, start, json)?);
    let ended = serve_until_stopped(arguments, &settings, &mirror);
    match Arc::into_inner(mirror) {
        // What stopped its node is what stopped the issuer.
        Some(mirror) if mirror.has_stopped() => {
            mirror.stop().map_err(|error| IssuerFailure::from(Box::new(error)))?
        }
        _ => {}
    }
    Ok(ended?)
}

/// Starts the issuer's own node.
fn follow(settings: &Settings, start: Ledger, json: bool) -> Result<Mirror, IssuerFailure> {
    let dir = settings.chain();
    fs::create_dir_all(&dir).map_err(|error| FileError::Unwritten { path: dir.clone(), error })?;
    let tell = move |notice: Notice| {
        if !matches!(notice, Notice::Block { .. }) {
            let line = node::line(&notice);
            say(json, &format!("its node: {line}"), &json!({ "event": "chain", "notice": line }));
        }
    };
    let following = Following { dir, start, url: settings.node.clone() };
    Ok(Mirror::start(following, tell).map_err(Box::new)?)
}

/// Waits until the issuer's own node has every block; whether it is to go on. One whose keys are all there goes on without
/// whoever it follows: what it knows by then is on its own disk.
fn catch_up(mirror: &Mirror, settings: &Settings, json: bool) -> bool {
    let is_needed = |purpose: &Purpose| mirror.standing(purpose.epoch()) != Standing::Over;
    let has_keys = || {
        let mut needed = settings.purposes().into_iter().filter(is_needed);
        needed.all(|purpose| keys::is_kept(&settings.keys(), purpose))
    };
    while !STOP.load(Ordering::Relaxed) && !mirror.has_stopped() {
        match mirror.catch_up(CATCH_UP) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) if has_keys() => {
                let height = mirror.head().height;
                let line = format!("{error}; goes on with what it knows, up to block {height}");
                say(
                    json,
                    &line,
                    &json!({ "event": "behind", "height": height, "reason": error.to_string() }),
                );
                return true;
            }
            // Keys are made when it is known which are on record. The node's own notices say what is waited for.
            Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
    false
}

fn serve_until_stopped(
    arguments: &RunIssuer,
    settings: &Settings,
    mirror: &Arc<Mirror>,
) -> Result<(), IssuerFailure> {
    let json = arguments.output == Format::Json;
    if !catch_up(mirror, settings, json) {
        return Ok(());
    }
    let progress = progress::choose(arguments.quiet);
    let purposes = settings.purposes();
    progress.begin(Stage::Keys, purposes.len() as u64);
    for purpose in purposes {
        keys::prepare(&settings.keys(), [purpose], &**mirror, &mut OsRng)?;
        progress.advance(Stage::Keys, 1);
        if STOP.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    progress.end(Stage::Keys);
    let mut seen = changed(&settings.codes);
    let (folder, codes, record) = (settings.keys(), &settings.codes, mirror.clone());
    let signs: Signs = match settings.signs {
        Kind::Tokens => TokenIssuer::open(&folder, codes::subscribers(codes)?, record)?.into(),
        Kind::Receipts => ReceiptIssuer::open(&folder, codes::serving(codes)?, record)?.into(),
    };
    for tail in signs.torn() {
        let bytes = several(tail.bytes, "byte", "bytes");
        let line = format!("a crash had left {bytes} of a request behind that was not answered, now cut off");
        say(json, &line, &json!({ "event": "torn", "bytes": tail.bytes }));
    }
    let running = serve(settings.listen, signs)?;
    let address = running.local_addr();
    say(
        json,
        &format!("signs {} at http://{address}", settings.signs.name()),
        &json!({
            "event": "started", "signs": settings.signs.name(), "listen": address,
        }),
    );
    let (epochs, mut open) = (settings.purposes(), None);
    // Without its node it would sign for an epoch that is long over.
    while !STOP.load(Ordering::Relaxed) && !mirror.has_stopped() {
        if running.has_ended() {
            return Ok(running.wait()?);
        }
        let now = changed(&settings.codes);
        if now != seen {
            seen = now;
            match read_again(settings, &running) {
                Ok(count) => say(
                    json,
                    &format!("{} may ask", several(count as u64, "code", "codes")),
                    &json!({
                        "event": "codes", "count": count,
                    }),
                ),
                // Those of before may go on asking.
                Err(error) => output::tell(&error.to_string(), None, 2, json),
            }
        }
        running.change(|signs| {
            for epoch in signs.forget() {
                let line = format!("epoch {epoch} is over: forgets what was signed in it");
                say(json, &line, &json!({ "event": "over", "epoch": epoch }));
            }
        });
        let is_open = |epoch: &EpochId| matches!(mirror.standing(*epoch), Standing::Open { .. });
        let now = epochs.iter().map(|purpose| purpose.epoch()).find(is_open);
        if let Some(epoch) = now.filter(|_| open != now) {
            say(
                json,
                &format!("epoch {epoch} is open: signs for it"),
                &json!({ "event": "open", "epoch": epoch }),
            );
        }
        open = now;
        thread::sleep(LOOK_EVERY);
    }
    running.stop()?;
    say(json, "stopped", &json!({ "event": "stopped" }));
    Ok(())
}

/// Reads the list of codes once more; how many there are.
fn read_again(settings: &Settings, running: &engine::issuer::Running) -> Result<usize, CodesError> {
    match settings.signs {
        Kind::Tokens => {
            let list = codes::subscribers(&settings.codes)?;
            let count = list.len();
            running.change(|signs| {
                if let Signs::Tokens(issuer) = signs {
                    issuer.admit(list);
                }
            });
            Ok(count)
        }
        Kind::Receipts => {
            let list = codes::serving(&settings.codes)?;
            let count = list.len();
            running.change(|signs| {
                if let Signs::Receipts(issuer) = signs {
                    issuer.admit(list);
                }
            });
            Ok(count)
        }
    }
}

/// When a file was last written, and how long it is: what changes with a list.
fn changed(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn say(json: bool, line: &str, object: &serde_json::Value) {
    // Whoever reads this may be gone; that is no reason to stop.
    drop(if json { output::print(&format!("{object}\n")) } else { output::print(&format!("{line}\n")) });
}
