//! Payees that are accounts on L1: owed there, never paid here, and the golden vectors that the contracts read.

use crate::world::*;
use chain::{
    Payload,
    light::{record, verify},
    modules::{
        dapr::{Claim, DaprError, payout::Split},
        identity::IdentityError,
        treasury::Fund,
        usage::Epoch,
        work_registry::{UpdateWork, WorkError},
    },
    poseidon::{Felt, felt_to_bytes},
};
use primitives::{BasisPoints, Credits, Layer1Address, PersonId, ids::to_hex};
use serde_json::{Value, json};
use std::path::Path;

/// Two accounts on L1.
fn address(n: u8) -> Layer1Address {
    Layer1Address([0x11 * n; 20])
}

fn payee(n: u8) -> PersonId {
    PersonId::layer1(address(n))
}

fn update(splits: Vec<Split>) -> Payload {
    let work = id_of(1, 1);
    Payload::UpdateWork(UpdateWork { work, price: World::genesis().params.price_min, splits, from: FIRST })
}

fn split(payee: PersonId, share: u16) -> Split {
    Split { payee, share: BasisPoints::new(share).expect("below the whole") }
}

/// The chain with an epoch settled in which the first work pays two accounts on L1 and its creator.
pub(crate) fn settled() -> World {
    let mut world = World::with_works();
    world
        .ok(person(1), update(vec![split(payee(1), 2_500), split(payee(2), 2_500), split(person(1), 5_000)]));
    world.run_epoch(FIRST, &bundles());
    world
}

pub(crate) fn on_layer1(world: &World) -> Vec<Claim> {
    let mut claims = world.ledger.state().claims_of_epoch(FIRST);
    claims.retain(|claim| claim.payee.layer1_address().is_some());
    claims
}

#[test]
fn a_payee_is_a_person_on_record_or_an_account_on_layer1() {
    let mut world = World::with_works();
    let nobody = PersonId::layer1(Layer1Address::default());
    for stranger in [nobody, person(9)] {
        let mut splits = vec![split(stranger, 1), split(person(1), 9_999)];
        splits.sort_by_key(|split| split.payee);
        world.refuse(person(1), update(splits), WorkError::UnknownPayee { payee: stranger });
    }
    world.ok(person(1), update(vec![split(payee(1), 10_000)]));
}

#[test]
fn nobody_is_registered_under_the_name_of_an_account_on_layer1() {
    let mut world = World::genesis();
    let Payload::Register(register) = world.register(1) else { panic!("a registration") };
    for person in [payee(1), PersonId::default()] {
        let register = chain::modules::identity::Register { person, ..register.clone() };
        world.refuse(REGISTRAR, Payload::Register(register), IdentityError::NotAPerson { person });
    }
}

#[test]
fn what_is_owed_on_layer1_is_set_aside_and_never_paid_here() {
    let mut world = settled();
    let owed = on_layer1(&world);
    assert_eq!(owed.iter().map(|claim| claim.payee).collect::<Vec<_>>(), [payee(1), payee(2)]);
    let sum: Credits = owed.iter().map(|claim| claim.amount).sum();
    let summary =
        world.ledger.state().epochs.get(&FIRST).and_then(|epoch| epoch.summary.clone()).expect("settled");
    assert!(sum > Credits::ZERO && summary.on_layer1 == sum);
    let state = world.ledger.state();
    assert_eq!(state.fund(Fund::Layer1), sum);
    assert_eq!(Some(state.fund(Fund::Unclaimed)), summary.paid.checked_sub(sum));
    assert!(state.claimable(&payee(1)).is_empty());
    for claim in owed {
        let payee = claim.payee;
        world.refuse_open(Payload::Claim(claim), DaprError::PaidOnLayer1 { payee });
    }
    for claim in world.ledger.state().claims_of_epoch(FIRST) {
        if claim.payee.layer1_address().is_none() {
            world.open_ok(Payload::Claim(claim));
        }
    }
    let state = world.ledger.state();
    assert_eq!((state.fund(Fund::Unclaimed), state.fund(Fund::Layer1)), (Credits::ZERO, sum));
}

