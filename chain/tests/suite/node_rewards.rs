//! Node rewards as operators use them: from a registration to a claim, through transactions and blocks.

use crate::world::*;
use chain::{
    Ledger, Payload, Transaction,
    modules::{
        dapr::Payout,
        identity::{Register, Roles, SetStatus, Status},
        node_rewards::*,
        treasury::{Fund, Transfer},
    },
    signature::SecretKey,
    state::Leaf,
    transaction::EnvelopeError,
};
use primitives::{BasisPoints, Credits, Decode, Digest, Encode, EpochId, PersonId, Region, WorkId};
use proofs::blind::BlindIssuer;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::{collections::BTreeMap, sync::OnceLock};

const SECOND: EpochId = EpochId(FIRST.0 + 1);
const THIRD: EpochId = EpochId(FIRST.0 + 2);
const OPERATORS: u8 = 4;

fn operator(n: u8) -> PersonId {
    person(0x20 + n)
}

fn node(n: u8) -> NodeId {
    node_id(&operator(n), &digest(n))
}

fn region() -> Region {
    Region::all().next().expect("a region")
}

fn registration(n: u8) -> Payload {
    let services = Services::STORAGE.with(Services::BANDWIDTH);
    let (name, descriptor, manifests) = (digest(n), digest(n), Vec::new());
    Payload::RegisterNode(RegisterNode { name, region: region(), services, descriptor, manifests })
}

/// Who signs vouchers of the region, with a key that stands for nothing else.
fn issuer() -> &'static BlindIssuer {
    static ISSUER: OnceLock<BlindIssuer> = OnceLock::new();
    ISSUER.get_or_init(|| BlindIssuer::generate(&mut ChaCha20Rng::seed_from_u64(99)).expect("a key is found"))
}

fn content() -> StoredContent {
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    StoredContent::new(&bytes).expect("content")
}

fn kept() -> WorkId {
    id_of(1, 1)
}

/// Four operators with a node each, paid for by what creators earned in the first epoch; the second is ready to open.
fn network() -> World {
    let bond = |genesis: &mut chain::Genesis| genesis.rules.nodes.bond = Credits::ONE;
    let mut world = World::genesis_with(bond).and_works();
    world.run_epoch(FIRST, &bundles());
    for claim in world.ledger.state().claims_of_epoch(FIRST) {
        world.open_ok(Payload::Claim(claim));
    }
    for n in 0..OPERATORS {
        let key = SecretKey::generate(&mut world.rng);
        let register = Register {
            person: operator(n),
            key: key.public_key(),
            roles: Roles::NODE,
            credential: digest(n),
            nullifier: digest(200 + n),
        };
        world.keys.insert(operator(n), key);
        world.ok(REGISTRAR, Payload::Register(register));
        world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: operator(n), status: Status::Active }));
        let amount = Credits(2 * Credits::ONE.0);
        world.ok(person(1), Payload::Transfer(Transfer { to: operator(n), amount }));
        world.ok(operator(n), registration(n));
    }
    let content = content();
    let (root, chunks) = (content.root(), content.chunks());
    let registered = RegisterContent { work: kept(), manifest: digest(1), root, chunks };
    world.ok(person(1), Payload::RegisterContent(registered));
    let keys = vec![VoucherSigner { region: region(), key: issuer().public().der().to_vec() }];
    world.ok(STEWARD, Payload::PublishVoucherKeys(PublishVoucherKeys { epoch: SECOND, keys }));
    world.seal();
    world.prepare(SECOND);
    world.open(SECOND);
    world
}

fn storage() -> Claimed {
    Claimed::Storage(StoredWorks(vec![kept()]))
}

fn commit(n: u8, claimed: Claimed) -> Payload {
    Payload::CommitMetrics(CommitMetrics { node: node(n), epoch: SECOND, claimed })
}

fn books(world: &mut World, n: u8) -> Books {
    let served = Served { chain: CHAIN, epoch: SECOND, region: region(), node: node(n) };
    let voucher = |_| Voucher::issue(&served, issuer(), &mut world.rng).expect("an honest region");
    let vouchers = VoucherBook::new((0..5 + n).map(voucher).collect::<Vec<_>>()).expect("distinct serials");
    Books { contents: BTreeMap::from([(kept(), content())]), vouchers: Some(vouchers), jobs: None }
}

