//! Settings of a party, from their file.

use crate::{
    files::{self, FileError, bounded},
    node::{read_start, run_code},
    output::Failure,
};
use chain::{
    signature::{PublicKey, SecretKey},
    wallet::keyfile,
};
use engine::{
    client::{LinkError, http::HttpError},
    host::{HostError, HostSecret, Setup},
    store::StoreError,
};
use primitives::{Digest, ids::from_hex};
use rand_core::OsRng;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Most hosts whose addresses are known: more than any committee has.
const MAX_PEERS: usize = 16;
/// Most proxies in front of an API.
const MAX_PROXIES: usize = 16;
/// Shortest and longest window.
const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 1..=366 * 86_400;
/// Shortest and longest tick.
const TICK_MILLISECONDS: std::ops::RangeInclusive<u64> = 10..=60_000;

/// Why a party does not run, or a command about it does not.
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
    #[error("the party is not well: what is printed above says why")]
    Unwell,
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
            Self::Unwell | Self::Faults(_) => 1,
            Self::File(error) => error.code(),
            Self::NoOperator { .. } | Self::Address(_) | Self::NoPlace | Self::Dangerous(_) => 2,
            Self::Host(HostError::Chain(error)) => run_code(error),
            Self::Host(HostError::OtherSeat { .. }) => 2,
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
            | StoreError::InUse { .. }
            | StoreError::OtherChain { .. }
            | StoreError::OtherGenesis { .. }
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
    #[serde(default = "default_dir")]
    dir: PathBuf,
    genesis: PathBuf,
    secret: PathBuf,
    operator: Option<PathBuf>,
    node: String,
    links: SocketAddr,
    api: SocketAddr,
    /// Addresses of proxies in front of the API on other machines.
    #[serde(default)]
    proxies: Vec<IpAddr>,
    window_seconds: u32,
    #[serde(default = "default_batch")]
    batch: usize,
    #[serde(default = "default_tick")]
    tick_milliseconds: u64,
    /// How lines on standard error are written.
    #[serde(default)]
    log_format: LogFormat,
    /// Where other hosts take links, by their keys.
    peers: BTreeMap<String, String>,
    /// APIs of other hosts by the same keys, whose clocks the doctor compares.
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

/// Settings of a host, whose files have not been read.
#[derive(Debug)]
pub(crate) struct Settings {
    path: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) genesis: PathBuf,
    pub(crate) secret: PathBuf,
    operator: Option<PathBuf>,
    pub(crate) node: String,
    pub(crate) links: SocketAddr,
    pub(crate) api: SocketAddr,
    pub(crate) log_format: LogFormat,
    pub(crate) peers: BTreeMap<Digest, String>,
    pub(crate) peer_apis: BTreeMap<Digest, String>,
    proxies: Vec<IpAddr>,
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
        let (file, base) = files::settings::<SettingsFile>(path)?;
        let by_key = |table: &str, of: BTreeMap<String, String>| {
            let known = |(key, address): (String, String)| {
                let bytes = from_hex(&key).ok().and_then(|bytes| bytes.try_into().ok());
                let wrong =
                    || format!("{table}.{key}: expected the key of another host, 64 hexadecimal digits");
                bytes.map(|bytes| (Digest(bytes), address)).ok_or_else(wrong)
            };
            let known = of.into_iter().map(known).collect::<Result<BTreeMap<_, _>, _>>();
            known.map_err(|reason| FileError::wrong(path, reason))
        };
        let (peers, peer_apis) = (by_key("peers", file.peers)?, by_key("peer_apis", file.peer_apis)?);
        bounded(path, "the number of peers", peers.len(), 2..=MAX_PEERS)?;
        bounded(path, "the number of proxies", file.proxies.len(), 0..=MAX_PROXIES)?;
        bounded(path, "window_seconds", file.window_seconds, WINDOW_SECONDS)?;
        bounded(path, "tick_milliseconds", file.tick_milliseconds, TICK_MILLISECONDS)?;
        bounded(path, "batch", file.batch, 1..=primitives::limits::MAX_BATCH)?;
        Ok(Self {
            path: path.into(),
            dir: base.join(file.dir),
            genesis: base.join(file.genesis),
            secret: base.join(file.secret),
            operator: file.operator.map(|operator| base.join(operator)),
            node: file.node,
            links: file.links,
            api: file.api,
            log_format: file.log_format,
            peers,
            peer_apis,
            proxies: file.proxies,
            window: Duration::from_secs(file.window_seconds.into()),
            batch: file.batch,
            tick: Duration::from_millis(file.tick_milliseconds),
        })
    }

    /// Reads the files that they name.
    pub(crate) fn setup(self) -> Result<Setup, Failure> {
        Ok(Setup {
            secret: read_secret(&self.secret).map_err(PartyError::from)?,
            dir: self.dir,
            start: read_start(&self.genesis)?,
            node: self.node,
            links: self.links,
            peers: self.peers,
            api: self.api,
            proxies: self.proxies,
            window: self.window,
            batch: self.batch,
            tick: self.tick,
        })
    }

    /// What the host gives away for the record, from its secrets.
    pub(crate) fn member(self) -> Result<(HostSecret, PublicKey), Failure> {
        let operator = self.operator.ok_or(PartyError::NoOperator { path: self.path })?;
        let secret = read_secret(&self.secret).map_err(PartyError::from)?;
        if !operator.exists() {
            // Whoever makes its own secret makes its own account too.
            keyfile::write(&operator, &SecretKey::generate(&mut OsRng))
                .map_err(crate::node::NodeFailure::from)?;
            eprintln!("{}: there was none, and a fresh key is in it now: keep a copy", operator.display());
        }
        let operator = keyfile::read(&operator).map_err(crate::node::NodeFailure::from)?;
        Ok((secret, operator.public_key()))
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

pub(crate) fn read_secret(path: &Path) -> Result<HostSecret, FileError> {
    let digits = files::secret(path)?;
    let bytes = Zeroizing::new(from_hex(&digits).expect("only digits are read"));
    Ok(HostSecret::from_bytes(bytes.as_slice().try_into().expect("64 digits are 32 bytes")))
}
