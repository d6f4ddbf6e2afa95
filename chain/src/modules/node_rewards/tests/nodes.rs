//! Nodes, what is on record for them, and their bonds.

use super::*;
use crate::modules::{
    identity::{Identity, Status},
    treasury::{Fund, TreasuryError},
    usage::{PublishKeys, TierKey, UsageError, publish_keys},
    work_registry::Work,
};
use primitives::{EpochId, PersonId, Region, Tier, WorkId};
use proofs::{
    blind::BlindError,
    testing::{issuer, other_issuer},
};

const BOND: Credits = Credits(10_000_000);

fn register(net: &mut Net, who: PersonId, action: &RegisterNode) -> Result<(), NodeError> {
    net.run(|draft, at| register_node(draft, at, who, action))
}

fn leave(net: &mut Net, o: u8, i: u8) -> Result<(), NodeError> {
    let action = LeaveNode { node: node(o, i).id };
    net.run(|draft, at| leave_node(draft, at, operator(o), &action))
}

fn withdraw(net: &mut Net, who: PersonId, i: u8) -> Result<(), NodeError> {
    let action = WithdrawBond { node: node(0, i).id };
    net.run(|draft, at| withdraw_bond(draft, at, who, &action))
}

fn add(net: &mut Net, who: PersonId, amount: u64) -> Result<(), NodeError> {
    let action = AddBond { node: node(0, 0).id, amount: Credits(amount) };
    net.run(|draft, _| add_bond(draft, who, &action))
}

#[test]
fn a_node_is_put_on_record_with_its_bond() {
    let mut net = Net::new();
    let good = registration(0);
    assert_eq!(register(&mut net, client(0), &good), Err(NodeError::NotOperator { signer: client(0) }));
    let idle = RegisterNode { services: Services::default(), ..good.clone() };
    assert_eq!(register(&mut net, operator(0), &idle), Err(NodeError::NothingToDo));
    let manifest = Digest([1; 32]);
    let unknown = RegisterNode { manifests: vec![manifest], ..good.clone() };
    assert_eq!(register(&mut net, operator(0), &unknown), Err(NodeError::UnknownService { manifest }));
    let twice = RegisterNode { manifests: vec![SERVICE; 2], ..good.clone() };
    let order = NodeError::ManifestOrder { manifest: SERVICE };
    assert_eq!(register(&mut net, operator(0), &twice), Err(order));

    assert_eq!(register(&mut net, operator(0), &good), Ok(()));
    let on_record = net.state.nodes.get(&node(0, 0).id).expect("a node");
    assert_eq!(*on_record, Node { bond: BOND, ..node(0, 0) });
    assert_eq!(net.balance(operator(0)), Credits(PURSE.0 - BOND.0));
    assert_eq!(net.state.fund(Fund::Bonds), BOND);
    let again = NodeError::AlreadyRegistered { node: node(0, 0).id };
    assert_eq!(register(&mut net, operator(0), &good), Err(again));
    // The name is the operator's: another may use it too.
    assert_eq!(register(&mut net, operator(1), &good), Ok(()));

    let suspended = net.state.identities.get(&operator(0)).expect("on record").clone();
    net.put(Identity { status: Status::Suspended, ..suspended });
    let refused = register(&mut net, operator(0), &registration(1));
    assert_eq!(refused, Err(NodeError::NotOperator { signer: operator(0) }));
}

#[test]
fn there_are_as_many_nodes_as_there_may_be() {
    let most = MAX_NODES_PER_OPERATOR as u8;
    let mut net = Net::new().and_nodes(&[most]);
    let refused = NodeError::TooManyOfOperator { operator: operator(0), limit: MAX_NODES_PER_OPERATOR };
    assert_eq!(register(&mut net, operator(0), &registration(most)), Err(refused));
    for n in MAX_NODES_PER_OPERATOR + 1..MAX_NODES {
        let mut id = NodeId([0xff; 32]);
        id.0[..8].copy_from_slice(&(n as u64).to_le_bytes());
        net.put(Node { id, ..node(0, 0) });
    }
    assert_eq!(register(&mut net, operator(1), &registration(0)), Ok(()), "the last that there is room for");
    let refused = NodeError::TooManyNodes { limit: MAX_NODES };
    assert_eq!(register(&mut net, operator(1), &registration(1)), Err(refused));
}

