//! The tally proof against every change of its statement, and headers against every lack of signatures.

use super::{
    header::{EpochRoot, Group, Running, SignedHeader, leader},
    statement::ShareOpenings,
    verifier::{TallyError, verify},
    *,
};
use crate::{
    committee::{CommitteeError, Signatures},
    generators::{WorkBases, bases},
    testing::{self, JointTally, TierShares},
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::Identity};
use primitives::{
    ChainId, Decode, Digest, Encode, EpochId, PartyId, Region, RegionTag, ShardIndex, Tier, WorkIndex,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::BTreeMap;

/// A shard of ten works in two tiers, and all shares of both.
struct Tally {
    works: WorkBases,
    root: EpochRoot,
    running: Running,
    before: Residual,
    shares: BTreeMap<Tier, TierShares>,
    totals: Totals,
    after: Residual,
    proof: TallyProof,
}

impl Tally {
    fn statement(&self) -> TallyStatement<'_> {
        let Self { root, works, running, before, totals, .. } = self;
        TallyStatement { root, works, running, before, totals }
    }

    fn verify(&self) -> Result<(), TallyError> {
        verify(&self.statement(), &self.after, &self.proof)
    }
}

const TIERS: [Tier; 2] = [Tier(1), Tier(2)];
const WIDTH: usize = 16;

fn count(listeners: u64) -> Count {
    Count { listeners, backed: 2, views: 9, value: 1 << 18 }
}

fn vector(cells: &[(usize, Count)]) -> Vec<Scalar> {
    let mut vector = vec![Scalar::ZERO; WIDTH];
    cells.iter().for_each(|(at, count)| vector[*at] += count.to_scalar());
    vector
}

fn root() -> EpochRoot {
    let (chain, epoch, shard) = (ChainId(1), EpochId(2), ShardIndex(0));
    EpochRoot { chain, epoch, shard, batches: 2, last: Digest([1; 32]) }
}

/// In tier 1 works 3 and 4 are published and work 5 is not; in tier 2 work 3 is not and work 5 is. Work 5 of tier 1 has a
/// residual before.
fn tally() -> Tally {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (_, context) = testing::small();
    let works = WorkBases::new(&context.shard);
    assert_eq!((works.points().len(), works.works()), (WIDTH, 10));
    let (mut running, mut before, mut shares) = (Running::default(), Residual::default(), BTreeMap::new());
    let carried = TierShares::of(&vector(&[(5, count(4))]), &mut rng);
    before.set(TIERS[0], carried.commitments(&works));
    shares.insert(TIERS[0], carried);
    let bundles: [&[(usize, Count)]; 2] =
        [&[(3, count(7)), (4, count(8)), (5, count(1))], &[(3, count(2)), (5, count(9))]];
    for (tier, cells) in TIERS.into_iter().zip(bundles) {
        for region in [RegionTag::NONE, RegionTag(Region::try_from(2).ok())] {
            let more = TierShares::of(&vector(cells), &mut rng);
            running.add(Group { tier, region }, &more.commitments(&works));
            shares.entry(tier).or_insert_with(|| TierShares::zero(WIDTH)).add(&more);
        }
    }
    let published = |tier, work: WorkIndex| match work.0 {
        3 => tier == TIERS[0],
        4 => tier == TIERS[0],
        5 => tier == TIERS[1],
        _ => false,
    };
    let commitments = (&running, &before);
    let JointTally { totals, after, proof, .. } =
        JointTally::prove(&root(), &works, commitments, &shares, published, &mut rng);
    Tally { works, root: root(), running, before, shares, totals, after, proof }
}

