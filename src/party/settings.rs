//! Settings of a party, from their file.

use crate::{
    files::{self, FileError, bounded},
    node::read_start,
    output::Failure,
};
use chain::{signature::PublicKey, wallet::keyfile};
use engine::host::{HostError, HostSecret, Setup};
use primitives::{PartyId, ids::from_hex};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use zeroize::Zeroizing;

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
    party: u8,
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
    let party = seat(path, settings.party).map_err(PartyError::from)?;
    let mut peers = BTreeMap::new();
    for (name, address) in settings.peers {
        let peer = PartyId::ALL.into_iter().find(|peer| peer.to_string() == name && *peer != party);
        let peer = peer.ok_or_else(|| wrong(format!("peers.{name}: the peers are the two other parties")))?;
        peers.insert(peer, address);
    }
    if peers.len() != 2 {
        return Err(wrong("peers: give the addresses of both other parties".into()).into());
    }
    let bounds = || {
        bounded(path, "window_seconds", settings.window_seconds, WINDOW_SECONDS)?;
        bounded(path, "tick_milliseconds", settings.tick_milliseconds, TICK_MILLISECONDS)?;
        bounded(path, "batch", settings.batch, 1..=primitives::limits::MAX_BATCH)
    };
    bounds().map_err(PartyError::from)?;
    Ok(Setup {
        party,
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

/// What a party gives away for the record, from its secrets.
pub(super) fn member(path: &Path) -> Result<(PartyId, HostSecret, PublicKey), Failure> {
    let (settings, base) = files::settings::<Settings>(path).map_err(PartyError::from)?;
    let party = seat(path, settings.party).map_err(PartyError::from)?;
    let operator = settings.operator.ok_or_else(|| PartyError::NoOperator { path: path.into() })?;
    let operator = keyfile::read(&base.join(operator)).map_err(crate::node::NodeFailure::from)?;
    let secret = read_secret(&base.join(settings.secret)).map_err(PartyError::from)?;
    Ok((party, secret, operator.public_key()))
}

fn seat(path: &Path, number: u8) -> Result<PartyId, FileError> {
    let wrong = |_| FileError::wrong(path, format!("party is {number}, and is 1, 2 or 3"));
    PartyId::try_from(number).map_err(wrong)
}

fn read_secret(path: &Path) -> Result<HostSecret, FileError> {
    let digits = files::secret(path)?;
    let bytes = Zeroizing::new(from_hex(&digits).expect("only digits are read"));
    Ok(HostSecret::from_bytes(bytes.as_slice().try_into().expect("64 digits are 32 bytes")))
}
