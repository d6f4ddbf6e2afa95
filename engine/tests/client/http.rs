//! The client over HTTP: real issuers, and parties that speak the interface of a party, not always well.

use super::{
    Folders,
    world::{TestClock, World, issuers, log, settings},
};
use engine::{
    client::{
        Answer, BundleState, Client, Folder, LinkError, MachineClock, Parties, Patience, Settings, Standing,
        http::{HttpError, HttpParties, HttpSigners},
    },
    issuer::{Code, serve},
};
use primitives::{Decode, Digest, Encode, PartyId, ids::to_hex};
use proofs::bundle::Bundle;
use rand_core::OsRng;
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// An answer: status, headers, body.
pub(super) type Reply = (u16, String, Vec<u8>);

/// What a server answers to a method, a path and a body.
pub(super) type Handler = dyn Fn(&str, &str, &[u8]) -> Reply + Send + Sync;

/// A server of few words, for as long as the test runs.
pub(super) fn server(handler: Arc<Handler>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let handler = handler.clone();
            thread::spawn(move || serve_one(stream.unwrap(), &*handler));
        }
    });
    format!("http://{address}")
}

fn serve_one(stream: TcpStream, handler: &Handler) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap() == 0 || header == "\r\n" {
            break;
        }
        let header = header.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, headers, body) = handler(method, path, &body);
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    // Whoever has read enough hangs up.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

pub(super) fn ok(value: serde_json::Value) -> Reply {
    (200, String::new(), value.to_string().into_bytes())
}

pub(super) fn error(status: u16, kind: &str, headers: &str) -> Reply {
    let body = json!({ "error": "it is so", "kind": kind, "hint": "do something" });
    (status, headers.into(), body.to_string().into_bytes())
}

/// A party of the world, as it speaks HTTP.
fn party(world: &World, number: PartyId, method: &str, path: &str, body: &[u8]) -> Reply {
    let id = || path.split('/').nth(3).unwrap().parse::<Digest>().unwrap();
    match (method, path) {
        ("POST", "/v1/bundles") => {
            let id = Bundle::from_bytes(body).unwrap().id();
            match world.submit(number, &id, body).unwrap() {
                Answer::Promised(receipt) => ok(json!(receipt)),
                Answer::Waiting => {
                    (202, String::new(), json!({ "bundle": id, "state": "waiting" }).to_string().into())
                }
                Answer::Refused { kind, .. } => error(409, &kind, ""),
            }
        }
        ("GET", path) if path.ends_with("/inclusion") => match world.inclusion(number, &id()).unwrap() {
            Some(inclusion) => (200, String::new(), inclusion.to_bytes()),
            None => error(404, "not-final", ""),
        },
        ("GET", _) => match world.standing(number, &id()).unwrap() {
            Standing::Unknown => error(404, "unknown-bundle", ""),
            Standing::Waiting => ok(json!({ "bundle": id(), "state": "waiting" })),
            Standing::Provisional(receipt) => {
                ok(json!({ "bundle": id(), "state": "provisional", "receipt": receipt }))
            }
            Standing::Final => ok(json!({ "bundle": id(), "state": "final", "inclusion": {} })),
            Standing::Refused { kind } => {
                let refusal = json!({ "error": "it is so", "kind": kind, "hint": "" });
                ok(json!({ "bundle": id(), "state": "refused", "refusal": refusal }))
            }
        },
        _ => error(404, "no-route", ""),
    }
}

