//! What nodes commit to, and until when.

use super::*;
use crate::modules::{
    identity::{Identity, Roles},
    work_registry::Work,
};
use primitives::WorkId;

fn sum(units: u64) -> Claimed {
    Claimed::Bandwidth(Sum { digest: Digest([1; 32]), units })
}

#[test]
fn a_node_commits_once_a_kind() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    let id = node(0, 0).id;
    for claimed in [stored(&[0, 1]), sum(5), Claimed::Compute(Sum { digest: Digest([2; 32]), units: 6 })] {
        assert_eq!(net.commit(0, 0, FIRST, claimed.clone()), Ok(()));
        let kind = claimed.kind();
        let again = NodeError::AlreadyCommitted { node: id, epoch: FIRST, kind };
        assert_eq!(net.commit(0, 0, FIRST, claimed.clone()), Err(again));
        let metrics = net.state.metrics_of(id, FIRST, kind).expect("committed");
        assert_eq!((&metrics.claimed, metrics.audit, metrics.counted), (&claimed, Audit::Due, 0));
    }
    let units =
        Contribution::AUDITED.map(|kind| net.state.metrics_of(id, FIRST, kind).expect("committed").units);
    let chunks = |n| net.state.contents.get(&work(n)).map_or(0, |content| u64::from(content.chunks));
    assert_eq!(units, [chunks(0) + chunks(1), 5, 6]);
}

#[test]
fn nothing_is_committed_to_once_the_beacon_is_no_secret() {
    let mut net = Net::new().and_nodes(&[1]);
    let not_running = NodeError::NotRunning { epoch: FIRST, running: FIRST };
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Err(not_running), "it has not opened");
    net.open(FIRST);
    let later = NodeError::NotRunning { epoch: NEXT, running: FIRST };
    assert_eq!(net.commit(0, 0, NEXT, sum(1)), Err(later));
    net.end(FIRST, Phase::Finalised);
    assert_eq!(net.commit(0, 0, FIRST, stored(&[0])), Ok(()), "settled, and the next has not begun");
    net.reveal(NEXT);
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Err(NodeError::Drawn { epoch: FIRST }));
    net.open(NEXT);
    let over = NodeError::NotRunning { epoch: FIRST, running: NEXT };
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Err(over));
    net.end(NEXT, Phase::Abandoned);
    assert_eq!(net.commit(0, 0, NEXT, sum(1)), Err(NodeError::Abandoned { epoch: NEXT }));
}

#[test]
fn who_commits_to_what() {
    let mut net = Net::new().and_nodes(&[1]);
    let register = |net: &mut Net, i, services| {
        let action = RegisterNode { services, ..registration(i) };
        net.ok(|draft, at| register_node(draft, at, operator(0), &action));
    };
    register(&mut net, 1, Services::STORAGE);
    net.open(FIRST);
    register(&mut net, 2, all_services());
    let (id, signer) = (node(0, 0).id, operator(1));
    let action = CommitMetrics { node: id, epoch: FIRST, claimed: sum(1) };
    let foreign = net.run(|draft, at| commit_metrics(draft, at, signer, &action));
    assert_eq!(foreign, Err(NodeError::NotOwn { node: id, signer }));
    let unknown = NodeError::UnknownNode { node: node(0, 9).id };
    assert_eq!(net.commit(0, 9, FIRST, sum(1)), Err(unknown));
    let not_part = NodeError::NotPart { node: node(0, 2).id, epoch: FIRST };
    assert_eq!(net.commit(0, 2, FIRST, sum(1)), Err(not_part));
    let not_offered = NodeError::NotOffered { node: node(0, 1).id, kind: Contribution::Bandwidth };
    assert_eq!(net.commit(0, 1, FIRST, sum(1)), Err(not_offered));
    assert_eq!(net.commit(0, 1, FIRST, stored(&[0])), Ok(()));
    assert_eq!(net.commit(0, 0, FIRST, sum(0)), Err(NodeError::NothingToDo));
    assert_eq!(net.commit(0, 0, FIRST, stored(&[])), Err(NodeError::NothingToDo));

    // A bond that was cut is filled up first.
    let (whole, cut) = (net.bond(0, 0), Credits(net.bond(0, 0).0 - 1));
    let on_record = net.state.nodes.get(&id).expect("a node").clone();
    net.put(Node { bond: cut, ..on_record.clone() });
    let refused = NodeError::Bond { node: id, bond: cut, needed: whole };
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Err(refused));
    net.put(on_record);
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Ok(()));
}

