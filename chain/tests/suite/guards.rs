//! Every guard of every transaction: refused with its own error, and the state untouched.

use crate::world::*;
use chain::{
    Genesis, Ledger, Payload, Transaction,
    ledger::GenesisError,
    merkle::MerkleError,
    modules::{
        dapr::{
            Claim, DaprError, SettleError,
            payout::{Split, SplitError},
        },
        governance::RulesError,
        identity::{IdentityError, Register, Roles, SetStatus, Status},
        treasury::{Account, Transfer, TreasuryError},
        usage::Phase,
        work_registry::{DeprecateWork, RegisterWork, UpdateWork, WorkError},
    },
    transaction::EnvelopeError,
};
use primitives::{BasisPoints, Credits, EpochId, GovernanceParams, PersonId, params::ONE_Q32};

fn transfer(to: PersonId, amount: u64) -> Payload {
    Payload::Transfer(Transfer { to, amount: Credits(amount) })
}

#[test]
fn envelope() {
    let mut world = World::with_works();
    let payload = transfer(person(2), 1);
    world.refuse_open(payload.clone(), EnvelopeError::Unsigned);
    let signed = world.sign(person(1), finalise(FIRST));
    world.refuse_tx(&signed, EnvelopeError::NeedlesslySigned);

    let good = world.sign(person(1), payload.clone());
    let change = |edit: fn(&mut chain::transaction::Authorisation)| {
        let mut tx = good.clone();
        edit(tx.authorisation.as_mut().expect("signed"));
        tx
    };
    let signer = person(1);
    world.refuse_tx(&change(|a| a.signer = person(77)), EnvelopeError::NoAccount { signer: person(77) });
    let expected = world.ledger.nonce(&signer).expect("an account");
    let nonce = EnvelopeError::Nonce { signer, expected, found: expected + 1 };
    world.refuse_tx(&change(|a| a.nonce += 1), nonce);
    world.refuse_tx(&change(|a| a.signer = person(2)), {
        let signer = person(2);
        let expected = world.ledger.nonce(&signer).expect("an account");
        let found = good.authorisation.as_ref().expect("signed").nonce;
        if expected == found {
            EnvelopeError::Signature { signer }
        } else {
            EnvelopeError::Nonce { signer, expected, found }
        }
    });
    // A signature is good for its payload, its nonce and its chain alone.
    let mut other = good.clone();
    other.payload = transfer(person(2), 2);
    world.refuse_tx(&other, EnvelopeError::Signature { signer });
    let elsewhere = Transaction::signed(
        payload,
        primitives::ChainId(8),
        (signer, expected),
        &world.keys[&signer],
        &mut world.rng,
    );
    world.refuse_tx(&elsewhere, EnvelopeError::Signature { signer });
}

#[test]
fn a_transaction_applies_once() {
    let mut world = World::genesis();
    let tx = world.sign(REGISTRAR, world.register(1));
    world.ledger.apply(&tx).expect("valid");
    world.refuse_tx(&tx, EnvelopeError::Nonce { signer: REGISTRAR, expected: 1, found: 0 });
}

#[test]
fn genesis() {
    let origin = World::genesis().ledger.origin().clone();
    let refuse = |change: &dyn Fn(&mut Genesis), expected: GenesisError| {
        let mut genesis = origin.clone();
        change(&mut genesis);
        assert_eq!(Ledger::genesis(genesis).map(|_| ()), Err(expected));
    };
    refuse(&|g| g.offices[1].person = REGISTRAR, GenesisError::TwoOffices { person: REGISTRAR });
    let nobody = PersonId::default();
    refuse(&|g| g.offices[2].person = nobody, GenesisError::NotAPerson { person: nobody });
    for (office, name) in ["registrar", "steward", "treasurer"].into_iter().enumerate() {
        let vacate = |g: &mut Genesis| g.offices[office].roles = Roles::CREATOR;
        refuse(&vacate, GenesisError::Vacant { office: name });
    }
    let both = Roles::STEWARD.with(Roles::TREASURER);
    refuse(&|g| g.offices[2].roles = both, GenesisError::StewardIsTreasurer { person: TREASURY });
    let alpha = GovernanceParams { alpha: 0, ..origin.params.clone() };
    refuse(&|g| g.params.alpha = 0, GenesisError::Params(alpha.check().expect_err("out of bounds")));
    let even = RulesError { name: "jurors, odd", value: 0, min: 1, max: 1 };
    refuse(&|g| g.rules.governance.jurors = 4, GenesisError::Rules(even));
}