#[test]
fn honest_totals_are_accepted() {
    let tally = tally();
    assert_eq!(tally.verify(), Ok(()));
    let twice = |n: u64| Count { backed: 4, views: 18, value: 1 << 19, ..count(2 * n) };
    assert_eq!(tally.totals.get(TIERS[0], WorkIndex(3)), Some(&twice(7)));
    assert_eq!(tally.totals.get(TIERS[0], WorkIndex(5)), None);
    assert_eq!(tally.totals.get(TIERS[1], WorkIndex(5)), Some(&twice(9)));
    assert_eq!(TallyProof::from_bytes(&tally.proof.to_bytes()), Ok(tally.proof));
    assert_eq!(Totals::from_bytes(&tally.totals.to_bytes()), Ok(tally.totals));
    assert_eq!(Running::from_bytes(&tally.running.to_bytes()), Ok(tally.running));
    assert_eq!(Residual::from_bytes(&tally.after.to_bytes()), Ok(tally.after));
}

/// What is left over opens to exactly what was not published, and goes into the next epoch's totals once.
#[test]
fn what_is_carried_enters_the_epoch_in_which_it_is_published() {
    let Tally { works, shares, after: before, .. } = tally();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut rest = shares[&TIERS[0]].clone();
    let opened = (0..WIDTH).filter(|at| [3, 4].contains(at) || *at >= works.works());
    opened.for_each(|at| rest.entries.iter_mut().for_each(|share| share[at] = Scalar::ZERO));
    assert_eq!(before.of(TIERS[0]), rest.commitments(&works));
    let more = TierShares::of(&vector(&[(5, count(6))]), &mut rng);
    let mut running = Running::default();
    running.add(Group { tier: TIERS[0], region: RegionTag::NONE }, &more.commitments(&works));
    rest.add(&more);
    let shares = [(TIERS[0], rest)].into();
    let published = |_, work: WorkIndex| work == WorkIndex(5);
    let next = JointTally::prove(&root(), &works, (&running, &before), &shares, published, &mut rng);
    // 4 were carried before, 1 came twice in the first epoch, 6 in this one.
    assert_eq!(next.totals.get(TIERS[0], WorkIndex(5)).map(|count| count.listeners), Some(12));
    assert_eq!(next.after.of(TIERS[1]), before.of(TIERS[1]), "a tier without a bundle stays as it is");
    let root = root();
    let (works, running, totals) = (&works, &running, &next.totals);
    let statement = TallyStatement { root: &root, works, running, before: &before, totals };
    assert_eq!(verify(&statement, &next.after, &next.proof), Ok(()));
    let none = Residual::default();
    let forgotten = TallyStatement { before: &none, ..statement };
    assert!(verify(&forgotten, &next.after, &next.proof).is_err());
}

#[test]
fn a_total_that_is_off_by_one_unit_is_refused() {
    let limbs: [fn(&mut Count) -> &mut u64; 4] =
        [|c| &mut c.listeners, |c| &mut c.backed, |c| &mut c.views, |c| &mut c.value];
    for limb in limbs {
        let mut tally = tally();
        let mut count = tally.totals.get(TIERS[0], WorkIndex(3)).copied().unwrap();
        *limb(&mut count) += 1;
        tally.totals.insert(TIERS[0], WorkIndex(3), count);
        assert_eq!(tally.verify(), Err(TallyError::Carried { tier: TIERS[0] }));
        // Nor if what is carried over takes the difference up.
        let mut after = tally.after.of(TIERS[0]);
        let right = self::tally().totals.get(TIERS[0], WorkIndex(3)).unwrap().to_scalar();
        after[0] -= (count.to_scalar() - right) * tally.works.points()[3];
        tally.after.set(TIERS[0], after);
        assert_eq!(tally.verify(), Err(TallyError::DoesNotOpen { tier: TIERS[0] }));
    }
}

/// Work 3 stays closed in tier 2: its base is free there, and must not be in tier 1.
#[test]
fn a_cell_that_stays_closed_in_one_tier_cannot_hide_a_wrong_total_of_another() {
    let mut tally = tally();
    let moved = |tier, by: Scalar, tally: &mut Tally| {
        let mut after = tally.after.of(tier);
        after[0] += by * tally.works.points()[3];
        tally.after.set(tier, after);
    };
    let mut count = tally.totals.get(TIERS[0], WorkIndex(3)).copied().unwrap();
    count.listeners += 1;
    let one = count.to_scalar() - tally.totals.get(TIERS[0], WorkIndex(3)).unwrap().to_scalar();
    tally.totals.insert(TIERS[0], WorkIndex(3), count);
    moved(TIERS[0], -one, &mut tally);
    moved(TIERS[1], one, &mut tally);
    assert!(matches!(tally.verify(), Err(TallyError::DoesNotOpen { .. } | TallyError::Carried { .. })));
}

