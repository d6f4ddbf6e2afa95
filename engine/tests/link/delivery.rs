//! What is sent arrives once, and in order.

use crate::{
    proxy::Proxy,
    raw::{Raw, hello},
    world::*,
};
use engine::link::{
    Handler, Host, LinkEvent, LinkState, Links, Loss, SendError,
    frame::Frame,
    hello::Received,
    limits::{MAX_PAYLOAD, MAX_QUEUED_FRAMES},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

fn numbered(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|n| n.to_le_bytes().to_vec()).collect()
}

#[test]
fn four_hosts_tell_each_other_everything_in_order() {
    let nodes = Host::ALL.map(Node::of);
    for one in &nodes {
        for other in nodes.iter().filter(|other| other.me != one.me) {
            one.knows(other.me, &other.at());
        }
    }
    let long = vec![7; 3 << 20];
    for (from, to) in nodes.iter().flat_map(|from| nodes.iter().map(move |to| (from, to))) {
        if from.me != to.me {
            numbered(0..200).iter().for_each(|payload| from.send(to.me, payload));
            from.send(to.me, &long);
            from.send(to.me, b"");
        }
    }
    let mut expected = numbered(0..200);
    expected.extend([long, vec![]]);
    for (at, from) in nodes.iter().flat_map(|at| nodes.iter().map(move |from| (at, from))) {
        if at.me != from.me {
            assert_eq!(at.log.payloads(from.me, expected.len()), expected, "from {} to {}", from.me, at.me);
            assert_eq!(at.log.connections(from.me), (1, 1));
            at.all_acknowledged(from.me);
            at.status_like(from.me, "an answered ping", |status| status.round_trip.is_some());
            at.status_like(from.me, "a count", |status| status.received.frames == 202);
            let status = at.status(from.me);
            assert_eq!((status.state, status.version), (LinkState::Connected, Some(1)));
            assert_eq!((status.sent, status.received), (status.received, status.sent));
            assert_eq!((status.sent.frames, status.sent.bytes), (202, 800 + (3 << 20)));
            assert!(status.incarnation.is_some());
        }
    }
}

#[test]
fn a_line_that_is_cut_again_and_again_loses_nothing_and_repeats_nothing() {
    let (one, two) = (Node::of(ONE), Node::of(TWO));
    let proxy = Proxy::to(&two.at());
    // In the handshake, in the greeting, in and between frames of several sizes.
    let cuts =
        [100, 700, 1_100, 1_500, 2_000, 5_000, 9_000, 20_000, 33_333, 50_000, 77_777, 100_000, 150_001];
    proxy.cut_after(cuts);
    proxy.delay(Duration::from_micros(100));
    one.knows(TWO, &proxy.at);
    two.knows(ONE, &one.at());
    let payload = |n: u32| n.to_le_bytes().repeat(1 + (n as usize * 37) % 1500);
    for n in 0..600 {
        one.send(TWO, payload(n));
        two.send(ONE, payload(1_000_000 + n));
        if n % 150 == 149 {
            proxy.cut();
        }
    }
    let sent: Vec<_> = (0..600).map(payload).collect();
    let back: Vec<_> = (1_000_000..1_000_600).map(payload).collect();
    assert_eq!(two.log.payloads(ONE, 600), sent);
    assert_eq!(one.log.payloads(TWO, 600), back);
    one.all_acknowledged(TWO);
    two.all_acknowledged(ONE);
    assert_eq!(proxy.left(), 0, "all cuts happened");
    assert!(proxy.made() > cuts.len());
    // Both processes lived all the time.
    assert_eq!((one.log.connections(TWO).1, two.log.connections(ONE).1), (1, 1));
    assert!(two.log.connections(ONE).0 > 5);
    still_good(&one, &two);
    assert_eq!(two.log.payloads(ONE, 601).len(), 601);
}

