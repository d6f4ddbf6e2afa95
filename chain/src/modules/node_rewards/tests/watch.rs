//! Uptime, as witnesses report it.

use super::*;
use primitives::BasisPoints;

/// Six nodes of four operators, with an open epoch.
fn watched() -> (Net, Watch) {
    let mut net = Net::with(|rules| rules.witnesses = 3).and_nodes(&[2, 2, 1, 1]);
    net.open(FIRST);
    let watch = net.state.watch(FIRST);
    (net, watch)
}

fn owner(net: &Net, node: NodeId) -> primitives::PersonId {
    net.state.nodes.get(&node).expect("a node").operator
}

fn report(net: &mut Net, witness: NodeId, seen: Vec<(NodeId, BasisPoints)>) -> Result<(), NodeError> {
    let (signer, action) = (owner(net, witness), AttestUptime { epoch: FIRST, witness, seen });
    net.run(|draft, at| attest_uptime(draft, at, signer, &action))
}

fn all(watch: &Watch, witness: NodeId, seen: u16) -> Vec<(NodeId, BasisPoints)> {
    watch.targets(witness).into_iter().map(|node| (node, points(seen))).collect()
}

#[test]
fn a_witness_reports_on_exactly_the_nodes_it_was_drawn_for() {
    let (mut net, watch) = watched();
    let witness = *watch.witnesses.keys().find(|node| watch.targets(**node).len() >= 2).expect("one of six");
    let good = all(&watch, witness, 9_500);
    let stranger =
        *watch.witnesses.keys().find(|node| !watch.targets(witness).contains(node)).expect("itself");
    let mut more = good.clone();
    more.push((stranger, points(1)));
    more.sort();
    let refused = NodeError::NotDrawn { witness, node: stranger };
    assert_eq!(report(&mut net, witness, more), Err(refused));
    let own = vec![(witness, BasisPoints::WHOLE)];
    let refused = NodeError::NotDrawn { witness, node: witness };
    assert_eq!(report(&mut net, witness, own), Err(refused), "nobody reports on itself");
    let fewer = good[1..].to_vec();
    let refused = NodeError::NotSeen { witness, node: good[0].0 };
    assert_eq!(report(&mut net, witness, fewer), Err(refused));
    let mut turned = good.clone();
    turned.swap(0, 1);
    let refused = NodeError::SeenOrder { node: good[0].0 };
    assert_eq!(report(&mut net, witness, turned), Err(refused));

    let signer =
        [0, 1, 2, 3].map(operator).into_iter().find(|o| *o != owner(&net, witness)).expect("another");
    let action = AttestUptime { epoch: FIRST, witness, seen: good.clone() };
    let foreign = net.run(|draft, at| attest_uptime(draft, at, signer, &action));
    assert_eq!(foreign, Err(NodeError::NotOwn { node: witness, signer }));

    assert_eq!(report(&mut net, witness, good.clone()), Ok(()));
    let again = NodeError::Reported { witness, epoch: FIRST };
    assert_eq!(report(&mut net, witness, good), Err(again));
}

#[test]
fn a_report_comes_in_time() {
    let (mut net, watch) = watched();
    let witness = *watch.witnesses.keys().next().expect("six nodes");
    let good = all(&watch, witness, 1);
    let early = AttestUptime { epoch: NEXT, witness, seen: good.clone() };
    let signer = owner(&net, witness);
    let refused = net.run(|draft, at| attest_uptime(draft, at, signer, &early));
    assert_eq!(refused, Err(NodeError::NotRunning { epoch: NEXT, running: FIRST }));
    net.reveal(NEXT);
    assert_eq!(report(&mut net, witness, good), Err(NodeError::Drawn { epoch: FIRST }));
}

/// Who registers after an epoch has opened neither watches in it nor is watched.
#[test]
fn the_ring_of_an_epoch_is_fixed_when_it_opens() {
    let (mut net, watch) = watched();
    net.ok(|draft, at| register_node(draft, at, operator(3), &registration(7)));
    net.ok(|draft, at| leave_node(draft, at, operator(0), &LeaveNode { node: node(0, 0).id }));
    assert_eq!(net.state.watch(FIRST), watch);
    let late = NodeError::NotPart { node: node(3, 7).id, epoch: FIRST };
    assert_eq!(report(&mut net, node(3, 7).id, Vec::new()), Err(late));
    assert_ne!(net.elsewhere(FIRST).watch(FIRST), watch, "another chain draws others");
    assert_eq!(net.state.watch(NEXT), Watch::default(), "nothing is drawn before the beacon is known");
}

#[test]
fn uptime_is_the_lower_median_of_more_than_half_of_the_witnesses() {
    let (mut net, watch) = watched();
    let (node, witnesses) = watch.witnesses.iter().next().expect("six nodes");
    assert_eq!(witnesses.len(), 3);
    let uptime = |net: &Net| net.state.uptimes(FIRST, &watch).get(node).map(|uptime| uptime.get());
    let mut seen = Vec::new();
    for (witness, saw) in witnesses.iter().zip([10_000, 4_000, 9_000]) {
        assert_eq!(report(&mut net, *witness, all(&watch, *witness, saw)), Ok(()));
        seen.push(uptime(&net));
    }
    // One of three is not enough; of two the lower; of three the middle one.
    assert_eq!(seen, [None, Some(4_000), Some(9_000)]);
}

#[test]
fn too_few_operators_have_no_uptime() {
    let mut net = Net::new().and_nodes(&[1, 1, 1]);
    net.open(FIRST);
    let watch = net.state.watch(FIRST);
    for witness in watch.witnesses.keys() {
        assert_eq!(report(&mut net, *witness, all(&watch, *witness, 10_000)), Ok(()));
    }
    assert!(net.state.uptimes(FIRST, &watch).is_empty(), "two witnesses each");
}
