//! The tally proof against every change of its statement, and headers against every lack of signatures.

use super::{
    header::{EpochRoot, Group, Running, SignedHeader, leader},
    prover::{ShareBlindings, announce, respond},
    statement::{OpeningRow, ShareOpenings, challenge},
    verifier::{TallyError, verify, verify_share},
    *,
};
use crate::{
    committee::{CommitteeError, Signatures},
    generators::{WorkBases, bases},
    testing,
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{ChainId, Decode, Digest, Encode, EpochId, PartyId, RegionTag, ShardIndex, Tier, WorkIndex};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

struct Tally {
    works: WorkBases,
    root: EpochRoot,
    running: Running,
    totals: Totals,
    openings: [ShareOpenings; 3],
    blindings: [Vec<Scalar>; 3],
    proof: TallyProof,
}

impl Tally {
    fn statement(&self) -> TallyStatement<'_> {
        let generators = self.works.digest();
        TallyStatement { root: &self.root, generators, running: &self.running, totals: &self.totals }
    }

    fn verify(&self) -> Result<(), TallyError> {
        verify(&self.works, &self.statement(), &self.proof)
    }
}

fn group(tier: u8) -> Group {
    Group { tier: Tier(tier), region: RegionTag::NONE }
}

/// Two groups of two bundles each, and the proof that the three parties make together.
fn tally() -> Tally {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (_, context) = testing::small();
    let works = WorkBases::new(&context.shard);
    let width = works.points().len();
    let (mut running, mut totals) = (Running::default(), Totals::default());
    let mut openings = [0; 3].map(|_| ShareOpenings { rows: Vec::new() });
    let mut blindings = [const { Vec::new() }; 3];
    for tier in 1..=2 {
        let mut rows = [(); 3].map(|_| vec![Scalar::ZERO; width]);
        let mut sums = [Scalar::ZERO; 3];
        let mut total = Count::default();
        for bundle in 0..2u64 {
            let count = Count { listeners: 1, backed: bundle, views: 2, value: 1 << 18 };
            let mut vector = vec![Scalar::ZERO; width];
            vector[3] = count.to_scalar();
            let mut commitments = [RistrettoPoint::default(); 3];
            for i in 0..3 {
                let fresh: Vec<_> = (0..width).map(|_| Scalar::random(&mut rng)).collect();
                let share = if i < 2 { fresh } else { vector.clone() };
                if i < 2 {
                    vector.iter_mut().zip(&share).for_each(|(left, x)| *left -= x);
                }
                let blinding = Scalar::random(&mut rng);
                commitments[i] = works.commit(&share, &blinding);
                rows[i].iter_mut().zip(&share).for_each(|(sum, x)| *sum += x);
                sums[i] += blinding;
            }
            running.add(group(tier), &commitments);
            total += count;
        }
        totals.insert(group(tier), WorkIndex(3), total);
        for i in 0..3 {
            let shares = rows[i].iter().copied().map(WireScalar).collect();
            openings[i].rows.push(OpeningRow { group: group(tier), shares });
            blindings[i].push(sums[i]);
        }
    }
    let root = EpochRoot {
        chain: ChainId(1),
        epoch: EpochId(2),
        shard: ShardIndex(0),
        batches: 2,
        last: Digest([1; 32]),
    };
    let proof = TallyProof {
        openings: openings.each_ref().map(ShareOpenings::digest),
        announcement: WirePoint::default(),
        response: WireScalar::default(),
    };
    let mut tally = Tally { works, root, running, totals, openings, blindings, proof };
    let announced: Vec<_> =
        tally.openings.iter().map(|o| announce(&tally.root.digest(), o, &mut rng)).collect();
    let sum: RistrettoPoint = announced.iter().map(|(_, a)| a).sum();
    let (transcript, lambda) = tally.statement().bind(&tally.proof.openings);
    let c = challenge(transcript, &sum);
    let mut response = Scalar::ZERO;
    for (i, (nonce, announcement)) in announced.into_iter().enumerate() {
        let own = respond(nonce, &ShareBlindings(tally.blindings[i].clone()), lambda, c);
        let commitments: Vec<_> = tally.running.iter().map(|(_, shares)| shares[i]).collect();
        let check = |z: &Scalar| {
            verify_share(&tally.works, &tally.openings[i], &commitments, lambda, c, &announcement, z)
        };
        assert_eq!(check(&own), Ok(()));
        assert_eq!(check(&(own + Scalar::ONE)), Err(TallyError::DoesNotOpen));
        response += own;
    }
    tally.proof.announcement = sum.into();
    tally.proof.response = response.into();
    tally
}

