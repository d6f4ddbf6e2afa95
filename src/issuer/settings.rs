//! Settings of an issuer, from their file.

use crate::files::{self, FileError, bounded};
use engine::issuer::keys::Purpose;
use primitives::{EpochId, Region, Tier, limits};
use proofs::receipt::Denomination;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Fewest and most epochs for which keys are made ahead: five years of months. Each has a file for every key.
const EPOCHS: RangeInclusive<u64> = 1..=60;
/// First epochs that there may be, so that no sum overflows.
const FIRST_EPOCHS: RangeInclusive<u64> = 0..=1 << 32;

/// What an issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Tokens,
    Receipts,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Receipts => "receipts",
        }
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) genesis: PathBuf,
    pub(super) node: String,
    pub(super) signs: Kind,
    #[serde(default = "default_dir")]
    dir: PathBuf,
    pub(super) codes: PathBuf,
    pub(super) listen: SocketAddr,
    #[serde(default)]
    pub(super) tiers: BTreeSet<Tier>,
    #[serde(default)]
    regions: BTreeSet<Region>,
    first_epoch: u64,
    epochs: u64,
}

fn default_dir() -> PathBuf {
    "data".into()
}

impl Settings {
    /// Reads the file. Paths in it are made relative to where this program was started.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let (mut settings, base) = files::settings::<Self>(path)?;
        settings.dir = base.join(settings.dir);
        settings.codes = base.join(settings.codes);
        settings.genesis = base.join(settings.genesis);
        bounded(path, "epochs", settings.epochs, EPOCHS)?;
        bounded(path, "first_epoch", settings.first_epoch, FIRST_EPOCHS)?;
        let (needed, other, what) = match settings.signs {
            Kind::Tokens => (settings.tiers.len(), settings.regions.len(), ["tiers", "regions"]),
            Kind::Receipts => (settings.regions.len(), settings.tiers.len(), ["regions", "tiers"]),
        };
        let [own, others] = what;
        if other > 0 {
            let signs = settings.signs.name();
            return Err(FileError::wrong(path, format!("{others}: an issuer of {signs} has none")));
        }
        bounded(path, &format!("the number of {own}"), needed, 1..=limits::MAX_TIERS)?;
        Ok(settings)
    }

    /// The folder of its keys and answers.
    pub(super) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The folder of its own node.
    pub(super) fn chain(&self) -> PathBuf {
        self.dir.join("chain")
    }

    /// What it has keys for, the first epoch first.
    pub(super) fn purposes(&self) -> Vec<Purpose> {
        let epochs = (self.first_epoch..self.first_epoch + self.epochs).map(EpochId);
        epochs
            .flat_map(|epoch| {
                let tokens = self.tiers.iter().map(move |tier| Purpose::Token(epoch, *tier));
                let receipts = self.regions.iter().flat_map(move |region| {
                    Denomination::all().map(move |of| Purpose::Receipt(epoch, *region, of))
                });
                tokens.chain(receipts)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, FileError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("issuer.toml");
        std::fs::write(&path, text).expect("written");
        Settings::read(&path)
    }

    const RECEIPTS: &str = "genesis = \"genesis.json\"\nnode = \"ws://127.0.0.1:4300\"\nsigns = \"receipts\"\ncodes = \"codes.json\"\nlisten = \"127.0.0.1:0\"\nregions = [1, 2]\n\
                            first_epoch = 3\nepochs = 2\n";

    #[test]
    fn every_epoch_has_a_key_for_all_that_is_signed() {
        let settings = read(RECEIPTS).expect("settings");
        let names: Vec<String> = settings.purposes().iter().map(ToString::to_string).collect();
        assert_eq!(
            (names.len(), names[0].as_str(), names[11].as_str()),
            (12, "receipt-3-1-1", "receipt-4-2-16")
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (from, to) in [
            ("epochs = 2", "epochs = 0"),
            ("epochs = 2", "epochs = 61"),
            ("regions = [1, 2]", "regions = [9]"),
            ("regions = [1, 2]", "regions = []"),
            ("regions = [1, 2]", "regions = [1]\ntiers = [1]"),
            ("\"receipts\"", "\"tokens\""),
            ("epochs = 2", "epochs = 2\nepoch = 1"),
            ("node = \"ws://127.0.0.1:4300\"\n", ""),
        ] {
            let refused = read(&RECEIPTS.replace(from, to));
            assert!(matches!(refused, Err(FileError::Wrong { .. })), "{to}: {refused:?}");
        }
    }
}
