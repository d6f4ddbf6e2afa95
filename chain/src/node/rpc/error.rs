//! Errors of calls: a code, one line for people, and data for programs.

use crate::{ledger::TxError, sequencer::Refusal};
use jsonrpsee::types::{
    ErrorObjectOwned,
    error::{
        INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, INVALID_REQUEST_CODE, METHOD_NOT_FOUND_CODE,
        PARSE_ERROR_CODE,
    },
};
use serde_json::{Value, json};

/// Codes of errors, beside those of JSON-RPC itself. Each means one thing: those from -32005 to -32011 are the server
/// library's, for what it refuses before a method is asked, and ours leave them out.
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
    pub const BUSY: i32 = -32012;
    /// The node's files fail.
    pub const FILES: i32 = -32013;
    /// Subscriptions need a WebSocket, and the call came over plain HTTP.
    pub const NEEDS_WEBSOCKET: i32 = -32014;

    /// Several calls in one message, over a WebSocket.
    pub const NO_BATCHES: i32 = jsonrpsee::types::error::BATCHES_NOT_SUPPORTED_CODE;
    /// More subscriptions than one connection may have.
    pub const SUBSCRIPTIONS: i32 = jsonrpsee::types::error::TOO_MANY_SUBSCRIPTIONS_CODE;
    /// A request that is too long, over HTTP. A WebSocket on which one comes is closed.
    pub const LONG_REQUEST: i32 = jsonrpsee::types::error::OVERSIZED_REQUEST_CODE;
    /// An answer that would be too long.
    pub const LONG_ANSWER: i32 = jsonrpsee::types::error::OVERSIZED_RESPONSE_CODE;
    /// More calls in one request than it may have.
    pub const LONG_BATCH: i32 = jsonrpsee::types::error::TOO_BIG_BATCH_REQUEST_CODE;
    /// Answers to the calls of one request that would be too long together.
    pub const LONG_ANSWERS: i32 = jsonrpsee::types::error::TOO_BIG_BATCH_RESPONSE_CODE;
}

/// Every code with what it means: ours, those of the library, and those of JSON-RPC.
pub(super) const MEANINGS: [(i32, &str); 18] = [
    (codes::RULE, "a rule of the ledger"),
    (codes::MEMPOOL, "a limit of the mempool"),
    (codes::NO_SEQUENCER, "this node takes no transactions"),
    (codes::NOT_FOUND, "there is no such thing"),
    (codes::BUSY, "the node has too much to do at the moment"),
    (codes::FILES, "the node's files fail"),
    (codes::NEEDS_WEBSOCKET, "subscriptions need a WebSocket"),
    (codes::NO_BATCHES, "several calls in one message are for HTTP"),
    (codes::SUBSCRIPTIONS, "too many subscriptions of one connection"),
    (codes::LONG_REQUEST, "the request is too long"),
    (codes::LONG_ANSWER, "the answer would be too long"),
    (codes::LONG_BATCH, "too many calls in one request"),
    (codes::LONG_ANSWERS, "the answers would be too long together"),
    (PARSE_ERROR_CODE, "no JSON"),
    (INVALID_REQUEST_CODE, "no request of JSON-RPC 2.0"),
    (METHOD_NOT_FOUND_CODE, "no such method"),
    (INVALID_PARAMS_CODE, "a parameter is missing, unknown, or something else than it should be"),
    (INTERNAL_ERROR_CODE, "the node failed"),
];

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

    /// Several calls in one message of a WebSocket.
    pub(super) fn no_batches() -> Self {
        let message =
            "a WebSocket takes one call a message, and several at a time: send batches over HTTP".into();
        Self { code: codes::NO_BATCHES, message, data: None }
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
    fn every_code_means_one_thing() {
        let all: std::collections::BTreeSet<i32> = MEANINGS.iter().map(|(code, _)| *code).collect();
        assert_eq!(all.len(), MEANINGS.len());
    }

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
