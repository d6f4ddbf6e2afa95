//! What a member signs, and what it does not.

use super::{places::*, *};
use alloy::primitives::Bytes;
use chain::{
    Block,
    bridge::{AttestError, Mining, batch::MAX_DATA_BYTES},
};

fn bench() -> (World, Attester) {
    let (world, dir) = (world(), tempfile::tempdir().expect("a directory"));
    let mut anchor = deployed(&world, &embedded(Mining::AtOnce), dir.path());
    let [first, ..] = attesters(&world, &mut anchor);
    (world, first)
}

#[test]
fn the_same_batch_gets_the_same_signature_and_another_one_none() {
    let (world, mut attester) = bench();
    let batches = all_batches(&world);
    let first = attester.attest(&batches[0]).expect("signed");
    assert_eq!(attester.attest(&batches[0]).expect("again"), first);
    let other = Batch { new_root: B256::repeat_byte(1), ..batches[0].clone() };
    assert!(matches!(attester.attest(&other), Err(AttestError::Equivocation { number: 1 })));
    attester.attest(&batches[1]).expect("the next");
}

#[test]
fn each_field_of_a_batch_counts() {
    let (world, mut attester) = bench();
    let batches = all_batches(&world);
    attester.attest(&batches[0]).expect("signed");
    let good = &batches[1];
    let lie = |change: fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        batch
    };
    let changed = |at: usize| {
        let mut data = good.data.to_vec();
        data[at] ^= 1;
        Batch { data: data.into(), ..good.clone() }
    };
    let refused = |attester: &mut Attester, batch: &Batch| attester.attest(batch).expect_err("a lie");
    assert!(matches!(
        refused(&mut attester, &lie(|b| b.number += 1)),
        AttestError::OutOfOrder { expected: 2, found: 3 }
    ));
    assert!(matches!(refused(&mut attester, &lie(|b| b.old_root = B256::ZERO)), AttestError::OldRoot { .. }));
    assert!(matches!(refused(&mut attester, &lie(|b| b.new_root = B256::ZERO)), AttestError::NewRoot { .. }));
    assert!(matches!(refused(&mut attester, &lie(|b| b.data = Bytes::new())), AttestError::Data { .. }));
    assert!(matches!(
        refused(&mut attester, &lie(|b| b.data = vec![1; MAX_DATA_BYTES + 1].into())),
        AttestError::Data { .. }
    ));
    assert!(matches!(
        refused(&mut attester, &lie(|b| b.data = [&b.data[..], &[0]].concat().into())),
        AttestError::RunsOn { .. }
    ));
    // Without its end a block is not complete, so the root must not have moved.
    assert!(matches!(
        refused(&mut attester, &lie(|b| b.data = b.data.slice(..b.data.len() - 1))),
        AttestError::NewRoot { .. }
    ));
    assert!(matches!(refused(&mut attester, &changed(3)), AttestError::Length { .. }));
    for at in 4..good.data.len() {
        let error = refused(&mut attester, &changed(at));
        let expected = matches!(error, AttestError::Replay { .. } | AttestError::Codec { .. });
        assert!(expected, "byte {at}: {error}");
    }
    attester.attest(good).expect("the truth, after all these lies");
}

#[test]
fn a_block_longer_than_a_batch_takes_several() {
    let mut world = World::genesis();
    for n in 1..=1_000u32 {
        let person =
            primitives::PersonId([&n.to_be_bytes()[..], &[0xee; 28]].concat().try_into().expect("32 bytes"));
        let chain::Payload::Register(register) = world.register(1) else { panic!("a registration") };
        let nullifier = primitives::Digest(person.0);
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

    let place = embedded(Mining::AtOnce);
    let dir = tempfile::tempdir().expect("a directory");
    let mut anchor = deployed(&world, &place, dir.path());
    for (batch, attestations) in attested(&world, &mut anchor) {
        anchor.commit(&batch, &attestations).expect("committed");
    }
    assert_eq!(anchor.position().expect("readable"), (batches.len() as u64, last.new_root));
}
