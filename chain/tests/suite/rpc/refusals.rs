//! Calls that have no result: one code for what there is not, one for what needs a WebSocket, and keys of the wrong shape.

use super::*;

/// Every method that names a thing answers in the same way where there is none.
#[test]
fn what_there_is_not_has_one_code() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let (nobody, none) = (json!(PersonId([0x77; 32])), json!(99));
    let missing = [
        ("cwe_block", vec![none.clone()]),
        ("cwe_account", vec![nobody.clone()]),
        ("cwe_nonce", vec![nobody.clone()]),
        ("cwe_identity", vec![nobody.clone()]),
        ("cwe_work", vec![nobody.clone()]),
        ("cwe_epoch", vec![none.clone()]),
        ("cwe_epochRecord", vec![none.clone()]),
        ("cwe_payouts", vec![nobody.clone(), none.clone()]),
        ("cwe_claims", vec![nobody, none.clone()]),
        ("cwe_proposal", vec![none.clone()]),
        ("cwe_ballots", vec![none]),
    ];
    let document = client.call("rpc.discover", &[]).expect("the document");
    for (method, arguments) in missing {
        assert_eq!(refused(client.call(method, &arguments)).0, codes::NOT_FOUND, "{method}");
        let mut described = document["methods"].as_array().expect("a list").iter();
        let described = described.find(|entry| entry["name"] == json!(method)).expect("it is described");
        let mut errors = described["errors"].as_array().expect("a list").iter();
        assert!(errors.any(|error| error["code"] == json!(codes::NOT_FOUND)), "{described}");
    }
}

#[test]
fn whoever_subscribes_over_plain_http_is_told_what_it_takes() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let document = node.client().call("rpc.discover", &[]).expect("the document");
    for method in ["cwe_subscribeHeads", "cwe_unsubscribeHeads", "cwe_subscribeTransaction"] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] });
        let (status, answer) = post(node.address, call.to_string().as_bytes());
        assert_eq!((status, &answer["error"]["code"]), (200, &json!(codes::NEEDS_WEBSOCKET)), "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|said| said.contains("ws://")), "{answer}");
        let mut described = document["methods"].as_array().expect("a list").iter();
        let described = described.find(|entry| entry["name"] == json!(method)).expect("it is described");
        assert_eq!(described["errors"][0]["code"], json!(codes::NEEDS_WEBSOCKET));
    }
}

/// Each code means one thing, and the document has all of them.
#[test]
fn every_error_is_in_the_document() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let document = node.client().call("rpc.discover", &[]).expect("the document");
    let described = |method: &str| -> BTreeSet<i64> {
        let mut methods = document["methods"].as_array().expect("a list").iter();
        let found = methods.find(|entry| entry["name"] == json!(method)).expect("it is described");
        let errors = found["errors"].as_array().expect("a list").iter();
        errors.map(|error| error["code"].as_i64().expect("a number")).collect()
    };
    let of_calls = described("cwe_block");
    for code in [-32700, -32600, -32601, -32602, codes::BUSY, codes::LONG_REQUEST, codes::LONG_BATCH] {
        assert!(of_calls.contains(&code.into()), "{code}");
    }
    let subscribes = described("cwe_subscribeHeads");
    for code in [-32602, codes::NEEDS_WEBSOCKET, codes::SUBSCRIPTIONS, codes::NO_BATCHES] {
        assert!(subscribes.contains(&code.into()), "{code}");
    }
}

