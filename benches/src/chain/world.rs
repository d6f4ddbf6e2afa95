//! A chain with one settled epoch: persons, works whose payouts they share, and a claim for each share.

use ::chain::{
    Genesis, Ledger, Payload, Transaction,
    ledger::Authority,
    modules::{
        dapr::{Claim, FinaliseEpoch, payout::Split},
        identity::{Register, Roles, SetStatus, Status},
        treasury::{AttestReserve, Transfer},
        usage::{
            CommitBeacon, OpenEpoch, PublishKeys, ReportRevenue, RevealBeacon, Seating, SetCommittee,
            SubmitAggregate, TierKey, TierSales, aggregate_digest, beacon_commitment, beacon_signing_digest,
        },
        work_registry::{MediaType, RegisterWork},
    },
    signature::SecretKey,
};
use curve25519_dalek::scalar::Scalar;
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, Encode, EpochId, GovernanceParams, PartyId, PersonId,
    Preset, RegionTag, ShardIndex, Tier, limits,
    params::{ONE_Q32, TierTerms},
};
use proofs::{
    committee::Signatures,
    generators::WorkBases,
    tally::{
        BatchHeader, Count, EpochRoot, Group, Residual, Running, SignedHeader, SignedRoot, Squares, Tally,
    },
    testing::{self, JointTally, TestCommittee, TierShares},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::BTreeMap;

/// The chain.
pub(crate) const CHAIN: ChainId = ChainId(7);
const EPOCH: EpochId = EpochId(1);
const TIER: Tier = Tier(0);
const REGISTRAR: PersonId = PersonId([0xf1; 32]);
const STEWARD: PersonId = PersonId([0xf2; 32]);
const TREASURY: PersonId = PersonId([0xf3; 32]);
const AUDITORS: [PersonId; 2] = [PersonId([0xf4; 32]), PersonId([0xf5; 32])];
/// Persons who share the payouts of a work.
pub(crate) const PAYEES: usize = 4;
/// Accounts of offices, which come first in their table.
pub(crate) const OFFICES: u32 = 5;

fn person(n: usize) -> PersonId {
    let mut id = [0x40; 32];
    id[..4].copy_from_slice(&(n as u32).to_be_bytes());
    PersonId(id)
}

fn digest(n: usize) -> Digest {
    Digest(person(n).0)
}

/// The chain and all keys.
pub(crate) struct World {
    /// The ledger at the end of a block.
    pub(crate) ledger: Ledger,
    keys: BTreeMap<PersonId, SecretKey>,
    committee: TestCommittee,
    params: GovernanceParams,
    persons: usize,
    rng: ChaCha20Rng,
    /// Bytes of all transactions so far.
    bytes: usize,
    /// Bytes of those from the epoch's preparation to its settlement.
    pub(crate) epoch_bytes: usize,
}

impl World {
    /// A chain with one settled epoch, in which each of `works` works is owed to [`PAYEES`] persons of its own.
    pub(crate) fn settled(works: usize) -> Self {
        let mut world = Self::genesis(works * PAYEES);
        for n in 0..world.persons {
            world.register(n);
        }
        for n in 0..works {
            world.register_work(n);
        }
        let before = world.bytes;
        world.prepare();
        world.open();
        world.count(works);
        world.apply(&Transaction::open(Payload::FinaliseEpoch(FinaliseEpoch { epoch: EPOCH })));
        world.ledger.seal();
        world.epoch_bytes = world.bytes - before;
        world
    }

    fn genesis(persons: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let people =
            [REGISTRAR, STEWARD, TREASURY].into_iter().chain(AUDITORS).chain((0..persons).map(person));
        let keys: BTreeMap<_, _> = people.map(|p| (p, SecretKey::generate(&mut rng))).collect();
        let office = |(person, roles)| Authority { person, key: keys[&person].public_key(), roles };
        let [one, two] = AUDITORS.map(|auditor| (auditor, Roles::AUDITOR));
        let offices = [
            (REGISTRAR, Roles::REGISTRAR),
            (STEWARD, Roles::STEWARD),
            (TREASURY, Roles::TREASURER),
            one,
            two,
        ];
        let params = GovernanceParams { k_anonymity: 0, ..Preset::Spec.params() };
        let genesis = Genesis::new(CHAIN, EPOCH, params.clone(), offices.map(office).into());
        let ledger = Ledger::genesis(genesis).expect("a valid genesis");
        Self {
            ledger,
            keys,
            committee: testing::committee(5),
            params,
            persons,
            rng,
            bytes: 0,
            epoch_bytes: 0,
        }
    }

    fn apply(&mut self, tx: &Transaction) {
        self.bytes += tx.to_bytes().len();
        self.ledger.apply(tx).expect("a valid transaction");
    }

    fn submit(&mut self, signer: PersonId, payload: Payload) {
        let nonce = self.ledger.nonce(&signer).expect("an account");
        let tx = Transaction::signed(payload, CHAIN, (signer, nonce), &self.keys[&signer], &mut self.rng);
        self.apply(&tx);
    }

    fn register(&mut self, n: usize) {
        let register = Register {
            person: person(n),
            key: self.keys[&person(n)].public_key(),
            roles: Roles::CREATOR.with(Roles::COLLABORATOR),
            credential: digest(n),
            nullifier: digest(self.persons + n),
        };
        self.submit(REGISTRAR, Payload::Register(register));
        if n.is_multiple_of(PAYEES) {
            let active = SetStatus { person: person(n), status: Status::Active };
            self.submit(REGISTRAR, Payload::SetStatus(active));
        }
    }

    fn register_work(&mut self, n: usize) {
        let share = BasisPoints::new((10_000 / PAYEES) as u16).expect("a part of the whole");
        let splits = (0..PAYEES).map(|i| Split { payee: person(n * PAYEES + i), share }).collect();
        let work = RegisterWork {
            fingerprint: digest(n),
            media: MediaType::Audio,
            category: CategoryId(0),
            price: ONE_Q32,
            splits,
            metadata: digest(n),
            active_from: EPOCH,
        };
        self.submit(person(n * PAYEES), Payload::RegisterWork(work));
    }

    /// Committee, keys and beacon.
    fn prepare(&mut self) {
        let committee = self.committee.public.clone();
        let operators = PartyId::ALL.map(|party| person(party.index()));
        let seating = Seating { operators, standby: None, patience: 60 };
        self.submit(STEWARD, Payload::SetCommittee(SetCommittee { committee, seating }));
        let key = TierKey { tier: TIER, key: testing::issuer().public().der().to_vec() };
        let keys = PublishKeys { epoch: EPOCH, tiers: vec![key], regions: Vec::new() };
        self.submit(STEWARD, Payload::PublishKeys(keys));
        let value = |party: PartyId| digest(party.index());
        for party in PartyId::ALL {
            let commitment = beacon_commitment(CHAIN, EPOCH, party, &value(party));
            let message = beacon_signing_digest(CHAIN, EPOCH, party, &commitment);
            let signature = self.committee.signers[party.index()].sign(&message);
            let commit = CommitBeacon { epoch: EPOCH, party, commitment, signature };
            self.apply(&Transaction::open(Payload::CommitBeacon(commit)));
        }
        for party in PartyId::ALL {
            let reveal = RevealBeacon { epoch: EPOCH, party, value: value(party) };
            self.apply(&Transaction::open(Payload::RevealBeacon(reveal)));
        }
        self.ledger.seal();
    }

    fn open(&mut self) {
        let terms = TierTerms {
            tier: TIER,
            price: Credits(10_000_000),
            max_bundles: 4,
            value_cap: self.params.value_cap,
        };
        let opening = OpenEpoch {
            epoch: EPOCH,
            tiers: vec![terms],
            sold: vec![TierSales { tier: TIER, subscriptions: 0 }],
            shard_width: limits::MAX_SHARD_WIDTH as u16,
        };
        self.submit(STEWARD, Payload::OpenEpoch(opening));
        for auditor in AUDITORS {
            let attest = AttestReserve { document: digest(0), reserve: Credits(1 << 60) };
            self.submit(auditor, Payload::AttestReserve(attest));
        }
        let revenue = ReportRevenue { epoch: EPOCH, tier: TIER, subscriptions: 1_000 };
        self.submit(TREASURY, Payload::ReportRevenue(revenue));
        self.ledger.seal();
    }

    fn quorum(&self, message: &Digest) -> Signatures {
        let mut signatures = Signatures::default();
        for party in PartyId::ALL {
            signatures.insert(party, self.committee.signers[party.index()].sign(message));
        }
        signatures
    }

    /// One batch with one view of every work, its totals and their proof.
    fn count(&mut self, works: usize) {
        let opening = self.ledger.state().openings.get(&EPOCH).expect("an open epoch");
        let generators = WorkBases::new(&opening.shards().expect("one shard")[0]);
        let width = generators.points().len();
        let one = Count { listeners: 1, backed: 0, views: 1, value: 1 << limits::EVENT_VALUE_BITS };
        let vector: Vec<_> =
            (0..width).map(|at| if at < works { one.to_scalar() } else { Scalar::ZERO }).collect();
        let shares = TierShares::of(&vector, &mut self.rng);
        let group = Group { tier: TIER, region: RegionTag::NONE };
        let (mut running, before) = (Running::default(), Residual::default());
        running.add(group, &shares.commitments(&generators));

        let root = self.anchor(&running);
        let shares = [(TIER, shares)].into();
        let JointTally { totals, after, proof, .. } =
            JointTally::prove(&root, &generators, (&running, &before), &shares, |_, _| true, &mut self.rng);
        let tally = Tally { totals, squares: Squares::default(), after };
        let signatures = self.quorum(&aggregate_digest(&root, &tally, &proof));
        let aggregate = SubmitAggregate { epoch: EPOCH, shard: ShardIndex(0), tally, proof, signatures };
        self.apply(&Transaction::open(Payload::SubmitAggregate(aggregate)));
    }

    /// Anchors one header over the running commitments, and the root over it.
    fn anchor(&mut self, running: &Running) -> EpochRoot {
        let header = BatchHeader {
            chain: CHAIN,
            epoch: EPOCH,
            shard: ShardIndex(0),
            view: 0,
            position: 0,
            previous: Digest::default(),
            batch_root: digest(1),
            count: 1,
            running: running.clone(),
        };
        let last = header.digest();
        let signatures = self.quorum(&header.signing_digest());
        self.apply(&Transaction::open(Payload::AnchorHeader(SignedHeader { header, signatures })));
        let root = EpochRoot { chain: CHAIN, epoch: EPOCH, shard: ShardIndex(0), batches: 1, last };
        let signatures = self.quorum(&root.digest());
        self.apply(&Transaction::open(Payload::AnchorRoot(SignedRoot { root: root.clone(), signatures })));
        root
    }

    /// A claim for every payout of the epoch.
    pub(crate) fn claims(&self) -> Vec<Claim> {
        self.ledger.state().claims_of_epoch(EPOCH)
    }

    /// A transfer of one unit from every person to the next, signed for the ledger as it is.
    pub(crate) fn transfers(&mut self, ledger: &Ledger) -> Vec<Transaction> {
        let transfer = |from: usize| {
            let to = person((from + 1) % self.persons);
            let signer = person(from);
            let nonce = ledger.nonce(&signer).expect("an account");
            let payload = Payload::Transfer(Transfer { to, amount: Credits(1) });
            Transaction::signed(payload, CHAIN, (signer, nonce), &self.keys[&signer], &mut self.rng)
        };
        (0..self.persons).map(transfer).collect()
    }
}
