//! The whole way, and everything that a contract refuses on it.

use super::{places::*, *};
use alloy::primitives::U256;
use chain::{
    bridge::{
        Address, AnchorError, Committed, Mining,
        contracts::{
            credit::CweCredit::CweCreditErrors as CreditError,
            mirror::EpochMirror::EpochMirrorErrors as MirrorError,
            rollup::AttestedRollup::AttestedRollupErrors as RollupError,
            vault::PayoutVault::PayoutVaultErrors as VaultError,
        },
        epoch::mirrored,
        refusal::Refusal,
    },
    modules::dapr::Claim,
};
use primitives::{EpochId, Layer1Address};

macro_rules! refused {
    ($result:expr, $kind:ident, $pattern:pat) => {
        match $result {
            Err(AnchorError::Refused { refusal, .. }) if matches!(&*refusal, Refusal::$kind($pattern)) => {}
            other => panic!("expected {}, found {:?}", stringify!($pattern), other.map(|_| ())),
        }
    };
}

/// The payees' keys, which layer1::address does not have: payouts go to whom the tree names.
fn claims(world: &World) -> Vec<Claim> {
    layer1::on_layer1(world)
}

fn commits_every_batch_once(place: &dyn Place) {
    let (world, dir) = (world(), tempfile::tempdir().expect("a directory"));
    let mut anchor = deployed(&world, place, dir.path());
    assert_eq!(anchor.position().expect("readable"), (0, genesis_root(&world)));
    let batches = attested(&world, &mut anchor);

    let [first, second] = [&batches[0], &batches[1]];
    refused!(anchor.commit(&second.0, &second.1), Rollup, RollupError::OutOfOrder(_));
    refused!(anchor.commit(&first.0, &first.1[..1]), Rollup, RollupError::TooFewSignatures(_));
    let twice = [first.1[0].clone(), first.1[0].clone()];
    refused!(anchor.commit(&first.0, &twice), Rollup, RollupError::NotAscending(_));
    refused!(anchor.commit(&first.0, &second.1), Rollup, RollupError::WrongSigner(_));
    for change in 0..3 {
        let mut lie = first.0.clone();
        match change {
            0 => lie.new_root = B256::repeat_byte(1),
            1 => lie.old_root = B256::repeat_byte(1),
            _ => lie.data = [&lie.data[..], &[0]].concat().into(),
        }
        match anchor.commit(&lie, &first.1) {
            Err(AnchorError::Refused { refusal, .. }) => {
                assert!(["WrongSigner", "OtherRoot"].contains(&refusal.name().as_str()), "{refusal:?}");
            }
            other => panic!("a changed batch: {:?}", other.map(|_| ())),
        }
    }

    for (batch, attestations) in &batches {
        assert!(matches!(anchor.commit(batch, attestations).expect("committed"), Committed::Now(_)));
        let (count, root) = anchor.position().expect("readable");
        assert_eq!((count, root), (batch.number, batch.new_root));
    }
    for (batch, attestations) in &batches {
        assert_eq!(anchor.commit(batch, attestations).expect("there already"), Committed::Before);
    }
    let other = Batch { new_root: B256::repeat_byte(1), ..batches[0].0.clone() };
    assert!(matches!(anchor.commit(&other, &batches[0].1), Err(AnchorError::Diverged { number: 1, .. })));
}

