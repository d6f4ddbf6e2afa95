//! What every command does that asks a node, or signs for an account: connect, sign, send, wait.

mod failure;
mod interrupt;

pub(crate) use failure::ChainFailure;

use crate::{
    cli::{Account, Format, Sending},
    output::{self, Failure, table},
};
use chain::{Payload, Transaction, node::NodeClient, signature::SecretKey, wallet::keyfile};
use primitives::{ChainId, Digest, Encode, EpochId, PersonId, hash, ids};
use rand_core::OsRng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

/// How long a transaction may take from its confirmation into a block: the longest interval of a sequencer, twice.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest text that is hashed: a proposal and its reasons, not a library.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// What a dry run says.
pub(crate) const NOTHING: &str = "Nothing was signed or sent";

/// What is to be known of a transaction, beside where it stands.
pub(crate) type Facts = Vec<(&'static str, Value)>;

/// A node, and what it says of its chain.
pub(crate) struct Node {
    client: NodeClient,
    pub(crate) url: String,
}

impl Node {
    pub(crate) fn connect(url: &str) -> Result<Self, ChainFailure> {
        Ok(Self { client: NodeClient::connect(url)?, url: url.into() })
    }

    /// Asks.
    pub(crate) fn ask(&self, method: &str, arguments: &[Value]) -> Result<Value, ChainFailure> {
        Ok(self.client.call(method, arguments)?)
    }

    /// Asks for something that there may not be.
    pub(crate) fn find(&self, method: &str, arguments: &[Value]) -> Result<Option<Value>, ChainFailure> {
        match self.ask(method, arguments) {
            Err(ChainFailure::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// A field of an answer.
    pub(crate) fn field<T: DeserializeOwned>(&self, answer: &Value, name: &str) -> Result<T, ChainFailure> {
        serde_json::from_value(answer[name].clone()).map_err(|error| ChainFailure::Answer {
            url: self.url.clone(),
            field: name.into(),
            error,
        })
    }

    /// The items of a list in an answer.
    pub(crate) fn list(&self, answer: &Value, name: &str) -> Result<Vec<Value>, ChainFailure> {
        self.field(answer, name)
    }

    /// The next epoch that opens.
    pub(crate) fn next_epoch(&self) -> Result<EpochId, ChainFailure> {
        self.field(&self.ask("cwe_chain", &[])?, "next_epoch")
    }
}

/// An account with its key, on the chain of a node.
pub(crate) struct Wallet {
    pub(crate) node: Node,
    pub(crate) key: SecretKey,
    pub(crate) person: PersonId,
    pub(crate) chain: ChainId,
}

impl Wallet {
    /// Reads the key, and asks the node whose it is.
    pub(crate) fn open(account: &Account) -> Result<Self, ChainFailure> {
        let key = keyfile::read(&account.key)?;
        let node = Node::connect(&account.send.ask.url)?;
        let chain: ChainId = node.field(&node.ask("cwe_chain", &[])?, "chain")?;
        // What is signed for one chain holds there: a node must not choose for which.
        if let Some(expected) = account.chain.filter(|expected| *expected != chain) {
            return Err(ChainFailure::OtherChain { url: node.url, expected, found: chain });
        }
        let public = key.public_key();
        let found = node.ask("cwe_accountOf", &[json!(public)])?;
        let persons: Vec<PersonId> = node.field(&found, "persons")?;
        let person = match (account.person, persons.as_slice()) {
            (Some(person), known) if known.contains(&person) => person,
            (Some(person), _) => return Err(ChainFailure::OtherKey { person, key: public.to_string() }),
            (None, [person]) => *person,
            (None, []) => {
                return Err(ChainFailure::NoAccount { path: account.key.clone(), key: public.to_string() });
            }
            (None, _) => return Err(ChainFailure::SeveralAccounts { persons }),
        };
        Ok(Self { node, key, person, chain })
    }

    /// Signs a payload with the account's next nonce.
    pub(crate) fn sign(&self, payload: Payload) -> Result<Transaction, ChainFailure> {
        let nonce = self.node.ask("cwe_nonce", &[json!(self.person)])?;
        let nonce = self.node.field(&nonce, "next")?;
        Ok(Transaction::signed(payload, self.chain, (self.person, nonce), &self.key, &mut OsRng))
    }
}

/// Sends a transaction, and gives where it stands.
pub(crate) fn send(node: &Node, transaction: &Transaction, wait: bool) -> Result<Value, ChainFailure> {
    send_bytes(node, &ids::to_hex(&transaction.to_bytes()), wait)
}

/// The same of an encoding.
pub(crate) fn send_bytes(node: &Node, bytes: &str, wait: bool) -> Result<Value, ChainFailure> {
    let standing = node.ask("cwe_submit", &[json!(bytes)])?;
    if !wait || standing["status"] == "in-block" {
        return Ok(standing);
    }
    let (url, transaction) = (node.url.clone(), text(&standing["transaction"]));
    let _watch = interrupt::Watch::over(&url, &transaction);
    let names = ["cwe_subscribeTransaction", "cwe_unsubscribeTransaction"];
    let Ok(mut news) = node.client.subscribe(names, &[standing["transaction"].clone()]) else {
        return Err(ChainFailure::Lost { url, transaction });
    };
    let (begun, mut last) = (Instant::now(), standing);
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        match news.next(left) {
            Some(standing) if standing["status"] == "in-block" => {
                // A block drops the confirmation; who asked was given it.
                let confirmation = last["confirmation"].clone();
                let mut standing = standing;
                standing["confirmation"] = confirmation;
                return Ok(standing);
            }
            Some(standing) if standing["status"] == "refused" => {
                return Err(ChainFailure::refused(&standing["refusal"]));
            }
            Some(standing) => last = standing,
            None if node.client.is_connected() => {
                return Err(ChainFailure::NoBlock { url, transaction, seconds: PATIENCE.as_secs() });
            }
            None => return Err(ChainFailure::Lost { url, transaction }),
        }
    }
}

/// Signs a payload, sends it and prints what became of it. `facts` are what is to be known beside.
pub(crate) fn run(account: &Account, payload: Payload, facts: Facts) -> Result<(), Failure> {
    run_then(account, payload, facts, |_| Ok(Vec::new()))
}

/// The same, and asks for what is known once the transaction is in a block.
pub(crate) fn run_then(
    account: &Account,
    payload: Payload,
    mut facts: Facts,
    then: impl FnOnce(&Wallet) -> Result<Facts, ChainFailure>,
) -> Result<(), Failure> {
    // A dry run too reads the key and finds the account, so that it tells what is wrong with them.
    let wallet = Wallet::open(account)?;
    facts.push(("signer", json!(wallet.person)));
    if account.send.dry_run {
        return print(&account.send, with(json!({}), facts), NOTHING);
    }
    let transaction = wallet.sign(payload)?;
    let standing = send(&wallet.node, &transaction, !account.send.no_wait)?;
    if standing["status"] == "in-block" {
        facts.extend(then(&wallet)?);
    }
    print(&account.send, with(standing, facts), "Done")
}

/// Sends what anybody may ask for.
pub(crate) fn run_open(how: &Sending, payload: Payload, facts: Facts) -> Result<(), Failure> {
    if how.dry_run {
        return print(how, with(json!({}), facts), NOTHING);
    }
    let node = Node::connect(&how.ask.url)?;
    let standing = send(&node, &Transaction::open(payload), !how.no_wait)?;
    print(how, with(standing, facts), "Done")
}

/// Where a transaction stands, with more facts.
pub(crate) fn with(mut standing: Value, facts: Facts) -> Value {
    for (name, value) in facts {
        standing[name] = value;
    }
    standing
}

/// Prints what became of a transaction.
pub(crate) fn print(how: &Sending, mut outcome: Value, done: &str) -> Result<(), Failure> {
    if how.dry_run {
        outcome["dry_run"] = json!(true);
    }
    match how.ask.output {
        Format::Json => output::json(&outcome),
        Format::Table => output::print(&summary(&outcome, done)),
    }
}

fn summary(outcome: &Value, done: &str) -> String {
    let object = outcome.as_object().expect("an object");
    let hidden = ["waits", "refusal", "confirmation", "height", "position", "status", "dry_run"];
    let shown = object.iter().filter(|(name, value)| !hidden.contains(&name.as_str()) && !value.is_null());
    let mut rows: Vec<[String; 2]> =
        shown.map(|(name, value)| [name.replace('_', " "), text(value)]).collect();
    let place = format!("place {} of block {}", text(&outcome["position"]), text(&outcome["height"]));
    let stands = match outcome["status"].as_str() {
        Some("in-block") => Some(place),
        Some("confirmed") => Some(format!("{place}, by the sequencer's signature; not in a block yet")),
        Some("waits") => Some("waits for earlier transactions of the account".into()),
        _ => None,
    };
    rows.extend(stands.map(|stands| ["stands".to_owned(), stands]));
    format!("{done}.\n\n{}", table(["", ""], 2, rows))
}

/// A value of an answer as a cell of a table.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The beginning of an identifier, which is enough for people.
pub(crate) fn short(value: &Value) -> String {
    let text = text(value);
    if text.len() > 16 && text.is_ascii() { format!("{}…", &text[..12]) } else { text }
}

/// Hash of a text that governance is about.
pub(crate) fn document(path: &Path) -> Result<Digest, ChainFailure> {
    let failed = |error| ChainFailure::File { path: path.into(), error };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() || bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(ChainFailure::Text { path: path.into(), bytes: bytes.len() as u64, max: MAX_TEXT_BYTES });
    }
    Ok(hash::hash(hash::Domain::Document, &[&bytes]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_told_in_words() {
        let standing = json!({
            "transaction": "ab".repeat(32), "status": "confirmed", "height": 7, "position": 2,
            "confirmation": { "promise": {} }, "waits": null, "refusal": null,
        });
        let shown = summary(&with(standing.clone(), vec![("work", json!("cd"))]), "Done");
        for said in ["Done.", "place 2 of block 7", "not in a block yet", "cd", &"ab".repeat(32)] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        assert!(!shown.contains("promise"));
        let sealed = with(standing, vec![("status", json!("in-block"))]);
        assert!(!summary(&sealed, "Done").contains("yet"));
    }

    #[test]
    fn a_text_has_a_hash_and_an_empty_one_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("why.md");
        std::fs::write(&path, "because").expect("written");
        assert_eq!(document(&path).expect("a hash"), hash::hash(hash::Domain::Document, &[b"because"]));
        std::fs::write(&path, "").expect("written");
        assert!(matches!(document(&path), Err(ChainFailure::Text { bytes: 0, .. })));
        assert!(matches!(document(&folder.path().join("none")), Err(ChainFailure::File { .. })));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(short(&json!("0123456789abcdef0")), "0123456789ab…");
        assert_eq!((short(&json!("short")), short(&json!(null))), ("short".into(), "-".into()));
    }
}
