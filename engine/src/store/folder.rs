//! Files and folders that nobody but their owner reads, and names that outlast a crash.

use super::error::{StoreError, failed};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Mode of folders.
const FOLDER_MODE: u32 = 0o700;
/// Mode of files.
const FILE_MODE: u32 = 0o600;
/// The file that whoever has a store open holds locked.
const LOCK: &str = "lock";

/// Makes a folder for its owner alone, if it is not there, and checks that it is nobody else's business.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    if !path.is_dir() {
        builder.create(path).map_err(failed(path, "created"))?;
        sync_parent(path)?;
    }
    check_mode(path, FOLDER_MODE)
}

/// Checks that a folder is there and is nobody else's business.
pub(super) fn open(path: &Path) -> Result<(), StoreError> {
    check_mode(path, FOLDER_MODE)
}

/// Makes a folder that has to be empty.
pub(super) fn make_empty(path: &Path) -> Result<(), StoreError> {
    make(path)?;
    match list(path)?.is_empty() {
        true => Ok(()),
        false => Err(StoreError::NotEmpty { path: path.into() }),
    }
}

/// What is in a folder, by name; nothing, if it is not there.
pub(super) fn list(path: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed(path, "listed"))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(path, "listed"))?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}

/// Creates a file that was not there.
pub(super) fn create_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options.open(path).map_err(failed(path, "created"))
}

/// Opens a file for reading and writing, which nobody else may read.
pub(super) fn open_file(path: &Path) -> Result<File, StoreError> {
    check_mode(path, FILE_MODE)?;
    OpenOptions::new().read(true).write(true).open(path).map_err(failed(path, "opened"))
}

/// Makes the names in a folder durable.
pub(super) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed(path, "synced"))
}

/// Makes a name durable in the folder that it is in.
pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Removes a folder with all that is in it, if it is there. It is gone from the disk when this returns.
pub(super) fn remove_all(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.map_err(failed(path, "removed"))?,
    }
    sync_parent(path)
}

/// Bytes of all files in a folder and below. A file that is removed meanwhile counts nothing.
pub(super) fn size(path: &Path) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for (_, path) in list(path)? {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => bytes += size(&path)?,
            Ok(metadata) => bytes += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, "measured")(error)),
        }
    }
    Ok(bytes)
}

/// Locks a store against other processes, for as long as the file is open.
pub(super) fn lock(store: &Path) -> Result<File, StoreError> {
    let path = store.join(LOCK);
    let file = match create_file(&path) {
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            open_file(&path)?
        }
        created => created?,
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: store.into() }),
        Err(TryLockError::Error(error)) => Err(failed(&path, "locked")(error)),
    }
}

/// Sets the mode of every file below a folder. sled creates its files as the system's mask says; the folder keeps others
/// out, and this does so for those that are copied elsewhere.
#[cfg(unix)]
pub(super) fn close_to_others(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    for (_, path) in list(path)? {
        let is_folder = path.is_dir();
        let mode = if is_folder { FOLDER_MODE } else { FILE_MODE };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(failed(&path, "closed to others"))?;
        if is_folder {
            close_to_others(&path)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn close_to_others(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(unix)]
fn check_mode(path: &Path, wanted: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(failed(path, "opened"))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(StoreError::OthersMayRead { path: path.into(), mode, wanted })
    }
}

#[cfg(not(unix))]
fn check_mode(path: &Path, _: u32) -> Result<(), StoreError> {
    fs::metadata(path).map(drop).map_err(failed(path, "opened"))
}
