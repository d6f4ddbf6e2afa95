//! Whoever should not be there is refused, each for a reason of its own, and the others do not notice.

use crate::{
    raw::{Raw, hello, tls},
    world::*,
};
use engine::link::{
    Breach, Host, Incarnation, LinkConfig, LinkEvent, Loss, Refusal, Timing, Versions,
    frame::{Frame, FrameError, Parting},
    hello::{Hello, Mismatch, Received},
    limits::{MAX_BODY, MAX_GREETING, MAX_UNAUTHENTICATED},
};
use primitives::{ChainId, CodecError, Digest};
use rustls::version::{TLS12, TLS13};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

fn refused(node: &Node, peer: Option<Host>, like: impl Fn(&Refusal) -> bool) {
    node.log.event_like("a refusal", |event| {
        matches!(event, LinkEvent::Refused { peer: found, reason, .. } if *found == peer && like(reason))
    });
}

fn lost(node: &Node, peer: Host, why: &Loss) {
    node.log.event_like(
        "a loss",
        |event| matches!(event, LinkEvent::Lost { peer: found, reason } if *found == peer && reason == why),
    );
}

/// Writes something and reads until the other end closes.
fn shout(at: &str, bytes: &[u8]) {
    let mut socket = TcpStream::connect(at).unwrap();
    socket.write_all(bytes).unwrap();
    let _closed = socket.read_to_end(&mut Vec::new());
}

#[test]
fn strangers_are_refused_each_for_its_own_reason() {
    let (two, three) = pair(Node::of(TWO), Node::of(THREE));
    two.linked(THREE);
    let at = two.at();
    shout(&at, b"GET / HTTP/1.1\r\nHost: party2\r\n\r\n");
    refused(&two, None, |reason| matches!(reason, Refusal::NotTls(_)));
    let before = two.log.told().len();
    shout(&at, &[0xa5; 3000]);
    two.log.until("a second refusal", |told| {
        told[before..]
            .iter()
            .find(|told| matches!(told, Told::Event(LinkEvent::Refused { reason: Refusal::NotTls(_), .. })))
            .map(drop)
    });
    drop(TcpStream::connect(&at).unwrap());
    refused(&two, None, |reason| *reason == Refusal::Frame(FrameError::Closed));
    assert!(tls(&at, &TLS12, None).write_all(b"hello").is_err());
    refused(&two, None, |reason| *reason == Refusal::OldTls);
    // The end that dials may speak before its key was asked for: reading says that it was in vain.
    let mut nobody = tls(&at, &TLS13, None);
    assert!(nobody.write_all(b"hello").is_err() || nobody.read(&mut [0]).is_err());
    refused(&two, None, |reason| *reason == Refusal::NoKey);
    let mut stranger = tls(&at, &TLS13, Some(&[77; 32]));
    let _may_go = stranger.write_all(b"hello");
    assert!(stranger.read(&mut [0]).is_err());
    let presented = engine::link::LinkKey::from_seed(&[77; 32]).public();
    refused(&two, None, |reason| *reason == Refusal::UnknownKey { presented });
    still_good(&two, &three);
    assert_eq!(two.log.connections(THREE), (1, 1));
}

#[test]
fn a_caller_that_says_nothing_is_sent_away() {
    let waited = Duration::from_millis(500);
    let timing = Timing { handshake: waited, ..hurried() };
    let two = Node::new(LinkConfig { timing, ..config(TWO) });
    let mut silent = TcpStream::connect(two.at()).unwrap();
    refused(&two, None, |reason| *reason == Refusal::Slow { waited });
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
}

#[test]
fn callers_that_say_nothing_do_not_keep_a_peer_out() {
    let two = Node::of(TWO);
    let silent: Vec<_> =
        (0..2 * MAX_UNAUTHENTICATED).map(|_| TcpStream::connect(two.at()).unwrap()).collect();
    refused(&two, None, |reason| *reason == Refusal::Crowded);
    let (one, two) = pair(Node::of(ONE), two);
    still_good(&one, &two);
    drop(silent);
}

