//! What a sequencer's word is worth: it comes back with it, others check it, and whoever broke it is convicted.

use super::*;

#[test]
fn what_was_written_down_comes_back_in_its_places() {
    let mut desk = Desk::new(Desk::limits());
    let txs: Vec<_> = (0..3).map(|nonce| desk.register(nonce)).collect();
    let effects: Vec<_> = txs.iter().flat_map(|tx| desk.submit(tx)).collect();
    let taken = written(&effects);
    for one in &taken {
        assert_eq!(Taken::from_bytes(&one.to_bytes()).as_ref(), Ok(one));
    }
    let block = blocks(&desk.tick(2)).remove(0);

    let fresh = || {
        let ledger = desk.world.ledger.clone();
        Sequencer::new(ledger, author(), Limits::default(), 0).expect("inside bounds")
    };
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut back = fresh();
    let again = back.restore(taken.clone(), &mut rng).expect("what it took before");
    assert!(written(&again).is_empty(), "it is on disk");
    let promised = |effects: &[Effect]| confirmations(effects).iter().map(|c| c.promise).collect::<Vec<_>>();
    assert_eq!(promised(&again), promised(&effects));
    // Overdue, so it ends at the next look at the clock, and is the block that it would have been.
    assert_eq!(blocks(&back.tick(NOW.after(100), &mut rng))[0].block, block.block);

    let mut refuse = |change: &dyn Fn(&mut Vec<Taken>)| {
        let mut changed = taken.clone();
        change(&mut changed);
        fresh().restore(changed, &mut rng).expect_err("changed")
    };
    let place = |expected, found| RestoreError::Place { expected, found };
    assert_eq!(refuse(&|taken| taken[0].height = 2), place((1, 0), (2, 0)));
    assert_eq!(refuse(&|taken| drop(taken.remove(1))), place((1, 1), (1, 2)));
    assert_eq!(refuse(&|taken| taken[2].position = 1), place((1, 2), (1, 1)));
    let time = RestoreError::Time { height: 1, expected: NOW, found: NOW.after(1) };
    assert_eq!(refuse(&|taken| taken[1].time = NOW.after(1)), time);
    let swapped = refuse(&|taken| taken[0].transaction = taken[1].transaction.clone());
    let nonce = EnvelopeError::Nonce { signer: REGISTRAR, expected: 0, found: 1 };
    let error: TxError = nonce.into();
    assert_eq!(swapped, RestoreError::Refused { height: 1, position: 0, error });
}

#[test]
fn a_block_of_somebody_else_is_checked_in_every_part() {
    let mut desk = Desk::new(Desk::limits());
    let tx = desk.register(0);
    desk.submit(&tx);
    let sealed = blocks(&desk.tick(2)).remove(0);
    let start = || desk.world.ledger.clone();
    let refuse =
        |sealed: &SealedBlock, now| sealed.check(start(), now).map(|_: Ledger| ()).expect_err("changed");
    let mut rng = ChaCha20Rng::seed_from_u64(1);

    assert_eq!(refuse(&SealedBlock { seal: None, ..sealed.clone() }, NOW), BlockError::NoSeal { height: 1 });
    let seal = sealed.seal.expect("sealed");
    let other = Some(Seal { signer: REGISTRAR, ..seal });
    let stranger = BlockError::NotASequencer { height: 1, signer: REGISTRAR };
    assert_eq!(refuse(&SealedBlock { seal: other, ..sealed.clone() }, NOW), stranger);
    let mut changed = sealed.clone();
    changed.block.transactions.clear();
    let not_under = BlockError::Seal { height: 1, signer: SEQUENCER };
    assert_eq!(refuse(&changed, NOW), not_under);
    let elsewhere = Seal::sign(ChainId(8), &sealed.block, &author(), &mut rng);
    let elsewhere = SealedBlock { seal: Some(elsewhere), ..sealed.clone() };
    assert_eq!(refuse(&elsewhere, NOW), not_under);
    let before = Time(NOW.0 - u64::from(MAX_BLOCK_AHEAD));
    assert!(sealed.check(start(), before).is_ok());
    let now = Time(before.0 - 1);
    assert_eq!(refuse(&sealed, now), BlockError::Ahead { height: 1, time: NOW, now });
    // A block that the sequencer itself made wrong is signed well, and is wrong.
    let seal = Some(Seal::sign(CHAIN, &changed.block, &author(), &mut rng));
    assert!(matches!(
        refuse(&SealedBlock { seal, ..changed }, NOW),
        BlockError::Replay(chain::ledger::ReplayError::StateRoot { height: 1, .. })
    ));
    assert_eq!(SealedBlock::from_bytes(&sealed.to_bytes()), Ok(sealed));
}

