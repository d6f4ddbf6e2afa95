//! `cwe work register`.

use super::{WorkFailure, first_terms};
use crate::{
    account::{self, ChainFailure, Facts, Wallet},
    cli::work::Register,
    output::Failure,
};
use chain::{
    Payload,
    modules::work_registry::{RegisterWork, work_id},
    wallet::manifest::{self, MAX_MANIFEST_BYTES, Manifest, ManifestError, SignedManifest},
};
use primitives::Digest;
use rand_core::OsRng;
use serde_json::json;
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// What is added to a file's name for its manifest.
const SUFFIX: &str = ".cwe.json";

/// Registers a file as a work.
pub(crate) fn register(arguments: &Register) -> Result<(), Failure> {
    let Register { file, category, media, title, terms, account, .. } = arguments;
    if let Some(title) = title {
        manifest::check_title(title).map_err(|error| WorkFailure::Title(error.into()))?;
    }
    // First what can be wrong at once: a long file takes a while.
    let wallet = Wallet::open(account)?;
    let (price, splits) = first_terms(terms, wallet.person)?;
    let active_from = match terms.from {
        Some(from) => from,
        None => wallet.node.next_epoch()?,
    };
    let (fingerprint, bytes) = fingerprint(file)?;
    let manifest = Manifest {
        chain: wallet.chain,
        work: work_id(&fingerprint, &wallet.person),
        creator: wallet.person,
        fingerprint,
        bytes,
        media: *media,
        category: *category,
        title: title.clone(),
    };
    let (work, metadata) = (manifest.work, manifest.digest());
    let path = arguments.manifest.clone().unwrap_or_else(|| beside(file));
    let facts: Facts = vec![
        ("work", json!(work)),
        ("creator", json!(wallet.person)),
        ("fingerprint", json!(fingerprint)),
        ("metadata", json!(metadata)),
        ("manifest", json!(path)),
        ("price", json!(price)),
        ("splits", json!(splits)),
        ("from_epoch", json!(active_from)),
    ];
    let action = RegisterWork {
        fingerprint,
        media: *media,
        category: *category,
        price,
        splits,
        metadata,
        active_from,
    };
    if account.send.dry_run {
        return account::run_by(&wallet, &account.send, Payload::RegisterWork(action), facts);
    }
    let transaction = wallet.sign(Payload::RegisterWork(action))?;
    // On the disk first: a hash on the ledger whose manifest is lost says nothing.
    let written = keep(&path, manifest, &wallet)?;
    let sent = account::send(&wallet.node, &transaction, !account.send.no_wait);
    if let (true, Err(ChainFailure::Refused { .. })) = (written, &sent) {
        // The ledger has no such work. What remains if this fails says nothing wrong either.
        drop(fs::remove_file(&path));
    }
    account::print(&account.send, sent?, facts, "Registered")
}

/// The manifest beside a file.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// Fingerprint and length of a file.
pub(super) fn fingerprint(path: &Path) -> Result<(Digest, u64), WorkFailure> {
    let failed = |error| ChainFailure::File { path: path.into(), error };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(WorkFailure::NoFile { path: path.into(), reason: "not a plain file" });
    }
    if meta.len() == 0 {
        return Err(WorkFailure::NoFile { path: path.into(), reason: "it is empty" });
    }
    Ok((manifest::fingerprint(&file, meta.len()).map_err(failed)?, meta.len()))
}

/// Reads a manifest and checks what it says of itself.
pub(super) fn read(path: &Path) -> Result<SignedManifest, WorkFailure> {
    read_by(path, SignedManifest::from_json)
}

/// Reads a manifest.
pub(super) fn read_by(
    path: &Path,
    read: fn(&str) -> Result<SignedManifest, ManifestError>,
) -> Result<SignedManifest, WorkFailure> {
    let failed = |error| ChainFailure::File { path: path.into(), error };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_MANIFEST_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(WorkFailure::TooLong { path: path.into() });
    }
    read(&text).map_err(|error| WorkFailure::Manifest { path: path.into(), error: error.into() })
}

/// Signs a manifest and writes it, and says whether it did: one that says the same and was signed with the same key is
/// kept, so that a registration that failed halfway can be done again. Nothing else is ever written over.
fn keep(path: &Path, manifest: Manifest, wallet: &Wallet) -> Result<bool, WorkFailure> {
    let failed = |error| ChainFailure::File { path: path.into(), error };
    let text = manifest.clone().sign(&wallet.key, &mut OsRng).to_json();
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let same = read(path)
                .is_ok_and(|found| found.manifest == manifest && found.key == wallet.key.public_key());
            return if same { Ok(false) } else { Err(WorkFailure::Occupied { path: path.into() }) };
        }
        Err(error) => return Err(failed(error).into()),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_lies_beside_its_file() {
        assert_eq!(beside(Path::new("music/song.flac")), Path::new("music/song.flac.cwe.json"));
    }

    #[test]
    fn what_is_no_file_has_no_fingerprint() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |path: &Path| fingerprint(path).expect_err("refused");
        assert!(matches!(refused(folder.path()), WorkFailure::NoFile { reason: "not a plain file", .. }));
        let path = folder.path().join("song");
        assert!(matches!(refused(&path), WorkFailure::Chain(ChainFailure::File { .. })));
        fs::write(&path, "").expect("written");
        assert!(matches!(refused(&path), WorkFailure::NoFile { reason: "it is empty", .. }));
        fs::write(&path, "a song").expect("written");
        assert_eq!(fingerprint(&path).expect("a file").1, 6);
    }
}