#[test]
fn content_is_kept_of_works_that_have_some_on_record() {
    let mut net = Net::new().and_nodes(&[1]);
    let two = stored(&[0, 1]);
    let Claimed::Storage(StoredWorks(mut works)) = two else { unreachable!("works") };
    net.open(FIRST);
    works.reverse();
    let order = NodeError::WorkOrder { work: works[1] };
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Storage(StoredWorks(works.clone()))), Err(order));
    let twice = StoredWorks(vec![works[0]; 2]);
    let order = NodeError::WorkOrder { work: works[0] };
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Storage(twice)), Err(order), "one chunk would count twice");
    let nothing = WorkId([0x77; 32]);
    let none = NodeError::NoContent { work: nothing, epoch: FIRST };
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Storage(StoredWorks(vec![nothing]))), Err(none));
    // Content that came too late for this epoch.
    let old = net.state.works.get(&work(0)).expect("a work").clone();
    net.put(Work { id: nothing, ..old });
    let action = RegisterContent { work: nothing, manifest: nothing_yet(), root: nothing_yet(), chunks: 9 };
    net.ok(|draft, at| register_content(draft, at, CREATOR, &action));
    let late = NodeError::NoContent { work: nothing, epoch: FIRST };
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Storage(StoredWorks(vec![nothing]))), Err(late));
}

fn nothing_yet() -> Digest {
    Digest([0x78; 32])
}

/// A creator could make up content that it makes again when asked.
#[test]
fn nobody_is_paid_for_keeping_its_own_work() {
    let mut net = Net::new();
    let creator = net.state.identities.get(&CREATOR).expect("on record").clone();
    net.put(Identity { roles: Roles::CREATOR.with(Roles::NODE), ..creator });
    net.ok(|draft, at| register_node(draft, at, CREATOR, &registration(0)));
    net.open(FIRST);
    let node = node_id(&CREATOR, &Digest([0; 32]));
    let action = CommitMetrics { node, epoch: FIRST, claimed: stored(&[1]) };
    let refused = net.run(|draft, at| commit_metrics(draft, at, CREATOR, &action));
    assert_eq!(refused, Err(NodeError::OwnContent { work: work(1) }));
}

/// Records of three epochs are there at a time, and none is lost before it was scored.
#[test]
fn an_epoch_is_overwritten_once_it_is_scored() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    assert_eq!(net.commit(0, 0, FIRST, sum(1)), Ok(()));
    net.turn(FIRST);
    assert_eq!(net.commit(0, 0, NEXT, sum(2)), Ok(()));
    let (id, kind) = (node(0, 0).id, Contribution::Bandwidth);
    let units = |net: &Net, epoch| net.state.metrics_of(id, epoch, kind).map(|metrics| metrics.units);
    assert_eq!([units(&net, FIRST), units(&net, NEXT)], [Some(1), Some(2)]);
    net.turn(NEXT);
    let [third, fourth] = [1, 2].map(|after| EpochId(NEXT.0 + after));
    assert_eq!(net.commit(0, 0, third, sum(3)), Ok(()), "the first may wait for its score");
    net.turn(third);
    let unscored = NodeError::NotScored { epoch: FIRST };
    let refill = AddBond { node: id, amount: Credits(1_000_000) };
    assert_eq!(net.commit(0, 0, fourth, sum(4)), Err(unscored));
    assert_eq!(net.score(FIRST), Ok(()));
    // It did not answer: the bond was cut.
    net.ok(|draft, _| add_bond(draft, operator(0), &refill));
    assert_eq!(net.commit(0, 0, fourth, sum(4)), Ok(()));
    let of_each = [FIRST, NEXT, third, fourth].map(|epoch| units(&net, epoch));
    assert_eq!(of_each, [None, Some(2), Some(3), Some(4)]);
    assert_eq!(net.state.metrics.len(), 3);
}