#[test]
fn a_broken_word_is_evidence_and_a_kept_one_is_not() {
    let (key, mut rng) = (sequencer_key().public_key(), ChaCha20Rng::seed_from_u64(3));
    let promise = Promise { chain: CHAIN, height: 4, position: 2, transaction: digest(1), time: Time(50) };
    let mut sign = |promise| Confirmation::sign(promise, &author(), &mut rng);
    let said = sign(promise);
    let check = |evidence: &Evidence| {
        assert_eq!(Evidence::from_bytes(&evidence.to_bytes()).as_ref(), Ok(evidence));
        evidence.check(CHAIN, &key)
    };
    let two = |other| check(&Evidence::TwoPromises((said, other)));
    for lie in [
        Promise { transaction: digest(2), ..promise },
        Promise { position: 3, ..promise },
        Promise { height: 5, ..promise },
        Promise { time: Time(51), ..promise },
        Promise { transaction: digest(2), position: 3, time: Time(51), ..promise },
    ] {
        assert_eq!(two(sign(lie)), Ok(SEQUENCER), "{lie:?}");
    }
    for truth in [
        promise,
        Promise { transaction: digest(2), position: 3, ..promise },
        Promise { transaction: digest(2), height: 5, time: Time(51), ..promise },
    ] {
        assert_eq!(two(sign(truth)), Err(NoEvidence::NoContradiction), "{truth:?}");
    }
    // What the sequencer did not sign convicts nobody.
    let lie = Promise { transaction: digest(2), ..promise };
    let forged = Confirmation { promise: lie, ..said };
    assert_eq!(two(forged), Err(NoEvidence::Signature { part: 1 }));
    let other = Confirmation { signer: REGISTRAR, ..sign(lie) };
    assert_eq!(two(other), Err(NoEvidence::TwoSigners { first: SEQUENCER, second: REGISTRAR }));
    let chain = NoEvidence::OtherChain { part: 1, expected: CHAIN, found: ChainId(8) };
    assert_eq!(two(sign(Promise { chain: ChainId(8), ..lie })), Err(chain));

    let mut desk = Desk::new(Desk::limits());
    let tx = desk.register(0);
    let confirmation = confirmations(&desk.submit(&tx))[0];
    let sealed = blocks(&desk.tick(2)).remove(0);
    let reseal = |change: &dyn Fn(&mut SealedBlock)| {
        let mut changed = sealed.clone();
        change(&mut changed);
        changed.seal = Some(Seal::sign(CHAIN, &changed.block, &author(), &mut ChaCha20Rng::seed_from_u64(4)));
        changed
    };
    let left_out = reseal(&|sealed| sealed.block.transactions.clear());
    let later = reseal(&|sealed| sealed.block.time = NOW.after(9));
    let next = reseal(&|sealed| {
        sealed.block.height = 2;
        sealed.block.transactions.clear();
    });
    let broken = |block: &SealedBlock| check(&Evidence::BrokenPromise((confirmation, block.clone())));
    assert_eq!((broken(&left_out), broken(&later)), (Ok(SEQUENCER), Ok(SEQUENCER)));
    assert_eq!(broken(&next), Err(NoEvidence::NoContradiction), "another block has other transactions");
    let unsealed = SealedBlock { seal: None, ..left_out.clone() };
    assert_eq!(broken(&unsealed), Err(NoEvidence::Signature { part: 1 }));
    let blocks = |a: &SealedBlock, b: &SealedBlock| check(&Evidence::TwoBlocks((a.clone(), b.clone())));
    assert_eq!(blocks(&sealed, &left_out), Ok(SEQUENCER));
    assert_eq!(blocks(&sealed, &sealed), Err(NoEvidence::NoContradiction));
    assert_eq!(blocks(&sealed, &next), Err(NoEvidence::NoContradiction));
    assert_eq!(blocks(&unsealed, &sealed), Err(NoEvidence::Signature { part: 0 }));
}
