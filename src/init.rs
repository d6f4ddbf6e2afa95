//! `cwe init`: the folders of a pilot, each with settings and fresh keys.

mod layout;
mod places;
mod readme;

use crate::{
    cli::{Format, InitCommittee},
    files::FileError,
    output::{self, Failure},
};
use chain::wallet::keyfile::KeyFileError;
use engine::issuer::CodesError;
use places::Places;
use serde_json::json;
use sim::folder::{FolderError, Kind, Staging};
use std::io;
use thiserror::Error;

/// The folder of a pilot. None is ever replaced: it has keys.
static PILOT: Kind = Kind { name: "pilot", files: &[] };

/// Why there is no pilot.
#[derive(Debug, Error)]
pub(crate) enum InitFailure {
    /// Three hosts, four with a standby, or none.
    #[error(
        "--hosts: {given:?} is no name of a host: give three, such as a.example.org,b.example.org,c.example.org, and a fourth if \
         somebody stands by"
    )]
    Host { given: String },
    /// A host is named twice.
    #[error("--hosts: {host} is there twice: each party has a host of its own")]
    HostTwice { host: String },
    /// The folder cannot be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A code cannot be put on its list.
    #[error(transparent)]
    Codes(#[from] CodesError),
}

impl InitFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Host { .. } | Self::HostTwice { .. } => 2,
            Self::Folder(
                FolderError::Occupied { .. } | FolderError::NoName { .. } | FolderError::Uncreatable { .. },
            ) => 2,
            _ => 3,
        }
    }
}

/// Lays out a pilot.
pub(crate) fn committee(arguments: &InitCommittee) -> Result<(), Failure> {
    let (made, dir) = (lay_out(arguments)?, &arguments.dir);
    match arguments.output {
        Format::Json => output::json(&json!({
            "dir": dir,
            "chain": made.chain,
            "genesis": made.genesis,
            "node": made.places.node_url(),
            "parties": made.places.apis(),
            "issuers": made.places.issuers(),
            "creator": made.creator,
        })),
        Format::Table => output::print(&format!(
            "Chain {}, genesis\n{}\n\nThe creator is\n{}\n\n{}\nAll of this but the names is in {}.\n",
            made.chain,
            made.genesis,
            made.creator,
            made.readme,
            dir.join(readme::NAME).display()
        )),
    }
}

/// Makes the folder beside its place, and moves it there as a whole.
fn lay_out(arguments: &InitCommittee) -> Result<layout::Made, InitFailure> {
    let places = Places::of(arguments)?;
    let staging = Staging::new(&PILOT, &arguments.dir)?;
    let (dir, mut outcome) = (arguments.dir.clone(), None);
    let committed = staging.commit(|made| match layout::write(made, arguments, places) {
        Ok(written) => {
            outcome = Some(Ok(written));
            Ok(())
        }
        Err(error) => {
            outcome = Some(Err(error));
            Err(FolderError::Io { path: dir, error: io::ErrorKind::Other.into() })
        }
    });
    match outcome {
        // What went wrong inside says more than that the folder did not come to be.
        Some(Err(error)) => Err(error),
        Some(Ok(made)) => Ok(committed.map(|()| made)?),
        None => Err(committed.err().map_or_else(
            || FolderError::Io { path: arguments.dir.clone(), error: io::ErrorKind::Other.into() }.into(),
            InitFailure::from,
        )),
    }
}
