//! Settings of a steward, from their file.

use super::{
    StewardFailure,
    asking::Asking,
    issuers::{self, Issuer},
};
use crate::{
    files::{self, FileError, bounded},
    node::read_start,
    output::Failure,
};
use chain::{Ledger, modules::usage::PublishKeys, node::Mirror, signature::SecretKey, wallet::keyfile};
use engine::host::steward::{MemberFile, Source, Terms, Times};
use primitives::{ChainId, Credits, EpochId, Tier, limits, params::TierTerms};
use serde::Deserialize;
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Longest file of a member.
const MAX_MEMBER_BYTES: u64 = 4 << 10;
/// Shortest and longest window, as for a party.
const WINDOW_SECONDS: RangeInclusive<u32> = 1..=366 * 86_400;
/// Shortest and longest time between two epochs.
const REST_SECONDS: RangeInclusive<u32> = 0..=30 * 86_400;
/// Shortest and longest patience with a party that reveals nothing.
const BEACON_SECONDS: RangeInclusive<u32> = 1..=7 * 86_400;
/// Highest price and most subscriptions, whose product is a sum of money.
const MAX_PRICE: u64 = 1 << 31;
const MAX_SOLD: u64 = 1 << 30;

/// One in units of a value cap.
const ONE_VIEW: u64 = 1 << 18;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFiles {
    registrar: PathBuf,
    steward: PathBuf,
    treasurer: PathBuf,
    auditors: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierOnSale {
    tier: Tier,
    price: u64,
    max_bundles: u16,
    value_cap_views: Option<u32>,
    sold: u64,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    genesis: PathBuf,
    node: String,
    #[serde(default = "default_dir")]
    dir: PathBuf,
    members: [PathBuf; 3],
    standby: Option<PathBuf>,
    shard_width: u16,
    window_seconds: u32,
    rest_seconds: u32,
    beacon_patience_seconds: u32,
    seat_patience_seconds: u32,
    keys: KeyFiles,
    issuers: Vec<Issuer>,
    tiers: Vec<TierOnSale>,
}

fn default_dir() -> PathBuf {
    "data".into()
}

/// A key, and the file that it is from.
type FromFile = (PathBuf, SecretKey);

/// Keys of the offices.
pub(super) struct Keys {
    pub(super) registrar: FromFile,
    pub(super) steward: FromFile,
    pub(super) treasurer: FromFile,
    pub(super) auditors: Vec<FromFile>,
}

/// What a steward needs.
pub(super) struct Setup {
    pub(super) dir: PathBuf,
    pub(super) start: Ledger,
    pub(super) node: String,
    pub(super) keys: Keys,
    /// The parties, in order of seat, and who stands by.
    pub(super) members: ([MemberFile; 3], Option<MemberFile>),
    /// Seconds of silence after which a party may lose its seat, and for which its commitment to the beacon is waited for.
    pub(super) patience: u32,
    pub(super) times: Times,
    /// The file itself, from which terms and issuers are read again.
    pub(super) file: PathBuf,
}

/// Where the steward of a pilot has from what is not on the chain: terms from its file, keys from the issuers.
pub(super) struct Pilot {
    pub(super) file: PathBuf,
    pub(super) mirror: Arc<Mirror>,
    pub(super) asking: Asking,
}

/// Reads the settings, and the files that they name.
pub(super) fn read(path: &Path) -> Result<Setup, Failure> {
    let settings = checked(path).map_err(StewardFailure::from)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let key = |file: &PathBuf| {
        let file = base.join(file);
        keyfile::read(&file).map(|key| (file, key)).map_err(StewardFailure::from)
    };
    let KeyFiles { registrar, steward, treasurer, auditors } = &settings.keys;
    let keys = Keys {
        registrar: key(registrar)?,
        steward: key(steward)?,
        treasurer: key(treasurer)?,
        auditors: auditors.iter().map(key).collect::<Result<_, _>>()?,
    };
    let member = |path: &PathBuf| member(&base.join(path));
    let [one, two, three] = &settings.members;
    let standby = settings.standby.as_ref().map(member).transpose()?;
    let members = ([member(one)?, member(two)?, member(three)?], standby);
    Ok(Setup {
        dir: base.join(settings.dir),
        start: read_start(&base.join(settings.genesis))?,
        node: settings.node,
        keys,
        members,
        patience: settings.seat_patience_seconds,
        times: Times {
            window: Duration::from_secs(settings.window_seconds.into()),
            rest: Duration::from_secs(settings.rest_seconds.into()),
            beacon_patience: Duration::from_secs(settings.beacon_patience_seconds.into()),
        },
        file: path.into(),
    })
}

/// The steward alone, for what it signs beside the epochs that it runs.
pub(super) struct Alone {
    pub(super) chain: ChainId,
    pub(super) node: String,
    pub(super) key: SecretKey,
    pub(super) key_file: PathBuf,
}

/// Reads of the settings what the steward's own signature needs.
pub(super) fn steward(path: &Path) -> Result<Alone, Failure> {
    let settings = checked(path).map_err(StewardFailure::from)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let key_file = base.join(&settings.keys.steward);
    let key = keyfile::read(&key_file).map_err(StewardFailure::from)?;
    let chain = read_start(&base.join(settings.genesis))?.origin().chain;
    Ok(Alone { chain, node: settings.node, key, key_file })
}

fn member(path: &Path) -> Result<MemberFile, StewardFailure> {
    let text = files::text(path, MAX_MEMBER_BYTES)?;
    Ok(serde_json::from_str(&text).map_err(|error| FileError::wrong(path, error))?)
}

/// Reads the file, and checks what needs nothing else.
fn checked(path: &Path) -> Result<Settings, FileError> {
    let (settings, _) = files::settings::<Settings>(path)?;
    bounded(path, "window_seconds", settings.window_seconds, WINDOW_SECONDS)?;
    bounded(path, "rest_seconds", settings.rest_seconds, REST_SECONDS)?;
    bounded(path, "beacon_patience_seconds", settings.beacon_patience_seconds, BEACON_SECONDS)?;
    let seat = settings.seat_patience_seconds;
    bounded(path, "seat_patience_seconds", seat, 1..=limits::MAX_SEAT_PATIENCE)?;
    let width = usize::from(settings.shard_width);
    bounded(path, "shard_width", width, limits::MIN_SHARD_WIDTH..=limits::MAX_SHARD_WIDTH)?;
    bounded(path, "the number of tiers", settings.tiers.len(), 1..=limits::MAX_TIERS)?;
    for of in &settings.tiers {
        let tier = of.tier;
        bounded(path, &format!("price of tier {tier}"), of.price, 0..=MAX_PRICE)?;
        bounded(path, &format!("sold of tier {tier}"), of.sold, 0..=MAX_SOLD)?;
        bounded(path, &format!("max_bundles of tier {tier}"), of.max_bundles, 1..=u16::MAX)?;
    }
    let sold = settings.tiers.iter().map(|of| of.tier);
    issuers::check(&settings.issuers, sold).map_err(|what| FileError::wrong(path, what))?;
    match settings.tiers.is_sorted_by(|a, b| a.tier < b.tier) {
        true => Ok(settings),
        false => Err(FileError::wrong(path, "tiers: each once, by ascending number")),
    }
}

impl Source for Pilot {
    fn terms(&self, epoch: EpochId) -> Result<Terms, String> {
        let settings = checked(&self.file).map_err(|error| error.to_string())?;
        let most = self.mirror.read(|ledger| ledger.state().version_of(epoch).params.value_cap);
        let terms = |of: &TierOnSale| TierTerms {
            tier: of.tier,
            price: Credits(of.price),
            max_bundles: of.max_bundles,
            value_cap: of.value_cap_views.map_or(most, |views| (u64::from(views) * ONE_VIEW).min(most)),
        };
        Ok(Terms {
            tiers: settings.tiers.iter().map(terms).collect(),
            sales: settings.tiers.iter().map(|of| (of.tier, of.sold)).collect(),
            shard_width: settings.shard_width,
        })
    }

    fn keys(&self, epoch: EpochId) -> Result<PublishKeys, String> {
        let settings = checked(&self.file).map_err(|error| error.to_string())?;
        self.asking.keys(epoch, settings.issuers, |issuers, answers| {
            self.mirror.read(|ledger| {
                let at = (ledger.origin().chain, epoch);
                issuers::keys(issuers, answers, at, &ledger.state().keys_on_record())
            })
        })
    }
}
