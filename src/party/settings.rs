//! Settings of a party, from their file.

use crate::{
    files::{self, FileError, bounded},
    node::read_start,
    output::Failure,
};
use chain::{signature::PublicKey, wallet::keyfile};
use engine::host::{HostError, HostSecret, Setup};
use primitives::{Digest, ids::from_hex};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Most hosts whose addresses are known: more than any committee has.
const MAX_PEERS: usize = 16;
/// Shortest and longest window.
const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 1..=366 * 86_400;
/// Shortest and longest tick.
const TICK_MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=60_000;

/// Why a party does not run.
#[derive(Debug, Error)]
pub(crate) enum PartyError {
    /// A file that it needs.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no account of whoever runs it.
    #[error("{path}: names no `operator`: give the file with the key of the account that is paid for running this party",
        path = .path.display())]
    NoOperator { path: PathBuf },
    /// It cannot start, or cannot go on.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl PartyError {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::NoOperator { .. } => 2,
            Self::Host(_) => 3,
        }
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default = "default_dir")]
    dir: PathBuf,
    genesis: PathBuf,
    secret: PathBuf,
    operator: Option<PathBuf>,
    node: String,
    links: SocketAddr,
    api: SocketAddr,
    window_seconds: u32,
    #[serde(default = "default_batch")]
    batch: usize,
    #[serde(default = "default_tick")]
    tick_milliseconds: u64,
    /// Addresses by key.
    peers: BTreeMap<String, String>,
}

fn default_dir() -> PathBuf {
    "data".into()
}

fn default_batch() -> usize {
    sim::demo::DEFAULT_BATCH
}

fn default_tick() -> u64 {
    1_000
}

/// Reads the settings, and the files that they name.
pub(super) fn read(path: &Path) -> Result<Setup, Failure> {
    let (settings, base) = files::settings::<Settings>(path).map_err(PartyError::from)?;
    let wrong = |reason: String| PartyError::from(FileError::wrong(path, reason));
    let mut peers = BTreeMap::new();
    for (key, address) in settings.peers {
        let known = from_hex(&key).ok().and_then(|bytes| Some(Digest(bytes.try_into().ok()?)));
        let known = known.ok_or_else(|| {
            wrong(format!("peers.{key}: expected the key of another host, 64 hexadecimal digits"))
        })?;
        peers.insert(known, address);
    }
    let bounds = || {
        bounded(path, "the number of peers", peers.len(), 2..=MAX_PEERS)?;
        bounded(path, "window_seconds", settings.window_seconds, WINDOW_SECONDS)?;
        bounded(path, "tick_milliseconds", settings.tick_milliseconds, TICK_MILLISECONDS)?;
        bounded(path, "batch", settings.batch, 1..=primitives::limits::MAX_BATCH)
    };
    bounds().map_err(PartyError::from)?;
    Ok(Setup {
        secret: read_secret(&base.join(settings.secret)).map_err(PartyError::from)?,
        dir: base.join(settings.dir),
        start: read_start(&base.join(settings.genesis))?,
        node: settings.node,
        links: settings.links,
        peers,
        api: settings.api,
        window: Duration::from_secs(settings.window_seconds.into()),
        batch: settings.batch,
        tick: Duration::from_millis(settings.tick_milliseconds),
    })
}

/// What a host gives away for the record, from its secrets.
pub(super) fn member(path: &Path) -> Result<(HostSecret, PublicKey), Failure> {
    let (settings, base) = files::settings::<Settings>(path).map_err(PartyError::from)?;
    let operator = settings.operator.ok_or_else(|| PartyError::NoOperator { path: path.into() })?;
    let operator = keyfile::read(&base.join(operator)).map_err(crate::node::NodeFailure::from)?;
    let secret = read_secret(&base.join(settings.secret)).map_err(PartyError::from)?;
    Ok((secret, operator.public_key()))
}

fn read_secret(path: &Path) -> Result<HostSecret, FileError> {
    let digits = files::secret(path)?;
    let bytes = Zeroizing::new(from_hex(&digits).expect("only digits are read"));
    Ok(HostSecret::from_bytes(bytes.as_slice().try_into().expect("64 digits are 32 bytes")))
}
