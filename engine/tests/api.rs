//! The API over real sockets, before a desk that verifies real bundles.

#[path = "api/client.rs"]
mod client;
#[path = "api/desk.rs"]
mod desk;
#[path = "api/document.rs"]
mod document;
#[path = "api/limits.rs"]
mod limits;
#[path = "api/logs.rs"]
mod logs;
#[path = "api/malformed.rs"]
mod malformed;
#[path = "api/privacy.rs"]
mod privacy;
#[path = "api/schema.rs"]
mod schema;

use client::{ask, get, submit};
use desk::{FakeDesk, Manner};
use engine::{
    Refusal,
    api::{Limits, Receipt, Serving, Status, serve},
    opening::EpochDocument,
};
use primitives::{Decode, Digest, Encode, ids::from_hex};
use proofs::{
    bundle::Bundle,
    inclusion::Inclusion,
    testing::{TestSubscriber, event},
};
use std::{
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// An API before a fresh desk, on any port.
fn start(limits: Limits) -> (Arc<FakeDesk>, Serving, SocketAddr) {
    logs::keep();
    let desk = FakeDesk::new();
    let serving = serve(([127, 0, 0, 1], 0).into(), desk.clone(), limits).unwrap();
    let at = serving.local_addr();
    (desk, serving, at)
}

/// The first bundle of a subscriber.
fn bundle(desk: &FakeDesk, seed: u64) -> Bundle {
    TestSubscriber::new(seed).bundle(&desk.context, vec![event(1, 0, true), event(2, 0, false)])
}

fn receipt(response: &client::Response) -> Receipt {
    assert_eq!(response.status, 200, "{response:?}");
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn the_same_bytes_get_the_same_receipt_and_it_verifies() {
    let (desk, _serving, at) = start(Limits::default());
    let bundle = bundle(&desk, 1);
    let first = submit(at, &bundle.to_bytes());
    let given = receipt(&first);
    assert_eq!(given.bundle, bundle.id());
    assert_eq!(given.verify(&desk.committee.public), Ok(()));
    for _ in 0..3 {
        assert_eq!(submit(at, &bundle.to_bytes()).body, first.body);
    }
    assert_eq!(desk.count(), 1);
    let text = desk.telemetry.render();
    assert!(text.contains("cwe_http_requests_total{route=\"submit\",status=\"200\"} 4"), "{text}");
}

#[test]
fn an_event_that_was_counted_and_a_proof_that_fails_are_refused_each_in_its_way() {
    let (desk, _serving, at) = start(Limits::default());
    let first = bundle(&desk, 1);
    receipt(&submit(at, &first.to_bytes()));
    // The same subscriber with the same events, and other randomness.
    let mut again = TestSubscriber::new(1);
    again.rng = TestSubscriber::new(2).rng;
    let replay = again.bundle(&desk.context, vec![event(1, 0, false)]);
    let refused = submit(at, &replay.to_bytes());
    assert_eq!((refused.status, refused.kind().as_str()), (409, "replay"));
    let mut lie = bundle(&desk, 3);
    lie.envelope.window = 1;
    let refused = submit(at, &lie.to_bytes());
    assert_eq!((refused.status, refused.kind().as_str()), (422, "proof"));
    assert_eq!(desk.count(), 1);
}

#[test]
fn a_client_that_has_waited_long_enough_is_told_where_to_ask() {
    let (desk, _serving, at) = start(Limits { patience: Duration::from_millis(200), ..Limits::default() });
    desk.behave(Manner::Slow(Duration::from_secs(30)));
    let bundle = bundle(&desk, 1);
    let began = Instant::now();
    let told = submit(at, &bundle.to_bytes());
    assert_eq!(told.status, 202);
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(told.headers["location"], format!("/v1/bundles/{}", bundle.id()));
    desk.stand(bundle.id(), Status::Waiting);
    assert_eq!(get(at, &told.headers["location"]).json()["state"], "waiting");
}

#[test]
fn a_bundle_is_followed_from_its_receipt_to_its_place_in_the_record() {
    let (desk, _serving, at) = start(Limits::default());
    let bundle = bundle(&desk, 1);
    let path = format!("/v1/bundles/{}", bundle.id());
    let proof = format!("{path}/inclusion");
    assert_eq!(get(at, &path).kind(), "unknown-bundle");
    assert_eq!(get(at, &proof).kind(), "unknown-bundle");
    let given = receipt(&submit(at, &bundle.to_bytes()));
    let told = get(at, &path).json();
    assert_eq!(told["state"], "provisional");
    assert_eq!(serde_json::from_value::<Receipt>(told["receipt"].clone()).unwrap(), given);
    assert_eq!(get(at, &proof).kind(), "not-final");
    let (header, found) = desk.inclusion(bundle.id());
    desk.stand(bundle.id(), Status::Final(Box::new(found.clone())));
    let told = get(at, &proof).json();
    let bytes = from_hex(told["bytes"].as_str().unwrap()).unwrap();
    assert_eq!(Inclusion::from_bytes(&bytes).unwrap().verify(&header), Ok(()));
    let raw = ask(at, "GET", &proof, &[("accept", "application/octet-stream")], &[]);
    assert_eq!((raw.headers["content-type"].as_str(), &raw.body), ("application/octet-stream", &bytes));
    desk.stand(bundle.id(), Status::Refused(Refusal::NotInTime));
    assert_eq!(get(at, &path).json()["refusal"]["kind"], "not-in-time");
}

#[test]
fn a_device_makes_bundles_with_nothing_but_the_document() {
    let (desk, _serving, at) = start(Limits::default());
    let served = get(at, "/v1/epoch/document");
    let document = EpochDocument::from_bytes(&served.body).unwrap();
    assert_eq!(document.to_bytes(), served.body);
    let opened = document.opened().unwrap();
    assert_eq!(opened.shards[0].digest, desk.context.digest, "it is what bundles are verified against");
    let bundle = TestSubscriber::new(1).bundle(&opened.shards[0], vec![event(1, 0, false)]);
    receipt(&submit(at, &bundle.to_bytes()));
    let told = get(at, "/v1/epoch").json();
    assert_eq!((&told["phase"], &told["opening"]["chain"]), (&"collect".into(), &5.into()));
    assert_eq!(told["opening"]["shards"][0]["works"].as_array().unwrap().len(), 10);
    assert_eq!(told["opening"]["beacon"], Digest([9; 32]).to_string());
}

#[test]
fn no_changed_byte_of_a_document_makes_its_reader_panic() {
    let desk = FakeDesk::new();
    let bytes = desk::document(&desk.context).to_bytes();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        if let Ok(document) = EpochDocument::from_bytes(&changed) {
            assert_eq!(document.to_bytes(), changed, "byte {at} has a second spelling");
        }
    }
}

#[test]
fn heads_options_and_other_methods_are_answered_as_http_has_it() {
    let (_, _serving, at) = start(Limits::default());
    let whole = get(at, "/v1/epoch");
    let head = ask(at, "HEAD", "/v1/epoch", &[], &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers["content-length"], whole.headers["content-length"]);
    let options = ask(at, "OPTIONS", "/v1/bundles", &[("origin", "https://example.org")], &[]);
    assert_eq!((options.status, options.headers["allow"].as_str()), (204, "POST, OPTIONS"));
    assert!(
        !options.headers.keys().any(|name| name.starts_with("access-control")),
        "no page of another site reads this"
    );
    let wrong = ask(at, "POST", "/v1/epoch", &[], b"{}");
    assert_eq!((wrong.status, wrong.kind().as_str()), (405, "method"));
    assert_eq!(wrong.headers["allow"], "GET, HEAD, OPTIONS");
    for path in ["/", "/v1", "/v1/bundle", "/v1/epochs", "/v1/epoch/", "//", "/v1/bundles/../epoch"] {
        let nowhere = get(at, path);
        assert_eq!((nowhere.status, nowhere.kind().as_str()), (404, "no-route"), "{path}");
    }
}

#[test]
fn stopping_finishes_the_requests_in_hand() {
    let (desk, serving, at) = start(Limits::default());
    // A connection that asks for nothing more does not hold the end up.
    let mut idle = client::connect(at);
    client::send(&mut idle, "GET", "/healthz", &[], &[]);
    assert_eq!(client::read(&mut idle, "GET").unwrap().status, 200);
    desk.behave(Manner::Slow(Duration::from_secs(2)));
    let bytes = bundle(&desk, 1).to_bytes();
    let in_hand = thread::spawn(move || submit(at, &bytes));
    thread::sleep(Duration::from_millis(700));
    let began = Instant::now();
    serving.stop().unwrap();
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    receipt(&in_hand.join().unwrap());
    assert!(std::net::TcpStream::connect(at).is_err(), "nobody listens any more");
}

#[test]
fn what_cannot_serve_says_so_before_it_does() {
    let (desk, _serving, at) = start(Limits::default());
    let nobody = Limits { submissions: 0, ..Limits::default() };
    let refused = serve(([127, 0, 0, 1], 0).into(), desk.clone(), nobody).err().unwrap();
    assert!(matches!(refused, engine::api::ApiError::Limit { limit: "submissions" }), "{refused}");
    let taken = serve(at, desk, Limits::default()).err().unwrap();
    assert!(matches!(taken, engine::api::ApiError::Listen { .. }), "{taken}");
}
