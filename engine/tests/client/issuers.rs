//! The issuers: once for each subscriber and epoch, the same answer to the same request, over HTTP and across restarts.

use super::world::{EPOCH, NEXT, TestChain, issuers, issuers_on, keep_keys, region};
use engine::{
    api::Limits,
    client::{LinkError, Signers, http::HttpSigners},
    issuer::{
        Code, IssuerError, OpenError, Serving, Standing, Subscriber,
        codes::Entry,
        keys::{self, Purpose},
        serve, serve_within,
    },
};
use primitives::{EpochId, Tier};
use proofs::{blind::BlindSignature, receipt::Denomination, testing};
use rand_core::OsRng;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
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

/// A code that takes the place of a lost one is the same subscription: no second token, and no second quota.
#[test]
fn a_code_in_the_place_of_another_gets_what_that_one_has_left() {
    let (dir, old) = (tempfile::tempdir().unwrap(), Code::generate(&mut OsRng));
    let (at, first) = ((EPOCH, Tier(1)), request());
    let sixteen = (EPOCH, region(), Denomination::new(16).unwrap());
    let (mut tokens, mut receipts) = issuers(dir.path(), &old, 20);
    let answer = tokens.sign(old.reveal(), at, &first, &mut OsRng).unwrap();
    receipts.sign(old.reveal(), sixteen, &first, &mut OsRng).unwrap();
    let new = Code::generate(&mut OsRng);
    let paid = Subscriber::new(old.hash(), Tier(1)).with_code(new.hash());
    let served = Serving::new(old.hash(), 20).with_code(new.hash());
    tokens.admit([(new.hash(), paid)].into());
    receipts.admit([(new.hash(), served)].into());
    assert_eq!(tokens.sign(new.reveal(), at, &first, &mut OsRng).unwrap(), answer);
    let refused = tokens.sign(new.reveal(), at, &request(), &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::OtherRequest { .. })));
    let refused = receipts.sign(new.reveal(), sixteen, &request(), &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::Budget { left: 4, .. })));
    let refused = tokens.sign(old.reveal(), at, &first, &mut OsRng);
    assert!(matches!(refused, Err(IssuerError::UnknownCode)), "the old one is nobody's");
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

/// Keys of the next epoch, beside those of the one that is open.
fn keep_keys_ahead(folder: &Path) {
    keep_keys(folder);
    keys::keep(folder, Purpose::Token(NEXT, Tier(1)), testing::issuer()).unwrap();
    for d in Denomination::all() {
        keys::keep(folder, Purpose::Receipt(NEXT, region(), d), testing::receipt_issuer(d)).unwrap();
    }
}

#[test]
fn an_issuer_signs_for_the_epoch_that_is_open_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, code) = (TestChain::new(), Code::generate(&mut OsRng));
    keep_keys_ahead(dir.path());
    let (mut tokens, mut receipts) = issuers_on(&chain, dir.path(), &code, 20);
    let (first, second) = (request(), request());
    let one = Denomination::new(1).unwrap();
    let mut sign = |epoch, request: &[u8]| {
        let token = tokens.sign(code.reveal(), (epoch, Tier(1)), request, &mut OsRng);
        let receipt = receipts.sign(code.reveal(), (epoch, region(), one), request, &mut OsRng);
        (token, receipt)
    };
    // There are keys, and who has paid now has not paid for then.
    let early = sign(NEXT, &first);
    assert!(matches!(
        early,
        (Err(IssuerError::NotOpen { epoch: NEXT }), Err(IssuerError::NotOpen { epoch: NEXT }))
    ));
    let answers = sign(EPOCH, &first);
    let answers = (answers.0.unwrap(), answers.1.unwrap());
    // Whoever lost an answer gets it, and nobody else gets one.
    chain.put(EPOCH, Standing::Closed);
    let again = sign(EPOCH, &first);
    assert_eq!((again.0.unwrap(), again.1.unwrap()), answers);
    for standing in [Standing::Closed, Standing::Over] {
        chain.put(EPOCH, standing);
        let late = sign(EPOCH, &second);
        assert!(
            matches!(late, (Err(IssuerError::EpochOver { .. }), Err(IssuerError::EpochOver { .. }))),
            "{standing:?}"
        );
    }
    chain.put(NEXT, Standing::Open { max_bundles: 1 });
    let next = sign(NEXT, &first);
    assert!(next.0.is_ok() && next.1.is_ok(), "what was refused used nothing up");
    assert_eq!(tokens.keys(NEXT).len(), 1, "public keys are shown at any time");
}

