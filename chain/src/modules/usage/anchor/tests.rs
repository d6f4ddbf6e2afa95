use super::*;
use crate::modules::usage::{ListedWork, Seating};
use curve25519_dalek::scalar::Scalar;
use primitives::WorkId;
use primitives::{CategoryId, ChainId, EpochId, PartyId, PersonId, Preset, Time};
use proofs::{
    committee::{Committee, Member, PartySigner},
    generators::bases,
    tally::BatchHeader,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// An opening over one work and without tiers: enough to come as far as the limits.
fn opening() -> Opening {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let members = PartyId::ALL.map(|party| Member {
        signing: PartySigner::generate(party, &mut rng).public(),
        kem: (Scalar::random(&mut rng) * bases().kem).into(),
    });
    let work = ListedWork {
        shard: ShardIndex(0),
        resting: false,
        work: WorkId([1; 32]),
        creator: PersonId([1; 32]),
        category: CategoryId(0),
        price: primitives::params::ONE_Q32,
        splits: Vec::new(),
    };
    Opening {
        rooms: vec![CarriedUsage::none(ShardIndex(0)).room()],
        epoch: EpochId(1),
        chain: ChainId(7),
        key: Digest::default(),
        block: Digest::default(),
        opened: Time(5),
        reveals: BTreeMap::new(),
        committee: Committee::new(members).expect("valid keys"),
        seating: Seating { operators: [1, 2, 3].map(|n| PersonId([n; 32])), standby: None, patience: 60 },
        params: Preset::Spec.params(),
        tiers: Vec::new(),
        sold: Vec::new(),
        works: vec![work],
        shard_width: 4096,
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
    let next = |progress: ShardProgress| {
        let signed = SignedHeader { header: header(progress.batches), signatures: Default::default() };
        let epoch = Epoch::open(&opening).with_shard(ShardIndex(0), progress);
        follow(ChainId(1), &opening, epoch, &Running::default(), &signed).map(|_| ())
    };
    let shard = ShardProgress::default();
    let limit = limits::MAX_SUBSCRIBER_EPOCHS;
    assert_eq!(next(ShardProgress { bundles: limit - 1, ..shard.clone() }), Err(UsageError::EpochFull));
    let batches = limits::MAX_BATCHES;
    assert_eq!(next(ShardProgress { batches, ..shard.clone() }), Err(UsageError::EpochFull));
    let room = ShardProgress { bundles: limit - 2, ..shard };
    assert_eq!(next(room), Err(UsageError::NoGroups), "room for two more");
}