#[test]
fn register() {
    let mut world = World::with_works();
    let new = world.register(4);
    world.refuse(person(1), new.clone(), IdentityError::NotRegistrar { signer: person(1) });
    let again = world.register(1);
    world.refuse(REGISTRAR, again, IdentityError::AlreadyRegistered { person: person(1) });
    let Payload::Register(new) = new else { unreachable!("a registration") };
    let office = Register { person: TREASURY, ..new.clone() };
    world.refuse(REGISTRAR, Payload::Register(office), IdentityError::AlreadyRegistered { person: TREASURY });
    let idle = Register { roles: Roles::default(), ..new.clone() };
    world.refuse(REGISTRAR, Payload::Register(idle), IdentityError::NoRole { person: person(4) });
    // The same human under another name.
    let twin = Register { nullifier: digest(101), ..new };
    world.refuse(REGISTRAR, Payload::Register(twin), IdentityError::NullifierUsed { nullifier: digest(101) });
}

#[test]
fn set_status() {
    let mut world = World::with_works();
    let set = |person, status| Payload::SetStatus(SetStatus { person, status });
    let person = person(1);
    world.refuse(person, set(person, Status::Revoked), IdentityError::NotRegistrar { signer: person });
    let nobody = PersonId([9; 32]);
    world.refuse(REGISTRAR, set(nobody, Status::Active), IdentityError::Unknown { person: nobody });
    let refused = |from, to| IdentityError::Step { person, from, to };
    for to in [Status::Pending, Status::Active] {
        world.refuse(REGISTRAR, set(person, to), refused(Status::Active, to));
    }
    world.ok(REGISTRAR, set(person, Status::Suspended));
    world.refuse(REGISTRAR, set(person, Status::Pending), refused(Status::Suspended, Status::Pending));
    world.ok(REGISTRAR, set(person, Status::Active));
    world.ok(REGISTRAR, set(person, Status::Revoked));
    for to in [Status::Pending, Status::Active, Status::Suspended, Status::Revoked] {
        world.refuse(REGISTRAR, set(person, to), refused(Status::Revoked, to));
    }
}

/// What is wrong with price, splits or epoch of a work, with the rule that each breaks.
fn broken_terms(work: &RegisterWork, params: &GovernanceParams) -> Vec<(RegisterWork, WorkError)> {
    let (min, max) = (params.price_min, params.price_max);
    let price = |price| (RegisterWork { price, ..work.clone() }, WorkError::Price { price, min, max });
    let stranger = PersonId([0xee; 32]);
    let splits = |splits: Vec<Split>, error: WorkError| (RegisterWork { splits, ..work.clone() }, error);
    let whole = |payee| Split { payee, share: BasisPoints::WHOLE };
    let (earlier, earliest) = (EpochId(FIRST.0), EpochId(FIRST.0 + 1));
    vec![
        price(min - 1),
        price(max + 1),
        splits(vec![], SplitError::Empty.into()),
        splits(vec![whole(person(1)), whole(person(2))], SplitError::NotWhole { total: 20_000 }.into()),
        splits(vec![whole(stranger)], WorkError::UnknownPayee { payee: stranger }),
        (
            RegisterWork { active_from: earlier, ..work.clone() },
            WorkError::NotFuture { from: earlier, earliest },
        ),
    ]
}

#[test]
fn register_work() {
    let mut world = World::opened();
    let work = RegisterWork { active_from: EpochId(FIRST.0 + 1), ..world.work(9, 1) };
    let payload = Payload::RegisterWork(work.clone());
    world.refuse(REGISTRAR, payload.clone(), WorkError::NotCreator { signer: REGISTRAR });
    let set = |status| Payload::SetStatus(SetStatus { person: person(2), status });
    world.ok(REGISTRAR, set(Status::Suspended));
    let (signer, status) = (person(2), Status::Suspended);
    world.refuse(person(2), payload.clone(), WorkError::CreatorNotActive { signer, status });
    let again = RegisterWork { fingerprint: digest(1), ..work.clone() };
    world.refuse(person(1), Payload::RegisterWork(again), WorkError::AlreadyRegistered { work: id_of(1, 1) });
    for (broken, error) in broken_terms(&work, &world.params.clone()) {
        world.refuse(person(1), Payload::RegisterWork(broken), error);
    }
    world.ok(person(1), payload);
}

