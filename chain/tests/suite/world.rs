//! A small chain with everything that one epoch needs: persons, works, three parties, and accepted bundles whose
//! shares and commitments are made up here.

mod committee;
mod keys;

use chain::{
    Block, Genesis, Ledger, Payload, Transaction, TxError,
    ledger::Authority,
    modules::{
        dapr::{FinaliseEpoch, payout::Split},
        identity::{Register, Roles, SetStatus, Status},
        treasury::AttestReserve,
        usage::{
            CommitBeacon, OpenEpoch, PublishKeys, RegionSigner, ReportRevenue, RevealBeacon, Seating,
            SetCommittee, Standby, SubmitAggregate, TierKey, TierSales, aggregate_digest, beacon_commitment,
            beacon_signing_digest,
        },
        work_registry::{MediaType, RegisterWork, work_id},
    },
    signature::SecretKey,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, EpochId, PartyId, PersonId, Preset, Region, RegionTag,
    ShardIndex, Tier, WorkId, WorkIndex, limits,
    params::{GovernanceParams, ONE_Q32, TierTerms},
};
use proofs::{
    committee::{Committee, Member, PartySigner, Signatures},
    generators::WorkBases,
    sharing::KemKey,
    tally::{
        BatchHeader, Count, EpochRoot, Group, Residual, Running, SignedHeader, SignedRoot, Squares, Tally,
        TallyProof,
    },
    testing::{JointTally, TierShares},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

pub(crate) const CHAIN: ChainId = ChainId(7);
pub(crate) const FIRST: EpochId = EpochId(3);
pub(crate) const REGISTRAR: PersonId = PersonId([1; 32]);
pub(crate) const STEWARD: PersonId = PersonId([2; 32]);
pub(crate) const TREASURY: PersonId = PersonId([3; 32]);
pub(crate) const AUDITORS: [PersonId; 2] = [PersonId([4; 32]), PersonId([5; 32])];
/// What the auditors attest.
pub(crate) const RESERVE: Credits = Credits(1 << 40);
pub(crate) const TIERS: [Tier; 2] = [Tier(0), Tier(1)];
pub(crate) const CREATORS: u8 = 3;
/// Subscriptions of each tier that are sold when an epoch opens. Some are sold after that.
pub(crate) const SOLD: u64 = 3;

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

/// What the parties have of one shard.
#[derive(Default)]
pub(crate) struct Line {
    /// All shares of what the bundles of each group add up to.
    groups: BTreeMap<Group, TierShares>,
    running: Running,
    last: Digest,
    batches: u64,
    /// What the last tally leaves over, with commitments to it.
    carries: BTreeMap<Tier, Kept>,
    after: Residual,
    /// Backed views in it, by region.
    unopened: Backed,
}

/// Shares of works.
type Kept = (Vec<WorkId>, TierShares);

/// Backed views of works, by group of a region.
type Backed = BTreeMap<(Group, WorkId), u64>;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    /// Blocks sealed so far.
    pub(crate) blocks: Vec<Block>,
    pub(crate) keys: BTreeMap<PersonId, SecretKey>,
    pub(crate) parties: [PartySigner; 3],
    pub(crate) committee: Committee,
    /// Who runs the parties, and who stands by.
    pub(crate) seating: Seating,
    /// Key of who stands by.
    pub(crate) standby: PartySigner,
    /// Keys that shares are sealed to, in order of party.
    pub(crate) kem: [KemKey; 3],
    pub(crate) rng: ChaCha20Rng,
    pub(crate) params: GovernanceParams,
    /// Most works of a shard in epochs that open from now on.
    pub(crate) shard_width: u16,
    /// The shard that the parties work on.
    shard: ShardIndex,
    line: Line,
    other_lines: BTreeMap<ShardIndex, Line>,
    /// What the parties carry from epoch to epoch.
    carried: BTreeMap<(ShardIndex, Tier), Kept>,
    /// Backed views in what is carried, by shard.
    backed: BTreeMap<ShardIndex, Backed>,
}

impl World {
    /// The chain at its genesis.
    pub(crate) fn genesis() -> Self {
        Self::genesis_with(|_| {})
    }