#[test]
fn the_whole_way_over_http() {
    let folders = Folders::new();
    let code = Code::generate(&mut OsRng);
    let (tokens, receipts) = issuers(&folders.issuers(), &code, 6);
    let (tokens, receipts) = (serve("127.0.0.1:0", tokens).unwrap(), serve("127.0.0.1:0", receipts).unwrap());
    let url = |running: &engine::issuer::Running| format!("http://{}", running.local_addr());
    let signers =
        HttpSigners::new((&url(&tokens), code.reveal()), Some((&url(&receipts), code.reveal()))).unwrap();
    let world = Arc::new(World::new());
    // One is busy at first, one stumbles, and one is slow.
    let first = Arc::new(Mutex::new(0));
    let urls = PartyId::ALL.map(|number| {
        let (world, first) = (world.clone(), first.clone());
        server(Arc::new(move |method, path, body| {
            let mut asked = first.lock().unwrap();
            *asked += u32::from(number == PartyId::ALL[0]);
            match *asked {
                1 if number == PartyId::ALL[0] => error(429, "full", "retry-after: 0\r\n"),
                2 if number == PartyId::ALL[0] => (200, String::new(), b"<html>".to_vec()),
                3 if number == PartyId::ALL[0] => (502, String::new(), b"bad gateway".to_vec()),
                _ => {
                    drop(asked);
                    party(&world, number, method, path, body)
                }
            }
        }))
    });
    world.then(2, [super::Mishap::Slow]);
    let parties = HttpParties::new([&urls[0], &urls[1], &urls[2]]).unwrap();
    let patience =
        Patience { attempts: 8, first: Duration::from_millis(2), longest: Duration::from_millis(50) };
    let folder = Folder::open(folders.client()).unwrap();
    let settings = Settings { patience, ..settings() };
    let client = Client::open(Box::new(folder), world.epoch.clone(), settings).unwrap();
    let clock = MachineClock::default();
    let report = client.run(&log(), &signers, (&parties, &clock), &mut OsRng, &mut |_| ()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(world.came(1), world.came(2));
    world.anchor();
    let statuses = client.status(&parties, &*world).unwrap();
    assert!(statuses.iter().all(|s| matches!(s.state, BundleState::Final { .. })), "{statuses:?}");
    tokens.stop().unwrap();
    receipts.stop().unwrap();
}

#[test]
fn every_answer_of_a_party_is_taken_for_what_it_is() {
    let reply = Arc::new(Mutex::new(error(500, "", "")));
    let told = reply.clone();
    let url = server(Arc::new(move |_, _, _| told.lock().unwrap().clone()));
    let parties = HttpParties::new([&url, &url, &url]).unwrap();
    let (number, id) = (PartyId::ALL[0], Digest([7; 32]));
    let set = |answer: Reply| *reply.lock().unwrap() = answer;
    let submit = |answer: Reply| {
        set(answer);
        parties.submit(number, &id, b"bundle")
    };
    let busy = |kind: &str, seconds: Option<u64>| {
        Err(LinkError::Busy { kind: kind.into(), retry_after: seconds.map(Duration::from_secs) })
    };
    assert_eq!(submit(error(429, "full", "retry-after: 7\r\n")), busy("full", Some(7)));
    assert_eq!(submit(error(503, "closed", "retry-after: 99999999\r\n")), busy("closed", Some(86_400)));
    assert_eq!(submit(error(409, "may-be-counted", "")), busy("may-be-counted", None));
    assert_eq!(submit((500, String::new(), Vec::new())), busy("status 500", None));
    assert_eq!(submit(error(409, "duplicate", "")), Ok(Answer::Waiting));
    assert_eq!(submit((202, String::new(), Vec::new())), Ok(Answer::Waiting));
    for status in [400, 409, 413, 422] {
        let refused = Answer::Refused { kind: "proof".into(), text: "it is so; do something".into() };
        assert_eq!(submit(error(status, "proof", "")), Ok(refused));
    }
    let is_garbage = |answer: &Result<Answer, LinkError>| matches!(answer, Err(LinkError::Garbage { .. }));
    for answer in [
        error(404, "no-route", ""),
        error(401, "no-code", ""),
        (301, "location: http://127.0.0.1:1/\r\n".into(), Vec::new()),
        (200, String::new(), b"{}".to_vec()),
        (200, String::new(), vec![b'x'; 1 << 20]),
        (400, String::new(), b"<html>".to_vec()),
    ] {
        let heard = submit(answer);
        assert!(is_garbage(&heard), "{heard:?}");
    }
    // Whoever answers does not write on the terminal of who asks.
    let hostile = json!({ "error": "\u{1b}[2J".repeat(5_000), "kind": "\u{1b}]0;x\u{7}" }).to_string();
    let Ok(Answer::Refused { kind, text }) = submit((400, String::new(), hostile.into_bytes())) else {
        panic!("a refusal")
    };
    assert_eq!(kind, r"\u{1b}]0;x\u{7}");
    assert!(text.starts_with(r"\u{1b}[2J") && text.len() < 400 && !text.contains('\u{1b}'), "{text}");
    set(error(404, "unknown-bundle", ""));
    assert_eq!(parties.standing(number, &id), Ok(Standing::Unknown));
    assert_eq!(parties.inclusion(number, &id), Ok(None));
    set(ok(json!({ "bundle": id, "state": "refused", "refusal": { "kind": "replay" } })));
    assert_eq!(parties.standing(number, &id), Ok(Standing::Refused { kind: "replay".into() }));
    set(ok(json!({ "bundle": id, "state": "refused", "refusal": { "kind": "too-far-ahead" } })));
    assert_eq!(parties.standing(number, &id), Ok(Standing::Unknown), "it may come again");
    set(ok(json!({ "bundle": id, "state": "provisional" })));
    assert!(matches!(parties.standing(number, &id), Err(LinkError::Garbage { .. })), "without a receipt");
    set((200, String::new(), to_hex(&id.0).into_bytes()));
    assert!(matches!(parties.inclusion(number, &id), Err(LinkError::Garbage { .. })));
    assert_eq!(parties.epoch_document(number), Ok(to_hex(&id.0).into_bytes()));
    let silent = HttpParties::new(["http://127.0.0.1:1", &url, &url]).unwrap();
    for heard in [silent.submit(number, &id, b"").map(|_| ()), silent.standing(number, &id).map(|_| ())] {
        let Err(LinkError::Unreachable { reason }) = heard else { panic!("{heard:?}") };
        assert!(reason.starts_with("http://127.0.0.1:1: "), "the address is named, and no bundle: {reason}");
        assert!(!reason.contains(&id.to_string()), "{reason}");
    }
}

#[test]
fn addresses_that_are_none_are_refused() {
    let good = "http://127.0.0.1:1";
    for bad in ["", "ftp://x", "127.0.0.1:1", "http://x?y=z"] {
        assert!(matches!(HttpParties::new([good, bad, good]), Err(HttpError::Url { .. })), "{bad}");
    }
    assert!(matches!(HttpSigners::new((good, "a\nb"), None), Err(HttpError::Code { who: "tokens" })));
}

#[test]
fn a_clock_of_the_machine_goes_on() {
    use engine::client::Clock;
    let clock = MachineClock::default();
    clock.sleep(Duration::from_millis(2));
    assert!(clock.now() >= Duration::from_millis(2));
    assert_eq!(TestClock::default().now(), Duration::ZERO);
}
