//! Errors of calls: a code, one line for people, and data for programs.

use crate::{ledger::TxError, sequencer::Refusal};
use jsonrpsee::types::{ErrorObjectOwned, error::INVALID_PARAMS_CODE};
use serde_json::{Value, json};

/// Codes of errors, beside those of JSON-RPC itself.
pub mod codes {
    /// A rule of the ledger: the data name the module, the rule and what breaks it.
    pub const RULE: i32 = -32001;
    /// A limit of the mempool, or what became of a transaction that waited.
    pub const MEMPOOL: i32 = -32002;
    /// This node takes no transactions: the data name the node that does.
    pub const NO_SEQUENCER: i32 = -32003;
    /// There is no such thing.
    pub const NOT_FOUND: i32 = -32004;
    /// The node has too much to do at the moment.
    pub const BUSY: i32 = -32005;
    /// The node's files fail.
    pub const FILES: i32 = -32006;
    /// Subscriptions need a WebSocket, and the call came over plain HTTP.
    pub const NEEDS_WEBSOCKET: i32 = -32007;
}

/// Why a call has no result.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Failure {
    /// A parameter that is none.
    pub(super) fn parameter(name: &str, expected: &str) -> Self {
        let message = format!("parameter {name}: expected {expected}");
        Self {
            code: INVALID_PARAMS_CODE,
            message,
            data: Some(json!({ "parameter": name, "expected": expected })),
        }
    }

    /// There is no such thing.
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self { code: codes::NOT_FOUND, message: what.into(), data: None }
    }

    /// There is too much to do.
    pub(super) fn busy() -> Self {
        let message = "the node has too much to do at the moment: try again in a second".into();
        Self { code: codes::BUSY, message, data: Some(json!({ "retry_after_seconds": 1 })) }
    }

    /// News cannot be brought over plain HTTP.
    pub(super) fn needs_websocket() -> Self {
        let message = "subscriptions need a WebSocket: connect to ws://HOST:PORT of this node".into();
        Self { code: codes::NEEDS_WEBSOCKET, message, data: None }
    }

    /// Files fail.
    pub(super) fn files(error: &dyn std::error::Error) -> Self {
        Self { code: codes::FILES, message: error.to_string(), data: None }
    }
}

impl From<Failure> for ErrorObjectOwned {
    fn from(Failure { code, message, data }: Failure) -> Self {
        Self::owned(code, message, data)
    }
}

/// A refusal as programs read it.
pub(super) fn refusal(refusal: &Refusal) -> Value {
    let (module, rule, message) = match refusal {
        Refusal::Rule(error) => {
            let (module, rule) = names(error);
            (module, rule, error.to_string())
        }
        other => ("mempool".into(), first_word(&format!("{other:?}")), other.to_string()),
    };
    json!({ "module": module, "rule": rule, "message": message })
}

impl From<&Refusal> for Failure {
    fn from(found: &Refusal) -> Self {
        let code = if matches!(found, Refusal::Rule(_)) { codes::RULE } else { codes::MEMPOOL };
        Self { code, message: found.to_string(), data: Some(refusal(found)) }
    }
}

/// Module and rule of an error, which are called like its variants. So every rule has a name, those to come as well.
fn names(error: &TxError) -> (String, String) {
    let text = format!("{error:?}");
    let (module, rest) = text.split_once('(').unwrap_or((&text, ""));
    (module.to_lowercase(), first_word(rest))
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{modules::treasury::TreasuryError, transaction::EnvelopeError};
    use primitives::PersonId;

    #[test]
    fn rules_are_called_like_their_variants() {
        let signer = PersonId([7; 32]);
        let nonce = EnvelopeError::Nonce { signer, expected: 1, found: 0 };
        assert_eq!(names(&nonce.into()), ("envelope".into(), "Nonce".into()));
        assert_eq!(names(&TreasuryError::NothingToMove.into()), ("treasury".into(), "NothingToMove".into()));
        let full = refusal(&Refusal::Full { what: "bytes", limit: 3 });
        assert_eq!((&full["module"], &full["rule"]), (&json!("mempool"), &json!("Full")));
    }
}