/// A host that is configured otherwise, and what it and the other are told.
fn mismatch(config: LinkConfig, reason: &Mismatch) {
    let (two, three) = pair(Node::of(TWO), Node::of(THREE));
    let one = Node::new(config);
    two.knows(ONE, &one.at());
    one.knows(TWO, &two.at());
    refused(&two, Some(ONE), |found| *found == Refusal::Mismatch(reason.clone()));
    refused(&one, Some(TWO), |found| *found == Refusal::RefusedBy(reason.clone()));
    assert_eq!((one.log.connections(TWO), two.log.connections(ONE)), ((0, 0), (0, 0)));
    still_good(&two, &three);
}

#[test]
fn another_version_is_refused() {
    let later = Versions { first: 2, last: 9 };
    let reason = Mismatch::Version { expected: Versions::SPOKEN, found: later };
    mismatch(LinkConfig { versions: later, ..config(ONE) }, &reason);
}

#[test]
fn another_chain_is_refused() {
    let reason = Mismatch::Chain { expected: CHAIN, found: ChainId(8) };
    mismatch(LinkConfig { chain: ChainId(8), ..config(ONE) }, &reason);
}

#[test]
fn another_first_block_is_refused() {
    let reason = Mismatch::Genesis { expected: GENESIS, found: Digest([9; 32]) };
    mismatch(LinkConfig { genesis: Digest([9; 32]), ..config(ONE) }, &reason);
}

#[test]
fn the_higher_host_must_not_dial() {
    let (one, two) = pair(Node::of(ONE), Node::of(TWO));
    one.knows(THREE, "127.0.0.1:1");
    // Party 3 believes that it is party 1, and takes party 1 for party 2.
    let three = Node::new(LinkConfig { key: key(THREE), ..config(ONE) });
    three.links.set_peer(TWO, one.at(), key(ONE).public()).unwrap();
    let reason = Mismatch::Direction { expected: ONE, found: THREE };
    refused(&one, Some(THREE), |found| *found == Refusal::Mismatch(reason.clone()));
    refused(&three, Some(TWO), |found| *found == Refusal::RefusedBy(reason.clone()));
    still_good(&one, &two);
}

#[test]
fn a_host_that_says_another_name_than_its_key_has_is_refused() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    for (hello, reason) in [
        (hello(THREE, TWO, 1, None), Mismatch::Sender { expected: ONE, found: THREE }),
        (hello(ONE, THREE, 1, None), Mismatch::Receiver { expected: TWO, found: THREE }),
    ] {
        let mut raw = Raw::new(&two.at(), ONE);
        raw.say(&Frame::Hello(Box::new(hello)));
        assert_eq!(raw.hear().unwrap(), Frame::Bye(Parting::Refused(reason.clone())));
        refused(&two, Some(ONE), |found| *found == Refusal::Mismatch(reason.clone()));
    }
}

