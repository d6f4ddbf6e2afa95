//! The issuers: once for each subscriber and epoch, the same answer to the same request, over HTTP and across restarts.

use super::world::{EPOCH, issuers, region};
use engine::{
    api::Limits,
    client::{LinkError, Signers, http::HttpSigners},
    issuer::{Code, IssuerError, serve, serve_within},
};
use primitives::{EpochId, Tier};
use proofs::{blind::BlindSignature, receipt::Denomination, testing};
use rand_core::OsRng;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

fn request() -> BlindSignature {
    testing::issuer().public().blind(&[7; 32], &mut OsRng).unwrap().0
}

#[test]
fn one_request_of_a_subscriber_in_an_epoch_is_signed_however_often_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let (first, second) = (request(), request());
    let open = || issuers(dir.path(), &code, 0).0;
    let (at, mut issuer) = ((EPOCH, Tier(1)), open());
    let answer = issuer.sign(code.reveal(), at, &first, &mut OsRng).unwrap();
    assert_eq!(issuer.sign(code.reveal(), at, &first, &mut OsRng).unwrap(), answer);
    let refused = issuer.sign(code.reveal(), at, &second, &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::OtherRequest { epoch: EPOCH })));
    drop(issuer);
    let mut issuer = open();
    assert_eq!(issuer.sign(code.reveal(), at, &first, &mut OsRng).unwrap(), answer, "after a restart");
    let mut sign = |code: &str, at, request: &[u8]| issuer.sign(code, at, request, &mut OsRng).unwrap_err();
    assert!(matches!(sign(code.reveal(), at, &second), IssuerError::OtherRequest { .. }));
    let other = Code::generate(&mut OsRng);
    assert!(matches!(sign(other.reveal(), at, &first), IssuerError::UnknownCode));
    assert!(matches!(sign(code.reveal(), (EPOCH, Tier(2)), &first), IssuerError::OtherTier { .. }));
    assert!(matches!(sign(code.reveal(), (EpochId(4), Tier(1)), &first), IssuerError::NoKey { .. }));
    assert!(matches!(sign(code.reveal(), at, &first[1..]), IssuerError::Request));
    assert_eq!(
        issuer.keys(EPOCH),
        [(Tier(1), testing::issuer().public()), (Tier(2), testing::other_issuer().public())]
    );
}

#[test]
fn a_request_that_is_no_number_below_the_modulus_uses_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let mut issuer = issuers(dir.path(), &code, 0).0;
    let refused = issuer.sign(code.reveal(), (EPOCH, Tier(1)), &[0xff; 256], &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::Request)));
    issuer.sign(code.reveal(), (EPOCH, Tier(1)), &request(), &mut OsRng).unwrap();
}

#[test]
fn a_serving_node_gives_away_what_it_has_and_a_repeat_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let open = || issuers(dir.path(), &code, 20).1;
    let at = |views| (EPOCH, region(), Denomination::new(views).unwrap());
    let (first, second) = (request(), request());
    let mut signer = open();
    let answer = signer.sign(code.reveal(), at(16), &first, &mut OsRng).unwrap();
    for _ in 0..3 {
        assert_eq!(signer.sign(code.reveal(), at(16), &first, &mut OsRng).unwrap(), answer);
    }
    // The same number under the key of another denomination is another receipt.
    assert_ne!(signer.sign(code.reveal(), at(1), &first, &mut OsRng).unwrap(), answer);
    drop(signer);
    let mut signer = open();
    let refused = signer.sign(code.reveal(), at(4), &second, &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::Budget { left: 3, .. })));
    assert_eq!(signer.sign(code.reveal(), at(16), &first, &mut OsRng).unwrap(), answer);
    let unknown = signer.sign("nobody", at(1), &second, &mut OsRng);
    assert!(matches!(unknown, Err(IssuerError::UnknownCode)));
    assert_eq!(signer.keys(EPOCH).len(), 3);
}

