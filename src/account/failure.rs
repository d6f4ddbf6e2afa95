//! Why a node was not asked, or what it refused.

use chain::{
    node::{ClientError, rpc::codes},
    wallet::keyfile::KeyFileError,
};
use primitives::{ChainId, PersonId, WorkId};
use serde_json::Value;
use std::{io, path::PathBuf};
use thiserror::Error;

/// Why a command over a node has no result.
#[derive(Debug, Error)]
pub(crate) enum ChainFailure {
    /// The node cannot be asked.
    #[error(transparent)]
    Client(ClientError),
    /// There is no such thing on record.
    #[error("{message}, says {url}")]
    NotFound { url: String, message: String },
    /// Several works begin alike.
    #[error("{} and {} both begin with {digits}: give more digits", works[0], works[1])]
    Ambiguous { digits: String, works: [WorkId; 2] },
    /// The ledger, or the sequencer's mempool, refuses a transaction.
    #[error("refused by {module}: {message}")]
    Refused { module: String, rule: String, message: String },
    /// A key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The node is of another chain than the one that is meant.
    #[error("{url} is of chain {found}, and {expected} is meant: nothing was signed")]
    OtherChain { url: String, expected: ChainId, found: ChainId },
    /// Nobody has the key.
    #[error("{path}: no account of this chain has the key {key}", path = .path.display())]
    NoAccount { path: PathBuf, key: String },
    /// Several have the key.
    #[error("several accounts have this key: give one as --person: {}", names(persons))]
    SeveralAccounts { persons: Vec<PersonId> },
    /// The person has another key.
    #[error("the account of {person} has another key than {key}")]
    OtherKey { person: PersonId, key: String },
    /// An answer lacks something.
    #[error("{url} gives no proper {field}: {error}: is it a node of this version?")]
    Answer { url: String, field: String, error: serde_json::Error },
    /// A transaction that a node took is in no block.
    #[error("{url} took transaction {transaction}, and it is in no block after {seconds} seconds")]
    NoBlock { url: String, transaction: String, seconds: u64 },
    /// Transactions of an account were confirmed, and are in no block.
    #[error("transactions of {person} are confirmed, and in no block after {seconds} seconds")]
    Unsealed { person: PersonId, seconds: u64 },
    /// A node took a transaction and went away.
    #[error("{url} took transaction {transaction}, and stopped answering before it was in a block")]
    Lost { url: String, transaction: String },
    /// A file cannot be read or written.
    #[error("{path}: {error}", path = .path.display())]
    File { path: PathBuf, error: io::Error },
    /// A text is empty or too long.
    #[error("{path}: a text of {bytes} bytes: expected 1 to {max}", path = .path.display())]
    Text { path: PathBuf, bytes: u64, max: u64 },
}

fn names(persons: &[PersonId]) -> String {
    persons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<ClientError> for ChainFailure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Refused { code: codes::RULE | codes::MEMPOOL, data: Some(data), .. } => {
                Self::refused(data)
            }
            ClientError::Refused { code: codes::NOT_FOUND, url, message, .. } => {
                Self::NotFound { url: url.clone(), message: message.clone() }
            }
            _ => Self::Client(error),
        }
    }
}

impl ChainFailure {
    /// What a node says of a refusal.
    pub(crate) fn refused(data: &Value) -> Self {
        let text = |name: &str| data[name].as_str().unwrap_or("an unknown rule").to_owned();
        Self::Refused { module: text("module"), rule: text("rule"), message: text("message") }
    }

    /// Whether the ledger refused by this rule.
    pub(crate) fn is_rule(&self, of: &str, called: &str) -> bool {
        matches!(self, Self::Refused { module, rule, .. } if module == of && rule == called)
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 1,
            Self::Answer { .. } | Self::NoBlock { .. } | Self::Unsealed { .. } | Self::Lost { .. } => 3,
            _ => 2,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Client(ClientError::Unreachable { .. }) => {
                Some("start a node with `cwe node run`, or give the address of one as --url")
            }
            Self::Client(ClientError::Refused { code: codes::NO_SEQUENCER, .. }) => {
                Some("give the sequencer's address as --url: `cwe node status` names it")
            }
            // What was confirmed comes: sent again, it may come twice.
            Self::NoBlock { .. } | Self::Lost { .. } => {
                Some("look with `show` whether it came before you send it again")
            }
            Self::NoAccount { .. } => {
                Some("a registrar puts persons on record; or give another --url or --key")
            }
            Self::Refused { module, rule, .. } => match (module.as_str(), rule.as_str()) {
                ("governance", "Stage") => Some("`cwe gov show N` says what comes next and when"),
                ("envelope", "Fee") => Some(
                    "wait for the next epoch, whose first transactions are free, or have credits sent to the account: the \
                     treasurer mints them for who pays in",
                ),
                ("governance", "NotVoter" | "VoterTooLate") => {
                    Some("who votes is active as a voter before the proposal was made")
                }
                ("governance", "Epoch") | ("work", "NotFuture") => {
                    Some("give a later --from: `cwe node status` says which epoch runs")
                }
                ("work", "AlreadyRegistered") => Some("change its terms with `cwe work update`"),
                ("work", "Price") => Some("`cwe gov rules` shows price_min and price_max"),
                ("work", "UnknownPayee") => Some("payees are persons on record, or accounts on L1 with 0x"),
                ("usage", "PreviousNotOver") => Some("the epoch before has to be settled first, or given up"),
                ("usage", "UnknownEpoch") => Some("`cwe node status` says which epoch runs"),
                ("envelope", "Nonce") => Some("another transaction of this account came first: try again"),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(code: i32) -> ClientError {
        let data =
            json!({ "module": "governance", "rule": "Stage", "message": "proposal 1 is being talked about" });
        ClientError::Refused {
            url: "ws://x".into(),
            method: "cwe_submit".into(),
            code,
            message: "m".into(),
            data: Some(data),
        }
    }

    #[test]
    fn a_rule_of_the_ledger_has_an_exit_code_of_its_own() {
        let rule = ChainFailure::from(refused(codes::RULE));
        assert!(matches!(&rule, ChainFailure::Refused { rule, .. } if rule == "Stage"));
        assert_eq!(rule.to_string(), "refused by governance: proposal 1 is being talked about");
        assert!(rule.advice().is_some_and(|advice| advice.contains("cwe gov show")));
        assert_eq!(rule.code(), 1);
        let missing = ChainFailure::from(refused(codes::NOT_FOUND));
        assert!(matches!(&missing, ChainFailure::NotFound { message, .. } if message == "m"));
        assert_eq!((missing.code(), missing.to_string()), (2, "m, says ws://x".into()));
        let full = ChainFailure::from(refused(codes::NO_SEQUENCER));
        assert!(full.advice().is_some_and(|advice| advice.contains("--url")));
    }
}
