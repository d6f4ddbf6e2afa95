//! Why a client does not go on, what to do about it, and the exit codes of both.

use crate::files::FileError;
use chain::{
    log::LogError as ChainLogError,
    node::{ClientError as QueryError, NodeError, RunError},
};
use engine::{
    client::{ClientError, JournalError, Lines, LinkError, LogError, Trouble},
    opening::OpeningError,
};
use primitives::{EpochId, PartyId, Time, calendar::utc};
use sim::report::several;
use std::path::PathBuf;
use thiserror::Error;

/// What to do about a party that cannot be reached.
pub(super) const ADDRESS: &str = "if it has another address now, correct `parties` in the settings";

/// Why a client does not go on.
#[derive(Debug, Error)]
pub(crate) enum ClientFailure {
    /// A file that it needs.
    #[error(transparent)]
    File(#[from] FileError),
    /// The log of plays.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Plays that are yet to come.
    #[error("{log}, {lines}: {} later than this machine's clock, which has {} UTC", plays(.lines, "begins", "begin"),
        utc(.now.0), log = .log.display())]
    Early { log: PathBuf, lines: Lines, now: Time },
    /// Plays that may have been handed in before.
    #[error("{log}, {lines}: {} between the first and the last that were handed in for epoch {epoch}, and would count twice",
        plays(.lines, "began", "began"), log = .log.display())]
    Again { log: PathBuf, lines: Lines, epoch: EpochId },
    /// Plays that were sent before, and nobody has said what became of them.
    #[error("{log}, {lines}: {} between the first and the last that were sent for epoch {epoch}, of which no party has said \
        what became of them: they may count twice", plays(.lines, "began", "began"), log = .log.display())]
    Unheard { log: PathBuf, lines: Lines, epoch: EpochId },
    /// Plays of works that the epoch does not have.
    #[error("{log}, {lines}: {} that epoch {epoch} does not have", plays(.lines, "is of a work", "are of works"),
        log = .log.display())]
    Unknown { log: PathBuf, lines: Lines, epoch: EpochId },
    /// Another log was begun with.
    #[error("{dir}: epoch {epoch} was begun with another log, and it takes one of a subscription", dir = .dir.display())]
    OtherLog { dir: PathBuf, epoch: EpochId },
    /// What was handed in for an earlier epoch is not known.
    #[error("{dir}: what was handed in from here cannot be read: {error}", dir = .dir.display())]
    Earlier { dir: PathBuf, error: ClientError },
    /// Its own node.
    #[error("the client's own node: {0}")]
    Run(#[from] Box<RunError>),
    /// The node that its own follows.
    #[error(transparent)]
    Node(#[from] Box<QueryError>),
    /// Its own node stopped, or has not all blocks in time.
    #[error("the client's own node in {dir} does not get to the chain's last block", dir = .dir.display())]
    Behind { dir: PathBuf },
    /// No epoch takes bundles in.
    #[error("no epoch takes bundles in: {what}")]
    NoEpoch { what: String, may_open: bool },
    /// Nothing was handed in, or nothing for the epoch that was asked for.
    #[error("{dir}: nothing was handed in from here{}", others(*.asked, .epochs), dir = .dir.display())]
    Nothing { dir: PathBuf, asked: Option<EpochId>, epochs: Vec<EpochId> },
    /// The epoch's record is of no use.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A step of the client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Bundles that parties had promised are in no batch.
    #[error("{} in no batch that they show; the promises are in {dir}", promised(*.count), dir = .dir.display())]
    Missing { count: usize, dir: PathBuf },
}

/// So many plays, and what they do.
pub(super) fn plays(lines: &Lines, one: &str, more: &str) -> String {
    format!("{} {}", several(lines.plays, "play", "plays"), if lines.plays == 1 { one } else { more })
}

fn promised(count: usize) -> String {
    let bundles = several(count as u64, "bundle", "bundles");
    format!("{bundles} that parties had promised {}", if count == 1 { "is" } else { "are" })
}

/// For which epoch nothing was handed in, and for which something was.
fn others(asked: Option<EpochId>, epochs: &[EpochId]) -> String {
    let asked = asked.map(|epoch| format!(" for epoch {epoch}")).unwrap_or_default();
    let epochs: Vec<_> = epochs.iter().map(ToString::to_string).collect();
    match &epochs[..] {
        [] => asked,
        [one] => format!("{asked}, but for epoch {one}"),
        [before @ .., last] => format!("{asked}, but for epochs {} and {last}", before.join(", ")),
    }
}

impl From<JournalError> for ClientFailure {
    fn from(error: JournalError) -> Self {
        Self::Client(error.into())
    }
}

impl ClientFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::File(error) => error.code(),
            Self::Log(_)
            | Self::Early { .. }
            | Self::Again { .. }
            | Self::Unheard { .. }
            | Self::Unknown { .. }
            | Self::OtherLog { .. }
            | Self::Node(_)
            | Self::NoEpoch { .. }
            | Self::Nothing { .. } => 2,
            Self::Run(error) => match **error {
                RunError::Block { .. } => 4,
                _ if is_in_use(error) => 2,
                _ => 3,
            },
            Self::Behind { .. } | Self::Opening(_) => 3,
            Self::Missing { .. } => 1,
            Self::Client(error) | Self::Earlier { error, .. } => code(error),
        }
    }

    /// What to do about it, where the error itself does not say.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Log(LogError::Line { .. }) => Some("correct the line and start again; nothing was sent"),
            Self::Early { .. } => Some("correct the lines, or the clock; nothing was sent"),
            Self::Again { .. } => {
                Some("take them out, or add --again if they were not in that log; nothing was sent")
            }
            Self::Unheard { .. } => Some(
                "ask with `cwe client status --epoch`, and start again; or take them out, or add --again if they were not in \
                 that log; nothing was sent",
            ),
            Self::Unknown { .. } => Some(
                "correct the lines, or add --leave-out-unknown to hand in the others alone; nothing was sent",
            ),
            Self::OtherLog { .. } => Some("hand that one in to its end, and other plays in the next epoch"),
            Self::Earlier { .. } => Some("add --again if nothing of the log was handed in for that epoch"),
            Self::Behind { .. } => Some("start again, or delete the folder"),
            Self::NoEpoch { may_open: true, .. } => Some("try again in some seconds"),
            Self::NoEpoch { .. } => Some("try again once one is open"),
            Self::Nothing { epochs, .. } if epochs.is_empty() => Some("start with `cwe client submit`"),
            Self::Run(error) if is_in_use(error) => {
                Some("another `cwe client` is at work with this folder: wait until it has ended")
            }
            Self::Client(ClientError::Closed { .. }) => {
                Some("hand the same log in again once the next epoch is open")
            }
            Self::Client(ClientError::Signer { error: LinkError::Refused { kind, .. }, .. })
                if kind == "unknown-code" =>
            {
                Some(
                    "put the code that its operator gave you into the file that the settings name, or, of receipts, add \
                     --without-receipts",
                )
            }
            Self::Client(ClientError::Signer { error: LinkError::Refused { kind, .. }, .. })
                if kind == "other-request" =>
            {
                Some(
                    "this subscription has its token of the epoch from another folder or device: hand in from there, where \
                     the files of the epoch are",
                )
            }
            Self::Client(ClientError::TooFewPromises { troubles, .. })
                if troubles.iter().any(is_unreachable) =>
            {
                Some(ADDRESS)
            }
            _ => None,
        }
    }
}

