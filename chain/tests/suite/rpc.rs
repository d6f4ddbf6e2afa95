//! A node as its clients meet it: every method over a real socket, limits, subscriptions, and a node that follows.

mod governance;
mod refusals;
mod running;
mod socket;
mod submissions;

use crate::{
    sequencer::{SEQUENCER, sequencer_key},
    world::*,
};
use chain::{
    Payload, Transaction,
    modules::dapr::PayoutLeaf,
    node::{
        ClientError, NodeClient,
        rpc::{MAX_BATCH, MAX_REQUEST_BYTES, MAX_SUBSCRIPTIONS, codes},
    },
    sequencer::Confirmation,
    state::{StateProof, TableId, ToFelts, table::value_felt},
};
use primitives::{Digest, Encode, EpochId, PersonId, ids};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
pub(crate) use running::{Running, SOON, settled};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

fn hex(tx: &Transaction) -> Value {
    json!(ids::to_hex(&tx.to_bytes()))
}

#[track_caller]
fn refused(result: Result<Value, ClientError>) -> (i32, Value) {
    match result {
        Err(ClientError::Refused { code, data, .. }) => (code, data.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Every method of the document is called, and gives what the document says.
#[test]
fn every_method_does_what_the_document_says() {
    let (mut world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let claim = world.ledger.state().claims_of_epoch(FIRST).remove(0);
    let payee = json!(claim.payee);
    let document = client.call("rpc.discover", &[]).expect("the document");
    let mut called = BTreeSet::new();
    for method in document["methods"].as_array().expect("a list") {
        let name = method["name"].as_str().expect("a name");
        if method["x-notification"].is_object() || name.starts_with("cwe_unsubscribe") {
            continue;
        }
        let argument = |param: &Value| match param["name"].as_str().expect("a name") {
            "height" | "from" => json!(1),
            "person" => payee.clone(),
            "work" => json!(claim.work),
            "epoch" => json!(FIRST),
            "transaction" => json!(Digest([9; 32])),
            "payload" => json!(ids::to_hex(&Payload::Claim(claim.clone()).to_bytes())),
            "signer" => json!(null),
            "bytes" => hex(&Transaction::open(Payload::Claim(claim.clone()))),
            "table" => json!("accounts"),
            "key" => json!([payee]),
            "after" | "before" | "creator" | "category" | "media" => json!(null),
            "count" => json!(2),
            "skip" => json!(0),
            "proposal" => json!(1),
            "public_key" => json!(world.keys[&REGISTRAR].public_key()),
            other => panic!("{name}: no argument for {other}"),
        };
        let params = method["params"].as_array().expect("a list");
        let arguments: Vec<Value> = params.iter().map(argument).collect();
        let result = client.call(name, &arguments).unwrap_or_else(|error| panic!("{name}: {error}"));
        let required = method["result"]["schema"]["required"].as_array().expect("a list");
        let required: BTreeSet<&str> = required.iter().map(|field| field.as_str().expect("a name")).collect();
        // The record of an epoch is described by its own format.
        if name == "cwe_epochRecord" {
            assert!(keys(&result).contains("payout_root"));
        } else {
            assert_eq!(keys(&result), required, "{name}");
        }
        // By name it is the same call.
        let named = params.iter().zip(&arguments);
        let named: Value =
            named.map(|(p, a)| (p["name"].as_str().expect("a name").to_owned(), a.clone())).collect();
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": name, "params": named });
        let (status, answer) = post(node.address, body.to_string().as_bytes());
        assert_eq!((status, keys(&answer["result"])), (200, keys(&result)), "{name}: {answer}");
        // A parameter too many is an error, and so is one of another kind.
        let more = [arguments.clone(), vec![json!(1)]].concat();
        assert_eq!(refused(client.call(name, &more)).0, -32602, "{name}");
        for (i, param) in params.iter().enumerate() {
            let mut wrong = arguments.clone();
            wrong[i] = json!({ "not": "this" });
            let (code, data) = refused(client.call(name, &wrong));
            assert_eq!((code, &data["parameter"]), (-32602, &param["name"]), "{name}");
        }
        called.insert(name.to_owned());
    }
    assert!(called.len() > 15, "{called:?}");
    node.stop().expect("stops");
    // What was confirmed and not in a block when it was told to stop is in one now.
    let blocks = chain::node::read_blocks(dir.path()).expect("blocks");
    let last = &blocks[blocks.len() - 1];
    assert_eq!(last.transactions, vec![Transaction::open(Payload::Claim(claim))]);
    world.seal();
}

#[test]
fn queries_give_what_is_on_record() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let call = |method: &str, arguments: &[Value]| client.call(method, arguments).expect(method);
    let mut ledger = world.ledger.clone();
    let root = ledger.state_root();
    let head = call("cwe_head", &[]);
    assert_eq!((&head["height"], &head["digest"]), (&json!(ledger.height()), &json!(ledger.head())));
    let chain = call("cwe_chain", &[]);
    assert_eq!((&chain["chain"], &chain["genesis"]), (&json!(CHAIN), &json!(ledger.origin().digest())));
    assert_eq!((&chain["role"], &chain["head"]), (&json!("sequencer"), &head));
    let block = call("cwe_block", &[json!(2)]);
    assert_eq!(block["digest"], json!(world.blocks[1].digest()));
    assert_eq!(block["seal"]["signer"], json!(SEQUENCER));
    let range = call("cwe_blocks", &[json!(2), json!(3)]);
    assert_eq!(range["blocks"].as_array().map(Vec::len), Some(3));
    let tx = &world.blocks[0].transactions[1];
    let stands = call("cwe_transaction", &[json!(tx.id())]);
    assert_eq!(
        (&stands["status"], &stands["height"], &stands["position"]),
        (&json!("in-block"), &json!(1), &json!(1))
    );
    let account = call("cwe_account", &[json!(REGISTRAR)]);
    assert_eq!(account["nonce"], json!(ledger.nonce(&REGISTRAR)));
    assert_eq!(call("cwe_identity", &[json!(SEQUENCER)])["status"], json!("active"));
    let (mut works, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = call("cwe_works", &[after, json!(2)]);
        works.extend(page["works"].as_array().expect("a list").clone());
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let expected: Vec<Value> = ledger.state().works.iter().map(|work| json!(work.id)).collect();
    assert_eq!(works.iter().map(|work| work["id"].clone()).collect::<Vec<_>>(), expected);
    assert_eq!(call("cwe_work", &[expected[0].clone()]), works[0]);
    assert_eq!(call("cwe_epoch", &[json!(FIRST)])["phase"], json!("finalised"));
    let record: chain::light::EpochRecord =
        serde_json::from_value(call("cwe_epochRecord", &[json!(FIRST)])).expect("a record");
    assert_eq!(Ok(record), chain::light::record(&ledger, FIRST));
    let funds = call("cwe_funds", &[]);
    assert_eq!(funds["minted"], json!(ledger.state().supply.get(&()).map(|supply| supply.minted)));
    assert_eq!(call("cwe_version", &[])["params_digest"], json!(world.params.digest()));

    // Proofs hold against the root, and against no other key or table.
    let prove = |table: TableId, key: &[Value]| -> StateProof {
        let answer = call("cwe_proof", &[json!(table.name()), json!(key)]);
        assert_eq!(answer["state_root"], head["state_root"]);
        serde_json::from_value(answer["proof"].clone()).expect("a proof")
    };
    let proof = prove(TableId::Account, &[json!(REGISTRAR)]);
    let value = value_felt(ledger.state().accounts.get(&REGISTRAR).expect("an account"));
    assert_eq!(proof.verify(root, TableId::Account, &REGISTRAR.to_felts()), Ok(Some(value)));
    let nobody = PersonId([0x77; 32]);
    let absent = prove(TableId::Account, &[json!(nobody)]);
    assert_eq!(absent.verify(root, TableId::Account, &nobody.to_felts()), Ok(None));
    assert!(absent.verify(root, TableId::Account, &REGISTRAR.to_felts()).is_err());
    assert!(proof.verify(root, TableId::Identity, &REGISTRAR.to_felts()).is_err());
    let payout = prove(TableId::Payout, &[json!(FIRST), expected[0].clone()]);
    assert!(payout.verify(root, TableId::Payout, &(FIRST, id(&expected[0])).to_felts()).is_ok());
}

fn id(text: &Value) -> primitives::WorkId {
    text.as_str().expect("a text").parse().expect("64 digits")
}

#[test]
fn payouts_are_claimable_and_then_claimed() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let leaves: Vec<PayoutLeaf> =
        world.ledger.state().settlements.get(&FIRST).expect("settled").leaves().collect();
    let payee = leaves[0].payee;
    let of_payee: Vec<_> = leaves.iter().filter(|leaf| leaf.payee == payee).collect();
    let payouts =
        || client.call("cwe_payouts", &[json!(payee), json!(FIRST)]).expect("payouts")["payouts"].clone();
    let statuses = |payouts: &Value| -> BTreeSet<String> {
        let list = payouts.as_array().expect("a list").iter();
        list.map(|payout| payout["status"].as_str().expect("a status").to_owned()).collect()
    };
    let before = payouts();
    assert_eq!(before.as_array().map(Vec::len), Some(of_payee.len()));
    assert_eq!(statuses(&before), BTreeSet::from(["claimable".to_owned()]));
    let claims = client.call("cwe_claims", &[json!(payee), json!(FIRST)]).expect("claims");
    for claim in claims["claims"].as_array().expect("a list") {
        let stands = client.call("cwe_submit", &[claim["transaction"].clone()]).expect("owed");
        assert_eq!(stands["status"], json!("confirmed"), "{stands}");
        wait_for_block(&client, &stands["transaction"]);
    }
    assert_eq!(statuses(&payouts()), BTreeSet::from(["claimed".to_owned()]));
    let none = client.call("cwe_claims", &[json!(payee), json!(FIRST)]).expect("claims");
    assert_eq!(none["claims"], json!([]));
    let unknown = client.call("cwe_payouts", &[json!(payee), json!(99)]);
    assert_eq!(refused(unknown).0, codes::NOT_FOUND);
}

/// Waits until a transaction is in a block.
pub(crate) fn wait_for_block(client: &NodeClient, id: &Value) {
    let names = ["cwe_subscribeTransaction", "cwe_unsubscribeTransaction"];
    let mut news = client.subscribe(names, std::slice::from_ref(id)).expect("a subscription");
    while let Some(stands) = news.next(SOON) {
        if stands["status"] == "in-block" {
            return;
        }
    }
    panic!("{id} is in no block");
}

#[test]
fn a_submission_has_its_word_and_a_refusal_its_rule() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut sign = |nonce, n| {
        let key = &world.keys[&REGISTRAR];
        Transaction::signed(world.register(n), CHAIN, (REGISTRAR, nonce), key, &mut rng)
    };
    let (first, second, same) = (sign(0, 1), sign(1, 2), sign(2, 1));
    let names = ["cwe_subscribeTransaction", "cwe_unsubscribeTransaction"];
    let mut news = client.subscribe(names, &[json!(second.id())]).expect("a subscription");
    let mut heads =
        client.subscribe(["cwe_subscribeHeads", "cwe_unsubscribeHeads"], &[]).expect("a subscription");
    let mut status = || news.next(SOON).expect("news")["status"].as_str().expect("a status").to_owned();
    assert_eq!(status(), "unknown");
    let waits = client.call("cwe_submit", &[hex(&second)]).expect("it waits");
    assert_eq!((&waits["status"], &waits["waits"]["next"]), (&json!("waits"), &json!(0)));
    assert_eq!(status(), "waits");
    let placed = client.call("cwe_submit", &[hex(&first)]).expect("it is next");
    assert_eq!(placed["status"], json!("confirmed"));
    let confirmation: Confirmation =
        serde_json::from_value(placed["confirmation"].clone()).expect("a confirmation");
    assert!(confirmation.holds(&sequencer_key().public_key()));
    assert_eq!((confirmation.promise.transaction, confirmation.promise.position), (first.id(), 0));
    assert_eq!(status(), "confirmed");
    assert_eq!(
        client.call("cwe_nonce", &[json!(REGISTRAR)]).expect("a nonce"),
        json!({ "sealed": 0, "next": 2 })
    );
    assert_eq!(status(), "in-block");
    let head = heads.next(SOON).expect("a head");
    assert_eq!(head["height"], json!(confirmation.promise.height));
    assert_eq!(head, client.call("cwe_head", &[]).expect("the head"));
    assert_eq!(
        client.call("cwe_nonce", &[json!(REGISTRAR)]).expect("a nonce"),
        json!({ "sealed": 2, "next": 2 })
    );
    // Again: it is where it is.
    assert_eq!(client.call("cwe_submit", &[hex(&first)]).expect("in a block")["status"], json!("in-block"));

    let (code, data) = refused(client.call("cwe_submit", &[hex(&same)]));
    assert_eq!((code, &data["module"]), (codes::RULE, &json!("identity")));
    assert_eq!(data["rule"], json!("AlreadyRegistered"));
    let stands = client.call("cwe_transaction", &[json!(same.id())]).expect("a status");
    assert_eq!((&stands["status"], &stands["refusal"]), (&json!("refused"), &data));
    let far = sign(1000, 3);
    let (code, data) = refused(client.call("cwe_submit", &[hex(&far)]));
    assert_eq!((code, &data["rule"]), (codes::MEMPOOL, &json!("TooFarAhead")));
    let unknown = Transaction::open(finalise(EpochId(77)));
    let (code, data) = refused(client.call("cwe_submit", &[hex(&unknown)]));
    assert_eq!((code, &data["rule"]), (codes::RULE, &json!("UnknownEpoch")));
    let cut = hex(&far).as_str().map(|text| json!(text[..text.len() - 2])).expect("a text");
    assert_eq!(refused(client.call("cwe_submit", &[cut])).0, -32602);
}

/// Sends a body over plain HTTP, and gives status and answer.
fn post(address: SocketAddr, body: &[u8]) -> (u16, Value) {
    let mut socket = TcpStream::connect(address).expect("it listens");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    socket.set_read_timeout(Some(SOON)).expect("a timeout");
    // It may hang up before it has read everything.
    drop(socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body)));
    let mut answer = Vec::new();
    drop(socket.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn bodies_batches_and_subscriptions_are_bounded() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let code = |body: &[u8]| {
        let (_, answer) = post(node.address, body);
        answer["error"]["code"].as_i64()
    };
    for (malformed, expected) in [
        (&b"{"[..], -32700),
        (b"[]", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_nothing\"}", -32601),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_block\",\"params\":[\"1\"]}", -32602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_block\"}", -32602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_block\",\"params\":{\"hight\":1}}", -32602),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_block\",\"params\":[99]}", codes::NOT_FOUND.into()),
    ] {
        assert_eq!(code(malformed), Some(expected), "{}", String::from_utf8_lossy(malformed));
    }
    let zero = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cwe_blocks\",\"params\":[1,0]}";
    assert_eq!(code(zero), Some(-32602), "no blocks are no answer");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "cwe_head" });
    let batch = |n: u32| Value::Array((0..n).map(|_| call.clone()).collect()).to_string();
    let (_, full) = post(node.address, batch(MAX_BATCH).as_bytes());
    assert_eq!(full.as_array().map(Vec::len), Some(MAX_BATCH as usize));
    let (_, over) = post(node.address, batch(MAX_BATCH + 1).as_bytes());
    assert_eq!(over["error"]["code"], json!(codes::LONG_BATCH), "{over}");
    let long = vec![b' '; MAX_REQUEST_BYTES as usize + 1];
    let (status, _) = post(node.address, &long);
    assert_eq!(status, 413);
    let limits = node.client().call("rpc.discover", &[]).expect("the document")["x-limits"].clone();
    assert_eq!(
        (&limits["batch_calls"], &limits["request_bytes"]),
        (&json!(MAX_BATCH), &json!(MAX_REQUEST_BYTES))
    );

    let client = node.client();
    let subscribe = || client.subscribe(["cwe_subscribeHeads", "cwe_unsubscribeHeads"], &[]);
    let held: Vec<_> = (0..MAX_SUBSCRIPTIONS).map(|_| subscribe().expect("one of the few")).collect();
    assert!(matches!(subscribe().map(|_| ()), Err(ClientError::Refused { .. })));
    drop(held);
    // Connections too: eight in all. The ninth waits, longer than a client does.
    let held: Vec<_> = (0..7).map(|_| node.client()).collect();
    assert!(NodeClient::connect(&node.url()).is_err());
    drop(held);
}
