//! Who keeps this host waiting is named, with the step and the time.

use crate::{
    proxy::Proxy,
    raw::{Raw, hello},
    world::*,
};
use engine::link::{Host, LinkEvent, Loss, STEP_ACKNOWLEDGE, STEP_ANSWER, Timing};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(100);

fn stalled(node: &Node, peer: Host, step: &str, at_least: Duration) -> usize {
    node.log.event_like("a stall", |event| {
        matches!(event, LinkEvent::Stalled { peer: found, step: name, waited }
            if *found == peer && name == step && *waited >= at_least)
    })
}

fn moving(node: &Node, peer: Host, step: &str) -> usize {
    node.log.event_like("that it goes on", |event| {
        matches!(event, LinkEvent::Moving { peer: found, step: name, .. } if *found == peer && name == step)
    })
}

fn node(me: Host, timing: Timing) -> Node {
    Node::new(engine::link::LinkConfig { timing, ..config(me) })
}

#[test]
fn a_step_that_takes_long_is_named_with_its_peer_and_its_time() {
    let one = node(ONE, Timing { patience: PATIENCE, ..hurried() });
    one.links.awaiting(TWO, "votes of shard 3");
    one.links.awaiting(TWO, String::from("shares of shard 4"));
    one.links.awaiting(THREE, "votes of shard 3");
    one.links.arrived(THREE);
    let first = stalled(&one, TWO, "votes of shard 3", PATIENCE);
    // Told again when the time has doubled.
    let second = stalled(&one, TWO, "votes of shard 3", 2 * PATIENCE);
    assert!(first <= second);
    stalled(&one, TWO, "shares of shard 4", PATIENCE);
    one.links.arrived_at(TWO, "votes of shard 3");
    moving(&one, TWO, "votes of shard 3");
    one.links.arrived(TWO);
    moving(&one, TWO, "shares of shard 4");
    let of_three = |told: &Told| matches!(told, Told::Event(LinkEvent::Stalled { peer: THREE, .. }));
    assert!(!one.log.told().iter().any(of_three));
    let line = one.log.told().into_iter().find_map(|told| match told {
        Told::Event(event @ LinkEvent::Stalled { .. }) => Some(event.to_string()),
        _ => None,
    });
    let line = line.expect("a stall");
    assert!(line.starts_with("party 2 has kept this host waiting for "), "{line}");
}

#[test]
fn payloads_that_nobody_acknowledges_are_a_stall() {
    let two = node(TWO, Timing { unacknowledged: PATIENCE, ..hurried() });
    two.knows(ONE, "127.0.0.1:1");
    let (mut peer, _) = Raw::greeted(&two.at(), &hello(ONE, TWO, 1, None));
    two.send(ONE, b"a");
    stalled(&two, ONE, STEP_ACKNOWLEDGE, PATIENCE);
    peer.say(&engine::link::frame::Frame::Ack { next: 1 });
    moving(&two, ONE, STEP_ACKNOWLEDGE);
    two.all_acknowledged(ONE);
}

#[test]
fn a_line_on_which_nothing_comes_is_dropped_and_dialled_again() {
    let silence = Duration::from_millis(1500);
    let one = node(ONE, Timing { silence, handshake: silence, ..hurried() });
    let two = Node::of(TWO);
    let proxy = Proxy::to(&two.at());
    one.knows(TWO, &proxy.at);
    two.knows(ONE, &one.at());
    one.linked(TWO);
    proxy.freeze(true);
    one.send(TWO, b"into the void");
    let lost = one.log.event_like("a loss", |event| {
        matches!(event, LinkEvent::Lost { peer: TWO, reason: Loss::Silent { waited } } if *waited >= silence)
    });
    stalled(&one, TWO, STEP_ANSWER, silence);
    proxy.freeze(false);
    proxy.cut();
    assert_eq!(two.log.payloads(ONE, 1), [b"into the void"]);
    assert!(moving(&one, TWO, STEP_ANSWER) > lost);
    still_good(&one, &two);
    assert_eq!(one.log.connections(TWO).1, 1);
}
