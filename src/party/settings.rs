//! Settings of a party, from their file.

use crate::{
    node::{read_start, run_code},
    output::Failure,
};
use engine::{
    client::{LinkError, http::HttpError},
    host::{HostError, HostSecret, Setup},
    store::StoreError,
};
use primitives::{PartyId, ids::from_hex};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// Longest file of settings.
const MAX_BYTES: u64 = 64 << 10;
/// Longest file of a secret: 64 digits and a line end, and room for one more.
const MAX_SECRET_BYTES: u64 = 67;
/// Shortest and longest window.
const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 1..=366 * 86_400;
/// Shortest and longest tick.
const TICK_MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=60_000;

/// Why a party does not run, or a command about it does not.
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
    /// Neither settings nor an address.
    #[error("which party: give --config FILE or --url URL")]
    NoPlace,
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] HttpError),
    /// Nobody answers at the address of its API.
    #[error("{url}: {error}: start the party, or look where it listens (`api` in its settings)")]
    NoAnswer { url: String, error: LinkError },
    /// What answers there is no party.
    #[error("{url}/{path}: HTTP status {status}: this is not the API of a party")]
    NoParty { url: String, path: &'static str, status: u16 },
    /// The party is not well, and what was printed says why.
    #[error("the party is not well: {}", .0.join("; "))]
    Unwell(Vec<String>),
    /// The doctor found faults, and what was printed names them.
    #[error("{0}: what is printed above says what to do")]
    Faults(String),
    /// A store, or a copy of one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What would be dangerous.
    #[error("{0}")]
    Dangerous(String),
    /// The chain cannot be asked.
    #[error("the chain cannot be asked which epoch is in hand: {0}")]
    NoChain(String),
}

impl PartyError {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Unwell(_) | Self::Faults(_) => 1,
            Self::Unreadable { .. }
            | Self::Settings { .. }
            | Self::Secret { .. }
            | Self::Address(_)
            | Self::NoPlace
            | Self::Dangerous(_) => 2,
            Self::Host(HostError::Chain(error)) => run_code(error),
            // A restart mends nothing of it: whoever starts hosts again by themselves is not to.
            Self::Host(HostError::Store(error)) | Self::Store(error) if is_for_people(error) => 2,
            Self::Host(_) | Self::Store(_) => 3,
            Self::NoAnswer { .. } | Self::NoParty { .. } | Self::NoChain(_) => 3,
        }
    }
}

/// Whether a store stays as it is until somebody does something about it.
fn is_for_people(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::OthersMayRead { .. }
            | StoreError::OtherChain { .. }
            | StoreError::OtherGenesis { .. }
            | StoreError::OtherParty { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Copy { .. }
            | StoreError::NotACopy { .. }
            | StoreError::NotEmpty { .. }
            | StoreError::NoRecords { .. }
            | StoreError::Head { .. }
            | StoreError::Lost { .. }
    )
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    party: u8,
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
    /// How lines on standard error are written.
    #[serde(default)]
    log_format: LogFormat,
    peers: BTreeMap<String, String>,
    /// APIs of the other parties, whose clocks the doctor compares.
    #[serde(default)]
    peer_apis: BTreeMap<String, String>,
}

/// How lines on standard error are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings of a party, whose files have not been read.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) party: PartyId,
    pub(crate) dir: PathBuf,
    pub(crate) genesis: PathBuf,
    pub(crate) secret: PathBuf,
    pub(crate) node: String,
    pub(crate) links: SocketAddr,
    pub(crate) api: SocketAddr,
    pub(crate) log_format: LogFormat,
    pub(crate) peers: BTreeMap<PartyId, String>,
    pub(crate) peer_apis: BTreeMap<PartyId, String>,
    window: Duration,
    batch: usize,
    tick: Duration,
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

impl Settings {
    /// Reads the file of settings alone.
    pub(crate) fn read(path: &Path) -> Result<Self, PartyError> {
        let wrong = |reason: String| PartyError::Settings { path: path.into(), reason };
        let unreadable = |error| PartyError::Unreadable { path: path.into(), error };
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(unreadable)?;
        let file: SettingsFile = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        let number = file.party.to_string();
        let party = seat(&number).ok_or_else(|| wrong(format!("party is {number}, and is 1, 2 or 3")))?;
        let others = |table: &str, of: BTreeMap<String, String>| {
            let other = |(name, address): (String, String)| match seat(&name).filter(|peer| *peer != party) {
                Some(peer) => Ok((peer, address)),
                None => Err(format!("{table}.{name}: the peers are the two other parties")),
            };
            of.into_iter().map(other).collect::<Result<BTreeMap<_, _>, _>>()
        };
        let peers = others("peers", file.peers).map_err(&wrong)?;
        if peers.len() != 2 {
            return Err(wrong("peers: give the addresses of both other parties".into()));
        }
        bounded("window_seconds", file.window_seconds, WINDOW_SECONDS).map_err(&wrong)?;
        bounded("tick_milliseconds", file.tick_milliseconds, TICK_MILLISECONDS).map_err(&wrong)?;
        bounded("batch", file.batch, 1..=primitives::limits::MAX_BATCH).map_err(&wrong)?;
        Ok(Self {
            party,
            dir: base.join(file.dir),
            genesis: base.join(file.genesis),
            secret: base.join(file.secret),
            node: file.node,
            links: file.links,
            api: file.api,
            log_format: file.log_format,
            peers,
            peer_apis: others("peer_apis", file.peer_apis).map_err(&wrong)?,
            window: Duration::from_secs(file.window_seconds.into()),
            batch: file.batch,
            tick: Duration::from_millis(file.tick_milliseconds),
        })
    }

    /// Reads the files that they name.
    pub(crate) fn setup(self) -> Result<Setup, Failure> {
        Ok(Setup {
            party: self.party,
            secret: read_secret(&self.secret)?,
            dir: self.dir,
            start: read_start(&self.genesis)?,
            node: self.node,
            links: self.links,
            peers: self.peers,
            api: self.api,
            window: self.window,
            batch: self.batch,
            tick: self.tick,
        })
    }

    /// Address of its own API, as this machine reaches it.
    pub(crate) fn api_url(&self) -> String {
        let mut at = self.api;
        if at.ip().is_unspecified() {
            at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{at}")
    }
}

fn seat(number: &str) -> Option<PartyId> {
    PartyId::ALL.into_iter().find(|party| party.to_string() == number)
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

pub(crate) fn read_secret(path: &Path) -> Result<HostSecret, PartyError> {
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
