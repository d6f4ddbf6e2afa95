//! `cwe issuer`.

mod settings;

use crate::{
    cli::{Format, MakeCode, RunIssuer},
    files::{self, FileError},
    output::{self, Failure, facts},
    progress,
    stop::{self, STOP},
};
use engine::issuer::{
    Code, CodesError, KeysError, OpenError, ReceiptIssuer, ServiceError, Serving, Signs, Subscriber,
    TokenIssuer, codes, keys, serve,
};
use rand_core::OsRng;
use serde_json::json;
use settings::{Kind, Settings};
use sim::{progress::Stage, report::several};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    thread,
    time::{Duration, SystemTime},
};
use thiserror::Error;

/// How often the list of codes is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

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
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A code for what this issuer does not sign.
    #[error("{path}: an issuer of {signs}: give {flag}", path = .path.display())]
    OtherKind { path: PathBuf, signs: &'static str, flag: &'static str },
    /// A tier for which there are no keys.
    #[error("{path}: has no tier {tier}; its tiers are {tiers}", path = .path.display())]
    NoTier { path: PathBuf, tier: u8, tiers: String },
}

impl IssuerFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::Codes(CodesError::Unwritten { .. }) | Self::Keys(_) | Self::Open(_) => 3,
            Self::Codes(_) | Self::OtherKind { .. } | Self::NoTier { .. } => 2,
            Self::Service(ServiceError::Listen(_)) => 2,
            Self::Service(_) => 3,
        }
    }
}

/// Runs an issuer.
pub(crate) fn run(arguments: &RunIssuer) -> Result<(), Failure> {
    stop::heed_interrupts()?;
    Ok(serve_until_stopped(arguments)?)
}

fn serve_until_stopped(arguments: &RunIssuer) -> Result<(), IssuerFailure> {
    let settings = Settings::read(&arguments.config)?;
    let progress = progress::choose(arguments.quiet);
    let purposes = settings.purposes();
    progress.begin(Stage::Keys, purposes.len() as u64);
    for purpose in purposes {
        keys::prepare(&settings.keys(), [purpose], &mut OsRng)?;
        progress.advance(Stage::Keys, 1);
        if STOP.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    progress.end(Stage::Keys);
    let mut seen = changed(&settings.codes);
    let signs: Signs = match settings.signs {
        Kind::Tokens => TokenIssuer::open(&settings.keys(), codes::subscribers(&settings.codes)?)?.into(),
        Kind::Receipts => ReceiptIssuer::open(&settings.keys(), codes::serving(&settings.codes)?)?.into(),
    };
    let running = serve(settings.listen, signs)?;
    let (json, address) = (arguments.output == Format::Json, running.local_addr());
    say(
        json,
        &format!("signs {} at http://{address}", settings.signs.name()),
        &json!({
            "event": "started", "signs": settings.signs.name(), "listen": address,
        }),
    );
    while !STOP.load(Ordering::Relaxed) {
        if running.has_ended() {
            return Ok(running.wait()?);
        }
        let now = changed(&settings.codes);
        if now != seen {
            seen = now;
            match read_again(&settings, &running) {
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

/// Makes a code.
pub(crate) fn code(arguments: &MakeCode) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config).map_err(IssuerFailure::from)?;
    let code = Code::generate(&mut OsRng);
    if let Some(path) = &arguments.out {
        files::write_secret(path, code.reveal()).map_err(IssuerFailure::from)?;
    }
    if let Err(error) = add(&settings, arguments, &code) {
        // A code that is on no list is nobody's.
        arguments.out.iter().for_each(|path| drop(fs::remove_file(path)));
        return Err(error.into());
    }
    let whom = match arguments.tier {
        Some(tier) => format!("tier {tier}"),
        None => format!("{} views an epoch", arguments.views.unwrap_or_default()),
    };
    match (arguments.output, &arguments.out) {
        (Format::Json, out) => {
            let shown = out.is_none().then(|| code.reveal());
            output::json(&json!({
                "code": shown, "hash": code.hash(), "file": out, "codes": settings.codes,
                "tier": arguments.tier, "views": arguments.views,
            }))
        }
        (Format::Table, Some(path)) => output::print(&facts(&[
            ["code".into(), format!("in {}", path.display())],
            ["for".into(), whom],
            ["list".into(), settings.codes.display().to_string()],
        ])),
        (Format::Table, None) => output::print(&format!("{}\n", code.reveal())),
    }
}

/// Puts the hash of a code on the list.
fn add(settings: &Settings, arguments: &MakeCode, code: &Code) -> Result<(), IssuerFailure> {
    let other = |flag| IssuerFailure::OtherKind {
        path: arguments.config.clone(),
        signs: settings.signs.name(),
        flag,
    };
    match settings.signs {
        Kind::Tokens => {
            let tier = arguments.tier().ok_or_else(|| other("--tier"))?;
            if !settings.tiers.contains(&tier) {
                let tiers: Vec<String> = settings.tiers.iter().map(ToString::to_string).collect();
                let (path, tiers) = (arguments.config.clone(), tiers.join(", "));
                return Err(IssuerFailure::NoTier { path, tier: tier.0, tiers });
            }
            codes::add_subscriber(&settings.codes, Subscriber { code: code.hash(), tier })?;
        }
        Kind::Receipts => {
            let views = arguments.views.ok_or_else(|| other("--views"))?;
            codes::add_serving(&settings.codes, Serving { code: code.hash(), views })?;
        }
    }
    Ok(())
}