#[test]
fn honest_totals_are_accepted() {
    let tally = tally();
    assert_eq!(tally.verify(), Ok(()));
    assert_eq!(TallyProof::from_bytes(&tally.proof.to_bytes()), Ok(tally.proof));
    assert_eq!(Totals::from_bytes(&tally.totals.to_bytes()), Ok(tally.totals));
    assert_eq!(Running::from_bytes(&tally.running.to_bytes()), Ok(tally.running));
    assert_eq!(ShareOpenings::from_bytes(&tally.openings[0].to_bytes()).as_ref(), Ok(&tally.openings[0]));
}

#[test]
fn a_total_that_is_off_by_one_unit_is_refused() {
    let limbs: [fn(&mut Count) -> &mut u64; 4] =
        [|c| &mut c.listeners, |c| &mut c.backed, |c| &mut c.views, |c| &mut c.value];
    for limb in limbs {
        let mut tally = tally();
        let mut count = tally.totals.iter().next().unwrap().1[&WorkIndex(3)];
        *limb(&mut count) += 1;
        tally.totals.insert(group(1), WorkIndex(3), count);
        assert_eq!(tally.verify(), Err(TallyError::DoesNotOpen));
    }
}

#[test]
fn usage_moved_to_another_work_or_group_is_refused() {
    let mut moved = tally();
    let count = moved.totals.iter().next().unwrap().1[&WorkIndex(3)];
    moved.totals.insert(group(1), WorkIndex(3), Count::default());
    moved.totals.insert(group(1), WorkIndex(4), count);
    assert_eq!(moved.verify(), Err(TallyError::DoesNotOpen));
    let mut outside = tally();
    outside.totals.insert(group(1), WorkIndex(16), count);
    assert_eq!(outside.verify(), Err(TallyError::WorkOutside { work: WorkIndex(16), width: 16 }));
    let mut extra = tally();
    extra.totals.touch(group(3));
    assert_eq!(extra.verify(), Err(TallyError::Groups));
    let mut wide = tally();
    wide.totals.insert(group(2), WorkIndex(3), Count { value: 1 << 54, ..count });
    assert_eq!(wide.verify(), Err(TallyError::Oversized { group: group(2), work: WorkIndex(3) }));
}

#[test]
fn every_part_of_statement_and_proof_is_bound() {
    let changed = |change: &dyn Fn(&mut Tally)| {
        let mut tally = tally();
        change(&mut tally);
        tally.verify()
    };
    let refused = Err(TallyError::DoesNotOpen);
    assert_eq!(changed(&|t| t.root.epoch = EpochId(9)), refused);
    assert_eq!(changed(&|t| t.root.last = Digest([2; 32])), refused);
    assert_eq!(changed(&|t| t.root.batches = 3), refused);
    assert_eq!(changed(&|t| t.proof.openings[1] = Digest([2; 32])), refused);
    assert_eq!(changed(&|t| t.proof.response.0 += Scalar::ONE), refused);
    assert_eq!(changed(&|t| t.proof.announcement = bases().key.into()), refused);
    assert_eq!(changed(&|t| t.proof.announcement = WirePoint([0xff; 32])), Err(TallyError::Announcement));
    assert_eq!(changed(&|t| t.running.add(group(1), &[bases().key; 3])), refused);
    let tally = tally();
    let statement = TallyStatement { generators: Digest([0; 32]), ..tally.statement() };
    assert_eq!(verify(&tally.works, &statement, &tally.proof), Err(TallyError::OtherBases));
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
        running: tally().running,
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
