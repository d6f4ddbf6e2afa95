//! The shell: restarts, lost and damaged indices, damaged logs.

use crate::world::*;
use chain::{
    Block, Node, Payload, Transaction,
    index::Index,
    ledger::{Ledger, ReplayError},
    modules::{
        dapr::DaprError,
        treasury::{Transfer, TreasuryError},
    },
    node::{NodeError, Place},
    transaction::EnvelopeError,
};
use primitives::{Credits, Decode, Encode, PersonId};
use std::fs;

/// A history of blocks with everything up to some claims.
fn history() -> (World, Vec<Block>) {
    let mut world = World::genesis();
    let mut blocks = Vec::new();
    for n in 1..=CREATORS {
        world.ok(REGISTRAR, world.register(n));
    }
    blocks.push(world.seal());
    blocks.push(world.seal());
    for n in 1..=CREATORS {
        let status = chain::modules::identity::Status::Active;
        world.ok(
            REGISTRAR,
            Payload::SetStatus(chain::modules::identity::SetStatus { person: person(n), status }),
        );
    }
    for (n, creator) in [(1, 1), (2, 2), (3, 3)] {
        let work = world.work(n, creator);
        world.ok(person(creator), Payload::RegisterWork(work));
    }
    blocks.push(world.seal());
    (world, blocks)
}

#[test]
fn a_node_comes_back_from_its_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, blocks) = history();
    let genesis = world.ledger.origin().clone();
    let transactions: Vec<&Transaction> = blocks.iter().flat_map(|b| &b.transactions).collect();
    {
        let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
        for tx in &blocks[0].transactions {
            node.submit(tx).expect("valid");
        }
        assert_eq!(node.produce_block().expect("on disk"), blocks[0]);
        assert_eq!(node.produce_block().expect("on disk"), blocks[1]);
        for tx in &blocks[2].transactions {
            node.submit(tx).expect("valid");
        }
        // Not in a block yet, and so lost.
    }
    {
        let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
        assert_eq!((node.ledger().height(), node.ledger().head()), (2, blocks[1].digest()));
        for tx in &blocks[2].transactions {
            node.submit(tx).expect("valid");
        }
        assert_eq!(node.produce_block().expect("on disk"), blocks[2]);
    }
    let check = |node: &Node| {
        assert_eq!(node.ledger().head(), blocks[2].digest());
        assert!(node.ledger().state().to_bytes() == world.ledger.state().to_bytes());
        let last = transactions[transactions.len() - 1];
        let place = Place { height: 3, position: blocks[2].transactions.len() as u32 - 1 };
        assert_eq!(node.find(&last.id()).expect("index"), Some(place));
        assert_eq!(node.block_digest(1).expect("index"), Some(blocks[0].digest()));
    };
    check(&Node::open(dir.path(), genesis.clone()).expect("opens"));

    // The index is lost.
    fs::remove_dir_all(dir.path().join("index")).expect("removed");
    check(&Node::open(dir.path(), genesis.clone()).expect("opens"));

    // The index is damaged.
    let index = dir.path().join("index");
    for entry in fs::read_dir(&index).expect("listed").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::write(entry.path(), b"not an index").expect("overwritten");
        }
    }
    check(&Node::open(dir.path(), genesis.clone()).expect("opens"));

    // The index is behind.
    let behind = chain::index::Index::recreate(&index).expect("recreated");
    behind.apply(1, blocks[0].digest(), vec![], vec![]).expect("applied");
    drop(behind);
    check(&Node::open(dir.path(), genesis.clone()).expect("opens"));

    // The index is of another history.
    let other = chain::index::Index::recreate(&index).expect("recreated");
    other.apply(3, blocks[0].digest(), vec![], vec![]).expect("applied");
    drop(other);
    let log = fs::read(dir.path().join("blocks.log")).expect("a log");
    for _ in 0..2 {
        let refused = Node::open(dir.path(), genesis.clone()).map(|_| ());
        assert!(matches!(refused, Err(NodeError::LostBlock { log: 3, index: 3 })), "{refused:?}");
        assert_eq!(fs::read(dir.path().join("blocks.log")).expect("a log"), log);
    }
    fs::remove_dir_all(&index).expect("removed");
    check(&Node::open(dir.path(), genesis.clone()).expect("opens"));

    // The log is of another chain.
    let other = chain::Genesis { chain: primitives::ChainId(8), ..genesis };
    let (digest, first) = (other.digest(), blocks[0].parent);
    let refused = Node::open(dir.path(), other).map(|_| ());
    assert!(
        matches!(refused, Err(NodeError::OtherChain { genesis, found, .. }) if (genesis, found) == (digest, first)),
        "{refused:?}"
    );
}

