//! Nothing that the API logs or counts says who handed in which bundle, or anything of a bundle at all.

use super::{Limits, Manner, bundle, client, logs, start};
use engine::Refusal;
use primitives::{Encode, ids::to_hex};
use proofs::bundle::Bundle;
use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// An address that only clients of this test have. The server's own address is in what it logs.
const CLIENT: [u8; 4] = [127, 0, 0, 77];

/// A connection from that address.
fn connect(to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let socket = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((CLIENT, 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}

fn submit(to: SocketAddr, bytes: &[u8]) -> u16 {
    let mut socket = connect(to);
    client::send(&mut socket, "POST", "/v1/bundles", &[("content-type", "application/octet-stream")], bytes);
    client::read(&mut socket, "POST").unwrap().status
}

/// Everything of a bundle that would tell it apart from others.
fn secrets(bundle: &Bundle, context: &proofs::epoch::EpochContext) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = vec![
        ("the identifier", bundle.id().0.to_vec()),
        ("the subscriber's key", bundle.envelope.key.0.to_vec()),
        ("the token", bundle.token.to_vec()),
        ("the bytes", bundle.to_bytes()[1000..1064].to_vec()),
    ];
    found.extend(bundle.tags.iter().map(|tag| ("a tag", tag.0.to_vec())));
    found.extend(bundle.pseudonyms(context).iter().map(|pseudonym| ("a pseudonym", pseudonym.0.to_vec())));
    found.extend(bundle.receipts.iter().map(|receipt| ("a receipt", receipt.serial.to_vec())));
    found
}

#[test]
fn no_log_and_no_number_names_a_client_or_anything_of_a_bundle() {
    let (desk, serving, at) = start(Limits { patience: Duration::from_secs(1), ..Limits::default() });
    let bundles: Vec<_> = (1..=5).map(|seed| bundle(&desk, seed)).collect();
    assert_eq!(submit(at, &bundles[0].to_bytes()), 200);
    assert_eq!(submit(at, &bundles[0].to_bytes()), 200);
    let mut lie = bundles[1].clone();
    lie.envelope.window = 1;
    assert_eq!(submit(at, &lie.to_bytes()), 422);
    let bytes = bundles[2].to_bytes();
    assert_eq!(submit(at, &bytes[..bytes.len() - 1]), 400);
    desk.behave(Manner::Refuse(Refusal::Replay { event: 1 }, None));
    assert_eq!(submit(at, &bundles[3].to_bytes()), 409);
    desk.behave(Manner::Slow(Duration::from_secs(30)));
    assert_eq!(submit(at, &bundles[4].to_bytes()), 202);
    for bundle in &bundles {
        for path in ["", "/inclusion"] {
            let mut socket = connect(at);
            client::send(&mut socket, "GET", &format!("/v1/bundles/{}{path}", bundle.id()), &[], &[]);
            client::read(&mut socket, "GET").unwrap();
        }
    }
    let numbers = desk.telemetry.render();
    assert!(numbers.contains("cwe_bundles_refused_total{kind=\"malformed\"} 1"), "{numbers}");
    serving.stop().unwrap();

    let mut lines = logs::lines();
    let own = lines.iter().filter(|line| line.contains(" engine::api")).count();
    assert!(own >= 2, "what the API logs of itself is found: {lines:?}");
    lines.push(numbers);
    let address = std::net::Ipv4Addr::from(CLIENT).to_string();
    for line in &lines {
        assert!(!line.contains(&address), "a client's address is in {line}");
    }
    for bundle in bundles.iter().chain([&lie]) {
        for (what, bytes) in secrets(bundle, &desk.context) {
            // As hexadecimal digits, or as a list of numbers, which is how bytes are shown if nothing else is said.
            let list = format!("{:?}", &bytes[..8]);
            for text in [&to_hex(&bytes[..6]), list.trim_matches(['[', ']'])] {
                let found = lines.iter().find(|line| line.to_lowercase().contains(text));
                assert!(found.is_none(), "{what} is in {found:?}");
            }
        }
    }
}
