//! Why a node does not run, or stopped, and what to do about it.

use super::SettingsError;
use crate::output::Failure;
use chain::{
    ledger::MigrationError,
    log::LogError,
    node::{Fork, JournalError, NodeError, RunError, ServeError, origin::OriginError},
    wallet::keyfile::KeyFileError,
};
use std::{io, path::PathBuf};
use thiserror::Error;

/// Why a node does not run, or stopped.
#[derive(Debug, Error)]
pub(crate) enum NodeFailure {
    /// A setting.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file is there already.
    #[error("{path} is there already: give another folder, or move it away", path = .path.display())]
    Occupied { path: PathBuf },
    /// A folder cannot be made.
    #[error("{path}: the folder cannot be made: {error}: give another, in a folder that you may write to",
        path = .path.display())]
    Uncreatable { path: PathBuf, error: io::Error },
    /// A file cannot be written.
    #[error("{path}: cannot be written: {error}", path = .path.display())]
    Write { path: PathBuf, error: io::Error },
    /// The genesis cannot be read.
    #[error("{path}: cannot be read: {error}: `cwe node init DIR` makes one", path = .path.display())]
    Genesis { path: PathBuf, error: io::Error },
    /// The state that a chain goes on from cannot be read.
    #[error("{path}: cannot be read: {error}: `cwe node export` writes it beside the genesis of a chain that goes on from another",
        path = .path.display())]
    Snapshot { path: PathBuf, error: io::Error },
    /// There is no node whose state could be written.
    #[error("{path}: no folder of a node: give the --dir of one that is stopped", path = .path.display())]
    NoNode { path: PathBuf },
    /// No chain can go on from the state.
    #[error("no chain can go on from there: {0}")]
    Migration(#[from] MigrationError),
    /// What was confirmed would be lost.
    #[error(
        "{count} confirmed transactions are in no block yet: run the node once more and stop it, which makes their block"
    )]
    Confirmed { count: usize },
    /// The genesis is none.
    #[error("{path}: {error}", path = .path.display())]
    Origin { path: PathBuf, error: OriginError },
    /// The node stopped.
    #[error(transparent)]
    Run(#[from] Box<RunError>),
    /// A key cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// The exit code of a node that stopped.
pub(crate) fn run_code(error: &RunError) -> u8 {
    match error {
        RunError::Block { .. } => 4,
        RunError::Open { error, .. } if is_wrong_block(error) => 4,
        RunError::Node(error) if is_wrong_block(error) => 4,
        RunError::Open { .. }
        | RunError::Limits(_)
        | RunError::NotASequencer { .. }
        | RunError::OtherChain { .. }
        | RunError::FollowsItself { .. }
        | RunError::Serve(_)
        | RunError::Client(_) => 2,
        _ => 3,
    }
}

impl NodeFailure {
    /// The exit code: 4 for a block that breaks a rule, 2 for a folder or an address that was given and does not do, 3 for
    /// what fails later.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Settings(_)
            | Self::Occupied { .. }
            | Self::Uncreatable { .. }
            | Self::Genesis { .. }
            | Self::Snapshot { .. }
            | Self::NoNode { .. }
            | Self::Migration(_)
            | Self::Confirmed { .. }
            | Self::Origin { .. }
            | Self::Key(_) => 2,
            Self::Write { .. } => 3,
            Self::Run(error) => run_code(error),
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<String> {
        let error = match self {
            Self::Run(error) => error.as_ref(),
            Self::Key(KeyFileError::File { .. } | KeyFileError::Form { .. }) => {
                return Some(
                    "give a key file as `cwe node init` writes it, keys/sequencer.key, as --key".into(),
                );
            }
            _ => return None,
        };
        if let RunError::Block { fork: Some(fork), .. } = error {
            return Some(of_fork(fork));
        }
        let advice = match error {
            RunError::Open { error, .. } | RunError::Node(error) => of_files(error)?,
            RunError::Block { .. } => {
                "nothing of it was taken: check this machine's clock and version, ask another node for the block, and tell \
                 whoever runs the sequencer"
            }
            RunError::NotASequencer { .. } => {
                "give the key that the ledger has on record for a person who is active as sequencer: the new one after a \
                 change of keys, and any only once its block is in this --dir; or --role full"
            }
            RunError::FollowsItself { .. } => "give the address of another node of this chain as --follow",
            RunError::OtherChain { .. } => "give the genesis of that chain, or another --follow",
            RunError::Serve(ServeError::Listen { .. }) => {
                "another program may be there: give another address of this machine as --listen"
            }
            _ => return None,
        };
        Some(advice.into())
    }
}

/// Whether a block in the node's own log is wrong.
fn is_wrong_block(error: &NodeError) -> bool {
    matches!(error, NodeError::Block(_) | NodeError::Replay(_))
}

/// Two blocks of one height.
fn of_fork(Fork { signer, kept }: &Fork) -> String {
    let kept = match kept {
        Ok(path) => format!("both are in {}", path.display()),
        Err(error) => format!("they could not be written down: {error}"),
    };
    match signer {
        Some(person) => format!(
            "{person} signed two blocks of one height ({kept}): show them to the other nodes and to governance"
        ),
        None => format!(
            "there are two blocks of one height ({kept}), not both signed under the key on record now: show them to the \
             other nodes and to governance"
        ),
    }
}

/// What to do about the files of a node.
fn of_files(error: &NodeError) -> Option<&'static str> {
    let log = match error {
        NodeError::Log(error) | NodeError::Journal(JournalError::Log { error, .. }) => Some(error),
        _ => None,
    };
    Some(match (error, log) {
        (_, Some(LogError::InUse)) => "another node runs in this folder: stop it, or give another --dir",
        (_, Some(LogError::NotALog)) => "give the --dir of a node",
        (_, Some(LogError::Version { .. })) => {
            "run the version that wrote it; a full node may start over in an empty --dir, and a sequencer must not: it \
             would make its first blocks again"
        }
        (_, Some(LogError::Io { .. })) | (NodeError::Journal(JournalError::Io { .. }), _) => {
            "look whether this user may read and write there, and whether the disk has room"
        }
        (NodeError::Directory(_), _) => "give a folder that this user may write to as --dir",
        (NodeError::OtherChain { .. }, _) => {
            "give the genesis.json of that chain as --genesis, and run the version that made its blocks; a full node may \
             start over in an empty --dir, a sequencer only on a chain that has no blocks yet"
        }
        (NodeError::Block(_) | NodeError::Replay(_) | NodeError::Codec { .. }, _) => {
            "the files were changed, or are of another version: a full node starts over in an empty --dir"
        }
        (NodeError::LostBlock { .. } | NodeError::Journal(JournalError::LostBlock { .. }), _) => {
            "put blocks.log back, from a backup or from another node that has these blocks; a full node starts over in an \
             empty --dir"
        }
        (NodeError::Log(_), _) => {
            "put blocks.log back, from a backup or from another node; a full node starts over in an empty --dir"
        }
        (
            NodeError::Journal(JournalError::Log { .. } | JournalError::Record { .. })
            | NodeError::Restore(_),
            _,
        ) => "put the folder journal back from a backup: it holds what was confirmed and is in no block yet",
        (NodeError::Index(_), _) => {
            "look whether another node has the folder index open, and whether this user may read and write it"
        }
        _ => return None,
    })
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        NodeFailure::Run(Box::new(error)).into()
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        NodeFailure::Settings(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::sequencer::BlockError;
    use primitives::Digest;

    fn opened(error: impl Into<NodeError>) -> NodeFailure {
        NodeFailure::Run(Box::new(RunError::Open { dir: "data".into(), error: Box::new(error.into()) }))
    }

    #[test]
    fn a_wrong_block_has_an_exit_code_of_its_own() {
        let no_seal = || BlockError::NoSeal { height: 3 };
        let wrong =
            RunError::Block { url: "ws://x".into(), height: 3, error: Box::new(no_seal()), fork: None };
        let failure = NodeFailure::Run(Box::new(wrong));
        assert_eq!(failure.code(), 4);
        assert!(failure.advice().is_some_and(|advice| advice.contains("clock")));
        assert_eq!(opened(no_seal()).code(), 4);
    }

    #[test]
    fn a_folder_that_does_not_do_is_named_with_what_to_do() {
        let journal = |error| NodeError::Journal(JournalError::Log { height: 2, error });
        let digests = [1, 2, 3].map(|n| Digest([n; 32]));
        let other = || {
            let [genesis, given, found] = digests;
            opened(NodeError::OtherChain { genesis, given, found })
        };
        let said = other().to_string();
        assert!(digests.iter().all(|digest| said.contains(&digest.to_string())), "{said}");
        for (failure, advice) in [
            (opened(LogError::InUse), "another node runs"),
            (opened(LogError::NotALog), "--dir of a node"),
            (opened(LogError::Corrupt { offset: 9, height: 3 }), "blocks.log back"),
            (opened(NodeError::LostBlock { log: 0, index: 3 }), "blocks.log back"),
            (opened(journal(LogError::InUse)), "another node runs"),
            (opened(journal(LogError::Corrupt { offset: 9, height: 3 })), "folder journal"),
            (other(), "genesis.json of that chain"),
            (opened(NodeError::Directory(io::ErrorKind::NotADirectory.into())), "write to"),
        ] {
            assert_eq!(failure.code(), 2, "{failure}");
            assert!(failure.to_string().starts_with("data: "), "{failure}");
            assert!(failure.advice().is_some_and(|found| found.contains(advice)), "{:?}", failure.advice());
        }
        // A disk that fails later is no wrong call.
        let later = NodeFailure::Run(Box::new(NodeError::from(LogError::Poisoned).into()));
        assert_eq!(later.code(), 3);
    }
}