#[test]
fn a_record_with_payees_on_layer1_holds() {
    let world = settled();
    let mut record = record(&world.ledger, FIRST).expect("settled");
    verify(&record, None).expect("a sound record");
    record.revenue.on_layer1 = Credits::ZERO;
    verify(&record, None).expect_err("the sum owed on L1 counts");
}

fn felt(felt: &Felt) -> String {
    let mut bytes = felt_to_bytes(felt);
    bytes.reverse();
    format!("0x{}", to_hex(&bytes))
}

fn felts(felts: &[Felt]) -> Vec<String> {
    felts.iter().map(felt).collect()
}

fn bytes(bytes: &[u8]) -> String {
    format!("0x{}", to_hex(bytes))
}

fn claim_json(claim: &Claim) -> Value {
    let path = &claim.path;
    json!({
        "epoch": claim.epoch.0.to_string(),
        "work": bytes(&claim.work.0),
        "payee": bytes(&claim.payee.0),
        "amount": claim.amount.0.to_string(),
        "path": {
            "position": path.position.to_string(),
            "count": path.count.to_string(),
            "siblings": felts(&path.siblings),
        },
    })
}

/// A final epoch as the contracts see it: its record, where that stands in the state, and every payout's path.
/// Field elements and digests are 32 bytes, the digest's first byte first and the element as a big-endian integer.
fn vectors() -> Value {
    let world = settled();
    let proof = world.ledger.epoch_proof(FIRST).expect("settled");
    let epoch: &Epoch = world.ledger.state().epochs.get(&FIRST).expect("on record");
    let summary = epoch.summary.as_ref().expect("settled");
    let root = epoch.root().expect("frozen");
    json!({
        "description": "A final epoch as the contracts on L1 see it. Elements of the field and digests are 32 bytes in hexadecimal, elements big-endian; counts and micro-credits are decimal.",
        "epoch_record": {
            "epoch": epoch.epoch.0.to_string(),
            "opening": felt(&epoch.opening),
            "params": bytes(&epoch.params.0),
            "batches": epoch.batches().to_string(),
            "bundles": epoch.bundles().to_string(),
            "last": bytes(&epoch.last().0),
            "anchors": bytes(&epoch.anchors().0),
            "root": bytes(&root.0),
            "aggregate": bytes(&epoch.aggregate().expect("aggregated").0),
            "revenues": felt(&epoch.revenues.expect("settled")),
            "revenue": summary.revenue.0.to_string(),
            "fee": summary.fee.0.to_string(),
            "eco": summary.eco.0.to_string(),
            "infra": summary.infra.0.to_string(),
            "creators": summary.creators.0.to_string(),
            "carriedIn": summary.carried_in.0.to_string(),
            "paid": summary.paid.0.to_string(),
            "onLayer1": summary.on_layer1.0.to_string(),
            "carriedOut": summary.carried_out.0.to_string(),
            "sumOfWeights": format!("{:#066x}", summary.sum_of_weights),
            "payoutRoot": felt(&summary.payout_root),
            "figures": felt(&summary.figures),
        },
        "state_proof": {
            "nextKey": felt(&proof.inclusion.leaf.next_key),
            "position": proof.inclusion.position.to_string(),
            "siblings": felts(&proof.inclusion.siblings),
            "tableCount": proof.table.count.to_string(),
            "tableSiblings": felts(&proof.table.siblings),
        },
        "state_root": felt(&proof.state_root),
        "value": felt(&proof.inclusion.leaf.value),
        "claims": world.ledger.state().claims_of_epoch(FIRST).iter().map(claim_json).collect::<Vec<_>>(),
    })
}

/// Solidity reads the same file. Where it has to change, the new one is beside the test's binary.
#[test]
fn the_golden_vectors_hold() {
    let found = serde_json::to_string_pretty(&vectors()).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/layer1.json");
    if std::fs::read_to_string(&path).is_ok_and(|golden| golden == found) {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layer1.json");
    std::fs::write(&new, found).expect("written");
    panic!("{} is not what the chain gives; {} is", path.display(), new.display());
}