/// Starts a host again that is dead, and that `other` finds at its new address.
fn restarted(me: Host, other: &Node) -> Node {
    let new = Node::of(me);
    new.knows(other.me, &other.at());
    other.knows(me, &new.at());
    new
}

#[test]
fn a_restarted_peer_gets_what_its_old_life_did_not_acknowledge() {
    // Once the one that dials, once the one that is dialled.
    for (stays, dies) in [(ONE, TWO), (TWO, ONE)] {
        let (stays, dies) = pair(Node::of(stays), Node::of(dies));
        numbered(0..10).iter().for_each(|payload| stays.send(dies.me, payload));
        dies.send(stays.me, b"of the old life");
        stays.log.payloads(dies.me, 1);
        stays.all_acknowledged(dies.me);
        let dead = dies.me;
        drop(dies);
        stays.status_like(dead, "a loss", |status| status.state != LinkState::Connected);
        numbered(10..20).iter().for_each(|payload| stays.send(dead, payload));
        let new = restarted(dead, &stays);
        assert_eq!(new.log.payloads(stays.me, 10), numbered(10..20));
        new.send(stays.me, b"of the new life");
        stays.log.payloads(dead, 2);
        // Each is told of the new life before anything of it.
        let told = stays.log.told();
        let fresh = Told::Event(LinkEvent::Connected { peer: dead, fresh: true });
        let place = |wanted: &Told| told.iter().rposition(|told| told == wanted).expect("told");
        assert!(place(&fresh) < place(&Told::Payload(dead, b"of the new life".to_vec())));
        assert!(place(&fresh) > place(&Told::Payload(dead, b"of the old life".to_vec())));
        assert_eq!(stays.log.connections(dead).1, 2);
        let told = new.log.told();
        let first = told.iter().position(|told| matches!(told, Told::Payload(..))).expect("payloads");
        assert!(told[..first].contains(&Told::Event(LinkEvent::Connected { peer: stays.me, fresh: true })));
    }
}

#[test]
fn a_full_queue_says_so_and_keeps_what_it_took() {
    let (one, two) = (Node::of(ONE), Node::of(TWO));
    assert_eq!(one.links.send(TWO, vec![1]), Err(SendError::NoPeer(TWO)));
    assert_eq!(one.links.send(ONE, vec![1]), Err(SendError::NoPeer(ONE)));
    // Nobody takes links there: the address of a socket that is closed again.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    one.knows(TWO, &gone);
    let too_long = SendError::TooLong { length: MAX_PAYLOAD + 1 };
    assert_eq!(one.links.send(TWO, vec![0; MAX_PAYLOAD + 1]), Err(too_long));
    let all = numbered(0..MAX_QUEUED_FRAMES as u32);
    all.iter().for_each(|payload| one.send(TWO, payload));
    let refused = one.links.send(TWO, b"one more".to_vec());
    assert!(
        matches!(refused, Err(SendError::Full { to: TWO, waiting }) if waiting.frames == all.len() as u64)
    );
    one.log.event_like(
        "that nobody is there",
        |event| matches!(event, LinkEvent::Unreachable { peer: TWO, at, .. } if *at == gone),
    );
    two.knows(ONE, &one.at());
    one.knows(TWO, &two.at());
    assert_eq!(two.log.payloads(ONE, all.len()), all);
    one.all_acknowledged(TWO);
    one.send(TWO, b"one more");
    assert_eq!(two.log.payloads(ONE, all.len() + 1).last().unwrap(), b"one more");
}

#[test]
fn the_longest_payload_crosses_and_a_ping_is_answered_after_it() {
    let (one, two) = pair(Node::of(ONE), Node::of(TWO));
    let mut long = vec![0; MAX_PAYLOAD];
    long[MAX_PAYLOAD - 1] = 1;
    one.send(TWO, &long);
    two.send(ONE, b"meanwhile");
    assert!(two.log.payloads(ONE, 1) == [long]);
    assert_eq!(one.log.payloads(TWO, 1), [b"meanwhile"]);
    one.all_acknowledged(TWO);
    one.status_like(TWO, "an answered ping", |status| status.round_trip.is_some());
    assert_eq!(two.log.connections(ONE), (1, 1));
}