/// Two processes run with the secret of party 1. Both are told, and so is whoever they call; the one that is linked stays.
#[test]
fn two_hosts_with_one_key_are_told_of_each_other() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    let reason = Mismatch::Twin { host: ONE };
    let mut linked = Vec::new();
    for life in [1, 2, 1] {
        linked.push(Raw::greeted(&two.at(), &hello(ONE, TWO, life, None)));
    }
    let mut raw = Raw::new(&two.at(), ONE);
    raw.say(&Frame::Hello(Box::new(hello(ONE, TWO, 2, None))));
    assert_eq!(raw.hear().unwrap(), Frame::Bye(Parting::Refused(reason.clone())));
    refused(&two, Some(ONE), |found| *found == Refusal::Mismatch(reason.clone()));
    assert_eq!(two.log.connections(ONE), (3, 3));
    assert_eq!(two.status(ONE).state, engine::link::LinkState::Connected, "the other stays");
    // Once the other is gone, it may link; and a new life always may.
    drop(linked);
    two.status_like(ONE, "a loss", |status| status.state != engine::link::LinkState::Connected);
    Raw::greeted(&two.at(), &hello(ONE, TWO, 2, None));
    Raw::greeted(&two.at(), &hello(ONE, TWO, 3, None));

    // Hosts as they are: the two of them say so.
    let (two, first) = (Node::of(TWO), Node::of(ONE));
    let second = Node::of(ONE);
    two.knows(ONE, &first.at());
    first.knows(TWO, &two.at());
    second.knows(TWO, &two.at());
    refused(&two, Some(ONE), |found| *found == Refusal::Mismatch(reason.clone()));
    let told = |node: &Node| {
        node.log.told().iter().any(|told| {
            matches!(told, Told::Event(LinkEvent::Refused { reason: found, .. })
                if *found == Refusal::RefusedBy(reason.clone()))
        })
    };
    while !told(&first) && !told(&second) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn something_else_than_a_greeting_is_refused() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    Raw::new(&two.at(), ONE).say(&Frame::Ping { nonce: 1 });
    refused(&two, Some(ONE), |reason| *reason == Refusal::Rule(Breach::Greeting));
    let length = MAX_GREETING + 1;
    Raw::new(&two.at(), ONE).bytes(&(length as u32).to_le_bytes());
    let limit = MAX_GREETING;
    refused(&two, Some(ONE), |reason| *reason == Refusal::Frame(FrameError::TooLong { length, limit }));
    Raw::new(&two.at(), ONE).bytes(&[1, 0, 0, 0, 0xff]);
    let codec = FrameError::Codec(CodecError::Invalid { what: "frame of a link" });
    refused(&two, Some(ONE), |reason| *reason == Refusal::Frame(codec.clone()));
    // Payloads of this life of party 2 that it never sent.
    let (_, answer) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    let received = Some(Received { incarnation: answer.incarnation, next: 3 });
    Raw::new(&two.at(), ONE).say(&Frame::Hello(Box::new(hello(ONE, TWO, 1, received))));
    refused(&two, Some(ONE), |reason| *reason == Refusal::Rule(Breach::Unsent { next: 3, sent: 0 }));
    assert_eq!(two.log.connections(ONE), (1, 1));
}

#[test]
fn a_peer_that_breaks_a_rule_is_cut_off_and_the_rule_is_named() {
    let (two, three) = pair(Node::of(TWO), Node::of(THREE));
    two.knows(ONE, "127.0.0.1:1");
    let greeting = |life| hello(ONE, TWO, life, None);
    let data = |seq| Frame::Data { seq, bytes: Arc::new(vec![1]) };
    let (length, limit) = (MAX_BODY + 1, MAX_BODY);
    type Act = Box<dyn Fn(&mut Raw, &Hello)>;
    let cases: Vec<(Act, Loss)> = vec![
        (
            Box::new(move |raw, _| raw.bytes(&(length as u32).to_le_bytes())),
            FrameError::TooLong { length, limit }.into(),
        ),
        (Box::new(move |raw, _| raw.say(&data(1))), Breach::Gap { expected: 0, found: 1 }.into()),
        (Box::new(|raw, _| raw.say(&Frame::Ack { next: 1 })), Breach::Unsent { next: 1, sent: 0 }.into()),
        (Box::new(|raw, hello| raw.say(&Frame::Hello(Box::new(hello.clone())))), Breach::Greeting.into()),
        (
            Box::new(|raw, _| raw.bytes(&[2, 0, 0, 0, 3, 0])),
            FrameError::from(CodecError::Truncated { wanted: 8, left: 1 }).into(),
        ),
        (Box::new(|raw, _| raw.say(&Frame::Bye(Parting::Stopping))), Loss::Left),
    ];
    for (life, (act, loss)) in cases.iter().enumerate() {
        let greeting = greeting(life as u64);
        let (mut raw, answer) = Raw::greeted(&two.at(), &greeting);
        assert_eq!(answer.received.map(|received| received.incarnation.0), (life as u64).checked_sub(1));
        act(&mut raw, &greeting);
        while raw.hear().is_ok() {}
        lost(&two, ONE, loss);
    }
    // An end in the middle of a frame.
    let (mut raw, _) = Raw::greeted(&two.at(), &Hello { incarnation: Incarnation(99), ..greeting(0) });
    raw.bytes(&[100, 0, 0, 0, 1, 2, 3]);
    drop(raw);
    lost(&two, ONE, &FrameError::Torn { got: 3, length: 100 }.into());
    still_good(&two, &three);
    assert_eq!(two.log.connections(THREE), (1, 1));
}