/// Whether nobody answers at a party's address.
pub(super) fn is_unreachable((_, trouble): &(PartyId, Trouble)) -> bool {
    matches!(trouble, Trouble::Link(LinkError::Unreachable { .. }))
}

/// Whether another process has the folder of the client's own node.
fn is_in_use(error: &RunError) -> bool {
    matches!(error, RunError::Open { error, .. } if matches!(**error, NodeError::Log(ChainLogError::InUse)))
}

fn code(error: &ClientError) -> u8 {
    match error {
        ClientError::Refused { .. } | ClientError::Forged { .. } => 1,
        ClientError::UnknownTier { .. }
        | ClientError::UnknownRegion { .. }
        | ClientError::Window { .. }
        | ClientError::OtherFolder { .. }
        | ClientError::OtherLog { .. }
        | ClientError::NothingCounts { .. }
        | ClientError::Closed { .. }
        | ClientError::Journal(JournalError::InUse { .. })
        | ClientError::Signer { error: LinkError::Refused { .. }, .. } => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_one() {
        let lines = |plays| Lines { plays, first: (2..2 + plays).collect() };
        let (log, dir, epoch) = (PathBuf::from("plays.csv"), PathBuf::from("data/epoch-1"), EpochId(1));
        let unknown = |plays| ClientFailure::Unknown { log: log.clone(), lines: lines(plays), epoch };
        let missing = |count| ClientFailure::Missing { count, dir: dir.clone() };
        let again = ClientFailure::Again { log: log.clone(), lines: lines(2), epoch };
        let early = ClientFailure::Early { log: log.clone(), lines: lines(1), now: Time(60) };
        for (failure, said) in [
            (unknown(1), "plays.csv, line 2: 1 play is of a work that epoch 1 does not have"),
            (unknown(2), "plays.csv, lines 2 and 3: 2 plays are of works that epoch 1 does not have"),
            (
                again,
                "plays.csv, lines 2 and 3: 2 plays began between the first and the last that were handed in for epoch 1, and \
                 would count twice",
            ),
            (
                early,
                "plays.csv, line 2: 1 play begins later than this machine's clock, which has 1970-01-01 00:01 UTC",
            ),
            (
                missing(1),
                "1 bundle that parties had promised is in no batch that they show; the promises are in data/epoch-1",
            ),
            (
                missing(2),
                "2 bundles that parties had promised are in no batch that they show; the promises are in data/epoch-1",
            ),
        ] {
            assert_eq!(failure.to_string(), said);
        }
    }

    #[test]
    fn epochs_of_which_there_is_something_are_named() {
        let nothing = |asked: Option<u64>, epochs: &[u64]| {
            let (asked, epochs) = (asked.map(EpochId), epochs.iter().copied().map(EpochId).collect());
            let failure = ClientFailure::Nothing { dir: "data".into(), asked, epochs };
            (failure.to_string(), failure.advice().is_some())
        };
        let said = |text: &str, advised| (format!("data: nothing was handed in from here{text}"), advised);
        assert_eq!(nothing(None, &[]), said("", true));
        assert_eq!(nothing(Some(3), &[]), said(" for epoch 3", true));
        assert_eq!(nothing(Some(3), &[1]), said(" for epoch 3, but for epoch 1", false));
        assert_eq!(nothing(Some(3), &[1, 2, 4]), said(" for epoch 3, but for epochs 1, 2 and 4", false));
    }
}
