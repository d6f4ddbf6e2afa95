//! Files that are for their owner alone, written in one step.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// End of the name of a file that is being written.
pub(crate) const UNFINISHED: &str = ".part";

/// Options to write a file that nobody else may read.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder that nobody else may enter, with those above it. It may be there already. It is on disk when this returns.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // The name of a folder is in the one above.
    for above in missing.into_iter().filter_map(Path::parent) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// Puts a file in place of another in one step, or the old one stays. It is on disk when this returns.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{name}{UNFINISHED}"));
    let mut file = options().create(true).truncate(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(name))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_with_those_above_and_may_be_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let deep = dir.path().join("a").join("b");
        make_folder(&deep).expect("made");
        make_folder(&deep).expect("there already");
        write(&deep, "file", b"bytes").expect("written");
        assert_eq!(fs::read(deep.join("file")).expect("there"), b"bytes");
    }
}
