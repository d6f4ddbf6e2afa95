//! A small chain with everything that one epoch needs: persons, works, three parties, and accepted bundles whose
//! shares and commitments are made up here.

use chain::{
    Genesis, Ledger, Payload, Transaction, TxError,
    ledger::Authority,
    modules::{
        dapr::{FinaliseEpoch, payout::Split},
        identity::{Register, Roles, SetStatus, Status},
        usage::{
            CommitBeacon, OpenEpoch, PublishKeys, RegionSigner, ReportRevenue, RevealBeacon, SetCommittee,
            SubmitAggregate, TierKey, aggregate_digest, beacon_commitment, beacon_signing_digest,
        },
        work_registry::{MediaType, RegisterWork, work_id},
    },
    signature::SecretKey,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::MultiscalarMul};
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, EpochId, PartyId, PersonId, Preset, Region, RegionTag,
    ShardIndex, Tier, WorkId, WorkIndex, limits,
    params::{GovernanceParams, ONE_Q32, TierTerms},
};
use proofs::{
    committee::{Committee, Member, PartySigner, Signatures},
    generators::{WorkBases, bases},
    tally::{
        BatchHeader, Count, EpochRoot, Group, Running, SignedHeader, SignedRoot, TallyProof, TallyStatement,
        Totals,
        prover::{ShareBlindings, announce, respond},
        statement::{OpeningRow, ShareOpenings, challenge},
    },
    wire::{WirePoint, WireScalar},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

pub(crate) const CHAIN: ChainId = ChainId(7);
pub(crate) const FIRST: EpochId = EpochId(3);
pub(crate) const REGISTRAR: PersonId = PersonId([1; 32]);
pub(crate) const STEWARD: PersonId = PersonId([2; 32]);
pub(crate) const TREASURY: PersonId = PersonId([3; 32]);
pub(crate) const TIERS: [Tier; 2] = [Tier(0), Tier(1)];
pub(crate) const CREATORS: u8 = 3;

pub(crate) fn person(n: u8) -> PersonId {
    PersonId([0x40 + n; 32])
}

pub(crate) fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

pub(crate) fn group(tier: u8, region: u8) -> Group {
    Group { tier: Tier(tier), region: RegionTag::try_from(region).expect("a region") }
}

/// One accepted bundle: its group, and what it counts for each index.
pub(crate) type Bundle = (Group, Vec<(u16, Count)>);

/// `plays` whole views of a work by one subscriber, the first of full value and the rest of half.
pub(crate) fn plays(index: u16, plays: u64, backed: bool) -> (u16, Count) {
    let value = (1 << limits::EVENT_VALUE_BITS) + (plays - 1) * (1 << (limits::EVENT_VALUE_BITS - 1));
    (index, Count { listeners: 1, backed: if backed { plays } else { 0 }, views: plays, value })
}

/// A handful of bundles over both tiers, three regions and none, with one count in the padding.
pub(crate) fn bundles() -> Vec<Bundle> {
    vec![
        (group(0, 0), vec![plays(0, 3, false), plays(1, 1, false)]),
        (group(0, 1), vec![plays(0, 2, true), plays(2, 4, true)]),
        (group(1, 2), vec![plays(0, 1, true), plays(3, 9, true)]),
        (group(1, 3), vec![plays(0, 5, true), plays(9, 2, true)]),
        (group(1, 0), vec![plays(3, 7, false)]),
    ]
}

/// Share sums of one group: what a share's holders know at the end of an epoch.
struct Held {
    shares: [Vec<Scalar>; 3],
    blindings: [Scalar; 3],
}

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) keys: BTreeMap<PersonId, SecretKey>,
    pub(crate) parties: [PartySigner; 3],
    pub(crate) committee: Committee,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) params: GovernanceParams,
    held: BTreeMap<Group, Held>,
    totals: Totals,
    running: Running,
    last: Digest,
    batches: u64,
}