#[test]
fn update_work() {
    let mut world = World::opened();
    let id = id_of(1, 1);
    let template = RegisterWork { active_from: EpochId(FIRST.0 + 1), ..world.work(1, 1) };
    let update = |w: &RegisterWork, work| {
        Payload::UpdateWork(UpdateWork {
            work,
            price: w.price,
            splits: w.splits.clone(),
            from: w.active_from,
        })
    };
    let missing = id_of(1, 2);
    world.refuse(person(1), update(&template, missing), WorkError::UnknownWork { work: missing });
    let signer = person(2);
    world.refuse(signer, update(&template, id), WorkError::NotOwner { work: id, signer });
    world.refuse(TREASURY, update(&template, id), WorkError::NotCreator { signer: TREASURY });
    for (broken, error) in broken_terms(&template, &world.params.clone()) {
        world.refuse(person(1), update(&broken, id), error);
    }
    // It holds from the next epoch on, and not before.
    world.ok(person(1), update(&RegisterWork { price: ONE_Q32, ..template.clone() }, id));
    let work = world.ledger.state().works.get(&id).expect("registered").clone();
    assert_eq!(work.terms_at(FIRST).price, template.price);
    assert_eq!(work.terms_at(EpochId(FIRST.0 + 1)).price, ONE_Q32);
}

/// An update of the first work at a price, a few epochs after the one that runs.
fn reprice(world: &World, price: u64, ahead: u64) -> Payload {
    let (work, splits) = (id_of(1, 1), world.work(1, 1).splits);
    Payload::UpdateWork(UpdateWork { work, price, splits, from: EpochId(FIRST.0 + ahead) })
}

/// Prices of the first work in the epochs after the one that runs.
fn prices(world: &World) -> [u64; 4] {
    let work = world.ledger.state().works.get(&id_of(1, 1)).expect("registered");
    [1, 2, 3, 4].map(|ahead| work.terms_at(EpochId(FIRST.0 + ahead)).price)
}

/// A record has room for the terms that hold and for one change to come, so a second is refused and not forgotten.
#[test]
fn a_change_that_is_planned_is_not_lost() {
    let mut world = World::opened();
    let ([now, ..], high) = (prices(&world), world.params.price_max);
    world.ok(person(1), reprice(&world, high, 2));
    let planned = WorkError::TermsPlanned { work: id_of(1, 1), from: EpochId(FIRST.0 + 2) };
    world.refuse(person(1), reprice(&world, ONE_Q32, 3), planned);
    assert_eq!(prices(&world), [now, high, high, high]);
    // From its epoch on, a change holds whatever was planned.
    world.ok(person(1), reprice(&world, ONE_Q32, 2));
    assert_eq!(prices(&world), [now, ONE_Q32, ONE_Q32, ONE_Q32]);
    world.ok(person(1), reprice(&world, high, 1));
    assert_eq!(prices(&world), [high; 4]);
}

#[test]
fn terms_that_never_hold_make_room() {
    let mut world = World::with_works();
    let (low, high) = (world.params.price_min, world.params.price_max);
    // No epoch has opened: these take the place of those of the registration.
    world.ok(person(1), reprice(&world, high, 0));
    world.ok(person(1), reprice(&world, ONE_Q32, 2));
    assert_eq!(prices(&world), [high, ONE_Q32, ONE_Q32, ONE_Q32]);
    let planned = WorkError::TermsPlanned { work: id_of(1, 1), from: EpochId(FIRST.0 + 2) };
    world.refuse(person(1), reprice(&world, low, 3), planned);
}

/// A work that leaves comes back without a gap, or once it has left: else it would be there earlier than was said.
#[test]
fn a_work_comes_back_from_the_epoch_that_is_said() {
    let mut world = World::opened();
    let (work, gone) = (id_of(1, 1), EpochId(FIRST.0 + 2));
    world.ok(person(1), Payload::DeprecateWork(DeprecateWork { work, from: gone }));
    let gap = WorkError::BackLater { work, gone, latest: gone };
    world.refuse(person(1), reprice(&world, ONE_Q32, 3), gap);
    assert!(!world.ledger.state().works.get(&work).expect("registered").is_offered(gone));
    world.ok(person(1), reprice(&world, ONE_Q32, 2));
    assert!(world.ledger.state().works.get(&work).expect("registered").is_offered(gone));
}