#[test]
fn a_bond_has_to_be_there() {
    let mut net = Net::with(|rules| rules.bond = Credits(PURSE.0 + 1));
    let amount = Credits(PURSE.0 + 1);
    let poor = TreasuryError::Balance { person: operator(0), balance: PURSE, amount };
    assert_eq!(register(&mut net, operator(0), &registration(0)), Err(poor.into()));
}

/// Whoever knows a beacon must not be able to choose which nodes it is drawn over.
#[test]
fn nodes_come_and_go_with_an_epoch_of_whose_beacon_nothing_is_known() {
    let mut net = Net::new().and_nodes(&[1]);
    net.reveal(FIRST);
    assert_eq!(register(&mut net, operator(0), &registration(1)), Ok(()));
    let from = |net: &Net, i| net.state.nodes.get(&node(0, i).id).expect("a node").from;
    assert_eq!([from(&net, 0), from(&net, 1)], [FIRST, NEXT]);
    net.open(FIRST);
    assert_eq!(register(&mut net, operator(0), &registration(2)), Ok(()));
    assert_eq!(from(&net, 2), NEXT);

    assert_eq!(leave(&mut net, 0, 0), Ok(()));
    net.reveal(NEXT);
    assert_eq!(leave(&mut net, 0, 1), Ok(()));
    let until = |net: &Net, i| net.state.nodes.get(&node(0, i).id).expect("a node").until;
    assert_eq!([until(&net, 0), until(&net, 1)], [Some(FIRST), Some(NEXT)]);
    assert_eq!(leave(&mut net, 0, 0), Err(NodeError::Leaving { node: node(0, 0).id }));
    assert_eq!(leave(&mut net, 1, 0), Err(NodeError::UnknownNode { node: node(1, 0).id }));
    let takes_part = |i: u8, epoch| net.state.nodes.get(&node(0, i).id).expect("a node").takes_part(epoch);
    assert_eq!([takes_part(0, FIRST), takes_part(0, NEXT)], [true, false]);
    assert_eq!([takes_part(2, FIRST), takes_part(2, NEXT)], [false, true]);
}

#[test]
fn a_bond_is_filled_up_by_its_operator_alone() {
    let mut net = Net::new().and_nodes(&[1, 1]);
    let (id, signer) = (node(0, 0).id, operator(1));
    assert_eq!(add(&mut net, signer, 5), Err(NodeError::NotOwn { node: id, signer }));
    assert_eq!(add(&mut net, operator(0), 0), Err(NodeError::NothingToDo));
    assert_eq!(add(&mut net, operator(0), 5), Ok(()));
    assert_eq!(net.bond(0, 0), Credits(BOND.0 + 5));
    let amount = Credits(PURSE.0);
    let balance = net.balance(operator(0));
    let poor = TreasuryError::Balance { person: operator(0), balance, amount };
    assert_eq!(add(&mut net, operator(0), PURSE.0), Err(poor.into()));
    assert_eq!(leave(&mut net, 0, 0), Ok(()));
    assert_eq!(add(&mut net, operator(0), 5), Err(NodeError::Leaving { node: id }));
}