#[test]
fn usage_moved_to_another_work_or_tier_is_refused() {
    let mut moved = tally();
    let count = *moved.totals.get(TIERS[0], WorkIndex(3)).unwrap();
    moved.totals.insert(TIERS[0], WorkIndex(4), Count::default());
    moved.totals.insert(TIERS[0], WorkIndex(5), count);
    assert_eq!(moved.verify(), Err(TallyError::Carried { tier: TIERS[0] }));
    let mut padding = tally();
    padding.totals.insert(TIERS[0], WorkIndex(12), count);
    assert_eq!(padding.verify(), Err(TallyError::Carried { tier: TIERS[0] }));
    let mut outside = tally();
    outside.totals.insert(TIERS[0], WorkIndex(16), count);
    assert_eq!(outside.verify(), Err(TallyError::WorkOutside { work: WorkIndex(16), width: 16 }));
    let mut extra = tally();
    extra.totals.touch(Tier(3));
    assert_eq!(extra.verify(), Err(TallyError::Tiers));
    let mut wide = tally();
    wide.totals.insert(TIERS[1], WorkIndex(3), Count { value: 1 << 54, ..count });
    assert_eq!(wide.verify(), Err(TallyError::Oversized { tier: TIERS[1], work: WorkIndex(3) }));
}

#[test]
fn every_part_of_statement_and_proof_is_bound() {
    let changed = |change: &dyn Fn(&mut Tally)| {
        let mut tally = tally();
        change(&mut tally);
        tally.verify()
    };
    let tier = TIERS[0];
    let refused = Err(TallyError::DoesNotOpen { tier });
    let carried = Err(TallyError::Carried { tier });
    let point = bases().key;
    assert_eq!(changed(&|t| t.root.epoch = EpochId(9)), refused);
    assert_eq!(changed(&|t| t.root.last = Digest([2; 32])), refused);
    assert_eq!(changed(&|t| t.root.batches = 3), refused);
    assert_eq!(changed(&|t| t.proof.openings[1] = Digest([2; 32])), refused);
    assert_eq!(changed(&|t| t.proof.tiers[0].response.blinding.0 += Scalar::ONE), refused);
    assert_eq!(changed(&|t| t.proof.tiers[0].response.carried[0].0 += Scalar::ONE), refused);
    assert_eq!(changed(&|t| t.proof.tiers[0].announcement = point.into()), refused);
    assert_eq!(changed(&|t| t.proof.tiers[0].response.carried.truncate(1)), Err(TallyError::Shape { tier }));
    assert_eq!(
        changed(&|t| t.proof.tiers[0].announcement = WirePoint([0xff; 32])),
        Err(TallyError::Announcement { tier })
    );
    assert_eq!(changed(&|t| t.proof.tiers.truncate(1)), Err(TallyError::Tiers));
    assert_eq!(changed(&|t| t.proof.tiers.swap(0, 1)), Err(TallyError::Shape { tier }));
    let group = Group { tier, region: RegionTag::NONE };
    assert_eq!(changed(&|t| t.running.add(group, &[point; 3])), carried);
    assert_eq!(changed(&|t| t.before.set(tier, [point; 3])), carried);
    assert_eq!(changed(&|t| t.after.set(tier, [point; 3])), carried);
    assert_eq!(changed(&|t| t.after.set(Tier(7), [point; 3])), Err(TallyError::Tiers));
    assert_eq!(changed(&|t| t.before.set(Tier(7), [point; 3])), Err(TallyError::Tiers));
    assert_eq!(changed(&|t| t.after = Residual::default()), Err(TallyError::Tiers));
    let other = testing::small().1;
    let works = crate::shard::Shard::new(ShardIndex(0), other.shard.works()[1..].to_vec()).unwrap();
    assert!(changed(&|t| t.works = WorkBases::new(&works)).is_err());
}

