use super::*;
use curve25519_dalek::scalar::Scalar;
use primitives::{ChainId, Credits, EpochId, PartyId, Preset};
use proofs::{
    committee::{Committee, Member, PartySigner},
    generators::bases,
    tally::BatchHeader,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// An opening without works or tiers: enough to come as far as the limits.
fn opening() -> Opening {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let members = PartyId::ALL.map(|party| Member {
        signing: PartySigner::generate(party, &mut rng).public(),
        kem: (Scalar::random(&mut rng) * bases().kem).into(),
    });
    Opening {
        epoch: EpochId(1),
        key: Digest::default(),
        block: Digest::default(),
        reveals: BTreeMap::new(),
        committee: Committee::new(members).expect("valid keys"),
        params: Preset::Spec.params(),
        tiers: Vec::new(),
        works: Vec::new(),
        carried: Credits::ZERO,
    }
}

#[test]
fn an_epoch_takes_no_more_batches_or_bundles_than_one_total_may_hold() {
    let opening = opening();
    let header = |position| BatchHeader {
        chain: ChainId(1),
        epoch: EpochId(1),
        shard: ShardIndex(0),
        view: 0,
        position,
        previous: Digest::default(),
        batch_root: Digest::default(),
        count: 2,
        running: Running::default(),
    };
    let next = |epoch: Epoch| {
        let signed = SignedHeader { header: header(epoch.batches), signatures: Default::default() };
        follow(ChainId(1), &opening, epoch, &Running::default(), &signed).map(|_| ())
    };
    let epoch = Epoch::open(&opening);
    let limit = limits::MAX_SUBSCRIBER_EPOCHS;
    assert_eq!(next(Epoch { bundles: limit - 1, ..epoch.clone() }), Err(UsageError::EpochFull));
    assert_eq!(next(Epoch { batches: limits::MAX_BATCHES, ..epoch.clone() }), Err(UsageError::EpochFull));
    assert_eq!(next(Epoch { bundles: limit - 2, ..epoch }), Err(UsageError::NoGroups), "room for two more");
}
