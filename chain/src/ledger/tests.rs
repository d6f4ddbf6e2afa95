use super::*;
use crate::{
    modules::{identity::Roles, treasury::Transfer},
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
