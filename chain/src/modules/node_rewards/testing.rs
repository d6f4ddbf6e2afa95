//! A small network for the tests of this module: operators with nodes, clients, works with content, and epochs whose
//! records are put there directly.

use super::*;
use crate::{
    ledger::{Authority, Context, Genesis, Ledger},
    modules::{
        dapr::{Payout, payout::Split},
        identity::{Identity, Roles, Status},
        treasury::{Account, Fund, FundBalance, Supply},
        usage::{Beacon, Epoch, Opening, Phase, Seating},
        work_registry::{MediaType, Terms, Work, work_id},
    },
    signature::SecretKey,
    state::{Draft, State},
};
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, EpochId, PartyId, PersonId, Preset, Region, Time,
    WorkId, params::ONE_Q32,
};
use proofs::{
    blind::BlindIssuer,
    committee::{Committee, Member, PartySigner},
    sharing::KemKey,
    testing::issuer,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use ruint::aliases::U256;
use std::collections::BTreeMap;

pub(super) const CHAIN: ChainId = ChainId(7);
pub(super) const FIRST: EpochId = EpochId(3);
pub(super) const NEXT: EpochId = EpochId(4);
pub(super) const CREATOR: PersonId = PersonId([9; 32]);
pub(super) const STEWARD: PersonId = PersonId([2; 32]);
/// What an account holds at first.
pub(super) const PURSE: Credits = Credits(200_000_000);
/// What the infrastructure has.
pub(super) const INFRA: Credits = Credits(1_000_000_000);
/// The service that nodes run, and most units of one of its jobs.
pub(super) const SERVICE: Digest = Digest([0x5e; 32]);
pub(super) const MOST: u64 = 100;

pub(super) fn operator(n: u8) -> PersonId {
    PersonId([0x80 + n; 32])
}

pub(super) fn client(n: u8) -> PersonId {
    PersonId([0x40 + n; 32])
}

pub(super) fn region() -> Region {
    Region::all().next().expect("a region")
}

pub(super) fn points(points: u16) -> BasisPoints {
    BasisPoints::new(points).expect("a part")
}

/// Node `i` of operator `o`, as a record.
pub(super) fn node(o: u8, i: u8) -> Node {
    let operator = operator(o);
    Node {
        id: node_id(&operator, &Digest([i; 32])),
        operator,
        region: region(),
        services: all_services(),
        descriptor: Digest([i; 32]),
        manifests: vec![SERVICE],
        bond: Credits::ONE,
        from: FIRST,
        until: None,
        returned: false,
    }
}

pub(super) fn all_services() -> Services {
    Services::STORAGE.with(Services::BANDWIDTH).with(Services::COMPUTE)
}

pub(super) fn registration(i: u8) -> RegisterNode {
    RegisterNode {
        name: Digest([i; 32]),
        region: region(),
        services: all_services(),
        descriptor: Digest([i; 32]),
        manifests: vec![SERVICE],
    }
}

/// Bytes of a work's content.
pub(super) fn bytes(n: u8) -> Vec<u8> {
    (0..CHUNK_BYTES * 40 + 7 * usize::from(n))
        .map(|i| (i * 31 + usize::from(n)) as u8 ^ (i >> 8) as u8)
        .collect()
}

pub(super) struct Net {
    pub(super) state: State,
    pub(super) genesis: Genesis,
    pub(super) keys: BTreeMap<PersonId, SecretKey>,
    pub(super) rng: ChaCha20Rng,
    committee: Committee,
}

impl Net {
    /// Four operators, four clients, a creator of three works with content, a service, and no epoch yet.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same under other rules.
    pub(super) fn with(change: impl FnOnce(&mut NodeRules)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let roles = [Roles::REGISTRAR, Roles::STEWARD, Roles::TREASURER];
        let office = |(n, roles)| {
            let key = SecretKey::generate(&mut rng).public_key();
            Authority { person: PersonId([n; 32]), key, roles }
        };
        let offices = (1..).zip(roles).map(office).collect();
        let mut genesis = Genesis::new(CHAIN, FIRST, Preset::Spec.params(), offices);
        change(&mut genesis.rules.nodes);
        let state = Ledger::genesis(genesis.clone()).expect("a valid genesis").state().clone();
        let member = |party| Member {
            signing: PartySigner::generate(party, &mut rng).public(),
            kem: KemKey::generate(&mut rng).public(),
        };
        let committee = Committee::new(PartyId::ALL.map(member)).expect("valid keys");
        let mut net = Self { state, genesis, keys: BTreeMap::new(), rng, committee };
        for n in 0..4 {
            net.add(operator(n), Roles::NODE.with(Roles::COMMITTEE));
            net.add(client(n), Roles::VOTER);
        }
        net.add(CREATOR, Roles::CREATOR);
        net.put(FundBalance { fund: Fund::Infrastructure, balance: INFRA });
        net.put(Supply { minted: Credits(9 * PURSE.0 + INFRA.0), burnt: Credits::ZERO });
        for n in 0..3 {
            net.add_work(n);
        }
        net.ok(|draft, at| approve_service(draft, at, SERVICE, MOST));
        net
    }

    fn add(&mut self, person: PersonId, roles: Roles) {
        let key = SecretKey::generate(&mut self.rng);
        let (status, credential, since) = (Status::Active, Digest::default(), Time(0));
        self.put(Identity { person, roles, status, credential, since, keyed: since, works: 0 });
        self.put(Account { balance: PURSE, ..Account::new(person, key.public_key()) });
        self.keys.insert(person, key);
    }

    fn add_work(&mut self, n: u8) {
        let fingerprint = Digest([n; 32]);
        let id = work_id(&fingerprint, &CREATOR);
        let splits = vec![Split { payee: CREATOR, share: BasisPoints::WHOLE }];
        self.put(Work {
            id,
            creator: CREATOR,
            fingerprint,
            media: MediaType::Audio,
            category: CategoryId(0),
            metadata: fingerprint,
            active_from: FIRST,
            terms: Terms { from: FIRST, price: ONE_Q32, splits },
            next: None,
            gone: None,
        });
        let content = StoredContent::new(&bytes(n)).expect("content");
        let (root, chunks) = (content.root(), content.chunks());
        let action = RegisterContent { work: id, manifest: fingerprint, root, chunks };
        self.ok(|draft, at| content::register_content(draft, at, CREATOR, &action));
    }

    /// Runs an action. The state changes only if it is allowed, and then no credit appears or disappears.
    pub(super) fn run<E>(
        &mut self,
        action: impl FnOnce(&mut Draft<'_>, &Context<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = Context { genesis: &self.genesis, head: Digest::default(), now: Time(0) };
        let mut draft = Draft::new(&self.state);
        action(&mut draft, &at)?;
        let changes = draft.into_changes();
        self.state.commit(changes);
        assert_eq!(self.state.check_conservation(), Ok(()));
        Ok(())
    }

    #[track_caller]
    pub(super) fn ok(&mut self, action: impl FnOnce(&mut Draft<'_>, &Context<'_>) -> Result<(), NodeError>) {
        assert_eq!(self.run(action), Ok(()));
    }

    pub(super) fn put<L: crate::state::Stored>(&mut self, record: L) {
        let mut draft = Draft::new(&self.state);
        draft.put(record);
        let changes = draft.into_changes();
        self.state.commit(changes);
    }

    /// Registers so many nodes of the first operators.
    pub(super) fn and_nodes(mut self, nodes: &[u8]) -> Self {
        for (o, count) in nodes.iter().enumerate() {
            for i in 0..*count {
                self.ok(|draft, at| register_node(draft, at, operator(o as u8), &registration(i)));
            }
        }
        self
    }

    /// Two parties reveal their part of the beacon of the next epoch.
    pub(super) fn reveal(&mut self, epoch: EpochId) {
        for party in &PartyId::ALL[..2] {
            let value = Some(Self::beacon(epoch, *party));
            self.put(Beacon { epoch, party: *party, commitment: Digest::default(), value });
        }
    }

    fn beacon(epoch: EpochId, party: PartyId) -> Digest {
        Digest([17 * u8::from(party) + epoch.0 as u8; 32])
    }

    /// The same state, if the epoch had opened on another chain.
    pub(super) fn elsewhere(&self, epoch: EpochId) -> State {
        let (mut state, opening) = (self.state.clone(), self.state.openings.get(&epoch).expect("open"));
        let mut draft = Draft::new(&self.state);
        draft.put(Opening { chain: ChainId(8), ..opening.clone() });
        state.commit(draft.into_changes());
        state
    }

    /// Opens an epoch.
    pub(super) fn open(&mut self, epoch: EpochId) {
        self.reveal(epoch);
        let opening = Opening {
            epoch,
            chain: CHAIN,
            key: Digest::default(),
            block: Digest::default(),
            opened: Time(5),
            reveals: PartyId::ALL[..2].iter().map(|party| (*party, Self::beacon(epoch, *party))).collect(),
            committee: self.committee.clone(),
            seating: Seating { operators: [0, 1, 2].map(operator), standby: None, patience: 60 },
            params: self.genesis.params.clone(),
            tiers: Vec::new(),
            sold: Vec::new(),
            works: Vec::new(),
            shard_width: 4,
            rooms: Vec::new(),
        };
        self.put(Epoch::open(&opening));
        self.put(opening);
    }

    /// Ends an epoch. All works but the last were paid.
    pub(super) fn end(&mut self, epoch: EpochId, phase: Phase) {
        let record = self.state.epochs.get(&epoch).expect("open").clone();
        self.put(Epoch { phase, ..record });
        for n in 0..2 {
            self.put(Payout { epoch, work: work(n), weight: U256::from(1), amount: Credits(1) });
        }
    }

    /// The epoch after a finished one opens.
    pub(super) fn turn(&mut self, epoch: EpochId) {
        self.end(epoch, Phase::Finalised);
        self.open(EpochId(epoch.0 + 1));
    }

    /// Keys for vouchers of the next epoch.
    pub(super) fn publish(&mut self) {
        self.publish_with(issuer());
    }

    /// The same with a signer of choice.
    pub(super) fn publish_with(&mut self, signer: &BlindIssuer) {
        let epoch = self.state.next_epoch(&self.genesis);
        let keys = vec![VoucherSigner { region: region(), key: signer.public().der().to_vec() }];
        let action = PublishVoucherKeys { epoch, keys };
        self.ok(|draft, at| publish_voucher_keys(draft, at, STEWARD, &action));
    }

    pub(super) fn commit(&mut self, o: u8, i: u8, epoch: EpochId, claimed: Claimed) -> Result<(), NodeError> {
        let action = CommitMetrics { node: node(o, i).id, epoch, claimed };
        self.run(|draft, at| commit_metrics(draft, at, operator(o), &action))
    }

    pub(super) fn answer(
        &mut self,
        o: u8,
        i: u8,
        epoch: EpochId,
        evidence: Evidence,
    ) -> Result<(), NodeError> {
        let action = AnswerAudit { node: node(o, i).id, epoch, evidence };
        self.run(|draft, _| answer_audit(draft, operator(o), &action))
    }

    pub(super) fn audit(&self, o: u8, i: u8, epoch: EpochId, kind: Contribution) -> Audited<'_> {
        self.state.audit(node(o, i).id, epoch, kind).expect("an audit")
    }

    pub(super) fn score(&mut self, epoch: EpochId) -> Result<(), NodeError> {
        self.run(|draft, _| score_nodes(draft, &ScoreNodes { epoch }))
    }

    pub(super) fn claim(&mut self, epoch: EpochId, payee: Payee) -> Result<(), NodeError> {
        self.run(|draft, _| claim_reward(draft, &ClaimReward { epoch, payee }))
    }

    pub(super) fn bond(&self, o: u8, i: u8) -> Credits {
        self.state.nodes.get(&node(o, i).id).expect("a node").bond
    }

    pub(super) fn balance(&self, person: PersonId) -> Credits {
        self.state.accounts.get(&person).expect("an account").balance
    }

    /// Receipts of a client for so many jobs of so many units each, for node `i` of operator `o`.
    pub(super) fn receipts(
        &mut self,
        client: PersonId,
        (o, i): (u8, u8),
        jobs: u8,
        units: u64,
    ) -> Vec<JobReceipt> {
        let job = |n| Job {
            manifest: SERVICE,
            node: node(o, i).id,
            client,
            job: Digest([n; 32]),
            units,
            epoch: FIRST,
        };
        (0..jobs).map(|n| job(n).sign(CHAIN, &self.keys[&client], &mut self.rng)).collect()
    }

    /// Vouchers for node `i` of operator `o`.
    pub(super) fn vouchers(&mut self, (o, i): (u8, u8), count: usize) -> Vec<Voucher> {
        let served = Served { chain: CHAIN, epoch: FIRST, region: region(), node: node(o, i).id };
        (0..count)
            .map(|_| Voucher::issue(&served, issuer(), &mut self.rng).expect("an honest region"))
            .collect()
    }
}

pub(super) fn work(n: u8) -> WorkId {
    work_id(&Digest([n; 32]), &CREATOR)
}

/// Works by ascending identifier.
pub(super) fn stored(works: &[u8]) -> Claimed {
    let mut works: Vec<_> = works.iter().map(|n| work(*n)).collect();
    works.sort();
    Claimed::Storage(StoredWorks(works))
}

/// Books with the content of all works.
pub(super) fn library() -> Books {
    let contents = (0..3).map(|n| (work(n), StoredContent::new(&bytes(n)).expect("content"))).collect();
    Books { contents, ..Books::default() }
}
