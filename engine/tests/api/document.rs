//! The OpenAPI document is well formed, and says what the server does: neither knows an answer that the other does not.

use super::{FakeDesk, Limits, Manner, Status, bundle, client, desk, schema, start};
use engine::{Refusal, api::Receipt};
use primitives::{Digest, Encode, limits::MAX_BUNDLE_BYTES};
use proofs::bundle::BundleError;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

const BYTES: (&str, &str) = ("content-type", "application/octet-stream");

#[test]
fn the_document_is_well_formed() {
    let (_, _serving, at) = start(Limits::default());
    let document = client::get(at, "/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for field in ["title", "version", "description"] {
        assert!(document["info"][field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/'));
        let places: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        for (method, operation) in methods.as_object().unwrap() {
            assert!(["get", "post"].contains(&method.as_str()), "{method}");
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().all(|p| p["in"] == "path" && p["required"] == true));
            let named: BTreeSet<_> = parameters.iter().map(|p| p["name"].as_str().unwrap()).collect();
            assert_eq!(places, named, "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(status.len() == 3 && status.parse::<u16>().is_ok(), "{path}: {status}");
                assert!(!response["description"].as_str().unwrap().is_empty());
                assert!(!response["content"].as_object().unwrap().is_empty());
            }
        }
    }
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    let named: BTreeSet<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    let used: BTreeSet<_> =
        references.iter().map(|r| r.strip_prefix("#/components/schemas/").unwrap().to_owned()).collect();
    assert_eq!(used, named, "every schema is there, and every one is used");
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").map(|r| r.as_str().unwrap().to_owned()));
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

/// Asks, and holds every answer against the document.
struct Reader {
    at: SocketAddr,
    document: Value,
    /// Answers that were given: operation and status.
    seen: BTreeSet<(String, String)>,
}

impl Reader {
    fn ask(&mut self, method: &str, template: &str, place: &str, headers: &[(&str, &str)], body: &[u8]) {
        // Of two places the second stands after a slash.
        let (first, part) = place.split_once('/').unwrap_or((place, ""));
        let path = template.replace("{id}", first).replace("{epoch}", first).replace("{part}", part);
        let answer = client::ask(self.at, method, &path, headers, body);
        let operation = &self.document["paths"][template][method.to_ascii_lowercase()];
        let status = answer.status.to_string();
        let documented = &operation["responses"][&status];
        assert!(documented.is_object(), "{method} {path} gives {status}, which is not documented");
        let kind = answer.headers["content-type"].split(';').next().unwrap();
        let content =
            documented["content"].get(kind).unwrap_or_else(|| panic!("{path} gives {kind}: {documented}"));
        if kind == "application/json" {
            schema::check(&self.document, &content["schema"], &answer.json())
                .unwrap_or_else(|why| panic!("{method} {path}, {status}: {why}"));
        }
        let described: BTreeSet<_> = documented["headers"].as_object().unwrap().keys().collect();
        for name in ["retry-after", "location"] {
            let allowed = described.contains(&name.to_owned());
            assert!(
                allowed || !answer.headers.contains_key(name),
                "{path}, {status}: {name} is not documented"
            );
        }
        self.seen.insert((operation["operationId"].as_str().unwrap().to_owned(), status));
    }

    fn get(&mut self, template: &str, place: &str) {
        self.ask("GET", template, place, &[], &[]);
    }

    fn submit(&mut self, headers: &[(&str, &str)], body: &[u8]) {
        self.ask("POST", "/v1/bundles", "", headers, body);
    }
}

#[test]
fn every_answer_is_documented_and_every_documented_answer_is_given() {
    let (desk, serving, at) = start(Limits { body: Duration::from_secs(2), ..Limits::default() });
    let document = client::get(at, "/openapi.json").json();
    let mut reader = Reader { at, document, seen: BTreeSet::new() };
    ask_for_bundles(&mut reader, &desk);
    ask_for_the_rest(&mut reader, &desk);
    let mut documented = BTreeSet::new();
    for methods in reader.document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            documented.extend(
                operation["responses"].as_object().unwrap().keys().map(|s| (name.to_owned(), s.clone())),
            );
        }
    }
    let missing: Vec<_> = documented.difference(&reader.seen).collect();
    assert!(missing.is_empty(), "never given: {missing:?}");
    serving.stop().unwrap();
    let text = desk.telemetry.render();
    let routes: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("cwe_http_requests_total{route=\"")?.split_once('"'))
        .collect();
    let names: BTreeSet<_> = reader.seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(routes.into_keys().collect::<BTreeSet<_>>(), names, "requests are counted by the same names");
}

