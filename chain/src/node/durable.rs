//! Files and directories that are there after a power cut.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Creates a directory with those above it, and makes the names of the new ones durable.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).collect();
    fs::create_dir_all(dir)?;
    missing.into_iter().try_for_each(sync_name)
}

/// Writes a file, and returns once it and its name are on disk.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_name(path)
}

/// Makes the name of a file or directory durable.
pub(super) fn sync_name(path: &Path) -> io::Result<()> {
    crate::log::sync_parent(path)
}
