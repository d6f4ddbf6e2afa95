//! What a pool takes in.

use super::*;
use primitives::Tier;
use proofs::testing::{TestSubscriber, committee, context, event};

/// Secrets of the first party, and an epoch of one shard in which a tier has two bundles a subscriber.
fn setting() -> (PartySecrets, OpenedEpoch) {
    let keys = committee(11);
    let context = context(&keys, 10, primitives::Preset::Spec.params());
    let [signer, ..] = keys.signers;
    let [kem, ..] = keys.kem;
    let max_bundles = [(Tier(1), 2)].into();
    let shards = Arc::new([Arc::new(context)]);
    let sold = [(Tier(1), 9)].into();
    let resting = Arc::new([Default::default()]);
    let (max_bundles, sold) = (Arc::new(max_bundles), Arc::new(sold));
    let epoch =
        OpenedEpoch { shards, max_bundles, sold, resting, room: 9, seating: crate::tests::world::seating() };
    (PartySecrets { signer, kem }, epoch)
}

#[test]
fn intake_stops_at_the_bound_that_keeps_limbs_apart() {
    let (secrets, epoch) = setting();
    let mut pool = Pool::new(
        PartyId::ALL[0],
        OpenedEpoch { room: 1, ..epoch.clone() },
        (MarkSets::default(), MAX_ARCHIVED),
    );
    let mut admit = |subscriber: &mut TestSubscriber, work| {
        let bundle = subscriber.bundle(&epoch.shards[0], vec![event(work, 0, false)]);
        let accepted = proofs::bundle::verify(&epoch.shards[0], &bundle).expect("an honest bundle");
        pool.admit(&secrets, (bundle.id(), Arc::new(bundle), accepted), |_| false).map_err(|r| r.refusal)
    };
    let mut first = TestSubscriber::new(1);
    assert_eq!(admit(&mut first, 1), Ok(Admitted::Taken));
    assert_eq!(admit(&mut TestSubscriber::new(2), 1), Err(Refusal::EpochFull));
    assert_eq!(admit(&mut first, 2), Ok(Admitted::Taken), "a known subscriber goes on");
}

/// The intake does not remember all that came.
#[test]
fn a_bundle_that_waits_or_is_counted_is_not_taken_again() {
    let (secrets, epoch) = setting();
    let mut pool = Pool::new(PartyId::ALL[0], epoch.clone(), (MarkSets::default(), MAX_ARCHIVED));
    let bundle = Arc::new(TestSubscriber::new(1).bundle(&epoch.shards[0], vec![event(1, 0, false)]));
    let accepted = proofs::bundle::verify(&epoch.shards[0], &bundle).expect("an honest bundle");
    let admit = |pool: &mut Pool| {
        pool.admit(&secrets, (bundle.id(), bundle.clone(), accepted), |_| false).map_err(|r| r.refusal)
    };
    assert_eq!(admit(&mut pool), Ok(Admitted::Taken));
    assert_eq!(admit(&mut pool), Err(Refusal::TakenIn));
    assert_eq!(pool.objection(ShardIndex(0), &bundle.id()), None);
    pool.settle(&[bundle.id()]);
    assert_eq!(admit(&mut pool), Err(Refusal::TakenIn));
}

/// Two bundles that are worth nothing may lead back to where the first went on from. The audit would let a third go on from
/// there; a signature under the first and the third would be evidence, so no party takes the third in.
#[test]
fn a_chain_of_values_that_comes_back_goes_on_from_a_place_once() {
    let (_, epoch) = setting();
    let max_bundles = [(Tier(1), 3)].into();
    let epoch = OpenedEpoch { max_bundles: Arc::new(max_bundles), ..epoch };
    let context = &epoch.shards[0];
    let mut subscriber = TestSubscriber::new(1);
    let first = subscriber.bundle(context, vec![event(1, 0, false)]);
    let back = subscriber.bundle(context, vec![event(2, 0, false)]);
    subscriber.spent = Default::default();
    let third = subscriber.bundle(context, vec![event(3, 0, false)]);
    let mut used = used::Used::new(9, MarkSets::default());
    let check = |used: &used::Used, bundle| used.check(&epoch, bundle, &Uses::of(context, bundle), 0);
    let after = proofs::bundle::verify(context, &first).expect("an honest bundle").spent;
    assert_eq!(check(&used, &first), Ok(Place::Next));
    used.go_on(&first, after);
    assert_eq!(check(&used, &back), Ok(Place::Next));
    used.go_on(&back, first.previous);
    assert_eq!(used.spent(&third.envelope.key), third.previous);
    assert_eq!(check(&used, &third), Err(Refusal::SpentElsewhere));
}
