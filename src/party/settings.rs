//! Settings of a party, from their file.

use crate::{node::read_start, output::Failure};
use engine::host::{HostError, HostSecret, Setup};
use primitives::{Digest, ids::from_hex};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// Longest file of settings.
const MAX_BYTES: u64 = 64 << 10;
/// Longest file of a secret: 64 digits and a line end, and room for one more.
const MAX_SECRET_BYTES: u64 = 67;
/// Most hosts whose addresses are known: more than any committee has.
const MAX_PEERS: usize = 16;
/// Shortest and longest window.
const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 1..=366 * 86_400;
/// Shortest and longest tick.
const TICK_MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=60_000;

/// Why a party does not run.
#[derive(Debug, Error)]
pub(crate) enum PartyError {
    /// The file of settings cannot be read.
    #[error("{path}: cannot be read: {error}", path = .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// The file of settings is none.
    #[error("{path}: {reason}", path = .path.display())]
    Settings { path: PathBuf, reason: String },
    /// The secret cannot be used. Never says what the file holds.
    #[error("{path}: {reason}", path = .path.display())]
    Secret { path: PathBuf, reason: String },
    /// It cannot start, or cannot go on.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl PartyError {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::Settings { .. } | Self::Secret { .. } => 2,
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
    let wrong = |reason: String| PartyError::Settings { path: path.into(), reason };
    let unreadable = |error| PartyError::Unreadable { path: path.into(), error };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)).map_err(unreadable)?;
    let settings: Settings = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let base = path.parent().unwrap_or(Path::new("."));
    let mut peers = BTreeMap::new();
    for (key, address) in settings.peers {
        let known = from_hex(&key).ok().and_then(|bytes| Some(Digest(bytes.try_into().ok()?)));
        let known = known.ok_or_else(|| {
            wrong(format!("peers.{key}: expected the key of another host, 64 hexadecimal digits"))
        })?;
        peers.insert(known, address);
    }
    bounded("the number of peers", peers.len(), 2..=MAX_PEERS).map_err(&wrong)?;
    bounded("window_seconds", settings.window_seconds, WINDOW_SECONDS).map_err(&wrong)?;
    bounded("tick_milliseconds", settings.tick_milliseconds, TICK_MILLISECONDS).map_err(&wrong)?;
    bounded("batch", settings.batch, 1..=primitives::limits::MAX_BATCH).map_err(&wrong)?;
    Ok(Setup {
        secret: read_secret(&base.join(settings.secret))?,
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

fn bounded<T: PartialOrd + std::fmt::Display>(
    name: &str,
    value: T,
    bounds: std::ops::RangeInclusive<T>,
) -> Result<(), String> {
    match bounds.contains(&value) {
        true => Ok(()),
        false => Err(format!("{name} is {value}, outside {} to {}", bounds.start(), bounds.end())),
    }
}

fn read_secret(path: &Path) -> Result<HostSecret, PartyError> {
    let refuse = |reason: String| PartyError::Secret { path: path.into(), reason };
    let file = File::open(path).map_err(|error| refuse(format!("the secret cannot be read: {error}")))?;
    crate::secret::check_mode(&file).map_err(&refuse)?;
    let mut text = zeroize::Zeroizing::new(String::new());
    let expected = || refuse("expected a secret of 64 hexadecimal digits, and nothing else".into());
    file.take(MAX_SECRET_BYTES).read_to_string(&mut text).map_err(|_| expected())?;
    let bytes = from_hex(text.trim()).map(zeroize::Zeroizing::new).map_err(|_| expected())?;
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| expected())?;
    Ok(HostSecret::from_bytes(bytes))
}
