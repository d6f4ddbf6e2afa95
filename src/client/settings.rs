//! Settings of a client, from their file.

use super::ClientFailure;
use crate::{
    cli::Whose,
    files::{self, FileError},
    node::read_start,
    output::Failure,
};
use chain::Ledger;
use engine::client::{
    Patience, Settings as Own,
    http::{Circuits, HttpParties, HttpSigners},
};
use primitives::{Region, RegionTag, Tier};
use rand_core::OsRng;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Window of the epoch that bundles name. All clients name the same: it says nothing of whose a bundle is.
const WINDOW: u16 = 0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counter {
    url: String,
    code: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backing {
    region: Region,
    url: String,
    code: PathBuf,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    genesis: PathBuf,
    node: String,
    parties: [String; 3],
    tier: Tier,
    #[serde(default = "default_dir")]
    dir: PathBuf,
    /// Proxy through which parties and issuers are spoken to.
    proxy: Option<String>,
    /// Longest time to wait before the first bundle.
    #[serde(default)]
    delay_seconds: u32,
    tokens: Counter,
    receipts: Option<Backing>,
}

fn default_dir() -> PathBuf {
    "data".into()
}

/// What a client needs.
pub(super) struct Setup {
    pub(super) dir: PathBuf,
    pub(super) start: Ledger,
    pub(super) node: String,
    pub(super) parties: HttpParties,
    pub(super) signers: HttpSigners,
    pub(super) own: Own,
}

/// Reads the settings, and the files that they name.
pub(super) fn read(whose: &Whose) -> Result<Setup, Failure> {
    let path = &whose.config;
    let (settings, base) = files::settings::<Settings>(path).map_err(ClientFailure::from)?;
    let code = |path| files::secret(&base.join(path)).map_err(ClientFailure::from);
    let wrong = |error: engine::client::http::HttpError| ClientFailure::from(FileError::wrong(path, error));
    let [first, second, third] = settings.parties.each_ref().map(String::as_str);
    let token = code(settings.tokens.code)?;
    let (region, backing) = match settings.receipts {
        Some(Backing { region, url, code: file }) => (RegionTag(Some(region)), Some((url, code(file)?))),
        None => (RegionTag::NONE, None),
    };
    let circuits = settings.proxy.map(|url| Circuits::new(&url, &mut OsRng)).transpose().map_err(wrong)?;
    let circuits = circuits.as_ref();
    let receipts = backing.as_ref().map(|(url, code)| (url.as_str(), code.as_str()));
    let parties = HttpParties::through([first, second, third], circuits).map_err(wrong)?;
    let signers = HttpSigners::through((&settings.tokens.url, &token), receipts, circuits).map_err(wrong)?;
    Ok(Setup {
        dir: whose.dir.clone().unwrap_or_else(|| base.join(settings.dir)),
        start: read_start(&base.join(settings.genesis))?,
        node: settings.node,
        parties,
        signers,
        own: Own {
            tier: settings.tier,
            region,
            window: WINDOW,
            delay: Duration::from_secs(settings.delay_seconds.into()),
            patience: Patience::default(),
        },
    })
}