#[test]
fn decoders_take_one_spelling() {
    let mut residual = Residual::default();
    residual.set(Tier(2), [RistrettoPoint::identity(); 3]);
    residual.set(Tier(4), [bases().key; 3]);
    let bytes = residual.to_bytes();
    assert_eq!(Residual::from_bytes(&bytes), Ok(residual));
    let (head, row) = (4, 1 + 3 * 32);
    let swapped = [&bytes[..head], &bytes[head + row..], &bytes[head..head + row]].concat();
    assert!(Residual::from_bytes(&swapped).is_err());
    let mut wrong = bytes.clone();
    wrong[head + 1..head + 33].fill(0xff);
    assert!(Residual::from_bytes(&wrong).is_err());
    assert!(ShareOpenings::from_bytes(&u32::MAX.to_bytes()).is_err());
    assert!(TallyProof::from_bytes(&[0xff; 200]).is_err());
}

#[test]
fn squares_are_those_of_published_works_and_lie_between_an_even_spread_and_one_region() {
    let totals = tally().totals;
    let wanted = Squares::wanted(&totals, 10, true);
    let places: Vec<_> = wanted.keys().copied().collect();
    let overall = [3, 4, 5].map(|at| (None, WorkIndex(at)));
    assert_eq!(places[..3], overall);
    assert_eq!(Squares::wanted(&totals, 10, false).into_keys().collect::<Vec<_>>(), overall);
    assert!(wanted.values().all(|backed| *backed == 4));
    let squares = |sum: u128| Squares::new(places.iter().map(|place| (*place, sum)));
    let out = Err(SquaresError::OutOfRange { work: WorkIndex(3), backed: 4 });
    for (sum, expected) in [(1, out), (2, Ok(())), (16, Ok(())), (17, out)] {
        assert_eq!(squares(sum).check(&totals, 10, true), expected, "{sum}");
    }
    assert_eq!(squares(16).check(&totals, 10, false), Err(SquaresError::Extra));
    assert_eq!(Squares::from_bytes(&squares(5).to_bytes()), Ok(squares(5)));
}

#[test]
fn a_header_needs_its_leader_and_one_more() {
    let committee = testing::committee(1);
    let header = BatchHeader {
        chain: ChainId(1),
        epoch: EpochId(2),
        shard: ShardIndex(0),
        view: 0,
        position: 4,
        previous: Digest([1; 32]),
        batch_root: Digest([2; 32]),
        count: 3,
        running: Running::default(),
    };
    let [one, two, three] = PartyId::ALL;
    assert_eq!(header.leader(), two);
    assert_eq!(leader(5), three);
    let signed_by = |parties: &[PartyId]| {
        let mut signatures = Signatures::default();
        for party in parties {
            signatures.insert(*party, committee.signers[party.index()].sign(&header.signing_digest()));
        }
        SignedHeader { header: header.clone(), signatures }
    };
    assert_eq!(signed_by(&[one, two]).verify(&committee.public), Ok(()));
    assert_eq!(signed_by(&[one, two, three]).verify(&committee.public), Ok(()));
    assert_eq!(signed_by(&[two]).verify(&committee.public), Err(CommitteeError::NoQuorum { count: 1 }));
    assert_eq!(signed_by(&[]).verify(&committee.public), Err(CommitteeError::NoQuorum { count: 0 }));
    let no_leader = Err(CommitteeError::LeaderMissing { leader: two });
    assert_eq!(signed_by(&[one, three]).verify(&committee.public), no_leader);
    let mut changed = signed_by(&[one, two]);
    changed.header.count += 1;
    assert_eq!(changed.verify(&committee.public), Err(CommitteeError::Signature { party: one }));
    let signed = signed_by(&[one, two]);
    assert_eq!(SignedHeader::from_bytes(&signed.to_bytes()), Ok(signed));
}