    /// The chain at its genesis, changed.
    pub(crate) fn genesis_with(change: impl FnOnce(&mut Genesis)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let people = [REGISTRAR, STEWARD, TREASURY].into_iter().chain((1..=CREATORS + 1).map(person));
        let people = people.chain(AUDITORS);
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
        let mut genesis = Genesis::new(CHAIN, FIRST, params, offices.map(office).into());
        change(&mut genesis);
        let params = genesis.params.clone();
        let parties = PartyId::ALL.map(|party| PartySigner::generate(party, &mut rng));
        let kem = PartyId::ALL.map(|_| KemKey::generate(&mut rng));
        let committee = committee_of(&parties, &kem);
        let ledger = Ledger::genesis(genesis).expect("a valid genesis");
        let standby = PartySigner::generate(PartyId::ALL[0], &mut rng);
        let member = Member { signing: standby.public(), kem: KemKey::generate(&mut rng).public() };
        let seating = Seating {
            operators: [41, 42, 43].map(person),
            standby: Some(Standby { operator: person(44), member }),
            patience: 60,
        };
        Self {
            ledger,
            blocks: Vec::new(),
            keys,
            parties,
            committee,
            seating,
            standby,
            kem,
            rng,
            params,
            shard_width: limits::MAX_SHARD_WIDTH as u16,
            shard: ShardIndex(0),
            line: Line::default(),
            other_lines: BTreeMap::new(),
            carried: BTreeMap::new(),
            backed: BTreeMap::new(),
        }
    }

    /// The chain with active creators and five works.
    pub(crate) fn with_works() -> Self {
        Self::genesis().and_works()
    }

