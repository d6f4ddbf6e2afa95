//! Keys and addresses: pinned, checked, replaced.

use crate::world::*;
use engine::link::{Host, LinkConfig, LinkError, LinkEvent, LinkKey, LinkState, Links, Loss, Refusal};
use primitives::Digest;
use std::{collections::BTreeMap, sync::Arc};

fn refused(node: &Node, peer: Option<Host>, reason: &Refusal) -> usize {
    node.log.event_like("a refusal", |event| {
        matches!(event, LinkEvent::Refused { peer: found, reason: why, .. } if *found == peer && why == reason)
    })
}

#[test]
fn a_wrong_key_is_refused_at_both_ends_and_named() {
    let (two, three) = pair(Node::of(TWO), Node::of(THREE));
    two.linked(THREE);
    // Who dials expects another key than that of whoever answers.
    let other = LinkKey::from_seed(&[99; 32]).public();
    let one = Node::of(ONE);
    two.knows(ONE, &one.at());
    one.links.set_peer(TWO, two.at(), other).unwrap();
    refused(&one, Some(TWO), &Refusal::OtherKey { expected: other, presented: key(TWO).public() });
    refused(&two, Some(ONE), &Refusal::KeyRefused);
    drop(one);
    // Who dials has another key than the one that is pinned for it.
    let one = Node::new(LinkConfig { key: LinkKey::from_seed(&[99; 32]), ..config(ONE) });
    one.knows(TWO, &two.at());
    refused(&two, Some(ONE), &Refusal::UnknownKey { presented: other });
    refused(&one, Some(TWO), &Refusal::KeyRefused);
    assert_eq!(one.log.connections(TWO), (0, 0));
    assert_eq!(two.log.connections(ONE), (0, 0));
    still_good(&two, &three);
    assert_eq!(two.log.connections(THREE), (1, 1));
}

#[test]
fn another_key_is_another_holder_and_gets_nothing_that_was_for_the_old_one() {
    let (one, old) = pair(Node::of(ONE), Node::of(TWO));
    one.linked(TWO);
    drop(old);
    one.status_like(TWO, "a loss", |status| status.state != LinkState::Connected);
    one.send(TWO, b"for the old holder");
    let secret = LinkKey::from_seed(&[50; 32]);
    let new = Node::new(LinkConfig { key: secret.clone(), ..config(TWO) });
    new.knows(ONE, &one.at());
    one.links.set_peer(TWO, new.at(), secret.public()).unwrap();
    one.send(TWO, b"for the new holder");
    assert_eq!(new.log.payloads(ONE, 1), [b"for the new holder"]);
    still_good(&one, &new);
    assert_eq!(one.log.connections(TWO).1, 2);
}

#[test]
fn an_address_is_replaced_while_linked_and_a_forgotten_peer_is_not_let_in() {
    let (one, two) = pair(Node::of(ONE), Node::of(TWO));
    one.linked(TWO);
    let proxy = crate::proxy::Proxy::to(&two.at());
    one.knows(TWO, &proxy.at);
    one.log
        .event_like("a loss", |event| matches!(event, LinkEvent::Lost { peer: TWO, reason: Loss::Rekeyed }));
    still_good(&one, &two);
    assert!(proxy.made() > 0);
    assert_eq!(one.log.connections(TWO).1, 1);
    assert_eq!(one.status(TWO).address, Some(proxy.at.clone()));
    // What was not acknowledged would go to the new life again.
    one.all_acknowledged(TWO);
    two.links.forget_peer(ONE);
    refused(&two, Some(ONE), &Refusal::UnknownKey { presented: key(ONE).public() });
    assert_eq!(two.status(ONE).state, LinkState::Unset);
    two.knows(ONE, &one.at());
    still_good(&one, &two);
}

#[test]
fn peers_that_cannot_be_are_refused_by_name() {
    let start = |peers: &[(Host, &str, Digest)]| {
        let peers: BTreeMap<_, _> = peers.iter().map(|(host, at, key)| (*host, endpoint(at, *key))).collect();
        Links::start(LinkConfig { peers, ..config(ONE) }, Arc::new(Log::default())).map(|_| ())
    };
    let good = "party2.example.org:7000";
    let of = |host| key(host).public();
    assert!(matches!(start(&[(ONE, good, of(ONE))]), Err(LinkError::Myself(ONE))));
    for at in
        ["", "party2.example.org", ":7000", "party2:70000", "party2:0", &format!("{}:1", "a".repeat(300))]
    {
        assert!(matches!(start(&[(TWO, at, of(TWO))]), Err(LinkError::Address { peer: TWO, .. })), "{at}");
    }
    let weak = Digest([0; 32]);
    assert!(matches!(start(&[(TWO, good, weak)]), Err(LinkError::Key { peer: TWO, .. })));
    let mine = start(&[(TWO, good, of(ONE))]);
    assert!(matches!(mine, Err(LinkError::SharedKey { first: ONE, second: TWO })));
    let twice = start(&[(TWO, good, of(TWO)), (Host::Standby, good, of(TWO))]);
    assert!(matches!(twice, Err(LinkError::SharedKey { first: TWO, second: Host::Standby })));
    let one = Node::of(ONE);
    one.knows(TWO, good);
    let third = one.links.set_peer(THREE, good.into(), of(TWO));
    assert!(matches!(third, Err(LinkError::SharedKey { first: TWO, second: THREE })));
    assert!(matches!(one.links.set_peer(ONE, good.into(), of(TWO)), Err(LinkError::Myself(ONE))));
    let timing = engine::link::Timing { silence: hurried().ping, ..hurried() };
    let flapping = Links::start(LinkConfig { timing, ..config(ONE) }, Arc::new(Log::default()));
    assert!(matches!(flapping, Err(LinkError::Timing { .. })));
    let taken = LinkConfig { listen: one.links.local_addr(), ..config(TWO) };
    assert!(matches!(Links::start(taken, Arc::new(Log::default())), Err(LinkError::Listen { .. })));
}
