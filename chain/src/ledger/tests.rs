use super::*;
use crate::{
    modules::{
        identity::{Register, Roles, Rotate},
        treasury::Transfer,
    },
    signature::SecretKey,
};
use primitives::{ChainId, Credits, Preset};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn ledger() -> (Ledger, SecretKey, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let keys = [(); 3].map(|()| SecretKey::generate(&mut rng));
    let roles = [Roles::REGISTRAR, Roles::STEWARD, Roles::TREASURER];
    let office = |(i, roles): (u8, Roles)| {
        let key = keys[usize::from(i)].public_key();
        Authority { person: PersonId([i + 1; 32]), key, roles }
    };
    let offices = (0u8..).zip(roles).map(office).collect();
    let genesis = Genesis::new(ChainId(1), EpochId(1), Preset::Spec.params(), offices);
    let ledger = Ledger::genesis(genesis).expect("a valid genesis");
    let [first, ..] = keys;
    (ledger, first, rng)
}

fn transfer(key: &SecretKey, rng: &mut ChaCha20Rng) -> Transaction {
    let payload = Payload::Transfer(Transfer { to: PersonId([2; 32]), amount: Credits(1) });
    Transaction::signed(payload, ChainId(1), (PersonId([1; 32]), 0), key, rng)
}

#[test]
fn a_full_block_takes_nothing_more_until_it_is_sealed() {
    let (mut ledger, key, mut rng) = ledger();
    let tx = transfer(&key, &mut rng);
    // What the transaction itself breaks is found once there is room.
    let other = ledger.clone().apply(&tx);
    assert!(matches!(other, Err(TxError::Treasury(TreasuryError::Balance { .. }))), "{other:?}");
    ledger.pending_bytes = MAX_BLOCK_BYTES - tx.to_bytes().len() + 1;
    assert_eq!(ledger.apply(&tx), Err(EnvelopeError::BlockFull.into()));
    ledger.seal();
    assert_eq!(ledger.apply(&tx), other);
}

#[test]
fn a_payload_longer_than_a_block_is_refused_for_good() {
    use proofs::tally::{Count, Tally, TallyProof};
    let (mut ledger, ..) = ledger();
    let mut tally = Tally::default();
    for tier in 0..=u8::MAX {
        for index in 0..2_000 {
            let (tier, index) = (primitives::Tier(tier), primitives::WorkIndex(index));
            tally.totals.insert(tier, index, Count { views: 1, ..Count::default() });
        }
    }
    let action = crate::modules::usage::SubmitAggregate {
        epoch: EpochId(1),
        shard: primitives::ShardIndex(0),
        tally,
        proof: TallyProof { openings: Default::default(), tiers: Vec::new() },
        signatures: Default::default(),
    };
    let tx = Transaction::open(Payload::SubmitAggregate(action));
    let bytes = tx.to_bytes().len();
    assert_eq!(ledger.apply(&tx), Err(EnvelopeError::TooLong { bytes }.into()));
}

#[test]
fn a_key_that_was_changed_in_a_block_signs_nothing_more_in_it() {
    let (mut ledger, old, mut rng) = ledger();
    ledger.begin(Time(1 << 40));
    ledger.seal();
    let (new, person) = (SecretKey::generate(&mut rng), PersonId([1; 32]));
    let register = Register {
        person: PersonId([9; 32]),
        key: new.public_key(),
        roles: Roles::CREATOR,
        credential: Digest([9; 32]),
        nullifier: Digest([9; 32]),
    };
    let mut signed =
        |payload, nonce, key| Transaction::signed(payload, ChainId(1), (person, nonce), key, &mut rng);
    let rotate = signed(Payload::Rotate(Rotate { key: new.public_key() }), 0, &old);
    let [by_new, by_old] = [&new, &old].map(|key| signed(Payload::Register(register.clone()), 1, key));
    let mut making = ledger.clone();
    making.apply(&rotate).expect("the old key changes itself");
    making.apply(&by_new).expect("the new key signs");
    let good = making.seal();
    ledger.clone().replay(&good).expect("a block is repeated as it was made");

    let bad = Block { transactions: vec![rotate, by_old.clone()], ..good };
    // Under the key before the block, the second signature holds.
    assert_eq!(ledger.keys_ahead(&[by_old]), [Some(old.public_key())]);
    let refused = ledger.replay(&bad).err();
    let error = Box::new(EnvelopeError::Signature { signer: person }.into());
    assert_eq!(refused, Some(ReplayError::Transaction { height: 2, position: 1, error }));
}
