//! A thousand bodies that are no bundles: each gets a clean answer, and none does harm.

use super::{Limits, bundle, client, receipt, start, submit};
use primitives::{Encode, limits::MAX_BUNDLE_BYTES};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};

const BYTES: (&str, &str) = ("content-type", "application/octet-stream");
const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");

/// Headers and body of a request that hands in no bundle.
struct Bad {
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    /// Statuses of which it gets one.
    expected: &'static [u16],
}

fn bad(number: usize, bundles: &[Vec<u8>; 2], rng: &mut ChaCha20Rng) -> Bad {
    let [one, other] = bundles;
    let mut below = |n: usize| (rng.next_u64() % n as u64) as usize;
    let with = |body: Vec<u8>, expected| Bad { headers: vec![BYTES], body, expected };
    match number % 10 {
        0 => with(one[..below(one.len())].to_vec(), &[400]),
        1 => {
            let mut body = one.clone();
            body[below(one.len())] ^= 1 << below(8);
            with(body, &[400, 422])
        }
        2 => {
            let mut body = vec![0; below(4096) + 1];
            rng.fill_bytes(&mut body);
            with(body, &[400])
        }
        3 => with(vec![7; MAX_BUNDLE_BYTES + 1 + below(4096)], &[413]),
        4 => with(Vec::new(), &[400]),
        5 => {
            let types =
                ["application/json", "text/plain", "application/octet-streams", "", "multipart/form-data"];
            let kind = ("content-type", types[below(types.len())]);
            Bad { headers: vec![kind], body: one.clone(), expected: &[415] }
        }
        6 => with([one.as_slice(), &vec![0; below(64) + 1]].concat(), &[400]),
        7 => {
            let at = below(one.len().min(other.len()));
            with([&one[..at], &other[at..]].concat(), &[400, 422])
        }
        // The length is not announced, so it is found out while reading.
        8 => {
            let length = MAX_BUNDLE_BYTES + 1 + below(64);
            let body =
                [format!("{length:x}\r\n").into_bytes(), vec![7; length], b"\r\n0\r\n\r\n".to_vec()].concat();
            Bad { headers: vec![BYTES, CHUNKED], body, expected: &[413] }
        }
        _ => {
            let body = [&b"10\r\n"[..], &one[..16], b"\r\nno length\r\n"].concat();
            Bad { headers: vec![BYTES, CHUNKED], body, expected: &[400] }
        }
    }
}

#[test]
fn a_thousand_malformed_bodies_each_get_a_clean_answer() {
    // All come from one address, as fast as they can.
    let (desk, _serving, at) = start(Limits::default());
    let bundles = [1, 2].map(|seed| bundle(&desk, seed).to_bytes());
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    for number in 0..1000 {
        let Bad { headers, body, expected } = bad(number, &bundles, &mut rng);
        if body == bundles[0] || body == bundles[1] {
            continue;
        }
        let answer = client::ask(at, "POST", "/v1/bundles", &headers, &body);
        assert!(expected.contains(&answer.status), "{number}: {answer:?}, one of {expected:?} was expected");
        let told = answer.json();
        for field in ["error", "kind", "hint"] {
            assert!(told[field].as_str().is_some_and(|text| !text.is_empty()), "{number}: {told}");
        }
    }
    assert_eq!(desk.count(), 0);
    for bundle in &bundles {
        receipt(&submit(at, bundle));
    }
}

#[test]
fn heads_that_are_no_http_are_turned_down_and_do_no_harm() {
    use std::io::Write;
    let (_, _serving, at) = start(Limits::default());
    let long = format!("GET /healthz HTTP/1.1\r\nhost: party\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let many = format!("GET /healthz HTTP/1.1\r\nhost: party\r\n{}\r\n", "x: y\r\n".repeat(500));
    let both =
        "POST /v1/bundles HTTP/1.1\r\nhost: party\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc";
    let heads = ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n", both, &long, &many];
    for head in heads {
        let mut socket = client::connect(at);
        drop(socket.write_all(head.as_bytes()));
        if let Some(answer) = client::read(&mut socket, "GET") {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    assert_eq!(client::get(at, "/healthz").status, 200);
}