/// An index that somebody has open is not damaged, and may know of a block that the log has lost.
#[test]
fn an_index_that_cannot_be_opened_is_not_thrown_away() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, blocks) = history();
    let genesis = world.ledger.origin().clone();
    let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
    for tx in &blocks[0].transactions {
        node.submit(tx).expect("valid");
    }
    node.produce_block().expect("on disk");
    drop(node);
    let path = dir.path().join("index");
    let index = Index::open(&path).expect("opens");
    let known = index.head().expect("readable");
    let refused = Node::open(dir.path(), genesis.clone()).map(|_| ());
    assert!(matches!(refused, Err(NodeError::Index(ref error)) if !error.is_damage()), "{refused:?}");
    drop(index);
    assert_eq!(Index::open(&path).and_then(|index| index.head()).expect("as it was"), known);
    assert_eq!(known, Some((1, blocks[0].digest())));
    Node::open(dir.path(), genesis).expect("opens");
}

/// One flipped bit in the last record looks like a crash to the log. The index knows better.
#[test]
fn a_block_that_was_on_disk_is_not_forgotten() {
    let dir = tempfile::tempdir().expect("a directory");
    let (world, blocks) = history();
    let genesis = world.ledger.origin().clone();
    let path = dir.path().join("blocks.log");
    let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
    let mut ends = vec![fs::read(&path).expect("a log").len()];
    for block in &blocks {
        for tx in &block.transactions {
            node.submit(tx).expect("valid");
        }
        assert_eq!(&node.produce_block().expect("on disk"), block);
        ends.push(fs::read(&path).expect("a log").len());
    }
    drop(node);
    let sound = fs::read(&path).expect("a log");
    let mut flipped = sound.clone();
    *flipped.last_mut().expect("a byte") ^= 1;
    let cut = sound[..ends[1]].to_vec();
    let lost = [
        (flipped, 2),
        (sound[..ends[2] + 5].to_vec(), 2),
        (cut, 1),
        (sound[..ends[0]].to_vec(), 0),
        (vec![], 0),
    ];
    for (damaged, height) in lost {
        fs::write(&path, &damaged).expect("written");
        for _ in 0..2 {
            let refused = Node::open(dir.path(), genesis.clone()).map(|_| ());
            assert!(
                matches!(refused, Err(NodeError::LostBlock { log, index: 3 }) if log == height),
                "{refused:?}"
            );
            assert!(fs::read(&path).expect("a log") == damaged, "nothing is cut");
        }
    }
    // The block comes back from elsewhere.
    fs::write(&path, &sound).expect("written");
    let node = Node::open(dir.path(), genesis.clone()).expect("opens");
    assert_eq!((node.ledger().head(), node.torn()), (blocks[2].digest(), None));
    drop(node);

    // Another block at the same height is a fork, and no less a loss.
    fs::write(&path, &sound[..ends[2]]).expect("written");
    fs::rename(dir.path().join("index"), dir.path().join("kept")).expect("moved");
    let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
    node.produce_block().expect("on disk");
    drop(node);
    fs::remove_dir_all(dir.path().join("index")).expect("removed");
    fs::rename(dir.path().join("kept"), dir.path().join("index")).expect("moved");
    let refused = Node::open(dir.path(), genesis.clone()).map(|_| ());
    assert!(matches!(refused, Err(NodeError::LostBlock { log: 3, index: 3 })), "{refused:?}");

    // A crash in the middle of a record, before the index had its block: cut, and on with it.
    fs::remove_dir_all(dir.path().join("index")).expect("removed");
    fs::write(&path, &sound[..ends[2]]).expect("written");
    drop(Node::open(dir.path(), genesis.clone()).expect("opens"));
    fs::write(&path, &sound[..ends[3] - 1]).expect("written");
    let node = Node::open(dir.path(), genesis).expect("opens");
    assert_eq!(node.torn().map(|tail| tail.offset), Some(ends[2] as u64));
    assert_eq!(node.ledger().head(), blocks[1].digest());
    assert_eq!(fs::read(&path).expect("a log").len(), ends[2]);
}

#[test]
fn an_epoch_survives_a_restart_with_its_record_and_its_claims() {
    let dir = tempfile::tempdir().expect("a directory");
    let world = World::settled();
    let genesis = world.ledger.origin().clone();
    let mut node = Node::open(dir.path(), genesis.clone()).expect("opens");
    for block in &world.blocks {
        for tx in &block.transactions {
            node.submit(tx).expect("valid");
            // Asking for roots in the middle of a block changes nothing about where leaves stand.
            node.ledger().clone().state_root();
        }
        assert_eq!(&node.produce_block().expect("on disk"), block);
    }
    let claims = node.ledger().state().claims_of_epoch(FIRST);
    let (paid, left) = claims.split_first().expect("claims");
    node.submit(&Transaction::open(Payload::Claim(paid.clone()))).expect("owed");
    node.produce_block().expect("on disk");
    drop(node);
    let mut node = Node::open(dir.path(), genesis).expect("opens");
    assert_eq!(node.record(FIRST), chain::light::record(&world.ledger, FIRST));
    let (epoch, work, payee) = (paid.epoch, paid.work, paid.payee);
    let again = node.submit(&Transaction::open(Payload::Claim(paid.clone())));
    assert_eq!(again, Err(DaprError::AlreadyClaimed { epoch, work, payee }.into()));
    for claim in left {
        node.submit(&Transaction::open(Payload::Claim(claim.clone()))).expect("owed");
    }
    assert!((1..=CREATORS).all(|n| node.ledger().state().claimable(&person(n)).is_empty()));
}