fn report(world: &World, n: u8) -> AttestUptime {
    let targets = world.ledger.state().watch(SECOND).targets(node(n));
    let there = BasisPoints::new(9_900).expect("a part");
    AttestUptime {
        epoch: SECOND,
        witness: node(n),
        seen: targets.into_iter().map(|id| (id, there)).collect(),
    }
}

fn answer(world: &World, n: u8, kind: Contribution, books: &Books) -> AnswerAudit {
    let audited = world.ledger.state().audit(node(n), SECOND, kind).expect("an audit");
    AnswerAudit { node: node(n), epoch: SECOND, evidence: books.answer(&audited).expect("everything") }
}

/// The second epoch with what nodes did in it, and its audits.
fn audited() -> (World, Vec<Books>) {
    let mut world = network();
    let books: Vec<_> = (0..OPERATORS).map(|n| books(&mut world, n)).collect();
    for n in 0..OPERATORS {
        world.ok(operator(n), commit(n, storage()));
        let root = books[usize::from(n)].vouchers.as_ref().expect("vouchers").root();
        world.ok(operator(n), commit(n, Claimed::Bandwidth(root)));
        let report = report(&world, n);
        world.ok(operator(n), Payload::AttestUptime(report));
    }
    world.count(SECOND, &bundles());
    world.open_ok(finalise(SECOND));
    world.seal();
    world.prepare(THIRD);
    world.open(THIRD);
    (world, books)
}