#[test]
fn what_was_signed_in_an_epoch_that_is_over_takes_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, code) = (TestChain::new(), Code::generate(&mut OsRng));
    keep_keys_ahead(dir.path());
    let open = || issuers_on(&chain, dir.path(), &code, 0).0;
    let files = || [EPOCH, NEXT].map(|epoch| dir.path().join(format!("tokens-{epoch}.log")).exists());
    let mut issuer = open();
    issuer.sign(code.reveal(), (EPOCH, Tier(1)), &request(), &mut OsRng).unwrap();
    chain.put(EPOCH, Standing::Closed);
    chain.put(NEXT, Standing::Open { max_bundles: 1 });
    issuer.sign(code.reveal(), (NEXT, Tier(1)), &request(), &mut OsRng).unwrap();
    assert_eq!((issuer.forget(), files()), (vec![], [true, true]), "it is not over yet");
    chain.put(EPOCH, Standing::Over);
    assert_eq!((issuer.forget(), files()), (vec![EPOCH], [false, true]));
    drop(issuer);
    chain.put(NEXT, Standing::Over);
    drop(open());
    assert_eq!(files(), [false, false], "an epoch may end while the issuer is away");
}

#[test]
fn one_code_has_as_many_receipts_as_its_views_need_and_leaves_room_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, code) = (TestChain::new(), Code::generate(&mut OsRng));
    chain.put(EPOCH, Standing::Open { max_bundles: 1 });
    let (_, mut signer) = issuers_on(&chain, dir.path(), &code, 64);
    let mut sign = |views| {
        let at = (EPOCH, region(), Denomination::new(views).unwrap());
        signer.sign(code.reveal(), at, &request(), &mut OsRng)
    };
    // 64 views are four of the largest, and in one bundle no more than six others.
    for _ in 0..10 {
        sign(1).unwrap();
    }
    assert!(matches!(sign(1), Err(IssuerError::Receipts { most: 10, .. })));
}

#[test]
fn what_is_repeated_holds_under_the_key_that_is_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, code, request) = (TestChain::new(), Code::generate(&mut OsRng), request());
    let at = (EPOCH, Tier(1));
    let mut issuer = issuers_on(&chain, dir.path(), &code, 0).0;
    let answer = issuer.sign(code.reveal(), at, &request, &mut OsRng).unwrap();
    drop(issuer);
    // The key of another issuer: what it would sign holds nowhere, so that it does not even start.
    let purpose = Purpose::Token(EPOCH, Tier(1));
    keys::keep(dir.path(), purpose, testing::other_issuer()).unwrap();
    let opened = engine::issuer::TokenIssuer::open(dir.path(), Default::default(), chain.clone());
    assert!(matches!(opened, Err(OpenError::OtherKey { purpose: of }) if of == purpose));
    // Once it is restored, the same request gets the answer that holds.
    let mut issuer = issuers_on(&chain, dir.path(), &code, 0).0;
    assert_eq!(issuer.sign(code.reveal(), at, &request, &mut OsRng).unwrap(), answer);
    assert_eq!(testing::issuer().sign(&request, &mut OsRng).unwrap(), answer);
}

#[test]
fn a_torn_file_of_what_was_signed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let code = Code::generate(&mut OsRng);
    let (mut issuer, first) = (issuers(dir.path(), &code, 0).0, request());
    assert_eq!(issuer.torn(), []);
    let answer = issuer.sign(code.reveal(), (EPOCH, Tier(1)), &first, &mut OsRng).unwrap();
    drop(issuer);
    let file = dir.path().join(format!("tokens-{EPOCH}.log"));
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend([1; 20]);
    fs::write(&file, bytes).unwrap();
    let mut issuer = issuers(dir.path(), &code, 0).0;
    assert_eq!(issuer.torn().iter().map(|tail| tail.bytes).collect::<Vec<_>>(), [20]);
    assert_eq!(issuer.sign(code.reveal(), (EPOCH, Tier(1)), &first, &mut OsRng).unwrap(), answer);
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
    keep_keys_ahead(dir.path());
    let chain = TestChain::new();
    let (tokens, receipts) = issuers_on(&chain, dir.path(), &code, 4);
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
    let early = raw(at, &with_body("/v1/tokens/4/1", &header, &first));
    assert!(early.contains("retry-after: 2\r\n"), "{early}");
    expect(early, 503, "not-open");
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
    match signers.token(NEXT, Tier(1), &first) {
        Err(LinkError::Busy { kind, retry_after: Some(_) }) => assert_eq!(kind, "not-open"),
        other => panic!("{other:?}"),
    }
    chain.put(EPOCH, Standing::Over);
    match signers.token(EPOCH, Tier(1), &first) {
        Err(LinkError::Refused { kind, .. }) => assert_eq!(kind, "epoch-over"),
        other => panic!("{other:?}"),
    }
    tokens.stop().unwrap();
    drop(receipts);
    assert!(matches!(signers.token(EPOCH, Tier(1), &first), Err(LinkError::Unreachable { .. })));
}
