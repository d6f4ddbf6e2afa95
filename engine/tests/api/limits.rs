//! What clients cost is bounded: bundles in hand, time, connections.

use super::{Limits, Manner, bundle, client, receipt, start, submit};
use engine::{Refusal, api::limits::RETRY};
use primitives::Encode;
use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

const BYTES: (&str, &str) = ("content-type", "application/octet-stream");

#[test]
fn a_party_that_has_its_hands_full_says_when_to_come_back() {
    let (desk, _serving, at) = start(Limits { submissions: 1, ..Limits::default() });
    desk.behave(Manner::Slow(Duration::from_secs(3)));
    let bytes = [1, 2].map(|seed| bundle(&desk, seed).to_bytes());
    let first = bytes[0].clone();
    let in_hand = thread::spawn(move || submit(at, &first));
    thread::sleep(Duration::from_millis(700));
    let told = submit(at, &bytes[1]);
    assert_eq!((told.status, told.kind().as_str()), (429, "full"));
    assert_eq!(told.retry_after(), Some(RETRY.as_secs()));
    assert_eq!(client::get(at, "/healthz").status, 200, "readers have places left");
    receipt(&in_hand.join().unwrap());
    desk.behave(Manner::Verify);
    receipt(&submit(at, &bytes[1]));
}

#[test]
fn a_desk_that_has_no_room_says_when_to_come_back() {
    let (desk, _serving, at) = start(Limits::default());
    let bytes = bundle(&desk, 1).to_bytes();
    for (refusal, after, status, told) in [
        (Refusal::Busy, None, 429, Some(RETRY.as_secs())),
        (Refusal::Busy, Some(Duration::from_millis(6_001)), 429, Some(7)),
        (Refusal::Busy, Some(Duration::ZERO), 429, Some(1)),
        (Refusal::Closed, None, 503, Some(60)),
        (Refusal::MayBeCounted, None, 409, Some(60)),
        // To come again is of no use, whatever the desk says.
        (Refusal::SpentElsewhere, Some(Duration::from_secs(9)), 409, None),
    ] {
        desk.behave(Manner::Refuse(refusal.clone(), after));
        let answer = submit(at, &bytes);
        assert_eq!((answer.status, answer.retry_after()), (status, told), "{refusal:?}");
    }
}

#[test]
fn whoever_trickles_is_cut_off() {
    let short = Duration::from_millis(1500);
    let (_, _serving, at) = start(Limits { head: short, body: short, idle: short, ..Limits::default() });
    let began = Instant::now();
    let mut head = client::connect(at);
    head.write_all(b"GET /healthz HTTP/1.1\r\nhost: party\r\nx: ").unwrap();
    let mut body = client::connect(at);
    let announced = [BYTES, ("content-length", "1000")];
    client::send(&mut body, "POST", "/v1/bundles", &announced, b"some");
    let mut idle = client::connect(at);
    client::send(&mut idle, "GET", "/healthz", &[], &[]);
    assert_eq!(client::read(&mut idle, "GET").unwrap().status, 200);
    // Each byte in time, and the whole not.
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(300));
        drop(head.write_all(b"T"));
        drop(body.write_all(b"x"));
    }
    let slow = client::read(&mut body, "POST").unwrap();
    assert_eq!((slow.status, slow.kind().as_str()), (408, "slow-body"));
    assert!(client::read(&mut body, "POST").is_none(), "the connection is closed");
    assert!(client::read(&mut head, "GET").is_none_or(|answer| answer.status == 408));
    assert!(client::read(&mut head, "GET").is_none());
    assert!(client::read(&mut idle, "GET").is_none());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn no_connection_outlives_its_age() {
    let limits = Limits { age: Duration::from_secs(2), ..Limits::default() };
    let (desk, _serving, at) = start(limits);
    desk.behave(Manner::Slow(Duration::from_secs(30)));
    let mut socket = client::connect(at);
    client::send(&mut socket, "POST", "/v1/bundles", &[BYTES], &bundle(&desk, 1).to_bytes());
    let began = Instant::now();
    assert!(client::read(&mut socket, "POST").is_none());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// Asks until a place is free again: the server notices a closed connection when it comes to it.
fn until_served(at: std::net::SocketAddr) {
    let mut answers = (0..100).map(|_| {
        thread::sleep(Duration::from_millis(50));
        client::get(at, "/healthz").status
    });
    assert!(answers.any(|status| status == 200), "no place became free");
}

#[test]
fn connections_have_places_in_all_and_of_one_address() {
    for (limits, full) in [
        (Limits { per_address: 2, proxies: Vec::new(), ..Limits::default() }, "address"),
        (Limits { connections: 2, ..Limits::default() }, "all"),
    ] {
        let (desk, _serving, at) = start(limits);
        let held: Vec<_> = (0..2)
            .map(|_| {
                let mut socket = client::connect(at);
                client::send(&mut socket, "GET", "/healthz", &[], &[]);
                assert_eq!(client::read(&mut socket, "GET").unwrap().status, 200);
                socket
            })
            .collect();
        // It is told before it has asked for anything.
        let mut third = client::connect(at);
        let told = client::read(&mut third, "GET").unwrap();
        assert_eq!((told.status, told.kind().as_str()), (429, "crowded"));
        assert_eq!(told.retry_after(), Some(RETRY.as_secs()));
        assert!(client::read(&mut third, "GET").is_none(), "it is closed");
        let text = desk.telemetry.render();
        assert!(text.contains(&format!("cwe_http_turned_away_total{{full=\"{full}\"}} 1")), "{text}");
        assert!(text.contains("cwe_http_connections 2"), "{text}");
        drop(held);
        until_served(at);
    }
}