#[test]
fn a_peer_that_does_not_read_holds_nobody_up() {
    let (two, three) = pair(Node::of(TWO), Node::of(THREE));
    two.knows(ONE, "127.0.0.1:1");
    let (slow, _) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    two.linked(ONE);
    // Far more than sockets hold.
    let long = vec![1; 1 << 20];
    for n in 0..64u32 {
        two.send(ONE, &long);
        two.send(THREE, n.to_le_bytes());
        three.send(TWO, n.to_le_bytes());
    }
    assert_eq!(three.log.payloads(TWO, 64), numbered(0..64));
    assert_eq!(two.log.payloads(THREE, 64), numbered(0..64));
    assert_eq!(two.status(ONE).unacknowledged.frames, 64);
    assert_eq!(two.status(ONE).state, LinkState::Connected);
    drop(slow);
}

#[test]
fn a_stop_waits_for_what_was_sent_and_says_farewell() {
    let (one, two) = pair(Node::of(ONE), Node::of(TWO));
    one.linked(TWO);
    let all = numbered(0..2000);
    all.iter().for_each(|payload| one.send(TWO, payload));
    two.send(ONE, b"on the way");
    let links = one.links.clone();
    one.links.stop();
    assert_eq!(links.send(TWO, vec![1]), Err(SendError::Stopped));
    // Everything was acknowledged before the stop returned.
    assert_eq!(payloads(&two.log.told(), ONE), all);
    two.log
        .event_like("a farewell", |event| matches!(event, LinkEvent::Lost { peer: ONE, reason: Loss::Left }));
    assert_eq!(two.status(ONE).state, LinkState::Waiting);
    let lost = LinkEvent::Lost { peer: TWO, reason: Loss::Stopped };
    assert!(one.log.told().contains(&Told::Event(lost)));
    // Another copy was stopped already: nothing happens.
    links.stop();
}

#[test]
fn what_was_not_acknowledged_is_sent_again_from_where_the_peer_says() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    let (mut peer, answer) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    let all = numbered(0..5);
    all.iter().for_each(|payload| two.send(ONE, payload));
    let data = |seq: usize| Frame::Data { seq: seq as u64, bytes: Arc::new(all[seq].clone()) };
    (0..5).for_each(|seq| assert_eq!(peer.hear_more().unwrap(), data(seq)));
    peer.say(&Frame::Ack { next: 1 });
    two.status_like(ONE, "an acknowledgement", |status| status.unacknowledged.frames == 4);
    drop(peer);
    let received = |next| Some(Received { incarnation: answer.incarnation, next });
    let (mut peer, _) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, received(3)));
    (3..5).for_each(|seq| assert_eq!(peer.hear_more().unwrap(), data(seq)));
    drop(peer);
    // A new life has nothing: it gets what is left, and numbers begin anew.
    let (mut peer, _) = Raw::greeted(&two.at(), &hello(ONE, TWO, 2, None));
    for (seq, bytes) in (0..).zip(&all[3..]) {
        assert_eq!(peer.hear_more().unwrap(), Frame::Data { seq, bytes: Arc::new(bytes.clone()) });
    }
}

