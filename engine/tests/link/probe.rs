//! Asking whether a host is there: who is told what, and that links are left alone.

use crate::world::*;
use engine::link::{
    Endpoint, Host, LinkEvent, Refusal, Versions,
    hello::Mismatch,
    probe::{Absent, probe},
};
use std::{net::TcpListener, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);

fn ask(me: Host, peer: Host, at: &str, under: Host) -> Result<Versions, Absent> {
    let endpoint = Endpoint { address: at.into(), key: key(under).public() };
    probe((&key(me), me), (peer, &endpoint), (CHAIN, GENESIS), PATIENCE)
}

#[test]
fn a_host_says_what_it_speaks_and_its_links_are_left_alone() {
    let (one, two) = (Node::of(ONE), Node::of(TWO));
    one.knows(TWO, &two.at());
    two.knows(ONE, &one.at());
    one.linked(TWO);
    two.linked(ONE);
    // In either direction, whoever dials for links.
    assert_eq!(ask(ONE, TWO, &two.at(), TWO).expect("it is there"), Versions::SPOKEN);
    assert_eq!(ask(TWO, ONE, &one.at(), ONE).expect("it is there"), Versions::SPOKEN);
    two.log.event_like("that somebody asked", |event| {
        let LinkEvent::Refused { peer, reason, .. } = event else { return false };
        let asked = Mismatch::Version { expected: Versions::SPOKEN, found: Versions::NONE };
        (*peer, reason) == (Some(ONE), &Refusal::Mismatch(asked))
    });
    one.send(TWO, b"goes on");
    assert_eq!(two.log.payloads(ONE, 1), [b"goes on".to_vec()]);
    assert_eq!((one.log.connections(TWO), two.log.connections(ONE)), ((1, 1), (1, 1)));
}

#[test]
fn a_wrong_key_is_named_at_either_end() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    let (expected, presented) = (key(THREE).public(), key(TWO).public());
    match ask(ONE, TWO, &two.at(), THREE) {
        Err(Absent::Refused(refusal)) => assert_eq!(refusal, Refusal::OtherKey { expected, presented }),
        other => panic!("{other:?}"),
    }
    // It knows no key of the third party.
    match ask(THREE, TWO, &two.at(), TWO) {
        Err(Absent::Refused(refusal)) => assert_eq!(refusal, Refusal::KeyRefused),
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_nobody_listens_nobody_is_reached() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a socket");
    assert!(matches!(ask(ONE, TWO, &free.to_string(), TWO), Err(Absent::Unreachable { .. })));
}
