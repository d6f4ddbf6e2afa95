//! What a member signs, and what it does not.

use super::{places::*, *};
use chain::{
    bridge::{AttestError, Mining},
    ledger::ReplayError,
};
use primitives::Digest;
use tempfile::TempDir;

/// A world, and a member whose record is in a folder.
fn bench() -> (World, Attester, TempDir) {
    let (world, dir) = (world(), tempfile::tempdir().expect("a directory"));
    let first = member(&world, dir.path());
    (world, first, dir)
}

fn member(world: &World, dir: &Path) -> Attester {
    let scratch = tempfile::tempdir().expect("a directory");
    let mut anchor = deployed(world, &embedded(Mining::AtOnce), scratch.path());
    let [first, ..] = attesters(world, &mut anchor, dir);
    first
}

#[test]
fn a_member_that_starts_again_signs_the_same_blocks_and_no_other() {
    let (world, mut attester, dir) = bench();
    let [first, second, ..] = &world.blocks[..] else { panic!("two blocks") };
    let signed = attester.attest(first).expect("signed");
    drop(attester);
    let mut again = member(&world, dir.path());
    // A block that would follow from the genesis as well.
    let mut other = genesis_ledger(&world);
    let other = other.seal();
    assert!(matches!(again.attest(&other), Err(AttestError::Equivocation { height: 1 })));
    assert_eq!(again.attest(first).expect("the same"), signed);
    again.attest(second).expect("the next");
    drop(again);
    let mut third = member(&world, dir.path());
    third.attest(first).expect("once more");
    third.attest(second).expect("once more");
}

#[test]
fn the_same_block_gets_the_same_signatures_and_another_one_none() {
    let (world, mut attester, _dir) = bench();
    let [first, second, ..] = &world.blocks[..] else { panic!("two blocks") };
    let signed = attester.attest(first).expect("signed");
    assert_eq!(attester.attest(first).expect("again"), signed);
    // Whatever the other block of this height says, and however well it would follow.
    let other = Block { transactions: Vec::new(), ..first.clone() };
    assert!(matches!(attester.attest(&other), Err(AttestError::Equivocation { height: 1 })));
    attester.attest(second).expect("the next");
    let late = attester.attest(first);
    assert!(matches!(late, Err(AttestError::OutOfOrder { expected: 3, found: 1 })));
}

#[test]
fn each_field_of_a_block_counts() {
    let (world, mut attester, _dir) = bench();
    let [first, good, third, ..] = &world.blocks[..] else { panic!("three blocks") };
    attester.attest(first).expect("signed");
    let refused = |attester: &mut Attester, block: &Block| attester.attest(block).expect_err("a lie");
    let early = refused(&mut attester, third);
    assert!(matches!(early, AttestError::OutOfOrder { expected: 2, found: 3 }));
    let replay = |error: AttestError| match error {
        AttestError::Replay(error) => *error,
        other => panic!("{other}"),
    };
    let parent = Block { parent: Digest::default(), ..good.clone() };
    assert!(matches!(replay(refused(&mut attester, &parent)), ReplayError::Parent { .. }));
    let root = Block { state_root: first.state_root, ..good.clone() };
    assert!(matches!(replay(refused(&mut attester, &root)), ReplayError::StateRoot { .. }));
    for left_out in 0..good.transactions.len() {
        let mut transactions = good.transactions.clone();
        transactions.remove(left_out);
        refused(&mut attester, &Block { transactions, ..good.clone() });
    }
    attester.attest(good).expect("the truth, after all these lies");
}

#[test]
fn a_block_longer_than_a_batch_takes_several() {
    let mut world = World::genesis();
    for n in 1..=1_000u32 {
        let person = [&n.to_be_bytes()[..], &[0xee; 28]].concat().try_into().expect("32 bytes");
        let chain::Payload::Register(register) = world.register(1) else { panic!("a registration") };
        let (person, nullifier) = (primitives::PersonId(person), Digest(person));
        let register = chain::modules::identity::Register { person, nullifier, ..register };
        world.ok(REGISTRAR, chain::Payload::Register(register));
    }
    world.seal();
    let next: Block = world.seal();
    let batches = all_batches(&world);
    assert!(batches.len() >= 3, "{} batches", batches.len());
    let (last, before) = batches.split_last().expect("some");
    assert!(before[..before.len() - 1].iter().all(|batch| batch.new_root == genesis_root(&world)));
    assert_eq!(last.new_root, root_on_layer1(&next.state_root));
    let stream: Vec<u8> = batches.iter().flat_map(|batch| batch.data.to_vec()).collect();
    let mut rest = &stream[..];
    for block in &world.blocks {
        let (length, after) = rest.split_first_chunk::<4>().expect("a length");
        let (bytes, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        let read: Block = primitives::Decode::from_bytes(bytes).expect("a block");
        assert_eq!(read, *block);
        rest = after;
    }
    assert!(rest.is_empty(), "the stream is the chain's blocks and nothing else");

    let dir = tempfile::tempdir().expect("a directory");
    let mut anchor = deployed(&world, &embedded(Mining::AtOnce), dir.path());
    for (batch, attestations) in attested(&world, &mut anchor) {
        anchor.commit(&batch, &attestations).expect("committed");
    }
    assert_eq!(anchor.position().expect("readable"), (batches.len() as u64, last.new_root));
}