#[test]
fn when_a_root_is_asked_for_does_not_change_it() {
    let mut world = World::settled();
    let mut ledger = Ledger::genesis(world.ledger.origin().clone()).expect("valid");
    for block in &world.blocks {
        for tx in &block.transactions {
            ledger.apply(tx).expect("valid");
            ledger.state_root();
        }
        assert_eq!(ledger.seal().state_root, block.state_root);
    }
    assert_eq!(ledger.state_root(), world.ledger.state_root());
}

#[test]
fn replay_names_the_first_wrong_thing() {
    let (world, blocks) = history();
    let start = || Ledger::genesis(world.ledger.origin().clone()).expect("valid");
    let after_two = || start().replay(&blocks[0]).and_then(|l| l.replay(&blocks[1])).expect("sound");
    let refused = |ledger: Ledger, block: &Block| ledger.replay(block).map(|_| ()).expect_err("changed");

    let replayed = after_two().replay(&blocks[2]).expect("sound");
    assert!(replayed.state().to_bytes() == world.ledger.state().to_bytes());
    assert_eq!(replayed.head(), world.ledger.head());

    let height = Block { height: 4, ..blocks[2].clone() };
    assert_eq!(refused(after_two(), &height), ReplayError::Height { expected: 3, found: 4 });
    let parent = Block { parent: digest(0), ..blocks[2].clone() };
    let expected = blocks[1].digest();
    assert_eq!(refused(after_two(), &parent), ReplayError::Parent { height: 3, expected, found: digest(0) });
    let mut missing = blocks[2].clone();
    missing.transactions.remove(0);
    let nonce = EnvelopeError::Nonce { signer: REGISTRAR, expected: 3, found: 4 };
    assert_eq!(
        refused(after_two(), &missing),
        ReplayError::Transaction { height: 3, position: 0, error: Box::new(nonce.into()) }
    );
    let mut short = blocks[2].clone();
    short.transactions.pop();
    assert!(matches!(refused(after_two(), &short), ReplayError::StateRoot { height: 3, .. }));
}

#[test]
fn blocks_and_transactions_have_one_encoding() {
    let mut world = World::settled();
    let claim = world.ledger.state().claims_of_epoch(FIRST)[0].clone();
    world.open_ok(Payload::Claim(claim));
    let to = person(2);
    world.refuse(
        person(3),
        Payload::Transfer(Transfer { to, amount: Credits(0) }),
        TreasuryError::NothingToMove,
    );
    let block = world.seal();
    assert_eq!(Block::from_bytes(&block.to_bytes()), Ok(block.clone()));
    let mut longer = block.to_bytes();
    longer.push(0);
    assert!(Block::from_bytes(&longer).is_err());
    let mut other = block.clone();
    other.transactions.pop();
    assert_ne!(other.digest(), block.digest());
}

#[test]
fn the_same_transactions_lead_to_the_same_blocks() {
    let (first, second) = (history(), history());
    assert_eq!(first.1, second.1);
    assert_eq!(World::settled().ledger.head(), World::settled().ledger.head());
}

#[test]
fn anybody_may_claim_for_a_payee_and_nobody_for_another() {
    let mut world = World::settled();
    let claim = world.ledger.state().claims_of_epoch(FIRST)[0].clone();
    let (epoch, work, payee, amount) = (claim.epoch, claim.work, claim.payee, claim.amount);
    let mut forged = claim.clone();
    forged.amount = Credits(amount.0 + 1);
    let owed = |payee: PersonId, amount| DaprError::NotOwed { epoch, work, payee, amount };
    world.refuse_open(Payload::Claim(forged.clone()), owed(payee, forged.amount));
    let thief = (1..=CREATORS).map(person).find(|p| *p != payee).expect("another");
    forged = claim.clone();
    forged.payee = thief;
    world.refuse_open(Payload::Claim(forged), owed(thief, amount));
    world.open_ok(Payload::Claim(claim.clone()));
    world.refuse_open(Payload::Claim(claim), DaprError::AlreadyClaimed { epoch, work, payee });
    assert_eq!(world.ledger.state().accounts.get(&payee).expect("an account").balance, amount);
}
