//! What the machine says of itself: room on a disk, and files that a process has and may have open.

use std::{fs, path::Path};

/// Room on the disk that a path is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that are free for this process.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
}

/// Room on the disk of a path, or of the nearest folder above it that is there. None if the system does not say.
pub fn disk(path: &Path) -> Option<Disk> {
    let there = path.ancestors().find(|path| path.exists()).filter(|path| !path.as_os_str().is_empty());
    let found = rustix::fs::statvfs(there.unwrap_or(Path::new("."))).ok()?;
    Some(Disk {
        free: found.f_bavail.checked_mul(found.f_frsize)?,
        size: found.f_blocks.checked_mul(found.f_frsize)?,
    })
}

/// Bytes of all files of a folder and below. What cannot be read counts nothing.
pub fn folder_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

/// Files and sockets that this process has open. None where the system does not list them.
pub fn open_files() -> Option<u64> {
    // Reading the list is one of them.
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count).ok().map(|count| count.saturating_sub(1))
}

/// Files and sockets that this process may have open. None where the system does not say.
pub fn most_files() -> Option<u64> {
    soft_limit(&fs::read_to_string("/proc/self/limits").ok()?)
}

/// The limit in force, in the system's table of limits.
fn soft_limit(table: &str) -> Option<u64> {
    let row = table.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match row.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_in_force_is_the_first_of_its_row() {
        let table = "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max processes             10                   20                   processes\n\
                     Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(table), Some(1024));
        assert_eq!(soft_limit("Max open files            unlimited  unlimited  files\n"), Some(u64::MAX));
        assert_eq!(soft_limit("Max processes 1 2 processes\n"), None);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above() {
        let dir = tempfile::tempdir().expect("a folder");
        let disk = disk(&dir.path().join("not").join("yet")).expect("a disk");
        assert!(disk.free <= disk.size && disk.size > 0);
        fs::write(dir.path().join("file"), [0; 100]).expect("written");
        assert_eq!(folder_bytes(dir.path()), 100);
    }
}
