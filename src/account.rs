//! What every command does that asks a node, or signs for an account: connect, sign, send, wait.

mod failure;
mod interrupt;

pub(crate) use failure::ChainFailure;

use crate::{
    cli::{Account, Format, Sending, WorkName},
    output::{self, Failure},
};
use chain::{
    Payload, Transaction,
    modules::governance::Unit,
    node::NodeClient,
    signature::SecretKey,
    wallet::{address, keyfile},
};
use primitives::{ChainId, Digest, Encode, EpochId, PersonId, WorkId, hash, ids};
use rand_core::OsRng;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long a transaction may take from its confirmation into a block: the longest interval of a sequencer, twice.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a node is asked whether it has made a block.
const POLL: Duration = Duration::from_millis(200);
/// Longest text that is hashed: a proposal and its reasons, not a library.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// What a dry run says.
const WOULD_BE_TAKEN: &str =
    "Nothing was signed or handed in. The ledger would take it, as it stands after its last block";
/// What it says of what a node does not judge for the asking.
const NOT_ASKED: &str =
    "Nothing was signed or handed in. Whether the ledger would take it is not known: judging it takes long";

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

    /// Asks whether the ledger would take a payload: the block after which it would, or the rule that refuses it. The node
    /// sees the payload without a signature. None for one that a node judges only when it is handed in.
    fn check(&self, signer: Option<PersonId>, payload: &Payload) -> Result<Option<Value>, ChainFailure> {
        if payload.takes_long() {
            return Ok(None);
        }
        let bytes = ids::to_hex(&payload.to_bytes());
        let answer = self.ask("cwe_check", &[json!(bytes), json!(signer)])?;
        match &answer["refusal"] {
            Value::Null => Ok(Some(answer["height"].clone())),
            refusal => Err(ChainFailure::refused(refusal)),
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

    /// The one work that a name or its beginning is of.
    pub(crate) fn work(&self, name: &WorkName) -> Result<WorkId, ChainFailure> {
        let digits = match name {
            WorkName::Whole(work) => return Ok(*work),
            WorkName::Beginning(digits) => digits,
        };
        // A page begins after a name. No work is called like this one, since names are hashes.
        let page = self.ask("cwe_works", &[json!(format!("{digits:0<64}")), json!(2)])?;
        let works = self.list(&page, "works")?;
        let ids = works.iter().map(|work| self.field::<WorkId>(work, "id")).collect::<Result<Vec<_>, _>>()?;
        let mut found = ids.into_iter().filter(|id| id.to_string().starts_with(digits));
        match (found.next(), found.next()) {
            (Some(work), None) => Ok(work),
            (Some(first), Some(second)) => {
                Err(ChainFailure::Ambiguous { digits: digits.clone(), works: [first, second] })
            }
            (None, _) => {
                let message = format!("no work that begins with {digits} is registered");
                Err(ChainFailure::NotFound { url: self.url.clone(), message })
            }
        }
    }

    /// The epoch that runs, or the first before any has opened.
    pub(crate) fn epoch(&self) -> Result<EpochId, ChainFailure> {
        self.field(&self.ask("cwe_chain", &[])?, "epoch")
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
        Self::of((key, &account.key), &account.send.ask.url, account.person, account.chain)
    }

    /// The account of a key from a file, which a node is asked for.
    pub(crate) fn of(
        (key, path): (SecretKey, &Path),
        url: &str,
        person: Option<PersonId>,
        chain: Option<ChainId>,
    ) -> Result<Self, ChainFailure> {
        let node = Node::connect(url)?;
        let found: ChainId = node.field(&node.ask("cwe_chain", &[])?, "chain")?;
        // What is signed for one chain holds there: a node must not choose for which.
        if let Some(expected) = chain.filter(|expected| *expected != found) {
            return Err(ChainFailure::OtherChain { url: node.url, expected, found });
        }
        let public = key.public_key();
        let answer = node.ask("cwe_accountOf", &[json!(public)])?;
        let persons: Vec<PersonId> = node.field(&answer, "persons")?;
        let person = match (person, persons.as_slice()) {
            (Some(person), known) if known.contains(&person) => person,
            (Some(person), _) => return Err(ChainFailure::OtherKey { person, key: public.to_string() }),
            (None, [person]) => *person,
            (None, []) => {
                return Err(ChainFailure::NoAccount { path: path.into(), key: public.to_string() });
            }
            (None, _) => return Err(ChainFailure::SeveralAccounts { persons }),
        };
        Ok(Self { node, key, person, chain: found })
    }

    /// Waits until every confirmed transaction of the account is in a block, and so in what the node has on record.
    pub(crate) fn wait_for_block(&self) -> Result<(), ChainFailure> {
        let begun = Instant::now();
        loop {
            let nonce = self.node.ask("cwe_nonce", &[json!(self.person)])?;
            if nonce["sealed"] == nonce["next"] {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let (person, seconds) = (self.person, PATIENCE.as_secs());
                return Err(ChainFailure::Unsealed { person, seconds });
            }
            thread::sleep(POLL);
        }
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
    facts: Facts,
    then: impl FnOnce(&Wallet) -> Result<Facts, ChainFailure>,
) -> Result<(), Failure> {
    // A dry run too reads the key and finds the account, so that it tells what is wrong with them.
    carry_out(&Wallet::open(account)?, &account.send, payload, facts, then)
}

/// The same as [`run`] for an account that is open.
pub(crate) fn run_by(wallet: &Wallet, how: &Sending, payload: Payload, facts: Facts) -> Result<(), Failure> {
    carry_out(wallet, how, payload, facts, |_| Ok(Vec::new()))
}

fn carry_out(
    wallet: &Wallet,
    how: &Sending,
    payload: Payload,
    mut facts: Facts,
    then: impl FnOnce(&Wallet) -> Result<Facts, ChainFailure>,
) -> Result<(), Failure> {
    facts.push(("signer", json!(wallet.person)));
    if how.dry_run {
        return dry_run(&wallet.node, how, Some(wallet.person), &payload, facts);
    }
    let transaction = wallet.sign(payload)?;
    let standing = send(&wallet.node, &transaction, !how.no_wait)?;
    if standing["status"] == "in-block" {
        facts.extend(then(wallet)?);
    }
    print(how, standing, facts, "Done")
}

/// Sends what anybody may ask for.
pub(crate) fn run_open(how: &Sending, payload: Payload, mut facts: Facts) -> Result<(), Failure> {
    let node = Node::connect(&how.ask.url)?;
    if how.dry_run {
        return dry_run(&node, how, None, &payload, facts);
    }
    let transaction = Transaction::open(payload);
    // Whoever asks for the same has the same transaction: the ledger does it once, and it was not now.
    let before = node.ask("cwe_transaction", &[json!(transaction.id())])?["status"] == "in-block";
    let standing = send(&node, &transaction, !how.no_wait)?;
    if before {
        facts.push(("done_before", json!(true)));
    }
    print(how, standing, facts, if before { "It was done before, and nothing was handed in" } else { "Done" })
}

/// Says what the ledger would say, and does nothing.
fn dry_run(
    node: &Node,
    how: &Sending,
    signer: Option<PersonId>,
    payload: &Payload,
    mut facts: Facts,
) -> Result<(), Failure> {
    let checked = node.check(signer, payload)?;
    let said = if checked.is_some() { WOULD_BE_TAKEN } else { NOT_ASKED };
    facts.push(("checked_after_block", json!(checked)));
    print(how, json!({}), facts, said)
}

/// Where a transaction stands, with more facts.
fn with(mut standing: Value, facts: Facts) -> Value {
    for (name, value) in facts {
        standing[name] = value;
    }
    standing
}

/// Prints what became of a transaction.
pub(crate) fn print(how: &Sending, mut standing: Value, facts: Facts, done: &str) -> Result<(), Failure> {
    match how.ask.output {
        Format::Json => {
            if how.dry_run {
                standing["dry_run"] = json!(true);
            }
            output::json(&with(standing, facts))
        }
        Format::Table => output::print(&summary(&standing, &facts, done)),
    }
}

/// The facts in the order in which they were found, the transaction, and where it stands.
fn summary(standing: &Value, facts: &Facts, done: &str) -> String {
    // What has parts of its own is for programs; people have it in a line beside.
    let known = facts.iter().filter(|(_, value)| !value.is_null() && !value.is_object());
    let mut rows: Vec<[String; 2]> =
        known.map(|(name, value)| [name.replace('_', " "), told(name, value)]).collect();
    let place = format!("place {} of block {}", text(&standing["position"]), text(&standing["height"]));
    let stands = match standing["status"].as_str() {
        Some("in-block") => Some(place),
        Some("confirmed") => Some(format!("{place}, by the sequencer's signature; not in a block yet")),
        Some("waits") => Some("waits for earlier transactions of the account".into()),
        _ => None,
    };
    if let Some(stands) = stands {
        rows.push(["transaction".into(), text(&standing["transaction"])]);
        rows.push(["stands".into(), stands]);
    }
    format!("{done}.\n\n{}", output::facts(&rows))
}

/// A fact for people. JSON has the ledger's own integers, whatever the command.
fn told(name: &str, value: &Value) -> String {
    match (name, value) {
        ("price", Value::Number(price)) => {
            price.as_u64().map_or_else(|| text(value), |price| Unit::Ratio.show(price))
        }
        ("splits", Value::Array(splits)) => {
            let split = |split: &Value| {
                let payee = serde_json::from_value(split["payee"].clone())
                    .map_or_else(|_| text(&split["payee"]), |person: PersonId| self::payee(&person));
                format!("{payee}={}", Unit::Share.show(split["share"].as_u64().unwrap_or(0)))
            };
            splits.iter().map(split).collect::<Vec<_>>().join(" ")
        }
        _ => text(value),
    }
}

/// A person on record, or an account on L1 as it is written there.
pub(crate) fn payee(payee: &PersonId) -> String {
    payee.layer1_address().map_or_else(|| payee.to_string(), |account| address::show(&account))
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
        let facts = vec![
            ("work", json!("cd")),
            ("also", json!(1)),
            ("nothing", json!(null)),
            ("action", json!({ "kind": "resolve" })),
        ];
        let shown = summary(&standing, &facts, "Done");
        for said in ["Done.", "place 2 of block 7", "not in a block", &"ab".repeat(32)] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        let begun = shown.lines().filter(|line| line.starts_with(' ') && !line.starts_with("  "));
        let names: Vec<_> = begun.filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["work", "also", "transaction", "stands"], "in the order of the facts");
        let sealed = with(standing, vec![("status", json!("in-block"))]);
        assert!(!summary(&sealed, &facts, "Done").contains("yet"));
    }

    /// One number, whether it was asked for or planned: programs compare them.
    #[test]
    fn prices_and_splits_are_integers_for_programs_and_words_for_people() {
        let splits = json!([{ "payee": PersonId([0x4f; 32]), "share": 2_500 }]);
        let facts = vec![("price", json!(3u64 << 31)), ("splits", splits.clone())];
        let shown = summary(&json!({}), &facts, "Done");
        assert!(
            shown.contains("price   1.5") && shown.contains(&format!("{}=25%", "4f".repeat(32))),
            "{shown}"
        );
        assert_eq!(with(json!({}), facts), json!({ "price": 3u64 << 31, "splits": splits }));
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
    fn accounts_on_layer_1_are_written_as_there() {
        let account = address::read("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed").expect("an address");
        assert_eq!(payee(&PersonId::layer1(account)), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        assert_eq!(payee(&PersonId([0x4f; 32])), "4f".repeat(32));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(short(&json!("0123456789abcdef0")), "0123456789ab…");
        assert_eq!((short(&json!("short")), short(&json!(null))), ("short".into(), "-".into()));
    }
}