impl World {
    /// The chain at its genesis.
    pub(crate) fn genesis() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let people = [REGISTRAR, STEWARD, TREASURY].into_iter().chain((1..=CREATORS + 1).map(person));
        let keys: BTreeMap<_, _> = people.map(|p| (p, SecretKey::generate(&mut rng))).collect();
        let office = |p: PersonId| Authority { person: p, key: keys[&p].public_key() };
        let params = GovernanceParams { k_anonymity: 0, ..Preset::Spec.params() };
        let genesis = Genesis {
            chain: CHAIN,
            first_epoch: FIRST,
            params: params.clone(),
            registrar: office(REGISTRAR),
            steward: office(STEWARD),
            treasury: office(TREASURY),
        };
        let parties = PartyId::ALL.map(|party| PartySigner::generate(party, &mut rng));
        let committee = committee(&parties, &mut rng);
        let ledger = Ledger::genesis(genesis).expect("a valid genesis");
        let (held, totals, running) = Default::default();
        Self {
            ledger,
            keys,
            parties,
            committee,
            rng,
            params,
            held,
            totals,
            running,
            last: Digest::default(),
            batches: 0,
        }
    }

    /// The chain with active creators and five works.
    pub(crate) fn with_works() -> Self {
        let mut world = Self::genesis();
        for n in 1..=CREATORS {
            world.ok(REGISTRAR, world.register(n));
            world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: person(n), status: Status::Active }));
        }
        for (n, creator) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
            let work = world.work(n, creator);
            world.ok(person(creator), Payload::RegisterWork(work));
        }
        world
    }

    /// The chain with its first epoch ready to open.
    pub(crate) fn prepared() -> Self {
        let mut world = Self::with_works();
        world.prepare(FIRST);
        world
    }

    /// The chain with its first epoch open and its revenue reported.
    pub(crate) fn opened() -> Self {
        let mut world = Self::prepared();
        world.open(FIRST);
        world
    }

    /// The chain with its first epoch's totals on record.
    pub(crate) fn aggregated() -> Self {
        let mut world = Self::opened();
        world.count(FIRST, &bundles());
        world
    }

    /// The chain with its first epoch settled, in a sealed block.
    pub(crate) fn settled() -> Self {
        let mut world = Self::aggregated();
        world.open_ok(finalise(FIRST));
        world.ledger.seal();
        world
    }

    pub(crate) fn register(&self, n: u8) -> Payload {
        Payload::Register(Register {
            person: person(n),
            key: self.keys[&person(n)].public_key(),
            roles: Roles::CREATOR.with(Roles::COLLABORATOR),
            credential: digest(n),
            nullifier: digest(100 + n),
        })
    }

    /// A work of `creator`, a third of which belongs to the next creator.
    pub(crate) fn work(&self, n: u8, creator: u8) -> RegisterWork {
        let other = creator % CREATORS + 1;
        let points = |p: u16| BasisPoints::new(p).expect("below the whole");
        let mut splits = vec![
            Split { payee: person(creator), share: points(6_667) },
            Split { payee: person(other), share: points(3_333) },
        ];
        splits.sort_by_key(|split| split.payee);
        RegisterWork {
            fingerprint: digest(n),
            media: MediaType::Audio,
            category: CategoryId(u16::from(n % 2)),
            price: ONE_Q32 + u64::from(n) * (ONE_Q32 / 100),
            splits,
            metadata: digest(n),
            active_from: FIRST,
        }
    }

    /// Signs with the signer's current nonce.
    pub(crate) fn sign(&mut self, signer: PersonId, payload: Payload) -> Transaction {
        let nonce = self.ledger.nonce(&signer).unwrap_or(0);
        Transaction::signed(payload, CHAIN, (signer, nonce), &self.keys[&signer], &mut self.rng)
    }

    pub(crate) fn ok(&mut self, signer: PersonId, payload: Payload) {
        let tx = self.sign(signer, payload);
        self.ledger.apply(&tx).expect("a valid transaction");
    }

    pub(crate) fn open_ok(&mut self, payload: Payload) {
        self.ledger.apply(&Transaction::open(payload)).expect("a valid transaction");
    }

    /// Checks that a transaction is refused with exactly this rule, and that the state is untouched.
    #[track_caller]
    pub(crate) fn refuse_tx(&mut self, tx: &Transaction, expected: impl Into<TxError>) {
        let (bytes, root) = (self.ledger.state().to_bytes(), self.ledger.state_root());
        assert_eq!(self.ledger.apply(tx), Err(expected.into()));
        assert!(self.ledger.state().to_bytes() == bytes && self.ledger.state_root() == root, "state touched");
    }

    #[track_caller]
    pub(crate) fn refuse(&mut self, signer: PersonId, payload: Payload, expected: impl Into<TxError>) {
        let tx = self.sign(signer, payload);
        self.refuse_tx(&tx, expected);
    }

    #[track_caller]
    pub(crate) fn refuse_open(&mut self, payload: Payload, expected: impl Into<TxError>) {
        self.refuse_tx(&Transaction::open(payload), expected);
    }

    pub(crate) fn publish_keys(epoch: EpochId) -> PublishKeys {
        let key = |n: u8| vec![n; limits::RSA_KEY_BYTES];
        let region = Region::all().next().expect("a region");
        PublishKeys {
            epoch,
            tiers: TIERS.iter().map(|tier| TierKey { tier: *tier, key: key(tier.0) }).collect(),
            regions: limits::RECEIPT_DENOMINATIONS
                .map(|denomination| RegionSigner { region, denomination, key: key(100 + denomination) })
                .to_vec(),
        }
    }

    pub(crate) fn beacon_value(epoch: EpochId, party: PartyId) -> Digest {
        digest(10 * u8::from(party) + epoch.0 as u8)
    }

    pub(crate) fn commit(&self, epoch: EpochId, party: PartyId) -> CommitBeacon {
        let commitment = beacon_commitment(CHAIN, epoch, party, &Self::beacon_value(epoch, party));
        let signed = beacon_signing_digest(CHAIN, epoch, party, &commitment);
        CommitBeacon { epoch, party, commitment, signature: self.parties[party.index()].sign(&signed) }
    }

    pub(crate) fn reveal(epoch: EpochId, party: PartyId) -> Payload {
        Payload::RevealBeacon(RevealBeacon { epoch, party, value: Self::beacon_value(epoch, party) })
    }

    /// Committee, keys and beacon. The third party commits and does not reveal.
    pub(crate) fn prepare(&mut self, epoch: EpochId) {
        let committee = self.committee.clone();
        self.ok(STEWARD, Payload::SetCommittee(SetCommittee { committee }));
        self.ok(STEWARD, Payload::PublishKeys(Self::publish_keys(epoch)));
        for party in PartyId::ALL {
            self.open_ok(Payload::CommitBeacon(self.commit(epoch, party)));
        }
        for party in &PartyId::ALL[..2] {
            self.open_ok(Self::reveal(epoch, *party));
        }
        self.ledger.seal();
    }

    pub(crate) fn opening(&self, epoch: EpochId) -> OpenEpoch {
        let terms = |tier: &Tier| TierTerms {
            tier: *tier,
            price: Credits(5_000_001 + 1_000_000 * u64::from(tier.0)),
            max_bundles: 4,
        };
        OpenEpoch { epoch, params: self.params.clone(), tiers: TIERS.iter().map(terms).collect() }
    }

    pub(crate) fn revenue(epoch: EpochId, tier: Tier) -> ReportRevenue {
        ReportRevenue {
            epoch,
            tier,
            subscriptions: 4,
            attestation: Digest([10 * epoch.0 as u8 + tier.0; 32]),
            reserve: Credits(1 << 40),
        }
    }

    /// Opens the epoch and reports its revenue.
    pub(crate) fn open(&mut self, epoch: EpochId) {
        let opening = self.opening(epoch);
        self.ok(STEWARD, Payload::OpenEpoch(opening));
        for tier in TIERS {
            self.ok(TREASURY, Payload::ReportRevenue(Self::revenue(epoch, tier)));
        }
        self.ledger.seal();
        (self.held, self.totals, self.running) = Default::default();
        (self.last, self.batches) = (Digest::default(), 0);
    }

    pub(crate) fn works(&self, epoch: EpochId) -> WorkBases {
        let opening = self.ledger.state().openings.get(&epoch).expect("an open epoch");
        WorkBases::new(&opening.shard().expect("a shard"))
    }

    /// Adds a bundle to the running commitments, as the parties would.
    pub(crate) fn accept(&mut self, epoch: EpochId, (group, counts): &Bundle) {
        let works = self.works(epoch);
        let width = works.points().len();
        let mut vector = vec![Scalar::ZERO; width];
        for (index, count) in counts {
            vector[usize::from(*index)] += count.to_scalar();
        }
        let [first, second] =
            [(); 2].map(|()| (0..width).map(|_| Scalar::random(&mut self.rng)).collect::<Vec<_>>());
        let third = vector.iter().zip(&first).zip(&second).map(|((u, a), b)| u - a - b).collect();
        let shares = [first, second, third];
        let blindings: [Scalar; 3] = std::array::from_fn(|_| Scalar::random(&mut self.rng));
        let commitments: [RistrettoPoint; 3] = std::array::from_fn(|i| {
            let points = works.points().iter().chain([&bases().blinding]);
            RistrettoPoint::multiscalar_mul(shares[i].iter().chain([&blindings[i]]), points)
        });
        self.running.add(*group, &commitments);
        let held = self.held.entry(*group).or_insert_with(|| Held {
            shares: std::array::from_fn(|_| vec![Scalar::ZERO; width]),
            blindings: [Scalar::ZERO; 3],
        });
        for i in 0..3 {
            held.blindings[i] += blindings[i];
            held.shares[i].iter_mut().zip(&shares[i]).for_each(|(sum, share)| *sum += share);
        }
        let mut works: BTreeMap<WorkIndex, Count> =
            self.totals.iter().find(|(g, _)| g == group).map(|(_, works)| works.clone()).unwrap_or_default();
        for (index, count) in counts {
            *works.entry(WorkIndex(*index)).or_default() += *count;
        }
        self.totals.touch(*group);
        for (index, count) in works {
            self.totals.insert(*group, index, count);
        }
    }

    /// The header over what was accepted since the last, signed by its leader and the party after it.
    pub(crate) fn header(&mut self, epoch: EpochId, count: u32) -> SignedHeader {
        let mut batch_root = Digest::default();
        self.rng.fill_bytes(&mut batch_root.0);
        let header = BatchHeader {
            chain: CHAIN,
            epoch,
            shard: ShardIndex(0),
            view: 0,
            position: self.batches,
            previous: self.last,
            batch_root,
            count,
            running: self.running.clone(),
        };
        self.sign_header(header)
    }

    pub(crate) fn sign_header(&self, header: BatchHeader) -> SignedHeader {
        let leader = header.leader();
        let signatures = self.quorum(&header.signing_digest(), &[leader, leader.next()]);
        SignedHeader { header, signatures }
    }

    pub(crate) fn quorum(&self, message: &Digest, who: &[PartyId]) -> Signatures {
        let mut signatures = Signatures::default();
        for party in who {
            signatures.insert(*party, self.parties[party.index()].sign(message));
        }
        signatures
    }

    pub(crate) fn anchor(&mut self, signed: SignedHeader) {
        (self.last, self.batches) = (signed.header.digest(), signed.header.position + 1);
        self.open_ok(Payload::AnchorHeader(signed));
    }

    pub(crate) fn root(&self, epoch: EpochId) -> SignedRoot {
        let root =
            EpochRoot { chain: CHAIN, epoch, shard: ShardIndex(0), batches: self.batches, last: self.last };
        let signatures = self.quorum(&root.digest(), &PartyId::ALL);
        SignedRoot { root, signatures }
    }

    /// The joint tally proof over the accepted bundles, and the quorum's signatures on it.
    pub(crate) fn aggregate(&mut self, epoch: EpochId) -> SubmitAggregate {
        let root = self.root(epoch).root;
        let generators = self.works(epoch).digest();
        let openings: [ShareOpenings; 3] = std::array::from_fn(|i| ShareOpenings {
            rows: self
                .held
                .iter()
                .map(|(group, held)| OpeningRow {
                    group: *group,
                    shares: held.shares[i].iter().copied().map(WireScalar::from).collect(),
                })
                .collect(),
        });
        let digests = [0, 1, 2].map(|i: usize| openings[i].digest());
        let statement =
            TallyStatement { root: &root, generators, running: &self.running, totals: &self.totals };
        let (transcript, lambda) = statement.bind(&digests);
        let announced = [0, 1, 2].map(|i: usize| announce(&root.digest(), &openings[i], &mut self.rng));
        let announcement: RistrettoPoint = announced.iter().map(|(_, point)| point).sum();
        let challenge = challenge(transcript, &announcement);
        let mut response = Scalar::ZERO;
        for (i, (nonce, _)) in announced.into_iter().enumerate() {
            let blindings = ShareBlindings(self.held.values().map(|held| held.blindings[i]).collect());
            response += respond(nonce, &blindings, lambda, challenge);
        }
        let (announcement, response) = (WirePoint::from(announcement), WireScalar::from(response));
        let proof = TallyProof { openings: digests, announcement, response };
        self.sign_aggregate(epoch, self.totals.clone(), proof)
    }

    pub(crate) fn sign_aggregate(
        &self,
        epoch: EpochId,
        totals: Totals,
        proof: TallyProof,
    ) -> SubmitAggregate {
        let message = aggregate_digest(&self.root(epoch).root, &totals, &proof);
        let signatures = self.quorum(&message, &PartyId::ALL[1..]);
        SubmitAggregate { epoch, totals, proof, signatures }
    }

    /// Anchors two batches of bundles, freezes them and puts their totals on record.
    pub(crate) fn count(&mut self, epoch: EpochId, bundles: &[Bundle]) {
        for batch in bundles.chunks(bundles.len().div_ceil(2).max(1)) {
            for bundle in batch {
                self.accept(epoch, bundle);
            }
            let header = self.header(epoch, batch.len() as u32);
            self.anchor(header);
        }
        self.open_ok(Payload::AnchorRoot(self.root(epoch)));
        let aggregate = self.aggregate(epoch);
        self.open_ok(Payload::SubmitAggregate(aggregate));
        self.ledger.seal();
    }

    /// A whole further epoch.
    pub(crate) fn run_epoch(&mut self, epoch: EpochId, bundles: &[Bundle]) {
        self.prepare(epoch);
        self.open(epoch);
        self.count(epoch, bundles);
        self.open_ok(finalise(epoch));
        self.ledger.seal();
    }
}

pub(crate) fn finalise(epoch: EpochId) -> Payload {
    Payload::FinaliseEpoch(FinaliseEpoch { epoch })
}

pub(crate) fn id_of(n: u8, creator: u8) -> WorkId {
    work_id(&digest(n), &person(creator))
}

/// A committee of these signers with fresh sealing keys.
pub(crate) fn committee(parties: &[PartySigner; 3], rng: &mut ChaCha20Rng) -> Committee {
    let members = [0, 1, 2].map(|i: usize| Member {
        signing: parties[i].public(),
        kem: WirePoint::from(Scalar::random(rng) * bases().kem),
    });
    Committee::new(members).expect("valid keys")
}