/// What ends a subscription is understood in both ways, and refused where it is not understood.
#[test]
fn a_subscription_is_ended_by_order_and_by_name() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let mut socket = socket::Socket::connect(node.address);
    let mut ask = |method: &str, params: Value| {
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        socket.ask(&call.to_string())
    };
    let subscribe =
        |ask: &mut dyn FnMut(&str, Value) -> Value| ask("cwe_subscribeHeads", json!([]))["result"].clone();
    let end = "cwe_unsubscribeHeads";
    for by_name in [false, true] {
        let id = subscribe(&mut ask);
        let wrong = [
            json!([]),
            json!([id, id]),
            json!({}),
            json!({ "id": id }),
            json!({ "subscription": id, "more": 1 }),
            json!([null]),
            json!([[id]]),
        ];
        for params in wrong {
            assert_eq!(ask(end, params.clone())["error"]["code"], json!(-32602), "{params}");
        }
        let right = if by_name { json!({ "subscription": id }) } else { json!([id]) };
        assert_eq!(ask(end, right.clone())["result"], json!(true), "{right}");
        assert_eq!(ask(end, right)["result"], json!(false), "it is over");
    }
    let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "cwe_head" }]);
    assert_eq!(socket.ask(&batch.to_string())["error"]["code"], json!(codes::NO_BATCHES));
}

#[test]
fn digits_of_no_key_are_not_called_too_few() {
    let world = crate::sequencer::world();
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let zeros = json!("00".repeat(32));
    let (code, data) = refused(node.client().call("cwe_accountOf", &[zeros]));
    assert_eq!((code, &data["parameter"]), (-32602, &json!("public_key")));
    assert!(data["expected"].as_str().is_some_and(|expected| expected.contains("none")), "{data}");
}

/// No record can have a key of another shape, so a proof that there is none would say nothing.
#[test]
fn a_key_of_another_shape_is_refused_and_every_shape_is_documented() {
    let (world, dir) = settled();
    let node = Running::sequencer(dir.path(), world.ledger.origin().clone());
    let client = node.client();
    let prove = |table: &Value, key: Vec<Value>| client.call("cwe_proof", &[table.clone(), json!(key)]);
    let (number, identifier, address) = (json!(1), json!(REGISTRAR), json!(format!("0x{}", "ab".repeat(20))));
    let tables = client.call("cwe_tables", &[]).expect("tables")["tables"].clone();
    let document = client.call("rpc.discover", &[]).expect("the document");
    let mut methods = document["methods"].as_array().expect("a list").iter();
    let described = methods.find(|method| method["name"] == "cwe_proof").expect("it is described");
    for table in tables.as_array().expect("a list") {
        let name = &table["name"];
        assert_eq!(described["params"][1]["x-parts"][name.as_str().expect("a name")], table["key"]);
        let parts = table["key"].as_array().expect("a list");
        let example = |part: &Value| match part["kind"].as_str() {
            Some("number") => number.clone(),
            Some("identifier") => identifier.clone(),
            Some("address") => address.clone(),
            other => panic!("{other:?}"),
        };
        let key: Vec<Value> = parts.iter().map(example).collect();
        prove(name, key.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut wrong = vec![[&key[..], std::slice::from_ref(&number)].concat()];
        wrong.extend(key.split_last().map(|(_, shorter)| shorter.to_vec()));
        for (place, part) in key.iter().enumerate() {
            for other in [&number, &identifier, &address].into_iter().filter(|other| *other != part) {
                let mut changed = key.clone();
                changed[place] = other.clone();
                wrong.push(changed);
            }
        }
        for key in wrong {
            let (code, data) = refused(prove(name, key.clone()));
            assert_eq!((code, &data["parameter"]), (-32602, &json!("key")), "{name} {key:?}");
        }
    }
    let values = |table: &str, part: usize| {
        let mut tables = tables.as_array().expect("a list").iter();
        tables.find(|entry| entry["name"] == json!(table)).expect("a table")["key"][part]["values"].clone()
    };
    assert_eq!((&values("funds", 0)["eco"], &values("modules", 0)["dapr"]), (&json!(1), &json!(2)));
    assert_eq!(values("says", 1), json!({ "approve": 0, "veto": 1 }));
    assert_eq!(values("metrics", 2)["uptime"], json!(3));
    assert_eq!(values("reward_claims", 1), json!({ "node": 0, "person": 1 }));
    let (_, data) = refused(prove(&json!("claims"), vec![number]));
    assert_eq!(
        data["expected"],
        json!("the key of claims: [epoch (number), work (identifier), payee (identifier)]")
    );
}
