//! What a full node waits for, and what it says meanwhile.

use super::*;
use crate::rpc::SOON;
use chain::sequencer::MAX_BLOCK_AHEAD;
use std::{
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Waits for something to be said.
fn hear<T>(node: &Running, what: impl Fn(Notice) -> Option<T>) -> T {
    while let Ok(notice) = node.notices.recv_timeout(SOON) {
        if let Some(found) = what(notice) {
            return found;
        }
    }
    panic!("it was not said");
}

fn clock() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs())
}

/// A block whose time has not come is asked for again, and what is in the log is taken whatever the clock says.
#[test]
fn a_block_from_a_later_time_is_waited_for() {
    let world = crate::sequencer::world();
    let genesis = world.ledger.origin().clone();
    let mut ledger = world.ledger.clone();
    let mut make = |time| {
        ledger.begin(time);
        seal(ledger.seal())
    };
    let due = clock().after(MAX_BLOCK_AHEAD + 3);
    let (now, soon, never) = (make(Time(5)), make(due), make(Time(u64::MAX - 1)));
    let liar = Liar::start(&genesis, [&now, &soon, &never].map(Encode::to_bytes).into());
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::start(dir.path(), genesis.clone(), liar.role());
    let early = |notice| match notice {
        Notice::Early { height, time, .. } => Some((height, time)),
        Notice::Block { height, .. } if height > 1 => panic!("block {height} is taken too early"),
        _ => None,
    };
    assert_eq!(hear(&node, early), (2, due));
    wait_for(&node, 2);
    assert!(clock().after(MAX_BLOCK_AHEAD) >= due);
    let early = |notice| match notice {
        Notice::Early { height, .. } => Some(height),
        _ => None,
    };
    assert_eq!(hear(&node, early), 3);
    node.stop().expect("stops");
    // The same in its own log.
    let own = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(own.path(), genesis.clone()).expect("opens").0;
    for sealed in [&now, &soon, &never] {
        store.append(sealed).expect("on disk");
    }
    drop(store);
    let (_, ledger) = Store::open_sealed(own.path(), Ledger::genesis(genesis.clone()).expect("valid"))
        .expect("its own blocks");
    assert_eq!((ledger.height(), ledger.now()), (3, Time(u64::MAX - 1)));
    // Its sequencer goes on with that time, and says so.
    let node = Running::sequencer(own.path(), genesis);
    let said = hear(&node, |notice| match notice {
        Notice::ClockBehind { last, .. } => Some(last),
        _ => None,
    });
    assert_eq!(said, Time(u64::MAX - 1));
}

/// A sequencer that holds the ledger's clock back is noticed by whoever keeps up with it.
#[test]
fn a_block_that_is_new_and_has_an_old_time_is_noticed() {
    let world = crate::sequencer::world();
    let genesis = world.ledger.origin().clone();
    let mut ledger = world.ledger.clone();
    let mut make = |time| {
        ledger.begin(time);
        seal(ledger.seal()).to_bytes()
    };
    let liar = Liar::start(&genesis, vec![make(Time(5))]);
    let dir = tempfile::tempdir().expect("a directory");
    let node = Running::start(dir.path(), genesis, liar.role());
    let stale = |notice| match notice {
        Notice::Stale { height, .. } => Some(Some(height)),
        Notice::Block { .. } => Some(None),
        _ => None,
    };
    assert_eq!(hear(&node, stale), None, "an old block is old");
    let said = [make(Time(5)), make(Time(6)), make(clock()), make(clock())].map(|block| {
        // It has asked, and there was nothing.
        thread::sleep(Duration::from_secs(1));
        liar.blocks.lock().expect("no panic").push(block);
        assert_eq!(hear(&node, stale), None);
        node.notices.recv_timeout(Duration::from_millis(200)).ok().and_then(stale)
    });
    assert_eq!(said, [Some(Some(2)), None, None, None]);
}

/// One that ends its subscriptions, or refuses for a while, is connected to again, and that is said once.
#[test]
fn a_node_that_refuses_is_asked_again() {
    let world = crate::sequencer::world();
    let genesis = world.ledger.origin().clone();
    let mut ledger = world.ledger.clone();
    let block = seal(ledger.seal()).to_bytes();
    for (ends, busy) in [(true, false), (false, true)] {
        let liar = Liar::start(&genesis, Vec::new());
        liar.ends.store(ends, Ordering::Relaxed);
        liar.busy.store(busy, Ordering::Relaxed);
        let dir = tempfile::tempdir().expect("a directory");
        let node = Running::start(dir.path(), genesis.clone(), liar.role());
        hear(&node, |notice| matches!(notice, Notice::Unreachable { .. }).then_some(()));
        thread::sleep(Duration::from_millis(2500));
        let asked = liar.asked.load(Ordering::Relaxed);
        assert!((2..10).contains(&asked), "asked {asked} times");
        liar.blocks.lock().expect("no panic").push(block.clone());
        liar.busy.store(false, Ordering::Relaxed);
        wait_for(&node, 1);
        node.stop().expect("stops");
    }
}

/// A node that goes away and comes back is said to have, in words for people, and so is the end.
#[test]
fn a_node_that_comes_back_is_said() {
    let world = crate::sequencer::world();
    let genesis = || world.ledger.origin().clone();
    let (dir, copy) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let sequencer = Running::sequencer(dir.path(), genesis());
    let (address, node) = (sequencer.address, Running::start(copy.path(), genesis(), full(&sequencer)));
    thread::sleep(Duration::from_secs(1));
    sequencer.stop().expect("stops");
    let reason = hear(&node, |notice| match notice {
        Notice::Unreachable { reason } => Some(reason),
        _ => None,
    });
    let closed = ["the connection was closed", "it ended the subscription"];
    assert!(closed.map(|why| format!("ws://{address} does not answer: {why}")).contains(&reason), "{reason}");
    let _sequencer = Running::sequencer_at(address, dir.path(), genesis());
    let connected = |notice| match notice {
        Notice::Connected { height } => Some(height),
        _ => None,
    };
    assert_eq!(hear(&node, connected), 0);
    node.tell_to_stop();
    let stopped = |notice| match notice {
        Notice::Stopped { head } => Some(head.height),
        _ => None,
    };
    assert_eq!(hear(&node, stopped), 0);
}