#[test]
fn idle_connections_of_one_address_do_not_shut_the_others_out() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let age = Duration::from_secs(2);
    let limits = Limits { per_address: 3, proxies: Vec::new(), age, ..Limits::default() };
    let service = serve_within("127.0.0.1:0", issuers(dir.path(), &code, 0).0, limits).unwrap();
    let at = service.local_addr();
    let get = || raw(at, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let begun = Instant::now();
    let idle: Vec<_> = (0..3).map(|_| TcpStream::connect(at).unwrap()).collect();
    let turned_away = get();
    assert!(turned_away.starts_with("HTTP/1.1 429") && turned_away.contains("crowded"), "{turned_away}");
    // They end at their age, whether or not whoever holds them lets go.
    while !get().starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(9), "idle connections keep their places");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(begun.elapsed() >= age);
    drop(idle);
}

/// The answer to a request as it is written, status line and all.
fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn with_body(path: &str, code: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{code}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn the_service_says_what_is_wrong_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let (tokens, receipts) = issuers(dir.path(), &code, 4);
    let (tokens, receipts) = (serve("127.0.0.1:0", tokens).unwrap(), serve("127.0.0.1:0", receipts).unwrap());
    let (at, header) = (tokens.local_addr(), format!("authorization: Bearer {}\r\n", code.reveal()));
    let (first, second) = (request(), request());
    let get = |path: &str| {
        raw(at, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
    };
    let expect = |answer: String, status: u16, kind: &str| {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        let read: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(read["kind"], kind, "{answer}");
        assert!(read["error"].is_string() && read["hint"].is_string());
    };
    let path = "/v1/tokens/3/1";
    expect(raw(at, &with_body(path, "", &first)), 401, "no-code");
    expect(raw(at, &with_body(path, "authorization: Bearer x\r\n", &first)), 401, "unknown-code");
    expect(raw(at, &with_body("/v1/tokens/3/2", &header, &first)), 403, "other-tier");
    expect(raw(at, &with_body("/v1/tokens/9/1", &header, &first)), 404, "no-key");
    expect(raw(at, &with_body("/v1/tokens/03/1", &header, &first)), 400, "path");
    expect(raw(at, &with_body("/v1/tokens/3/900", &header, &first)), 400, "path");
    expect(raw(at, &with_body(path, &header, b"")), 400, "request");
    expect(raw(at, &with_body(path, &header, &[0; 100_000])), 413, "too-long");
    expect(raw(at, &with_body("/v1/receipts/3/1/1", &header, &first)), 404, "no-route");
    expect(get(path), 405, "method");
    expect(get("/"), 404, "no-route");
    assert!(get("/healthz").starts_with("HTTP/1.1 200"));
    let keys = get("/v1/keys/3");
    assert!(keys.contains(&primitives::ids::to_hex(testing::other_issuer().public().der())), "{keys}");
    assert!(raw(at, &with_body(path, &header, &first)).starts_with("HTTP/1.1 200"));
    expect(raw(at, &with_body(path, &header, &second)), 409, "other-request");
    // As the client meets it.
    let url = |address: SocketAddr| format!("http://{address}");
    let own = (url(at), url(receipts.local_addr()));
    let signers = HttpSigners::new((&own.0, code.reveal()), Some((&own.1, code.reveal()))).unwrap();
    assert!(signers.token(EPOCH, Tier(1), &first).is_ok());
    match signers.token(EPOCH, Tier(1), &second) {
        Err(LinkError::Refused { kind, .. }) => assert_eq!(kind, "other-request"),
        other => panic!("{other:?}"),
    }
    let views = |views| (region(), Denomination::new(views).unwrap());
    assert!(signers.receipt(EPOCH, views(4), &first).is_ok());
    match signers.receipt(EPOCH, views(1), &second) {
        Err(LinkError::Refused { kind, .. }) => assert_eq!(kind, "budget"),
        other => panic!("{other:?}"),
    }
    tokens.stop().unwrap();
    drop(receipts);
    assert!(matches!(signers.token(EPOCH, Tier(1), &first), Err(LinkError::Unreachable { .. })));
}