#[test]
fn from_a_bond_to_a_claim() {
    let (mut world, books) = audited();
    // The last operator keeps silent.
    for n in 0..OPERATORS - 1 {
        for kind in [Contribution::Storage, Contribution::Bandwidth] {
            let answer = answer(&world, n, kind, &books[usize::from(n)]);
            world.ok(operator(n), Payload::AnswerAudit(answer));
        }
    }
    world.count(THIRD, &bundles());
    world.open_ok(finalise(THIRD));
    world.seal();
    let before = world.ledger.state().fund(Fund::Infrastructure);
    world.open_ok(Payload::ScoreNodes(ScoreNodes { epoch: SECOND }));
    let state = world.ledger.state();
    assert!(state.payouts.get(&(SECOND, kept())).is_some_and(|payout: &Payout| payout.key().0 == SECOND));
    let scores = state.scores.get(&SECOND).expect("scored").clone();
    assert_eq!(scores.budget, before);
    assert!(scores.owed > Credits::ZERO && scores.owed <= scores.budget);
    let kinds = |n| {
        let reward = scores.reward(&Payee::Node(node(n)));
        reward
            .map(|reward| reward.earned.iter().map(|earned| earned.kind).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    // Three replicas are paid, and the three that answered keep one each.
    for n in 0..OPERATORS - 1 {
        assert_eq!(kinds(n), [Contribution::Storage, Contribution::Bandwidth, Contribution::Uptime]);
    }
    assert_eq!(kinds(OPERATORS - 1), [Contribution::Uptime], "it was there, and showed nothing");
    let bond = |n| world.ledger.state().nodes.get(&node(n)).expect("a node").bond;
    assert_eq!(bond(0), Credits::ONE);
    assert_eq!(bond(OPERATORS - 1), Credits(810_000), "a tenth for each of two silences");

    for reward in &scores.rewards {
        let claim = Payload::ClaimReward(ClaimReward { epoch: SECOND, payee: reward.payee });
        let balance = world.ledger.state().accounts.get(&reward.to).expect("an account").balance;
        world.open_ok(claim.clone());
        let after = world.ledger.state().accounts.get(&reward.to).expect("an account").balance;
        assert_eq!(after.0 - balance.0, reward.amount().0);
        let payee = reward.payee;
        world.refuse_open(claim, NodeError::AlreadyClaimed { epoch: SECOND, payee });
    }
    assert_eq!(world.ledger.state().fund(Fund::NodeRewards), Credits::ZERO);
    world.seal();

    // Whoever repeats the blocks comes to the same state.
    let genesis = world.ledger.origin().clone();
    let mut again = Ledger::genesis(genesis).expect("the same genesis");
    for block in &world.blocks {
        again = again.replay(block).expect("a valid block");
    }
    assert_eq!(again.state_root(), world.ledger.state_root());
    assert!(again.state().to_bytes() == world.ledger.state().to_bytes());
    let (_, path) = world.ledger.state().clone().prove::<NodeScores>(&SECOND).expect("on record");
    assert!(path.root(chain::poseidon::Felt::from(0u64)).is_ok());
}

/// Every message is refused with its rule, and leaves no trace.
#[test]
fn what_is_refused_leaves_no_trace() {
    let (mut world, books) = audited();
    let (own, other) = (operator(0), operator(1));
    let foreign = NodeError::NotOwn { node: node(0), signer: other };
    world.refuse(own, registration(0), NodeError::AlreadyRegistered { node: node(0) });
    world.refuse(other, Payload::LeaveNode(LeaveNode { node: node(0) }), foreign.clone());
    let more = Payload::AddBond(AddBond { node: node(0), amount: Credits::ONE });
    world.refuse(other, more, foreign.clone());
    let back = Payload::WithdrawBond(WithdrawBond { node: node(0) });
    world.refuse(own, back, NodeError::NotLeaving { node: node(0) });
    let again = RegisterContent { work: kept(), manifest: digest(2), root: digest(2), chunks: 1 };
    let registered = NodeError::ContentRegistered { work: kept() };
    world.refuse(person(1), Payload::RegisterContent(again), registered);
    let late = PublishVoucherKeys { epoch: SECOND, keys: Vec::new() };
    let expected = EpochId(THIRD.0 + 1);
    let not_next = NodeError::NotNextEpoch { expected, found: SECOND };
    world.refuse(STEWARD, Payload::PublishVoucherKeys(late), not_next);
    let over = NodeError::NotRunning { epoch: SECOND, running: THIRD };
    world.refuse(own, commit(0, storage()), over.clone());
    let report = report(&world, 0);
    world.refuse(own, Payload::AttestUptime(report), over);
    let evidence = answer(&world, 0, Contribution::Storage, &books[0]);
    world.refuse(other, Payload::AnswerAudit(evidence.clone()), foreign);
    let early = NodeError::StillOpen { epoch: SECOND };
    world.refuse_open(Payload::ScoreNodes(ScoreNodes { epoch: SECOND }), early);
    let claim = Payload::ClaimReward(ClaimReward { epoch: SECOND, payee: Payee::Node(node(0)) });
    world.refuse_open(claim.clone(), NodeError::NotScored { epoch: SECOND });

    // Who signs what.
    world.refuse_open(Payload::AnswerAudit(evidence), EnvelopeError::Unsigned);
    let signed = world.sign(own, claim);
    world.refuse_tx(&signed, EnvelopeError::NeedlesslySigned);
}

#[test]
fn every_message_has_one_spelling() {
    let (mut world, books) = audited();
    let mut messages = vec![
        registration(1),
        Payload::LeaveNode(LeaveNode { node: node(0) }),
        Payload::AddBond(AddBond { node: node(0), amount: Credits(5) }),
        Payload::WithdrawBond(WithdrawBond { node: node(0) }),
        Payload::RegisterContent(RegisterContent {
            work: kept(),
            manifest: digest(1),
            root: digest(2),
            chunks: 3,
        }),
        Payload::PublishVoucherKeys(PublishVoucherKeys {
            epoch: SECOND,
            keys: vec![VoucherSigner { region: region(), key: issuer().public().der().to_vec() }],
        }),
        commit(0, storage()),
        commit(0, Claimed::Compute(Sum { digest: Digest([1; 32]), units: 9 })),
        Payload::AttestUptime(report(&world, 0)),
        Payload::ScoreNodes(ScoreNodes { epoch: SECOND }),
        Payload::ClaimReward(ClaimReward { epoch: SECOND, payee: Payee::Person(operator(0)) }),
    ];
    for kind in [Contribution::Storage, Contribution::Bandwidth] {
        messages.push(Payload::AnswerAudit(answer(&world, 0, kind, &books[0])));
    }
    for payload in messages {
        let tx = world.sign(operator(0), payload);
        let bytes = tx.to_bytes();
        assert_eq!(Transaction::from_bytes(&bytes), Ok(tx));
        assert!(Transaction::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Transaction::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert!(bytes.len() < 64 * 1024, "{} bytes", bytes.len());
    }
}