fn mirrors_funds_and_pays(place: &dyn Place) {
    let (world, dir) = (world(), tempfile::tempdir().expect("a directory"));
    let mut anchor = deployed(&world, place, dir.path());
    let batches = attested(&world, &mut anchor);
    for (batch, attestations) in &batches {
        anchor.commit(batch, attestations).expect("committed");
    }
    let count = batches.len() as u64;
    let epoch = world.ledger.state().epochs.get(&FIRST).expect("on record");
    let proof = world.ledger.epoch_proof(FIRST).expect("settled");
    let owed = epoch.summary.as_ref().expect("settled").on_layer1;
    let claims = claims(&world);
    let [first, second] = &claims[..] else { panic!("two payouts on L1") };

    refused!(anchor.claim(first), Vault, VaultError::NotFunded(_));
    let mut tampered = epoch.clone();
    tampered.shards[0].bundles += 1;
    refused!(anchor.mirror(&tampered, proof, count), Mirror, MirrorError::NotInState(_));
    refused!(anchor.mirror(epoch, proof, 1), Mirror, MirrorError::NotInState(_));
    refused!(anchor.epoch(FIRST), Mirror, MirrorError::NotMirrored(_));
    refused!(anchor.fund(FIRST, owed), Mirror, MirrorError::NotMirrored(_));
    anchor.mirror(epoch, proof, count).expect("mirrored");
    let expected = mirrored(epoch).expect("final");
    assert_eq!(anchor.epoch(FIRST).expect("mirrored"), expected);

    anchor.fund(FIRST, owed).expect("funded");
    assert_eq!(anchor.remaining(FIRST).expect("funded"), owed);

    let account = |claim: &Claim| claim.payee.layer1_address().expect("an account");
    let as_told = |claim: &Claim, account: Layer1Address, amount: Credits| {
        let (epoch, work, path) = (claim.epoch, claim.work, claim.path.clone());
        (epoch, work, account, amount, path)
    };
    let more = Credits(first.amount.0 + 1);
    let wrong = [
        as_told(first, account(first), more),
        as_told(first, account(second), first.amount),
        as_told(second, account(first), second.amount),
    ];
    for (epoch, work, account, amount, path) in wrong {
        refused!(anchor.claim_as(epoch, work, account, amount, &path), Vault, VaultError::NotOwed(_));
    }
    let never = anchor.claim_as(EpochId(9), first.work, account(first), first.amount, &first.path);
    refused!(never, Vault, VaultError::NotFunded(_));

    // Whoever sends a claim, the payee is paid: here a stranger with a key of its own.
    let stranger = key(0x77);
    anchor.give(stranger.address(), ether(1)).expect("given");
    let mut strangers = Anchor::attach(sender(place, stranger, dir.path()), anchor.contracts());
    strangers.claim(first).expect("paid");
    anchor.claim(second).expect("paid");
    for claim in &claims {
        let payee = Address::from(account(claim).0);
        assert_eq!(anchor.credits(payee).expect("readable"), U256::from(claim.amount.0));
    }
    assert_eq!(anchor.remaining(FIRST).expect("funded"), Credits::ZERO);
    refused!(strangers.claim(second), Vault, VaultError::AlreadyClaimed(_));
    let step_done_before = strangers.claim(first).expect("the same step again finds that it is done");
    assert!(step_done_before.success);

    // Other accounts find everything done.
    assert_eq!(strangers.mirror(epoch, proof, count).expect("there already"), Committed::Before);
    refused!(strangers.mirror(&tampered, proof, count), Mirror, MirrorError::AlreadyMirrored(_));
    refused!(strangers.fund(FIRST, Credits(1)), Credit, CreditError::NotMinter(_));
}

mod embedded {
    use super::*;

    #[test]
    fn commits_every_batch_once() {
        super::commits_every_batch_once(&embedded(Mining::AtOnce));
    }

    #[test]
    fn mirrors_funds_and_pays() {
        super::mirrors_funds_and_pays(&embedded(Mining::AtOnce));
    }
}

mod anvil {
    use super::*;

    #[test]
    #[ignore = "needs anvil: ./test contracts installs it"]
    fn commits_every_batch_once() {
        super::commits_every_batch_once(&Anvil::start());
    }

    #[test]
    #[ignore = "needs anvil: ./test contracts installs it"]
    fn mirrors_funds_and_pays() {
        super::mirrors_funds_and_pays(&Anvil::start());
    }
}
