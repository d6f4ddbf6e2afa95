//! Issuers of tokens and receipts as processes, with the keys that the chain has of them.

use super::{
    HostsError, Options, STARTING, failed, folder,
    processes::{Ports, Process},
    settings::{IssuerFile, Signs},
    wait,
};
use crate::world::World;
use engine::{
    client::http::HttpKeys,
    issuer::keys::{self, Purpose},
};
use primitives::Region;
use proofs::blind::BlindIssuer;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names of the issuers' folders, that of tokens first.
const NAMES: [&str; 2] = ["token-issuer", "receipt-issuer"];

/// The lists of codes of the issuers of tokens and of receipts.
pub(super) fn lists(dir: &Path) -> [PathBuf; 2] {
    NAMES.map(|name| folder(dir, name).join("codes.json"))
}

/// An issuer, and the keys that it has.
struct Issuer<'a> {
    name: &'static str,
    settings: IssuerFile,
    keys: Vec<(Purpose, &'a BlindIssuer)>,
}

/// The issuers that a world needs. Where no region serves anybody, there is nobody who signs receipts.
fn of_world<'a>(world: &'a World, ports: &Ports) -> Vec<Issuer<'a>> {
    let (epoch, signers) = (world.epoch, &world.issuers);
    let tiers = signers.tiers.keys().copied().collect();
    let regions: BTreeSet<Region> = signers.regions.keys().map(|(region, _)| *region).collect();
    let tokens = signers.tiers.iter().map(|(tier, key)| (Purpose::Token(epoch, *tier), key)).collect();
    let receipts = signers.regions.iter();
    let receipts = receipts.map(|((region, of), key)| (Purpose::Receipt(epoch, *region, *of), key)).collect();
    let all = [(Signs::Tokens(tiers), tokens), (Signs::Receipts(regions.into_iter().collect()), receipts)];
    let issuer = |((name, listen), (signs, keys))| {
        let settings = IssuerFile { node: ports.node_url(), signs, listen, epochs: 1 };
        Issuer { name, settings, keys }
    };
    let named = NAMES.into_iter().zip(ports.issuers());
    named.zip(all).map(issuer).filter(|issuer: &Issuer<'_>| !issuer.keys.is_empty()).collect()
}

/// Makes the folders of the issuers: settings, and the keys that are on record.
pub(super) fn lay_out(
    options: &Options,
    world: &World,
    ports: &Ports,
    genesis: &str,
) -> Result<(), HostsError> {
    for Issuer { name, settings, keys } in of_world(world, ports) {
        let dir = folder(&options.dir, name);
        let unmade = |error| failed(&dir.display().to_string(), error);
        fs::create_dir_all(&dir).map_err(unmade)?;
        fs::write(dir.join("issuer.toml"), settings.to_string()).map_err(unmade)?;
        fs::write(dir.join("genesis.json"), genesis).map_err(unmade)?;
        for (purpose, key) in keys {
            let kept = keys::keep(&dir.join("data").join("keys"), purpose, key);
            kept.map_err(|error| HostsError::Issuer { issuer: name, reason: error.to_string() })?;
        }
    }
    Ok(())
}

/// Starts the issuers, and waits until each shows keys of the epoch.
pub(super) fn start(options: &Options, world: &World, ports: &Ports) -> Result<Vec<Process>, HostsError> {
    let mut running = Vec::new();
    for Issuer { name, settings: IssuerFile { listen, .. }, .. } in of_world(world, ports) {
        let process = Process::start(options, (name, &[]), &["issuer", "run", "--config", "issuer.toml"])?;
        let shown = HttpKeys::new(&format!("http://{listen}"))?;
        if !wait(STARTING, || shown.of(world.epoch).is_ok_and(|keys| !keys.is_empty())) {
            return Err(HostsError::NoAnswer { who: format!("the {name}"), log: process.log() });
        }
        running.push(process);
    }
    Ok(running)
}