#[test]
fn a_call_of_a_dead_process_that_is_read_late_does_not_keep_the_new_one_out() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    let (mut new, first) = Raw::greeted(&two.at(), &hello(ONE, TWO, 2, None));
    two.send(ONE, b"a");
    two.send(ONE, b"b");
    let data = |seq, text: &[u8]| Frame::Data { seq, bytes: Arc::new(text.to_vec()) };
    new.say(&data(0, b"x"));
    assert_eq!(new.hear_more().unwrap(), data(0, b"a"));
    new.say(&Frame::Ack { next: 1 });
    two.status_like(ONE, "an acknowledgement", |status| status.unacknowledged.frames == 1);
    two.log.payloads(ONE, 1);
    let (_late, _) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    let received = Some(Received { incarnation: first.incarnation, next: 1 });
    let (mut new, second) = Raw::greeted(&two.at(), &hello(ONE, TWO, 2, received));
    // Both ends begin anew: nothing that was not acknowledged is lost.
    assert_ne!(first.incarnation, second.incarnation);
    assert_eq!(second.received.map(|received| received.incarnation), Some(engine::link::Incarnation(1)));
    assert_eq!(new.hear_more().unwrap(), data(0, b"b"));
    new.say(&data(0, b"y"));
    assert_eq!(two.log.payloads(ONE, 2), [b"x", b"y"]);
    assert_eq!(two.log.connections(ONE), (3, 3));
}

/// Answers everything, from within the handler.
#[derive(Default)]
struct Echo(OnceLock<Links>);

impl Handler for Echo {
    fn received(&self, from: Host, bytes: Vec<u8>) {
        let links = self.0.get().expect("set before anybody knows this host");
        links.arrived(from);
        assert!(links.status().iter().any(|status| status.peer == from));
        links.send(from, bytes).expect("room");
    }

    fn event(&self, event: LinkEvent) {
        if let (LinkEvent::Connected { peer, .. }, Some(links)) = (event, self.0.get()) {
            links.awaiting(peer, "a question");
            links.send(peer, b"welcome".to_vec()).expect("room");
        }
    }
}

#[test]
fn a_handler_may_send_while_it_is_told() {
    let (one, echo) = (Node::of(ONE), Arc::new(Echo::default()));
    let links = Links::start(config(TWO), echo.clone()).unwrap();
    links.set_peer(ONE, one.at(), key(ONE).public()).unwrap();
    echo.0.set(links.clone()).ok().expect("once");
    one.knows(TWO, &links.local_addr().to_string());
    let mut all = vec![b"welcome".to_vec()];
    all.extend(numbered(0..500));
    all[1..].iter().for_each(|payload| one.send(TWO, payload));
    assert_eq!(one.log.payloads(TWO, all.len()), all);
    links.stop();
}

#[test]
fn a_newer_connection_takes_the_place_of_the_old_one() {
    let two = Node::of(TWO);
    two.knows(ONE, "127.0.0.1:1");
    let (mut old, answer) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    assert_eq!(answer.received, None);
    let data = |seq, text: &[u8]| Frame::Data { seq, bytes: Arc::new(text.to_vec()) };
    old.say(&data(0, b"a"));
    old.say(&data(1, b"b"));
    two.log.payloads(ONE, 2);
    two.send(ONE, b"answer");
    // The same life again, as if it had never heard the first answer.
    let (mut new, answer) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    let received = Received { incarnation: engine::link::Incarnation(1), next: 2 };
    assert_eq!(answer.received, Some(received));
    assert_eq!(new.hear_more().unwrap(), data(0, b"answer"));
    // What came before is not delivered again.
    new.say(&data(1, b"b"));
    new.say(&data(2, b"c"));
    assert_eq!(two.log.payloads(ONE, 3), [b"a", b"b", b"c"]);
    while new.hear_more().unwrap() != (Frame::Ack { next: 3 }) {}
    let connected = |fresh| Told::Event(LinkEvent::Connected { peer: ONE, fresh });
    let told = two.log.told();
    let place = |wanted: Told| told.iter().position(|told| *told == wanted).expect("told");
    let replaced = Told::Event(LinkEvent::Lost { peer: ONE, reason: Loss::Replaced });
    assert!(place(connected(true)) < place(replaced.clone()) && place(replaced) < place(connected(false)));
    while old.hear().is_ok() {}
}