#[test]
fn a_bond_stays_until_the_last_audit_is_decided() {
    let mut net = Net::new().and_nodes(&[1, 1]);
    let id = node(0, 0).id;
    net.open(FIRST);
    assert_eq!(net.commit(0, 0, FIRST, stored(&[0])), Ok(()));
    assert_eq!(withdraw(&mut net, operator(0), 0), Err(NodeError::NotLeaving { node: id }));
    assert_eq!(leave(&mut net, 0, 0), Ok(()));
    let notice = NodeError::Notice { node: id, earliest: EpochId(NEXT.0 + 1) };
    for epoch in [FIRST, NEXT] {
        assert_eq!(withdraw(&mut net, operator(0), 0), Err(notice.clone()));
        net.turn(epoch);
    }
    // The notice is over, and the audit is not decided.
    assert_eq!(withdraw(&mut net, operator(0), 0), Err(NodeError::NotScored { epoch: FIRST }));
    assert_eq!(net.score(FIRST), Ok(()));
    let signer = operator(1);
    assert_eq!(withdraw(&mut net, signer, 0), Err(NodeError::NotOwn { node: id, signer }));
    // It did not answer, and gets nine tenths back.
    assert_eq!(withdraw(&mut net, operator(0), 0), Ok(()));
    assert_eq!(net.balance(operator(0)), Credits(PURSE.0 - BOND.0 / 10));
    assert_eq!(withdraw(&mut net, operator(0), 0), Err(NodeError::Returned { node: id }));
    assert_eq!(withdraw(&mut net, operator(0), 1), Err(NodeError::UnknownNode { node: node(0, 1).id }));
    assert_eq!(net.state.fund(Fund::Bonds), BOND, "the other node's");
}

/// What is left of a bond is its operator's, who may have been suspended since.
#[test]
fn a_suspended_operator_gets_its_bond_back() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    assert_eq!(leave(&mut net, 0, 0), Ok(()));
    net.turn(FIRST);
    net.turn(NEXT);
    let identity = net.state.identities.get(&operator(0)).expect("on record").clone();
    net.put(Identity { status: Status::Suspended, ..identity });
    assert_eq!(withdraw(&mut net, operator(0), 0), Ok(()));
    assert_eq!(net.balance(operator(0)), PURSE);
}

#[test]
fn content_is_on_record_once_by_the_creator() {
    let mut net = Net::new();
    let run = |net: &mut Net, who, action: &RegisterContent| {
        net.run(|draft, at| register_content(draft, at, who, action))
    };
    let old = net.state.works.get(&work(0)).expect("a work").clone();
    let id = WorkId([0x77; 32]);
    let good = RegisterContent { work: id, manifest: Digest([1; 32]), root: Digest([2; 32]), chunks: 1 };
    assert_eq!(run(&mut net, CREATOR, &good), Err(NodeError::UnknownWork { work: id }));
    net.put(Work { id, ..old });
    let signer = operator(0);
    assert_eq!(run(&mut net, signer, &good), Err(NodeError::NotCreator { work: id, signer }));
    for chunks in [0, MAX_CHUNKS + 1] {
        let refused = NodeError::Chunks { chunks, limit: MAX_CHUNKS };
        assert_eq!(run(&mut net, CREATOR, &RegisterContent { chunks, ..good.clone() }), Err(refused));
    }
    net.reveal(FIRST);
    assert_eq!(run(&mut net, CREATOR, &good), Ok(()));
    assert_eq!(net.state.contents.get(&id).expect("on record").from, NEXT, "not for an epoch that is drawn");
    let other = RegisterContent { root: Digest([3; 32]), ..good };
    assert_eq!(run(&mut net, CREATOR, &other), Err(NodeError::ContentRegistered { work: id }));
    let creator = net.state.identities.get(&CREATOR).expect("on record").clone();
    net.put(Identity { status: Status::Suspended, ..creator });
    let refused = NodeError::NotCreator { work: id, signer: CREATOR };
    assert_eq!(run(&mut net, CREATOR, &other), Err(refused));
}

#[test]
fn governance_approves_and_withdraws_services() {
    let mut net = Net::new();
    let manifest = Digest([1; 32]);
    let approved = net.run(|draft, at| approve_service(draft, at, SERVICE, 1));
    assert_eq!(approved, Err(NodeError::ServiceRegistered { manifest: SERVICE }));
    assert_eq!(net.run(|draft, at| approve_service(draft, at, manifest, 0)), Err(NodeError::NothingToDo));
    net.open(FIRST);
    assert_eq!(net.run(|draft, at| approve_service(draft, at, manifest, 5)), Ok(()));
    let counts =
        |net: &Net, id| [FIRST, NEXT].map(|e| net.state.services.get(&id).expect("a service").counts(e));
    assert_eq!(counts(&net, manifest), [false, true]);
    assert_eq!(net.run(|draft, at| withdraw_service(draft, at, SERVICE)), Ok(()));
    assert_eq!(counts(&net, SERVICE), [true, false]);
    let again = net.run(|draft, at| withdraw_service(draft, at, SERVICE));
    assert_eq!(again, Err(NodeError::UnknownService { manifest: SERVICE }));
}