#[test]
fn works_of_suspended_creators_and_works_to_come_sit_an_epoch_out() {
    let mut world = World::with_works();
    let later = RegisterWork { active_from: EpochId(FIRST.0 + 1), ..world.work(9, 1) };
    world.ok(person(1), Payload::RegisterWork(later));
    let status = Status::Suspended;
    world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: person(2), status }));
    world.prepare(FIRST);
    world.open(FIRST);
    let opening = world.ledger.state().openings.get(&FIRST).expect("open");
    let listed: Vec<_> = opening.works.iter().map(|listed| listed.work).collect();
    let mut expected = vec![id_of(1, 1), id_of(2, 1), id_of(5, 3)];
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn transfers() {
    let mut world = World::settled();
    for claim in world.ledger.state().claims_of_epoch(FIRST) {
        world.open_ok(Payload::Claim(claim));
    }
    let (signer, to) = (person(1), person(2));
    let balance = world.ledger.state().accounts.get(&signer).expect("an account").balance;
    world.refuse(signer, transfer(to, 0), TreasuryError::NothingToMove);
    world.refuse(signer, transfer(signer, 1), TreasuryError::ToSelf { person: signer });
    let amount = Credits(balance.0 + 1);
    world.refuse(signer, transfer(to, amount.0), TreasuryError::Balance { person: signer, balance, amount });
    let nobody = PersonId([9; 32]);
    world.refuse(signer, transfer(nobody, 1), TreasuryError::NoAccount { person: nobody });
    world.ok(signer, transfer(to, balance.0));
    let left: &Account = world.ledger.state().accounts.get(&signer).expect("an account");
    assert_eq!(left.balance, Credits::ZERO);
}

#[test]
fn finalise_and_claim() {
    let nothing = EpochId(99);
    let mut world = World::prepared();
    world.refuse_open(finalise(nothing), DaprError::UnknownEpoch { epoch: nothing });
    let opening = world.opening(FIRST);
    world.ok(STEWARD, Payload::OpenEpoch(opening));
    let not_yet = |found| DaprError::NotAggregated { epoch: FIRST, found };
    world.refuse_open(finalise(FIRST), not_yet(Phase::Open));
    world.ok(TREASURY, Payload::ReportRevenue(World::revenue(FIRST, TIERS[0])));
    for batch in bundles() {
        world.accept(FIRST, &batch);
    }
    let header = world.header(FIRST, 5);
    world.anchor(header);
    world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    world.refuse_open(finalise(FIRST), not_yet(Phase::Frozen));
    let aggregate = world.aggregate(FIRST);
    world.open_ok(Payload::SubmitAggregate(aggregate));
    let missing = SettleError::Revenue { tier: TIERS[1] };
    world.refuse_open(finalise(FIRST), DaprError::Settle(missing));
    let early = Claim {
        epoch: FIRST,
        work: id_of(1, 1),
        payee: person(1),
        amount: Credits(1),
        path: chain::merkle::path(&[1u64.into()], 0).expect("a path"),
    };
    world.refuse_open(Payload::Claim(early.clone()), DaprError::NotFinalised { epoch: FIRST });
    world.ok(TREASURY, Payload::ReportRevenue(World::revenue(FIRST, TIERS[1])));
    world.open_ok(finalise(FIRST));
    world.refuse_open(finalise(FIRST), DaprError::AlreadyFinalised { epoch: FIRST });

    let unknown = Claim { epoch: nothing, ..early };
    world.refuse_open(Payload::Claim(unknown), DaprError::UnknownEpoch { epoch: nothing });
    let good = world.ledger.state().claims_of_epoch(FIRST)[0].clone();
    let mut long = good.clone();
    long.path.siblings.push(1u64.into());
    let (count, expected) = (good.path.count, good.path.siblings.len());
    let error = MerkleError::PathLength { count, expected, found: expected + 1 };
    world.refuse_open(Payload::Claim(long), DaprError::Path(error));
    let mut moved = good.clone();
    moved.path.position ^= 1;
    let (epoch, work, payee, amount) = (good.epoch, good.work, good.payee, good.amount);
    world.refuse_open(Payload::Claim(moved), DaprError::NotOwed { epoch, work, payee, amount });
    let elsewhere = Claim { work: id_of(77, 1), ..good };
    let work = elsewhere.work;
    world.refuse_open(Payload::Claim(elsewhere), DaprError::NotOwed { epoch, work, payee, amount });
}