fn ask_for_bundles(reader: &mut Reader, desk: &FakeDesk) {
    let (good, later) = (bundle(desk, 1), bundle(desk, 2));
    let id = good.id().to_string();
    reader.submit(&[BYTES], &good.to_bytes());
    reader.submit(&[BYTES], b"no bundle");
    reader.submit(&[BYTES], &vec![0; MAX_BUNDLE_BYTES + 1]);
    reader.submit(&[("content-type", "text/plain")], &good.to_bytes());
    reader.submit(&[BYTES, ("content-encoding", "gzip")], &good.to_bytes());
    reader.submit(&[BYTES, ("content-length", "1000")], b"the rest never comes");
    for refusal in refusals() {
        desk.behave(Manner::Refuse(refusal, None));
        reader.submit(&[BYTES], &later.to_bytes());
    }
    desk.behave(Manner::Pending);
    reader.submit(&[BYTES], &later.to_bytes());

    let (status, inclusion) = ("/v1/bundles/{id}", "/v1/bundles/{id}/inclusion");
    let found = desk.inclusion(later.id()).1;
    let receipt = Receipt::sign(&desk.committee.signers[0], found.chain, found.epoch, later.id());
    let mut stands = vec![Status::Unknown, Status::Waiting, Status::Provisional(receipt)];
    stands.extend(refusals().map(Status::Refused));
    stands.push(Status::Final(Box::new(found)));
    for path in [status, inclusion] {
        reader.get(path, &id);
        for bad in ["x", "..%2f", &id[1..], &id.to_uppercase()] {
            reader.get(path, bad);
        }
        for stand in &stands {
            desk.stand(later.id(), stand.clone());
            reader.get(path, &later.id().to_string());
        }
        reader.get(path, &Digest([1; 32]).to_string());
    }
    reader.ask("GET", inclusion, &later.id().to_string(), &[("accept", "application/octet-stream")], &[]);
}

/// A refusal of every status and every rule about coming again.
fn refusals() -> impl Iterator<Item = Refusal> {
    let shard = primitives::ShardIndex(7);
    let party = primitives::PartyId::ALL[2];
    let tier = primitives::Tier(1);
    [
        Refusal::Closed,
        Refusal::TooLong { bytes: 1 },
        Refusal::Malformed(primitives::CodecError::Trailing { extra: 1 }),
        Refusal::UnknownShard { shard },
        Refusal::Duplicate,
        Refusal::TakenIn,
        Refusal::Busy,
        Refusal::Proof(BundleError::Token),
        Refusal::Replay { event: 1 },
        Refusal::SpentReceipt { receipt: 1 },
        Refusal::ReusedEphemeral { share: party },
        Refusal::TooManyBundles { limit: 3 },
        Refusal::SpentElsewhere,
        Refusal::TooFarAhead,
        Refusal::MayBeCounted,
        Refusal::Unsold { tier, sold: 4 },
        Refusal::EpochFull,
        Refusal::Share { share: party },
        Refusal::Objected { party },
        Refusal::NotInTime,
    ]
    .into_iter()
}

fn ask_for_the_rest(reader: &mut Reader, fake: &FakeDesk) {
    for path in ["/v1/epoch", "/v1/epoch/document", "/v1/evidence", "/metrics", "/openapi.json"] {
        reader.get(path, "");
    }
    for epoch in [
        &desk::UNREADABLE.to_string(),
        &desk::BUSY.to_string(),
        "1",
        "2",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "one",
        "%00",
    ] {
        reader.get("/v1/epochs/{epoch}/record", epoch);
        reader.get("/v1/epochs/{epoch}/statements", epoch);
        for part in ["0", "1", "4294967296", "last"] {
            reader.get("/v1/epochs/{epoch}/statements/{part}", &format!("{epoch}/{part}"));
        }
    }
    for trouble in [None, Some("the link to party 2 is down")] {
        fake.set_trouble(trouble);
        reader.get("/healthz", "");
        reader.get("/readyz", "");
    }
    fake.set_open(false);
    reader.get("/v1/epoch", "");
    reader.get("/v1/epoch/document", "");
}