    /// The same after any genesis.
    pub(crate) fn and_works(self) -> Self {
        let mut world = self;
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

    /// The chain with its works on record, in two sealed blocks.
    pub(crate) fn with_works_sealed() -> Self {
        let mut world = Self::with_works();
        world.seal();
        world.seal();
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
        world.seal();
        world
    }

    /// Ends the block.
    pub(crate) fn seal(&mut self) -> Block {
        let block = self.ledger.seal();
        self.blocks.push(block.clone());
        block
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
        assert_eq!(self.consider(Some(signer), &payload), Ok(()));
        let tx = self.sign(signer, payload);
        self.ledger.apply(&tx).expect("a valid transaction");
    }

    /// What the ledger would say, which has to be what it says.
    fn consider(&self, signer: Option<PersonId>, payload: &Payload) -> Result<(), TxError> {
        self.ledger.consider(signer, payload, self.ledger.now())
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
        let expected = expected.into();
        assert_eq!(self.consider(Some(signer), &payload).as_ref(), Err(&expected));
        let tx = self.sign(signer, payload);
        self.refuse_tx(&tx, expected);
    }

    #[track_caller]
    pub(crate) fn refuse_open(&mut self, payload: Payload, expected: impl Into<TxError>) {
        let expected = expected.into();
        assert_eq!(self.consider(None, &payload).as_ref(), Err(&expected));
        self.refuse_tx(&Transaction::open(payload), expected);
    }

    pub(crate) fn publish_keys(epoch: EpochId) -> PublishKeys {
        let [first, second, receipts @ ..] = keys::of(epoch);
        let region = Region::all().next().expect("a region");
        PublishKeys {
            epoch,
            tiers: vec![
                TierKey { tier: TIERS[0], key: first.clone() },
                TierKey { tier: TIERS[1], key: second.clone() },
            ],
            regions: limits::RECEIPT_DENOMINATIONS
                .iter()
                .zip(receipts)
                .map(|(denomination, key)| RegionSigner {
                    region,
                    denomination: *denomination,
                    key: key.clone(),
                })
                .collect(),
        }
    }

    pub(crate) fn beacon_value(epoch: EpochId, party: PartyId) -> Digest {
        digest(10 * u8::from(party) + epoch.0 as u8)
    }

    pub(crate) fn commit(&self, epoch: EpochId, party: PartyId) -> CommitBeacon {
        self.commit_to(epoch, party, &Self::beacon_value(epoch, party))
    }

    pub(crate) fn commit_to(&self, epoch: EpochId, party: PartyId, value: &Digest) -> CommitBeacon {
        let commitment = beacon_commitment(CHAIN, epoch, party, value);
        let signed = beacon_signing_digest(CHAIN, epoch, party, &commitment);
        CommitBeacon { epoch, party, commitment, signature: self.parties[party.index()].sign(&signed) }
    }

    pub(crate) fn reveal(epoch: EpochId, party: PartyId) -> Payload {
        Payload::RevealBeacon(RevealBeacon { epoch, party, value: Self::beacon_value(epoch, party) })
    }

    /// Seats the committee, with somebody who stands by.
    pub(crate) fn seat(&self) -> Payload {
        let (committee, seating) = (self.committee.clone(), self.seating.clone());
        Payload::SetCommittee(SetCommittee { committee, seating })
    }

    /// An attestation of the reserve, by the document of an epoch.
    pub(crate) fn attestation(epoch: EpochId, reserve: Credits) -> Payload {
        let mut document = [0xa7; 32];
        document[..8].copy_from_slice(&epoch.0.to_le_bytes());
        Payload::AttestReserve(AttestReserve { document: Digest(document), reserve })
    }

    /// Every auditor finds enough of a reserve for whatever an epoch brings.
    pub(crate) fn attest(&mut self, epoch: EpochId) {
        for auditor in AUDITORS {
            self.ok(auditor, Self::attestation(epoch, RESERVE));
        }
    }

    /// Committee, keys and beacon, and a reserve for what is to be sold. The third party commits and does not reveal.
    pub(crate) fn prepare(&mut self, epoch: EpochId) {
        self.ok(STEWARD, self.seat());
        self.ok(STEWARD, Payload::PublishKeys(Self::publish_keys(epoch)));
        for party in PartyId::ALL {
            self.open_ok(Payload::CommitBeacon(self.commit(epoch, party)));
        }
        for party in &PartyId::ALL[..2] {
            self.open_ok(Self::reveal(epoch, *party));
        }
        self.attest(epoch);
        self.seal();
    }

    pub(crate) fn opening(&self, epoch: EpochId) -> OpenEpoch {
        let terms = |tier: &Tier| TierTerms {
            tier: *tier,
            price: Credits(5_000_001 + 1_000_000 * u64::from(tier.0)),
            max_bundles: 4,
            value_cap: self.params.value_cap,
        };
        let tiers = TIERS.iter().map(terms).collect();
        let sold = TIERS.map(|tier| TierSales { tier, subscriptions: SOLD }).into();
        OpenEpoch { epoch, tiers, sold, shard_width: self.shard_width }
    }

    pub(crate) fn revenue(epoch: EpochId, tier: Tier) -> ReportRevenue {
        ReportRevenue { epoch, tier, subscriptions: 4 }
    }

    /// Opens the epoch and reports its revenue.
    pub(crate) fn open(&mut self, epoch: EpochId) {
        let opening = self.opening(epoch);
        self.ok(STEWARD, Payload::OpenEpoch(opening));
        for tier in TIERS {
            self.ok(TREASURY, Payload::ReportRevenue(Self::revenue(epoch, tier)));
        }
        self.seal();
        self.carry_on();
        self.shard = ShardIndex::default();
    }

    /// Opens the epoch while the one before is closed, and gives what the parties have of that one.
    pub(crate) fn open_beside(&mut self, epoch: EpochId) -> Line {
        let opening = self.opening(epoch);
        self.ok(STEWARD, Payload::OpenEpoch(opening));
        for tier in TIERS {
            self.ok(TREASURY, Payload::ReportRevenue(Self::revenue(epoch, tier)));
        }
        self.seal();
        std::mem::take(&mut self.line)
    }

    /// Totals of the epoch before are on record, of which the parties had this.
    pub(crate) fn take_over(&mut self, before: Line) {
        let now = std::mem::replace(&mut self.line, before);
        self.carry_on();
        self.line = now;
    }

    /// The parties go on with another shard.
    pub(crate) fn turn_to(&mut self, shard: u32) {
        let (shard, line) = (ShardIndex(shard), std::mem::take(&mut self.line));
        self.other_lines.insert(self.shard, line);
        self.line = self.other_lines.remove(&shard).unwrap_or_default();
        self.shard = shard;
    }

    /// Anchors two batches of bundles, freezes them and puts their totals on record.
    pub(crate) fn count(&mut self, epoch: EpochId, bundles: &[Bundle]) {
        self.freeze(epoch, bundles);
        let aggregate = self.aggregate(epoch);
        self.open_ok(Payload::SubmitAggregate(aggregate));
        self.seal();
    }

    /// Anchors two batches of bundles, and freezes them.
    pub(crate) fn freeze(&mut self, epoch: EpochId, bundles: &[Bundle]) {
        for batch in bundles.chunks(bundles.len().div_ceil(2).max(1)) {
            for bundle in batch {
                self.accept(epoch, bundle);
            }
            let header = self.header(epoch, batch.len() as u32);
            self.anchor(header);
        }
        self.open_ok(Payload::AnchorRoot(self.root(epoch)));
    }

    /// A whole further epoch.
    pub(crate) fn run_epoch(&mut self, epoch: EpochId, bundles: &[Bundle]) {
        self.prepare(epoch);
        self.open(epoch);
        self.count(epoch, bundles);
        self.open_ok(finalise(epoch));
        self.seal();
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
    committee_of(parties, &PartyId::ALL.map(|_| KemKey::generate(rng)))
}

fn committee_of(parties: &[PartySigner; 3], kem: &[KemKey; 3]) -> Committee {
    let member = |i: usize| Member { signing: parties[i].public(), kem: kem[i].public() };
    Committee::new([0, 1, 2].map(member)).expect("valid keys")
}