#[test]
fn governance_puts_tasks_on_record() {
    let mut net = Net::new();
    net.open(FIRST);
    let person = PersonId([0xee; 32]);
    let unknown = net.run(|draft, at| record_task(draft, at, person, 1));
    assert_eq!(unknown, Err(NodeError::UnknownPerson { person }));
    for units in [1, 2, u64::MAX] {
        net.ok(|draft, at| record_task(draft, at, client(0), units));
    }
    assert_eq!(net.state.tasks.get(&(FIRST, client(0))).expect("a task").units, u64::MAX);
}

#[test]
fn a_key_for_vouchers_stands_for_one_region_of_one_epoch() {
    let mut net = Net::new();
    let run = |net: &mut Net, who, epoch, keys: &[(usize, &[u8])]| {
        let regions: Vec<_> = Region::all().collect();
        let key =
            |(region, key): &(usize, &[u8])| VoucherSigner { region: regions[*region], key: key.to_vec() };
        let action = PublishVoucherKeys { epoch, keys: keys.iter().map(key).collect() };
        net.run(|draft, at| publish_voucher_keys(draft, at, who, &action))
    };
    let (one, two) = (issuer().public().der(), other_issuer().public().der());
    let signer = operator(0);
    assert_eq!(run(&mut net, signer, FIRST, &[(0, one)]), Err(NodeError::NotSteward { signer }));
    let not_next = NodeError::NotNextEpoch { expected: FIRST, found: NEXT };
    assert_eq!(run(&mut net, STEWARD, NEXT, &[(0, one)]), Err(not_next));
    let region = region();
    let second = Region::all().nth(1).expect("a region");
    let order = |region| Err(NodeError::RegionOrder { region });
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(0, one), (0, two)]), order(region));
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(1, one), (0, two)]), order(region));
    let mut broken = one.to_vec();
    broken[0] ^= 1;
    let error = BlindError::Key;
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(0, &broken)]), Err(NodeError::VoucherKey { region, error }));
    let reused = |region| Err(NodeError::KeyReused { region });
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(0, one), (1, one)]), reused(second));
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(0, one)]), Ok(()));
    let published = NodeError::VoucherKeyPublished { epoch: FIRST, region };
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(0, two)]), Err(published));
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(1, one)]), reused(second));

    // Nor does it stand for a tier or for receipts, and the other way round.
    let tiers = |key: &[u8]| vec![TierKey { tier: Tier(0), key: key.to_vec() }];
    let keys = |key| PublishKeys { epoch: FIRST, tiers: tiers(key), regions: Vec::new() };
    let refused = net.run(|draft, at| publish_keys(draft, at, STEWARD, &keys(one)));
    assert_eq!(refused, Err(UsageError::KeyOnRecord { epoch: FIRST }));
    assert_eq!(net.run(|draft, at| publish_keys(draft, at, STEWARD, &keys(two))), Ok(()));
    assert_eq!(run(&mut net, STEWARD, FIRST, &[(1, two)]), reused(second));
}

/// What is left of a bond is the operator's, whatever became of the operator.
#[test]
fn a_revoked_operator_leaves_and_gets_the_bond_back() {
    let mut net = Net::new().and_nodes(&[1]);
    let identity = net.state.identities.get(&operator(0)).expect("on record").clone();
    net.put(Identity { status: Status::Revoked, ..identity });
    assert_eq!(
        register(&mut net, operator(0), &registration(1)),
        Err(NodeError::NotOperator { signer: operator(0) })
    );
    assert_eq!(leave(&mut net, 0, 0), Ok(()));
}
